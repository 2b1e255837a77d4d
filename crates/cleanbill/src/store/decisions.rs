//! Decisions as they are recorded, and how many of them are kept.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::failure::Result;

/// One answer of the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id, as the user was told.
    pub id: String,
    /// When it was made.
    pub time: Timestamp,
    /// What was asked, canonical JSON; `None` where it could not be read.
    pub question: Option<String>,
    /// `allowed`, `denied`, `undecided` or `malformed`.
    pub outcome: String,
    /// What the user was told; empty where allowed.
    pub reason: String,
    /// The digest of the policy.
    pub policy: Digest,
    /// The digest of the advisories.
    pub snapshot: Option<Digest>,
    /// The digest of the evidence.
    pub evidence: Option<Digest>,
}

/// How many decisions are kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// At most so many (default 100,000).
    pub count: u32,
    /// At most so many days (default 90).
    pub days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { count: 100_000, days: 90 }
    }
}

impl Store {
    /// Records a decision, and forgets those that are too many or too old.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record_decision(&self, decision: &Decision) -> Result<()> {
        let text = |digest: &Option<Digest>| digest.as_ref().map(Digest::to_string);
        let time = decision.time.as_millisecond();
        let oldest = time.saturating_sub(i64::from(self.keep.days) * 86_400_000);
        let mut connection = self.lock();
        let mut write = || -> rusqlite::Result<()> {
            let change = connection.transaction()?;
            change.execute(
                "INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    decision.id,
                    time,
                    decision.question,
                    decision.outcome,
                    decision.reason,
                    decision.policy.to_string(),
                    text(&decision.snapshot),
                    text(&decision.evidence),
                ],
            )?;
            change.execute("DELETE FROM decisions WHERE time < ?1", params![oldest])?;
            change.execute(
                "DELETE FROM decisions WHERE rowid IN (
                     SELECT rowid FROM decisions ORDER BY time DESC, rowid DESC LIMIT -1 OFFSET ?1)",
                params![self.keep.count],
            )?;
            change.commit()
        };
        write().map_err(|e| self.wrong(&e))
    }

    /// A recorded decision, by its id.
    ///
    /// # Errors
    /// When the store cannot be read or a column does not decode.
    pub fn decision(&self, id: &str) -> Result<Option<Decision>> {
        let parse = |column: usize, text: String| {
            text.parse::<Digest>().map_err(|e| {
                rusqlite::Error::FromSqlConversionFailure(
                    column,
                    rusqlite::types::Type::Text,
                    Box::new(e),
                )
            })
        };
        self.lock()
            .query_row(
                "SELECT id, time, question, outcome, reason, policy, snapshot, evidence
                 FROM decisions WHERE id = ?1",
                params![id],
                |row| {
                    let time = Timestamp::from_millisecond(row.get(1)?).map_err(|e| {
                        rusqlite::Error::FromSqlConversionFailure(
                            1,
                            rusqlite::types::Type::Integer,
                            Box::new(e),
                        )
                    })?;
                    let digest = |column: usize| {
                        let text: Option<String> = row.get(column)?;
                        text.map(|text| parse(column, text)).transpose()
                    };
                    Ok(Decision {
                        id: row.get(0)?,
                        time,
                        question: row.get(2)?,
                        outcome: row.get(3)?,
                        reason: row.get(4)?,
                        policy: parse(5, row.get(5)?)?,
                        snapshot: digest(6)?,
                        evidence: digest(7)?,
                    })
                },
            )
            .optional()
            .map_err(|e| self.wrong(&e))
    }
}
