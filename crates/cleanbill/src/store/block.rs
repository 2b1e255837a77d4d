//! Decisions that were written together: one row of the file, with the few numbers that are each
//! one's own, as JSON that SQLite can read too.

use cleanbill_core::Timestamp;
use rusqlite::{Transaction, params};

use super::decision::{Head, bad};

/// Decisions of one block.
pub(super) struct Block {
    first: i64,
    last: i64,
    count: i64,
    rows: String,
}

/// One decision of a block.
pub(super) struct Member {
    /// Its number.
    pub(super) n: i64,
    /// The number of its matter.
    pub(super) matter: i64,
    /// What is its own.
    pub(super) head: Head,
}

impl Block {
    /// None yet; times are counted from `first`, in milliseconds.
    pub(super) fn new(first: i64) -> Self {
        Self { first, last: first, count: 0, rows: String::from("[") }
    }

    /// One more.
    pub(super) fn push(&mut self, head: &Head, matter: i64) -> rusqlite::Result<()> {
        use std::fmt::Write as _;
        let refuse = |e: &dyn std::fmt::Display| {
            rusqlite::Error::ToSqlConversionFailure(e.to_string().into())
        };
        let at = head.time.as_millisecond();
        self.rows.push_str(if self.count == 0 { "[" } else { ",[" });
        if head.id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            // As all ids of ours are: nothing in them has to be escaped.
            self.rows.extend(["\"", &head.id, "\""]);
        } else {
            self.rows.push_str(&serde_json::to_string(&head.id).map_err(|e| refuse(&e))?);
        }
        let (after, judged) = (at - self.first, head.judged_at.as_millisecond() - at);
        let latency = head.latency_us;
        write!(self.rows, ",{after},{judged},{latency},{matter}]").map_err(|e| refuse(&e))?;
        self.last = self.last.max(at);
        self.count += 1;
        Ok(())
    }

    /// Writes it under the number of its first decision.
    pub(super) fn insert(mut self, change: &Transaction<'_>, n: i64) -> rusqlite::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        self.rows.push(']');
        change
            .prepare_cached("INSERT INTO blocks VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![n, self.count, self.first, self.last, self.rows])
            .map(drop)
    }
}

/// The decisions of a block, in the order in which they were recorded.
pub(super) fn members(n: i64, first: i64, rows: &str) -> rusqlite::Result<Vec<Member>> {
    type Row = (String, i64, i64, u64, i64);
    let rows: Vec<Row> = serde_json::from_str(rows).map_err(|e| bad(2, e))?;
    let time = |ms: Option<i64>| {
        let ms = ms.ok_or_else(|| bad(2, "a time is out of range"))?;
        Timestamp::from_millisecond(ms).map_err(|e| bad(2, e))
    };
    (n..)
        .zip(rows)
        .map(|(n, (id, after, judged, latency_us, matter))| {
            let at = first.checked_add(after);
            let judged = at.and_then(|at| at.checked_add(judged));
            let head = Head { id, time: time(at)?, judged_at: time(judged)?, latency_us };
            Ok(Member { n, matter, head })
        })
        .collect()
}
