//! Recorded decisions held against other advisories than those of then.

use cleanbill::store::{Decision, Entry, Journal, Owner, Packed, Store};
use cleanbill_advisory::Gathered;
use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, Policy};
use sha2::{Digest as _, Sha256};

use super::{check, decision, evidence, run};

#[test]
fn other_advisories_are_matched_with_what_was_found_then() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sha = |bytes: &[u8]| Digest::Sha256(Sha256::digest(bytes).into());
    let policy = Policy {
        accepted_gaps: vec![AcceptedGap::everywhere(GapKind::MutableReference)],
        ..Policy::default()
    };
    let text = serde_json::to_string(&policy).unwrap();
    store.put_policy(&sha(text.as_bytes()), &text).unwrap();
    let package = serde_json::json!([{
        "kind": "python", "name": "p", "version": "1", "source": null, "arch": null,
        "purl": "pkg:pypi/p@1", "layer": null, "evidence": "p", "owner": null,
    }]);
    let none = serde_json::json!([]);
    let gap = |kind: &str| serde_json::json!([{"kind": kind, "subject": "x", "detail": "y"}]);
    // (id and image, packages, gaps and outcome of then, policy of then is kept)
    for (id, packages, gaps, outcome, kept) in [
        ("covered", &package, none.clone(), "allowed", true),
        ("ended", &none, gap("end-of-life"), "denied", true),
        ("large", &none, gap("over-limit"), "denied", true),
        ("unidentified", &none, gap("unidentified-version"), "denied", true),
        ("lawless", &none, none.clone(), "allowed", false),
    ] {
        let image = format!("registry.example/{id}:1");
        let mut value: serde_json::Value =
            serde_json::from_slice(&evidence(&format!("{id}:1"))).unwrap();
        value["platforms"][0]["packages"] = packages.clone();
        value["platforms"][0]["gaps"] = gaps;
        let value: cleanbill_core::evidence::Evidence = serde_json::from_value(value).unwrap();
        let value = serde_json::to_vec(&value).unwrap();
        let cases = serde_json::json!([{"image": image, "examined": sha(&value)}]);
        let decision = Decision {
            question: Some(format!("{{\"images\":[\"{image}\"],\"namespace\":\"shop\"}}")),
            policy: if kept { sha(text.as_bytes()) } else { Digest::Sha256([9; 32]) },
            evidence: vec![sha(&value)],
            trace: format!("{{\"cases\":{cases}}}"),
            ..decision(id, 1, outcome, "shop", &image)
        };
        let evidence = vec![Packed::new(&value).unwrap()];
        runtime.block_on(journal.record(Entry { decision, evidence, admitted: None })).unwrap();
    }
    // Advisories that cover nothing.
    let mut empty = Vec::new();
    cleanbill_advisory::write(&cleanbill_advisory::Gathered::default(), &mut empty).unwrap();
    std::fs::write(dir.path().join("empty.cbdb"), empty).unwrap();
    std::fs::write(dir.path().join("accept.yaml"), "accept_gaps: [mutable-reference]\n").unwrap();
    // (command line, exit code, all of these on standard output)
    let table: [(&str, i32, &[&str]); 4] = [
        ("replay", 2, &[]),
        ("replay --snapshot absent.cbdb", 2, &[]),
        (
            "replay --snapshot empty.cbdb",
            1,
            &[
                "allowed -> denied  1x  covered",
                "denied -> allowed  1x  ended",
                "gap  1x  lawless  the policy",
                "2 the same, 2 changed, 1 could not",
            ],
        ),
        (
            "replay --snapshot empty.cbdb --policy accept.yaml",
            1,
            &["allowed -> denied  1x  covered", "3 the same, 2 changed, 0 could not"],
        ),
    ];
    for (line, code, with) in table {
        check(dir.path(), line, code, with, "");
    }
}

#[test]
fn a_decision_can_be_matched_again_with_the_advisories_that_were_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let path = dir.path().join("advisories.cbdb");
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&cleanbill_advisory::Gathered::default(), &mut bytes).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let snapshot = cleanbill_advisory::Snapshot::open(&path).unwrap();
    store.keep_snapshot(&snapshot).unwrap();
    // The gate's own file is replaced by the next one.
    std::fs::remove_file(&path).unwrap();
    // (id, a gap that only matching makes)
    for (id, gaps) in [("same", serde_json::json!([])), ("other", gap_of_matching())] {
        let mut value: serde_json::Value = serde_json::from_slice(&evidence("a:1")).unwrap();
        value["snapshot"]["digest"] = serde_json::json!(snapshot.digest());
        value["platforms"][0]["gaps"] = gaps;
        let value: cleanbill_core::evidence::Evidence = serde_json::from_value(value).unwrap();
        let packed = Packed::new(&serde_json::to_vec(&value).unwrap()).unwrap();
        let decision = Decision {
            snapshot: Some(snapshot.digest()),
            evidence: vec![packed.digest()],
            ..decision(id, 1, "allowed", "shop", "registry.example/a:1")
        };
        let entry = Entry { decision, evidence: vec![packed], admitted: None };
        runtime.block_on(journal.record(entry)).unwrap();
    }
    let explain = |id: &str| run(dir.path(), &format!("explain {id} --state-dir state")).1;
    let text = explain("same");
    assert!(text.contains("matched again  the same in registry.example/a:1: 0 flaws"), "{text}");
    assert!(text.contains("kept as state/snapshots/sha256:"), "{text}");
    let text = explain("other");
    assert!(text.contains("only then: end-of-life: x: y"), "{text}");
    // What is damaged is not matched with.
    let copy = dir.path().join("state/snapshots").join(snapshot.digest().to_string());
    std::fs::write(copy, vec![0; 300]).unwrap();
    let text = explain("same");
    assert!(text.contains("cannot be matched again") && text.contains("no snapshot"), "{text}");
    assert!(!text.contains("matched again  "), "{text}");
}

fn gap_of_matching() -> serde_json::Value {
    serde_json::json!([{"kind": "end-of-life", "subject": "x", "detail": "y"}])
}

/// A snapshot with one feed of today, which covers one ecosystem.
fn covering(ecosystem: &str) -> Vec<u8> {
    let feed = Feed {
        id: "osv".into(),
        as_of: Some(Timestamp::now()),
        licence: "CC0-1.0".into(),
        advisories: 1,
        not_understood: 0,
        streams: vec![ecosystem.parse().unwrap()],
    };
    let gathered = Gathered { feeds: vec![feed], ..Gathered::default() };
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&gathered, &mut bytes).unwrap();
    bytes
}

#[test]
fn impact_holds_the_advisories_in_force_against_those_before() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    // (command line, exit code, all of these on standard output, on standard error)
    type Row<'t> = (&'t str, i32, &'t [&'t str], &'t str);
    let check =
        |line: &str, code, with: &[&str], err: &str| check(dir.path(), line, code, with, err);
    let store = Store::open(&state, Owner::Gate).unwrap();
    check("impact", 2, &[], "the gate has noted no advisories yet");
    let image = "registry.example/covered:1";
    let mut value: serde_json::Value = serde_json::from_slice(&evidence("covered:1")).unwrap();
    value["platforms"][0]["packages"] = serde_json::json!([{
        "kind": "python", "name": "p", "version": "1", "source": null, "arch": null,
        "purl": "pkg:pypi/p@1", "layer": null, "evidence": "p", "owner": null,
    }]);
    let value: cleanbill_core::evidence::Evidence = serde_json::from_value(value).unwrap();
    let packed = Packed::new(&serde_json::to_vec(&value).unwrap()).unwrap();
    let cases = serde_json::json!([{"image": image, "examined": packed.digest()}]);
    let decision = Decision {
        question: Some(format!("{{\"images\":[\"{image}\"],\"namespace\":\"shop\"}}")),
        evidence: vec![packed.digest()],
        trace: format!("{{\"cases\":{cases}}}"),
        ..decision("aaa", 1, "allowed", "shop", image)
    };
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let entry = Entry { decision, evidence: vec![packed], admitted: None };
    runtime.block_on(journal.record(entry)).unwrap();

    let (path, before) =
        (dir.path().join("advisories.cbdb"), dir.path().join("advisories.cbdb.previous"));
    std::fs::write(&path, covering("npm")).unwrap();
    let snapshot = cleanbill_advisory::Snapshot::open(&path).unwrap();
    store.keep_snapshot(&snapshot).unwrap();
    check("impact", 2, &[], "there are no advisories of then: no ");
    std::fs::write(&before, covering("PyPI")).unwrap();
    check("impact", 2, &[], "the gate has noted no policy yet");
    let policy = "accept_gaps: [mutable-reference]\n";
    std::fs::write(dir.path().join("accept.yaml"), policy).unwrap();
    let table: [Row<'_>; 6] = [
        (
            "impact --policy accept.yaml",
            0,
            &[image, "allowed -> denied (in shop)", "no-advisory-source", "1 changed outcome"],
            "",
        ),
        ("impact --policy accept.yaml --exit-code 7", 7, &["1 changed outcome"], ""),
        (
            "impact --policy accept.yaml -f json",
            0,
            &["\"was\": \"allowed\"", "\"is\": \"denied\""],
            "",
        ),
        // What is to come is held against what is in force.
        (
            "impact --policy accept.yaml --to advisories.cbdb.previous --exit-code 7",
            7,
            &["denied -> allowed (in shop)"],
            "",
        ),
        (
            "impact --policy accept.yaml --to advisories.cbdb --exit-code 7",
            0,
            &["0 changed outcome", "1 the same"],
            "",
        ),
        ("impact --policy accept.yaml --from absent.cbdb", 2, &[], "absent.cbdb"),
    ];
    for (line, code, with, err) in table {
        check(line, code, with, err);
    }
}
