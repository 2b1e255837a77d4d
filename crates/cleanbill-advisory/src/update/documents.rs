//! Red Hat's documents: the newest archive of all, which is made every few days, and one by one
//! those that have changed since. A list names the archive, another what has changed, newest first,
//! and a third what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::{Date, Timestamp};

use super::Plan;
use super::course::Course;
use crate::build::{midnight, replace};
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::redhat::{DELETIONS, DOCUMENTS, is_document, row};
use crate::feeds::{document, redhat};
use crate::partial::is_partial;

/// Names the archive.
const LATEST: &str = "archive_latest.txt";
/// Documents with the time of their last change.
const CHANGES: &str = "changes.csv";
/// The documents that are held beside the archive, and of which change each is.
const HELD: &str = "documents.json";
/// Documents that are fetched one by one at most: three weeks of changes. Of more, the archive
/// stands alone, with its own date.
const MOST: usize = 20_000;
/// Failures in a row after which no more are asked for.
const FAILURES: usize = 20;

/// Brings the archive `name` up to date, and the documents beside it; whether all are.
///
/// # Errors
/// As [`Course::get`].
pub(super) fn get(base: &str, name: &str, plan: &Plan, course: &mut Course<'_>) -> Result<bool> {
    let feeds = plan.folder.join("feeds");
    let folder = feeds.join(redhat::ID);
    let steps = format!("steps/{}", redhat::ID);
    let address = |file: &str| plan.sources.address(file, &format!("{base}/{file}"));

    let latest = format!("{steps}/{LATEST}");
    let first = course
        .get(&address(LATEST), &latest, &plan.folder, &|path| archive(path, plan).map(drop))?;
    let (file, day) = archive(&plan.folder.join(&latest), plan)?;
    let second = course.get(&address(&file), name, &feeds, &zstd_like)?;
    if !second {
        // What has changed since belongs to the archive that is there, and stays with it.
        return Ok(false);
    }
    let gone = format!("{}/{DELETIONS}", redhat::ID);
    let third =
        course.get(&address(DELETIONS), &gone, &feeds, &|path| rows(path, plan).map(drop))?;

    let changes = format!("{steps}/{CHANGES}");
    let fourth = course
        .get(&address(CHANGES), &changes, &plan.folder, &|path| rows(path, plan).map(drop))?;
    let gone: BTreeSet<String> = rows(&feeds.join(&gone), plan)?.into_keys().collect();
    // The archive bears a day and no hour: what changed on that day may be in it, or not.
    let since = midnight(day).unwrap_or(Timestamp::MIN);
    let mut wanted = rows(&plan.folder.join(&changes), plan)?;
    wanted.retain(|name, time| *time >= since && !gone.contains(name));
    let listed = wanted.len();
    if listed > MOST {
        course.say(&format!(
            "{name}: {listed} documents have changed since it was made, too many to fetch one by one"
        ));
        wanted.clear();
    }
    let held = plan.folder.join(&steps).join(HELD);
    let all = fetch_all(base, &wanted, &folder, &held, plan, course)?;
    Ok(first && third && fourth && all && listed <= MOST)
}

/// Fetches what has changed, and removes what does not count any more.
fn fetch_all(
    base: &str,
    wanted: &BTreeMap<String, Timestamp>,
    folder: &Path,
    held: &Path,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<bool> {
    let documents = folder.join(DOCUMENTS);
    let mut have: BTreeMap<String, Timestamp> = match std::fs::read(held) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(e) => return Err(Error::io(held, e)),
    };
    // A document from before a newer archive would count instead of the archive's.
    have.retain(|name, _| wanted.contains_key(name) && documents.join(name).is_file());
    remove_others(&documents, &have)?;
    let missing = wanted.iter().filter(|(name, time)| have.get(*name) != Some(*time));
    let missing: Vec<_> = missing.map(|(n, t)| (n.clone(), *t)).collect();
    if !missing.is_empty() {
        let count = missing.len();
        course.say(&format!("{}: {count} documents have changed since", redhat::ID));
    }
    let (mut all, mut failures) = (true, 0);
    for (at, (name, time)) in missing.into_iter().enumerate() {
        let url = plan.sources.address(&name, &format!("{base}/{name}"));
        match course.get_one(&url, &name, &documents)? {
            true => {
                failures = 0;
                have.insert(name, time);
            }
            false => {
                all = false;
                failures += 1;
            }
        }
        if at % 100 == 99 {
            save(&have, held)?;
        }
        if failures >= FAILURES {
            break;
        }
    }
    save(&have, held)?;
    Ok(all)
}

fn save(have: &BTreeMap<String, Timestamp>, held: &Path) -> Result<()> {
    replace(held, |out| {
        serde_json::to_writer(out, have)
            .map_err(|e| Error::new(ErrorKind::Io, "the list of documents").because(e))
    })
    .map(drop)
}

/// Removes every document but those that are held.
fn remove_others(documents: &Path, have: &BTreeMap<String, Timestamp>) -> Result<()> {
    if !documents.is_dir() {
        return Ok(());
    }
    let list = |folder: &Path| -> Result<Vec<std::fs::DirEntry>> {
        let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
        entries.map(|entry| entry.map_err(|e| Error::io(folder, e))).collect()
    };
    for year in list(documents)? {
        for file in list(&year.path())? {
            let (year, path) = (year.file_name(), file.path());
            let name = format!("{}/{}", year.display(), file.file_name().display());
            // They are small: one that broke off begins anew.
            if is_partial(&path) || is_document(&name) && !have.contains_key(&name) {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            }
        }
    }
    Ok(())
}

/// The name of the archive, `csaf_vex_2026-08-05.tar.zst`, and the day that it bears.
fn archive(path: &Path, plan: &Plan) -> Result<(String, Date)> {
    let bytes = document(path, &plan.bounds.limits)?;
    let name = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    let day = name.strip_prefix("csaf_vex_").and_then(|rest| rest.strip_suffix(".tar.zst"));
    let day = day.filter(|day| day.len() == 10).and_then(|day| day.parse::<Date>().ok());
    let none = || Error::malformed("it names no archive of documents (csaf_vex_….tar.zst)");
    Ok((name.to_owned(), day.ok_or_else(none)?))
}

/// Documents of a list, each with its time.
fn rows(path: &Path, plan: &Plan) -> Result<BTreeMap<String, Timestamp>> {
    let text = String::from_utf8(document(path, &plan.bounds.limits)?)
        .map_err(|_| Error::malformed("no list of documents: it is not UTF-8"))?;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some((name, time)) = row(line) else { continue };
        let wrong = || Error::malformed(format!("no list of documents: {name} has no time"));
        found.insert(name.to_owned(), time.ok_or_else(wrong)?);
    }
    // An answer that is something else, such as a page in HTML, has no such line.
    match found.is_empty() && !text.trim().is_empty() {
        true => Err(Error::malformed("no list of documents: no line of it names one")),
        false => Ok(found),
    }
}

/// Whether a file begins as zstd's do.
fn zstd_like(path: &Path) -> Result<()> {
    use std::io::Read as _;
    let mut start = [0; 4];
    let mut file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    match file.read_exact(&mut start) {
        Ok(()) if start == [0x28, 0xb5, 0x2f, 0xfd] => Ok(()),
        Ok(()) | Err(_) => Err(Error::malformed("it is not packed by zstd")),
    }
}
