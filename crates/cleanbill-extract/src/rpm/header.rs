//! One package's header as rpm keeps it in its databases: an index of tags and the data that it
//! points into (rpm's "Package format", section "Header structure", without the lead and magic).
//!
//! Only the tags that are needed are read. No length or count is believed: what does not fit is
//! damage, and told.

use std::borrow::Cow;

use super::numbers::{Order, size, slice};

/// The tags that are read (rpm's `rpmtag.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    Vendor = 1011,
    Arch = 1022,
    /// Whole paths, as rpm 3 wrote them.
    OldFileNames = 1027,
    FileStates = 1029,
    FileDigests = 1035,
    FileFlags = 1037,
    SourceRpm = 1044,
    DirIndexes = 1116,
    BaseNames = 1117,
    DirNames = 1118,
    FileDigestAlgo = 5011,
    ModularityLabel = 5096,
}

/// The types of data that the tags above can have.
const CHAR: u32 = 1;
const INT8: u32 = 2;
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18NSTRING: u32 = 9;

/// Bytes of one entry of the index.
const ENTRY: usize = 16;
/// The most entries of an index, as rpm has it.
const MAX_ENTRIES: u32 = 0xffff;

/// A header whose two parts are where they say they are.
pub(super) struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

/// What is wrong with a header, in words that follow "the header of …".
pub(super) type Damage = String;

impl<'a> Header<'a> {
    /// Splits a blob into index and data, which fill it exactly.
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, Damage> {
        let (Some(entries), Some(bytes)) = (Order::Big.u32(blob, 0), Order::Big.u32(blob, 4))
        else {
            return Err(format!("has {} bytes, fewer than any header", blob.len()));
        };
        if entries == 0 || entries > MAX_ENTRIES {
            return Err(format!("says that it has {entries} tags"));
        }
        let index = size(entries).saturating_mul(ENTRY);
        let whole = index.saturating_add(8).saturating_add(size(bytes));
        let parts = blob.get(8..).and_then(|rest| rest.split_at_checked(index));
        match parts {
            Some((index, data)) if data.len() == size(bytes) => Ok(Self { index, data }),
            _ => Err(format!("has {} bytes and says that they are {whole}", blob.len())),
        }
    }

    /// A tag's count and the data from its beginning on. Of several the last counts: rpm adds
    /// what it learns at installation behind what the package came with.
    fn entry(&self, tag: Tag, types: &[u32]) -> Result<Option<(usize, &'a [u8])>, Damage> {
        let number = |entry: &[u8], at| Order::Big.u32(entry, at).unwrap_or(0);
        let found = self.index.chunks_exact(ENTRY).rev().find(|e| number(e, 0) == tag as u32);
        let Some(entry) = found else { return Ok(None) };
        let (kind, offset, count) = (number(entry, 4), number(entry, 8), number(entry, 12));
        if !types.contains(&kind) {
            return Err(format!("has tag {} of type {kind}", tag as u32));
        }
        match self.data.get(size(offset)..) {
            Some(data) if count > 0 => Ok(Some((size(count), data))),
            _ => Err(outside(tag)),
        }
    }

    /// A tag that is one string, or the first of several (of its translations).
    pub(super) fn string(&self, tag: Tag) -> Result<Option<Cow<'a, str>>, Damage> {
        let Some(mut all) = self.texts(tag, &[STRING, I18NSTRING, STRING_ARRAY])? else {
            return Ok(None);
        };
        all.next().ok_or_else(|| outside(tag))?.map(Some)
    }

    /// A tag that is a list of strings, in order; the last item is damage if they do not end.
    pub(super) fn strings(
        &self,
        tag: Tag,
    ) -> Result<Option<impl Iterator<Item = Result<Cow<'a, str>, Damage>>>, Damage> {
        self.texts(tag, &[STRING_ARRAY])
    }

    fn texts(
        &self,
        tag: Tag,
        types: &[u32],
    ) -> Result<Option<impl Iterator<Item = Result<Cow<'a, str>, Damage>> + use<'a>>, Damage> {
        let Some((count, data)) = self.entry(tag, types)? else { return Ok(None) };
        let mut rest = Some(data);
        Ok(Some((0..count).map_while(move |_| {
            let bytes = rest?;
            let end = memchr::memchr(0, bytes);
            rest = end.and_then(|end| bytes.get(end + 1..));
            let text = end.and_then(|end| bytes.get(..end));
            Some(text.map(String::from_utf8_lossy).ok_or_else(|| outside(tag)))
        })))
    }

    /// A tag that is a list of numbers of four bytes.
    pub(super) fn numbers(
        &self,
        tag: Tag,
    ) -> Result<Option<impl Iterator<Item = u32> + use<'a>>, Damage> {
        let Some((count, data)) = self.entry(tag, &[INT32])? else { return Ok(None) };
        let data = slice(data, 0, count.saturating_mul(4)).ok_or_else(|| outside(tag))?;
        Ok(Some(data.chunks_exact(4).map(|n| Order::Big.u32(n, 0).unwrap_or(0))))
    }

    /// A tag that is a list of single bytes.
    pub(super) fn bytes(&self, tag: Tag) -> Result<Option<&'a [u8]>, Damage> {
        let Some((count, data)) = self.entry(tag, &[CHAR, INT8])? else { return Ok(None) };
        slice(data, 0, count).ok_or_else(|| outside(tag)).map(Some)
    }
}

fn outside(tag: Tag) -> Damage {
    format!("has data of tag {} outside of it", tag as u32)
}
