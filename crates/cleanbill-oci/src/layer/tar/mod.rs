//! Our own bounded tar reader (the reasons: `docs/decisions/0002-own-tar-reader.md`).
//!
//! Reads what GNU tar, bsdtar, Go and Docker write: V7, ustar, star, GNU (long names, old
//! sparse), PAX (names, links, sizes, sparse 0.0, 0.1, 1.0). Where readers are known to differ it
//! either reads as Go's `archive/tar` does, which containerd, Docker and CRI-O unpack with, or
//! refuses. It must not interpret content, follow links or merge anything.

pub(crate) mod header;
pub(crate) mod path;
pub(crate) mod pax;
mod sparse;

use std::sync::Arc;

use cleanbill_core::layer::{Entry, EntryKind};

use self::header::{BLOCK, Block, Header, is_zero, text};
use self::path::Meaning;
use self::pax::Pax;
use self::sparse::{Piece, Sparse};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limit, Limits};

/// Why a tar ended too early.
pub(crate) const CUT_OFF: &str = "the tar is cut off";
/// Extended headers that may stand before one entry (its PAX header, GNU's name and link).
const EXTENDED_MAX: u32 = 8;
/// What holes are made of.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Bytes that run forward: a hashed stream, or a file that can skip.
pub(crate) trait Tape {
    /// Bytes before this point.
    fn position(&self) -> u64;
    /// At most this many of the next bytes; none only at the end.
    fn chunk(&mut self, most: u64) -> Result<&[u8]>;
    /// Whether there are no more bytes; after `false` the next [`Tape::chunk`] cannot fail.
    fn at_end(&mut self) -> Result<bool>;
    /// Passes over bytes, which must be there.
    fn skip(&mut self, bytes: u64) -> Result<()>;

    /// Whether what is below failed: then the position in the tar says nothing.
    fn failed(&self) -> bool;

    /// The next block, or `None` at the end.
    fn block(&mut self) -> Result<Option<Block>> {
        let mut block = [0; BLOCK];
        let mut at = 0;
        while let Some(rest) = block.get_mut(at..).filter(|r| !r.is_empty()) {
            let chunk = self.chunk(rest.len() as u64)?;
            match rest.get_mut(..chunk.len()) {
                Some(_) if chunk.is_empty() && at == 0 => return Ok(None),
                Some(space) if !chunk.is_empty() => space.copy_from_slice(chunk),
                Some(_) | None => return Err(Error::new(ErrorKind::Malformed, CUT_OFF)),
            }
            at += chunk.len();
        }
        Ok(Some(block))
    }
}

/// Reads entries from a tape.
pub(crate) struct TarReader<T> {
    tape: T,
    limits: Arc<Limits>,
    entries: u64,
    /// Bytes of the current entry's stored content that are still on the tape.
    remaining: u64,
    /// Zeros that follow it.
    padding: u64,
    sparse: Option<Sparse>,
    /// Bytes that all files so far would take, holes included.
    logical: u64,
    ended: bool,
}

/// The extended headers that were read for the entry to come.
#[derive(Default)]
struct Extended {
    pax: Option<Pax>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    count: u32,
}

fn malformed(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, why)
}

impl<T: Tape> TarReader<T> {
    pub(crate) fn new(tape: T, limits: Arc<Limits>) -> Self {
        Self {
            tape,
            limits,
            entries: 0,
            remaining: 0,
            padding: 0,
            sparse: None,
            logical: 0,
            ended: false,
        }
    }

    pub(crate) fn into_tape(self) -> T {
        self.tape
    }

    pub(crate) fn tape_mut(&mut self) -> &mut T {
        &mut self.tape
    }

    /// Where the current entry's stored content goes on, and whether it is stored as it is (not
    /// sparse). Only a seeking caller needs it.
    pub(crate) fn content_position(&self) -> (u64, bool) {
        (self.tape.position(), self.sparse.is_none())
    }

    /// The next entry; its content is what [`TarReader::read_chunk`] gives before the next call.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>> {
        loop {
            self.pass_content()?;
            if self.ended {
                return Ok(None);
            }
            let at = self.tape.position();
            match self.read_entry() {
                Ok(Step::Entry(entry)) => return Ok(Some(entry)),
                Ok(Step::Passed) => {}
                Ok(Step::End) => self.ended = true,
                Err(e) if e.kind() == ErrorKind::Malformed && !self.tape.failed() => {
                    return Err(e.within(format!("tar entry at byte {at}")));
                }
                Err(e) => return Err(e),
            }
        }
    }

    fn pass_content(&mut self) -> Result<()> {
        let rest = self.remaining.saturating_add(self.padding);
        (self.remaining, self.padding, self.sparse) = (0, 0, None);
        self.tape.skip(rest)
    }

    fn read_entry(&mut self) -> Result<Step> {
        let mut extended = Extended::default();
        loop {
            let dangling = || malformed("an extended header without an entry after it");
            let Some(block) = self.tape.block()? else {
                return if extended.count == 0 { Ok(Step::End) } else { Err(dangling()) };
            };
            if is_zero(&block) {
                return if extended.count == 0 { self.end() } else { Err(dangling()) };
            }
            let header = Header::parse(&block).map_err(malformed)?;
            extended.count += 1;
            if extended.count > EXTENDED_MAX {
                return Err(malformed("too many extended headers before one entry"));
            }
            match header.kind {
                b'x' => {
                    extended.pax = Some(Pax::parse(&self.take(header.size)?).map_err(malformed)?)
                }
                b'L' => extended.name = Some(text(&self.take(header.size)?).to_vec()),
                b'K' => extended.link = Some(text(&self.take(header.size)?).to_vec()),
                b'g' => {
                    // Go, and so every runtime, ignores what a global header says; GNU tar and
                    // bsdtar do not. Comments, as `git archive` writes them, hurt nobody.
                    let global = Pax::parse(&self.take(header.size)?).map_err(malformed)?;
                    if global.matters() {
                        return Err(malformed(
                            "a global header that sets names, links or sizes, about which readers disagree",
                        ));
                    }
                    if extended.count > 1 {
                        return Err(dangling());
                    }
                    extended.count = 0;
                    self.count()?;
                }
                _ => return self.entry(header, &block, extended),
            }
        }
    }

    /// After the first block of zeros: one more (or the end of the data), then zeros alone.
    ///
    /// Docker and containerd ignore what follows. We refuse it: the digests would cover bytes
    /// that nobody looked at, and a lenient reader (`tar -i`) sees more entries there.
    fn end(&mut self) -> Result<Step> {
        if let Some(second) = self.tape.block()?
            && !is_zero(&second)
        {
            return Err(malformed("one block of zeros and then more data"));
        }
        loop {
            let at = self.tape.position();
            let chunk = self.tape.chunk(u64::MAX)?;
            if chunk.is_empty() {
                return Ok(Step::End);
            }
            if !is_zero(chunk) {
                let from = chunk.iter().position(|b| *b != 0).unwrap_or(0) as u64;
                return Err(malformed(format!("data after the tar's end, at byte {}", at + from)));
            }
        }
    }

    /// The whole content of an extended header.
    fn take(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > self.limits.pax_bytes {
            return Err(self.limits.over(Limit::PaxBytes));
        }
        let mut data = Vec::new();
        let mut left = size;
        while left > 0 {
            let chunk = self.tape.chunk(left)?;
            if chunk.is_empty() {
                return Err(malformed(CUT_OFF));
            }
            data.extend_from_slice(chunk);
            left -= chunk.len() as u64;
        }
        self.tape.skip(padding(size))?;
        Ok(data)
    }

    fn count(&mut self) -> Result<()> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.limits.over(Limit::Entries));
        }
        Ok(())
    }

    /// Puts an entry together from its header and the extended ones before it.
    fn entry(&mut self, header: Header, block: &Block, extended: Extended) -> Result<Step> {
        self.count()?;
        let pax = extended.pax.unwrap_or_default();
        let mut stored = pax.size.unwrap_or(header.size);
        // GNU's long names win over PAX's, as in Go.
        let mut name =
            extended.name.filter(|n| !n.is_empty()).or(pax.path.clone()).unwrap_or(header.name);
        let link =
            extended.link.filter(|l| !l.is_empty()).or(pax.link.clone()).unwrap_or(header.link);
        let file = match header.kind {
            // Before POSIX a directory was a file whose name ends with a slash.
            0 if name.ends_with(b"/") => false,
            0 | b'0' | b'7' | b'S' => true,
            b'1'..=b'6' => false,
            other => {
                return Err(malformed(format!(
                    "{:?} is of the unknown type {:?}",
                    path::show(&name),
                    char::from(other)
                )));
            }
        };
        if !file {
            stored = 0;
        }
        self.remaining = stored;
        self.padding = padding(stored);
        let mut size = stored;
        let map = match (header.kind, &pax) {
            (b'S', _) if !header.gnu => {
                return Err(malformed("an old sparse file in a tar that is not GNU's"));
            }
            (b'S', _) => Some(sparse::old_gnu(block, &mut self.tape, &self.limits)?),
            _ => self.pax_sparse(&pax, stored, &mut name)?,
        };
        if let Some((map, real)) = map {
            if !file {
                return Err(malformed("a sparse entry that is no file"));
            }
            self.sparse = Some(Sparse::new(&map, real, self.remaining)?);
            size = real;
        }
        self.logical = self.logical.saturating_add(size);
        if self.logical > self.limits.layer_bytes {
            return Err(self.limits.over(Limit::LayerBytes));
        }
        let normal = path::normalise(&name, &self.limits)?;
        let kind = match header.kind {
            b'1' => EntryKind::Hardlink(path::normalise(&link, &self.limits)?),
            b'2' => EntryKind::Symlink(path::target(&link, &self.limits)?),
            b'3' | b'4' | b'6' => EntryKind::Special,
            _ if file => EntryKind::File,
            _ => EntryKind::Directory,
        };
        let (path, kind, size) = match path::meaning(normal)? {
            Meaning::Plain(path) => (path, kind, size),
            Meaning::Whiteout(path, kind) => (path, kind, 0),
            Meaning::Bookkeeping => return Ok(Step::Passed),
        };
        Ok(Step::Entry(Entry { path, kind, size, mode: header.mode }))
    }

    /// The list of parts and the real size of a sparse file in one of PAX's three versions.
    fn pax_sparse(
        &mut self,
        pax: &Pax,
        stored: u64,
        name: &mut Vec<u8>,
    ) -> Result<Option<(Vec<u64>, u64)>> {
        let version = (pax.sparse_major.as_deref(), pax.sparse_minor.as_deref());
        let one = match version {
            (Some(b"1"), Some(b"0")) => true,
            (Some(b"0"), Some(b"0" | b"1")) => false,
            (None, None) if pax.sparse_map.is_some() => false,
            (None, None) => return Ok(None),
            _ => return Err(malformed("a sparse file of an unknown version")),
        };
        if let Some(real) = &pax.sparse_name {
            name.clone_from(real);
        }
        let size = pax.sparse_size.or(pax.sparse_real_size).unwrap_or(stored);
        if !one {
            return Ok(Some((pax.sparse_map.clone().unwrap_or_default(), size)));
        }
        let (map, taken) = sparse::pax_1_0(&mut self.tape, stored, &self.limits)?;
        self.remaining = stored - taken;
        Ok(Some((map, size)))
    }

    /// Makes sure that [`TarReader::read_chunk`] cannot fail next.
    pub(crate) fn prepare_chunk(&mut self) -> Result<()> {
        let data = match &mut self.sparse {
            None => self.remaining > 0,
            Some(sparse) => matches!(sparse.peek(), Piece::Data(_)),
        };
        if data && self.tape.at_end()? {
            return Err(malformed(CUT_OFF));
        }
        Ok(())
    }

    /// More of the current file's content, or `None` at its end.
    pub(crate) fn read_chunk(&mut self) -> Result<Option<&[u8]>> {
        let most = match &mut self.sparse {
            None if self.remaining == 0 => return Ok(None),
            None => self.remaining,
            Some(sparse) => match sparse.peek() {
                Piece::End => return Ok(None),
                Piece::Zeros(n) => {
                    let n = n.min(ZEROS.len() as u64);
                    sparse.advance(n);
                    return Ok(ZEROS.get(..usize::try_from(n).unwrap_or(0)));
                }
                Piece::Data(n) => n,
            },
        };
        let chunk = self.tape.chunk(most)?;
        if chunk.is_empty() {
            return Err(malformed(CUT_OFF));
        }
        self.remaining = self.remaining.saturating_sub(chunk.len() as u64);
        if let Some(sparse) = &mut self.sparse {
            sparse.advance(chunk.len() as u64);
        }
        Ok(Some(chunk))
    }
}

enum Step {
    Entry(Entry),
    Passed,
    End,
}

/// Zeros that fill a content's last block.
fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}
