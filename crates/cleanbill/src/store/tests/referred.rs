//! Whatever is recorded in whatever order and forgotten whenever: what a decision that is kept
//! refers to is there, and what none refers to any more goes in the end.

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use proptest::prelude::*;

use super::super::write::{Ready, Writer};
use super::super::{Decision, Entry, Keep, Matter, Owner, Packed, Store, Wanted};
use super::{decision, digest};

/// One of a few matters, each with evidence of its own and some that it shares.
fn entry(n: usize, matter: u8) -> Entry {
    let evidence = |text: String| Packed::new(text.as_bytes()).unwrap();
    let evidence = vec![
        evidence(format!("{{\"own\":{matter}}}")),
        evidence(format!("{{\"s\":{}}}", matter % 3)),
    ];
    let policy = digest(matter % 2);
    let decision = Decision {
        namespace: Some(format!("n{matter}")),
        policy,
        snapshot: Some(digest(100 + matter % 2)),
        evidence: evidence.iter().map(Packed::digest).collect(),
        ..decision(&format!("{n}-{matter}"), Timestamp::now())
    };
    Entry { decision, evidence, admitted: None }
}

/// As the gate gives it, which keeps the matter of what it told before, with the hint in it.
fn ready(entry: Entry, told: &mut HashMap<[u8; 32], Arc<Matter>>) -> Ready {
    let (head, matter) = Matter::of(entry.decision).unwrap();
    let matter = told.entry(matter.key).or_insert_with(|| Arc::new(matter));
    Ready::again(head, Arc::clone(matter) as _, Arc::new(entry.evidence), 0, None)
}

fn rows(store: &Store, table: &str) -> i64 {
    let raw = rusqlite::Connection::open(&store.path).unwrap();
    raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn check(steps: &[(u8, u8)], count: u32) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    let keep = Keep { count, days: 90 };
    let mut writer = Writer::open(&store.path, keep).unwrap();
    let (mut written, mut first) = (Vec::new(), 0);
    let mut told = HashMap::new();
    for (n, (matter, then)) in steps.iter().enumerate() {
        let entry = entry(n, *matter);
        written.push(entry.decision.clone());
        store.put_policy(&entry.decision.policy, "policy").unwrap();
        store.put_snapshot(&entry.decision.snapshot.unwrap(), "/file".as_ref()).unwrap();
        if *then == 4 {
            // In force for longer than anything is kept.
            Writer::open(&store.path, Keep { count: 0, days: 0 }).unwrap().idle().unwrap();
            first = n + 1;
        }
        writer.write(&[ready(entry, &mut told)]).map_err(|w| w.failure).unwrap();
        match then {
            // It is looked what is to be forgotten.
            0..3 => writer.idle().unwrap(),
            // A restart.
            3 => writer = Writer::open(&store.path, keep).unwrap(),
            _ => {}
        }
    }
    let found = store.decisions(&Wanted::default(), u32::MAX).unwrap();
    assert!(found.len() >= (written.len() - first).min(count as usize), "{}", found.len());
    for (n, found) in &found {
        assert_eq!(*found, written[usize::try_from(*n).unwrap() - 1]);
        // It is there, whatever it is: its digest is made up.
        assert!(!matches!(store.policy(&found.policy), Ok(None)), "{n}");
        assert!(store.snapshot(&found.snapshot.unwrap()).unwrap().is_some(), "{n}");
        for digest in &found.evidence {
            assert!(store.evidence(digest).unwrap().is_some(), "{n} {digest}");
        }
    }
    let all = |table| rows(&store, table);
    assert_eq!(all("decisions"), i64::try_from(found.len()).unwrap());
    // Others come, until nobody remembers.
    let strangers = 60;
    for n in 0..strangers {
        let stranger = Decision { namespace: None, ..decision(&n.to_string(), Timestamp::now()) };
        let entry = Entry { decision: stranger, evidence: Vec::new(), admitted: None };
        writer.write(&[Ready::new(entry).unwrap()]).map_err(|w| w.failure).unwrap();
    }
    for _ in 0..8 {
        writer.idle().unwrap();
    }
    assert_eq!((all("matters"), all("evidence")), (i64::from(count > 0), 0), "{count}");
    assert_eq!((all("matters_used"), all("evidence_used")), (i64::from(count > 0), 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn what_is_referred_to_is_kept_as_long(
        steps in prop::collection::vec((0_u8..7, 0_u8..12), 1..40),
        count in 0_u32..40,
    ) {
        check(&steps, count);
    }
}
