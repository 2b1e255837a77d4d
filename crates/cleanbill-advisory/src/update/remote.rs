//! endoflife.date's own form (API v0, `<product>.json`) to the table that the feed reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::Timestamp;
use serde::Deserialize;

use super::Bounds;
use crate::error::{Error, Result};
use crate::feeds::document;
use crate::feeds::eol::{End, Release, Table};

#[derive(Deserialize)]
struct Cycle {
    /// A text, or a number where the product counts its releases.
    cycle: serde_json::Value,
    eol: End,
}

/// Whether a file is one of a product.
pub(super) fn check(path: &Path, bounds: &Bounds) -> Result<()> {
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
pub(super) fn distributions(path: &Path, bounds: &Bounds) -> BTreeSet<String> {
    let table = document(path, &bounds.limits).ok();
    let table: Option<Table> = table.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    table.map(|table| table.distributions.into_keys().collect()).unwrap_or_default()
}

/// Reads the files of these products. They have just been asked for, so that the dates are as of now.
pub(super) fn end_of_life(
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
