//! Replaces one file whole, by renaming: whoever reads it sees the old one or the new one. What
//! was there keeps its mode and its owner.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::failure::{Failure, Result};

/// Keeps others of this program out of a folder for as long as the answer lives. Nothing is written
/// for it, and a kill ends it. `next`: what to do where there is no such folder.
///
/// # Errors
/// When the folder is not there, or another one is at work in it.
pub fn alone(folder: &Path, next: &str) -> Result<File> {
    let failed = |e: &dyn std::fmt::Display| Failure::new(format!("{}: {e}", folder.display()));
    let open = File::open(folder).map_err(|e| failed(&e).next(next))?;
    match open.try_lock() {
        Ok(()) => Ok(open),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(failed(&"another cleanbill setup is at work here").next("wait for its end"))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(failed(&e)),
    }
}

/// Writes `text` to `path`, with this mode where nothing is there yet. The new file first stands
/// beside it, under a name that begins with a dot: kubelets pass over those.
///
/// # Errors
/// When it cannot be written; then what was there is as it was.
pub fn replace(path: &Path, text: &[u8], mode: u32) -> Result<()> {
    let failed = |e: std::io::Error| {
        Failure::new(format!("{} cannot be written: {e}", path.display()))
            .next("see that the folder is there, may be written, and has room")
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .prefix(".cleanbill-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(failed)?;
    new.write_all(text).map_err(failed)?;
    let mode = match path.metadata() {
        Ok(old) => {
            let ours = new.as_file().metadata().map_err(failed)?;
            if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
                std::os::unix::fs::chown(new.path(), Some(old.uid()), Some(old.gid()))
                    .map_err(failed)?;
            }
            old.permissions().mode() & 0o777
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => mode,
        Err(e) => return Err(failed(e)),
    };
    new.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(path).map_err(|e| failed(e.error))?;
    // So that the rename itself outlives a power cut.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}
