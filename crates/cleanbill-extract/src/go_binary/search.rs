//! Finding build information in a stream: [`Data`] looks at the data segments, [`Strings`] keeps
//! what pointers in them may lead back to.

use memchr::memmem;

use super::Pointer;
use super::buildinfo::{BuildInfo, END, START};
use crate::elf::{Elf, number};

/// Go's mark, at an address that 16 divides; 32 bytes of header begin with it.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const HEADER: usize = 32;

/// The most bytes of a data segment that are held while the mark is not found, and the most of
/// it that pointers can lead into.
const DATA_MAX: usize = 8 << 20;

/// What the data segments hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// The strings themselves.
    Inline(BuildInfo),
    /// Where the strings are; `None` where the header of one was not in reach.
    Pointers {
        version: Option<Pointer>,
        modules: Option<Pointer>,
    },
    TooLong,
    Damaged(&'static str),
}

/// The data segments, one after the other.
#[derive(Debug)]
pub(super) struct Data {
    /// File ranges still to come, the last one first.
    ranges: Vec<(u64, u64)>,
    limit: u64,
    elf: Option<Elf>,
    held: Vec<u8>,
    /// The place of `held` in the file.
    at: u64,
    /// How much of `held` was searched without success.
    searched: usize,
    /// The place of an old header in `held`.
    old: Option<usize>,
    found: Option<Found>,
}

/// How far an inline header could be read.
enum Inline {
    Whole(BuildInfo),
    More,
    TooLong,
    No,
}

impl Data {
    /// Looks at the data segments, or at all of a file whose headers are not known.
    pub(super) fn new(elf: Option<Elf>, limit: u64) -> Self {
        let mut ranges = elf.as_ref().map_or_else(|| vec![(0, u64::MAX)], Elf::writable);
        ranges.reverse();
        Self { ranges, limit, elf, held: Vec::new(), at: 0, searched: 0, old: None, found: None }
    }

    /// Takes the next bytes of the file. Says whether nothing more is wanted.
    pub(super) fn data(&mut self, at: u64, chunk: &[u8]) -> bool {
        let end = at + chunk.len() as u64;
        while self.found.is_none()
            && let Some((from, to)) = self.ranges.last().copied()
        {
            let (start, stop) = (from.max(at), to.min(end));
            if start < stop {
                let into = |place: u64| usize::try_from(place - at).unwrap_or(usize::MAX);
                if self.held.is_empty() {
                    self.at = start;
                }
                self.hold(chunk.get(into(start)..into(stop)).unwrap_or_default());
            }
            if to > end {
                break;
            }
            self.end_of_range();
        }
        self.found.is_some() || self.ranges.is_empty()
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.old.is_some() && self.held.len() >= DATA_MAX {
            return;
        }
        self.held.extend_from_slice(bytes);
        self.search(false);
        if self.old.is_none() && self.held.len() > DATA_MAX {
            // What was searched cannot matter any more, but for the start of a header.
            let keep = self.searched.saturating_sub(HEADER).min(self.held.len());
            self.held.drain(..keep);
            self.at += keep as u64;
            self.searched -= keep;
        }
    }

    /// Searches what was not searched yet, and stops at a header that needs more bytes.
    fn search(&mut self, last: bool) {
        while self.old.is_none() && self.found.is_none() {
            let rest = self.held.get(self.searched..).unwrap_or_default();
            let Some(hit) = memmem::find(rest, MAGIC) else {
                self.searched = self.held.len().saturating_sub(MAGIC.len() - 1).max(self.searched);
                return;
            };
            let place = self.searched + hit;
            let aligned = (self.at + place as u64).is_multiple_of(16);
            let header = self.held.get(place..).unwrap_or_default();
            if !aligned {
                self.searched = place + 1;
                continue;
            }
            let Some(flags) = header.get(15).filter(|_| header.len() >= HEADER) else {
                self.searched = place;
                return self.cut(last, place);
            };
            if flags & 2 == 0 {
                // Only a real one has a pointer's size before the flags.
                if matches!(header.get(14), Some(4 | 8)) {
                    self.old = Some(place);
                } else {
                    self.searched = place + 1;
                }
                continue;
            }
            match inline(header, self.limit) {
                Inline::Whole(info) => self.found = Some(Found::Inline(info)),
                Inline::TooLong => self.found = Some(Found::TooLong),
                Inline::No => self.searched = place + 1,
                Inline::More => {
                    self.searched = place;
                    return self.cut(last, place);
                }
            }
        }
    }

    /// At the end of the data, a header that needs more is damaged.
    fn cut(&mut self, last: bool, place: usize) {
        if last {
            self.searched = place + 1;
            self.found = Some(Found::Damaged("is cut off"));
        }
    }

    fn end_of_range(&mut self) {
        self.search(true);
        if let Some(place) = self.old.filter(|_| self.found.is_none()) {
            self.found = Some(self.pointers(place));
        }
        self.ranges.pop();
        self.held = Vec::new();
        self.searched = 0;
    }

    /// Before Go 1.18: the header has the addresses of two strings' headers, which are data too.
    fn pointers(&self, place: usize) -> Found {
        let header = self.held.get(place..).unwrap_or_default();
        let size = usize::from(*header.get(14).unwrap_or(&8));
        let big = header.get(15).is_some_and(|flags| flags & 1 == 1);
        let string = |at: usize| {
            let address = number(header, at, size, big)?;
            let near = self.elf.as_ref()?.file_offset(address)?.checked_sub(self.at)?;
            let near = usize::try_from(near).ok()?;
            Some(Pointer {
                address: number(&self.held, near, size, big)?,
                length: number(&self.held, near.checked_add(size)?, size, big)?,
            })
        };
        Found::Pointers { version: string(16), modules: string(16 + size) }
    }

    pub(super) fn finish(mut self) -> (Found, Option<Elf>) {
        if self.found.is_none() && !self.ranges.is_empty() {
            // The file ended inside a range.
            self.end_of_range();
        }
        (self.found.unwrap_or(Found::Nothing), self.elf)
    }
}

/// Two strings after the header, each with its length before it as Go writes numbers (LEB128).
fn inline(header: &[u8], limit: u64) -> Inline {
    let mut at = HEADER;
    let mut string = |most: u64| -> Result<Vec<u8>, Inline> {
        let mut length = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = *header.get(at).ok_or(Inline::More)?;
            at += 1;
            length |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if length > most {
                    return Err(Inline::TooLong);
                }
                let end = at + usize::try_from(length).map_err(|_| Inline::TooLong)?;
                let bytes = header.get(at..end).ok_or(Inline::More)?.to_vec();
                at = end;
                return Ok(bytes);
            }
        }
        Err(Inline::No)
    };
    let version = match string(256) {
        Ok(version) => version,
        // So long a version is none: this is no header.
        Err(Inline::TooLong) => return Inline::No,
        Err(other) => return other,
    };
    let info = BuildInfo { version, modules: Vec::new() };
    if !info.is_plausible() {
        return Inline::No;
    }
    match string(limit) {
        Ok(modules) => Inline::Whole(BuildInfo { modules, ..info }),
        Err(other) => other,
    }
}

/// The most places that may be a version, and the bytes kept of each.
const VERSIONS_MAX: usize = 1024;
const VERSION_BYTES: usize = 64;
/// The most lists of modules.
const LISTS_MAX: usize = 4;
const VERSION: &[u8] = b"go1.";

/// Everything in a file that an old header's pointers may lead to, by its place in the file.
#[derive(Debug)]
pub(super) struct Strings {
    limit: usize,
    /// The last bytes of the chunk before: what is sought may lie across.
    carry: Vec<u8>,
    versions: Vec<(u64, Vec<u8>)>,
    lists: Vec<List>,
}

#[derive(Debug)]
struct List {
    at: u64,
    bytes: Vec<u8>,
    open: bool,
}

impl Strings {
    pub(super) fn new(limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { limit, carry: Vec::new(), versions: Vec::new(), lists: Vec::new() }
    }

    pub(super) fn data(&mut self, at: u64, chunk: &[u8]) {
        // Those that the last chunk cut off: at most the bytes of one hold them all.
        for (_, bytes) in self.versions.iter_mut().rev().take(VERSION_BYTES / VERSION.len()) {
            let more = VERSION_BYTES.saturating_sub(bytes.len()).min(chunk.len());
            bytes.extend_from_slice(chunk.get(..more).unwrap_or_default());
        }
        if let Some(list) = self.lists.last_mut().filter(|l| l.open) {
            list.take(chunk, self.limit);
        }
        // Across the border, then inside.
        let mut border = std::mem::take(&mut self.carry);
        let carried = border.len();
        border.extend_from_slice(chunk.get(..chunk.len().min(START.len() - 1)).unwrap_or_default());
        let before = at - carried as u64;
        let tail = chunk;
        for place in hits(&border, VERSION).filter(|p| *p < carried && p + VERSION.len() > carried)
        {
            self.version(
                before + place as u64,
                &[border.get(place..carried).unwrap_or_default(), tail],
            );
        }
        for place in hits(&border, START).filter(|p| *p < carried && p + START.len() > carried) {
            self.list(
                before + place as u64,
                &[border.get(place..carried).unwrap_or_default(), tail],
            );
        }
        for place in hits(chunk, VERSION) {
            self.version(at + place as u64, &[chunk.get(place..).unwrap_or_default()]);
        }
        for place in hits(chunk, START) {
            self.list(at + place as u64, &[chunk.get(place..).unwrap_or_default()]);
        }
        let keep = START.len() - 1;
        if chunk.len() >= keep {
            self.carry = chunk.get(chunk.len() - keep..).unwrap_or_default().to_vec();
        } else {
            border.truncate(carried);
            border.extend_from_slice(chunk);
            self.carry = border.split_off(border.len().saturating_sub(keep));
        }
    }

    fn version(&mut self, at: u64, parts: &[&[u8]]) {
        if self.versions.len() < VERSIONS_MAX {
            let bytes = parts.iter().flat_map(|p| p.iter()).take(VERSION_BYTES).copied().collect();
            self.versions.push((at, bytes));
        }
    }

    fn list(&mut self, at: u64, parts: &[&[u8]]) {
        if self.lists.len() < LISTS_MAX && self.lists.last().is_none_or(|l| !l.open) {
            let mut list = List { at, bytes: Vec::new(), open: true };
            parts.iter().for_each(|part| list.take(part, self.limit));
            self.lists.push(list);
        }
    }

    /// The strings that an old header points to.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn resolve(
        &self,
        elf: Option<&Elf>,
        version: Option<Pointer>,
        modules: Option<Pointer>,
    ) -> Result<BuildInfo, &'static str> {
        let place = |p: &Pointer| elf.and_then(|elf| elf.file_offset(p.address));
        let version = version.ok_or("points outside of its data for the toolchain's version")?;
        let at =
            place(&version).ok_or("points outside of the program for the toolchain's version")?;
        let known = self.versions.iter().find(|(start, _)| *start == at);
        let version = known
            .and_then(|(_, bytes)| bytes.get(..usize::try_from(version.length).ok()?))
            .ok_or("points to a toolchain's version that is none of a release")?;
        let mut info = BuildInfo { version: version.to_vec(), modules: Vec::new() };
        let modules = modules.ok_or("points outside of its data for the list of modules")?;
        if modules.length > 0 {
            let at =
                place(&modules).ok_or("points outside of the program for the list of modules")?;
            let length = usize::try_from(modules.length).unwrap_or(usize::MAX);
            let known = self.lists.iter().find(|list| list.at == at);
            info.modules = known
                .and_then(|list| list.bytes.get(..length))
                .ok_or("points to no list of modules within the limits")?
                .to_vec();
        }
        Ok(info)
    }
}

impl List {
    /// Takes bytes up to and with the frame's end.
    fn take(&mut self, bytes: &[u8], limit: usize) {
        if !self.open {
            return;
        }
        let from = self.bytes.len().saturating_sub(END.len() - 1);
        self.bytes.extend_from_slice(bytes);
        let tail = self.bytes.get(from..).unwrap_or_default();
        if let Some(end) = memmem::find(tail, END) {
            self.bytes.truncate(from + end + END.len());
            self.open = false;
        }
        if self.bytes.len() > limit {
            self.bytes = Vec::new();
            self.open = false;
        }
    }
}

fn hits<'a>(text: &'a [u8], what: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    memmem::find_iter(text, what)
}
