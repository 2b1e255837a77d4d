//! Telling a file that changed from one that did not, and a broken one from one that is being
//! written: by content, since a file's dates can be set back, or stay, while it changes.
//!
//! What is read here is hashed and handed on, never logged: keys and passwords are among it.

use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::metrics::Metrics;
use super::reloads::What;
use crate::failure::{Failure, Result};

/// The longest file that is read here, in bytes.
const MOST: u64 = 4 << 20;

/// What a kind's files hold: the hash of all of it.
pub(super) type Print = [u8; 32];

/// What was seen of one kind.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) in_force: Option<Print>,
    refused: Option<Print>,
    /// New the last time: perhaps it is being written.
    doubtful: Option<Print>,
}

/// Makes the new one if the files changed and it was not refused already. `Some`: it was taken.
pub(super) fn attend<T>(
    what: What,
    metrics: &Metrics,
    seen: &mut Seen,
    (found, told): (Print, bool),
    make: impl FnOnce() -> Result<T>,
) -> Option<T> {
    if seen.in_force == Some(found) {
        if seen.refused.take().is_some() {
            tracing::info!(what = what.as_str(), "the one that is in force is back");
        }
        seen.doubtful = None;
        metrics.reloads.mended(what);
        return None;
    }
    if seen.refused == Some(found) && !told {
        return None;
    }
    // Half of a policy may be a policy too, and a looser one: whatever it looks like, what changed
    // counts once it has stayed the same for a while, or somebody says that it is whole.
    if !told && seen.in_force.is_some() && seen.doubtful != Some(found) {
        seen.doubtful = Some(found);
        return None;
    }
    match make() {
        Ok(made) => {
            if seen.in_force.replace(found).is_some() {
                metrics.reloads.took(what);
            }
            metrics.reloads.mended(what);
            (seen.refused, seen.doubtful) = (None, None);
            Some(made)
        }
        Err(why) => {
            seen.refused = Some(found);
            metrics.reloads.refused(what);
            tracing::error!(what = what.as_str(), %why, "not reloaded: the old one stays in force");
            None
        }
    }
}

/// A file, bounded. Its content is in no error.
pub(super) fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    let wrong = |e: &dyn std::fmt::Display| {
        Failure::new(format!("{what} {} cannot be read: {e}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|e| wrong(&e))?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| wrong(&e))?;
    if bytes.len() as u64 > MOST {
        return Err(wrong(&"it is too long"));
    }
    Ok(bytes)
}

pub(super) fn utf8(what: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("{what} is not UTF-8")))
}

/// One hash of all files; one that cannot be read counts as why.
pub(super) fn print(files: &[&Result<Vec<u8>>]) -> Print {
    let mut hash = Sha256::new();
    for file in files {
        match file {
            Ok(bytes) => {
                hash.update([1]);
                hash.update((bytes.len() as u64).to_le_bytes());
                hash.update(bytes);
            }
            Err(e) => {
                let why = e.to_string();
                hash.update([0]);
                hash.update((why.len() as u64).to_le_bytes());
                hash.update(why);
            }
        }
    }
    hash.finalize().into()
}
