//! A root filesystem folder, walked into the same entries as a layer.
//!
//! Links are never followed: they are delivered as they stand, and whoever merges resolves them
//! inside the root. A file is opened only if it still is the one that was listed (device and
//! inode are compared after opening), so that swapping it for a link leads nowhere. Whiteout
//! names have no meaning here.
//!
//! The digest is that of the *listing* (paths, kinds, sizes, modes, link targets), not of the
//! contents: a folder is changed in place and pinned by nobody, and reading all of it would cost
//! minutes for a number that no decision may rest on.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::layer::{Entry, EntryKind};

use crate::blob::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Hasher;
use crate::layer::tar::path;
use crate::limits::{Limit, Limits};

const BUFFER: usize = 128 << 10;

/// Walks a folder, each directory's entries in the order of their names.
pub struct DirectoryReader {
    root: PathBuf,
    clock: Clock,
    /// Directories being walked: what is left of each, last name first.
    levels: Vec<Vec<Listed>>,
    current: Option<Open>,
    buffer: Vec<u8>,
    entries: u64,
    listing: Hasher,
}

/// One name of a directory.
struct Listed {
    /// Relative to the root, as bytes of the filesystem.
    path: PathBuf,
    text: String,
}

/// The file that `read_chunk` is to read.
struct Open {
    path: PathBuf,
    meta: Metadata,
    file: Option<File>,
    left: u64,
}

/// Opens a root filesystem folder.
///
/// # Errors
/// When it is not there or no folder, or cannot be listed.
pub fn open_directory(root: &Path, limits: &Arc<Limits>) -> Result<DirectoryReader> {
    let meta = std::fs::metadata(root)
        .map_err(|e| Error::io(format!("{}: it cannot be opened", root.display()), e))?;
    if !meta.is_dir() {
        let why = format!("{}: not a folder (for an image file: --input)", root.display());
        return Err(Error::new(ErrorKind::Malformed, why));
    }
    let mut reader = DirectoryReader {
        root: root.to_owned(),
        clock: Clock::start(limits),
        levels: Vec::new(),
        current: None,
        buffer: vec![0; BUFFER],
        entries: 0,
        listing: Hasher::like(&Digest::Sha256([0; 32])),
    };
    reader.descend(Path::new(""))?;
    Ok(reader)
}

impl DirectoryReader {
    /// The next entry, or `None` after the last; directories come before what is in them.
    ///
    /// # Errors
    /// When something cannot be listed, changed meanwhile, or a limit is passed.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.current = None;
        self.clock.check()?;
        let listed = loop {
            let Some(level) = self.levels.last_mut() else { return Ok(None) };
            match level.pop() {
                Some(listed) => break listed,
                None => {
                    self.levels.pop();
                }
            }
        };
        let full = self.root.join(&listed.path);
        let meta = std::fs::symlink_metadata(&full).map_err(|e| failed(&full, e))?;
        let mode = meta.permissions().mode() & 0o7777;
        let (kind, size) = if meta.is_dir() {
            self.descend(&listed.path)?;
            (EntryKind::Directory, 0)
        } else if meta.is_symlink() {
            let to = std::fs::read_link(&full).map_err(|e| failed(&full, e))?;
            let to = path::target(to.as_os_str().as_bytes(), &self.clock.limits)?;
            (EntryKind::Symlink(to), 0)
        } else if meta.is_file() {
            let size = meta.len();
            self.current = Some(Open { path: full, meta, file: None, left: size });
            (EntryKind::File, size)
        } else {
            (EntryKind::Special, 0)
        };
        let entry = Entry { path: listed.text, kind, size, mode };
        self.listing.update(format!("{entry:?}\n").as_bytes());
        Ok(Some(entry))
    }

    /// More of the current file's content, or `None` after its end (its size when it was
    /// listed).
    ///
    /// # Errors
    /// When it cannot be read, or is another file than was listed.
    pub fn read_chunk(&mut self) -> Result<Option<&[u8]>> {
        let Some(open) = &mut self.current else { return Ok(None) };
        if open.left == 0 {
            return Ok(None);
        }
        let file = match &mut open.file {
            Some(file) => file,
            None => {
                let file = File::open(&open.path).map_err(|e| failed(&open.path, e))?;
                let meta = file.metadata().map_err(|e| failed(&open.path, e))?;
                if (meta.dev(), meta.ino()) != (open.meta.dev(), open.meta.ino()) {
                    return Err(changed(&open.path));
                }
                open.file.insert(file)
            }
        };
        let most = self.buffer.len().min(usize::try_from(open.left).unwrap_or(usize::MAX));
        let space = self.buffer.get_mut(..most).unwrap_or_default();
        let n = loop {
            match file.read(space) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|e| failed(&open.path, e))?,
            }
        };
        if n == 0 {
            return Err(changed(&open.path));
        }
        open.left -= n as u64;
        Ok(self.buffer.get(..n))
    }

    /// Walks to the end what is left and gives the digest of the listing.
    ///
    /// # Errors
    /// As [`DirectoryReader::next_entry`].
    pub fn finish(mut self) -> Result<Digest> {
        while self.next_entry()?.is_some() {}
        Ok(self.listing.finish())
    }

    fn descend(&mut self, directory: &Path) -> Result<()> {
        let full = self.root.join(directory);
        let mut names = Vec::new();
        for item in std::fs::read_dir(&full).map_err(|e| failed(&full, e))? {
            let item = item.map_err(|e| failed(&full, e))?;
            self.entries += 1;
            if self.entries > self.clock.limits.entries {
                return Err(self.clock.limits.over(Limit::Entries));
            }
            let path = directory.join(item.file_name());
            let text = path::normalise(path.as_os_str().as_bytes(), &self.clock.limits)?;
            names.push(Listed { path, text });
        }
        names.sort_by(|a, b| b.path.cmp(&a.path));
        self.levels.push(names);
        Ok(())
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{}: reading failed", path.display())).because(error)
}

fn changed(path: &Path) -> Error {
    Error::new(ErrorKind::Io, format!("{}: it changed while it was read", path.display()))
}
