//! The extras of a release: a catalogue an architecture names them, and each is a repository. What one
//! of them does not give is told, and its packages are gaps; it stops nothing.

use std::collections::BTreeSet;
use std::path::Path;

use cleanbill_core::Timestamp;

use super::Plan;
use super::course::Course;
use super::repository::{self, Repository};
use crate::error::{Error, Result};
use crate::feeds::document;
use crate::feeds::updateinfo::extras::{CATALOGUE, topics};
use crate::feeds::updateinfo::{FILE, repositories::Extras};

/// Repositories in a row that give nothing, after which no more are asked.
const FAILURES: usize = 3;

/// Brings the extras of one architecture up to date, whose catalogue is to be the file `name`
/// (`…/<architecture>/catalogue.json`): whether all are, and the date of what counts as oldest. `None`:
/// there are none.
///
/// # Errors
/// When something fails that does not lie with the publisher.
pub(super) fn get(
    extras: &Extras,
    name: &str,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<Option<(bool, Option<Timestamp>)>> {
    let feeds = plan.folder.join("feeds");
    let folder = name.strip_suffix(&format!("/{CATALOGUE}")).unwrap_or(name);
    let arch = folder.rsplit('/').next().unwrap_or_default();
    let of_arch = |address: &str| address.replace("{arch}", arch);
    let url = plan.sources.address(name, &of_arch(extras.catalogue));
    let read = |path: &Path| topics(&document(path, &plan.bounds.limits)?);
    let got = course.get(&url, name, &feeds, &|path| read(path).map(drop));
    let mut all = course.without_piece(name, got)?.unwrap_or_default();
    let catalogue = feeds.join(name);
    if !catalogue.is_file() {
        return Ok(None);
    }
    let topics = read(&catalogue)?;
    remove_others(&feeds.join(folder), &topics)?;
    let (mut failures, mut date) = (0, course.date(name));
    for topic in &topics {
        let file = format!("{folder}/{topic}/{FILE}");
        let got = match plan.sources.is_mirror() {
            // A mirror has a file where there are errata.
            true => course.get(&plan.sources.address(&file, ""), &file, &feeds, &|_| Ok(())),
            false => {
                let list = of_arch(extras.list).replace("{topic}", topic);
                let of = Repository { list: &list, arch, may_lack: true };
                repository::get(&of, &file, plan, course)
            }
        };
        let current = course.without_piece(&file, got)?.unwrap_or_default();
        all &= current;
        if !current && feeds.join(&file).is_file() {
            date = course.date(&file).min(date);
        }
        failures = if current { 0 } else { failures + 1 };
        if failures >= FAILURES {
            course.say(&format!("{folder}: {FAILURES} in a row gave nothing, no more are asked"));
            break;
        }
    }
    Ok(Some((all, date)))
}

/// Removes what the catalogue names no more: it would age unseen.
fn remove_others(folder: &Path, topics: &BTreeSet<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let path = entry.map_err(|e| Error::io(folder, e))?.path();
        let named = path.file_name().and_then(|name| name.to_str());
        if path.is_dir() && !named.is_some_and(|name| topics.contains(name)) {
            std::fs::remove_dir_all(&path).map_err(|e| Error::io(&path, e))?;
        }
    }
    Ok(())
}
