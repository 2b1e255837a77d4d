//! What is printed of a real decision: two images examined and matched with the advisories in the
//! program, judged by a policy with something of everything, recorded and read again.

use std::sync::Arc;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::verdict::{Case, Outcome, Request, Verdict, decide};
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};

use super::grounds::Grounds;
use super::{json, text};
use crate::assess::{self, Against};
use crate::examine::Examiner;
use crate::policy_file;
use crate::quickstart::examples;
use crate::report::text::printable_lines;
use crate::serve::live::Rules;
use crate::serve::question::Question;
use crate::serve::trace::Trace;
use crate::serve::words;
use crate::store::{Api, Decision, Entry, Journal, Owner, Packed, Store};

const POLICY: &str = "\
name: production
highest_severity: high
max_feed_age: 3650d
accept_gaps: [mutable-reference]
exceptions:
- {id: CVE-2019-14697, owner: team-base, reason: no untrusted input, expires: 2027-01-31}
rules:
- {name: no-old-releases, refuse: {end_of_life: true}, action: warn}
checkers: [{names: [licence-desk, scanner-two], require: all}]
";

const OLD: &str = "registry.example/base/alpine:3.9.0";
const LOST: &str = "registry.example/lost:1";

fn now() -> Timestamp {
    "2026-11-24T08:30:00Z".parse().unwrap()
}

/// What the gate would find in the example.
fn evidence(snapshot: &Snapshot) -> Evidence {
    let example = examples::ALL.iter().find(|e| !e.passes).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("example.tar");
    std::fs::write(&path, example.archive()).unwrap();
    let limits = Arc::new(Limits::default());
    let spec = InputSpec::parse(path.to_str().unwrap());
    let images = open_input(&spec, &PlatformChoice::All, &limits).unwrap().images;
    let examiner = Examiner::new(Examiner::options(&limits), None);
    let resolved = images[0].digest;
    let found = assess::look_into(&OLD.parse().unwrap(), resolved, &images, &examiner).unwrap();
    let against = Against { snapshot, now: now(), max_feed_age_days: u32::MAX };
    assess::judge_found(&OLD.parse().unwrap(), &found, against).unwrap()
}

/// Judges as the gate does, and records it.
fn recorded(store: &Store, change: impl FnOnce(&mut Decision, &mut Evidence)) -> Decision {
    let snapshot = Snapshot::starter().unwrap();
    store.keep_snapshot(&snapshot).unwrap();
    let rules = Rules::new(policy_file::parse(POLICY, "policy.yaml").unwrap(), now()).unwrap();
    store.put_policy(&rules.digest, &rules.text).unwrap();
    let mut found = evidence(&snapshot);
    let packed = Packed::new(&serde_json::to_vec(&found).unwrap()).unwrap();
    let opinions = vec![
        Opinion::disagrees("licence-desk", "GPL-3.0 is not on our list"),
        Opinion::silent("scanner-two", "no answer within 3 s"),
    ];
    let examined = Outcome::Examined(Arc::new(found.clone()));
    let cases = [
        Case { opinions, ..Case::new(OLD, examined) },
        Case::new(LOST, Outcome::Failed("the image could not be read from its registry".into())),
    ];
    let mut question = Question { images: vec![OLD.into(), LOST.into()], ..Question::default() };
    question.asked.namespace = "shop".into();
    question.asked.annotations.insert("a.image-policy.k8s.io/ticket".into(), "T\u{1b}-1".into());
    let request = Request {
        asked: question.asked.clone(),
        ..Request::new(question.fingerprint(), question.images.clone())
    };
    let judgement = decide(&request, &cases, &rules.policy, now());
    let Verdict::Deny(denial) = &judgement.verdict else { panic!("{judgement:?}") };
    let id = "m8hqc94ef4vjqtwtd7bq";
    let trace = Trace::new(&cases, Vec::new(), None, &judgement, |_| Some(packed.digest()));
    let mut decision = Decision {
        id: id.into(),
        time: now(),
        api: Api::ImageReview,
        question: Some(question.recorded().unwrap()),
        namespace: Some("shop".into()),
        images: vec![(OLD.into(), Some(found.resolved)), (LOST.into(), None)],
        outcome: "denied".into(),
        reason: words::denial(denial, &rules.policy, id, None),
        warnings: judgement.noted.iter().map(|n| words::warning(n, &rules.policy)).collect(),
        policy: rules.digest,
        snapshot: Some(snapshot.digest()),
        evidence: vec![packed.digest()],
        trace: serde_json::to_string(&trace).unwrap(),
        engine: "cleanbill 0 extract 0".into(),
        judged_at: now(),
        latency_us: 89_510,
        enforced: true,
        break_glass: None,
    };
    let before = found.clone();
    change(&mut decision, &mut found);
    let mut packed = packed;
    if found != before {
        let digest = packed.digest().to_string();
        packed = Packed::new(&serde_json::to_vec(&found).unwrap()).unwrap();
        decision.trace = decision.trace.replace(&digest, &packed.digest().to_string());
        decision.evidence = vec![packed.digest()];
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let journal = Journal::start(store).unwrap();
    let entry = Entry { decision: decision.clone(), evidence: vec![packed], admitted: None };
    runtime.block_on(journal.record(entry)).unwrap();
    decision
}

fn grounds(store: &Store, decision: &Decision) -> Grounds {
    let mut grounds = Grounds::of(store, decision).unwrap();
    if let Some(noted) = &mut grounds.advisories {
        noted.in_force = Some(now());
    }
    grounds
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("s"), Owner::Gate).unwrap();
    (dir, store)
}

#[test]
fn a_denial_as_a_person_reads_it() {
    let (_dir, store) = store();
    let decision = recorded(&store, |_, _| ());
    let grounds = grounds(&store, &decision);
    for width in [80, 120] {
        let page = printable_lines(&text::page(&decision, &grounds, Some(width)));
        let wide: Vec<&str> = page.lines().filter(|l| l.len() > width && l.contains(' ')).collect();
        // Only what is there to be copied is not broken.
        assert!(wide.iter().all(|l| l.contains("sha256:") || l.contains('@')), "{wide:#?}");
        insta::assert_snapshot!(format!("text-{width}"), page);
    }
    let value = json::value(&decision, &grounds);
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&value).unwrap());
    let documented = include_str!("../../../../../docs/output.md");
    for field in value.as_object().unwrap().keys() {
        assert!(documented.contains(&format!("`{field}`")), "{field} is not documented");
    }
}

#[test]
fn what_differs_and_what_is_gone_is_told() {
    let other = Digest::Sha256([9; 32]);
    type Change = fn(&mut Decision, &mut Evidence);
    // (what is another, all of these are said, none of these)
    let table: [(Change, &[&str], &[&str]); 6] = [
        (|_, _| (), &["judged again   the same", "matched again  the same"], &["gap  "]),
        // One flaw more was seen then, one less.
        (
            |_, e| e.platforms[0].findings[0].id = "CVE-2000-1".into(),
            &["matched again  different", "only then: CVE-2000-1 in", "only now: CVE-"],
            &["matched again  the same"],
        ),
        (
            |d, _| d.outcome = "allowed".into(),
            &["judged again   different: denied", "what was recorded", "refused by     highest"],
            &["said by alpine"],
        ),
        (
            |d, _| d.policy = Digest::Sha256([8; 32]),
            &["the policy sha256:0808", "is not kept", "next: it was forgotten"],
            &["judged again   the same"],
        ),
        (
            |_, e| e.snapshot.digest = Digest::Sha256([9; 32]),
            &["cannot be matched again: the advisories sha256:0909", "replay --snapshot"],
            &["matched again  "],
        ),
        (
            |d, _| (d.trace, d.engine) = (String::new(), String::new()),
            &["of before traces were recorded", "not recorded", "cannot be: see the gaps"],
            &["judged again   the same"],
        ),
    ];
    for (at, (change, with, without)) in table.into_iter().enumerate() {
        let (_dir, store) = store();
        let decision = recorded(&store, change);
        let page = text::page(&decision, &grounds(&store, &decision), Some(200));
        assert!(with.iter().all(|w| page.contains(w)), "{at}: {page}");
        assert!(!without.iter().any(|w| page.contains(w)), "{at}: {page}");
    }
    let (_dir, store) = store();
    let decision = recorded(&store, |_, _| ());
    let gone = Decision { evidence: vec![other], ..decision };
    let page = text::page(&gone, &grounds(&store, &gone), None);
    assert!(page.contains("the evidence sha256:0909") && !page.contains("the same"), "{page}");
}
