//! Red Hat's VEX documents, one a flaw, in the form of CSAF 2.0
//! (<https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>): for each product
//! and package where the flaw stands, what is not fixed included. OSV's zip of Red Hat is made of
//! errata, and knows of fixes alone.
//!
//! Below the folder lie the archive of all documents, `vex.tar.zst`, and `documents/<year>/<name>`,
//! those that have changed since, which count instead; either may be missing. `deletions.csv` names
//! documents that count no more. `repository-to-cpe.json` says which products Red Hat's repositories
//! have; without it nothing is known of these.
//!
//! Kept is what is said of Red Hat Enterprise Linux, in the streams that OSV gives it
//! (`Red Hat:enterprise_linux:9::baseos`), and of its streams with longer support
//! (`Red Hat:rhel_eus:9.2::baseos`), which images are looked up in that name their repositories. Other
//! products are counted.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::ecosystem::Stream;

use super::{Tally, entries, tar, understood, unpacked};
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

mod cpe;
mod document;
mod products;
mod repositories;
mod statements;
#[cfg(test)]
mod tests;

use document::Document;
pub(crate) use repositories::FILE as REPOSITORIES;

/// The feed's id in a snapshot.
pub(crate) const ID: &str = "redhat";
/// All documents, as they are published.
pub(crate) const ARCHIVE: &str = "vex.tar.zst";
/// Documents that count instead of the archive's.
pub(crate) const DOCUMENTS: &str = "documents";
/// Documents that count no more.
pub(crate) const DELETIONS: &str = "deletions.csv";

/// How much larger one document, and all together, may be than those of other feeds: the largest
/// has 94 MB.
const LARGER: u64 = 4;

/// What is read so far.
struct Reading<'r> {
    limits: &'r Limits,
    into: &'r mut Gathered,
    tally: Tally,
    documents: u64,
    /// Documents that say something of Red Hat Enterprise Linux.
    taken: u64,
    /// Statements about other products.
    elsewhere: u64,
    /// Advisories that were made.
    made: u64,
    newest: Option<Timestamp>,
    streams: BTreeSet<Stream>,
}

/// Reads the documents below `folder`. As old as the newest document.
///
/// # Errors
/// When there are none, one of the files is damaged, or too much is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    repositories::read(folder, limits, into)?;
    let mut reading = Reading::new(limits, into);
    let changed = reading.folder(&folder.join(DOCUMENTS))?;
    let gone = deletions(&folder.join(DELETIONS), limits)?;
    let archive = folder.join(ARCHIVE);
    match File::open(&archive) {
        Ok(file) => {
            let unwanted = |name: &str| changed.contains(name) || gone.contains(name);
            reading
                .archive(BufReader::new(file), unwanted)
                .map_err(|e| e.within(archive.display()))?;
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(Error::io(&archive, e)),
    }
    if reading.documents == 0 {
        let message = format!("{}: neither {ARCHIVE} nor {DOCUMENTS} in it", folder.display());
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    reading.finish()
}

/// Reads one document: the entry for tests and fuzzing.
///
/// # Errors
/// When it is no such document, or too much of it is not understood.
pub fn parse(json: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading::new(limits, into);
    reading.document("it", json)?;
    reading.finish()
}

/// Reads a list of repositories: the entry for tests and fuzzing.
///
/// # Errors
/// When it is no such list, or too much of it is not understood.
pub fn parse_repositories(json: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    repositories::parse(json, limits, into)
}

/// Reads an archive of documents, packed or not: the entry for fuzzing.
///
/// # Errors
/// When it is none, or too much of it is not understood.
pub fn parse_archive(bytes: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading::new(limits, into);
    reading.archive(bytes, |_| false)?;
    reading.finish()
}

impl<'r> Reading<'r> {
    fn new(limits: &'r Limits, into: &'r mut Gathered) -> Self {
        Self {
            limits,
            into,
            tally: Tally::default(),
            documents: 0,
            taken: 0,
            elsewhere: 0,
            made: 0,
            newest: None,
            streams: BTreeSet::new(),
        }
    }

    /// Reads `<year>/<name>` below a folder, if it is there; returns what was read.
    fn folder(&mut self, folder: &Path) -> Result<BTreeSet<String>> {
        let mut read = BTreeSet::new();
        if !folder.is_dir() {
            return Ok(read);
        }
        for (year, path) in entries(folder)? {
            for (name, path) in entries(&path)? {
                let name = format!("{year}/{name}");
                if !is_document(&name) {
                    self.into.ignored.push(format!("{ID}/{DOCUMENTS}/{name}: no document's name"));
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
            entries: self.limits.documents,
        };
        let plain = |name: &str| name.strip_prefix("./").unwrap_or(name).to_owned();
        let wanted = |name: &str| {
            let name = plain(name);
            is_document(&name) && !unwanted(&name)
        };
        tar::read(unpacked::unpack(from)?, &bounds, wanted, |name, json| {
            self.document(&plain(name), &json)
        })
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
        self.newest = self.newest.max(date);
        let said = statements::read(&document, date);
        self.elsewhere = self.elsewhere.saturating_add(said.elsewhere);
        for why in said.wrong {
            self.tally.missed(|| format!("{name}: {why}"));
        }
        self.made = self.made.saturating_add(said.advisories.len() as u64);
        if self.made > self.limits.entries {
            let message = format!("more than {} entries", self.limits.entries);
            return Err(Error::new(ErrorKind::OverLimit, message));
        }
        self.taken += u64::from(!said.advisories.is_empty());
        for (stream, package, advisory) in said.advisories {
            self.tally.took();
            if !self.streams.contains(&stream) {
                self.streams.insert(stream.clone());
            }
            self.into.add(&stream, &package, advisory);
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let Self { tally, into, mut streams, .. } = self;
        let products: BTreeSet<String> = into.content_sets.values().flatten().cloned().collect();
        streams.extend(products::covered_with(&streams, products.into_iter()));
        understood(ID, tally.total, tally.not_understood, &tally.example, self.limits)?;
        if self.elsewhere > 0 {
            let count = self.elsewhere;
            into.ignored.push(format!(
                "{ID}: {count} statements about other products than Red Hat Enterprise Linux, or \
                 other things than its packages"
            ));
        }
        into.feeds.push(Feed {
            id: ID.to_owned(),
            as_of: self.newest,
            licence: "CC-BY-4.0".to_owned(),
            advisories: self.taken,
            not_understood: tally.not_understood,
            streams: streams.into_iter().collect(),
        });
        Ok(())
    }
}

/// Whether a name is one of a document, `2024/cve-2024-1234.json`: what a list from elsewhere names
/// is asked for by it.
pub(crate) fn is_document(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parts = |name: &str| {
        let (year, rest) = name.split_once("/cve-")?;
        let (of, number) = rest.strip_suffix(".json")?.split_once('-')?;
        Some(year.len() == 4 && digits(year) && of.len() == 4 && digits(of) && digits(number))
    };
    name.len() <= 64 && parts(name) == Some(true)
}

/// A row of a list of documents: `"2024/cve-2024-1234.json","2025-12-10T10:00:00+00:00"`. Other
/// documents than those of flaws are named in it too.
pub(crate) fn row(line: &str) -> Option<(&str, Option<Timestamp>)> {
    let (name, time) = line.split_once(',')?;
    let name = Some(name.trim().trim_matches('"')).filter(|name| is_document(name))?;
    Some((name, time.trim().trim_matches('"').parse().ok()))
}

/// The documents that a list of deletions names; none where there is no list.
fn deletions(path: &Path, limits: &Limits) -> Result<BTreeSet<String>> {
    if !path.exists() {
        return Ok(BTreeSet::new());
    }
    let text = String::from_utf8(super::document(path, limits)?)
        .map_err(|_| Error::malformed(format!("{}: it is not UTF-8", path.display())))?;
    Ok(text.lines().filter_map(row).map(|(name, _)| name.to_owned()).collect())
}
