//! Files that were fetched, are of the right kind, and cannot be built from all the same: put back to
//! the copies of before, so that one publisher's mistake does not keep all others' news away.
//!
//! Which files they are is found by reading each that was replaced by itself, and only after a build
//! has failed.

use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;

use super::missing::Part;
use super::state::Seen;
use crate::build::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::FEEDS;
use crate::gather::Gathered;
use crate::limits::Limits;
use crate::place::make_parent;

/// Where the copies of before lie during an update, in the folder of updates.
const BEFORE: &str = "before";
/// Where one file is read by itself.
const CHECK: &str = "check";

/// A file that this update has replaced.
pub(super) struct Replaced {
    /// Its name below the feeds.
    pub name: String,
    /// What was known of the copy of before.
    pub before: Seen,
}

/// The copies of before.
pub(super) struct Before {
    /// The folder of updates.
    folder: PathBuf,
}

impl Before {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Keeps the file at `path` as the copy of before; whether there is one.
    pub(super) fn keep(&self, name: &str, path: &Path) -> Result<bool> {
        let copy = self.copy(name);
        make_parent(&copy)?;
        // One that a killed update left is of nobody knows when.
        gone(std::fs::remove_file(&copy), &copy)?;
        match link(path, &copy) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
            other => other.map(|()| true).map_err(|e| Error::io(&copy, e)),
        }
    }

    /// Why a file of the feeds cannot be built from, if that is so.
    pub(super) fn wrong(
        &self,
        feeds: &Path,
        name: &str,
        limits: &Limits,
    ) -> Result<Option<String>> {
        let kind = name.split('/').next().unwrap_or_default();
        let Some(feed) = FEEDS.iter().find(|feed| feed.folder == kind) else { return Ok(None) };
        // What is put aside was not built from.
        if !feeds.join(name).exists() {
            return Ok(None);
        }
        let check = self.folder.join(CHECK);
        gone(std::fs::remove_dir_all(&check), &check)?;
        let alone = check.join(name);
        make_parent(&alone)?;
        link(&feeds.join(name), &alone).map_err(|e| Error::io(&alone, e))?;
        let read = (feed.read)(&check.join(kind), limits, &mut Gathered::default());
        gone(std::fs::remove_dir_all(&check), &check)?;
        let [there, here] = [check.as_path(), feeds].map(|path| path.display().to_string());
        Ok(read.err().filter(unbuildable).map(|e| e.to_string().replace(&there, &here)))
    }

    /// Puts the copy of before in the place of a file.
    pub(super) fn put_back(&self, feeds: &Path, name: &str) -> Result<()> {
        let path = feeds.join(name);
        std::fs::rename(self.copy(name), &path).map_err(|e| Error::io(&path, e))
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.folder.join(BEFORE).join(name)
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        // What stays counts for nothing.
        for name in [BEFORE, CHECK] {
            _ = std::fs::remove_dir_all(self.folder.join(name));
        }
    }
}

/// Whether it lies with the input of a build.
pub(super) fn unbuildable(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Malformed | ErrorKind::Damaged | ErrorKind::OverLimit => true,
        ErrorKind::NotFound | ErrorKind::Older | ErrorKind::Network => false,
        ErrorKind::Full | ErrorKind::Io => false,
    }
}

/// Makes a feed no newer than the copy of one of its files that was put back.
pub(super) fn date_back(name: &str, before: Option<Timestamp>, options: &mut Options) {
    let Part::Folder { feed, .. } = Part::of(name) else { return };
    for dates in [&mut options.fallback_as_of, &mut options.published] {
        let date = dates.remove(&feed);
        // Of a copy without a date nobody says how old it is.
        if let (Some(date), Some(before)) = (date, before) {
            dates.insert(feed.clone(), date.min(before));
        }
    }
}

/// One more name for a file; a copy where that cannot be.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(from, to) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => std::fs::copy(from, to).map(drop),
        other => other,
    }
}

fn gone(removed: std::io::Result<()>, path: &Path) -> Result<()> {
    match removed {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}
