//! The commands that read the gate's record, as a person or a script meets them.
#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use cleanbill::store::{Api, Decision, Entry, Journal, Owner, Packed, Store};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, Policy};
use sha2::{Digest as _, Sha256};

mod advisories;

const STARTER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../cleanbill-advisory/data/starter.cbdb");

/// The policy of all decisions here.
const POLICY: &str = r#"{"name":"production"}"#;

fn policy_digest() -> Digest {
    Digest::Sha256(Sha256::digest(POLICY).into())
}

fn decision(id: &str, days_ago: i64, outcome: &str, namespace: &str, image: &str) -> Decision {
    let then = Timestamp::now() - jiff::SignedDuration::from_hours(24 * days_ago);
    let time = Timestamp::from_millisecond(then.as_millisecond()).unwrap();
    Decision {
        id: id.into(),
        time,
        api: Api::ImageReview,
        question: Some(format!("{{\"images\":[\"{image}\"]}}")),
        namespace: Some(namespace.into()),
        images: vec![(image.into(), Some(Digest::Sha256([7; 32])))],
        outcome: outcome.into(),
        reason: if outcome == "allowed" { String::new() } else { "too \u{1b}[31mbad".into() },
        warnings: vec!["old base".into()],
        policy: policy_digest(),
        snapshot: Some(Digest::Sha256([2; 32])),
        evidence: vec![Digest::Sha256([3; 32])],
        trace: r#"{"cases":[],"rules":[{"image":"x","rule":"kev","action":"enforce"}]}"#.into(),
        engine: "cleanbill 0".into(),
        judged_at: time,
        latency_us: 1_234,
        enforced: true,
        break_glass: None,
    }
}

fn run(dir: &Path, line: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
        .args(line.split_whitespace())
        .current_dir(dir)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Runs a command on the store: its exit code, all of these on standard output, this on standard
/// error.
fn check(dir: &Path, line: &str, code: i32, with: &[&str], err: &str) {
    let (got, stdout, stderr) = run(dir, &format!("{line} --state-dir state"));
    let all = format!("{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    assert_eq!(got, Some(code), "{all}");
    assert!(with.iter().all(|text| stdout.contains(text)), "{all}");
    assert!(stderr.contains(err) && !stderr.contains("panicked"), "{all}");
}

fn record(dir: &Path) -> Store {
    let store = Store::open(&dir.join("state"), Owner::Gate).unwrap();
    for (id, days, outcome, namespace, image) in [
        ("aaa", 9, "allowed", "shop", "registry.example/web:1"),
        ("bbb", 2, "denied", "shop", "registry.example/web:2"),
        ("ccc", 1, "denied", "ops", "other.example/dns:1"),
    ] {
        store.record_decision(&decision(id, days, outcome, namespace, image)).unwrap();
    }
    store.put_policy(&policy_digest(), POLICY).unwrap();
    store
}

/// Command line, exit code, what is on standard output and what is not, what is on standard error.
type Row<'t> = (&'t str, i32, &'t [&'t str], &'t [&'t str], &'t str);

#[test]
fn a_policy_that_was_changed_in_the_store_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    drop(record(dir.path()));
    check(dir.path(), "explain bbb", 0, &["production"], "");
    let store = rusqlite::Connection::open(dir.path().join("state/evidence.db")).unwrap();
    store.execute("UPDATE policies SET text = replace(text, 'pro', 'xxx')", []).unwrap();
    drop(store);
    run(dir.path(), "keygen --out signer.key");
    for line in
        ["explain bbb", "replay --since 30d --snapshot none", "receipt bbb --key signer.key"]
    {
        let line = line.replace("--snapshot none", &format!("--snapshot {STARTER}"));
        check(dir.path(), &line, 2, &[], "is something else");
    }
}

#[test]
fn exit_codes_and_words() {
    let dir = tempfile::tempdir().unwrap();
    let store = record(dir.path());
    // The gate still has it open, and its configuration names it.
    std::fs::write(
        dir.path().join("cleanbill.yaml"),
        "listen: 127.0.0.1:1\npolicy: no-such-policy.yaml\nstate_dir: state\n\
         tls: {cert: a, key: b, client_ca: c, client_names: [d]}\n",
    )
    .unwrap();
    let digest = format!("sha256:{}", "5".repeat(64));
    let register = format!("register app:1 --digest {digest} --node worker-1");
    // (command line, exit code, all of these on standard output, none of these, on standard error)
    let table: Vec<Row<'_>> = vec![
        ("decisions", 0, &["TIME", "aaa", "bbb", "ccc", "too \\u{1b}[31mbad"], &["\u{1b}"], ""),
        ("decisions --state-dir state", 0, &["aaa"], &[], ""),
        ("decisions --since 3d", 0, &["bbb", "ccc"], &["aaa"], ""),
        ("decisions --outcome denied -n shop", 0, &["bbb"], &["aaa", "ccc"], ""),
        ("decisions --image other.example", 0, &["ccc"], &["aaa", "bbb"], ""),
        ("decisions --limit 1", 0, &["ccc"], &["aaa", "bbb"], ""),
        ("decisions --limit 1 -f json", 0, &["{\"api\":\"ImageReview\"", "\"ccc\""], &["TIME"], ""),
        ("decisions --namespace nowhere", 0, &[], &["TIME"], ""),
        ("decisions --since never", 2, &[], &[], "no span"),
        ("decisions --outcome maybe", 2, &[], &[], "possible values"),
        ("decisions --state-dir absent", 2, &[], &[], "no store of the gate"),
        ("decisions --config absent.yaml", 2, &[], &[], "absent.yaml cannot be read"),
        (
            "explain bbb",
            0,
            &[
                "denied",
                "too \\u{1b}[31mbad",
                "old base",
                "production sha256:dfb3",
                "refused by     kev",
                "1.234 ms",
                "the evidence sha256:0303",
                "where the advisories sha256:0202",
            ],
            &["01 is not kept"],
            "",
        ),
        ("explain bbb -f json", 0, &["\"policyName\": \"production\"", "\"gaps\": ["], &[], ""),
        ("explain nobody", 2, &[], &[], "no decision \"nobody\""),
        ("register app:1 --node n", 2, &[], &[], "--digest"),
        ("register app:1 --digest sha256:12 --node n", 2, &[], &[], "digest"),
        ("register --remove app:1", 2, &[], &[], "nothing of the kind"),
        ("register --list", 0, &[], &["app:1"], ""),
        // Its policy is not there, so nobody knows whether it counts.
        (&register, 3, &["registered  app:1  sha256:5555", "worker-1", "uid "], &[], "warning: "),
        ("register --list", 0, &["app:1", "worker-1"], &[], ""),
        ("register --list web:1", 0, &[], &["app:1"], ""),
        ("register --list -f json", 0, &["\"event\":\"registered\""], &[], ""),
        ("register --remove app:1 --node other", 2, &[], &[], "nothing of the kind"),
        ("register --remove app:1", 0, &["removed  app:1"], &[], ""),
        ("register --list", 0, &[], &["app:1"], ""),
        ("register --list --history", 0, &["registered  app:1", "removed  app:1"], &[], ""),
        ("register app:1@sha256:12 --remove", 2, &[], &[], "no image name"),
    ];
    for (line, code, with, without, err) in table {
        let (got, stdout, stderr) = run(dir.path(), line);
        let all = format!("{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        assert_eq!(got, Some(code), "{all}");
        assert!(with.iter().all(|text| stdout.contains(text)), "{all}");
        assert!(!without.iter().any(|text| stdout.contains(text)), "{all}");
        assert!(stderr.contains(err) && !stderr.contains("panicked"), "{all}");
    }
    drop(store);
}

/// An image without packages, named by tag.
fn evidence(image: &str) -> Vec<u8> {
    let value = serde_json::json!({
        "reference": format!("registry.example/{image}"),
        "resolved": Digest::Sha256([7; 32]),
        "platforms": [{
            "platform": null, "digest": Digest::Sha256([7; 32]), "distribution": null,
            "packages": [], "findings": [], "gaps": [], "feeds": []
        }],
        "gaps": [],
        "snapshot": {"digest": Digest::Sha256([2; 32]), "starter": false},
    });
    let evidence: cleanbill_core::evidence::Evidence = serde_json::from_value(value).unwrap();
    serde_json::to_vec(&evidence).unwrap()
}

#[test]
fn a_receipt_says_what_was_recorded_and_can_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let store = record(dir.path());
    let question = "{\"images\":[\"bad name\"]}";
    for (id, question) in [("ddd", Some(question.to_owned())), ("eee", None)] {
        let images = vec![("bad name".to_owned(), None)];
        let nameless = Decision { question, images, ..decision(id, 0, "denied", "shop", "x") };
        store.record_decision(&nameless).unwrap();
    }
    run(dir.path(), "keygen --out a.key");
    // (decision, name and digest of its subject, or why there is no receipt)
    let asked = Digest::Sha256(Sha256::digest(question).into());
    let image = Digest::Sha256([7; 32]);
    let table = [
        ("bbb", Ok(("registry.example/web:2", image))),
        ("ddd", Ok(("question", asked))),
        ("eee", Err("could not be read")),
        ("zzz", Err("no decision \"zzz\"")),
    ];
    for (id, want) in table {
        let (code, receipt, stderr) =
            run(dir.path(), &format!("receipt {id} --key a.key --state-dir state"));
        let (name, digest) = match want {
            Ok(subject) => subject,
            Err(part) => {
                assert!(code == Some(2) && stderr.contains(part), "{id}: {code:?} {stderr}");
                assert_eq!(receipt, "", "{id}");
                continue;
            }
        };
        assert_eq!(code, Some(0), "{id}: {stderr}");
        std::fs::write(dir.path().join("r.json"), &receipt).unwrap();
        let (code, said, stderr) = run(dir.path(), "receipt verify r.json --key a.key.pub");
        assert_eq!(code, Some(0), "{id}: {stderr}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["subjects"], serde_json::json!([{"name": name, "digest": digest}]), "{id}");
        let (_, listed, _) = run(dir.path(), "decisions --state-dir state -f json");
        let line = listed.lines().find(|l| l.contains(&format!("\"{id}\""))).unwrap();
        let listed: serde_json::Value = serde_json::from_str(line).unwrap();
        for (field, value) in listed.as_object().unwrap() {
            assert_eq!(&said["predicate"][field], value, "{id}: {field}");
        }
        assert_eq!(said["predicate"]["policyText"], r#"{"name":"production"}"#, "{id}");
    }
}

#[test]
fn judging_again_tells_what_differs_and_what_cannot_be_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("state"), Owner::Gate).unwrap();
    let journal = Journal::start(&store).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sha = |bytes: &[u8]| Digest::Sha256(Sha256::digest(bytes).into());
    let then: Policy = Policy {
        name: "then".into(),
        accepted_gaps: vec![AcceptedGap::everywhere(GapKind::MutableReference)],
        ..Policy::default()
    };
    let text = serde_json::to_string(&then).unwrap();
    store.put_policy(&sha(text.as_bytes()), &text).unwrap();
    // (id, image, outcome that was recorded, whether its evidence is kept, whether the answer
    // pinned it)
    for (id, image, outcome, kept, pinned) in [
        ("aaa", "registry.example/web:1", "allowed", true, false),
        ("aab", "registry.example/web:1", "allowed", true, false),
        ("bbb", "registry.example/db:1", "denied", true, false),
        ("ccc", "registry.example/gone:1", "allowed", false, false),
        ("ddd", "registry.example/web:1", "allowed", true, true),
    ] {
        let value = evidence(image.split_once('/').unwrap().1);
        let cases = serde_json::json!([{"image": image, "examined": sha(&value)}]);
        let decision = Decision {
            question: Some(if pinned {
                format!(
                    "{{\"images\":[\"{image}\"],\"namespace\":\"shop\",\"pinned\":[\"{image}\"]}}"
                )
            } else {
                format!("{{\"images\":[\"{image}\"],\"namespace\":\"shop\"}}")
            }),
            policy: sha(text.as_bytes()),
            evidence: vec![sha(&value)],
            trace: format!("{{\"cases\":{cases}}}"),
            ..decision(id, 1, outcome, "shop", image)
        };
        let evidence = if kept { vec![Packed::new(&value).unwrap()] } else { Vec::new() };
        let entry = Entry { decision, evidence, admitted: None };
        runtime.block_on(journal.record(entry)).unwrap();
    }
    let accept = "accept_gaps: [mutable-reference]\n";
    for (file, policy) in [
        ("same.yaml", format!("name: same\n{accept}")),
        ("stricter.yaml", "name: stricter\n".to_owned()),
    ] {
        std::fs::write(dir.path().join(file), policy).unwrap();
    }
    // (command line, exit code, all of these on standard output)
    let table: [(&str, i32, &[&str]); 8] = [
        ("explain aaa", 0, &["judged again   the same"]),
        (
            "explain ddd",
            0,
            &["judged again   the same", "pinned         by the answer: registry.example/web:1"],
        ),
        ("explain bbb", 0, &["judged again   different: allowed"]),
        ("explain ccc", 0, &["cannot be judged again: the evidence"]),
        (
            "replay --policy stricter.yaml",
            1,
            &[
                "allowed -> denied  2x  aaa  shop  registry.example/web:1  accept_gaps",
                "gap  1x  ccc  the evidence",
                "2 the same, 2 changed, 1 could not be judged again",
            ],
        ),
        ("replay --policy same.yaml", 1, &["denied -> allowed  1x  bbb", "3 the same, 1 changed"]),
        ("replay --policy same.yaml --since 1m", 0, &["0 the same, 0 changed, 0 could"]),
        ("replay --policy same.yaml -f json", 1, &["\"would\": \"allowed\"", "\"gaps\": 1"]),
    ];
    for (line, code, with) in table {
        check(dir.path(), line, code, with, "");
    }
}

#[test]
fn every_decision_in_json_is_a_line_with_the_fields_that_are_documented() {
    let dir = tempfile::tempdir().unwrap();
    drop(record(dir.path()));
    let (_, stdout, _) = run(dir.path(), "decisions --state-dir state -f json");
    let documented = include_str!("../../../../docs/output.md");
    assert_eq!(stdout.lines().count(), 3);
    for line in stdout.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let fields = value.as_object().unwrap();
        assert_eq!(fields.len(), 18, "{line}");
        for field in fields.keys() {
            assert!(documented.contains(&format!("`{field}`")), "{field} is not documented");
        }
    }
}

#[test]
fn following_shows_what_comes_and_ends_with_its_reader() {
    let dir = tempfile::tempdir().unwrap();
    let store = record(dir.path());
    let mut child = Command::new(env!("CARGO_BIN_EXE_cleanbill"))
        .args("decisions --state-dir state --follow -f json --outcome denied".split(' '))
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(out);
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("\"bbb\"") && next().contains("\"ccc\""));
    store.record_decision(&decision("ddd", 0, "allowed", "shop", "x")).unwrap();
    store.record_decision(&decision("eee", 0, "denied", "shop", "x")).unwrap();
    assert!(next().contains("\"eee\""));
    drop(lines);
    store.record_decision(&decision("fff", 0, "denied", "shop", "x")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
