//! One block: a table of texts and the records of consecutive keys, which name texts by number.
//!
//! A record is a key and its advisories. Where an advisory differs from the one before it only
//! in its id (errata that fix many flaws), only the id is written.

use std::collections::HashMap;
use std::ops::Range;

use cleanbill_core::advisory::{self, Advisory, RangeEnd, State};
use cleanbill_core::severity::Severity;

use super::codec::{Decoded, Id, Reader, Writer};

/// Collects records until the block is full.
#[derive(Default)]
pub(super) struct BlockWriter {
    keys: HashMap<String, u64>,
    numbers: HashMap<String, u64>,
    text_count: u64,
    texts: Writer,
    records: Writer,
    count: u64,
}

const SAME: u8 = 1;
/// A state other than affected follows.
const STATE: u8 = 2;
const CVSS: u8 = 4;
const UNREADABLE: u8 = 8;
const MODULE: u8 = 16;
const ARCHES: u8 = 32;

impl BlockWriter {
    pub(super) fn len(&self) -> usize {
        self.texts.0.len() + self.records.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Writer::default();
        out.num(self.text_count);
        out.0.extend_from_slice(&self.texts.0);
        out.num(self.count);
        out.0.extend_from_slice(&self.records.0);
        out.0
    }

    pub(super) fn push(&mut self, stream: &str, name: &str, advisories: &[Advisory]) {
        let mut body = Writer::default();
        body.num(advisories.len() as u64);
        let mut before: Option<&Advisory> = None;
        for advisory in advisories {
            self.advisory(&mut body, advisory, before);
            before = Some(advisory);
        }
        let (stream, name) = (self.key(stream), self.key(name));
        self.records.num(stream);
        self.records.num(name);
        self.records.num(body.0.len() as u64);
        self.records.0.extend_from_slice(&body.0);
        self.count += 1;
    }

    fn advisory(&mut self, out: &mut Writer, a: &Advisory, before: Option<&Advisory>) {
        if let Some(b) = before
            && *a == (Advisory { id: a.id.clone(), ..b.clone() })
        {
            out.byte(SAME);
            out.num(self.number(&a.id));
            return;
        }
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        out.byte(
            flag(a.state != State::default(), STATE)
                | flag(a.cvss.is_some(), CVSS)
                | flag(a.unreadable.is_some(), UNREADABLE)
                | flag(a.module.is_some(), MODULE)
                | flag(!a.arches.is_empty(), ARCHES),
        );
        out.num(self.number(&a.id));
        self.list(out, &a.aliases);
        self.list(out, &a.errata);
        out.byte(a.severity as u8);
        if a.state != State::default() {
            out.byte(a.state as u8);
        }
        for text in a.cvss.iter().chain(&a.unreadable).chain(&a.module) {
            out.num(self.number(text));
        }
        if !a.arches.is_empty() {
            self.list(out, &a.arches);
        }
        out.num(a.ranges.len() as u64);
        for range in &a.ranges {
            out.num(range.introduced.as_deref().map_or(0, |v| self.number(v) + 1));
            let (tag, version) = match &range.end {
                RangeEnd::Open => (0, None),
                RangeEnd::Fixed(v) => (1, Some(v)),
                RangeEnd::LastAffected(v) => (2, Some(v)),
                RangeEnd::Before(v) => (3, Some(v)),
            };
            out.byte(tag);
            if let Some(v) = version {
                out.num(self.number(v));
            }
        }
        self.list(out, &a.versions);
        out.time(a.published);
        out.time(a.modified);
    }

    fn list(&mut self, out: &mut Writer, texts: &[String]) {
        out.num(texts.len() as u64);
        for text in texts {
            out.num(self.number(text));
        }
    }

    /// The number of a part of a key, which is never shortened: keys are compared as they are.
    fn key(&mut self, text: &str) -> u64 {
        number(&mut self.keys, &mut self.text_count, text, |new| self.texts.plain(new))
    }

    fn number(&mut self, text: &str) -> u64 {
        number(&mut self.numbers, &mut self.text_count, text, |new| self.texts.id(new))
    }
}

fn number(
    known: &mut HashMap<String, u64>,
    count: &mut u64,
    text: &str,
    add: impl FnOnce(&str),
) -> u64 {
    if let Some(n) = known.get(text) {
        return *n;
    }
    add(text);
    let n = *count;
    known.insert(text.to_owned(), n);
    *count += 1;
    n
}

/// A decompressed block with the places of its texts and records.
pub(super) struct Block {
    bytes: Vec<u8>,
    texts: Vec<u32>,
    records: Vec<Place>,
}

/// Where a record lies: its key's two texts, and its body.
struct Place {
    stream: Range<u32>,
    name: Range<u32>,
    body: Range<u32>,
}

impl Block {
    /// Finds texts and records; their contents are read when they are asked for.
    pub(super) fn parse(bytes: Vec<u8>) -> Decoded<Self> {
        let mut r = Reader(&bytes);
        let at = |r: &Reader<'_>| {
            u32::try_from(bytes.len() - r.0.len()).map_err(|_| "the block is too large")
        };
        let count = r.count()?;
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            texts.push(at(&r)?);
            r.pass_id()?;
        }
        let count = r.count()?;
        let mut records = Vec::with_capacity(count);
        // Streams and names are written plain; anything else is a key that nobody asks for.
        let key = |r: &mut Reader<'_>| -> Decoded<Range<u32>> {
            let number = usize::try_from(r.num()?).map_err(|_| NO_TEXT)?;
            let start = *texts.get(number).ok_or(NO_TEXT)?;
            let mut from = Reader(bytes.get(start as usize..).ok_or(NO_TEXT)?);
            let Id::Text(text) = from.id()? else { return Ok(0..0) };
            let end = at(&from)?;
            Ok(end.saturating_sub(u32::try_from(text.len()).map_err(|_| NO_TEXT)?)..end)
        };
        for _ in 0..count {
            let (stream, name) = (key(&mut r)?, key(&mut r)?);
            let length = r.count()?;
            let start = at(&r)?;
            r.bytes(length)?;
            records.push(Place { stream, name, body: start..at(&r)? });
        }
        if !r.0.is_empty() {
            return Err("has bytes after its end");
        }
        Ok(Self { bytes, texts, records })
    }

    /// Reads every text and every record.
    pub(super) fn check(&self) -> Decoded<()> {
        (0..self.texts.len()).try_for_each(|number| self.text(number).map(drop))?;
        self.records.iter().try_for_each(|record| self.record(record).map(drop))
    }

    /// Roughly what it holds in memory.
    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + self.texts.len() * 4 + self.records.len() * size_of::<Place>()
    }

    /// The advisories under a key, or none.
    pub(super) fn get(&self, stream: &str, name: &str) -> Decoded<Vec<Advisory>> {
        // Texts are ordered as their bytes are.
        let wanted = (stream.as_bytes(), name.as_bytes());
        let found = self.records.binary_search_by(|place| {
            (self.bytes_at(&place.stream), self.bytes_at(&place.name)).cmp(&wanted)
        });
        match found.ok().and_then(|i| self.records.get(i)) {
            Some(record) => self.record(record),
            None => Ok(Vec::new()),
        }
    }

    /// The record of a number with its key, or `None` after the last.
    pub(super) fn record_at(&self, number: usize) -> Option<Decoded<super::walk::Record>> {
        let record = self.records.get(number)?;
        let key = (self.key(&record.stream).to_owned(), self.key(&record.name).to_owned());
        Some(self.record(record).map(|advisories| (key, advisories)))
    }

    /// The key of its first record.
    pub(super) fn first_key(&self) -> Option<(&str, &str)> {
        self.records.first().map(|place| (self.key(&place.stream), self.key(&place.name)))
    }

    fn record(&self, place: &Place) -> Decoded<Vec<Advisory>> {
        Record { block: self, left: RECORD_MAX }.advisories(Reader(self.bytes_at(&place.body)))
    }

    fn text(&self, number: usize) -> Decoded<Id<'_>> {
        let start = *self.texts.get(number).ok_or(NO_TEXT)?;
        Reader(self.bytes.get(start as usize..).ok_or(NO_TEXT)?).id()
    }

    /// Bytes of the block; all places were found in it when it was parsed.
    fn bytes_at(&self, place: &Range<u32>) -> &[u8] {
        self.bytes.get(place.start as usize..place.end as usize).unwrap_or_default()
    }

    fn key(&self, place: &Range<u32>) -> &str {
        std::str::from_utf8(self.bytes_at(place)).unwrap_or_default()
    }
}

/// One record being decoded, with what it may still take: a few bytes can repeat a long text
/// many times.
struct Record<'b> {
    block: &'b Block,
    left: usize,
}

impl Record<'_> {
    fn spend(&mut self, bytes: usize) -> Decoded<()> {
        self.left = self.left.checked_sub(bytes).ok_or("a record is too large")?;
        Ok(())
    }

    fn advisories(&mut self, mut r: Reader<'_>) -> Decoded<Vec<Advisory>> {
        let count = r.count()?;
        let mut out: Vec<Advisory> = Vec::with_capacity(count.min(ROOM));
        for _ in 0..count {
            let flags = r.byte()?;
            let id = self.read_text(&mut r)?;
            let advisory = if flags == SAME {
                let before = out.last().ok_or("the first advisory repeats none")?;
                self.spend(weight(before))?;
                Advisory { id, ..before.clone() }
            } else {
                self.advisory(&mut r, flags, id)?
            };
            out.push(advisory);
        }
        if r.0.is_empty() { Ok(out) } else { Err("a record has bytes after its end") }
    }

    fn advisory(&mut self, r: &mut Reader<'_>, flags: u8, id: String) -> Decoded<Advisory> {
        if flags & !(STATE | CVSS | UNREADABLE | MODULE | ARCHES) != 0 {
            return Err("an advisory has unknown flags");
        }
        let aliases = self.read_list(r)?;
        let errata = self.read_list(r)?;
        let severity = *Severity::ALL
            .get(usize::from(r.byte()?))
            .ok_or("an advisory has an unknown severity")?;
        let state = match flags & STATE {
            0 => State::default(),
            _ => {
                *State::ALL.get(usize::from(r.byte()?)).ok_or("an advisory has an unknown state")?
            }
        };
        let mut when = |bit: u8| (flags & bit != 0).then(|| self.read_text(r)).transpose();
        let cvss = when(CVSS)?;
        let unreadable = when(UNREADABLE)?;
        let module = when(MODULE)?;
        let arches = if flags & ARCHES == 0 { Vec::new() } else { self.read_list(r)? };
        let count = r.count()?;
        let mut ranges = Vec::with_capacity(count.min(ROOM));
        for _ in 0..count {
            let introduced = match r.num()? {
                0 => None,
                n => Some(self.text_of(n - 1)?),
            };
            let end = match r.byte()? {
                0 => RangeEnd::Open,
                1 => RangeEnd::Fixed(self.read_text(r)?),
                2 => RangeEnd::LastAffected(self.read_text(r)?),
                3 => RangeEnd::Before(self.read_text(r)?),
                _ => return Err("a range has an unknown end"),
            };
            ranges.push(advisory::Range { introduced, end });
        }
        Ok(Advisory {
            id,
            aliases,
            errata,
            severity,
            cvss,
            ranges,
            versions: self.read_list(r)?,
            state,
            module,
            arches,
            unreadable,
            published: r.time()?,
            modified: r.time()?,
        })
    }

    fn read_list(&mut self, r: &mut Reader<'_>) -> Decoded<Vec<String>> {
        let count = r.count()?;
        let mut texts = Vec::with_capacity(count.min(ROOM));
        for _ in 0..count {
            texts.push(self.read_text(r)?);
        }
        Ok(texts)
    }

    fn read_text(&mut self, r: &mut Reader<'_>) -> Decoded<String> {
        self.text_of(r.num()?)
    }

    fn text_of(&mut self, number: u64) -> Decoded<String> {
        let text = self.block.text(usize::try_from(number).map_err(|_| NO_TEXT)?)?;
        self.spend(text.len() + size_of::<String>())?;
        Ok(text.render())
    }
}

/// Roughly the bytes that an advisory holds.
fn weight(a: &Advisory) -> usize {
    let lists = a.aliases.iter().chain(&a.errata).chain(&a.versions).chain(&a.arches);
    let texts = lists.chain(&a.cvss).chain(&a.module);
    size_of::<Advisory>()
        + texts.map(|t| t.len() + size_of::<String>()).sum::<usize>()
        + a.unreadable.as_ref().map_or(0, String::len)
        + a.ranges.len() * (size_of::<advisory::Range>() + 32)
}

/// Things that room is made for before they are read: more than nearly all lists have, and not so
/// many that a count which lies would cost anything.
const ROOM: usize = 64;
/// What one package's advisories may take in memory.
const RECORD_MAX: usize = 256 << 20;
const NO_TEXT: &str = "names a text that it does not have";
