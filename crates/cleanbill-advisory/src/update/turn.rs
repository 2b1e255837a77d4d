//! Whose turn it is: the folder of updates is one process's at a time, for as long as it tries its
//! sources.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The folder, held by this process alone until it is dropped.
pub struct Turn {
    folder: PathBuf,
    /// Held for as long as it is open.
    _lock: File,
}

impl Turn {
    /// Takes hold of the folder, which is made where there is none.
    ///
    /// # Errors
    /// When another update is running, or the folder cannot be made or locked.
    pub fn take(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(|e| Error::io(&path, e))?;
        if lock.try_lock().is_err() {
            let message = format!("{}: another update is running", folder.display());
            return Err(Error::new(ErrorKind::Io, message));
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
