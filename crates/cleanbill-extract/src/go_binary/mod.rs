//! Go programs: any ELF file, found by its content and read once from front to back, with a few
//! megabytes of it in memory at most.
//!
//! Since Go 1.18 the build information stands in the data segment as it is. Before, the data
//! segment holds pointers to strings, whose bytes lie in an earlier segment and have gone by when
//! the pointers are found: so everything that can be such a string (a list of modules has a
//! frame, versions begin with `go1.`) is kept with its place in the file.

mod buildinfo;
mod search;
#[cfg(test)]
mod tests;

use cleanbill_core::gap::GapKind;

use self::buildinfo::BuildInfo;
use self::search::{Data, Found, Strings};
use crate::elf::{self, HEAD_MAX};
use crate::examiner::Interest;
use crate::facts::Facts;

/// The beginning of a file that the linker's note, and a packer's mark, are looked for in.
const NOTES: usize = 4096;

/// Reads one file.
#[derive(Debug)]
pub(crate) struct Scanner {
    limit: u64,
    /// How many bytes have gone by.
    offset: u64,
    /// The beginning, until all headers are in it.
    head: Vec<u8>,
    body: Option<Body>,
}

/// What comes after the headers.
#[derive(Debug)]
struct Body {
    /// Whether the linker's note says that it is Go's.
    is_go: bool,
    packed: bool,
    strings: Strings,
    data: Data,
}

impl Scanner {
    /// A scanner for one file; a list of modules may have this many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, offset: 0, head: Vec::new(), body: None }
    }

    /// Takes the next bytes. Nothing more is wanted of what is no ELF file, or is understood.
    pub(crate) fn data(&mut self, chunk: &[u8]) -> Interest {
        if let Some(body) = &mut self.body {
            let at = self.offset;
            self.offset += chunk.len() as u64;
            return body.data(at, chunk);
        }
        self.head.extend_from_slice(chunk);
        if !elf::is_elf(&self.head) {
            return Interest::Skip;
        }
        let enough = match self.head.len() {
            0..64 => return Interest::Read,
            _ => elf::head_length(&self.head).unwrap_or(HEAD_MAX).max(NOTES),
        };
        if self.head.len() < enough { Interest::Read } else { self.start() }
    }

    /// Reads the headers, then goes on with the bytes that were held back for them.
    fn start(&mut self) -> Interest {
        let head = std::mem::take(&mut self.head);
        let known = elf::head_length(&head).is_some_and(|length| length <= head.len());
        let elf = known.then(|| elf::parse(&head)).flatten();
        let near = head.get(..head.len().min(NOTES)).unwrap_or_default();
        let notes: [&[u8]; 2] = [b"\x04\0\0\0Go\0\0", b"\0\0\0\x04Go\0\0"];
        let holds = |bytes: &[u8]| memchr::memmem::find(near, bytes).is_some();
        let mut body = Body {
            is_go: notes.into_iter().any(holds),
            packed: holds(b"UPX!"),
            strings: Strings::new(self.limit),
            data: Data::new(elf, self.limit),
        };
        let interest = body.data(0, &head);
        self.offset = head.len() as u64;
        self.body = Some(body);
        interest
    }

    /// What the program says of itself; `None` for what is no Go program as far as can be seen.
    pub(crate) fn finish(mut self) -> Option<Facts> {
        if self.body.is_none() {
            if self.head.len() < 64 || !elf::is_elf(&self.head) {
                return None;
            }
            self.start();
        }
        let body = self.body?;
        let mut facts = Facts::default();
        let (found, elf) = body.data.finish();
        match found {
            Found::Inline(info) => return Some(buildinfo::facts(&info)),
            Found::Pointers { version, modules } => {
                match body.strings.resolve(elf.as_ref(), version, modules) {
                    Ok(info) => return Some(buildinfo::facts(&info)),
                    Err(why) => {
                        facts.unreadable(format!("the build information of this Go program {why}"))
                    }
                }
            }
            Found::TooLong => {
                let limit = self.limit;
                let detail =
                    format!("its list of modules is longer than the limit of {limit} bytes");
                facts.problem(GapKind::OverLimit, detail);
            }
            Found::Damaged(why) => {
                facts.unreadable(format!("the build information of this Go program {why}"));
            }
            Found::Nothing if body.packed => {
                let detail = "is packed by UPX: what it was built from cannot be seen";
                facts.problem(GapKind::UnidentifiedVersion, detail);
            }
            Found::Nothing if body.is_go => {
                let detail = "is a Go program without build information";
                facts.problem(GapKind::UnidentifiedVersion, detail);
            }
            Found::Nothing => return None,
        }
        Some(facts)
    }
}

impl Body {
    fn data(&mut self, at: u64, chunk: &[u8]) -> Interest {
        self.strings.data(at, chunk);
        if self.data.data(at, chunk) { Interest::Skip } else { Interest::Read }
    }
}

/// Reads a whole file that is in memory: the entry point of fuzzing.
pub(crate) fn scan(bytes: &[u8], limit: u64, chunk: usize) -> Option<Facts> {
    let mut scanner = Scanner::new(limit);
    for chunk in bytes.chunks(chunk.max(1)) {
        if scanner.data(chunk) == Interest::Skip {
            break;
        }
    }
    scanner.finish()
}

/// A string's header, as Go keeps strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pointer {
    /// The address of the string's bytes.
    address: u64,
    /// Their number.
    length: u64,
}

impl BuildInfo {
    fn is_plausible(&self) -> bool {
        self.version.starts_with(b"go") || self.version.starts_with(b"devel")
    }
}
