//! A file of an older version becomes one of this version, with all that it had.

use std::os::unix::fs::PermissionsExt as _;

use cleanbill_core::Timestamp;

use super::super::{Api, Decision, Owner, Store, Wanted};
use super::{decision, digest};

/// The tables as version 1 made them.
const VERSION_1: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE layers (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE inventories (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE decisions (
        id TEXT PRIMARY KEY, time INTEGER NOT NULL, question TEXT, outcome TEXT NOT NULL,
        reason TEXT NOT NULL, policy TEXT NOT NULL, snapshot TEXT, evidence TEXT
    ) STRICT;
    CREATE INDEX decisions_by_time ON decisions (time);
    INSERT INTO meta VALUES ('owner', 'gate');
    PRAGMA user_version = 1;
";

/// A folder with a file of these tables.
fn of_version(tables: &str) -> (tempfile::TempDir, rusqlite::Connection) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = state.join("evidence.db");
    let raw = rusqlite::Connection::open(&file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    raw.execute_batch(tables).unwrap();
    (dir, raw)
}

#[test]
fn version_1_is_carried_over() {
    let (dir, raw) = of_version(VERSION_1);
    let state = dir.path().join("s");
    let file = state.join("evidence.db");
    raw.execute("INSERT INTO layers VALUES (?1, ?2)", (b"key", b"value")).unwrap();
    let question = r#"{"images":["b","a \"quoted\""],"namespace":"shop","annotations":{}}"#;
    let (policy, other) = (digest(1).to_string(), digest(2).to_string());
    for (id, time, question, other) in [
        ("late", 2_000, Some(question), Some(&other)),
        ("early", 1_000, None, None),
        ("odd", 3_000, Some("not JSON"), None),
    ] {
        raw.execute(
            "INSERT INTO decisions VALUES (?1, ?2, ?3, 'denied', 'why', ?4, ?5, ?5)",
            (id, time, question, &policy, other),
        )
        .unwrap();
    }
    drop(raw);

    // Looking does not bring it up to date, and says what does.
    let Err(said) = Store::look(&state, Owner::Gate) else { panic!("it was opened") };
    assert!(said.to_string().contains("start the gate once"), "{said}");
    drop(Store::open(&state, Owner::Gate).unwrap());
    let store = Store::look(&state, Owner::Gate).unwrap();
    let time = |ms| Timestamp::from_millisecond(ms).unwrap();
    let empty = |id: &str, ms, question: Option<&str>| Decision {
        id: id.into(),
        time: time(ms),
        api: Api::ImageReview,
        question: question.map(Into::into),
        namespace: None,
        images: Vec::new(),
        outcome: "denied".into(),
        reason: "why".into(),
        warnings: Vec::new(),
        policy: digest(1),
        snapshot: None,
        evidence: Vec::new(),
        trace: String::new(),
        engine: String::new(),
        judged_at: time(ms),
        latency_us: 0,
        enforced: true,
        break_glass: None,
    };
    let want = [
        (1, empty("early", 1_000, None)),
        (
            2,
            Decision {
                namespace: Some("shop".into()),
                images: vec![("b".into(), None), ("a \"quoted\"".into(), None)],
                snapshot: Some(digest(2)),
                evidence: vec![digest(2)],
                ..empty("late", 2_000, Some(question))
            },
        ),
        (3, empty("odd", 3_000, Some("not JSON"))),
    ];
    assert_eq!(store.decisions(&Wanted::default(), 9).unwrap(), want);
    let raw = rusqlite::Connection::open(&file).unwrap();
    let kept: i64 = raw.query_row("SELECT count(*) FROM layers", [], |r| r.get(0)).unwrap();
    assert_eq!(kept, 1);
    raw.execute("UPDATE matters SET outcome = 'allowed'", []).unwrap_err();
    drop(Store::open(&state, Owner::Gate).unwrap());
}

/// The tables of version 2 that are not those of now.
const VERSION_2: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE layers (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE inventories (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE decisions (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL,
        outcome TEXT NOT NULL, namespace TEXT, images TEXT NOT NULL, enforced INTEGER NOT NULL,
        api TEXT NOT NULL, reason TEXT NOT NULL, warnings TEXT NOT NULL, policy TEXT NOT NULL,
        snapshot TEXT, evidence TEXT NOT NULL, engine TEXT NOT NULL, judged_at INTEGER NOT NULL,
        latency_us INTEGER NOT NULL, break_glass TEXT, trace TEXT NOT NULL, question TEXT
    ) STRICT;
    CREATE INDEX decisions_by_time ON decisions (time);
    CREATE TRIGGER decisions_never_change BEFORE UPDATE ON decisions
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
    CREATE TRIGGER decisions_go_by_retention BEFORE DELETE ON decisions
        WHEN OLD.n >= (SELECT oldest FROM retention)
        BEGIN SELECT RAISE(ABORT, 'decisions are append-only: only retention forgets'); END;
    INSERT INTO meta VALUES ('owner', 'gate');
    PRAGMA user_version = 2;
";

#[test]
fn version_2_is_carried_over() {
    let (dir, raw) = of_version(VERSION_2);
    let state = dir.path().join("s");
    let file = state.join("evidence.db");
    raw.execute_batch(super::super::schema::REFERRED).unwrap();
    raw.execute("UPDATE retention SET oldest = 11", []).unwrap();
    let (policy, snapshot, evidence) = (digest(1), digest(2), digest(3));
    // More than one block, two matters in turn.
    let mut insert = raw
        .prepare(
            "INSERT INTO decisions VALUES (?1, ?2, ?3, 'denied', ?4, '[[\"a\",null]]', ?5, \
             'AdmissionReview', 'no: ' || ?2, '[\"w\"]', ?6, ?7, ?8, 'e', ?3 - 5, ?1, 'b', 't', 'q')",
        )
        .unwrap();
    for n in 11_i64..611 {
        let namespace = (n % 2 == 0).then_some("shop");
        let id = format!("id-{n}");
        let evidence = format!("[\"{evidence}\"]");
        insert
            .execute(rusqlite::params![
                n,
                id,
                1000 + n,
                namespace,
                n % 2,
                policy.to_string(),
                snapshot.to_string(),
                evidence
            ])
            .unwrap();
    }
    drop(insert);
    drop(raw);
    let store = Store::open(&state, Owner::Gate).unwrap();
    let found = store.decisions(&Wanted::default(), 9999).unwrap();
    assert_eq!(found.len(), 600);
    for (n, found) in &found {
        let time = |ms| Timestamp::from_millisecond(ms).unwrap();
        let want = Decision {
            id: format!("id-{n}"),
            time: time(1000 + n),
            api: Api::AdmissionReview,
            question: Some("q".into()),
            namespace: (n % 2 == 0).then(|| "shop".into()),
            images: vec![("a".into(), None)],
            outcome: "denied".into(),
            reason: format!("no: id-{n}"),
            warnings: vec!["w".into()],
            policy,
            snapshot: Some(snapshot),
            evidence: vec![evidence],
            trace: "t".into(),
            engine: "e".into(),
            judged_at: time(995 + n),
            latency_us: u64::try_from(*n).unwrap(),
            enforced: n % 2 == 1,
            break_glass: Some("b".into()),
        };
        assert_eq!(*found, want);
    }
    let raw = rusqlite::Connection::open(&file).unwrap();
    let rows = |table: &str| -> i64 {
        raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((rows("matters"), rows("blocks"), rows("decisions")), (2, 3, 600));
    store.record_decision(&decision("next", Timestamp::now())).unwrap();
    assert_eq!(store.decisions(&Wanted::default(), 1).unwrap()[0].0, 611);
}

/// All that the file is made of.
fn tables(file: &std::path::Path) -> Vec<(String, String)> {
    let raw = rusqlite::Connection::open(file).unwrap();
    let mut statement =
        raw.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn whatever_it_was_it_has_the_same_tables() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(&dir.path().join("new"), Owner::Gate).unwrap());
    let want = tables(&dir.path().join("new/evidence.db"));
    for name in ["layers_by_use", "images_by_use", "snapshots", "blocks"] {
        assert!(want.iter().any(|(known, _)| known == name), "{name}");
    }
    let both = VERSION_2.to_owned() + super::super::schema::REFERRED;
    for (name, made) in [("one", VERSION_1), ("two", both.as_str())] {
        let state = dir.path().join(name);
        std::fs::create_dir(&state).unwrap();
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
        let file = state.join("evidence.db");
        let raw = rusqlite::Connection::open(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        raw.execute_batch(made).unwrap();
        raw.execute("INSERT INTO layers VALUES (x'01', x'0203')", []).unwrap();
        if name == "two" {
            let digest = digest(7).to_string();
            raw.execute("INSERT INTO snapshots VALUES (?1, 9, '/a/file')", [digest]).unwrap();
        }
        drop(raw);
        let store = Store::open(&state, Owner::Gate).unwrap();
        assert_eq!(tables(&file), want, "{name}");
        assert_eq!(store.facts_size().unwrap(), 3, "{name}");
        if name == "two" {
            let noted = store.snapshot(&digest(7)).unwrap().unwrap();
            assert_eq!((noted.from.as_str(), noted.in_force), ("/a/file", None));
            let why = store.open_snapshot(&digest(7)).unwrap().map(|_| ()).unwrap_err();
            assert!(why.contains("kept no copies"), "{why}");
        }
    }
}
