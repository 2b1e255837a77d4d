//! bbolt files (<https://github.com/etcd-io/bbolt>, format version 2), read page by page.
//!
//! ```text
//! page     id (u64), kind (u16), number of elements (u16), pages that it overflows into (u32)
//! meta     pages 0 and 1: magic, version, page size, flags, root bucket, free list, end, number
//!          of the transaction, FNV-1a over all that; the valid one of the later transaction counts
//! branch   elements: place and length of a key, page below it
//! leaf     elements: flags, place of a key, its length and that of its value behind it
//! bucket   a value that begins with a root page and a sequence; root 0: a leaf page follows inline
//! ```
//!
//! All numbers are those of the machine that wrote the file; only little-endian files are read.
//! Nothing is written, locked or mapped: whoever reads a file sees to it that nobody writes it.
//!
//! Files may come from strangers. Every number is checked before it is followed or allocated by,
//! what a page's elements hold together fits the page, and one [`Walk`] enters no page twice, so
//! that a walk over everything costs no more than the file is long, however pages point at each
//! other. An error names the page. A file that is cut short is an error, never fewer entries.

use std::fs::File;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::positioned::Positioned;

mod meta;
mod page;
mod walk;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use walk::{Bucket, Cursor, Value, Walk};

use meta::Meta;

/// No page is larger with what it overflows into: the longest value that can be read.
const SPAN_MAX: u64 = 64 << 20;
/// Sizes of pages that bbolt uses are those of operating systems; it looks for no others either.
const PAGE_SIZES: std::ops::RangeInclusive<u32> = 10..=24;

/// One bbolt file.
pub struct Database {
    bytes: Positioned,
    name: String,
    meta: Meta,
}

impl Database {
    /// Opens a file, which must not be written to while it is open.
    ///
    /// # Errors
    /// When it cannot be read, is no bbolt file, or is shorter than it says.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        Self::from_file(file, &path.display().to_string())
    }

    /// The same for an open file; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_file(file: File, name: &str) -> Result<Self> {
        let length = file.metadata().map_err(|e| Error::new(ErrorKind::Io, name).because(e))?.len();
        Self::read(Positioned::File(file), length, name)
    }

    /// The same for bytes in memory, whatever they are.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::read(Positioned::Owned(bytes), length, "these bytes")
    }

    fn read(bytes: Positioned, length: u64, name: &str) -> Result<Self> {
        let at = |place: u64| {
            if length < place.saturating_add(meta::END) {
                return Ok(Err("it is too short"));
            }
            Ok(Meta::parse(&bytes.read_at(place, meta::END as usize, name)?, place))
        };
        let first = at(0)?;
        // The first meta page says where the second is; where it is damaged, the second is looked
        // for where each size of pages would put it.
        let places = match &first {
            Ok(meta) => vec![meta.page_size],
            Err(_) => PAGE_SIZES.map(|power| 1u64 << power).collect(),
        };
        let mut newest = first;
        for place in places {
            let other = at(place)?;
            newest = match (newest, other) {
                (Ok(a), Ok(b)) => Ok(if b.transaction > a.transaction { b } else { a }),
                (Err(_), Ok(one)) | (Ok(one), Err(_)) => Ok(one),
                (Err(why), Err(_)) => Err(why),
            };
        }
        let meta =
            newest.map_err(|why| Error::malformed(format!("{name} is no bbolt file: {why}")))?;
        if meta.pages.checked_mul(meta.page_size).is_none_or(|end| end > length) {
            let message = format!(
                "{name} is damaged: it has {length} bytes, and {} pages of {} are in use",
                meta.pages, meta.page_size
            );
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        Ok(Self { bytes, name: name.to_owned(), meta })
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of it that are in use; a file may have grown further.
    pub fn used_bytes(&self) -> u64 {
        self.meta.pages * self.meta.page_size
    }

    /// Begins a walk. A second one may enter the same pages again.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self)
    }

    fn damaged(&self, page: u64, why: &str) -> Error {
        Error::new(ErrorKind::Damaged, format!("{}: page {page}: {why}", self.name))
    }
}

/// Walks over everything in the database and counts the values: the entry for fuzzing.
///
/// # Errors
/// When a part of it cannot be read.
pub fn count(database: &Database) -> Result<u64> {
    let mut walk = database.walk();
    let root = walk.root();
    walk.count(&root)
}
