//! A tar file whose entries are found once and then read at random, by several threads at once.
//!
//! Only headers are read for the list; nothing is unpacked. A folder offers the same by
//! [`Bundle`], so that the sources do not care in which form they come.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use cleanbill_core::layer::EntryKind;

use crate::blob::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::layer::tar::{CUT_OFF, Tape, TarReader};
use crate::limits::Limit;

/// Symbolic links that are followed inside an archive.
const LINKS_MAX: usize = 16;

/// Named files, in a tar or in a folder.
pub(crate) enum Bundle {
    Tar(Archive),
    Folder(PathBuf),
}

/// The bytes of one file of a bundle, and how many.
pub(crate) type Sized = (Box<dyn Read + Send>, u64);

impl Bundle {
    /// Opens a file by its path inside, if it is there.
    pub(crate) fn open(&self, path: &str) -> Result<Option<Sized>> {
        match self {
            Self::Tar(archive) => Ok(archive.find(path)?.map(|part| {
                let size = part.size;
                let reader: Box<dyn Read + Send> = Box::new(archive.section(part));
                (reader, size)
            })),
            Self::Folder(root) => {
                let full = root.join(path);
                let failed = |e| {
                    Error::new(ErrorKind::Io, format!("{}: reading failed", full.display()))
                        .because(e)
                };
                let file = match std::fs::metadata(&full) {
                    Ok(meta) if meta.is_file() => File::open(&full).map_err(failed)?,
                    Ok(_) => return Ok(None),
                    Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(e) => return Err(failed(e)),
                };
                let size = file.metadata().map_err(failed)?.len();
                Ok(Some((Box::new(file), size)))
            }
        }
    }

    /// A small file whole, if it is there.
    pub(crate) fn small(&self, path: &str, clock: &Clock) -> Result<Option<Vec<u8>>> {
        let Some((reader, size)) = self.open(path)? else { return Ok(None) };
        let limit = clock.limits.manifest_bytes;
        if size > limit {
            return Err(clock.limits.over(Limit::ManifestBytes).within(path));
        }
        let mut bytes = Vec::new();
        reader
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::new(ErrorKind::Io, format!("{path}: reading failed")).because(e))?;
        if bytes.len() as u64 != size {
            return Err(Error::new(ErrorKind::Malformed, format!("{path}: {CUT_OFF}")));
        }
        Ok(Some(bytes))
    }
}

/// Where a file's bytes stand in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

#[derive(Debug)]
enum Item {
    File(Part),
    Symlink(String),
    Hardlink(String),
    /// Sparse, a device, or there twice: nothing that an image archive has any use for.
    Odd(&'static str),
}

/// An indexed tar file.
pub(crate) struct Archive {
    file: Arc<File>,
    items: HashMap<String, Item>,
}

impl Archive {
    /// Lists a tar file's entries.
    pub(crate) fn index(file: File, clock: &Clock) -> Result<Self> {
        let length = file
            .metadata()
            .map_err(|e| Error::new(ErrorKind::Io, "reading failed").because(e))?
            .len();
        let file = Arc::new(file);
        let mut items: HashMap<String, Item> = HashMap::new();
        let tape = FileTape { file: Arc::clone(&file), length, base: 0, at: 0, held: Vec::new() };
        // The bound on a layer's bytes is for layers; all of them stand in this one tar.
        let mut limits = (*clock.limits).clone();
        limits.layer_bytes = u64::MAX;
        let mut tar = TarReader::new(tape, Arc::new(limits));
        while let Some(entry) = tar.next_entry()? {
            clock.check()?;
            let (offset, plain) = tar.content_position();
            let item = match entry.kind {
                EntryKind::Directory | EntryKind::Whiteout | EntryKind::Opaque => continue,
                EntryKind::File if plain => Item::File(Part { offset, size: entry.size }),
                EntryKind::File => Item::Odd("it is a sparse file"),
                EntryKind::Symlink(target) => Item::Symlink(target),
                EntryKind::Hardlink(target) => Item::Hardlink(target),
                EntryKind::Special => Item::Odd("it is a device or pipe"),
            };
            items
                .entry(entry.path)
                .and_modify(|i| *i = Item::Odd("it is in the archive twice"))
                .or_insert(item);
        }
        Ok(Self { file, items })
    }

    /// Whether it lists nothing that is a file.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Finds a file, through links inside the archive.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Part>> {
        let wrong = |why: &str| Error::new(ErrorKind::Malformed, format!("{path}: {why}"));
        let mut at = path.to_owned();
        for _ in 0..LINKS_MAX {
            at = match self.items.get(&at) {
                None => return Ok(None),
                Some(Item::File(part)) => return Ok(Some(*part)),
                Some(Item::Odd(why)) => return Err(wrong(why)),
                Some(Item::Hardlink(target)) => target.clone(),
                Some(Item::Symlink(target)) => {
                    join(&at, target).ok_or_else(|| wrong("a link out of the archive"))?
                }
            };
        }
        Err(wrong("too many links"))
    }

    /// A reader of its own over one part.
    pub(crate) fn section(&self, part: Part) -> Section {
        Section { file: Arc::clone(&self.file), at: part.offset, left: part.size }
    }
}

/// A relative link's target as a path of the archive.
fn join(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        return None;
    }
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A range of a file, read by position, so that others may read the same file meanwhile.
pub(crate) struct Section {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.file.read_at(buf.get_mut(..most).unwrap_or_default(), self.at)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

/// A file as a tape that can skip without reading.
struct FileTape {
    file: Arc<File>,
    length: u64,
    base: u64,
    at: usize,
    held: Vec<u8>,
}

/// Bytes read at once while headers are looked for.
const WINDOW: usize = 4096;

impl FileTape {
    fn refill(&mut self) -> Result<()> {
        self.base += self.at as u64;
        self.at = 0;
        self.held.resize(WINDOW, 0);
        let mut filled = 0;
        while let Some(rest) = self.held.get_mut(filled..).filter(|r| !r.is_empty()) {
            match self.file.read_at(rest, self.base + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::new(ErrorKind::Io, "reading failed").because(e)),
            }
        }
        self.held.truncate(filled);
        Ok(())
    }
}

impl Tape for FileTape {
    fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    fn chunk(&mut self, most: u64) -> Result<&[u8]> {
        if self.at == self.held.len() {
            self.refill()?;
        }
        let n = (self.held.len() - self.at).min(usize::try_from(most).unwrap_or(usize::MAX));
        let from = self.at;
        self.at += n;
        Ok(self.held.get(from..from + n).unwrap_or_default())
    }

    fn failed(&self) -> bool {
        false
    }

    fn at_end(&mut self) -> Result<bool> {
        if self.at == self.held.len() {
            self.refill()?;
        }
        Ok(self.held.is_empty())
    }

    fn skip(&mut self, bytes: u64) -> Result<()> {
        let to = self.position().checked_add(bytes).filter(|to| *to <= self.length);
        let Some(to) = to else { return Err(Error::new(ErrorKind::Malformed, CUT_OFF)) };
        if to <= self.base + self.held.len() as u64 {
            self.at = usize::try_from(to - self.base).unwrap_or(self.held.len());
        } else {
            self.held.clear();
            (self.base, self.at) = (to, 0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn links_stay_inside() {
        let table = [
            ("a/layer.tar", "../b/layer.tar", Some("b/layer.tar")),
            ("a", "./b", Some("b")),
            ("a/b", "../../c", None),
            ("a", "/etc/passwd", None),
        ];
        for (from, target, expected) in table {
            assert_eq!(super::join(from, target).as_deref(), expected, "{from} → {target}");
        }
    }
}
