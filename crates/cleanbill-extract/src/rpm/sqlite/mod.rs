//! SQLite (`rpmdb.sqlite`, as Fedora and RHEL 9 and later write it): the rows of one table, by
//! the file format alone (<https://www.sqlite.org/fileformat2.html>). No SQL is read: a table is
//! found by its name, and its second column is the header.
//!
//! No page is read twice and no page's cells are longer than the page, so that the work is
//! bounded by the file's length whatever its pages say of each other.

mod record;
mod wal;

use std::borrow::Cow;

use super::numbers::{Order, Seen, size, slice};
use super::packages::Packages;
use record::{column, varint};
use wal::Wal;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Types of pages of a table.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;
const BE: Order = Order::Big;

/// Reads the headers of a database, as its write-ahead log leaves it if there is one.
pub(super) fn read(bytes: &[u8], log: Option<&[u8]>, packages: &mut Packages) {
    let log = match log.map(Wal::read) {
        None => None,
        Some(Ok((wal, damage))) => {
            if let Some(why) = damage {
                packages.unreadable(why);
            }
            wal
        }
        Some(Err(why)) => {
            packages.unreadable(why);
            None
        }
    };
    match Database::open(bytes, log) {
        Ok(mut database) => {
            if let Err(why) = database.packages(packages) {
                packages.unreadable(why);
            }
        }
        Err(why) => packages.unreadable(why),
    }
}

struct Database<'a> {
    bytes: &'a [u8],
    log: Option<Wal<'a>>,
    page_size: usize,
    /// Bytes of a page without what is reserved at its end.
    usable: usize,
    count: u32,
    /// How many pages it says that it has, if it says so and they are not all there.
    missing: Option<u32>,
    seen: Seen,
}

/// What is done with the number and content of each row.
type Take<'t> = dyn FnMut(i64, &[u8], &mut Packages) -> Result<(), &'static str> + 't;

/// What is wrong with a database, or a part of it.
type Damage = String;

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8], log: Option<Wal<'a>>) -> Result<Self, Damage> {
        let first = log.as_ref().and_then(|log| log.page(1)).unwrap_or(bytes);
        if !first.starts_with(MAGIC) {
            return Err("is no SQLite database: it does not begin as one".into());
        }
        let Some(head) = first.get(..100) else { return Err("ends inside its first page".into()) };
        let page_size = match BE.u16(head, 16) {
            Some(1) => 65536,
            other => other.map_or(0, usize::from),
        };
        let reserved = head.get(20).map_or(0, |b| usize::from(*b));
        let usable = page_size.saturating_sub(reserved);
        if !page_size.is_power_of_two() || page_size < 512 || usable < 480 {
            return Err(format!("has pages of {page_size} bytes, {reserved} of them reserved"));
        }
        if log.as_ref().is_some_and(|log| log.page_size != page_size) {
            return Err(format!("has pages of {page_size} bytes, and its write-ahead log others"));
        }
        // 1 is UTF-8; 0 stands in a database that nothing was ever put into.
        if !matches!(BE.u32(head, 56), Some(0 | 1)) {
            return Err("is written in UTF-16, which rpm never does".into());
        }
        let there = u32::try_from(bytes.len() / page_size).unwrap_or(u32::MAX);
        let said = BE.u32(head, 28).filter(|_| BE.u32(head, 24) == BE.u32(head, 92));
        let missing = said.filter(|said| *said > there && log.is_none());
        let count = log.as_ref().map_or(there, |log| log.pages);
        Ok(Self { bytes, log, page_size, usable, count, missing, seen: Seen::default() })
    }

    fn packages(&mut self, packages: &mut Packages) -> Result<(), Damage> {
        if let Some(said) = self.missing {
            packages.unreadable(format!("is cut off: it has {} of its {said} pages", self.count));
        }
        let mut roots = Vec::new();
        let mut tables = 0u32;
        self.rows(1, packages, &mut |_, row, _| {
            tables += 1;
            let text = |at| column(row, at).map_err(|_| "its schema is damaged");
            let is_table = text(0)?.is_some_and(|t| t.eq_ignore_ascii_case(b"table"));
            if is_table && text(1)?.is_some_and(|n| n.eq_ignore_ascii_case(b"Packages")) {
                roots.push(record::number(row, 3).ok_or("its table Packages has no page")?);
            }
            Ok(())
        });
        if roots.is_empty() {
            return Err(format!("has no table Packages among its {tables} tables and indices"));
        }
        for root in roots {
            let Some(root) = u32::try_from(root).ok().filter(|r| *r > 1) else {
                return Err(format!("its table Packages begins on page {root}"));
            };
            self.rows(root, packages, &mut |id, row, packages| {
                // Column 0 is the row's own number, `hnum`.
                let blob = column(row, 1)?.ok_or("has no header in its second column")?;
                packages.header(u64::try_from(id).unwrap_or(u64::MAX), blob);
                Ok(())
            });
        }
        Ok(())
    }

    /// Shows every row of a table to `take`. Pages that are damaged are told and passed over.
    fn rows(&mut self, root: u32, packages: &mut Packages, take: &mut Take<'_>) {
        let mut ahead = Vec::new();
        self.ahead(root, &mut ahead, packages);
        while let Some(number) = ahead.pop() {
            if let Err(why) = self.page_rows(number, &mut ahead, packages, take) {
                packages.unreadable(format!("page {number} {why}"));
            }
        }
    }

    /// Puts a page on the list of those to be read, once.
    fn ahead(&mut self, number: u32, ahead: &mut Vec<u32>, packages: &mut Packages) {
        if self.page(number).is_none() {
            packages.unreadable(format!("page {number} is not there"));
        } else if self.seen.first(number) {
            ahead.push(number);
        } else {
            packages.unreadable(format!("page {number} is in two places"));
        }
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        if number > self.count {
            return None;
        }
        if let Some(page) = self.log.as_ref().and_then(|log| log.page(number)) {
            return Some(page);
        }
        let at = size(number.checked_sub(1)?).checked_mul(self.page_size)?;
        slice(self.bytes, at, self.page_size)
    }

    fn page_rows(
        &mut self,
        number: u32,
        ahead: &mut Vec<u32>,
        packages: &mut Packages,
        take: &mut Take<'_>,
    ) -> Result<(), Damage> {
        let page = self.page(number).ok_or("is not there")?;
        let page = page.get(..self.usable).unwrap_or_default();
        let head = if number == 1 { 100 } else { 0 };
        let kind = page.get(head).copied().unwrap_or(0);
        let cells = BE.u16(page, head + 3).unwrap_or(0);
        let pointers = match kind {
            INTERIOR => head + 12,
            LEAF => head + 8,
            _ => return Err(format!("is of type {kind}, no part of a table")),
        };
        let mut left = self.usable;
        for cell in 0..usize::from(cells) {
            let at = BE.u16(page, pointers + 2 * cell).map(usize::from);
            let bytes = at.and_then(|at| page.get(at..)).ok_or("has cells outside of it")?;
            let length = if kind == INTERIOR {
                let child = BE.u32(bytes, 0).ok_or("has cells outside of it")?;
                self.ahead(child, ahead, packages);
                5
            } else {
                let cell = self.cell(bytes).ok_or("has cells that do not fit it")?;
                let told = format!("page {number}, row {}", cell.id);
                match self.payload(&cell) {
                    Ok(row) => {
                        if let Err(why) = take(cell.id, &row, packages) {
                            packages.unreadable(format!("{told}: {why}"));
                        }
                    }
                    Err(why) => packages.unreadable(format!("{told}: {why}")),
                }
                cell.length
            };
            left = left.checked_sub(length).ok_or("has cells that overlap")?;
        }
        if kind == INTERIOR {
            let last = BE.u32(page, head + 8).unwrap_or(0);
            self.ahead(last, ahead, packages);
        }
        Ok(())
    }

    /// A leaf's cell: the payload's length, the row's number, and what of the payload is here.
    fn cell<'c>(&self, bytes: &'c [u8]) -> Option<Cell<'c>> {
        let (payload, rest) = varint(bytes)?;
        let (id, rest) = varint(rest)?;
        let head = bytes.len() - rest.len();
        let payload = size(payload);
        let most = self.usable - 35;
        if payload <= most {
            let local = rest.get(..payload)?;
            return Some(Cell {
                id: id.cast_signed(),
                payload,
                local,
                more: 0,
                length: head + payload,
            });
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fits = least + (payload - least) % (self.usable - 4);
        let here = if fits <= most { fits } else { least };
        let more = BE.u32(rest, here)?;
        let local = rest.get(..here)?;
        Some(Cell { id: id.cast_signed(), payload, local, more, length: head + here + 4 })
    }

    /// The whole payload, from its overflow pages where it has some.
    fn payload<'c>(&mut self, cell: &Cell<'c>) -> Result<Cow<'c, [u8]>, Damage> {
        if cell.local.len() == cell.payload {
            return Ok(Cow::Borrowed(cell.local));
        }
        let (mut bytes, mut next) = (cell.local.to_vec(), cell.more);
        while bytes.len() < cell.payload {
            let page = self.page(next).ok_or_else(|| format!("page {next} is not there"))?;
            if !self.seen.first(next) {
                return Err(format!("page {next} is in two places"));
            }
            let part = page.get(4..self.usable).unwrap_or_default();
            let wanted = part.len().min(cell.payload - bytes.len());
            bytes.extend_from_slice(part.get(..wanted).unwrap_or_default());
            next = BE.u32(page, 0).unwrap_or(0);
        }
        Ok(Cow::Owned(bytes))
    }
}

/// One row of a leaf.
struct Cell<'a> {
    id: i64,
    /// Bytes of its whole payload.
    payload: usize,
    local: &'a [u8],
    /// The first overflow page.
    more: u32,
    /// Bytes of the cell on its page.
    length: usize,
}
