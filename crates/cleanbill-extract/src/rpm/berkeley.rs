//! Berkeley DB's hash layout (`Packages`, as RHEL 8 and older write it): a page that describes
//! the file, buckets of key and value pairs, and chains of pages for values that do not fit
//! (`dbinc/db_page.h` and `hash/hash.h` of Berkeley DB 4 and 5). Written in the byte order of
//! the machine that made it.
//!
//! Buckets are followed as Berkeley DB follows them; pages with pairs that no bucket leads to
//! are told. No page is read twice.

use super::numbers::{Order, Seen, size, slice};
use super::packages::Packages;

const HASH_MAGIC: u32 = 0x0006_1561;
const BTREE_MAGIC: u32 = 0x0005_3162;
/// Bytes before a page's content.
const PAGE_HEADER: usize = 26;
/// Types of pages.
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;
/// Types of a page's items.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Reads the database's headers into `packages`.
pub(super) fn read(bytes: &[u8], packages: &mut Packages) {
    match Database::open(bytes) {
        Ok(mut database) => database.read(packages),
        Err(why) => packages.unreadable(why),
    }
}

struct Database<'a> {
    bytes: &'a [u8],
    order: Order,
    page_size: usize,
    /// The number of the last page that the file should have.
    last: u32,
    last_bucket: u32,
    seen: Seen,
}

impl<'a> Database<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let magic = |order: Order| order.u32(bytes, 12);
        let order = [Order::Little, Order::Big]
            .into_iter()
            .find(|o| matches!(magic(*o), Some(HASH_MAGIC | BTREE_MAGIC)))
            .ok_or("is no Berkeley DB: it has the magic number of none")?;
        if magic(order) == Some(BTREE_MAGIC) {
            return Err(
                "is a Berkeley DB of the B-tree layout, which rpm has no packages in".into()
            );
        }
        let number = |at| order.u32(bytes, at).ok_or("ends inside its first page");
        let (version, page_size, last) = (number(16)?, number(20)?, number(32)?);
        let (last_bucket, _) = (number(72)?, number(96 + 4 * 31)?);
        if !(8..=10).contains(&version) {
            return Err(format!("is a Berkeley DB hash of version {version}, not 8 to 10"));
        }
        // Encryption, and checksums or partitions, which move what is on a page.
        let flags = slice(bytes, 24, 3).unwrap_or_default();
        if !matches!(flags, [0, _, 0]) {
            return Err("is a Berkeley DB with encryption, checksums or partitions".into());
        }
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(format!("has pages of {page_size} bytes"));
        }
        let page_size = size(page_size);
        Ok(Self { bytes, order, page_size, last, last_bucket, seen: Seen::default() })
    }

    fn read(&mut self, packages: &mut Packages) {
        let there = self.bytes.len() / self.page_size;
        if size(self.last) >= there {
            let whole = u64::from(self.last) + 1;
            packages.unreadable(format!("is cut off: it has {there} of its {whole} pages"));
        }
        for bucket in 0..=self.last_bucket {
            let Some(page) = self.bucket_page(bucket).filter(|p| size(*p) < there) else {
                packages.unreadable(format!(
                    "bucket {bucket} of {} and those after it are on no page of the file",
                    self.last_bucket
                ));
                break;
            };
            if let Err(why) = self.bucket(page, packages) {
                packages.unreadable(format!("bucket {bucket}: {why}"));
            }
        }
        self.left_over(packages);
    }

    /// Buckets are doubled in steps; each step's pages lie together, moved by a number of the
    /// first page.
    fn bucket_page(&self, bucket: u32) -> Option<u32> {
        let step = u32::BITS - bucket.leading_zeros();
        if step > 31 {
            return None;
        }
        bucket.checked_add(self.order.u32(self.bytes, 96 + 4 * size(step))?)
    }

    /// One page that was not read before. A page that nobody ever wrote is all zero, and empty.
    fn page(&mut self, number: u32) -> Result<&'a [u8], String> {
        let page = slice(self.bytes, size(number).saturating_mul(self.page_size), self.page_size)
            .filter(|_| number > 0)
            .ok_or_else(|| format!("page {number} is not there"))?;
        if !self.seen.first(number) {
            return Err(format!("page {number} is in two places"));
        }
        if self.order.u32(page, 8) != Some(number) && page.iter().any(|b| *b != 0) {
            return Err(format!("page {number} says that it is another"));
        }
        Ok(page)
    }

    fn bucket(&mut self, first: u32, packages: &mut Packages) -> Result<(), String> {
        let mut next = first;
        while next != 0 {
            let number = next;
            let page = self.page(number)?;
            let items = self.order.u16(page, 20).unwrap_or(0);
            let kind = page.get(25).copied().unwrap_or(0);
            if !matches!(kind, UNSORTED | HASH) && (items, kind) != (0, 0) {
                return Err(format!("page {number} is of type {kind}, no part of a hash"));
            }
            next = self.order.u32(page, 16).unwrap_or(0);
            if items % 2 == 1 {
                packages.unreadable(format!("page {number} has a key without a value"));
            }
            // Items fill the page from its end, each below the one before.
            let mut above = self.page_size;
            for pair in 0..items / 2 {
                let at = |item: u16| {
                    let place = PAGE_HEADER.saturating_add(2 * usize::from(item));
                    self.order.u16(page, place).map(usize::from)
                };
                let (Some(key), Some(value)) = (at(2 * pair), at(2 * pair + 1)) else {
                    return Err(format!("page {number} says that it has {items} items"));
                };
                let lowest = PAGE_HEADER + 2 * usize::from(items);
                let (Some(key_item), Some(value_item)) =
                    (page.get(key..above), page.get(value..key))
                else {
                    return Err(format!("page {number} has items that overlap"));
                };
                if value < lowest {
                    return Err(format!("page {number} has items that overlap"));
                }
                above = value;
                if let Err(why) = self.pair(key_item, value_item, packages) {
                    packages.unreadable(format!("page {number}, pair {pair}: {why}"));
                }
            }
        }
        Ok(())
    }

    /// The key is the header's number, the value the header. Number 0 holds the highest one.
    fn pair(&mut self, key: &[u8], value: &[u8], packages: &mut Packages) -> Result<(), String> {
        let Some((&ON_PAGE, key)) = key.split_first() else {
            return Err("its key is of a type that rpm does not use".into());
        };
        let number = self.order.u32(key, 0).filter(|_| key.len() == 4);
        let number = number.ok_or_else(|| format!("its key has {} bytes, not 4", key.len()))?;
        if number == 0 {
            return Ok(());
        }
        match value.split_first() {
            Some((&ON_PAGE, blob)) => packages.header(u64::from(number), blob),
            Some((&OFF_PAGE, _)) if value.len() == 12 => {
                let at = |at| self.order.u32(value, at).unwrap_or(0);
                let blob = self.chain(at(4), size(at(8)))?;
                packages.header(u64::from(number), &blob);
            }
            _ => return Err("its value is of a type that rpm does not use".into()),
        }
        Ok(())
    }

    /// A value of this length on a chain of pages.
    fn chain(&mut self, first: u32, length: usize) -> Result<Vec<u8>, String> {
        let mut blob = Vec::new();
        let mut next = first;
        while blob.len() < length {
            let page = self.page(next)?;
            let here = self.order.u16(page, 22).map_or(0, usize::from);
            let part = slice(page, PAGE_HEADER, here)
                .filter(|part| page.get(25) == Some(&OVERFLOW) && !part.is_empty())
                .ok_or_else(|| format!("page {next} does not go on with a value"))?;
            blob.extend_from_slice(part);
            next = self.order.u32(page, 16).unwrap_or(0);
        }
        if blob.len() > length || next != 0 {
            return Err(format!("its value goes on past its {length} bytes"));
        }
        Ok(blob)
    }

    /// Pages with pairs to which no bucket led: something in the first page is wrong.
    fn left_over(&mut self, packages: &mut Packages) {
        let last = self.bytes.len() / self.page_size;
        let (mut count, mut first) = (0u32, 0u32);
        for number in (1u32..).take(last.saturating_sub(1)) {
            let at = size(number).saturating_mul(self.page_size);
            let page = self.bytes.get(at..).unwrap_or_default();
            let pairs = matches!(page.get(25), Some(&(UNSORTED | HASH)))
                && self.order.u16(page, 20).is_some_and(|items| items > 0);
            if pairs && self.seen.first(number) {
                count += 1;
                first = if count == 1 { number } else { first };
            }
        }
        if count > 0 {
            packages.unreadable(format!(
                "no bucket leads to {count} pages with pairs, such as {first}"
            ));
        }
    }
}
