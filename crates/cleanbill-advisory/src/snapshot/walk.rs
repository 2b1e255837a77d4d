//! A snapshot from its first key to its last, one block in memory at a time, and the whole check
//! of one that comes from elsewhere. It may not skip a record that it cannot read.

use cleanbill_core::advisory::{Advisory, FlawFacts};

use super::Snapshot;
use super::block::Block;
use super::index::Entry;
use crate::error::{Error, Result};

/// The advisories of one package in one stream.
pub type Record = ((String, String), Vec<Advisory>);

/// What a snapshot holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Packages, each in one stream.
    pub packages: u64,
    /// Advisories of all of them.
    pub advisories: u64,
    /// Flaws of which something is known, whatever package has them.
    pub flaws: u64,
}

impl Snapshot {
    /// Every stream and package name with its advisories, in the order of these keys; after an
    /// error nothing more comes. Two snapshots can be walked side by side.
    pub fn records(&self) -> impl Iterator<Item = Result<Record>> {
        Records { snapshot: self, blocks: self.block_entries().iter(), open: None, last: None }
    }

    /// Every flaw of which something is known, in the order of ids.
    pub fn flaws(&self) -> impl Iterator<Item = Result<(String, FlawFacts)>> {
        self.flaw_entries().iter().flat_map(|entry| {
            let (all, failed) = match self.flaws_of(entry) {
                Ok(flaws) => (flaws.into_all(), None),
                Err(e) => (Vec::new(), Some(Err(e))),
            };
            all.into_iter().map(Ok).chain(failed)
        })
    }

    /// Reads all of it: the hash and form of every block, every record, and that keys are in
    /// order, without which look-ups would miss what is there. Takes longer than
    /// [`Snapshot::verify`], which trusts the program that wrote the blocks.
    ///
    /// # Errors
    /// When any of it is damaged or not as this program writes it.
    pub fn contents(&self) -> Result<Contents> {
        let mut contents = Contents::default();
        for record in self.records() {
            contents.packages += 1;
            contents.advisories += record?.1.len() as u64;
        }
        let mut last: Option<String> = None;
        for flaw in self.flaws() {
            let (id, _) = flaw?;
            if last.as_ref().is_some_and(|before| *before >= id) {
                return Err(self.out_of_order(&id));
            }
            last = Some(id);
            contents.flaws += 1;
        }
        Ok(contents)
    }

    fn out_of_order(&self, at: &str) -> Error {
        Error::malformed(format!("{}: the record of {at} is not in its place", self.name()))
    }
}

struct Records<'s> {
    snapshot: &'s Snapshot,
    blocks: std::slice::Iter<'s, Entry>,
    /// The block that is being read, and the number of its next record.
    open: Option<(Block, usize)>,
    last: Option<(String, String)>,
}

impl Records<'_> {
    fn advance(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some((block, number)) = &mut self.open
                && let Some(record) = block.record_at(*number)
            {
                *number += 1;
                let of = |why| {
                    let name = self.snapshot.name();
                    Error::malformed(format!("{name}: a record of a block: {why}"))
                };
                let (key, advisories) = record.map_err(of)?;
                if self.last.as_ref().is_some_and(|last| *last >= key) {
                    return Err(self.snapshot.out_of_order(&format!("{} {}", key.0, key.1)));
                }
                self.last = Some(key.clone());
                return Ok(Some((key, advisories)));
            }
            let Some(entry) = self.blocks.next() else { return Ok(None) };
            let block = self.snapshot.block_of(entry)?;
            if block.first_key().is_some_and(|(stream, name)| {
                (stream, name) != (entry.first.0.as_str(), entry.first.1.as_str())
            }) {
                let at = format!("{} {}", entry.first.0, entry.first.1);
                return Err(self.snapshot.out_of_order(&at));
            }
            self.open = Some((block, 0));
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.open = None;
            self.blocks = [].iter();
        }
        next.transpose()
    }
}
