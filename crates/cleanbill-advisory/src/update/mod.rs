//! Fetching feeds from their publishers, or a mirror with the same layout, and building the
//! snapshot from them here.
//!
//! What was fetched is kept in a folder with its ETag, so that the next update asks only for what
//! has changed. Until everything has been fetched, checked and built, the snapshot in use stays
//! as it is; the one before is kept as `.previous`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use crate::build::{self, Options, Report};
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::{eol, kev, osv};
use crate::limits::Limits;
use crate::place::{Place, make_parent};

mod fetch;
mod publishers;
mod remote;
mod sources;
mod state;

pub use publishers::Publisher;
pub use sources::{DEFAULT_ECOSYSTEMS, Sources};

use fetch::{Fetcher, Outcome};
use state::State;

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
            silence: Duration::from_secs(60),
            request: Duration::from_secs(3600),
            limits: Limits::default(),
        }
    }
}

/// Fetches what has changed and builds the snapshot; `say` is told what happens, a line each.
///
/// # Errors
/// When anything cannot be fetched, checked or built; the snapshot there before is untouched.
pub fn update(plan: &Plan, say: &mut dyn FnMut(&str)) -> Result<Report> {
    let feeds = plan.folder.join("feeds");
    std::fs::create_dir_all(&feeds).map_err(|e| Error::io(&feeds, e))?;
    let lock = plan.folder.join("lock");
    let held = File::create(&lock).map_err(|e| Error::io(&lock, e))?;
    if held.try_lock().is_err() {
        let message = format!("{}: another update is running", plan.folder.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    let fetcher = Fetcher::new(&plan.sources, plan.bounds.clone())?;
    let mut state = State::open(plan.folder.join("state.json"))?;
    let mut options = Options { limits: plan.bounds.limits.clone(), ..Options::default() };

    keep_only(&feeds.join("osv"), &plan.ecosystems)?;
    for ecosystem in &plan.ecosystems {
        let name = format!("osv/{ecosystem}/{}", osv::FILE);
        let url = format!("{}/{ecosystem}/{}", plan.sources.osv, osv::FILE);
        get(&fetcher, &mut state, &url, &name, &feeds, &zip_like, say)?;
        if let Some(date) = state.date(&name) {
            options.fallback_as_of.insert(format!("osv:{ecosystem}"), date);
        }
    }
    for publisher in Publisher::ALL {
        let folder = publisher.as_str();
        if !plan.publishers.contains(&publisher) {
            // What is not asked for any more would age unseen.
            remove(&feeds.join(folder))?;
            continue;
        }
        for (file, address) in publisher.files(plan.now) {
            let name = format!("{folder}/{file}");
            let url = plan.sources.address(&name, &address);
            get(&fetcher, &mut state, &url, &name, &feeds, &any, say)?;
            if let Some(date) = state.date(&name) {
                let newest =
                    options.fallback_as_of.entry(publisher.feed().to_owned()).or_insert(date);
                *newest = date.max(*newest);
            }
        }
    }
    let name = format!("kev/{}", kev::FILE);
    get(&fetcher, &mut state, &plan.sources.kev, &name, &feeds, &json_like, say)?;

    // The publisher's own form, a file a product, is kept beside the feeds.
    for (_, product) in sources::DISTRIBUTIONS {
        let name = format!("end-of-life/{product}.json");
        let url = format!("{}/{product}.json", plan.sources.end_of_life);
        get(&fetcher, &mut state, &url, &name, &plan.folder, &json_like, say)?;
    }
    let table = remote::end_of_life(&plan.folder.join("end-of-life"), &plan.bounds, plan.now)?;
    let path = feeds.join("eol").join(eol::FILE);
    make_parent(&path)?;
    build::replace(&path, |out| {
        serde_json::to_writer(out, &table)
            .map_err(|e| Error::new(ErrorKind::Io, "the table of releases").because(e))
    })?;

    say("building the snapshot");
    let place = Place::take(&plan.out)?;
    // What cannot be built from is not worth asking about: the next update fetches all of it.
    let report = build::build(&feeds, place.fresh(), &options)
        .or_else(|failed| state.forget().and(Err(failed)))?;
    place.put(true)?;
    Ok(report)
}

/// Brings one file up to date. It takes its place only when `check` finds that it is of the
/// right kind, so that a wrong answer is not remembered as the newest.
fn get(
    fetcher: &Fetcher,
    state: &mut State,
    url: &str,
    name: &str,
    folder: &Path,
    check: &dyn Fn(&Path) -> Result<()>,
    say: &mut dyn FnMut(&str),
) -> Result<()> {
    let path = folder.join(name);
    make_parent(&path)?;
    let known = if path.exists() { state.validator(name) } else { None };
    match fetcher.fetch(url, &path, known.as_deref(), check)? {
        Outcome::Unchanged => say(&format!("{name}: unchanged")),
        Outcome::Fetched { bytes, seen } => {
            state.set(name, seen)?;
            say(&format!("{name}: {bytes} bytes"));
        }
    }
    Ok(())
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

/// Removes a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}
