//! Walking over a database: entries in the order of their keys, no page entered twice.

use super::page::{Entry, Fields, HEADER, Page};
use super::{Database, SPAN_MAX};
use crate::error::Result;

/// Branches between a bucket and its entries. Even with two keys a branch, this many would be
/// more pages than a file can have.
const DEPTH_MAX: usize = 64;
/// Bytes of a bucket's header: root page and sequence.
const BUCKET_HEADER: usize = 16;

/// Where the entries of one bucket are.
#[derive(Debug)]
pub struct Bucket(Place);

#[derive(Debug)]
enum Place {
    Page(u64),
    /// A whole leaf page, inside the value of the page with this number.
    Inline {
        page: u64,
        bytes: Vec<u8>,
    },
}

/// What stands behind a key.
#[derive(Debug)]
pub enum Value {
    /// A value.
    Bytes(Vec<u8>),
    /// A bucket, which may be entered with [`Walk::cursor`], once.
    Bucket(Bucket),
}

/// One walk over a database, which enters no page twice.
pub struct Walk<'d> {
    database: &'d Database,
    /// A bit for each page of the file.
    entered: Vec<u64>,
}

/// A place among the entries of one bucket. It holds the pages from the bucket's root to that
/// place, and nothing else.
pub struct Cursor {
    stack: Vec<(Page, usize)>,
    last: Option<Vec<u8>>,
}

impl<'d> Walk<'d> {
    pub(super) fn new(database: &'d Database) -> Self {
        // The file is as long as that many pages, so this is at most an 8,192th of it.
        let words = usize::try_from(database.meta.pages.div_ceil(64)).unwrap_or(usize::MAX);
        Self { database, entered: vec![0; words] }
    }

    /// The bucket that holds all others.
    pub fn root(&self) -> Bucket {
        Bucket(Place::Page(self.database.meta.root))
    }

    /// Stands before the first entry of a bucket.
    ///
    /// # Errors
    /// When its page cannot be read, or was entered before.
    pub fn cursor(&mut self, bucket: &Bucket) -> Result<Cursor> {
        let page = match &bucket.0 {
            Place::Page(id) => self.page(*id)?,
            Place::Inline { page, bytes } => Page::parse(bytes.clone(), *page, true)
                .map_err(|why| self.database.damaged(*page, why))?,
        };
        Ok(Cursor { stack: vec![(page, 0)], last: None })
    }

    /// Counts the values of a bucket and of those in it, at most eight deep: what is deeper
    /// counts as one.
    ///
    /// # Errors
    /// When a page cannot be read, or was entered before.
    pub fn count(&mut self, bucket: &Bucket) -> Result<u64> {
        self.count_below(bucket, 0)
    }

    fn count_below(&mut self, bucket: &Bucket, depth: usize) -> Result<u64> {
        let mut cursor = self.cursor(bucket)?;
        let mut values = 0;
        while let Some((_, value)) = cursor.next(self)? {
            values += match value {
                Value::Bucket(inner) if depth < 8 => self.count_below(&inner, depth + 1)?,
                Value::Bucket(_) | Value::Bytes(_) => 1,
            };
        }
        Ok(values)
    }

    fn page(&mut self, id: u64) -> Result<Page> {
        let database = self.database;
        let damaged = |why: &str| database.damaged(id, why);
        let (size, pages) = (database.meta.page_size, database.meta.pages);
        let read = |id: u64, length: u64| {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            database.bytes.read_at(id.saturating_mul(size), length, &database.name)
        };
        if !(2..pages).contains(&id) {
            return Err(damaged("there is no such page of data"));
        }
        let mut bytes = read(id, size)?;
        let overflow = Fields(&bytes).header().map_or(0, |(.., overflow)| u64::from(overflow));
        if overflow >= pages - id {
            return Err(damaged("it overflows past the end"));
        }
        if (overflow + 1).saturating_mul(size) > SPAN_MAX {
            return Err(damaged("it is larger than 64 MiB"));
        }
        for number in id..=id + overflow {
            if !self.enter(number) {
                return Err(damaged("it is reached a second time"));
            }
        }
        if overflow > 0 {
            bytes.extend(read(id + 1, overflow * size)?);
        }
        Page::parse(bytes, id, false).map_err(damaged)
    }

    /// Marks a page; false when it was marked.
    fn enter(&mut self, page: u64) -> bool {
        let word = usize::try_from(page / 64).ok().and_then(|at| self.entered.get_mut(at));
        let bit = 1u64 << (page % 64);
        match word {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            Some(_) | None => false,
        }
    }
}

impl Cursor {
    /// The next key and what stands behind it, or `None` after the last.
    ///
    /// # Errors
    /// When a page cannot be read, or is not where and what it must be.
    pub fn next(&mut self, walk: &mut Walk<'_>) -> Result<Option<(Vec<u8>, Value)>> {
        while let Some((page, at)) = self.stack.last_mut() {
            let id = page.id;
            let damaged = |why: &str| walk.database.damaged(id, why);
            let below = match page.entry(*at) {
                None => None,
                Some(Entry::Below(child)) => {
                    *at += 1;
                    Some(child)
                }
                Some(Entry::Value { key, value, bucket }) => {
                    *at += 1;
                    if self.last.as_deref().is_some_and(|last| last >= key) {
                        return Err(damaged("its keys do not follow those before it"));
                    }
                    self.last = Some(key.to_vec());
                    let value = if bucket {
                        Value::Bucket(Bucket::parse(value, id).map_err(damaged)?)
                    } else {
                        Value::Bytes(value.to_vec())
                    };
                    return Ok(Some((key.to_vec(), value)));
                }
            };
            match below {
                None => drop(self.stack.pop()),
                Some(_) if self.stack.len() >= DEPTH_MAX => {
                    return Err(damaged("there are too many branches above it"));
                }
                Some(child) => self.stack.push((walk.page(child)?, 0)),
            }
        }
        Ok(None)
    }
}

impl Bucket {
    fn parse(value: &[u8], page: u64) -> std::result::Result<Self, &'static str> {
        let short = "a bucket in it is shorter than its header";
        let root = Fields(value).u64().ok_or(short)?;
        let rest = value.get(BUCKET_HEADER..).ok_or(short)?;
        match root {
            0 if rest.len() < HEADER => Err("a bucket in it has neither a page nor one inside"),
            0 => Ok(Self(Place::Inline { page, bytes: rest.to_vec() })),
            root => Ok(Self(Place::Page(root))),
        }
    }
}
