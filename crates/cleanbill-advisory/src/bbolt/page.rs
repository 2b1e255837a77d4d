//! One page, or the page inside a small bucket's value: checked once as a whole, then read.

use std::ops::Range;

/// Bytes of a page's header, and of every element behind it.
pub(super) const HEADER: usize = 16;
pub(super) const ELEMENT: usize = 16;

pub(super) const KIND_BRANCH: u16 = 0x01;
pub(super) const KIND_LEAF: u16 = 0x02;
pub(super) const KIND_META: u16 = 0x04;

/// The flag of a leaf's element whose value is a bucket.
const BUCKET: u32 = 0x01;

/// Little-endian numbers from the front of a slice.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Id, kind, number of elements, overflow.
    pub(super) fn header(&mut self) -> Option<(u64, u16, u16, u32)> {
        Some((self.u64()?, self.u16()?, self.u16()?, self.u32()?))
    }
}

/// An element whose place has been checked.
#[derive(Debug)]
enum Element {
    Branch { key: Range<usize>, child: u64 },
    Leaf { key: Range<usize>, value: Range<usize>, bucket: bool },
}

/// What an element says.
pub(super) enum Entry<'p> {
    Below(u64),
    Value { key: &'p [u8], value: &'p [u8], bucket: bool },
}

/// A page of which every element has been checked.
#[derive(Debug)]
pub(super) struct Page {
    /// The page it is, or is inside of.
    pub id: u64,
    bytes: Vec<u8>,
    elements: Vec<Element>,
}

impl Page {
    /// Checks a page with all that it overflows into. `inside` is the page that a small bucket's
    /// own page is inside of: such a one is a leaf, and has no id.
    pub(super) fn parse(bytes: Vec<u8>, id: u64, inside: bool) -> Result<Self, &'static str> {
        let mut f = Fields(&bytes);
        let (own, kind, count, _) = f.header().ok_or("a page is shorter than its header")?;
        if own != id && !inside {
            return Err("it has the number of another page");
        }
        let branch = match kind {
            KIND_LEAF => false,
            KIND_BRANCH if inside => return Err("a bucket inside it has branches"),
            KIND_BRANCH if count == 0 => return Err("it is a branch with nothing below"),
            KIND_BRANCH => true,
            _ => return Err("it is neither a branch nor a leaf"),
        };
        let table = HEADER + usize::from(count) * ELEMENT;
        let room = bytes.len().checked_sub(table).ok_or("it has more elements than fit it")?;
        let mut elements: Vec<Element> = Vec::with_capacity(count.into());
        let mut taken = 0usize;
        let mut last: Option<&[u8]> = None;
        for number in 0..usize::from(count) {
            let start = HEADER + number * ELEMENT;
            let element =
                Element::parse(&bytes, start, branch).ok_or("an element of it cannot be read")?;
            let key = bytes.get(element.key()).ok_or("a key is outside it")?;
            let value = bytes.get(element.value()).ok_or("a value is outside it")?;
            if element.key().start < table {
                return Err("a key is inside its table of elements");
            }
            // Elements that share bytes would let a small page hold any number of large values.
            taken = taken.saturating_add(key.len()).saturating_add(value.len());
            if taken > room {
                return Err("its elements are longer together than it is");
            }
            if last.is_some_and(|last| last >= key) {
                return Err("its keys are not in order");
            }
            last = Some(key);
            elements.push(element);
        }
        Ok(Self { id, bytes, elements })
    }

    /// One element, or `None` past the last.
    pub(super) fn entry(&self, number: usize) -> Option<Entry<'_>> {
        match self.elements.get(number)? {
            Element::Branch { child, .. } => Some(Entry::Below(*child)),
            Element::Leaf { key, value, bucket } => Some(Entry::Value {
                key: self.bytes.get(key.clone()).unwrap_or_default(),
                value: self.bytes.get(value.clone()).unwrap_or_default(),
                bucket: *bucket,
            }),
        }
    }
}

impl Element {
    fn parse(page: &[u8], start: usize, branch: bool) -> Option<Self> {
        let mut f = Fields(page.get(start..)?);
        if branch {
            let (place, length, child) = (f.u32()?, f.u32()?, f.u64()?);
            let key = range(start, place, length)?;
            return Some(Self::Branch { key, child });
        }
        let (flags, place, key, value) = (f.u32()?, f.u32()?, f.u32()?, f.u32()?);
        let key = range(start, place, key)?;
        let value = range(key.end, 0, value)?;
        (flags & !BUCKET == 0).then_some(Self::Leaf { key, value, bucket: flags == BUCKET })
    }

    fn key(&self) -> Range<usize> {
        match self {
            Self::Branch { key, .. } | Self::Leaf { key, .. } => key.clone(),
        }
    }

    fn value(&self) -> Range<usize> {
        match self {
            Self::Branch { key, .. } => key.end..key.end,
            Self::Leaf { value, .. } => value.clone(),
        }
    }
}

fn range(start: usize, place: u32, length: u32) -> Option<Range<usize>> {
    let from = start.checked_add(usize::try_from(place).ok()?)?;
    Some(from..from.checked_add(usize::try_from(length).ok()?)?)
}
