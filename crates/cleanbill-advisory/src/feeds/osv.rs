//! OSV (<https://ossf.github.io/osv-schema/>): `<Ecosystem>/all.zip`, one JSON document an entry,
//! as the publishers of language and distribution advisories share it.
//!
//! Entries are read one at a time from the zip; nothing is unpacked, and names inside the zip are
//! not used as paths. Of each document only facts are kept. What another ecosystem's zip also
//! holds (an entry may concern several) is taken from that zip only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Feed, State};
use cleanbill_core::ecosystem::{Ecosystem, Stream, Suffix};
use cleanbill_core::matching::red_hat_main;
use cleanbill_core::severity::Severity;
use serde::Deserialize;

use super::dates::Dates;
use super::few::{few, texts};
use super::osv_ids::{Ids, is_erratum};
use super::osv_licences::licence;
use super::osv_ranges::{self, Affected};
use super::zipped::{self, Document};
use super::{SOURCE, Tally, entries, understood};
use crate::cvss::base_score;
use crate::error::{Error, Result};
use crate::gather::{Gathered, ID, NAME};
use crate::limits::Limits;

/// The file in each ecosystem's folder.
pub(crate) const FILE: &str = "all.zip";

/// The most ids, and ratings, and packages of one entry. The most that were seen are 140, 3 and 516.
const IDS: usize = 5_000;
pub(super) const RATINGS: usize = 100;
const AFFECTED: usize = 50_000;
/// The most texts that are made of one entry: each of its flaws has the versions of each package.
const TEXTS: usize = 2_000_000;

#[derive(Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    modified: Option<String>,
    #[serde(default)]
    published: Option<String>,
    #[serde(default)]
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "few::<_, _, IDS>")]
    aliases: Option<Vec<String>>,
    #[serde(default, deserialize_with = "few::<_, _, IDS>")]
    related: Option<Vec<String>>,
    #[serde(default, deserialize_with = "few::<_, _, IDS>")]
    upstream: Option<Vec<String>>,
    #[serde(default, deserialize_with = "few::<_, _, RATINGS>")]
    severity: Option<Vec<Rating>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default, deserialize_with = "few::<_, _, AFFECTED>")]
    affected: Option<Vec<Affected>>,
    #[serde(default)]
    database_specific: Option<Specific>,
}

/// A severity of the schema: a type such as `CVSS_V3` and a vector, or a vendor's word.
#[derive(Clone, Deserialize)]
pub(super) struct Rating {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    score: Option<String>,
}

/// What counts of a `database_specific` or `ecosystem_specific`, which may hold anything.
#[derive(Default)]
pub(super) struct Specific {
    severity: Option<String>,
    /// Who can have the fix: Ubuntu says so where it needs a subscription.
    availability: Option<String>,
    pub last_known_affected: Option<String>,
}

impl<'de> Deserialize<'de> for Specific {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let keys = ["severity", "availability", "last_known_affected_version_range"];
        let [severity, availability, last_known_affected] = texts(keys, from)?;
        Ok(Self { severity, availability, last_known_affected })
    }
}

/// One understood entry.
#[derive(Debug)]
pub struct Parsed {
    /// Its own id.
    pub id: String,
    /// Its last change, where it has a believable date.
    pub modified: Option<Timestamp>,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// Streams and package names with what is said of each.
    pub affected: Vec<(Stream, String, Advisory)>,
}

/// Reads every `<Ecosystem>/all.zip` below `folder`.
///
/// # Errors
/// When a zip is missing or damaged, a limit is passed, or too much is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    for (name, path) in entries(folder)? {
        match Ecosystem::named(&name) {
            Some(ecosystem) => zip(&path.join(FILE), ecosystem, limits, into)?,
            None => into.ignored.push(format!("osv/{name}: an ecosystem that is not known here")),
        }
    }
    Ok(())
}

fn zip(path: &Path, ecosystem: Ecosystem, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    archive(file, ecosystem, limits, into).map_err(|e| e.within(path.display()))
}

/// Reads one ecosystem's zip.
///
/// # Errors
/// When it is no zip, a limit is passed, none of its entries names the ecosystem, or too many are not
/// understood.
pub fn archive(
    from: impl Read + std::io::Seek,
    ecosystem: Ecosystem,
    limits: &Limits,
    into: &mut Gathered,
) -> Result<()> {
    let mut reading = Reading {
        ecosystem,
        dates: Dates::new(limits),
        newest: BTreeMap::new(),
        tally: Tally::default(),
        elsewhere: 0,
        again: 0,
    };
    let most = limits.document_bytes;
    let lost = zipped::read(from, limits, most, |_| true, |document| reading.document(&document))?;
    reading.tally.missed_all(lost, || "entries that another has the name of".to_owned());
    reading.finish(limits, into)
}

/// What is read of a zip so far.
struct Reading {
    ecosystem: Ecosystem,
    dates: Dates,
    /// The entries by their ids.
    newest: BTreeMap<String, Parsed>,
    tally: Tally,
    /// Entries that name other ecosystems alone.
    elsewhere: u64,
    /// Entries with the id of another.
    again: u64,
}

impl Reading {
    fn document(&mut self, document: &Document<'_>) {
        let mut parsed = match parse(document.bytes, self.ecosystem) {
            Ok(parsed) => parsed,
            Err(e) => return self.tally.missed(|| format!("{}: {e}", document.name)),
        };
        match (parsed.affected.is_empty(), parsed.withdrawn) {
            (false, _) => self.tally.took(),
            // It takes back what another entry of its id says.
            (true, true) => {}
            (true, false) => {
                self.elsewhere += 1;
                return;
            }
        }
        parsed.modified = self.dates.see(parsed.modified);
        // The later change wins, and of two without a date the later in the zip.
        let known = self.newest.get(&parsed.id).map(|known| known.modified);
        self.again += u64::from(known.is_some());
        if known.is_none_or(|known| known <= parsed.modified) {
            self.newest.insert(parsed.id.clone(), parsed);
        }
    }

    fn finish(self, limits: &Limits, into: &mut Gathered) -> Result<()> {
        let Self { ecosystem, dates, newest, tally, elsewhere, again } = self;
        let feed = format!("osv:{ecosystem}");
        // Else every image with packages of the ecosystem would look clean.
        if tally.total == 0 {
            return Err(Error::malformed(format!("{feed}: no entry in it names {ecosystem}")));
        }
        understood(&feed, tally.total, tally.not_understood, &tally.example, limits)?;
        for (count, what) in [
            (elsewhere, "entries that name other ecosystems alone"),
            (
                again,
                "entries with the id of another, of which the one that was changed last counts",
            ),
        ] {
            if count > 0 {
                into.ignored.push(format!("{feed}: {count} {what}"));
            }
        }
        let as_of = dates.newest(&feed, into);
        let mut streams = BTreeSet::new();
        if !ecosystem.has_releases() && tally.taken > 0 {
            streams.insert(Stream::of(ecosystem));
        }
        let mut advisories = 0;
        for parsed in newest.into_values() {
            // A withdrawn entry still shows that its feed speaks of these streams.
            streams.extend(parsed.affected.iter().map(|(stream, ..)| stream.clone()));
            if !parsed.withdrawn {
                advisories += 1;
                for (stream, package, advisory) in parsed.affected {
                    into.add(&stream, &package, advisory);
                }
            }
        }
        into.feeds.push(Feed {
            id: feed,
            as_of,
            licence: licence(ecosystem).to_owned(),
            advisories,
            not_understood: tally.not_understood,
            streams: streams.into_iter().collect(),
        });
        Ok(())
    }
}

/// Reads one OSV document and keeps what it says about `ecosystem`.
///
/// # Errors
/// When it is no OSV document, names no package, or is of a shape that is not understood.
pub fn parse(document: &[u8], ecosystem: Ecosystem) -> Result<Parsed> {
    let entry: Entry = serde_json::from_slice(document)
        .map_err(|e| Error::malformed("no OSV document").because(e))?;
    if entry.id.is_empty() {
        return Err(Error::malformed("its id is empty"));
    }
    let others = [&entry.aliases, &entry.related, &entry.upstream].into_iter().flatten().flatten();
    within("an id", std::iter::once(&entry.id).chain(others), ID)?;
    let (modified, published) = (time(entry.modified), time(entry.published));
    let withdrawn = entry.withdrawn.is_some_and(|w| !w.is_empty());
    let ids = Ids::of(
        &entry.id,
        entry.aliases.unwrap_or_default(),
        entry.upstream.unwrap_or_default(),
        entry.related.unwrap_or_default(),
    );
    let ratings = entry.severity.unwrap_or_default();
    let mut word = entry.database_specific.unwrap_or_default();
    if word.severity.is_none() && is_erratum(&entry.id) {
        // AlmaLinux rates its errata there alone: `Important: bind security update`.
        let rated = entry.summary.as_deref().and_then(|summary| summary.split_once(": "));
        word.severity = rated.map(|(rating, _)| rating.to_owned());
    }
    let affected = entry.affected.unwrap_or_default();
    if affected.is_empty() && !withdrawn {
        return Err(Error::malformed(format!("{} names nothing that is affected", entry.id)));
    }
    let (mut out, mut made) = (Vec::new(), 0_usize);
    for affected in affected {
        let Some(package) = &affected.package else { continue };
        // `Ubuntu:Pro:14.04:LTS`, `Debian:12`, `PyPI`: what is before the first colon counts.
        if package.ecosystem.split(':').next() != Some(ecosystem.as_str()) {
            continue;
        }
        within("the name of an ecosystem", [&package.ecosystem], ID)?;
        within("the name of a package", [&package.name], NAME)?;
        let stream = for_whom(stream(&package.ecosystem)?, &affected);
        if package.name.is_empty() {
            return Err(Error::malformed(format!("{} names a package without a name", entry.id)));
        }
        let (severity, cvss) = severity(&affected, &ratings, &word);
        let name = stream.package_name(&package.name).into_owned();
        let stretch = osv_ranges::flatten(affected, stream.scheme());
        let each = 1 + ids.aliases.len() + ids.errata.len() + stretch.ranges.len();
        made = made.saturating_add((each + stretch.versions.len()).saturating_mul(ids.flaws.len()));
        if made > TEXTS {
            return Err(Error::malformed(format!("more than {TEXTS} texts would be made of it")));
        }
        for id in &ids.flaws {
            let advisory = Advisory {
                id: id.clone(),
                aliases: ids.aliases.clone(),
                errata: ids.errata.clone(),
                severity,
                cvss: cvss.clone(),
                ranges: stretch.ranges.clone(),
                versions: stretch.versions.clone(),
                state: State::Affected,
                module: None,
                arches: of_source(ecosystem),
                unreadable: stretch.unreadable.clone(),
                published,
                modified,
            };
            out.push((stream.clone(), name.clone(), advisory));
        }
    }
    Ok(Parsed { id: entry.id, modified, withdrawn, affected: out })
}

/// Fails when one of these texts is longer than anything that publishers write.
fn within<'t>(what: &str, texts: impl IntoIterator<Item = &'t String>, most: usize) -> Result<()> {
    match texts.into_iter().any(|text| text.len() > most) {
        true => Err(Error::malformed(format!("{what} is longer than {most} bytes"))),
        false => Ok(()),
    }
}

/// What an entry's name stands for: the source that rpm packages are built from, or a package of
/// any architecture.
fn of_source(ecosystem: Ecosystem) -> Vec<String> {
    let source = ecosystem.osv_names_sources().then(|| SOURCE.to_owned());
    source.into_iter().collect()
}

/// The stream of an ecosystem as a document writes it. An image does not tell from which
/// repository a package came, so all repositories' advisories are one stream; fixes of Red Hat's minor
/// releases are the release's.
fn stream(text: &str) -> Result<Stream> {
    let stream: Stream = text.parse().map_err(Error::malformed)?;
    if stream.ecosystem == Ecosystem::RedHat {
        return Ok(Stream::release(stream.ecosystem, red_hat_main(&stream.release)));
    }
    Ok(match stream.ecosystem.suffix() {
        Suffix::Repository => Stream::of(stream.ecosystem),
        Suffix::Nothing | Suffix::Release | Suffix::Ecosystem => stream,
    })
}

/// A fix that needs a subscription is no fix of the release itself, wherever it is filed.
fn for_whom(stream: Stream, affected: &Affected) -> Stream {
    let specific = affected.ecosystem_specific.as_ref();
    let availability = specific.and_then(|s| s.availability.as_deref()).unwrap_or_default();
    let paid = stream.ecosystem == Ecosystem::Ubuntu
        && availability.contains("Ubuntu Pro")
        && !stream.release.starts_with("Pro:");
    match paid {
        true => Stream::release(stream.ecosystem, format!("Pro:{}", stream.release)),
        false => stream,
    }
}

/// A time, unless it is the year 1 that some feeds write for "unknown", or no time at all.
pub(super) fn time(text: Option<String>) -> Option<Timestamp> {
    let time = text?.parse::<Timestamp>().ok()?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

/// The package's own rating, else the entry's; of several vectors the highest; a word only where
/// no vector can be computed.
fn severity(
    affected: &Affected,
    entry: &[Rating],
    entry_word: &Specific,
) -> (Severity, Option<String>) {
    let own = affected.severity.as_deref().unwrap_or_default();
    for ratings in [own, entry] {
        let best = ratings
            .iter()
            .filter(|r| r.kind.starts_with("CVSS_"))
            .filter_map(|r| r.score.as_deref())
            .filter_map(|vector| Some((base_score(vector)?, vector)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((score, vector)) = best {
            return (Severity::from_score(score), Some(vector.to_owned()));
        }
    }
    let vendor =
        |ratings: &[Rating]| ratings.iter().filter_map(|r| word(r.score.as_deref()?)).max();
    let of = |s: &Option<Specific>| s.as_ref().and_then(|s| word(s.severity.as_deref()?));
    let severity = vendor(own)
        .or_else(|| of(&affected.ecosystem_specific))
        .or_else(|| of(&affected.database_specific))
        .or_else(|| vendor(entry))
        .or_else(|| word(entry_word.severity.as_deref()?))
        .unwrap_or_default();
    // A vector of a version that is not computed here is shown all the same.
    let shown = own.iter().chain(entry).filter_map(|r| r.score.as_deref());
    (severity, shown.filter(|s| s.starts_with("CVSS:")).map(str::to_owned).next())
}

/// What vendors call their severities.
pub(super) fn word(text: &str) -> Option<Severity> {
    match text.to_ascii_lowercase().as_str() {
        "critical" => Some(Severity::Critical),
        "high" | "important" => Some(Severity::High),
        "medium" | "moderate" => Some(Severity::Medium),
        "low" | "negligible" | "unimportant" | "minor" => Some(Severity::Low),
        _ => None,
    }
}
