//! A decision as it is recorded, and its row in the file.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::types::Type;
use rusqlite::{Row, Transaction, params};
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Result};

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

/// The columns of a decision in the order of the table.
pub(super) const COLUMNS: &str = "n, id, time, outcome, namespace, images, enforced, api, reason, \
    warnings, policy, snapshot, evidence, engine, judged_at, latency_us, break_glass, trace, \
    question";

/// A decision in the words of the file: made by whoever asks for it to be recorded, so that the
/// one thread that writes has little left to do.
pub(super) struct Prepared {
    pub(super) decision: Decision,
    pub(super) policy: String,
    pub(super) snapshot: Option<String>,
    images: String,
    warnings: String,
    evidence: String,
}

impl Prepared {
    pub(super) fn new(decision: Decision) -> Result<Self> {
        Ok(Self {
            policy: decision.policy.to_string(),
            snapshot: decision.snapshot.as_ref().map(Digest::to_string),
            images: json(&decision.images)?,
            warnings: json(&decision.warnings)?,
            evidence: json(&decision.evidence)?,
            decision,
        })
    }

    /// Writes the row.
    pub(super) fn insert(&self, change: &Transaction<'_>, n: i64) -> rusqlite::Result<()> {
        let d = &self.decision;
        change
            .prepare_cached(
                "INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
                 ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
            )?
            .execute(params![
                n,
                d.id,
                d.time.as_millisecond(),
                d.outcome,
                d.namespace,
                self.images,
                d.enforced,
                d.api.as_str(),
                d.reason,
                self.warnings,
                self.policy,
                self.snapshot,
                self.evidence,
                d.engine,
                d.judged_at.as_millisecond(),
                i64::try_from(d.latency_us).unwrap_or(i64::MAX),
                d.break_glass,
                d.trace,
                d.question,
            ])
            .map(drop)
    }
}

/// Reads a row of [`COLUMNS`]: its number and the decision.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Decision)> {
    let api: String = row.get(7)?;
    let latency: i64 = row.get(15)?;
    let decision = Decision {
        id: row.get(1)?,
        time: time(row, 2)?,
        outcome: row.get(3)?,
        namespace: row.get(4)?,
        images: parsed(row, 5)?,
        enforced: row.get(6)?,
        api: Api::ALL
            .into_iter()
            .find(|a| a.as_str() == api)
            .ok_or_else(|| bad(7, format!("{api:?} is no API that is known")))?,
        reason: row.get(8)?,
        warnings: parsed(row, 9)?,
        policy: digest(10, &row.get::<_, String>(10)?)?,
        snapshot: match row.get::<_, Option<String>>(11)? {
            Some(text) => Some(digest(11, &text)?),
            None => None,
        },
        evidence: parsed(row, 12)?,
        engine: row.get(13)?,
        judged_at: time(row, 14)?,
        latency_us: u64::try_from(latency).map_err(|e| bad(15, e))?,
        break_glass: row.get(16)?,
        trace: row.get(17)?,
        question: row.get(18)?,
    };
    Ok((row.get(0)?, decision))
}

/// A column that holds milliseconds.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|e| bad(column, e))
}

/// A column that holds a digest.
pub(super) fn digest(column: usize, text: &str) -> rusqlite::Result<Digest> {
    text.parse().map_err(|e| bad(column, e))
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| bad(column, e))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Failure::new(format!("a decision cannot be written: {e}")))
}

fn bad(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}
