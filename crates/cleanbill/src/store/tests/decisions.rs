//! Decisions come back whole, are found, never change, and go only by retention.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::super::write::{Ready, Writer};
use super::super::{Api, Decision, Entry, Keep, Owner, Packed, Store, Wanted, admitted};
use super::{decision, digest};

fn ago(days: i64) -> Timestamp {
    let then = Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    Timestamp::from_millisecond(then.as_millisecond()).unwrap()
}

fn entry(decision: Decision) -> Entry {
    Entry { decision, evidence: Vec::new(), admitted: None }
}

fn sha(bytes: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(bytes).into())
}

fn write(writer: &mut Writer, entries: Vec<Entry>) -> Result<(), String> {
    let ready: Vec<Ready> = entries.into_iter().map(|e| Ready::new(e).unwrap()).collect();
    writer.write(&ready).map_err(|wrong| wrong.failure.to_string())
}

#[test]
fn what_is_recorded_comes_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let full = Decision {
        evidence: vec![digest(7), Digest::Sha512([8; 64])],
        break_glass: Some("{\"id\":\"g\"}".into()),
        reason: "it's \"bad\"\n\u{1b}[31m".into(),
        enforced: false,
        ..decision("full", Timestamp::now())
    };
    let bare = Decision {
        api: Api::ImageReview,
        question: None,
        namespace: None,
        images: Vec::new(),
        warnings: Vec::new(),
        snapshot: None,
        ..decision("bare", Timestamp::now())
    };
    for decision in [full, bare] {
        store.record_decision(&decision).unwrap();
        assert_eq!(store.decision(&decision.id).unwrap(), Some(decision));
    }
    assert_eq!(store.decision("nobody").unwrap(), None);
}

#[test]
fn decisions_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let writing = Store::open(&state, Owner::Gate).unwrap();
    for (id, age, outcome, namespace, image) in [
        ("a", 9, "allowed", Some("shop"), "registry.example/web:1"),
        ("b", 8, "denied", Some("shop"), "registry.example/web:2"),
        ("c", 2, "denied", Some("kube-system"), "other.example/dns"),
        ("d", 1, "malformed", None, "x"),
    ] {
        let decision = Decision {
            outcome: outcome.into(),
            namespace: namespace.map(Into::into),
            images: vec![(image.into(), Some(digest(id.as_bytes()[0])))],
            ..decision(id, ago(age))
        };
        writing.record_decision(&decision).unwrap();
    }
    let store = Store::look(&state, Owner::Gate).unwrap();
    let all = Wanted::default;
    let of = |text: &str| Some(text.to_owned());
    let table: Vec<(Wanted, u32, &str)> = vec![
        (all(), 10, "abcd"),
        (all(), 2, "cd"),
        (all(), 0, ""),
        (Wanted { since: Some(ago(3)), ..all() }, 10, "cd"),
        (Wanted { outcome: of("denied"), ..all() }, 10, "bc"),
        (Wanted { outcome: of("den"), ..all() }, 10, ""),
        (Wanted { namespace: of("shop"), ..all() }, 10, "ab"),
        (Wanted { namespace: of("shop"), outcome: of("denied"), ..all() }, 10, "b"),
        (Wanted { image: of("registry.example/"), ..all() }, 10, "ab"),
        (Wanted { image: Some(digest(b'c').hex()), ..all() }, 10, "c"),
        (Wanted { image: of("%"), ..all() }, 10, ""),
        (Wanted { after: Some(0), ..all() }, 2, "ab"),
        (Wanted { after: Some(2), ..all() }, 10, "cd"),
        (Wanted { after: Some(4), ..all() }, 10, ""),
    ];
    for (wanted, limit, ids) in table {
        let found = store.decisions(&wanted, limit).unwrap();
        let got: String = found.iter().map(|(_, d)| d.id.as_str()).collect();
        assert_eq!(got, ids, "{wanted:?}");
    }
    // Looking does not write.
    store.record_decision(&decision("e", Timestamp::now())).unwrap();
    store.put_policy(&digest(1), "x").unwrap_err();
    store.check_writable().unwrap_err();
}

#[test]
fn the_record_cannot_be_changed_by_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let store = Store::open(&state, Owner::Gate).unwrap();
    for id in ["a", "b"] {
        store.record_decision(&decision(id, Timestamp::now())).unwrap();
    }
    let other = rusqlite::Connection::open(state.join("evidence.db")).unwrap();
    for (sql, said) in [
        ("UPDATE decisions SET outcome = 'allowed'", "it is a view"),
        ("DELETE FROM decisions WHERE id = 'b'", "it is a view"),
        ("UPDATE blocks SET rows = '[]'", "append-only"),
        ("UPDATE blocks SET n = 7 WHERE n = 1", "append-only"),
        ("DELETE FROM blocks", "only retention"),
        ("DELETE FROM blocks WHERE n = 2", "only retention"),
        ("UPDATE matters SET outcome = 'allowed'", "append-only"),
        ("DELETE FROM matters", "only retention"),
        ("UPDATE retention SET oldest = 0", "stays forgotten"),
        ("DELETE FROM retention", "append-only"),
        ("INSERT INTO retention VALUES (2, 100, 0)", "CHECK"),
    ] {
        let e = other.execute(sql, []).unwrap_err().to_string();
        assert!(e.contains(said), "{sql}: {e}");
    }
    assert_eq!(store.decisions(&Wanted::default(), 9).unwrap().len(), 2);
}

#[test]
fn decisions_are_kept_within_bounds_and_numbers_are_not_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    // (kept at most, days, ages in the order of recording, which are left)
    let table: [(u32, u32, &[i64], &[i64]); 5] = [
        (3, 10, &[11, 5, 4, 3, 2], &[4, 3, 2]),
        (100, 10, &[30, 12, 11, 9, 1], &[9, 1]),
        // One from a clock that was wrong keeps those after it until its own time has come.
        (100, 10, &[30, 5, 12, 1], &[5, 12, 1]),
        (0, 10, &[2, 1], &[]),
        (100, 10, &[30, 20], &[]),
    ];
    let mut recorded = 0;
    for (row, (count, days, ages, left)) in table.into_iter().enumerate() {
        let keep = Keep { count, days };
        let mut writer = Writer::open(&store.path, Keep { count: u32::MAX, days: 9999 }).unwrap();
        // What is written together goes together.
        for age in ages {
            let entry = entry(decision(&format!("{row}-{age}"), ago(*age)));
            write(&mut writer, vec![entry]).unwrap();
        }
        recorded += ages.len();
        let newest = store.decisions(&Wanted::default(), 1).unwrap();
        assert_eq!(newest.first().unwrap().0, i64::try_from(recorded).unwrap(), "{row}");
        Writer::open(&store.path, keep).unwrap().idle().unwrap();
        let found = store.decisions(&Wanted::default(), 99).unwrap();
        let got: Vec<String> = found.into_iter().map(|(_, d)| d.id).collect();
        let left: Vec<String> = left.iter().map(|age| format!("{row}-{age}")).collect();
        assert_eq!(got, left, "row {row}");
        // What is left makes room for the next row.
        Writer::open(&store.path, Keep { count: 0, days: 0 }).unwrap().idle().unwrap();
        assert!(store.decisions(&Wanted::default(), 99).unwrap().is_empty(), "row {row}");
    }
}

#[test]
fn one_run_forgets_a_bounded_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let mut writer = Writer::open(&store.path, Keep::default()).unwrap();
    let now = Timestamp::now();
    for n in 0..750 {
        let pair = [2 * n, 2 * n + 1].map(|n| entry(decision(&n.to_string(), now)));
        write(&mut writer, pair.into()).unwrap();
    }
    let mut writer = Writer::open(&store.path, Keep { count: 10, days: 90 }).unwrap();
    let mut left = Vec::new();
    for _ in 0..4 {
        writer.idle().unwrap();
        left.push(store.decisions(&Wanted::default(), 9999).unwrap().len());
    }
    assert_eq!(left, [1500 - 1024, 10, 10, 10]);
}

#[test]
fn what_decisions_refer_to_goes_after_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let both = [&b"{\"old\":1}"[..], b"{\"shared\":1}"].map(|json| Packed::new(json).unwrap());
    let json = [both[0].json().unwrap(), both[1].json().unwrap()];
    let with = |id: &str, age, policy, evidence: &[Packed]| Entry {
        decision: Decision {
            policy: digest(policy),
            snapshot: Some(digest(policy + 100)),
            evidence: evidence.iter().map(Packed::digest).collect(),
            outcome: "allowed".into(),
            ..decision(id, ago(age))
        },
        evidence: evidence.to_vec(),
        admitted: Some(digest(policy)),
    };
    for n in [1, 2, 3] {
        store.put_policy(&digest(n), &format!("policy {n}")).unwrap();
        store.put_snapshot(&digest(n + 100), "/some/file".as_ref()).unwrap();
    }
    let mut writer = Writer::open(&store.path, Keep::default()).unwrap();
    write(&mut writer, vec![with("a", 20, 1, &both)]).unwrap();
    let mut writer = Writer::open(&store.path, Keep { count: 100, days: 10 }).unwrap();
    writer.until_forgetting = 256;
    // Not given again, but referred to.
    let mut again = with("b", 1, 2, &both[1..]);
    again.evidence.clear();
    write(&mut writer, vec![again]).unwrap();
    assert_eq!(store.evidence(&both[0].digest()).unwrap().as_ref(), Some(&json[0]));
    assert!(store.admitted("shop", &digest(1)).unwrap().is_some());
    writer.idle().unwrap();
    assert_eq!(store.decision("a").unwrap(), None);
    assert_eq!(store.evidence(&both[0].digest()).unwrap(), None);
    assert_eq!(store.evidence(&both[1].digest()).unwrap().as_ref(), Some(&json[1]));
    for (n, kept) in [(1, false), (2, true)] {
        // It is there, whatever it is: its digest is made up.
        let there = !matches!(store.policy(&digest(n)), Ok(None));
        assert_eq!(there, kept, "policy {n}");
        assert_eq!(store.snapshot(&digest(n + 100)).unwrap().is_some(), kept, "snapshot {n}");
        let let_in = store.admitted("shop", &digest(n)).unwrap();
        assert_eq!(let_in.is_some(), kept, "admitted {n}");
    }
    // The one that went comes back when it is given again.
    write(&mut writer, vec![with("c", 0, 1, &both[..1])]).unwrap();
    assert_eq!(store.evidence(&both[0].digest()).unwrap().as_ref(), Some(&json[0]));
}

#[test]
fn evidence_is_what_its_digest_says() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("s");
    let store = Store::open(&state, Owner::Gate).unwrap();
    let mut writer = Writer::open(&store.path, Keep::default()).unwrap();
    let with = |id: &str, digest| Entry {
        evidence: vec![Packed::said_to_be(digest, b"{}")],
        ..entry(decision(id, Timestamp::now()))
    };
    let said = write(&mut writer, vec![with("a", digest(3))]).unwrap_err();
    assert!(said.contains("is something else"), "{said}");
    assert_eq!(store.decision("a").unwrap(), None);
    write(&mut writer, vec![with("b", sha(b"{}"))]).unwrap();
    let other = rusqlite::Connection::open(state.join("evidence.db")).unwrap();
    let packed = zstd::bulk::compress(b"[]", 3).unwrap();
    other.execute("UPDATE evidence SET value = ?1", [packed]).unwrap();
    let said = store.evidence(&sha(b"{}")).unwrap_err().to_string();
    assert!(said.contains("is something else"), "{said}");
}

#[test]
fn only_enforced_permissions_admit() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let mut writer = Writer::open(&store.path, Keep::default()).unwrap();
    let time = ago(0);
    let late = |s| time + jiff::SignedDuration::from_secs(s);
    // (id, outcome, enforced, seconds later, the admission that is then found)
    let table = [
        ("a", "denied", true, 0, None),
        ("b", "allowed", false, 0, None),
        ("c", "allowed", true, 0, Some(("c", 0))),
        ("d", "allowed", true, 30, Some(("c", 0))),
        ("e", "allowed", true, 61, Some(("e", 61))),
        ("f", "allowed", true, 10, Some(("f", 10))),
    ];
    for (id, outcome, enforced, seconds, want) in table {
        let decision = Decision {
            outcome: outcome.into(),
            enforced,
            time: late(seconds),
            ..decision(id, time)
        };
        write(&mut writer, vec![Entry { admitted: Some(digest(9)), ..entry(decision) }]).unwrap();
        let got = store.admitted("shop", &digest(9)).unwrap();
        let want = want.map(|(id, seconds)| (late(seconds), id.to_owned()));
        assert_eq!(got, want, "{id}");
    }
    assert_eq!(store.admitted("other", &digest(9)).unwrap(), None);
    assert_eq!(store.admitted("shop", &digest(8)).unwrap(), None);
}

#[test]
fn a_set_of_images_has_no_order() {
    let (a, b) = (("a".to_owned(), digest(1)), ("b".to_owned(), digest(2)));
    let set = |images: &[(String, Digest)]| admitted::set(images).unwrap();
    let ab = set(&[a.clone(), b.clone()]);
    assert_eq!(ab, set(&[b.clone(), a.clone(), b.clone()]));
    for other in [vec![], vec![a.clone()], vec![a.clone(), ("b".into(), digest(1))]] {
        assert_ne!(ab, set(&other), "{other:?}");
    }
}
