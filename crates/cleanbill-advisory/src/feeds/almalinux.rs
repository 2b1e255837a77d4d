//! AlmaLinux's errata, `<release>/errata.full.json` (<https://wiki.almalinux.org/documentation/errata.html>):
//! the same facts as OSV's zip of AlmaLinux, with the module stream and the architecture of each
//! build, which OSV leaves out.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::severity::Severity;
use serde::Deserialize;
use serde_json::Value;

use super::dates::Dates;
use super::errata::{ARCHES, Build, Errata, Erratum, version};
use super::listed::{self, Listed};
use super::osv::word;
use super::secdb::cve;
use super::{Tally, entries, is_cve, understood, unpacked};
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The feed's id, which is also the folder.
pub(crate) const ID: &str = "almalinux";
pub(crate) const FILE: &str = "errata.full.json";

#[derive(Deserialize)]
struct Item {
    id: String,
    #[serde(default)]
    issued_date: Option<i64>,
    #[serde(default)]
    updated_date: Option<i64>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    packages: Vec<Package>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    epoch: Option<String>,
    #[serde(default)]
    version: String,
    #[serde(default)]
    release: String,
    #[serde(default)]
    arch: String,
    /// `name:stream:version:context:arch`
    #[serde(default)]
    module: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    id: String,
    #[serde(rename = "type", default)]
    kind: String,
}

/// Reads every release below `folder`. As old as the newest erratum.
///
/// # Errors
/// When there is none, one is no such file, or too much of it is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading::new(limits, into);
    for (release, path) in entries(folder)? {
        if release.is_empty() || !release.bytes().all(|b| b.is_ascii_digit()) {
            reading.into.ignored.push(format!("{ID}/{release}: no release of AlmaLinux"));
            continue;
        }
        let path = path.join(FILE);
        let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
        unpacked::unpack(BufReader::new(file))
            .and_then(|json| reading.release(&release, json))
            .map_err(|e| e.within(path.display()))?;
    }
    if reading.feed.streams.is_empty() {
        let message = format!("{}: no release in it", folder.display());
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    reading.finish()
}

/// Reads one file, unpacked, as of release 9: the entry for tests and fuzzing.
///
/// # Errors
/// As [`read`].
pub fn parse(from: impl Read, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading::new(limits, into);
    reading.release("9", from)?;
    reading.finish()
}

fn feed() -> Feed {
    Feed {
        id: ID.to_owned(),
        as_of: None,
        licence: "MIT".to_owned(),
        advisories: 0,
        not_understood: 0,
        streams: Vec::new(),
    }
}

struct Reading<'r> {
    into: &'r mut Gathered,
    limits: &'r Limits,
    tally: Tally,
    dates: Dates,
    feed: Feed,
}

impl<'r> Reading<'r> {
    fn new(limits: &'r Limits, into: &'r mut Gathered) -> Self {
        let (tally, dates) = (Tally::default(), Dates::new(limits));
        Self { into, limits, tally, dates, feed: feed() }
    }

    fn release(&mut self, release: &str, from: impl Read) -> Result<()> {
        let mut list =
            List { errata: Errata::default(), limits: self.limits, tally: &mut self.tally };
        listed::read(&mut list, from, self.limits, "list of AlmaLinux's errata")?;
        let List { errata, .. } = list;
        if errata.len() == 0 {
            return Err(Error::malformed("no erratum of a flaw in it"));
        }
        errata.dated(&mut self.dates);
        self.feed.advisories += errata.len();
        let stream = Stream::release(Ecosystem::AlmaLinux, release);
        errata.expand(&stream, &ARCHES, self.limits, self.into)?;
        self.feed.streams.push(stream);
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let Self { into, limits, tally, dates, mut feed } = self;
        understood(ID, tally.total, tally.not_understood, &tally.example, limits)?;
        feed.not_understood = tally.not_understood;
        feed.as_of = dates.newest(ID, into);
        into.feeds.push(feed);
        Ok(())
    }
}

/// One release's errata while they are read.
struct List<'r> {
    errata: Errata,
    limits: &'r Limits,
    tally: &'r mut Tally,
}

impl Listed for List<'_> {
    type Item = Value;
    const LIST: &'static str = "data";

    fn item(&mut self, value: Value) -> Result<()> {
        let item: Item = match serde_json::from_value(value) {
            Ok(item) => item,
            Err(e) => {
                self.tally.missed(|| format!("an erratum: {e}"));
                return Ok(());
            }
        };
        let (erratum, wrong) = item.erratum();
        let is_flaw = item.kind == "security" || !erratum.cves.is_empty();
        match wrong {
            None if !is_flaw => return Ok(()),
            None => self.tally.took(),
            Some(why) => self.tally.missed(|| format!("{}: {why}", item.id)),
        }
        match erratum.id.is_empty() || erratum.builds.is_empty() {
            true => Ok(()),
            false => self.errata.add(erratum, self.limits),
        }
    }
}

impl Item {
    /// The erratum, and what of it could not be understood, the first.
    fn erratum(&self) -> (Erratum, Option<String>) {
        let mut wrong = None;
        let time = |seconds: Option<i64>| {
            let time = Timestamp::from_second(seconds?).ok()?;
            (time > Timestamp::UNIX_EPOCH).then_some(time)
        };
        let mut erratum = Erratum {
            id: self.id.clone(),
            severity: self.severity.as_deref().and_then(word).unwrap_or(Severity::Unknown),
            published: time(self.issued_date),
            modified: time(self.updated_date),
            ..Erratum::default()
        };
        for reference in self.references.iter().filter(|r| r.kind == "cve") {
            match cve(reference.id.trim()).filter(|id| is_cve(id)) {
                Some(id) => drop(erratum.cves.insert(id)),
                None => _ = wrong.get_or_insert(format!("{:?} is no id of a CVE", reference.id)),
            }
        }
        for package in self.packages.iter().filter(|p| p.arch != "src") {
            let epoch = package.epoch.as_deref().unwrap_or_default();
            let version = version(epoch, &package.version, &package.release);
            let module = package.module.as_deref().map(|label| {
                let mut parts = label.split(':');
                match (parts.next(), parts.next()) {
                    (Some(name), Some(stream)) if !name.is_empty() && !stream.is_empty() => {
                        Some(format!("{name}:{stream}"))
                    }
                    _ => None,
                }
            });
            if package.name.is_empty() || version.is_none() || module == Some(None) {
                let why =
                    format!("a package without a name, version or module: {:?}", package.name);
                wrong.get_or_insert(why);
            }
            if package.name.is_empty() {
                continue;
            }
            let build = Build { name: package.name.clone(), module: module.flatten(), version };
            // An architecture that is not named may be any.
            let arch = if package.arch.is_empty() { "noarch" } else { &package.arch };
            erratum.builds.entry(build).or_default().insert(arch.to_owned());
        }
        if self.kind == "security" && (self.id.is_empty() || erratum.builds.is_empty()) {
            wrong.get_or_insert_with(|| "it has no id, or names no package".to_owned());
        }
        (erratum, wrong)
    }
}
