//! How many decisions are kept, and forgetting the rest, a bounded piece at a time.
//!
//! Decisions go in the order in which they were recorded, oldest first, never from the middle.
//! What no decision refers to any more goes after them.

use cleanbill_core::Timestamp;
use rusqlite::{Transaction, params};

/// How many decisions are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// At most about so many (default 100,000): a few hundred more may be there for a while.
    pub count: u32,
    /// At most so many days (default 90).
    pub days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { count: 100_000, days: 90 }
    }
}

/// Decisions that one run forgets at most.
const DECISIONS_A_RUN: i64 = 512;
/// Rows of each other table that one run forgets at most.
const OTHERS_A_RUN: i64 = 1024;

/// Forgets a bounded number of decisions that are too old or too many. Says how many.
pub(super) fn forget(
    change: &Transaction<'_>,
    keep: Keep,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let number = |sql: &str| -> rusqlite::Result<Option<i64>> {
        change.prepare_cached(sql)?.query_row([], |row| row.get(0))
    };
    let first = number("SELECT min(n) FROM decisions")?;
    let last = number("SELECT max(n) FROM decisions")?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(0) };
    let after = last.saturating_add(1);
    // Numbers are given without holes, so that counting is subtracting.
    let too_many = after.saturating_sub(i64::from(keep.count));
    let bound = first.saturating_add(DECISIONS_A_RUN).min(after);
    let young: Option<i64> = change
        .prepare_cached(
            "SELECT min(n) FROM (SELECT n, time FROM decisions WHERE n < ?1) WHERE time >= ?2",
        )?
        .query_row(params![bound, cutoff(keep, now)], |row| row.get(0))?;
    // Where none of the first ones is young enough, all of them go.
    let oldest = too_many.max(young.unwrap_or(bound)).min(bound);
    if oldest <= first {
        return Ok(0);
    }
    change.prepare_cached("UPDATE retention SET oldest = ?1")?.execute(params![oldest])?;
    change.prepare_cached("DELETE FROM decisions WHERE n < ?1")?.execute(params![oldest])
}

/// Forgets a bounded number of what no decision that is kept refers to. Says how much evidence.
pub(super) fn sweep(
    change: &Transaction<'_>,
    keep: Keep,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let oldest: i64 =
        change.prepare_cached("SELECT oldest FROM retention")?.query_row([], |row| row.get(0))?;
    let unused: Vec<i64> = change
        .prepare_cached("SELECT e FROM evidence_used WHERE n < ?1 LIMIT ?2")?
        .query_map(params![oldest, OTHERS_A_RUN], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in ["evidence", "evidence_used"] {
        let mut delete = change.prepare_cached(&format!("DELETE FROM {table} WHERE e = ?1"))?;
        for e in &unused {
            delete.execute(params![e])?;
        }
    }
    for table in ["policies", "snapshots"] {
        change
            .prepare_cached(&format!("DELETE FROM {table} WHERE used < ?1"))?
            .execute(params![oldest])?;
    }
    change
        .prepare_cached(
            "DELETE FROM admitted WHERE (namespace, images) IN
                 (SELECT namespace, images FROM admitted WHERE at < ?1 LIMIT ?2)",
        )?
        .execute(params![cutoff(keep, now), OTHERS_A_RUN])?;
    Ok(unused.len())
}

fn cutoff(keep: Keep, now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(i64::from(keep.days) * 86_400_000)
}
