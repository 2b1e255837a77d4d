//! `updateinfo.xml`, the errata in the metadata of a repository of rpm packages, in the form that
//! dnf reads (<https://github.com/rpm-software-management/createrepo_c>). Amazon's only feed of its
//! own: below the folder lies `<release>/<repository>/<architecture>/updateinfo.xml.gz`.
//!
//! An erratum says in which build a flaw is closed. So a flaw that is not closed yet is not in this
//! feed, and neither is one that the distribution never had. Errata without flaws (mended bugs) are
//! passed over.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::advisory::Feed;
use cleanbill_core::ecosystem::Stream;

use super::dates::Dates;
use super::errata::Errata;
use super::table::AMAZON;
use super::{Tally, entries, understood, unpacked};
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

pub(crate) mod extras;
pub(crate) mod repomd;
pub(crate) mod repositories;
mod xml;

use repositories::Publisher;

/// The file of one repository and architecture; gzip, zstd, or neither.
pub(crate) const FILE: &str = "updateinfo.xml.gz";

/// Reads Amazon's errata below `folder`. As old as the newest erratum.
///
/// # Errors
/// When a release lacks a file, one is no such list, or too much of it is not understood.
pub fn read_amazon(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    read(&AMAZON, folder, limits, into)
}

/// What is read so far.
struct Reading<'r> {
    publisher: &'r Publisher,
    into: &'r mut Gathered,
    tally: Tally,
    streams: Vec<Stream>,
    dates: Dates,
    advisories: u64,
}

impl Reading<'_> {
    /// Takes errata of a stream, which are there for these architectures.
    fn take(
        &mut self,
        errata: Errata,
        stream: &Stream,
        arches: &[&str],
        limits: &Limits,
    ) -> Result<()> {
        errata.dated(&mut self.dates);
        self.advisories += errata.len();
        errata.expand(stream, arches, limits, self.into)
    }
}

fn read(publisher: &Publisher, folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let (tally, streams, dates) = (Tally::default(), Vec::new(), Dates::new(limits));
    let mut reading = Reading { publisher, into, tally, streams, dates, advisories: 0 };
    for (name, path) in entries(folder)? {
        let Some(release) = publisher.releases.iter().find(|r| r.name == name) else {
            let unknown = format!("{}/{name}: a release that is not known here", publisher.id);
            reading.into.ignored.push(unknown);
            continue;
        };
        let mut errata = Errata::default();
        for repository in release.repositories {
            for arch in release.arches {
                let path = path.join(repository.name).join(arch).join(FILE);
                file(&path, limits, &mut errata, &mut reading.tally)?;
            }
        }
        if errata.len() == 0 {
            let message = format!("{}: no erratum of a flaw in it", path.display());
            return Err(Error::malformed(message));
        }
        let stream = Stream::release(publisher.ecosystem, release.name);
        reading
            .take(errata, &stream, release.arches, limits)
            .map_err(|e| e.within(path.display()))?;
        reading.streams.push(stream.clone());
        if release.extras.is_some() {
            extras::read(release, &stream, &path, limits, &mut reading)?;
        }
    }
    if reading.streams.is_empty() {
        let known: Vec<_> = publisher.releases.iter().map(|r| r.name).collect();
        let message =
            format!("{}: no release in it; known are {}", folder.display(), known.join(", "));
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let Reading { into, tally, streams, dates, advisories, .. } = reading;
    understood(publisher.id, tally.total, tally.not_understood, &tally.example, limits)?;
    let as_of = dates.newest(publisher.id, into);
    into.feeds.push(Feed {
        id: publisher.id.to_owned(),
        as_of,
        licence: publisher.licence.to_owned(),
        advisories,
        not_understood: tally.not_understood,
        streams,
    });
    Ok(())
}

fn file(path: &Path, limits: &Limits, errata: &mut Errata, tally: &mut Tally) -> Result<()> {
    let file = File::open(path).map_err(|e| {
        let missing = e.kind() == std::io::ErrorKind::NotFound;
        let error = Error::io(path, e);
        match missing {
            true => error.within("every repository and architecture of a release is needed"),
            false => error,
        }
    })?;
    unpacked::unpack(BufReader::new(file))
        .and_then(|xml| xml::parse(xml, limits, errata, tally))
        .map_err(|e| e.within(path.display()))
}

/// Reads one list, unpacked, as of an Amazon Linux: the entry for tests and fuzzing.
///
/// # Errors
/// When it is no such list, a limit is passed, or too much of it is not understood.
pub fn parse(from: impl Read, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let (mut errata, mut tally) = (Errata::default(), Tally::default());
    xml::parse(from, limits, &mut errata, &mut tally)?;
    understood(AMAZON.id, tally.total, tally.not_understood, &tally.example, limits)?;
    errata.expand(&Stream::release(AMAZON.ecosystem, "2023"), &["x86_64", "aarch64"], limits, into)
}

/// Reads any bytes as a table of contents, a list of mirrors and a catalogue of extras: the entry for
/// fuzzing.
pub fn fuzz_repomd(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(repomd::parse(&text));
    drop(repomd::mirror(&text, "x86_64"));
    drop(extras::topics(bytes));
}

#[cfg(test)]
mod tests;
