//! The feeds: siblings of one shape, a row each in [`FEEDS`]. Each reader knows one publisher's layout
//! under one folder and adds what it finds to [`Gathered`](crate::Gathered).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;

pub mod almalinux;
mod bounded;
pub(crate) mod csaf;
mod dates;
pub mod debian;
pub mod eol;
pub mod epss;
mod errata;
mod few;
pub mod kev;
mod listed;
pub mod nvd;
pub mod osv;
mod osv_ids;
mod osv_licences;
mod osv_ranges;
pub(crate) mod published;
pub mod redhat;
pub mod rubysec;
pub mod secdb;
pub mod suse;
pub(crate) mod table;
mod tar;
pub mod trivy;
mod unpacked;
pub mod updateinfo;
mod zipped;

pub use published::Row;
pub use table::FEEDS;

/// The architecture of a source, and so of an advisory that is about whatever is built from it.
const SOURCE: &str = "src";

/// The entries of a folder, sorted by name, hidden ones left out.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        let name = entry.file_name().into_string().map_err(|name| {
            Error::malformed(format!("{}: the name {name:?} is not UTF-8", folder.display()))
        })?;
        if !name.starts_with('.') {
            out.push((name, entry.path()));
        }
    }
    out.sort();
    Ok(out)
}

/// A whole file, at most as large as one document may be.
pub(crate) fn document(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut bytes = Vec::new();
    file.take(limits.document_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > limits.document_bytes {
        let message = format!("{}: larger than {} bytes", path.display(), limits.document_bytes);
        return Err(Error::new(ErrorKind::OverLimit, message));
    }
    Ok(bytes)
}

/// What was counted while a feed was read.
#[derive(Default)]
struct Tally {
    /// Entries that were seen.
    total: u64,
    /// Entries that were taken.
    taken: u64,
    /// Entries that could not be understood.
    not_understood: u64,
    /// The first of those, for people.
    example: String,
}

impl Tally {
    fn took(&mut self) {
        self.total += 1;
        self.taken += 1;
    }

    fn missed(&mut self, example: impl FnOnce() -> String) {
        self.missed_all(1, example);
    }

    fn missed_all(&mut self, count: u64, example: impl FnOnce() -> String) {
        self.total = self.total.saturating_add(count);
        self.not_understood = self.not_understood.saturating_add(count);
        if count > 0 && self.example.is_empty() {
            self.example = example().chars().take(200).flat_map(char::escape_debug).collect();
        }
    }
}

/// Whether a text is the id of a CVE.
fn is_cve(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).is_some_and(|(year, number)| {
        year.len() == 4 && digits(year) && (4..=19).contains(&number.len()) && digits(number)
    })
}

/// Fails when a feed is no basis for a verdict: when there is nothing in it, since then every image
/// would look clean, and when too much of it could not be understood.
fn sound(feed: &str, total: u64, not: u64, example: &str, limits: &Limits) -> Result<()> {
    match total {
        0 => Err(Error::malformed(format!("{feed}: there is nothing in it"))),
        _ => understood(feed, total, not, example, limits),
    }
}

/// Fails when too much of a feed could not be understood: then the feed, or our reading of it,
/// has changed, and what is left is no basis for a verdict.
fn understood(feed: &str, total: u64, not: u64, example: &str, limits: &Limits) -> Result<()> {
    if not.saturating_mul(100) > total.saturating_mul(limits.not_understood_percent) {
        let message = format!(
            "{feed}: {not} of {total} entries could not be understood, more than {} %; the first: {example}",
            limits.not_understood_percent
        );
        return Err(Error::malformed(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
