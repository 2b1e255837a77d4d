//! Finds the place of a named section while a file goes by: the header says where the table of
//! sections is, the table where the names are, and the name was seen on the way.

use memchr::memmem;

use crate::elf::{self, HEAD_MAX, Sections};
use crate::examiner::Interest;
use crate::facts::Part;

/// The section's name with its end. It stands among the names of sections, which are not mapped.
const NAME: &[u8] = b".dep-v0\0";
/// The most bytes of a table of sections; programs have some forty of 64 bytes.
const TABLE_MAX: u64 = 1 << 20;
/// The most places of the name that are kept.
const PLACES_MAX: usize = 64;

/// Reads one file.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// How many bytes have gone by.
    offset: u64,
    /// The beginning, until all headers are in it.
    head: Vec<u8>,
    looking: Option<Looking>,
    /// It is nothing that could have the section.
    given_up: bool,
}

#[derive(Debug)]
struct Looking {
    sections: Sections,
    /// Where what is mapped ends: names come behind it.
    mapped: u64,
    /// The table, as far as it has gone by.
    table: Vec<u8>,
    /// The last bytes, in which the name may begin.
    tail: Vec<u8>,
    /// Places of the name in the file.
    names: Vec<u64>,
}

impl Finder {
    /// Takes the next bytes.
    pub(crate) fn data(&mut self, chunk: &[u8]) -> Interest {
        if self.given_up {
            return Interest::Skip;
        }
        if let Some(looking) = &mut self.looking {
            looking.data(self.offset, chunk);
            self.offset += chunk.len() as u64;
            return Interest::Read;
        }
        self.head.extend_from_slice(chunk);
        if !elf::is_elf(&self.head) {
            self.given_up = true;
            return Interest::Skip;
        }
        let enough = match self.head.len() {
            0..64 => return Interest::Read,
            _ => elf::head_length(&self.head).unwrap_or(HEAD_MAX),
        };
        if self.head.len() < enough {
            return Interest::Read;
        }
        self.start();
        if self.given_up { Interest::Skip } else { Interest::Read }
    }

    /// Reads the headers, then goes on with the bytes that were held back for them.
    fn start(&mut self) {
        let head = std::mem::take(&mut self.head);
        let sections = elf::sections(&head).filter(|s| s.to - s.from <= TABLE_MAX);
        let (Some(sections), Some(elf)) = (sections, elf::parse(&head)) else {
            self.given_up = true;
            return;
        };
        let (table, tail, names) = (Vec::new(), Vec::new(), Vec::new());
        let mut looking = Looking { sections, mapped: elf.end(), table, tail, names };
        looking.data(0, &head);
        self.offset = head.len() as u64;
        self.looking = Some(looking);
    }

    /// Where the section is. Needs the whole file to have gone by.
    pub(crate) fn finish(mut self) -> Option<Part> {
        if self.looking.is_none() && !self.given_up && self.head.len() >= 64 {
            self.start();
        }
        let Looking { sections, table, names, .. } = self.looking?;
        let (from, length) = sections.named(&table, &names)?;
        (length > 0).then_some(Part { from, length })
    }
}

impl Looking {
    fn data(&mut self, at: u64, chunk: &[u8]) {
        let end = at + chunk.len() as u64;
        let cut = |from: u64, to: u64| {
            let into = |place: u64| usize::try_from(place.saturating_sub(at)).unwrap_or(usize::MAX);
            chunk.get(into(from).min(chunk.len())..into(to).min(chunk.len())).unwrap_or_default()
        };
        if self.sections.from < end && at < self.sections.to {
            self.table.extend_from_slice(cut(self.sections.from, self.sections.to));
        }
        if end > self.mapped {
            self.search(at.max(self.mapped), cut(self.mapped, end));
        }
    }

    /// Looks for the name in the next bytes behind what is mapped, which stand at this place.
    fn search(&mut self, at: u64, bytes: &[u8]) {
        if self.names.len() >= PLACES_MAX {
            return;
        }
        let keep = NAME.len() - 1;
        // Where the last bytes and the next meet.
        let mut seam = std::mem::take(&mut self.tail);
        let before = seam.len() as u64;
        seam.extend_from_slice(bytes.get(..keep.min(bytes.len())).unwrap_or_default());
        for hit in memmem::find_iter(&seam, NAME) {
            self.names.push((at - before) + hit as u64);
        }
        let room = PLACES_MAX.saturating_sub(self.names.len());
        self.names.extend(memmem::find_iter(bytes, NAME).take(room).map(|hit| at + hit as u64));
        let last = if bytes.len() >= keep { bytes } else { &seam };
        self.tail = last.get(last.len().saturating_sub(keep)..).unwrap_or_default().to_vec();
    }
}
