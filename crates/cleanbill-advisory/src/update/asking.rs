//! What an update asks for, in its order: OSV's zips, publishers by name, and what everybody needs.

use std::fs::File;
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use super::course::Course;
use super::repository::{self, Repository};
use super::{FEEDS_FOLDER, Plan, Publisher, documents, ends, extras};
use crate::build::Options;
use crate::error::{Error, Result};
use crate::feeds::published::{Asked, At, Published};
use crate::feeds::{FEEDS, osv};

/// OSV's zips of the ecosystems that are asked for.
pub(super) fn zips(plan: &Plan, course: &mut Course<'_>, options: &mut Options) -> Result<()> {
    let feeds = plan.folder.join(FEEDS_FOLDER);
    for row in FEEDS {
        let Published::Ecosystems(at) = row.published else { continue };
        for ecosystem in Ecosystem::ALL {
            if !plan.ecosystems.contains(&ecosystem) {
                // What is not asked for any more would age unseen.
                remove(&feeds.join(row.folder).join(ecosystem.as_str()))?;
            }
        }
        for ecosystem in &plan.ecosystems {
            let name = format!("{}/{ecosystem}/{}", row.folder, osv::FILE);
            course.asks(&name);
            let got = course.get(&plan.sources.zip(*ecosystem, at), &name, &feeds, &zip_like);
            course.without(&name, got)?;
            // OSV writes every zip anew all the time: one without news is as fresh as its file.
            if let Some(date) = course.date(&name) {
                options.published.insert(format!("{}{ecosystem}", row.id), date);
            }
        }
    }
    Ok(())
}

/// The feeds of publishers that are asked for.
pub(super) fn publishers(
    plan: &Plan,
    course: &mut Course<'_>,
    options: &mut Options,
) -> Result<()> {
    for publisher in Publisher::ALL {
        let folder = publisher.as_str();
        if !plan.publishers.contains(&publisher) {
            remove(&plan.folder.join(FEEDS_FOLDER).join(folder))?;
            continue;
        }
        let mut dates = Dates::default();
        for (file, at) in publisher.files(plan.now) {
            let name = format!("{folder}/{file}");
            if publisher.tells_of_packages() {
                course.asks(&name);
            }
            let got = bring(at, &name, plan, course);
            // Of what is not there nothing is old.
            let Some(Some((current, date))) = course.without(&name, got)? else { continue };
            dates.add(name, current, date);
        }
        if let Some(date) = dates.of(course) {
            let dates = match publisher.is_by_release() {
                true => &mut options.published,
                false => &mut options.fallback_as_of,
            };
            dates.insert(publisher.feed().to_owned(), date);
        }
    }
    Ok(())
}

/// What every update fetches.
pub(super) fn always(plan: &Plan, course: &mut Course<'_>) -> Result<()> {
    for row in FEEDS.iter().filter(|row| row.asked == Asked::Always) {
        if let Published::Products(at, products) = &row.published {
            ends::get(at, products, plan, course)?;
        }
        for (file, at) in row.published.files(plan.now) {
            let name = format!("{}/{file}", row.folder);
            let got = bring(at, &name, plan, course);
            course.without(&name, got)?;
        }
    }
    Ok(())
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
            let url = plan.sources.address(name, site.base);
            course.get_hashed(&url, name, &feeds, &plan.folder.join(documents::STEPS), &any)?
        }
    };
    Ok(Some((current, course.date(name))))
}

fn zip_like(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    zip::ZipArchive::new(file).map(drop).map_err(|e| Error::malformed("no readable zip").because(e))
}

/// The build that follows reads the whole of it.
fn any(_: &Path) -> Result<()> {
    Ok(())
}

/// Removes a folder, if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}
