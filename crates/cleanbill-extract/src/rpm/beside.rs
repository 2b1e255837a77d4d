//! A database in SQLite and its write-ahead log are two files that mean something together only:
//! the first of the two that a layer brings is held until the second comes.

use super::packages::Packages;
use super::{is_log_of, sqlite};
use crate::extractors::Wanted;
use crate::facts::{Facts, FileFacts};

/// Files of one layer that are held.
#[derive(Debug)]
pub(crate) struct Beside {
    held: Vec<Held>,
    /// Bytes that may still be held: what does not fit is read alone, and its log is a gap.
    left: u64,
}

#[derive(Debug)]
struct Held {
    entry: u32,
    path: String,
    wanted: Wanted,
    bytes: Vec<u8>,
}

impl Beside {
    /// Holds at most this many bytes at a time.
    pub(crate) fn new(most: u64) -> Self {
        Self { held: Vec::new(), left: most }
    }

    /// Takes a file that was read whole, if it is of `size` bytes and one of the two. Gives what
    /// the log says together with its database, when both are there.
    pub(crate) fn take(
        &mut self,
        entry: u32,
        path: String,
        kinds: &[Wanted],
        bytes: Vec<u8>,
        size: u64,
    ) -> Option<FileFacts> {
        let of_interest = |w: &&Wanted| matches!(w, Wanted::RpmSqlite | Wanted::RpmSqliteLog);
        let wanted = *kinds.iter().find(of_interest)?;
        let length = bytes.len() as u64;
        if length < size || (wanted == Wanted::RpmSqliteLog && bytes.is_empty()) {
            return None;
        }
        let log = wanted == Wanted::RpmSqliteLog;
        let other = self.held.iter().position(|held| {
            held.wanted != wanted
                && if log { is_log_of(&path, &held.path) } else { is_log_of(&held.path, &path) }
        });
        if let Some(other) = other {
            let other = self.held.swap_remove(other);
            self.left += other.bytes.len() as u64;
            let (entry, database, log) = if log {
                (entry, &other.bytes, &bytes)
            } else {
                (other.entry, &bytes, &other.bytes)
            };
            let facts = together(database, log);
            return Some(FileFacts { entry, wanted: Wanted::RpmSqliteLog, facts });
        }
        if let Some(left) = self.left.checked_sub(length) {
            self.left = left;
            self.held.push(Held { entry, path, wanted, bytes });
        }
        None
    }
}

/// The database as its write-ahead log leaves it.
pub(super) fn together(database: &[u8], log: &[u8]) -> Facts {
    let mut packages = Packages::new();
    sqlite::read(database, Some(log), &mut packages);
    packages.finish()
}
