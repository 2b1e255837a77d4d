//! Answers, each taken as the API server takes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanbill::serve::admission::{Admission, Answer, Place, Proof, Warnings, parse, patch};
use cleanbill::serve::notes::Notes;
use cleanbill::serve::review;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{Evidence, ImageFacts, PlatformEvidence, SnapshotId};
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, Policy};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Allowed, Case, Outcome, Request, Verdict, decide};
use serde_json::{Value, json};

use crate::objects::{create, pod, review as asks, update};
use crate::rfc6902::apply;
use crate::verify::{Hook, Made, verify};

const DIGEST: Digest = Digest::Sha256([1; 32]);

fn notes(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
}

fn read(body: &Value) -> Admission {
    parse(body.to_string().as_bytes(), 500).unwrap()
}

fn evidence(name: &ImageRef) -> Evidence {
    let platform = PlatformEvidence {
        platform: None,
        digest: DIGEST,
        distribution: None,
        config: ImageFacts::default(),
        packages: Vec::new(),
        findings: Vec::new(),
        gaps: Vec::new(),
        feeds: Vec::new(),
    };
    let snapshot = SnapshotId {
        digest: Digest::Sha256([2; 32]),
        starter: false,
        known_exploited: None,
        epss: None,
    };
    Evidence {
        reference: name.clone(),
        resolved: DIGEST,
        platforms: vec![platform],
        gaps: Vec::new(),
        snapshot,
    }
}

/// The judge's permit for a request, spent.
fn judged(admission: &Admission, pinning: bool) -> Allowed {
    let question = admission.question(pinning);
    let print = question.fingerprint();
    let request = Request {
        asked: question.asked,
        pinned: question.pinned,
        ..Request::new(print, question.images)
    };
    let now = Timestamp::UNIX_EPOCH;
    let case = |image: &String| {
        let name: ImageRef = image.parse().unwrap();
        Case::new(image, Outcome::Examined(Arc::new(evidence(&name))))
    };
    let cases: Vec<Case> = request.images.iter().map(case).collect();
    let tags = AcceptedGap::everywhere(GapKind::MutableReference);
    let accepted_gaps = if pinning { Vec::new() } else { vec![tags] };
    let policy = Policy { accepted_gaps, ..Policy::default() };
    match decide(&request, &cases, &policy, now).verdict {
        Verdict::Allow(permit) => permit.spend(&print, now).unwrap(),
        Verdict::Deny(denial) | Verdict::Undecided(denial) => panic!("{denial:?}"),
    }
}

#[test]
fn what_was_judged_goes_on_with_a_patch_where_it_is_mutated() {
    let body = create(&["a:1", "b:1"]);
    let admission = read(&body);
    let allowed = judged(&admission, false);
    let proof = Proof::Judged(&allowed, &admission.places);
    let answer = |steps: &[_]| {
        let notes = notes(&[("decision-id", "d"), ("outcome", "allowed")]);
        Answer::allowed(proof, &admission.uid, Warnings::none().with("old base"), notes, steps)
    };
    let plain = answer(&[]);
    assert!(plain.is_allowed());
    assert_eq!(verify(&plain.body(), &body, Hook::Validating), Ok(Made::Goes(None)));
    assert_eq!(verify(&plain.body(), &body, Hook::Mutating), Ok(Made::Goes(None)));

    let pinned = answer(&patch(&admission, allowed.images()));
    let Ok(Made::Goes(Some(steps))) = verify(&pinned.body(), &body, Hook::Mutating) else {
        panic!("{pinned:?}")
    };
    let (a, b) = (format!("a:1@{DIGEST}"), format!("b:1@{DIGEST}"));
    assert_eq!(apply(&body["request"]["object"], &steps), Ok(pod(&[&a, &b])));
    // Which the API server would not take from a validating webhook: the checks do check.
    assert!(verify(&pinned.body(), &body, Hook::Validating).is_err());
}

#[test]
fn what_was_allowed_since_it_is_pinned_needs_its_pins_in_the_answer() {
    let pinned = format!("c:1@{DIGEST}");
    let body = create(&["a:1", "b:1", "a:1", &pinned]);
    let admission = read(&body);
    let allowed = judged(&admission, true);
    let pins: Vec<&str> = allowed.pins().iter().map(|(image, _)| image.as_str()).collect();
    assert_eq!(pins, ["a:1", "b:1"]);
    let answer = |places: &[Place], steps: &[_]| {
        let proof = Proof::Judged(&allowed, places);
        Answer::allowed(proof, &admission.uid, Warnings::none(), notes(&[]), steps).is_allowed()
    };
    let (places, whole) = (&admission.places, patch(&admission, allowed.images()));
    assert!(answer(places, &whole));
    // Each pin takes a test and a replace: without any of them, for other bytes, by the patch of
    // another object, or by none, nothing is allowed.
    for missing in [0, 2, 4] {
        let mut steps = whole.clone();
        steps.drain(missing..missing + 2);
        assert!(!answer(places, &steps), "{missing}");
    }
    let other: Vec<_> =
        allowed.images().iter().map(|(i, _)| (i.clone(), Digest::Sha256([9; 32]))).collect();
    assert!(!answer(places, &patch(&admission, &other)));
    assert!(!answer(places, &[whole.clone(), patch(&admission, &other)].concat()));
    let elsewhere = read(&create(&["x:1", "a:1", "b:1", "a:1"]));
    assert!(!answer(places, &patch(&elsewhere, allowed.images())));
    assert!(!answer(places, &[]));
    assert!(!answer(&[], &whole));
    // An ImageReview's answer has no place for pins.
    assert!(!review::Answer::allowed(&allowed, Notes::default()).is_allowed());
    assert!(review::Answer::allowed(&judged(&admission, false), Notes::default()).is_allowed());
}

#[test]
fn nothing_to_judge_is_allowed_for_its_own_request_only() {
    let bodies = [
        update(pod(&["a:1"]), pod(&["a:1"])),
        asks("v1/Pod", "DELETE", Value::Null, pod(&["a:1"])),
        asks("v1/PodExecOptions", "CONNECT", json!({}), Value::Null),
        asks("v1/ConfigMap", "CREATE", json!({"data": {}}), Value::Null),
    ];
    for body in bodies {
        let admission = read(&body);
        let nothing = admission.nothing_to_judge().unwrap();
        let answer = |uid: &str| {
            Answer::allowed(Proof::Nothing(nothing), uid, Warnings::none(), notes(&[]), &[])
        };
        let good = answer(&admission.uid).body();
        assert_eq!(verify(&good, &body, Hook::Validating), Ok(Made::Goes(None)), "{body}");
        assert!(!answer("another").is_allowed());
    }
    assert!(read(&create(&["a:1"])).nothing_to_judge().is_none());
    assert!(read(&create(&[])).nothing_to_judge().is_none());
}

#[test]
fn denials_are_told_as_they_are() {
    let body = create(&["a:1"]);
    let long = "x".repeat(30_000);
    for (message, want) in [
        ("a:1: refused by rule `x`.", ": a:1: refused by rule `x`."),
        ("two\nlines, and é", ": two\nlines, and é"),
        ("", ": Forbidden"),
        (&long, &format!(": {long}")),
    ] {
        let uid = &read(&body).uid;
        let answer = Answer::refused(uid, message.to_owned(), Warnings::none(), notes(&[]));
        assert!(!answer.is_allowed());
        assert_eq!(answer.reason(), message);
        let told = format!("admission webhook \"x\" denied the request{want}");
        for hook in [Hook::Validating, Hook::Mutating] {
            assert_eq!(verify(&answer.body(), &body, hook), Ok(Made::Refused(403, told.clone())));
        }
    }
}

#[test]
fn warnings_and_notes_are_within_what_the_api_server_takes() {
    let body = create(&["a:1"]);
    let uid = read(&body).uid;
    let check = |warnings: Warnings, notes| {
        let answer = Answer::refused(&uid, "no".into(), warnings, notes);
        verify(&answer.body(), &body, Hook::Validating).unwrap();
        let answer: Value = serde_json::from_slice(&answer.body()).unwrap();
        answer["response"].clone()
    };
    let of = |texts: &[&str]| {
        let warnings = texts.iter().fold(Warnings::none(), |all, text| all.with(text));
        check(warnings, notes(&[]))["warnings"].clone()
    };
    assert_eq!(of(&[]), Value::Null);
    assert_eq!(of(&["a", "b", "a", "", " \n"]), json!(["a", "b"]));
    assert_eq!(of(&["two\r\nlines\u{7}"]), json!(["two  lines"]));
    let cut = of(&[&"é".repeat(300)]);
    assert_eq!(cut[0].as_str().unwrap().chars().count(), 256);
    assert!(cut[0].as_str().unwrap().ends_with("é…"));
    let many: Vec<String> = (0..1000).map(|n| format!("{n} {}", "€".repeat(200))).collect();
    let many = of(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let shown = many.as_array().unwrap().len();
    assert_eq!(many[shown - 1], format!("{} more warnings were left out", 1001 - shown));

    let noted = check(
        Warnings::none(),
        notes(&[
            ("decision-id", "d"),
            ("has/slash", "dropped by the API server"),
            ("", "x"),
            ("-x", "x"),
            ("long", &"€".repeat(2000)),
        ]),
    );
    let noted = noted["auditAnnotations"].as_object().unwrap();
    assert_eq!(noted.keys().collect::<Vec<_>>(), ["decision-id", "long"]);
    assert!(noted["long"].as_str().unwrap().len() <= 2048);
}

#[test]
fn the_checks_refuse_what_the_api_server_refuses() {
    let body = create(&["a:1"]);
    let uid = &body["request"]["uid"];
    let whole = |response: Value| json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
    let table = [
        (json!({}), Hook::Mutating),
        (json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}), Hook::Mutating),
        (json!({"response": {"uid": uid, "allowed": true}}), Hook::Mutating),
        (whole(json!({"uid": "other", "allowed": true})), Hook::Mutating),
        (whole(json!({"uid": uid, "allowed": true, "patch": "W10="})), Hook::Mutating),
        (whole(json!({"uid": uid, "allowed": true, "patchType": "JSONPatch"})), Hook::Mutating),
        (
            whole(json!({"uid": uid, "allowed": true, "patch": "W10=", "patchType": "x"})),
            Hook::Mutating,
        ),
        (whole(json!({"uid": uid, "allowed": true, "patchType": "JSONPatch"})), Hook::Validating),
        (whole(json!({"uid": uid, "allowed": false, "status": {"code": 200}})), Hook::Validating),
        (
            whole(
                json!({"uid": uid, "allowed": false, "status": {"code": 403}, "warnings": ["a\nb"]}),
            ),
            Hook::Validating,
        ),
        (
            whole(json!({"uid": uid, "allowed": true, "auditAnnotations": {"a/b": ""}})),
            Hook::Validating,
        ),
    ];
    for (answer, hook) in table {
        assert!(verify(answer.to_string().as_bytes(), &body, hook).is_err(), "{answer}");
    }
}
