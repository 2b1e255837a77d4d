//! The tables, and how a file of an older version becomes one of this version.
//!
//! `decisions` is append-only: triggers refuse every change, and every deletion but that of rows
//! that retention has given up before, in order. They guard against mistakes of ours and of
//! whoever opens the file with another program; they are no defence against its owner.

use rusqlite::{Connection, TransactionBehavior, params};

use super::Owner;

/// The version of the tables that this program writes.
pub(super) const VERSION: i64 = 2;

/// What version 1 had and version 2 still has.
const FACTS: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE layers (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE inventories (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
";

/// What version 2 brought. `n` counts the decisions in the order of recording and is never used
/// twice. What is looked for stands first in a row, so that a search reads little of it.
const RECORD: &str = "
    CREATE TABLE images (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE decisions (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL,
        outcome TEXT NOT NULL, namespace TEXT, images TEXT NOT NULL, enforced INTEGER NOT NULL,
        api TEXT NOT NULL, reason TEXT NOT NULL, warnings TEXT NOT NULL, policy TEXT NOT NULL,
        snapshot TEXT, evidence TEXT NOT NULL, engine TEXT NOT NULL, judged_at INTEGER NOT NULL,
        latency_us INTEGER NOT NULL, break_glass TEXT, trace TEXT NOT NULL, question TEXT
    ) STRICT;
    CREATE INDEX decisions_by_time ON decisions (time);
    CREATE TABLE retention (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1), oldest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO retention VALUES (1, 1);
    CREATE TRIGGER decisions_never_change BEFORE UPDATE ON decisions
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    CREATE TRIGGER decisions_go_by_retention BEFORE DELETE ON decisions
        WHEN OLD.n >= (SELECT oldest FROM retention)
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only: only retention forgets'); END;
    CREATE TRIGGER retention_goes_forward BEFORE UPDATE ON retention
        WHEN NEW.oldest < OLD.oldest
        BEGIN SELECT RAISE(ABORT, 'what was forgotten stays forgotten'); END;
    CREATE TRIGGER retention_stays BEFORE DELETE ON retention
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;

    CREATE TABLE evidence (
        e INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, value BLOB NOT NULL
    ) STRICT;
    CREATE TABLE evidence_used (e INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    CREATE TABLE policies (
        digest TEXT PRIMARY KEY, used INTEGER NOT NULL, text TEXT NOT NULL
    ) STRICT;
    CREATE TABLE snapshots (
        digest TEXT PRIMARY KEY, used INTEGER NOT NULL, file TEXT NOT NULL
    ) STRICT;

    CREATE TABLE admitted (
        namespace TEXT NOT NULL, images TEXT NOT NULL, at INTEGER NOT NULL, decision TEXT NOT NULL,
        PRIMARY KEY (namespace, images)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE registrations (
        n INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, name TEXT NOT NULL,
        digest TEXT NOT NULL, node TEXT NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL
    ) STRICT;
    CREATE INDEX registrations_by_name ON registrations (name, digest, node);
    CREATE TRIGGER registrations_never_change BEFORE UPDATE ON registrations
        BEGIN SELECT RAISE(ABORT, 'registrations are append-only'); END;
    CREATE TRIGGER registrations_stay BEFORE DELETE ON registrations
        BEGIN SELECT RAISE(ABORT, 'registrations are append-only'); END;
";

/// Version 1 recorded less; what it did not record stays empty. Namespace and images are taken
/// from the question where that can be read.
const CARRY_OVER: &str = "
    INSERT INTO decisions
    SELECT row_number() OVER (ORDER BY time, rowid), id, time, outcome,
        CASE WHEN json_valid(question) THEN json_extract(question, '$.namespace') END,
        CASE WHEN json_valid(question) THEN (
            SELECT json_group_array(json_array(value, NULL)) FROM json_each(question, '$.images')
        ) ELSE '[]' END,
        1, 'ImageReview', reason, '[]', policy, snapshot,
        CASE WHEN evidence IS NULL THEN '[]' ELSE json_array(evidence) END,
        '', time, 0, NULL, '', question
    FROM decisions_1;
    DROP TABLE decisions_1;
";

/// Fills an empty file.
pub(super) fn create(connection: &mut Connection, owner: Owner) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute_batch(FACTS)?;
    change.execute_batch(RECORD)?;
    change.execute("INSERT INTO meta VALUES ('owner', ?1)", params![owner.as_str()])?;
    change.pragma_update(None, "user_version", VERSION)?;
    change.commit()
}

/// Brings a file of version 1 up to date, all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != 1 {
        // Another process was quicker.
        return Ok(());
    }
    change.execute_batch(
        "DROP INDEX decisions_by_time; ALTER TABLE decisions RENAME TO decisions_1;",
    )?;
    change.execute_batch(RECORD)?;
    change.execute_batch(CARRY_OVER)?;
    change.pragma_update(None, "user_version", VERSION)?;
    change.commit()
}
