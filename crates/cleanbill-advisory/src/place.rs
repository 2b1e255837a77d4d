//! The place of the snapshot in use: who may change it, and how a new one takes it. Whatever
//! fails, and whenever the process is killed, a whole snapshot stands there: the one before or
//! the new one.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::replace::{beside, sweep};

/// The place, held by this process alone until it is dropped.
pub(crate) struct Place {
    out: PathBuf,
    fresh: PathBuf,
    /// Held for as long as it is open. The file stays: to remove it would let two hold it.
    _lock: File,
}

impl Place {
    /// Takes hold of the place of `out`, whose folder is made where there is none.
    ///
    /// # Errors
    /// When another process holds it, or the lock cannot be written.
    pub(crate) fn take(out: &Path) -> Result<Self> {
        make_parent(out)?;
        let path = beside(out, "lock");
        let lock = File::options().create(true).append(true).open(&path);
        let lock = lock.map_err(|e| Error::io(&path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let message = format!(
                    "{}: another process is replacing it; wait for it, then try again",
                    out.display()
                );
                return Err(Error::new(ErrorKind::Io, message));
            }
            Err(std::fs::TryLockError::Error(e)) => return Err(Error::io(&path, e)),
        }
        let fresh = beside(out, "new");
        sweep(&fresh);
        Ok(Self { out: out.to_owned(), fresh, _lock: lock })
    }

    /// Where the new snapshot is written. One that a killed process left there counts for nothing.
    pub(crate) fn fresh(&self) -> &Path {
        &self.fresh
    }

    /// Gives the new snapshot the place; `keep` says whether the one before stays as `.previous`.
    ///
    /// # Errors
    /// When that fails; the one before is in its place still.
    pub(crate) fn put(&self, keep: bool) -> Result<()> {
        if keep {
            keep_previous(&self.out)?;
        }
        std::fs::rename(&self.fresh, &self.out).map_err(|e| Error::io(&self.out, e))?;
        // After a loss of power the old name may stand for the old snapshot, which is whole too:
        // that the folder cannot be flushed is no reason to say that nothing was done.
        let folder = self.out.parent().filter(|p| !p.as_os_str().is_empty());
        _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all());
        Ok(())
    }
}

/// Links the snapshot in use as `.previous`; it stays in use until the new one takes its name.
fn keep_previous(out: &Path) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    let previous = beside(out, "previous");
    let next = beside(out, "previous.tmp");
    _ = std::fs::remove_file(&next);
    std::fs::hard_link(out, &next)
        .or_else(|_| std::fs::copy(out, &next).map(drop))
        .and_then(|()| std::fs::rename(&next, &previous))
        .map_err(|e| Error::io(&previous, e))
}

/// Makes the folder of a file.
pub(crate) fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e)),
        None => Ok(()),
    }
}
