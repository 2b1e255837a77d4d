//! The snapshot of advisories that the gate uses: opened once, replaced whole when a new one is
//! there and good. A new one that is not whole never takes the place of the old one.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cleanbill_advisory::Snapshot;
use cleanbill_core::digest::Digest;

use super::live::Live;
use crate::failure::{Failure, Result};
use crate::snapshot_choice;
use crate::store::Store;

/// The snapshot in use, and where a newer one would be.
pub struct Advisories {
    file: Option<PathBuf>,
    /// Where copies are kept for as long as decisions refer to them.
    store: Option<Arc<Store>>,
    open: Live<Option<Arc<Snapshot>>>,
    turn: Mutex<()>,
}

/// By what a replaced file is known: length, inode, device, and the times of its last change,
/// the kernel's own among them, which no one sets back. `None`: there is none.
pub type Stamp = Option<[i64; 7]>;

impl Advisories {
    /// Those of this file, else of the one that `snapshot_choice` finds. Opens nothing yet.
    pub fn new(file: Option<PathBuf>, store: Option<Arc<Store>>) -> Self {
        Self { file, store, open: Live::new(None), turn: Mutex::default() }
    }

    /// The snapshot in use; opens it if none is.
    ///
    /// # Errors
    /// When none is in use and it cannot be opened. It may be there later.
    pub fn current(&self) -> Result<Arc<Snapshot>> {
        if let Some(snapshot) = &*self.open.get() {
            return Ok(Arc::clone(snapshot));
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &*self.open.get() {
            return Ok(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(snapshot_choice::choose(self.file.as_deref())?);
        self.open.replace(Some(Arc::clone(&snapshot)));
        Ok(snapshot)
    }

    /// The digest of the one in use; opens it if none is.
    ///
    /// # Errors
    /// As [`Advisories::current`].
    pub fn digest(&self) -> Result<Digest> {
        let at_hand = self.open.look(|open| (**open).as_ref().map(|snapshot| snapshot.digest()));
        at_hand.map_or_else(|| self.current().map(|snapshot| snapshot.digest()), Ok)
    }

    /// The one in use, if any is.
    pub fn in_use(&self) -> Option<Arc<Snapshot>> {
        (*self.open.get()).clone()
    }

    /// Keeps the one in use in the store, so that decisions can be matched again. Reads and writes
    /// all of it: not for threads that answer.
    ///
    /// # Errors
    /// When it cannot be kept; it stays in use all the same.
    pub fn keep(&self) -> Result<()> {
        match (&self.store, self.in_use()) {
            (Some(store), Some(snapshot)) => store.keep_snapshot(&snapshot),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// The file as it is now.
    pub fn stamp(&self) -> Stamp {
        let meta = std::fs::metadata(self.path()?).ok()?;
        Some([
            meta.size().try_into().unwrap_or(i64::MAX),
            meta.ino().cast_signed(),
            meta.dev().cast_signed(),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        ])
    }

    fn path(&self) -> Option<PathBuf> {
        let variable = || std::env::var_os(snapshot_choice::VARIABLE).filter(|v| !v.is_empty());
        self.file
            .clone()
            .or_else(|| variable().map(PathBuf::from))
            .or_else(|| Some(snapshot_choice::updated_in(&snapshot_choice::folder().ok()?)))
    }

    /// Opens the file anew, reads all of it, and uses it from now on. Whoever uses the one
    /// before goes on with that.
    ///
    /// # Errors
    /// When it is not there, or any part of it is not what it was written as: the one before
    /// stays in use.
    pub fn replace(&self) -> Result<Arc<Snapshot>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let starter = self.in_use().is_none_or(|s| s.is_starter());
        if !starter && self.stamp().is_none() {
            // Else the starter, which is older, would quietly take its place.
            return Err(Failure::new("the file of the snapshot is gone"));
        }
        let snapshot = snapshot_choice::choose(self.file.as_deref())?;
        snapshot.verify().map_err(|e| snapshot_choice::failed(&e))?;
        let snapshot = Arc::new(snapshot);
        self.open.replace(Some(Arc::clone(&snapshot)));
        Ok(snapshot)
    }
}
