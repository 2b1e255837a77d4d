//! RubySec's advisories of gems (<https://github.com/rubysec/ruby-advisory-db>): a zip of the
//! repository, `gems/<gem>/<id>.yml` an advisory. Each says which versions are patched and which
//! were never affected; all others are.
//!
//! Advisories of Ruby itself (`rubies/`) are counted: no gem is what they speak of. OSV's zip of
//! RubyGems is made of GitHub's advisories; what is in both is joined by the ids.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use cleanbill_core::advisory::{Advisory, Feed, Range, RangeEnd};
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::severity::Severity;
use cleanbill_core::{Date, Timestamp};
use serde::Deserialize;

use super::dates::Dates;
use super::trivy::stretches;
use super::{Tally, is_cve, sound, zipped};
use crate::build::midnight;
use crate::error::{Error, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The feed's id, which is also the folder.
pub(crate) const ID: &str = "rubysec";
pub(crate) const FILE: &str = "advisories.zip";
/// Bytes of one advisory; the largest has some 10,000.
const MOST: u64 = 1 << 20;

#[derive(Deserialize)]
struct Entry {
    gem: String,
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    ghsa: Option<String>,
    #[serde(default)]
    osvdb: Option<String>,
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    cvss_v2: Option<f64>,
    #[serde(default)]
    cvss_v3: Option<f64>,
    #[serde(default)]
    cvss_v4: Option<f64>,
    #[serde(default)]
    patched_versions: Option<Vec<String>>,
    #[serde(default)]
    unaffected_versions: Option<Vec<String>>,
}

/// Reads the zip below `folder`. As old as the newest file in it.
///
/// # Errors
/// When it is not there, is no such zip, a limit is passed, or too much is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let path = folder.join(FILE);
    let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
    archive(file, limits, into).map_err(|e| e.within(path.display()))
}

/// Reads a zip of the repository.
///
/// # Errors
/// As [`read`].
pub fn archive(from: impl Read + Seek, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let stream = Stream::of(Ecosystem::RubyGems);
    let (mut tally, mut dates, mut rubies) = (Tally::default(), Dates::new(limits), 0u64);
    let wanted = |name: &str| match kind(name) {
        Kind::Gem => true,
        Kind::Ruby => {
            rubies += 1;
            false
        }
        Kind::Other => false,
    };
    let lost = zipped::read(from, limits, MOST, wanted, |file| {
        dates.see(file.changed.and_then(day));
        match parse(file.bytes) {
            Ok((gem, advisory)) => {
                tally.took();
                into.add(&stream, &gem, advisory);
            }
            Err(why) => tally.missed(|| format!("{}: {why}", file.name)),
        }
    })?;
    tally.missed_all(lost, || "files that another has the name of".to_owned());
    sound(ID, tally.total, tally.not_understood, &tally.example, limits)?;
    if rubies > 0 {
        into.ignored.push(format!("{ID}: {rubies} advisories of Ruby itself, which is no gem"));
    }
    let as_of = dates.newest(ID, into);
    into.feeds.push(Feed {
        id: ID.to_owned(),
        as_of,
        licence: "public domain, in parts from OSVDB (as RubySec says)".to_owned(),
        advisories: tally.taken,
        not_understood: tally.not_understood,
        streams: vec![stream],
    });
    Ok(())
}

/// What a file of the repository is.
enum Kind {
    Gem,
    Ruby,
    Other,
}

/// By its name, `ruby-advisory-db-master/gems/rack/CVE-2024-1.yml`, which is not used as a path.
fn kind(name: &str) -> Kind {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        [_, "gems", _, file] | ["gems", _, file] if file.ends_with(".yml") => Kind::Gem,
        [_, "rubies", _, file] | ["rubies", _, file] if file.ends_with(".yml") => Kind::Ruby,
        _ => Kind::Other,
    }
}

/// The day of a file in a zip, which bears no zone.
fn day(time: zip::DateTime) -> Option<Timestamp> {
    let part = |number: u8| i8::try_from(number).ok();
    let year = i16::try_from(time.year()).ok()?;
    midnight(Date::new(year, part(time.month())?, part(time.day())?).ok()?)
}

/// Reads one advisory: the gem, and what is said of it.
///
/// # Errors
/// When it is no advisory, in words.
pub fn parse(yaml: &[u8]) -> std::result::Result<(String, Advisory), String> {
    let text = std::str::from_utf8(yaml).map_err(|_| "it is not UTF-8".to_owned())?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 10_000,
            max_nodes: 5_000,
            max_depth: 8,
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
        },
        with_snippet: false,
    };
    let entry: Entry = serde_saphyr::from_str_with_options(text, options)
        .map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())?;
    if entry.gem.is_empty() {
        return Err("it names no gem".to_owned());
    }
    let given = |id: Option<String>, prefix: &str| {
        id.filter(|id| !id.is_empty()).map(|id| format!("{prefix}-{id}"))
    };
    let cve = given(entry.cve, "CVE");
    if let Some(wrong) = cve.as_ref().filter(|cve| !is_cve(cve)) {
        return Err(format!("{wrong:?} is no id of a CVE"));
    }
    let ids = [cve, given(entry.ghsa, "GHSA"), given(entry.osvdb, "OSVDB")];
    let mut ids = ids.into_iter().flatten();
    let id = ids.next().ok_or("it has no id")?;
    let score = entry.cvss_v4.or(entry.cvss_v3).or(entry.cvss_v2);
    let severity = score.filter(|score| (0.0..=10.0).contains(score)).map(Severity::from_score);
    let date = entry.date.as_deref().and_then(|date| date.parse::<Date>().ok());
    let mut advisory = Advisory {
        id,
        aliases: ids.collect(),
        severity: severity.unwrap_or_default(),
        published: date.and_then(midnight),
        ..Advisory::default()
    };
    let patched = entry.patched_versions.unwrap_or_default();
    let unaffected = entry.unaffected_versions.unwrap_or_default();
    if patched.is_empty() && unaffected.is_empty() {
        advisory.ranges.push(Range { introduced: None, end: RangeEnd::Open });
    } else {
        let found = stretches::affected(&[], &patched, &unaffected, Ecosystem::RubyGems);
        advisory.ranges = found.ranges;
        advisory.versions = found.versions;
        advisory.unreadable = found.unreadable;
    }
    Ok((entry.gem, advisory))
}
