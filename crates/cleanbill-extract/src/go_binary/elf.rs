//! The little of ELF (System V ABI, "Program Header") that leads to a Go program's build
//! information: where file bytes are mapped, and what is writable.

/// The most bytes from a file's beginning that headers are looked for in.
pub(super) const HEAD_MAX: usize = 64 << 10;

const PT_LOAD: u64 = 1;
const PF_X: u64 = 1;
const PF_W: u64 = 2;

/// What the headers say.
#[derive(Debug)]
pub(super) struct Elf {
    segments: Vec<Segment>,
}

/// One range of the file that is mapped.
#[derive(Clone, Copy, Debug)]
struct Segment {
    offset: u64,
    address: u64,
    size: u64,
    writable: bool,
}

/// Whether this can be the beginning of an ELF file, as far as it goes.
pub(super) fn is_elf(bytes: &[u8]) -> bool {
    let length = bytes.len().min(4);
    bytes.get(..length) == b"\x7fELF".get(..length)
}

/// How many bytes from the beginning hold all headers, or `None` if they lie further away than
/// [`HEAD_MAX`] or make no sense. Needs the first 64 bytes.
pub(super) fn head_length(bytes: &[u8]) -> Option<usize> {
    let (wide, big) = class(bytes)?;
    let n = |at, size| number(bytes, at, size, big);
    let (offset, size, count) =
        if wide { (n(32, 8)?, n(54, 2)?, n(56, 2)?) } else { (n(28, 4)?, n(42, 2)?, n(44, 2)?) };
    let end = offset.checked_add(size * count)?;
    usize::try_from(end).ok().filter(|end| *end <= HEAD_MAX).map(|end| end.max(64))
}

fn class(bytes: &[u8]) -> Option<(bool, bool)> {
    let wide = match bytes.get(4)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    let big = match bytes.get(5)? {
        1 => false,
        2 => true,
        _ => return None,
    };
    Some((wide, big))
}

/// A number of 1 to 8 bytes.
pub(super) fn number(bytes: &[u8], at: usize, size: usize, big: bool) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(size)?)?;
    let add = |n: u64, b: &u8| n << 8 | u64::from(*b);
    Some(if big { field.iter().fold(0, add) } else { field.iter().rev().fold(0, add) })
}

/// Reads the headers out of a head as long as [`head_length`] asks for.
pub(super) fn parse(head: &[u8]) -> Option<Elf> {
    let (wide, big) = class(head)?;
    let n = |at: usize, size: usize| number(head, at, size, big);
    let (start, each, count) =
        if wide { (n(32, 8)?, n(54, 2)?, n(56, 2)?) } else { (n(28, 4)?, n(42, 2)?, n(44, 2)?) };
    let (start, each) = (usize::try_from(start).ok()?, usize::try_from(each).ok()?);
    let mut segments = Vec::new();
    for index in 0..usize::try_from(count).ok()? {
        let at = start.checked_add(index.checked_mul(each)?)?;
        let n = |offset: usize, size: usize| n(at.checked_add(offset)?, size);
        let (flags, offset, address, size) = if wide {
            (n(4, 4)?, n(8, 8)?, n(16, 8)?, n(32, 8)?)
        } else {
            (n(24, 4)?, n(4, 4)?, n(8, 4)?, n(16, 4)?)
        };
        if n(0, 4)? == PT_LOAD && size > 0 {
            let writable = flags & (PF_W | PF_X) == PF_W;
            segments.push(Segment { offset, address, size, writable });
        }
    }
    Some(Elf { segments })
}

impl Elf {
    /// The ranges of the file that hold data, in order; Go's own reader looks at those alone.
    pub(super) fn writable(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<_> = self
            .segments
            .iter()
            .filter(|s| s.writable)
            .map(|s| (s.offset, s.offset.saturating_add(s.size)))
            .collect();
        ranges.sort_unstable();
        ranges
    }

    /// Where in the file an address's bytes are.
    pub(super) fn file_offset(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|s| {
            let into = address.checked_sub(s.address).filter(|into| *into < s.size)?;
            s.offset.checked_add(into)
        })
    }
}
