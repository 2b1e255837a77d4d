//! NIST's National Vulnerability Database, for its CVSS vectors only: the yearly files
//! `nvdcve-2.0-<year>.json.gz` (<https://nvd.nist.gov/vuln/data-feeds>), or the same unpacked.
//! Which packages it says are affected is not read: its names are products, not packages.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Feed, Rating};
use cleanbill_core::severity::Severity;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::bounded::Bounded;
use super::{Tally, entries, is_cve, understood};
use crate::cvss::base_score;
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The feed's id in a snapshot.
pub(crate) const ID: &str = "nvd";

#[derive(Deserialize)]
struct Item {
    cve: Cve,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cve {
    id: String,
    #[serde(default)]
    vuln_status: Option<String>,
    #[serde(default)]
    metrics: Metrics,
}

/// By version, newest first: the first that can be computed is taken.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    #[serde(default)]
    cvss_metric_v31: Vec<Metric>,
    #[serde(default)]
    cvss_metric_v30: Vec<Metric>,
    #[serde(default)]
    cvss_metric_v40: Vec<Metric>,
    #[serde(default)]
    cvss_metric_v2: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    #[serde(default, rename = "type")]
    kind: String,
    cvss_data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    vector_string: String,
}

/// Reads every yearly file below `folder`.
///
/// # Errors
/// When there is none, one is no such file, or too much is not understood.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading { into, tally: Tally::default(), as_of: None };
    for (name, path) in entries(folder)? {
        let packed = name.ends_with(".json.gz");
        if !(packed || name.ends_with(".json")) {
            reading.into.ignored.push(format!("{ID}/{name}: no file of NVD's"));
            continue;
        }
        let file = BufReader::new(File::open(&path).map_err(|e| Error::io(&path, e))?);
        let done = match packed {
            true => reading.file(flate2::read::MultiGzDecoder::new(file), limits),
            false => reading.file(file, limits),
        };
        done.map_err(|e| e.within(path.display()))?;
    }
    reading.finish(limits)
}

/// Reads one file, unpacked.
///
/// # Errors
/// As [`read`].
pub fn parse(from: impl Read, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut reading = Reading { into, tally: Tally::default(), as_of: None };
    reading.file(from, limits)?;
    reading.finish(limits)
}

struct Reading<'g> {
    into: &'g mut Gathered,
    tally: Tally,
    as_of: Option<Timestamp>,
}

impl Reading<'_> {
    fn file(&mut self, from: impl Read, limits: &Limits) -> Result<()> {
        let from = BufReader::new(Bounded::new(from, 2, limits));
        let mut json = serde_json::Deserializer::from_reader(from);
        let whole = Document(self).deserialize(&mut json).and_then(|()| json.end());
        whole.map_err(|e| Error::malformed("no file of NVD's").because(e))
    }

    fn item(&mut self, item: Item) {
        let Cve { id, vuln_status, metrics } = item.cve;
        if !is_cve(&id) {
            self.tally.missed(|| format!("the id {:?}", id.chars().take(40).collect::<String>()));
            return;
        }
        self.tally.took();
        let rejected = vuln_status.is_some_and(|status| status == "Rejected");
        let by_version = [
            metrics.cvss_metric_v31,
            metrics.cvss_metric_v30,
            metrics.cvss_metric_v40,
            metrics.cvss_metric_v2,
        ];
        // NVD's own before that of who reported the flaw.
        let own_first = |mut some: Vec<Metric>| {
            some.sort_by_key(|metric| metric.kind != "Primary");
            some
        };
        let vectors = by_version.into_iter().flat_map(own_first).map(|m| m.cvss_data.vector_string);
        let computed = |vector: String| Some((base_score(&vector)?, vector));
        if let Some((score, vector)) = vectors.filter_map(computed).next().filter(|_| !rejected) {
            let severity = Severity::from_score(score);
            self.into.rate(&id, Rating { source: ID.into(), severity, cvss: Some(vector) });
        }
    }

    fn finish(self, limits: &Limits) -> Result<()> {
        let Self { into, tally, as_of } = self;
        if tally.total == 0 {
            return Err(Error::new(ErrorKind::NotFound, "nvd: no flaw in it"));
        }
        understood(ID, tally.total, tally.not_understood, &tally.example, limits)?;
        into.feeds.push(Feed {
            id: ID.to_owned(),
            as_of,
            licence: "public domain (NIST)".to_owned(),
            advisories: tally.taken,
            not_understood: tally.not_understood,
            streams: Vec::new(),
        });
        Ok(())
    }
}

/// The outer object, of which the time and the list of flaws count.
struct Document<'r, 'g>(&'r mut Reading<'g>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with vulnerabilities")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "vulnerabilities" => map.next_value_seed(Items(&mut *self.0))?,
                "timestamp" => {
                    let text: String = map.next_value()?;
                    self.0.as_of = self.0.as_of.max(time(&text));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// NVD's times bear no zone; they are UTC.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// The list of flaws, one by one.
struct Items<'r, 'g>(&'r mut Reading<'g>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of flaws")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> std::result::Result<(), S::Error> {
        while let Some(item) = list.next_element::<Item>()? {
            self.0.item(item);
        }
        Ok(())
    }
}
