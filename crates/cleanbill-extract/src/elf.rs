//! The little of ELF (System V ABI, "Program Header" and "Sections") that leads to what programs
//! say of themselves: where file bytes are mapped, what is writable, and where a section is.

/// The most bytes from a file's beginning that headers are looked for in.
pub(crate) const HEAD_MAX: usize = 64 << 10;

const PT_LOAD: u64 = 1;
const PF_X: u64 = 1;
const PF_W: u64 = 2;

/// What the headers say.
#[derive(Debug)]
pub(crate) struct Elf {
    segments: Vec<Segment>,
}

/// Where the table of sections is, and how to read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    /// Its range in the file.
    pub(crate) from: u64,
    pub(crate) to: u64,
    each: usize,
    /// The section that has the names.
    names: usize,
    wide: bool,
    big: bool,
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
pub(crate) fn is_elf(bytes: &[u8]) -> bool {
    let length = bytes.len().min(4);
    bytes.get(..length) == b"\x7fELF".get(..length)
}

/// How many bytes from the beginning hold all headers, or `None` if they lie further away than
/// [`HEAD_MAX`] or make no sense. Needs the first 64 bytes.
pub(crate) fn head_length(bytes: &[u8]) -> Option<usize> {
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
pub(crate) fn number(bytes: &[u8], at: usize, size: usize, big: bool) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(size)?)?;
    let add = |n: u64, b: &u8| n << 8 | u64::from(*b);
    Some(if big { field.iter().fold(0, add) } else { field.iter().rev().fold(0, add) })
}

/// Reads the headers out of a head as long as [`head_length`] asks for.
pub(crate) fn parse(head: &[u8]) -> Option<Elf> {
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

/// Where the table of sections is; `None` where there is none, or no sense in it. Needs the first
/// 64 bytes. A table of more than 65,279 sections, whose number stands elsewhere, is none here.
pub(crate) fn sections(bytes: &[u8]) -> Option<Sections> {
    let (wide, big) = class(bytes)?;
    let n = |at, size| number(bytes, at, size, big);
    let (from, each, count, names) = if wide {
        (n(40, 8)?, n(58, 2)?, n(60, 2)?, n(62, 2)?)
    } else {
        (n(32, 4)?, n(46, 2)?, n(48, 2)?, n(50, 2)?)
    };
    let least = if wide { 64 } else { 40 };
    let to = from.checked_add(each * count)?;
    let small = |n: u64| usize::try_from(n).ok();
    let sections = Sections { from, to, each: small(each)?, names: small(names)?, wide, big };
    (from > 0 && count > 0 && each >= least).then_some(sections)
}

impl Sections {
    /// Offset and size in the file of the section whose name stands at one of these places of the
    /// file, by its table.
    pub(crate) fn named(&self, table: &[u8], names: &[u64]) -> Option<(u64, u64)> {
        let section = |index: usize| {
            let start = index.checked_mul(self.each)?;
            let n = |at: usize, size| number(table, start.checked_add(at)?, size, self.big);
            let (offset, size) =
                if self.wide { (n(24, 8)?, n(32, 8)?) } else { (n(16, 4)?, n(20, 4)?) };
            Some((n(0, 4)?, offset, size))
        };
        let (_, start, length) = section(self.names)?;
        let names: Vec<u64> = names
            .iter()
            .filter_map(|place| place.checked_sub(start).filter(|into| *into < length))
            .collect();
        let mut all = (0..table.len() / self.each).filter_map(section);
        all.find(|(name, ..)| names.contains(name)).map(|(_, offset, size)| (offset, size))
    }
}

impl Elf {
    /// Where the last mapped byte of the file ends.
    pub(crate) fn end(&self) -> u64 {
        self.segments.iter().map(|s| s.offset.saturating_add(s.size)).max().unwrap_or(0)
    }

    /// The ranges of the file that hold data, in order; Go's own reader looks at those alone.
    pub(crate) fn writable(&self) -> Vec<(u64, u64)> {
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
    pub(crate) fn file_offset(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|s| {
            let into = address.checked_sub(s.address).filter(|into| *into < s.size)?;
            s.offset.checked_add(into)
        })
    }
}
