//! VEX documents in the form of CSAF 2.0 (<https://docs.oasis-open.org/csaf/csaf/v2.0/>), one a flaw,
//! as Red Hat and SUSE publish them: an archive of all, and single ones that have changed since. What
//! is common to both is here; what an id stands for, and what is made of a document, is a
//! publisher's own.
//!
//! Below a publisher's folder lie the archive and `documents/`, those that have changed since, which
//! count instead; either may be missing. `deletions.csv` names documents of the archive that are gone,
//! unless they have changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Feed};
use cleanbill_core::ecosystem::Stream;

use super::{Tally, tar, understood, unpacked};
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

pub(in crate::feeds) mod beside;
pub(in crate::feeds) mod document;
mod names;
pub(in crate::feeds) mod tree;

pub(crate) use names::Names;

use document::Document;

/// Documents that count instead of the archive's.
pub(crate) const DOCUMENTS: &str = "documents";
/// Documents that count no more.
pub(crate) const DELETIONS: &str = "deletions.csv";

/// How much larger one document, and all together, may be than those of other feeds: the largest of
/// Red Hat's has 94 MB.
const LARGER: u64 = 4;

/// Who publishes such documents, and how theirs are read.
pub(crate) struct Publisher {
    /// Its feed's id, which is also the folder.
    pub(crate) id: &'static str,
    /// All documents, as they are published.
    pub(crate) archive: &'static str,
    /// What documents are called.
    pub(crate) names: Names,
    /// What the statements are about that are not kept, for people.
    pub(in crate::feeds) others: &'static str,
    /// What a document says; the time is that of its last change.
    pub(in crate::feeds) said: fn(&Document<'_>, Option<Timestamp>) -> Said,
    /// The streams that are covered where these are spoken of, by all that was gathered; those
    /// themselves are.
    pub(in crate::feeds) covered_with: fn(&BTreeSet<Stream>, &Gathered) -> Vec<Stream>,
}

/// What a document says.
#[derive(Default)]
pub(in crate::feeds) struct Said {
    /// Streams and package names with what is said of each.
    pub advisories: Vec<(Stream, String, Advisory)>,
    /// The streams that it speaks of, whatever it says.
    pub spoken_of: BTreeSet<Stream>,
    /// Statements about something else than packages of the publisher's distribution.
    pub elsewhere: u64,
    /// How much could not be understood.
    pub wrong: u64,
    /// The first of it, for people.
    pub example: String,
}

impl Said {
    /// Counts something that could not be understood; only the first is told.
    pub(in crate::feeds) fn missed(&mut self, why: &str) {
        self.wrong += 1;
        if self.example.is_empty() {
            why.clone_into(&mut self.example);
        }
    }
}

/// What is read so far.
struct Reading<'r> {
    publisher: &'r Publisher,
    limits: &'r Limits,
    into: &'r mut Gathered,
    tally: Tally,
    documents: u64,
    /// Documents that say something that is kept.
    taken: u64,
    /// Statements about other products.
    elsewhere: u64,
    /// Advisories that were made.
    made: u64,
    newest: Option<Timestamp>,
    streams: BTreeSet<Stream>,
    /// Documents of the archive that are gone, and since when: one that has changed since is there.
    gone: BTreeMap<String, Option<Timestamp>>,
}

impl Publisher {
    /// Reads the documents below `folder`. As old as the newest document.
    ///
    /// # Errors
    /// When there are none, one of the files is damaged, or too much is not understood.
    pub(in crate::feeds) fn read(
        &self,
        folder: &Path,
        limits: &Limits,
        into: &mut Gathered,
    ) -> Result<()> {
        let mut reading = Reading::new(self, limits, into);
        let changed = reading.folder(&folder.join(DOCUMENTS))?;
        let gone = self.deletions(&folder.join(DELETIONS), limits)?;
        let archive = folder.join(self.archive);
        match File::open(&archive) {
            Ok(file) => {
                reading.gone = gone;
                reading
                    .archive(BufReader::new(file), |name| changed.contains(name))
                    .map_err(|e| e.within(archive.display()))?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io(&archive, e)),
        }
        if reading.documents == 0 {
            let neither = format!("neither {} nor {DOCUMENTS} in it", self.archive);
            let message = format!("{}: {neither}", folder.display());
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        reading.finish()
    }

    /// Reads one document: the entry for tests and fuzzing.
    ///
    /// # Errors
    /// When it is no such document, or too much of it is not understood.
    pub(in crate::feeds) fn parse(
        &self,
        json: &[u8],
        limits: &Limits,
        into: &mut Gathered,
    ) -> Result<()> {
        let mut reading = Reading::new(self, limits, into);
        reading.document("it", json)?;
        reading.finish()
    }

    /// Reads an archive of documents, packed or not: the entry for fuzzing.
    ///
    /// # Errors
    /// When it is none, or too much of it is not understood.
    pub(in crate::feeds) fn parse_archive(
        &self,
        bytes: &[u8],
        limits: &Limits,
        into: &mut Gathered,
    ) -> Result<()> {
        let mut reading = Reading::new(self, limits, into);
        reading.archive(bytes, |_| false)?;
        reading.finish()
    }

    /// The documents that a list of deletions names, and since when they are gone, where it says so;
    /// none where there is no list.
    fn deletions(
        &self,
        path: &Path,
        limits: &Limits,
    ) -> Result<BTreeMap<String, Option<Timestamp>>> {
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        let text = String::from_utf8(super::document(path, limits)?)
            .map_err(|_| Error::malformed(format!("{}: it is not UTF-8", path.display())))?;
        let rows = text.lines().filter_map(|line| self.names.row(line));
        Ok(rows.map(|(name, time)| (name.to_owned(), time)).collect())
    }
}

impl<'r> Reading<'r> {
    fn new(publisher: &'r Publisher, limits: &'r Limits, into: &'r mut Gathered) -> Self {
        Self {
            publisher,
            limits,
            into,
            tally: Tally::default(),
            documents: 0,
            taken: 0,
            elsewhere: 0,
            made: 0,
            newest: None,
            streams: BTreeSet::new(),
            gone: BTreeMap::new(),
        }
    }

    /// Reads the documents below a folder, if it is there; returns what was read.
    fn folder(&mut self, folder: &Path) -> Result<BTreeSet<String>> {
        let mut read = BTreeSet::new();
        for (name, path) in self.publisher.names.below(folder)? {
            if !self.publisher.names.is_document(&name) {
                let id = self.publisher.id;
                self.into.ignored.push(format!("{id}/{DOCUMENTS}/{name}: no document's name"));
                continue;
            }
            let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
            let most = self.most();
            let mut json = Vec::new();
            file.take(most.saturating_add(1))
                .read_to_end(&mut json)
                .map_err(|e| Error::io(&path, e))?;
            if json.len() as u64 > most {
                let message = format!("{}: larger than {most} bytes", path.display());
                return Err(Error::new(ErrorKind::OverLimit, message));
            }
            self.document(&name, &json)?;
            read.insert(name);
        }
        Ok(read)
    }

    fn most(&self) -> u64 {
        self.limits.document_bytes.saturating_mul(LARGER)
    }

    fn archive(
        &mut self,
        from: impl std::io::BufRead,
        unwanted: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let bounds = tar::Bounds {
            total: self.limits.total_bytes.saturating_mul(LARGER),
            file: self.most(),
            entries: self.limits.documents.saturating_mul(self.publisher.names.entries()),
        };
        let names = self.publisher.names;
        let wanted = |name: &str| {
            let name = names.in_archive(name);
            names.is_document(name) && !unwanted(name)
        };
        let mut unpacked = unpacked::unpack(from)?;
        tar::read(&mut unpacked, &bounds, wanted, |name, json| {
            self.document(names.in_archive(name), &json)
        })?;
        // A hash of what was packed stands at its very end, behind that of the tar.
        let mut rest = unpacked.take(bounds.total);
        std::io::copy(&mut rest, &mut std::io::sink()).map(drop).map_err(tar::broken)
    }

    /// Reads one document. One that is none is counted.
    fn document(&mut self, name: &str, json: &[u8]) -> Result<()> {
        self.documents += 1;
        if self.documents > self.limits.documents {
            let message = format!("more than {} documents", self.limits.documents);
            return Err(Error::new(ErrorKind::OverLimit, message));
        }
        let document: Document<'_> = match serde_json::from_slice(json) {
            Ok(document) => document,
            Err(e) => {
                self.tally.missed(|| format!("{name}: no CSAF document: {e}"));
                return Ok(());
            }
        };
        if let Err(why) = document.is_expected() {
            self.tally.missed(|| format!("{name}: {why}"));
            return Ok(());
        }
        if document.is_deleted() {
            return Ok(());
        }
        let date = document.date();
        if self.gone.get(name).is_some_and(|gone| gone.is_none() || *gone >= date) {
            return Ok(());
        }
        self.newest = self.newest.max(date);
        self.take(name, (self.publisher.said)(&document, date))
    }

    /// Takes what a document says.
    fn take(&mut self, name: &str, said: Said) -> Result<()> {
        self.elsewhere = self.elsewhere.saturating_add(said.elsewhere);
        for _ in 0..said.wrong {
            self.tally.missed(|| format!("{name}: {}", said.example));
        }
        self.made = self.made.saturating_add(said.advisories.len() as u64);
        if self.made > self.limits.entries {
            let message = format!("more than {} entries", self.limits.entries);
            return Err(Error::new(ErrorKind::OverLimit, message));
        }
        for stream in said.spoken_of {
            self.streams.insert(stream);
        }
        self.taken += u64::from(!said.advisories.is_empty());
        for (stream, package, advisory) in said.advisories {
            self.tally.took();
            self.into.add(&stream, &package, advisory);
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let Self { tally, into, publisher, mut streams, .. } = self;
        let covered = (publisher.covered_with)(&streams, into);
        streams.extend(covered);
        let id = publisher.id;
        understood(id, tally.total, tally.not_understood, &tally.example, self.limits)?;
        if self.elsewhere > 0 {
            let (count, others) = (self.elsewhere, publisher.others);
            into.ignored.push(format!("{id}: {count} statements about {others}"));
        }
        into.feeds.push(Feed {
            id: id.to_owned(),
            as_of: self.newest,
            licence: "CC-BY-4.0".to_owned(),
            advisories: self.taken,
            not_understood: tally.not_understood,
            streams: streams.into_iter().collect(),
        });
        Ok(())
    }
}
