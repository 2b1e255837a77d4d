//! endoflife.date's own form (API v0, `<product>.json`) to the table that the feed reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::Timestamp;
use serde::Deserialize;

use super::course::Course;
use super::missing::ENDS;
use super::{Bounds, FEEDS_FOLDER, Plan};
use crate::error::{Error, Result};
use crate::feeds::eol::{End, Release, Table};
use crate::feeds::{document, eol};
use crate::place::make_parent;
use crate::replace::replace;

#[derive(Deserialize)]
struct Cycle {
    /// A text, or a number where the product counts its releases.
    cycle: serde_json::Value,
    eol: End,
}

/// Brings the table of releases up to date. The publisher's own form, a file a product, is kept beside
/// the feeds; `{}` of `at` stands for the product.
///
/// # Errors
/// As [`Course::get`].
pub(super) fn get(
    at: &str,
    products: &'static [(&'static str, &'static str)],
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<()> {
    let path = plan.folder.join(FEEDS_FOLDER).join(eol::ID).join(eol::FILE);
    let before = distributions(&path, &plan.bounds);
    let mut now = Vec::new();
    for (id, product) in products {
        let name = format!("{ENDS}/{product}.json");
        if !before.contains(*id) {
            // A copy that is in no table is of nobody knows which day.
            gone(&plan.folder.join(&name))?;
        }
        let mirrored = format!("{}/{product}.json", eol::ID);
        let url = plan.sources.address(&mirrored, &at.replace("{}", product));
        let check = |path: &Path| check(path, &plan.bounds);
        let got = course.get(&url, &name, &plan.folder, &check);
        if course.without(&name, got)? == Some(true) {
            now.push((*id, *product));
        }
    }
    // The table bears the day on which all in it was checked. So it stays where one that is in it was
    // not, and says nothing of those that never were.
    let unchecked = |known: &(&str, &str)| before.contains(known.0) && !now.contains(known);
    if now.is_empty() || products.iter().any(unchecked) {
        return Ok(());
    }
    let table = end_of_life(&plan.folder.join(ENDS), &now, &plan.bounds, plan.now)?;
    make_parent(&path)?;
    replace(&path, |out| {
        serde_json::to_writer(out, &table)
            .map_err(|e| Error::unwritten("the table of releases", e.into()))
    })
    .map(drop)
}

/// Whether a file is one of a product.
fn check(path: &Path, bounds: &Bounds) -> Result<()> {
    cycles(path, bounds).map(drop)
}

fn cycles(path: &Path, bounds: &Bounds) -> Result<Vec<Cycle>> {
    let bytes = document(path, &bounds.limits)?;
    let cycles: Vec<Cycle> = serde_json::from_slice(&bytes)
        .map_err(|e| Error::malformed("no list of releases").because(e))?;
    match cycles.is_empty() {
        true => Err(Error::malformed("no release in it")),
        false => Ok(cycles),
    }
}

/// The distributions of a table that is there; none of one that is not, or is none.
fn distributions(path: &Path, bounds: &Bounds) -> BTreeSet<String> {
    let table = document(path, &bounds.limits).ok();
    let table: Option<Table> = table.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    table.map(|table| table.distributions.into_keys().collect()).unwrap_or_default()
}

/// Reads the files of these products. They have just been asked for, so that the dates are as of now.
fn end_of_life(
    folder: &Path,
    products: &[(&str, &str)],
    bounds: &Bounds,
    now: Timestamp,
) -> Result<Table> {
    let mut distributions = BTreeMap::new();
    for (id, product) in products {
        let path = folder.join(format!("{product}.json"));
        let cycles = cycles(&path, bounds).map_err(|e| e.within(path.display()))?;
        let releases = cycles.into_iter().map(|Cycle { cycle, eol }| {
            let release = cycle.as_str().map_or_else(|| cycle.to_string(), str::to_owned);
            Release { release, end_of_life: eol }
        });
        distributions.insert((*id).to_owned(), releases.collect());
    }
    let as_of = jiff::tz::Offset::UTC.to_datetime(now).date();
    Ok(Table { as_of, distributions })
}

/// Removes a file, if it is there.
fn gone(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}
