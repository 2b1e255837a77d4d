//! Numbers of fixed width at any place of a slice; `None` past its end, never a panic.

use std::collections::HashSet;

/// How a file writes its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// Two bytes.
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = array(bytes, at)?;
        Some(match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        })
    }

    /// Four bytes.
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let raw = array(bytes, at)?;
        Some(match self {
            Self::Little => u32::from_le_bytes(raw),
            Self::Big => u32::from_be_bytes(raw),
        })
    }
}

/// The bytes from here on, this many.
pub(super) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

/// A number in the file as an offset. It has 64 bits wherever this runs on 64 bits; elsewhere
/// what does not fit leads past every end.
pub(super) fn size(number: impl Into<u64>) -> usize {
    usize::try_from(number.into()).unwrap_or(usize::MAX)
}

/// Which of a file's pages were used already: nothing in it is read twice, so that no circle
/// and no page with many names makes more work than the file is long.
#[derive(Default)]
pub(super) struct Seen(HashSet<u32>);

impl Seen {
    /// Notes a page that is there; whether it was new.
    pub(super) fn first(&mut self, page: u32) -> bool {
        self.0.insert(page)
    }
}
