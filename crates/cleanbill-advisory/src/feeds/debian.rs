//! Debian's security tracker (<https://security-tracker.debian.org/tracker/data/json>): for each
//! source package and flaw, where every release stands. OSV's zip of Debian is made of the same
//! facts, without what Debian says about fixes that will not come.
//!
//! The document is one object of 70 MB and more; it is read package by package and never held.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::advisory::{Advisory, Feed, Range, RangeEnd, State};
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::severity::Severity;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::bounded::Bounded;
use super::{Tally, sound};
use crate::error::{Error, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The feed's id in a snapshot.
pub(crate) const ID: &str = "debian-tracker";
pub(crate) const FILE: &str = "tracker.json";

/// Code names, which the tracker uses, and releases, which images name
/// (<https://wiki.debian.org/DebianReleases>). A name that is missing here is a release that
/// nothing is taken of, which the build's report says.
const RELEASES: [(&str, &str); 14] = [
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("experimental", "experimental"),
    ("sid", "sid"),
    ("testing", "testing"),
    ("unstable", "sid"),
];

/// What the tracker says of one flaw of one source package.
#[derive(Deserialize)]
struct Flaw {
    #[serde(default)]
    releases: BTreeMap<String, Standing>,
}

/// Where one release stands.
#[derive(Deserialize)]
struct Standing {
    status: String,
    #[serde(default)]
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: Option<String>,
    #[serde(default)]
    nodsa_reason: Option<String>,
}

/// Reads the tracker's document below `folder`. It bears no date, so that the feed has none unless
/// the build is told.
///
/// # Errors
/// When it is not there, is no such document, or too much of it is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let path = folder.join(FILE);
    let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
    parse(file, limits, into).map_err(|e| e.within(path.display()))
}

/// Reads the tracker's document.
///
/// # Errors
/// As [`read`].
pub fn parse(from: impl Read, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading { into, tally: Tally::default(), streams: BTreeMap::new() };
    let mut json =
        serde_json::Deserializer::from_reader(BufReader::new(Bounded::new(from, 1, limits)));
    let whole = Packages(&mut reading).deserialize(&mut json).and_then(|()| json.end());
    whole.map_err(|e| Error::malformed("no document of Debian's tracker").because(e))?;
    let Reading { tally, streams, .. } = reading;
    sound(ID, tally.total, tally.not_understood, &tally.example, limits)?;
    let mut known = Vec::new();
    for (code, stream) in streams {
        match stream {
            Some(stream) => known.push(stream),
            None => {
                let code: String = code.chars().take(40).collect();
                into.ignored.push(format!("{ID}: the release {code:?}, which is not known here"))
            }
        }
    }
    into.feeds.push(Feed {
        id: ID.to_owned(),
        as_of: None,
        licence: "MIT".to_owned(),
        advisories: tally.taken,
        not_understood: tally.not_understood,
        streams: known,
    });
    Ok(())
}

/// What is read so far.
struct Reading<'g> {
    into: &'g mut Gathered,
    tally: Tally,
    /// By code name; `None`: not known here.
    streams: BTreeMap<String, Option<Stream>>,
}

impl Reading<'_> {
    fn flaw(&mut self, package: &str, id: &str, flaw: Flaw) {
        for (code, standing) in flaw.releases {
            let known = self.streams.entry(code).or_insert_with_key(|code| {
                let release = RELEASES.iter().find(|(name, _)| name == code)?.1;
                Some(Stream::release(Ecosystem::Debian, release))
            });
            let Some(stream) = known.clone() else { continue };
            match standing.advisory(id) {
                Ok(advisory) => {
                    self.tally.took();
                    self.into.add(&stream, package, advisory);
                }
                Err(why) => {
                    self.tally.missed(|| format!("{package} {id}: {why}"));
                    // Whoever has the package is told, instead of its looking clean.
                    let (id, unreadable) = (id.to_owned(), Some(why));
                    let advisory = Advisory { id, unreadable, ..Advisory::default() };
                    self.into.add(&stream, package, advisory);
                }
            }
        }
    }
}

impl Standing {
    /// As the reference has it: no-dsa is affected, ignored is won't fix, postponed is deferred.
    fn advisory(self, id: &str) -> std::result::Result<Advisory, String> {
        let open = || Range { introduced: None, end: RangeEnd::Open };
        let urgency = self.urgency.as_deref().unwrap_or_default().trim_end_matches('*');
        let (state, ranges) = match (self.status.as_str(), self.fixed_version) {
            ("resolved", Some(fixed)) if fixed == "0" => (State::NotAffected, Vec::new()),
            ("resolved", Some(fixed)) => {
                (State::Affected, vec![Range { introduced: None, end: RangeEnd::Fixed(fixed) }])
            }
            ("resolved", None) => return Err("it is resolved, and no version says where".into()),
            ("undetermined", _) => (State::UnderInvestigation, vec![open()]),
            ("open", _) => {
                let state = match (urgency, self.nodsa_reason.as_deref()) {
                    ("end-of-life", _) => State::EndOfLife,
                    (_, Some("ignored")) => State::WillNotFix,
                    (_, Some("postponed")) => State::FixDeferred,
                    (_, Some(_) | None) => State::Affected,
                };
                (state, vec![open()])
            }
            (other, _) => {
                let other: String = other.chars().take(40).collect();
                return Err(format!("the status {other:?} is not known"));
            }
        };
        let severity = match urgency {
            "unimportant" | "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            _ => Severity::Unknown,
        };
        Ok(Advisory { id: id.to_owned(), severity, state, ranges, ..Advisory::default() })
    }
}

/// The outer object: source packages.
struct Packages<'r, 'g>(&'r mut Reading<'g>);

impl<'de> DeserializeSeed<'de> for Packages<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Packages<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of source packages")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        while let Some(package) = map.next_key::<String>()? {
            for (id, flaw) in map.next_value::<BTreeMap<String, Flaw>>()? {
                self.0.flaw(&package, &id, flaw);
            }
        }
        Ok(())
    }
}
