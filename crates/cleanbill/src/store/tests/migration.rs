//! A file of version 1 becomes one of version 2, with all that it had.

use std::os::unix::fs::PermissionsExt as _;

use cleanbill_core::Timestamp;

use super::super::{Api, Decision, Owner, Store, Wanted};
use super::digest;

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

#[test]
fn version_1_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = state.join("evidence.db");
    let raw = rusqlite::Connection::open(&file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    raw.execute_batch(VERSION_1).unwrap();
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
    raw.execute("UPDATE decisions SET outcome = 'allowed'", []).unwrap_err();
    drop(Store::open(&state, Owner::Gate).unwrap());
}
