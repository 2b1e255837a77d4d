//! The snapshot that is part of the program, so that everything works offline at once.
//!
//! It holds facts only (identifiers, packages, versions, severities, dates), is made by
//! `cargo xtask starter`, and ages from the day it was made: whoever uses it says so.

use std::path::Path;

use crate::build::{self, Options, Report};
use crate::error::{Error, Result};
use crate::snapshot::Snapshot;

/// What [`Snapshot::name`] says of it.
pub const NAME: &str = "built-in starter snapshot";

/// The most it may add to the program, in bytes.
pub const MAX_BYTES: u64 = 6 << 20;

/// Dates of the copies that it was made from whose files carry none, as their README gives them
/// (a month counts from its first day, the cautious reading).
const DATES: [(&str, &str); 2] = [("alpine-secdb", "2020-06-01"), ("osv:Go", "2026-08-01")];

static BYTES: &[u8] = include_bytes!("../data/starter.cbdb");

impl Snapshot {
    /// The snapshot that is part of the program.
    ///
    /// # Errors
    /// Only if the program itself was damaged.
    pub fn starter() -> Result<Self> {
        Self::from_static(BYTES, NAME)
    }

    /// Whether it is the one that is part of the program.
    pub fn is_starter(&self) -> bool {
        self.name() == NAME
    }
}

/// Makes the starter from a folder of feeds.
///
/// # Errors
/// As [`build()`](crate::build()), and when it is larger than [`MAX_BYTES`].
pub fn make(from: &Path, out: &Path) -> Result<Report> {
    let as_of = DATES
        .into_iter()
        .map(|(id, day)| Ok((id.to_owned(), build::date(day)?)))
        .collect::<Result<_>>()?;
    let report = build::build(from, out, &Options { as_of, ..Options::default() })?;
    if report.bytes > MAX_BYTES {
        let message = format!("the starter takes {} bytes: at most {MAX_BYTES}", report.bytes);
        return Err(Error::new(crate::ErrorKind::OverLimit, message));
    }
    Ok(report)
}
