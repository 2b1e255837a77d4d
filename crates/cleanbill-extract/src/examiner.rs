//! Examines one layer: is shown every entry, says whose content it wants, and keeps raw facts.
//! Holds one file at a time, and nothing of a file that nobody wants.

use std::collections::HashMap;

use cleanbill_core::gap::GapKind;
use cleanbill_core::layer::{Entry, EntryKind};

use crate::checksums::{Summing, Sums};
use crate::extractors::{Wanted, read, wanted};
use crate::facts::{Facts, FileFacts, LayerFacts, Part};
use crate::options::{Extra, Options};
use crate::program::Scanner;
use crate::rpm::Beside;
use crate::rust_binary;

/// Whether more of the open entry's content is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Nothing (more) of it.
    Skip,
    /// The next chunk.
    Read,
}

/// Takes the entries of one layer in order: [`open`](Self::open), then
/// [`data`](Self::data) as long as there is interest, then [`close`](Self::close).
#[derive(Debug)]
pub struct LayerExaminer {
    options: Options,
    /// What is wanted besides, by path.
    extra: HashMap<String, Vec<Extra>>,
    layer: LayerFacts,
    /// Files whose facts are counted, and their bytes.
    counted: (usize, u64),
    beside: Beside,
    open: Option<Open>,
}

/// Bytes of the smallest file that is looked at for a program: ELF's own header has 64.
const SMALLEST_PROGRAM: u64 = 64;

/// The entry that is being read.
#[derive(Debug)]
struct Open {
    entry: u32,
    path: String,
    /// What its content is read as, each with the name it is wanted by.
    wishes: Vec<Extra>,
    size: u64,
    content: Content,
    /// Its checksums so far, where a package may have brought it.
    sums: Option<Box<Summing>>,
    /// A part of it that is wanted by itself.
    part: Option<Collected>,
    /// Whether more of it is wanted for anything but the checksums.
    more: Interest,
}

/// A part of a file, as it is collected.
#[derive(Debug)]
struct Collected {
    part: Part,
    /// How many bytes of the file have gone by.
    offset: u64,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Content {
    /// All of it, so far.
    Whole(Vec<u8>),
    /// It turned out larger than allowed.
    TooLarge,
    /// A program, if it is one.
    Program(Box<Scanner>),
}

impl LayerExaminer {
    /// An examiner for one layer.
    pub fn new(options: &Options) -> Self {
        let mut extra: HashMap<String, Vec<Extra>> = HashMap::new();
        for one in &options.extra_paths {
            extra.entry(one.path.clone()).or_default().push(one.clone());
        }
        Self {
            options: options.clone(),
            extra,
            layer: LayerFacts::default(),
            counted: (0, 0),
            beside: Beside::new(options.file_bytes),
            open: None,
        }
    }

    /// Memory that the facts take so far, in bytes and roughly.
    pub fn bytes(&mut self) -> u64 {
        let (files, bytes) = &mut self.counted;
        let new = self.layer.files.get(*files..).unwrap_or_default();
        *bytes += new.iter().map(FileFacts::bytes).sum::<u64>();
        *files = self.layer.files.len();
        *bytes + self.layer.listing.bytes() as u64
    }

    /// Notes the next entry, and says whether its content is wanted.
    pub fn open(&mut self, entry: &Entry) -> Interest {
        self.close();
        let number = u32::try_from(self.layer.listing.len()).unwrap_or(u32::MAX);
        self.layer.listing.push(entry);
        if entry.kind != EntryKind::File {
            return Interest::Skip;
        }
        let (by_itself, wishes): (Vec<_>, Vec<_>) =
            self.wishes(&entry.path).into_iter().partition(|extra| extra.is_by_itself());
        let sums = by_itself.iter().any(|e| e.wanted == Wanted::Checksums).then(Box::default);
        let part = by_itself.iter().find_map(|extra| extra.part).map(Collected::new);
        let content = if wishes.is_empty() {
            if entry.size < SMALLEST_PROGRAM && by_itself.is_empty() {
                return Interest::Skip;
            }
            Content::Program(Box::new(Scanner::new(self.options.modinfo_bytes)))
        } else if entry.size > self.options.file_bytes {
            Content::TooLarge
        } else {
            Content::Whole(Vec::with_capacity(
                usize::try_from(entry.size).unwrap_or(0).min(1 << 20),
            ))
        };
        let path = entry.path.clone();
        let more = content.interest();
        let size = entry.size;
        let open = Open { entry: number, path, wishes, size, content, sums, part, more };
        self.open.insert(open).interest()
    }

    fn wishes(&self, path: &str) -> Vec<Extra> {
        let by_name = wanted(path).map(|wanted| Extra::whole(path, wanted, path));
        let extra = self.extra.get(path).into_iter().flatten();
        by_name.into_iter().chain(extra.cloned()).collect()
    }

    /// Takes the next chunk of the open entry's content, of any length.
    pub fn data(&mut self, chunk: &[u8]) -> Interest {
        let Some(open) = &mut self.open else { return Interest::Skip };
        if let Some(sums) = &mut open.sums {
            sums.data(chunk);
        }
        if let Some(part) = &mut open.part {
            part.data(chunk);
        }
        if open.more == Interest::Skip {
            return open.interest();
        }
        match &mut open.content {
            Content::Whole(bytes) => {
                if (bytes.len() + chunk.len()) as u64 > self.options.file_bytes {
                    open.content = Content::TooLarge;
                } else {
                    bytes.extend_from_slice(chunk);
                }
            }
            Content::TooLarge => {}
            Content::Program(scanner) => {
                open.more = scanner.data(chunk);
                return open.interest();
            }
        }
        open.more = open.content.interest();
        open.interest()
    }

    /// Ends the open entry and keeps what it says.
    pub fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let Open { entry, path, wishes, size, content, sums, part, more: _ } = open;
        // Of a file that ends too early they are another file's, and fit nothing.
        if let Some(sums) = sums {
            let facts = Facts { sums: Some(sums.finish()), ..Facts::default() };
            self.layer.files.push(FileFacts { entry, wanted: Wanted::Checksums, facts });
        }
        let crates = part.map(|part| rust_binary::crates(&part.bytes));
        if let Content::Program(scanner) = content {
            for (wanted, facts) in scanner.finish() {
                // Where the list is does not matter any more once it was read.
                if wanted != Wanted::RustProgram || crates.is_none() {
                    self.layer.files.push(FileFacts { entry, wanted, facts });
                }
            }
            let crates =
                crates.map(|facts| FileFacts { entry, wanted: Wanted::RustProgram, facts });
            self.layer.files.extend(crates);
            return;
        }
        let kinds: Vec<Wanted> = wishes.iter().map(|wish| wish.wanted).collect();
        for Extra { wanted, named, .. } in wishes {
            let facts = match &content {
                Content::Whole(bytes) if (bytes.len() as u64) < size => {
                    let mut facts = Facts::default();
                    let got = bytes.len();
                    facts.unreadable(format!("ends after {got} of its {size} bytes"));
                    facts
                }
                Content::Whole(bytes) => {
                    let mut facts = read(wanted, &named, bytes);
                    // Whether a package brought it is asked of what proves a language's package.
                    if facts.claims.iter().any(|claim| !claim.kind.is_os()) {
                        facts.sums = Some(Sums::of(bytes));
                    }
                    facts
                }
                Content::TooLarge | Content::Program(_) => {
                    let limit = self.options.file_bytes;
                    let mut facts = Facts::default();
                    let detail = format!("{size} bytes, more than the {limit} of a file's limit");
                    facts.problem(GapKind::OverLimit, detail);
                    facts
                }
            };
            self.layer.files.push(FileFacts { entry, wanted, facts });
        }
        let Content::Whole(bytes) = content else { return };
        // Of two facts of a file the later ones count.
        self.layer.files.extend(self.beside.take(entry, path, &kinds, bytes, size));
    }

    /// The facts of the whole layer.
    pub fn finish(mut self) -> LayerFacts {
        self.close();
        self.layer.listing.seal();
        self.layer.files.shrink_to_fit();
        self.layer
    }
}

impl Open {
    fn interest(&self) -> Interest {
        let whole = self.sums.is_some();
        let part = self.part.as_ref().is_some_and(Collected::wants_more);
        if whole || part { Interest::Read } else { self.more }
    }
}

impl Collected {
    fn new(part: Part) -> Self {
        Self { part, offset: 0, bytes: Vec::new() }
    }

    fn data(&mut self, chunk: &[u8]) {
        let Part { from, length } = self.part;
        let into = |place: u64| {
            let into = place.saturating_sub(self.offset);
            usize::try_from(into).unwrap_or(usize::MAX).min(chunk.len())
        };
        let (start, end) = (into(from), into(from.saturating_add(length)));
        self.bytes.extend_from_slice(chunk.get(start..end).unwrap_or_default());
        self.offset += chunk.len() as u64;
    }

    fn wants_more(&self) -> bool {
        self.offset < self.part.from.saturating_add(self.part.length)
    }
}

impl Content {
    fn interest(&self) -> Interest {
        match self {
            Self::Whole(_) | Self::Program(_) => Interest::Read,
            Self::TooLarge => Interest::Skip,
        }
    }
}
