//! VEX documents: the archive of all, and one by one those that have changed since it was made, which
//! a list names with the time of each.

use std::collections::BTreeMap;
use std::path::Path;

use cleanbill_core::{Date, Timestamp};
use jiff::SignedDuration;

use super::Plan;
use super::course::Course;
use crate::build::midnight;
use crate::error::{Error, Result};
use crate::feeds::csaf::{DELETIONS, DOCUMENTS, Names};
use crate::feeds::document;
use crate::feeds::published::{Archive, Site};
use crate::partial::is_partial;
use crate::replace::replace;

/// The folder of what leads to a file.
pub(super) const STEPS: &str = "steps";
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
/// How long before its date an archive may have been begun: what was changed while it was made may
/// be in it, or not.
const MAKING: SignedDuration = SignedDuration::from_hours(6);

/// What became of the archive.
struct Brought {
    /// What has changed from then on may not be in it; `None`: nobody says when it was made.
    since: Option<Timestamp>,
    /// Documents that are gone, and since when.
    gone: BTreeMap<String, Timestamp>,
    /// Whether all that leads to it is up to date.
    current: bool,
}

/// Brings the archive `name` up to date, and the documents beside it; whether all are.
///
/// # Errors
/// As [`Course::get`].
pub(super) fn get(site: &Site, name: &str, plan: &Plan, course: &mut Course<'_>) -> Result<bool> {
    let brought = match site.archive {
        Archive::Listed => listed(site, name, plan, course)?,
        Archive::InPlace(address) => in_place(address, name, plan, course)?,
    };
    // What has changed since belongs to the archive that is there, and stays with it.
    let Some(Brought { since, gone, current }) = brought else { return Ok(false) };
    let changes = format!("{}/{CHANGES}", steps(site));
    let listed = course.get(&address(site, CHANGES, plan), &changes, &plan.folder, &|path| {
        rows(path, site.of.names, plan).map(drop)
    })?;
    let mut wanted = rows(&plan.folder.join(&changes), site.of.names, plan)?;
    let is_gone = |name: &str, time| gone.get(name).is_some_and(|gone| *gone >= time);
    wanted.retain(|name, time| since.is_some_and(|since| *time >= since) && !is_gone(name, *time));
    let count = wanted.len();
    if count > MOST {
        course.say(&format!(
            "{name}: {count} documents have changed since it was made, too many to fetch one by one"
        ));
        wanted.clear();
    }
    if since.is_none() {
        course.say(&format!(
            "{name}: its server does not say when it was made, so what has changed since is not fetched"
        ));
    }
    let all = fetch_all(site, &wanted, plan, course)?;
    Ok(current && listed && all && count <= MOST && since.is_some())
}

/// The archive that a list names; `None`: it could not be brought up to date.
fn listed(
    site: &Site,
    name: &str,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<Option<Brought>> {
    let feeds = plan.folder.join("feeds");
    let names = site.of.names;
    let latest = format!("{}/{LATEST}", steps(site));
    let first = course.get(&address(site, LATEST, plan), &latest, &plan.folder, &|path| {
        archive(path, plan).map(drop)
    })?;
    let (file, day) = archive(&plan.folder.join(&latest), plan)?;
    let packed = |path: &Path| begins(path, &[0x28, 0xb5, 0x2f, 0xfd], "zstd");
    let beside = plan.folder.join(STEPS);
    if !course.get_hashed(&address(site, &file, plan), name, &feeds, &beside, &packed)? {
        return Ok(None);
    }
    let gone = format!("{}/{DELETIONS}", site.of.id);
    let third = course.get(&address(site, DELETIONS, plan), &gone, &feeds, &|path| {
        rows(path, names, plan).map(drop)
    })?;
    let gone = rows(&feeds.join(&gone), names, plan)?;
    let since = match day {
        // It bears a day and no hour: what changed on that day may be in it, or not.
        Some(day) => Some(midnight(day).unwrap_or(Timestamp::MIN)),
        None => made(course, name),
    };
    Ok(Some(Brought { since, gone, current: first && third }))
}

/// The archive that is made anew in its place; `None`: it could not be brought up to date.
fn in_place(
    address: &str,
    name: &str,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<Option<Brought>> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let url = plan.sources.address(file, address);
    let packed = |path: &Path| begins(path, b"BZh", "bzip2");
    let beside = plan.folder.join(STEPS);
    if !course.get_hashed(&url, name, &plan.folder.join("feeds"), &beside, &packed)? {
        return Ok(None);
    }
    Ok(Some(Brought { since: made(course, name), gone: BTreeMap::new(), current: true }))
}

/// Since when what was changed may not be in an archive, by the date that its server gave it.
fn made(course: &Course<'_>, name: &str) -> Option<Timestamp> {
    course.date(name).and_then(|date| date.checked_sub(MAKING).ok())
}

/// The folder of what leads to a site's documents.
fn steps(site: &Site) -> String {
    format!("{STEPS}/{}", site.of.id)
}

fn address(site: &Site, file: &str, plan: &Plan) -> String {
    plan.sources.address(file, &format!("{}/{file}", site.base))
}

/// Fetches what has changed, and removes what does not count any more.
fn fetch_all(
    site: &Site,
    wanted: &BTreeMap<String, Timestamp>,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<bool> {
    let documents = plan.folder.join("feeds").join(site.of.id).join(DOCUMENTS);
    let held = &plan.folder.join(steps(site)).join(HELD);
    let mut have: BTreeMap<String, Timestamp> = match std::fs::read(held) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(e) => return Err(Error::io(held, e)),
    };
    // A document from before a newer archive would count instead of the archive's.
    have.retain(|name, _| wanted.contains_key(name) && documents.join(name).is_file());
    remove_others(&documents, site.of.names, &have)?;
    let missing = wanted.iter().filter(|(name, time)| have.get(*name) != Some(*time));
    let missing: Vec<_> = missing.map(|(n, t)| (n.clone(), *t)).collect();
    if !missing.is_empty() {
        let (id, count) = (site.of.id, missing.len());
        course.say(&format!("{id}: {count} documents have changed since"));
    }
    let (mut all, mut failures) = (true, 0);
    for (at, (name, time)) in missing.into_iter().enumerate() {
        match course.get_one(&address(site, &name, plan), &name, &documents)? {
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
            .map_err(|e| Error::unwritten("the list of documents", e.into()))
    })
    .map(drop)
}

/// Removes every document but those that are held. They are small: one that broke off begins anew.
fn remove_others(documents: &Path, names: Names, have: &BTreeMap<String, Timestamp>) -> Result<()> {
    for (name, path) in names.below(documents)? {
        if is_partial(&path) || names.is_document(&name) && !have.contains_key(&name) {
            std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
        }
    }
    Ok(())
}

/// The name of the archive, and the day where it bears one (`csaf_vex_2026-08-05.tar.zst`).
fn archive(path: &Path, plan: &Plan) -> Result<(String, Option<Date>)> {
    let bytes = document(path, &plan.bounds.limits)?;
    let name = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    let stem = name.strip_suffix(".tar.zst").filter(|stem| stem.len() <= 64);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    let stem = stem.filter(|stem| !stem.is_empty() && stem.bytes().all(plain));
    let stem =
        stem.ok_or_else(|| Error::malformed("it names no archive of documents (….tar.zst)"))?;
    let day =
        stem.rsplit('_').next().filter(|day| day.len() == 10).and_then(|day| day.parse().ok());
    Ok((name.to_owned(), day))
}

/// Documents of a list, each with its time.
fn rows(path: &Path, names: Names, plan: &Plan) -> Result<BTreeMap<String, Timestamp>> {
    let text = String::from_utf8(document(path, &plan.bounds.limits)?)
        .map_err(|_| Error::malformed("no list of documents: it is not UTF-8"))?;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let Some((name, time)) = names.row(line) else { continue };
        let wrong = || Error::malformed(format!("no list of documents: {name} has no time"));
        found.insert(name.to_owned(), time.ok_or_else(wrong)?);
    }
    // An answer that is something else, such as a page in HTML, has no such line.
    match found.is_empty() && !text.trim().is_empty() {
        true => Err(Error::malformed("no list of documents: no line of it names one")),
        false => Ok(found),
    }
}

/// Whether a file begins as those do that are packed so.
fn begins(path: &Path, with: &[u8], packed: &str) -> Result<()> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let read = file.take(with.len() as u64).read_to_end(&mut start);
    match read {
        Ok(_) if start == with => Ok(()),
        Ok(_) | Err(_) => Err(Error::malformed(format!("it is not packed by {packed}"))),
    }
}
