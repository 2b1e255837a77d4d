//! A decision as it is recorded, and how the file's columns are read.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

/// Who asked: which of the API server's two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `imagepolicy.k8s.io/v1alpha1`.
    ImageReview,
    /// `admission.k8s.io/v1`.
    AdmissionReview,
}

impl Api {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::ImageReview, Self::AdmissionReview];

    /// The word in the file and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImageReview => "ImageReview",
            Self::AdmissionReview => "AdmissionReview",
        }
    }
}

/// One answer of the gate, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id, as the user was told.
    pub id: String,
    /// When it was made.
    pub time: Timestamp,
    /// Which way it was asked.
    pub api: Api,
    /// What was asked, canonical JSON; `None` where it could not be read.
    pub question: Option<String>,
    /// The namespace that was asked for, where the question names one.
    pub namespace: Option<String>,
    /// The images as the question writes them, in order, each with the digest it had, where that
    /// became known.
    pub images: Vec<(String, Option<Digest>)>,
    /// In one word: `allowed`, `denied`, `undecided` or `malformed`.
    pub outcome: String,
    /// What the user was told; empty where allowed.
    pub reason: String,
    /// What else the user was told.
    pub warnings: Vec<String>,
    /// The digest of the policy.
    pub policy: Digest,
    /// The digest of the advisories.
    pub snapshot: Option<Digest>,
    /// The digests of the evidence, each of canonical JSON.
    pub evidence: Vec<Digest>,
    /// JSON: which rules were not met, and what followed. Empty where nothing was judged.
    pub trace: String,
    /// Versions of the program and of its engines. Empty in decisions of before they were
    /// recorded; those have no trace and no latency either.
    pub engine: String,
    /// The time that the judge was given as now: with it the same judgement comes out again.
    pub judged_at: Timestamp,
    /// From question to answer, in microseconds.
    pub latency_us: u64,
    /// Whether the answer had an effect: false for dry runs.
    pub enforced: bool,
    /// JSON: the grant that let it pass where a rule would not (id, person, reason).
    pub break_glass: Option<String>,
}

/// What is a decision's own: the rest it has in common with others ([`super::Matter`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its id, as the user was told.
    pub id: String,
    /// When it was made.
    pub time: Timestamp,
    /// The time that the judge was given as now.
    pub judged_at: Timestamp,
    /// From question to answer, in microseconds.
    pub latency_us: u64,
}

/// A column that holds milliseconds.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|e| bad(column, e))
}

/// A column that holds a digest.
pub(super) fn digest(column: usize, text: &str) -> rusqlite::Result<Digest> {
    text.parse().map_err(|e| bad(column, e))
}

/// A column that holds JSON.
pub(super) fn parsed<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|e| bad(column, e))
}

/// A column does not say what it should.
pub(super) fn bad(
    column: usize,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}
