//! Brings a file of an older version up to date, all of it or nothing.

use std::collections::HashMap;

use cleanbill_core::Timestamp;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::block::Block;
use super::decision::{Api, Decision, bad, digest, parsed, time};
use super::matter::Matter;
use super::schema;

/// Decisions of one block.
const TOGETHER: i64 = 256;

/// Version 1 recorded less; what it did not record stays empty. Namespace and images are taken
/// from the question where that can be read.
const VERSION_1: &str = "
    SELECT row_number() OVER (ORDER BY time, rowid), id, time, outcome,
        CASE WHEN json_valid(question) THEN json_extract(question, '$.namespace') END,
        CASE WHEN json_valid(question) THEN (
            SELECT json_group_array(json_array(value, NULL)) FROM json_each(question, '$.images')
        ) ELSE '[]' END,
        1, 'ImageReview', reason, '[]', policy, snapshot,
        CASE WHEN evidence IS NULL THEN '[]' ELSE json_array(evidence) END,
        '', time, 0, NULL, '', question
    FROM old_decisions ORDER BY 1";

const VERSION_2: &str = "
    SELECT n, id, time, outcome, namespace, images, enforced, api, reason, warnings, policy,
        snapshot, evidence, engine, judged_at, latency_us, break_glass, trace, question
    FROM old_decisions ORDER BY n";

/// Gives it the tables of now.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let source = match version {
        1 => VERSION_1,
        2 => VERSION_2,
        // Another process was quicker.
        _ => return Ok(()),
    };
    change.execute_batch(
        "DROP INDEX decisions_by_time; ALTER TABLE decisions RENAME TO old_decisions;",
    )?;
    if version == 1 {
        change.execute_batch(schema::REFERRED)?;
    }
    change.execute_batch(schema::RECORD)?;
    carry_over(&change, source)?;
    change.execute_batch("DROP TABLE old_decisions")?;
    change.pragma_update(None, "user_version", schema::VERSION)?;
    change.commit()
}

fn carry_over(change: &Transaction<'_>, source: &str) -> rusqlite::Result<()> {
    let mut matters: HashMap<[u8; 32], i64> = HashMap::new();
    let mut used = change
        .prepare("INSERT INTO matters_used VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = ?2")?;
    let mut statement = change.prepare(source)?;
    let mut rows = statement.query([])?;
    let mut open: Option<(i64, i64, Block)> = None;
    while let Some(row) = rows.next()? {
        let (n, decision) = read(row)?;
        let wrong = |e: crate::failure::Failure| {
            rusqlite::Error::ToSqlConversionFailure(e.to_string().into())
        };
        let (head, matter) = Matter::of(decision).map_err(wrong)?;
        let m = match matters.get(&matter.key) {
            Some(m) => *m,
            None => matter.insert(change)?,
        };
        matters.insert(matter.key, m);
        used.execute(params![m, n])?;
        let (first, next, mut block) = match open.take() {
            Some((first, next, block)) if next == n && n - first < TOGETHER => (first, n, block),
            full => {
                if let Some((first, _, block)) = full {
                    block.insert(change, first)?;
                }
                (n, n, Block::new(head.time.as_millisecond()))
            }
        };
        block.push(&head, m)?;
        open = Some((first, next + 1, block));
    }
    match open {
        Some((first, _, block)) => block.insert(change, first),
        None => Ok(()),
    }
}

/// Reads a row of version 2: its number and the decision.
fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Decision)> {
    let text = |column| row.get::<_, String>(column);
    let api = text(7)?;
    let latency: i64 = row.get(15)?;
    let judged_at: Timestamp = time(row, 14)?;
    let decision = Decision {
        id: row.get(1)?,
        time: time(row, 2)?,
        outcome: row.get(3)?,
        namespace: row.get(4)?,
        images: parsed(5, &text(5)?)?,
        enforced: row.get(6)?,
        api: Api::ALL
            .into_iter()
            .find(|a| a.as_str() == api)
            .ok_or_else(|| bad(7, format!("{api:?} is no API that is known")))?,
        reason: row.get(8)?,
        warnings: parsed(9, &text(9)?)?,
        policy: digest(10, &text(10)?)?,
        snapshot: match row.get::<_, Option<String>>(11)? {
            Some(text) => Some(digest(11, &text)?),
            None => None,
        },
        evidence: parsed(12, &text(12)?)?,
        engine: row.get(13)?,
        judged_at,
        latency_us: u64::try_from(latency).map_err(|e| bad(15, e))?,
        break_glass: row.get(16)?,
        trace: row.get(17)?,
        question: row.get(18)?,
    };
    Ok((row.get(0)?, decision))
}
