//! NIST's National Vulnerability Database, for its CVSS vectors only: the yearly files
//! `nvdcve-2.0-<year>.json.gz` (<https://nvd.nist.gov/vuln/data-feeds>), or the same unpacked.
//! Which packages it says are affected is not read: its names are products, not packages.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Feed, Rating};
use cleanbill_core::severity::Severity;
use serde::Deserialize;

use super::listed::{self, Listed};
use super::{Tally, entries, is_cve, sound};
use crate::cvss::base_score;
use crate::error::{Error, Result};
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
            true => listed::read(
                &mut reading,
                flate2::read::MultiGzDecoder::new(file),
                limits,
                "file of NVD's",
            ),
            false => listed::read(&mut reading, file, limits, "file of NVD's"),
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
    listed::read(&mut reading, from, limits, "file of NVD's")?;
    reading.finish(limits)
}

struct Reading<'g> {
    into: &'g mut Gathered,
    tally: Tally,
    as_of: Option<Timestamp>,
}

impl Reading<'_> {
    fn flaw(&mut self, item: Item) {
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
        sound(ID, tally.total, tally.not_understood, &tally.example, limits)?;
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

impl Listed for Reading<'_> {
    type Item = Item;
    const LIST: &'static str = "vulnerabilities";
    const TEXT: Option<&'static str> = Some("timestamp");

    fn item(&mut self, item: Item) -> Result<()> {
        self.flaw(item);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.as_of = self.as_of.max(time(text));
    }
}

/// NVD's times bear no zone; they are UTC.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}
