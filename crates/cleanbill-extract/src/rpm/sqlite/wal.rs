//! SQLite's write-ahead log (file format, section 4): pages that are newer than the database's
//! own. What counts is every frame up to the last one that commits, as SQLite counts them:
//! frames of an earlier use of the file have other salts and end the log, and so does a frame
//! whose checksum is wrong, which is told besides.

use std::collections::HashMap;

use crate::rpm::numbers::{Order, size};

const HEADER: usize = 32;
const FRAME: usize = 24;
const BE: Order = Order::Big;

/// The pages of a log that were committed.
pub(super) struct Wal<'a> {
    pub(super) page_size: usize,
    /// How many pages the database has after the last commit.
    pub(super) pages: u32,
    latest: HashMap<u32, &'a [u8]>,
}

impl<'a> Wal<'a> {
    /// The log, if anything in it counts, and what is damaged in it.
    pub(super) fn read(bytes: &'a [u8]) -> Result<(Option<Self>, Option<String>), String> {
        if bytes.is_empty() {
            return Ok((None, None));
        }
        let number = |at| BE.u32(bytes, at).ok_or("has a write-ahead log that ends in its header");
        let magic = number(0)?;
        if magic & !1 != 0x377f_0682 || number(4)? != 3_007_000 {
            return Err("has a write-ahead log that is none of SQLite's".into());
        }
        let page_size = size(number(8)?);
        if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
            return Err(format!("has a write-ahead log with pages of {page_size} bytes"));
        }
        // The last bit of the magic number is the order of the words that are summed.
        let order = if magic & 1 == 1 { Order::Big } else { Order::Little };
        let mut sum = Sum { order, a: 0, b: 0 };
        sum.add(bytes.get(..24).unwrap_or_default());
        if sum.is_not_at(bytes, 24) {
            return Err("has a write-ahead log whose header does not have its checksum".into());
        }
        let salts = bytes.get(16..24);
        let mut log = Self { page_size, pages: 0, latest: HashMap::new() };
        let (mut open, mut damage) = (Vec::new(), None);
        let frames = bytes.get(HEADER..).unwrap_or_default().chunks(FRAME + page_size);
        for (at, frame) in (1u32..).zip(frames) {
            let (Some(head), Some(page)) = (frame.get(..FRAME), frame.get(FRAME..)) else { break };
            if head.get(8..16) != salts {
                break;
            }
            sum.add(head.get(..8).unwrap_or_default());
            sum.add(page);
            if page.len() < page_size || sum.is_not_at(head, 16) {
                damage = Some(format!("frame {at} of its write-ahead log is damaged"));
                break;
            }
            open.push((BE.u32(head, 0).unwrap_or(0), page));
            let committed = BE.u32(head, 4).unwrap_or(0);
            if committed > 0 {
                log.pages = committed;
                log.latest.extend(open.drain(..));
            }
        }
        Ok(((log.pages > 0).then_some(log), damage))
    }

    /// A page as the log has it.
    pub(super) fn page(&self, number: u32) -> Option<&'a [u8]> {
        self.latest.get(&number).copied()
    }
}

/// The log's running checksum: pairs of words, each sum taking in the other.
struct Sum {
    order: Order,
    a: u32,
    b: u32,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let word = |at| self.order.u32(pair, at).unwrap_or(0);
            let (first, second) = (word(0), word(4));
            self.a = self.a.wrapping_add(first).wrapping_add(self.b);
            self.b = self.b.wrapping_add(second).wrapping_add(self.a);
        }
    }

    fn is_not_at(&self, bytes: &[u8], at: usize) -> bool {
        BE.u32(bytes, at) != Some(self.a) || BE.u32(bytes, at + 4) != Some(self.b)
    }
}
