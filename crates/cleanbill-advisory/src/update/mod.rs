//! Fetching feeds from their publishers, or a mirror with the same layout, and building the
//! snapshot from them here.
//!
//! What was fetched is kept in a folder with its ETag, so that the next update asks only for what
//! has changed, and goes on with the copy of before where a publisher gives nothing. Until
//! everything has been checked and built, the snapshot in use stays as it is; the one before is kept
//! as `.previous`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use crate::build::{Options, Report};
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::{eol, kev, osv};
use crate::limits::Limits;
use crate::place::make_parent;
use crate::replace::replace;

mod back;
mod building;
mod course;
mod database;
mod documents;
mod extras;
mod fetch;
mod missing;
mod publishers;
mod remote;
mod repository;
mod sources;
mod state;
mod telling;
mod turn;

pub use building::Copies;
pub use database::Database;
pub use publishers::Publisher;
pub use sources::{DEFAULT_ECOSYSTEMS, Sources};
pub use telling::{fetched, telling};
pub use turn::Turn;

use back::Before;
use building::Building;
use course::Course;
use database::DATABASE_FOLDER;
use fetch::Fetcher;
use missing::ENDS;
use publishers::At;
use repository::Repository;
use state::State;

/// Where the feeds lie, in the folder of updates.
const FEEDS_FOLDER: &str = "feeds";
/// What is known of fetched files, there too.
const STATE: &str = "state.json";

/// How an update is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where feeds come from.
    pub sources: Sources,
    /// Whose advisories are fetched.
    pub ecosystems: Vec<Ecosystem>,
    /// Whose own feeds are fetched besides.
    pub publishers: Vec<Publisher>,
    /// Where fetched files and their state are kept.
    pub folder: PathBuf,
    /// The snapshot file to write.
    pub out: PathBuf,
    /// The day that a check of the end-of-life dates counts as.
    pub now: Timestamp,
    /// Bounds on one download and on the build.
    pub bounds: Bounds,
    /// Who speaks to them, which says whom to trust; `None`: Mozilla's roots are trusted. Bounds are
    /// set on each request.
    pub agent: Option<ureq::Agent>,
    /// What the feeds stand in for; `None`: they are the first choice.
    pub stands_in: Option<Copies>,
}

/// Bounds on the network.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of one download (default 4 GiB).
    pub download_bytes: u64,
    /// How often one download is tried again (default 5).
    pub retries: u32,
    /// The wait before the first retry, doubled each time (default 1 s).
    pub backoff: Duration,
    /// The longest that a server may have us wait before it is asked again (`Retry-After`, default
    /// 60 s); one that wants more is given up on.
    pub retry_after: Duration,
    /// Silence after which a server is given up on (default 60 s).
    pub silence: Duration,
    /// The longest that one request may take (default 1 h).
    pub request: Duration,
    /// Bounds on the build.
    pub limits: Limits,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            download_bytes: 4 << 30,
            retries: 5,
            backoff: Duration::from_secs(1),
            retry_after: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            request: Duration::from_secs(3600),
            limits: Limits::default(),
        }
    }
}

/// What an update came to.
#[derive(Clone, Debug)]
pub struct Updated {
    /// The snapshot that was built.
    pub report: Report,
    /// Files that could not be brought up to date, each with the cause: the copy of an earlier
    /// update was taken, with its own date, so that the feed ages.
    pub kept: Vec<String>,
    /// Files that could not be had, each with the cause, and of which there was no earlier copy: what
    /// they are needed for is not in the snapshot.
    pub missing: Vec<String>,
}

/// Fetches what has changed and builds the snapshot; `say` is told what happens, a line each.
///
/// # Errors
/// When nothing at all can be fetched, or nothing that says which packages have flaws; when something of
/// what is in force would be lost that could not be fetched; and when nothing can be built. The snapshot
/// there before is untouched.
pub fn update(plan: &Plan, say: &mut dyn FnMut(&str)) -> Result<Updated> {
    Turn::take(&plan.folder)?.feeds(plan, say)
}

impl Turn {
    /// The same for whoever has taken the turn in the folder of the plan.
    ///
    /// # Errors
    /// As [`update`], and when that is another folder.
    pub fn feeds(&self, plan: &Plan, say: &mut dyn FnMut(&str)) -> Result<Updated> {
        if self.folder() != plan.folder {
            let message = format!("{}: the turn is for another folder", plan.folder.display());
            return Err(Error::new(ErrorKind::Io, message));
        }
        fetch_and_build(plan, say)
    }
}

fn fetch_and_build(plan: &Plan, say: &mut dyn FnMut(&str)) -> Result<Updated> {
    let feeds = plan.folder.join(FEEDS_FOLDER);
    std::fs::create_dir_all(&feeds).map_err(|e| Error::io(&feeds, e))?;
    let fetcher = Fetcher::new(&plan.sources, plan.bounds.clone(), plan.agent.clone());
    let state = State::open(plan.folder.join(STATE))?;
    let mut options = Options { limits: plan.bounds.limits.clone(), ..Options::default() };
    let mut course = Course::new(fetcher, state, Before::new(&plan.folder), say);

    keep_only(&feeds.join("osv"), &plan.ecosystems)?;
    for ecosystem in &plan.ecosystems {
        let name = format!("osv/{ecosystem}/{}", osv::FILE);
        course.asks(&name);
        let got = course.get(&plan.sources.zip(*ecosystem), &name, &feeds, &zip_like);
        course.without(&name, got)?;
        // OSV writes every zip anew all the time: one without news is as fresh as its file.
        if let Some(date) = course.date(&name) {
            options.published.insert(format!("osv:{ecosystem}"), date);
        }
    }
    for publisher in Publisher::ALL {
        let folder = publisher.as_str();
        if !plan.publishers.contains(&publisher) {
            // What is not asked for any more would age unseen.
            remove(&feeds.join(folder))?;
            continue;
        }
        let mut dates = Dates::default();
        for (file, at) in publisher.files(plan.now) {
            let name = format!("{folder}/{file}");
            if publisher.tells_of_packages() {
                course.asks(&name);
            }
            let got = bring(at, &name, plan, &mut course);
            // Of what is not there nothing is old.
            let Some(Some((current, date))) = course.without(&name, got)? else { continue };
            dates.add(name, current, date);
        }
        if let Some(date) = dates.of(&course) {
            let dates = match publisher.dates_its_list() {
                true => &mut options.published,
                false => &mut options.fallback_as_of,
            };
            dates.insert(publisher.feed().to_owned(), date);
        }
    }
    let name = format!("kev/{}", kev::FILE);
    let got = course.get(&plan.sources.kev, &name, &feeds, &json_like);
    course.without(&name, got)?;
    ends_of_life(plan, &feeds, &mut course)?;

    course.worth_it()?;
    let report = course.build(Building {
        name: "what the feeds give",
        folder: &plan.folder,
        own: &feeds,
        out: &plan.out,
        stands_in: plan.stands_in,
        options,
    })?;
    let (kept, missing) = course.told();
    Ok(Updated { report, kept, missing })
}

/// The dates of a publisher's files: whether each is up to date, and what its server said.
#[derive(Default)]
struct Dates(Vec<(String, bool, Option<Timestamp>)>);

impl Dates {
    fn add(&mut self, name: String, current: bool, date: Option<Timestamp>) {
        self.0.push((name, current, date));
    }

    /// That of the feed: of the newest file, but no newer than one of which nobody says that it is
    /// current. What is gone without does not count.
    fn of(&self, course: &Course<'_>) -> Option<Timestamp> {
        let (mut newest, mut unsure, mut dated) = (None, None::<Timestamp>, true);
        for (_, current, date) in self.0.iter().filter(|(name, ..)| course.has(name)) {
            newest = (*date).max(newest);
            if !current {
                unsure = [*date, unsure].into_iter().flatten().min();
                dated &= date.is_some();
            }
        }
        [newest, unsure].into_iter().flatten().min().filter(|_| dated)
    }
}

/// Brings what a publisher has somewhere up to date: whether it is, and the date that its server gave.
/// `None`: the feed does without it.
fn bring(
    at: At,
    name: &str,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<Option<(bool, Option<Timestamp>)>> {
    let feeds = plan.folder.join(FEEDS_FOLDER);
    let current = match (at, plan.sources.is_mirror()) {
        (At::Extras(of), _) => return extras::get(&of, name, plan, course),
        (At::Repository(list), false) => {
            let arch = name.rsplit('/').nth(1).unwrap_or_default();
            let of = Repository { list: &list, arch, may_lack: false };
            repository::get(&of, name, plan, course)?
        }
        (At::Documents(site), false) => documents::get(&site, name, plan, course)?,
        (At::Address(address) | At::Repository(address), _) => {
            course.get(&plan.sources.address(name, &address), name, &feeds, &any)?
        }
        (At::Documents(site), true) => {
            course.get(&plan.sources.address(name, site.base), name, &feeds, &any)?
        }
    };
    Ok(Some((current, course.date(name))))
}

/// The table of releases. The publisher's own form, a file a product, is kept beside the feeds.
fn ends_of_life(plan: &Plan, feeds: &Path, course: &mut Course<'_>) -> Result<()> {
    let path = feeds.join(eol::ID).join(eol::FILE);
    let before = remote::distributions(&path, &plan.bounds);
    let mut now = Vec::new();
    for (id, product) in sources::DISTRIBUTIONS {
        let name = format!("{ENDS}/{product}.json");
        if !before.contains(id) {
            // A copy that is in no table is of nobody knows which day.
            gone(&plan.folder.join(&name))?;
        }
        let url = format!("{}/{product}.json", plan.sources.end_of_life);
        let check = |path: &Path| remote::check(path, &plan.bounds);
        let got = course.get(&url, &name, &plan.folder, &check);
        if course.without(&name, got)? == Some(true) {
            now.push((id, product));
        }
    }
    // The table bears the day on which all in it was checked. So it stays where one that is in it was
    // not, and says nothing of those that never were.
    let unchecked = |known: &(&str, &str)| before.contains(known.0) && !now.contains(known);
    if now.is_empty() || sources::DISTRIBUTIONS.iter().any(unchecked) {
        return Ok(());
    }
    let table = remote::end_of_life(&plan.folder.join(ENDS), &now, &plan.bounds, plan.now)?;
    make_parent(&path)?;
    replace(&path, |out| {
        serde_json::to_writer(out, &table)
            .map_err(|e| Error::unwritten("the table of releases", e.into()))
    })
    .map(drop)
}

fn zip_like(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    zip::ZipArchive::new(file).map(drop).map_err(|e| Error::malformed("no readable zip").because(e))
}

fn json_like(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    serde_json::from_reader::<_, serde::de::IgnoredAny>(std::io::BufReader::new(file))
        .map(drop)
        .map_err(|e| Error::malformed("no JSON document").because(e))
}

/// The build that follows reads the whole of it.
fn any(_: &Path) -> Result<()> {
    Ok(())
}

/// Ecosystems that are not asked for any more would age unseen.
fn keep_only(folder: &Path, wanted: &[Ecosystem]) -> Result<()> {
    for ecosystem in Ecosystem::ALL.into_iter().filter(|e| !wanted.contains(e)) {
        remove(&folder.join(ecosystem.as_str()))?;
    }
    Ok(())
}

/// Removes a file, if it is there.
fn gone(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}
