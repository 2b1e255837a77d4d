//! Writes the made files: all or none, never over what is there unless told so.
//!
//! Every file is first written in full to a private folder inside the target (`O_EXCL`, keys
//! readable by the owner from the first byte) and only then moved to its name.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// A file that is to be written. It has no `Debug`, since it may be a key.
pub struct NewFile {
    name: &'static str,
    text: String,
    mode: u32,
}

impl NewFile {
    /// A file that anyone may read.
    pub fn public(name: &'static str, text: String) -> Self {
        Self { name, text, mode: 0o644 }
    }

    /// A file that only its owner may read.
    pub fn secret(name: &'static str, text: String) -> Self {
        Self { name, text, mode: 0o600 }
    }

    /// Its name in the folder.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What will stand in it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Writes the files into `dir`, which is made if it is missing. Returns their paths.
///
/// # Errors
/// When one of them is there already and `force` is false, or writing fails. Then what was there
/// before is untouched, except that with `force` a failing rename may leave older and newer
/// files side by side.
pub fn write(dir: &Path, files: &[NewFile], force: bool) -> Result<Vec<PathBuf>> {
    let failed = |what: &str, path: &Path, e: std::io::Error| {
        Failure::new(format!("{what} {}: {e}", path.display()))
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .map_err(|e| failed("cannot make the folder", dir, e))?;
    let targets: Vec<PathBuf> = files.iter().map(|f| dir.join(f.name)).collect();
    let taken: Vec<&str> = files
        .iter()
        .zip(&targets)
        .filter(|(_, target)| target.symlink_metadata().is_ok())
        .map(|(file, _)| file.name)
        .collect();
    if !taken.is_empty() && !force {
        return Err(Failure::new(format!(
            "{} already has {}: nothing was written",
            dir.display(),
            taken.join(", ")
        ))
        .next(
            "choose another folder, or overwrite with --force (the old certificates stop working)",
        ));
    }
    // Dropped, and thereby removed, on every way out.
    let staging = tempfile::Builder::new()
        .prefix(".cleanbill-setup-")
        .tempdir_in(dir)
        .map_err(|e| failed("cannot write into", dir, e))?;
    for file in files {
        let path = staging.path().join(file.name);
        // A name may lead into a folder of the target.
        for made in [path.parent(), dir.join(file.name).parent()].into_iter().flatten() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(made)
                .map_err(|e| failed("cannot make the folder", made, e))?;
        }
        let written =
            OpenOptions::new().write(true).create_new(true).mode(file.mode).open(&path).and_then(
                |mut open| {
                    open.write_all(file.text.as_bytes())?;
                    open.sync_all()
                },
            );
        written.map_err(|e| failed("cannot write", &path, e))?;
    }
    let mut moved: Vec<&PathBuf> = Vec::new();
    for (file, target) in files.iter().zip(&targets) {
        let from = staging.path().join(file.name);
        // A link does not replace what somebody else made in the meantime; a rename would.
        let result = if force { fs::rename(&from, target) } else { fs::hard_link(&from, target) };
        if let Err(e) = result {
            if !force {
                for path in moved {
                    _ = fs::remove_file(path);
                }
            }
            return Err(failed("cannot write", target, e));
        }
        moved.push(target);
    }
    Ok(targets)
}
