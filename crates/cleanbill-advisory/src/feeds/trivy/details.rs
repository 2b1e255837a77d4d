//! The `vulnerability` bucket: what several sources say of a flaw whatever the package. Its
//! texts (titles, descriptions, references) are not kept.

use std::collections::{BTreeMap, HashMap};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Rating;
use cleanbill_core::severity::Severity;
use serde::Deserialize;

use crate::cvss::base_score;
use crate::feeds::osv::time;

/// The source of a severity that the database gives without saying whose it is.
const CHOSEN: &str = "trivy";

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Flaw {
    severity: Option<String>,
    vendor_severity: Option<BTreeMap<String, i64>>,
    #[serde(rename = "CVSS")]
    cvss: Option<BTreeMap<String, Vectors>>,
    published_date: Option<String>,
    last_modified_date: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Vectors {
    #[serde(rename = "V3Vector")]
    v3: Option<String>,
    #[serde(rename = "V2Vector")]
    v2: Option<String>,
    #[serde(rename = "V40Vector")]
    v4: Option<String>,
}

/// What is kept of one flaw.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Detail {
    /// How bad it is, in the eyes of each source that says so.
    pub ratings: Vec<Rating>,
    pub published: Option<Timestamp>,
    pub modified: Option<Timestamp>,
}

/// What is known of flaws, by their id.
pub(super) type Details = HashMap<String, Detail>;

impl Detail {
    /// Reads a value of the bucket.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let flaw: Flaw = super::object(json)?;
        let mut vectors = flaw.cvss.unwrap_or_default();
        let mut ratings: Vec<Rating> = Vec::new();
        for (source, number) in flaw.vendor_severity.unwrap_or_default() {
            let cvss = vectors.remove(&source).and_then(Vectors::best);
            ratings.push(Rating { source, severity: level(number).unwrap_or_default(), cvss });
        }
        for (source, vectors) in vectors {
            if let Some(vector) = vectors.best() {
                // Computed, not taken from the score beside it.
                let severity = base_score(&vector).map(Severity::from_score).unwrap_or_default();
                ratings.push(Rating { source, severity, cvss: Some(vector) });
            }
        }
        let chosen = flaw.severity.and_then(|word| word.parse().ok()).unwrap_or_default();
        if ratings.is_empty() && chosen > Severity::Unknown {
            ratings.push(Rating { source: CHOSEN.to_owned(), severity: chosen, cvss: None });
        }
        Ok(Self {
            ratings,
            published: time(flaw.published_date),
            modified: time(flaw.last_modified_date),
        })
    }
}

impl Vectors {
    /// The vector that can be computed, the newer version first; else the one that cannot be.
    fn best(self) -> Option<String> {
        let given = |v: Option<String>| v.filter(|v| !v.is_empty() && v.len() <= 200);
        given(self.v3).or_else(|| given(self.v2)).or_else(|| given(self.v4))
    }
}

/// Severities are numbers, from 0 (unknown) to 4 (critical).
pub(super) fn level(number: i64) -> Option<Severity> {
    Severity::ALL.get(usize::try_from(number).ok()?).copied()
}
