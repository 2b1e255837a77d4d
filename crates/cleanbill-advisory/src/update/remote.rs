//! endoflife.date's own form (API v0, `<product>.json`) to the table that the feed reads.

use std::collections::BTreeMap;
use std::path::Path;

use cleanbill_core::Timestamp;
use serde::Deserialize;

use super::Bounds;
use super::sources::DISTRIBUTIONS;
use crate::error::{Error, Result};
use crate::feeds::document;
use crate::feeds::eol::{End, Release, Table};

#[derive(Deserialize)]
struct Cycle {
    /// A text, or a number where the product counts its releases.
    cycle: serde_json::Value,
    eol: End,
}

/// Reads every product's file. They have just been asked for, so that the dates are as of now.
pub(super) fn end_of_life(folder: &Path, bounds: &Bounds, now: Timestamp) -> Result<Table> {
    let mut distributions = BTreeMap::new();
    for (id, product) in DISTRIBUTIONS {
        let path = folder.join(format!("{product}.json"));
        let bytes = document(&path, &bounds.limits)?;
        let cycles: Vec<Cycle> = serde_json::from_slice(&bytes).map_err(|e| {
            Error::malformed(format!("{}: no list of releases", path.display())).because(e)
        })?;
        let releases = cycles.into_iter().map(|Cycle { cycle, eol }| {
            let release = cycle.as_str().map_or_else(|| cycle.to_string(), str::to_owned);
            Release { release, end_of_life: eol }
        });
        distributions.insert(id.to_owned(), releases.collect());
    }
    let as_of = jiff::tz::Offset::UTC.to_datetime(now).date();
    Ok(Table { as_of, distributions })
}
