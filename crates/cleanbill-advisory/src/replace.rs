//! A file that takes its place at once: written beside it and renamed, so that nobody ever sees half of
//! it. What a killed process left of one goes when the next is written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What the name of one that is being written ends with, behind the number of the process.
const SUFFIX: &str = ".tmp";

/// Writes a file beside `out` and renames it. Returns what `fill` returned, and the size.
pub(crate) fn replace<T>(
    out: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<(T, u64)> {
    sweep(out);
    let (temporary, file) = Temporary::make(out)?;
    let path = &temporary.0;
    let failed = |e| Error::io(path, e);
    let mut file = BufWriter::new(file);
    let value = fill(&mut file).map_err(|e| e.beside(out))?;
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    std::fs::rename(path, out).map_err(|e| Error::io(out, e))?;
    Ok((value, bytes))
}

/// `out` with `.suffix` after its whole name.
pub(crate) fn beside(out: &Path, suffix: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes what killed processes left of `out`: whoever writes still holds a lock on it. That it cannot
/// be removed stops nothing.
pub(crate) fn sweep(out: &Path) {
    let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let own = out.file_name().unwrap_or_default().as_encoded_bytes();
    let is_one = |name: &[u8]| {
        let rest = name.strip_prefix(own).and_then(|rest| rest.strip_prefix(b"."));
        rest.and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()))
            .is_some_and(|process| !process.is_empty() && process.iter().all(u8::is_ascii_digit))
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // A link or a pipe was not left by a build, and to open it may wait for ever.
        let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if plain
            && is_one(entry.file_name().as_encoded_bytes())
            && let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            _ = std::fs::remove_file(&path);
        }
    }
}

/// Removes itself when it was not renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// Makes an empty one, held by a lock for as long as the file is open.
    fn make(out: &Path) -> Result<(Self, File)> {
        let path = beside(out, &format!("{}{SUFFIX}", std::process::id()));
        let failed = |e: io::Error| Error::io(&path, e);
        loop {
            let file = File::create_new(&path).map_err(failed)?;
            // Where files cannot be locked nobody sweeps either.
            _ = file.lock();
            // Another process may have swept it before it was locked.
            if file.metadata().map_err(failed)?.nlink() > 0 {
                return Ok((Self(path), file));
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::replace;
    use crate::error::{Error, ErrorKind, Result};
    use crate::place::Place;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_killed_processes_left_goes_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        // Others' files, one that somebody writes, and one that is no file.
        let stay =
            ["b.cbdb.12.tmp", "a.cbdb.tmp", "a.cbdb.x1.tmp", "a.cbdb.new.12.tmp", "a.cbdb.77.tmp"];
        let go = ["a.cbdb.12.tmp", "a.cbdb.4194304.tmp"];
        for name in stay.iter().chain(&go) {
            std::fs::write(at(name), "half").unwrap();
        }
        std::os::unix::fs::symlink(at("b.cbdb.12.tmp"), at("a.cbdb.78.tmp")).unwrap();
        let held = File::open(at("a.cbdb.77.tmp")).unwrap();
        held.lock().unwrap();
        let out = at("a.cbdb");
        let own = format!("a.cbdb.{}.tmp", std::process::id());
        let write = |fail: bool| {
            replace(&out, |to| -> Result<()> {
                assert!(names(dir.path()).contains(&own));
                // One that is being written is not swept by another process.
                super::sweep(&out);
                assert!(names(dir.path()).contains(&own));
                to.write_all(b"whole").unwrap();
                if fail { Err(Error::new(ErrorKind::Io, "no")) } else { Ok(()) }
            })
        };
        assert!(write(true).is_err());
        let mut wanted = [&stay[..], &["a.cbdb.78.tmp"]].concat();
        wanted.sort_unstable();
        assert_eq!(names(dir.path()), wanted);
        write(false).unwrap();
        assert_eq!(std::fs::read(&out).unwrap(), b"whole");

        // Whoever takes the place of a snapshot sweeps what was to come there.
        drop(Place::take(&out).unwrap());
        assert!(!at("a.cbdb.new.12.tmp").exists());
        assert!(at("a.cbdb.77.tmp").exists());
        drop(held);
        write(false).unwrap();
        assert!(!at("a.cbdb.77.tmp").exists());
    }
}
