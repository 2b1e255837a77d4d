//! The tables. How a file of an older version gets them is in [`super::migrate`].
//!
//! The record is append-only: triggers refuse every change of it, and every deletion but that of
//! blocks that retention has given up before, in order, and of what no block refers to any more.
//! They guard against mistakes of ours and of whoever opens the file with another program; they
//! are no defence against its owner.

use rusqlite::{Connection, TransactionBehavior, params};

use super::Owner;

/// The version of the tables that this program writes.
pub(super) const VERSION: i64 = 3;

/// Raw facts, as every version had them.
const FACTS: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE layers (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE inventories (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
";

/// What version 2 brought. `n` and `used` are the number of the last decision for which a row is
/// kept, at the least.
pub(super) const REFERRED: &str = "
    CREATE TABLE images (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE retention (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1), oldest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO retention VALUES (1, 1);
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

/// What version 3 brought: decisions that were written together are one row of `blocks`, and what
/// many have in common is one row of `matters`. Decisions are counted in the order of recording,
/// and no number is used twice; a block's `n` is the number of its first. `sweeps` counts how
/// often something was deleted that decisions may refer to. Of a snapshot: when it was last put in
/// force, how long its file in the folder `snapshots` is, and, where there is none, why not. Of
/// facts: when they were last used (seconds, at most a day behind) and how many bytes they take.
pub(super) const RECORD: &str = "
    ALTER TABLE snapshots ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN bytes INTEGER;
    ALTER TABLE snapshots ADD COLUMN why TEXT NOT NULL
        DEFAULT 'the version that used them kept no copies';
    ALTER TABLE layers ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE layers ADD COLUMN size INTEGER AS (length(key) + length(value)) VIRTUAL;
    CREATE INDEX layers_by_use ON layers (used, size);
    ALTER TABLE inventories ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE inventories ADD COLUMN size INTEGER AS (length(key) + length(value)) VIRTUAL;
    CREATE INDEX inventories_by_use ON inventories (used, size);
    ALTER TABLE images ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE images ADD COLUMN size INTEGER AS (length(key) + length(value)) VIRTUAL;
    CREATE INDEX images_by_use ON images (used, size);
    ALTER TABLE retention ADD COLUMN sweeps INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE blocks (
        n INTEGER PRIMARY KEY, count INTEGER NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL, rows TEXT NOT NULL
    ) STRICT;
    CREATE TABLE matters (
        m INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
        outcome TEXT NOT NULL, namespace TEXT, images TEXT NOT NULL, enforced INTEGER NOT NULL,
        api TEXT NOT NULL, reason TEXT NOT NULL, warnings TEXT NOT NULL, policy TEXT NOT NULL,
        snapshot TEXT, evidence TEXT NOT NULL, engine TEXT NOT NULL, break_glass TEXT,
        trace TEXT NOT NULL, question TEXT
    ) STRICT;
    CREATE TABLE matters_used (m INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
    CREATE VIEW decisions AS
        SELECT b.n + r.key AS n, r.value ->> 0 AS id, b.first + (r.value ->> 1) AS time,
            m.outcome, m.namespace, m.images, m.enforced, m.api,
            replace(replace(m.reason, char(26) || '#', r.value ->> 0), char(26) || '-', char(26))
                AS reason,
            m.warnings, m.policy, m.snapshot, m.evidence, m.engine,
            b.first + (r.value ->> 1) + (r.value ->> 2) AS judged_at,
            r.value ->> 3 AS latency_us, m.break_glass, m.trace, m.question
        FROM blocks b, json_each(b.rows) r LEFT JOIN matters m ON m.m = r.value ->> 4;
    CREATE TRIGGER blocks_never_change BEFORE UPDATE ON blocks
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    CREATE TRIGGER blocks_go_by_retention BEFORE DELETE ON blocks
        WHEN OLD.n + OLD.count > (SELECT oldest FROM retention)
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only: only retention forgets'); END;
    CREATE TRIGGER matters_never_change BEFORE UPDATE ON matters
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    CREATE TRIGGER matters_go_by_retention BEFORE DELETE ON matters
        WHEN NOT EXISTS (SELECT 1 FROM matters_used u
            WHERE u.m = OLD.m AND u.n < (SELECT oldest FROM retention))
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only: only retention forgets'); END;
";

/// Fills an empty file.
pub(super) fn create(connection: &mut Connection, owner: Owner) -> rusqlite::Result<()> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for tables in [FACTS, REFERRED, RECORD] {
        change.execute_batch(tables)?;
    }
    change.execute("INSERT INTO meta VALUES ('owner', ?1)", params![owner.as_str()])?;
    change.pragma_update(None, "user_version", VERSION)?;
    change.commit()
}
