//! What many decisions have in common, kept once: everything but which one, when, and how long it
//! took. A gate is asked the same thing over and over, so a decision's own part stays small.
//!
//! The reason that the user was told names the decision's id; it is kept with a mark in its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cleanbill_core::digest::Digest;
use rusqlite::{Row, Transaction, params};
use sha2::{Digest as _, Sha256};

use super::decision::{Api, Decision, Head, bad, digest, parsed};
use crate::failure::{Failure, Result};

/// Stands for the decision's id in a reason. A reason that has this character itself has
/// [`ESCAPED`] for it.
const MARK: &str = "\u{1a}#";
const ESCAPE: char = '\u{1a}';
const ESCAPED: &str = "\u{1a}-";

/// The columns in the order of [`Matter::read`].
pub(super) const COLUMNS: &str = "outcome, namespace, images, enforced, api, reason, warnings, \
    policy, snapshot, evidence, engine, break_glass, trace, question";

/// Something that is lent to whoever writes, wherever it is kept.
pub type Lent<T> = Arc<dyn AsRef<T> + Send + Sync>;

/// A place in what the thread that writes remembers: whoever records the same matter over and over
/// brings it along, so that it need not be looked up. It says nothing of the matter, and may be
/// wrong: whoever uses it looks whether that place is this matter's.
#[derive(Debug, Default)]
pub(super) struct Hint(AtomicUsize);

impl Hint {
    /// The place that was noted last, or any.
    pub(super) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Notes it.
    pub(super) fn set(&self, place: usize) {
        self.0.store(place, Relaxed);
    }
}

impl Clone for Hint {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Hint {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Hint {}

/// The common part, in the words of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    pub(super) key: [u8; 32],
    pub(super) hint: Hint,
    /// What it refers to, so that it is kept as long.
    pub(super) policy: Digest,
    pub(super) snapshot: Option<Digest>,
    pub(super) evidence: Vec<Digest>,
    pub(super) outcome: String,
    pub(super) namespace: Option<String>,
    pub(super) enforced: bool,
    pub(super) images: String,
    api: Api,
    reason: String,
    warnings: String,
    evidence_text: String,
    engine: String,
    break_glass: Option<String>,
    trace: String,
    question: Option<String>,
}

impl AsRef<Matter> for Matter {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Matter {
    /// Takes a decision apart.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of(decision: Decision) -> Result<(Head, Self)> {
        let d = decision;
        let reason = d.reason.replace(ESCAPE, ESCAPED);
        let reason = if d.id.is_empty() { reason } else { reason.replace(&d.id, MARK) };
        let mut matter = Self {
            key: [0; 32],
            hint: Hint::default(),
            images: json(&d.images)?,
            warnings: json(&d.warnings)?,
            evidence_text: json(&d.evidence)?,
            policy: d.policy,
            snapshot: d.snapshot,
            evidence: d.evidence,
            outcome: d.outcome,
            namespace: d.namespace,
            enforced: d.enforced,
            api: d.api,
            reason,
            engine: d.engine,
            break_glass: d.break_glass,
            trace: d.trace,
            question: d.question,
        };
        matter.key = matter.digest();
        let head =
            Head { id: d.id, time: d.time, judged_at: d.judged_at, latency_us: d.latency_us };
        Ok((head, matter))
    }

    /// Bytes that it takes, about.
    pub fn size(&self) -> usize {
        let rest = [&self.images, &self.reason, &self.warnings, &self.evidence_text, &self.trace];
        let rest: usize = rest.into_iter().map(String::len).sum();
        rest + self.question.as_ref().map_or(0, String::len) + 512
    }

    /// Puts a decision together again.
    pub(super) fn with(&self, head: Head) -> rusqlite::Result<Decision> {
        let Head { id, time, judged_at, latency_us } = head;
        Ok(Decision {
            time,
            api: self.api,
            question: self.question.clone(),
            namespace: self.namespace.clone(),
            images: parsed(2, &self.images)?,
            outcome: self.outcome.clone(),
            reason: self.reason.replace(MARK, &id).replace(ESCAPED, "\u{1a}"),
            warnings: parsed(6, &self.warnings)?,
            policy: self.policy,
            snapshot: self.snapshot,
            evidence: self.evidence.clone(),
            trace: self.trace.clone(),
            engine: self.engine.clone(),
            judged_at,
            latency_us,
            enforced: self.enforced,
            break_glass: self.break_glass.clone(),
            id,
        })
    }

    /// Writes its row, and returns its number.
    pub(super) fn insert(&self, change: &Transaction<'_>) -> rusqlite::Result<i64> {
        change
            .prepare_cached(&format!(
                "INSERT INTO matters (key, {COLUMNS}) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
            ))?
            .insert(params![
                self.key,
                self.outcome,
                self.namespace,
                self.images,
                self.enforced,
                self.api.as_str(),
                self.reason,
                self.warnings,
                self.policy.to_string(),
                self.snapshot.as_ref().map(Digest::to_string),
                self.evidence_text,
                self.engine,
                self.break_glass,
                self.trace,
                self.question,
            ])
    }

    /// Reads a row of [`COLUMNS`].
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let api: String = row.get(4)?;
        let evidence_text: String = row.get(9)?;
        let mut matter = Self {
            key: [0; 32],
            hint: Hint::default(),
            outcome: row.get(0)?,
            namespace: row.get(1)?,
            images: row.get(2)?,
            enforced: row.get(3)?,
            api: Api::ALL
                .into_iter()
                .find(|a| a.as_str() == api)
                .ok_or_else(|| bad(4, format!("{api:?} is no API that is known")))?,
            reason: row.get(5)?,
            warnings: row.get(6)?,
            policy: digest(7, &row.get::<_, String>(7)?)?,
            snapshot: match row.get::<_, Option<String>>(8)? {
                Some(text) => Some(digest(8, &text)?),
                None => None,
            },
            evidence: parsed(9, &evidence_text)?,
            evidence_text,
            engine: row.get(10)?,
            break_glass: row.get(11)?,
            trace: row.get(12)?,
            question: row.get(13)?,
        };
        matter.key = matter.digest();
        Ok(matter)
    }

    /// Of all columns, each with its length, so that none can run into the next.
    fn digest(&self) -> [u8; 32] {
        let policy = self.policy.to_string();
        let snapshot = self.snapshot.as_ref().map(Digest::to_string);
        let mut hash = Sha256::new();
        for column in [
            Some(self.outcome.as_str()),
            self.namespace.as_deref(),
            Some(&self.images),
            Some(if self.enforced { "1" } else { "0" }),
            Some(self.api.as_str()),
            Some(&self.reason),
            Some(&self.warnings),
            Some(&policy),
            snapshot.as_deref(),
            Some(&self.evidence_text),
            Some(&self.engine),
            self.break_glass.as_deref(),
            Some(&self.trace),
            self.question.as_deref(),
        ] {
            // No text is so long.
            let length = column.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(column.unwrap_or_default());
        }
        hash.finalize().into()
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Failure::new(format!("a decision cannot be written: {e}")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::decision;
    use super::Matter;
    use crate::store::Decision;
    use cleanbill_core::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn two_that_differ_in_when_and_which_have_it_in_common() {
        let now = Timestamp::now();
        let told =
            |id: &str| Decision { reason: format!("no\n(decision {id})"), ..decision(id, now) };
        let (_, a) = Matter::of(told("one")).unwrap();
        let (_, b) = Matter::of(Decision { latency_us: 7, ..told("two") }).unwrap();
        assert_eq!(a, b);
        for other in [
            Decision { outcome: "allowed".into(), ..told("one") },
            Decision { namespace: None, ..told("one") },
            Decision { namespace: Some(String::new()), ..told("one") },
            Decision { enforced: false, ..told("one") },
            Decision { warnings: Vec::new(), ..told("one") },
            Decision { reason: "no\n(decision two)".into(), ..told("one") },
            Decision { question: Some("{ }".into()), ..told("one") },
            Decision { trace: String::new(), engine: "0[]".into(), ..told("one") },
        ] {
            let (_, c) = Matter::of(other.clone()).unwrap();
            assert_ne!(a.key, c.key, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_reason_comes_back(id in "[a-z0-9#-]{0,4}", reason in "[a-c#\\-\u{1a}]{0,12}") {
            let want = Decision { reason, ..decision(&id, Timestamp::now()) };
            let (head, matter) = Matter::of(want.clone()).unwrap();
            prop_assert_eq!(matter.with(head).unwrap(), want);
        }
    }
}
