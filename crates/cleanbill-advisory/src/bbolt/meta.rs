//! The two meta pages, of which the newest valid one counts.

use super::page::{Fields, HEADER, KIND_META};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// Bytes that the checksum is over, from the end of the page's header on.
const SUMMED: usize = 56;
/// Bytes of a meta page that are used.
pub(super) const END: u64 = (HEADER + SUMMED + 8) as u64;

/// What one meta page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub page_size: u64,
    /// The page of the root bucket.
    pub root: u64,
    /// How many pages are in use; none from here on is part of the database.
    pub pages: u64,
    /// Which transaction wrote it: the later one counts.
    pub transaction: u64,
}

impl Meta {
    /// Reads the meta page that begins at `place`.
    pub(super) fn parse(bytes: &[u8], place: u64) -> Result<Self, &'static str> {
        const SHORT: &str = "it is too short";
        let summed = bytes.get(HEADER..HEADER + SUMMED).ok_or(SHORT)?;
        let mut f = Fields(bytes);
        let (_id, kind, _count, _overflow) = f.header().ok_or(SHORT)?;
        let mut u32 = || f.u32().ok_or(SHORT);
        let (magic, version, page_size, _flags) = (u32()?, u32()?, u32()?, u32()?);
        let mut u64 = || f.u64().ok_or(SHORT);
        let (root, _sequence, _free_list) = (u64()?, u64()?, u64()?);
        let (pages, transaction, sum) = (u64()?, u64()?, u64()?);
        if magic != MAGIC {
            return Err("it begins with other bytes");
        }
        if version != VERSION {
            return Err("it is of another version than 2");
        }
        if sum != fnv1a(summed) {
            return Err("its meta page does not have the sum that it was written with");
        }
        if kind != KIND_META {
            return Err("its first page is no meta page");
        }
        let known = page_size.is_power_of_two() && super::PAGE_SIZES.contains(&page_size.ilog2());
        if !known || (place != 0 && place != u64::from(page_size)) {
            return Err("its pages are of a size that is not known");
        }
        Ok(Self { page_size: page_size.into(), root, pages, transaction })
    }
}

/// FNV-1a, 64 bits.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
