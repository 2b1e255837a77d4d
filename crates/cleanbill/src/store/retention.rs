//! How many decisions are kept, and forgetting the rest, a bounded piece at a time.
//!
//! Decisions go in the order in which they were recorded, oldest first, never from the middle, and
//! by whole blocks: what was written together is forgotten together. What no decision refers to any
//! more goes after them.

use cleanbill_core::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

/// How many decisions are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// At most about so many (default 1,000,000): a few hundred more may be there for a while.
    pub count: u32,
    /// At most so many days (default 90).
    pub days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { count: 1_000_000, days: 90 }
    }
}

/// Blocks that one run forgets at most. A run comes with every few hundred decisions, each of
/// which may be a block of its own.
const BLOCKS_A_RUN: i64 = 512;
/// Rows of each other table that one run forgets at most.
const OTHERS_A_RUN: i64 = 4096;

/// Forgets a bounded number of decisions that are too old or too many. Says how many blocks.
pub(super) fn forget(
    change: &Transaction<'_>,
    keep: Keep,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let after: Option<i64> = change
        .prepare_cached("SELECT n + count FROM blocks ORDER BY n DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(after) = after else { return Ok(0) };
    // Numbers are given without holes, so that counting is subtracting.
    let enough = after.saturating_sub(i64::from(keep.count));
    let mut oldest = None;
    let mut blocks =
        change.prepare_cached("SELECT n + count, last FROM blocks ORDER BY n LIMIT ?1")?;
    let mut blocks = blocks.query(params![BLOCKS_A_RUN])?;
    while let Some(block) = blocks.next()? {
        let (end, last): (i64, i64) = (block.get(0)?, block.get(1)?);
        // One from a clock that was wrong keeps those after it until its own time has come.
        if end > enough && last >= cutoff(keep, now) {
            break;
        }
        oldest = Some(end);
    }
    drop(blocks);
    let Some(oldest) = oldest else { return Ok(0) };
    change.prepare_cached("UPDATE retention SET oldest = ?1")?.execute(params![oldest])?;
    change.prepare_cached("DELETE FROM blocks WHERE n < ?1")?.execute(params![oldest])
}

/// Forgets a bounded number of what no decision that is kept refers to. Whether there was any.
pub(super) fn sweep(
    change: &Transaction<'_>,
    keep: Keep,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let oldest: i64 =
        change.prepare_cached("SELECT oldest FROM retention")?.query_row([], |row| row.get(0))?;
    let mut gone = 0;
    for (table, used, row) in [("matters", "matters_used", "m"), ("evidence", "evidence_used", "e")]
    {
        let unused: Vec<i64> = change
            .prepare_cached(&format!("SELECT {row} FROM {used} WHERE n < ?1 LIMIT ?2"))?
            .query_map(params![oldest, OTHERS_A_RUN], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for table in [table, used] {
            let mut delete =
                change.prepare_cached(&format!("DELETE FROM {table} WHERE {row} = ?1"))?;
            for number in &unused {
                gone += delete.execute(params![number])?;
            }
        }
    }
    for table in ["policies", "snapshots"] {
        // What is in force is used by the next decision, though it may be the first for months.
        gone += change
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE used < ?1
                 AND digest NOT IN (SELECT value FROM meta WHERE name = '{table}')"
            ))?
            .execute(params![oldest])?;
    }
    gone += change
        .prepare_cached(
            "DELETE FROM admitted WHERE (namespace, images) IN
                 (SELECT namespace, images FROM admitted WHERE at < ?1 LIMIT ?2)",
        )?
        .execute(params![cutoff(keep, now), OTHERS_A_RUN])?;
    if gone > 0 {
        // Whoever remembers what is in the file sees that he has to look again.
        change.prepare_cached("UPDATE retention SET sweeps = sweeps + 1")?.execute([])?;
    }
    Ok(gone > 0)
}

fn cutoff(keep: Keep, now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(i64::from(keep.days) * 86_400_000)
}
