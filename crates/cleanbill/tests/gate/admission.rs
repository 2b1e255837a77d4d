//! AdmissionReview over the wire: the same gate, the same judge, other words.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use cleanbill::rejudge::{Again, Rejudge};
use cleanbill::serve::config::Bounds;
use cleanbill::serve::record::Recorder;
use cleanbill::store::{Owner, Store, admitted_set};
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, Action, Condition, NamePattern, Policy, Rule, Scope};
use serde_json::{Value, json};

use crate::rig::{Choice, Rig, digest_of, good, question, rig};

/// A request about a pod with these images, changed by `change`.
fn pod(images: &[&str], change: impl Fn(&mut Value)) -> Value {
    let containers: Vec<Value> = images
        .iter()
        .enumerate()
        .map(|(n, image)| json!({ "name": format!("c{n}"), "image": image }))
        .collect();
    let mut review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "operation": "CREATE",
            "namespace": "default",
            "userInfo": { "username": "bob", "groups": ["dev"] },
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": "p", "labels": { "app": "x" } },
                "spec": { "containers": containers },
            },
            "dryRun": false,
        },
    });
    change(&mut review);
    review
}

fn ask(rig: &Rig, path: &str, review: &Value) -> Value {
    let reply = rig.send(Some(&rig.client), path, review.to_string().as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
    assert_eq!(answer["kind"], "AdmissionReview");
    assert_eq!(answer["response"]["uid"], review["request"]["uid"]);
    answer["response"].clone()
}

fn plain(_: &mut Value) {}

#[test]
fn both_webhooks_answer_as_the_judge_does() {
    let warn = Rule {
        name: "no-root".into(),
        scope: Scope::default(),
        refuse: Condition { runs_as_root: true, ..Condition::default() },
        action: Action::Warn,
        message: Some("set a USER".into()),
    };
    let accepted_gaps = vec![AcceptedGap::everywhere(GapKind::MutableReference)];
    let policy = Policy { accepted_gaps, rules: vec![warn], ..Policy::default() };
    let rig = rig(Choice { policy, ..Choice::default() });

    let tag = "registry.example/good:1";
    for path in ["/validate", "/validate?timeout=10s", "/mutate?timeout=10s"] {
        let response = ask(&rig, path, &pod(&[tag, &good()], plain));
        assert_eq!(response["allowed"], true, "{path}: {response}");
        assert_eq!(response["auditAnnotations"]["outcome"], "allowed");
        let warning = response["warnings"][0].as_str().unwrap();
        assert!(warning.contains("set a USER"), "{response}");
        let mutate = path.starts_with("/mutate");
        assert_eq!(response.get("patch").is_some(), mutate, "{path}: {response}");
        if mutate {
            let patch = base64::engine::general_purpose::STANDARD
                .decode(response["patch"].as_str().unwrap())
                .unwrap();
            let patch: Value = serde_json::from_slice(&patch).unwrap();
            let pinned = format!("{tag}@{}", digest_of(tag));
            assert_eq!(
                patch,
                json!([
                    { "op": "test", "path": "/spec/containers/0/image", "value": tag },
                    { "op": "replace", "path": "/spec/containers/0/image", "value": pinned },
                ])
            );
        }
        let response = ask(&rig, path, &pod(&["registry.example/eol:1"], plain));
        assert_eq!(response["allowed"], false);
        assert_eq!(response["status"]["code"], 403);
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.contains("`end-of-life`") && message.contains("Decision "), "{message}");
        assert!(response.get("patch").is_none());
    }
}

#[test]
fn an_update_that_changes_no_image_is_never_denied() {
    let rig = rig(Choice::default());
    let bad = "registry.example/eol:1";
    let update = |review: &mut Value| {
        review["request"]["operation"] = json!("UPDATE");
        review["request"]["oldObject"] = review["request"]["object"].clone();
        review["request"]["object"]["metadata"]["labels"]["app"] = json!("y");
    };
    let response = ask(&rig, "/validate", &pod(&[bad], update));
    assert_eq!(response["allowed"], true, "{response}");
    let swap = |review: &mut Value| {
        update(review);
        review["request"]["oldObject"]["spec"]["containers"][0]["image"] = json!("x:1");
    };
    let response = ask(&rig, "/validate", &pod(&[bad], swap));
    assert_eq!(response["allowed"], false, "{response}");
}

#[test]
fn the_largest_objects_that_etcd_takes_can_be_updated_as_the_api_server_writes_them() {
    let rig = rig(Choice::default());
    for bytes in [720_000, 3 << 19] {
        let review = pod(&["registry.example/eol:1"], |review| {
            review["request"]["operation"] = json!("UPDATE");
            review["request"]["object"]["spec"]["containers"][0]["args"] =
                json!(["<".repeat(bytes)]);
            review["request"]["oldObject"] = review["request"]["object"].clone();
            review["request"]["object"]["metadata"]["labels"]["app"] = json!("y");
        });
        // Go's JSON escapes what would mean something in HTML.
        let body = review.to_string().replace('<', "\\u003c");
        assert!(body.len() > bytes * 12);
        let reply = rig.send(Some(&rig.client), "/validate", body.as_bytes()).unwrap();
        assert_eq!(reply.json()["response"]["allowed"], true, "{bytes}: {reply:?}");
    }
}

#[test]
fn what_cannot_be_read_is_denied_where_it_has_an_id() {
    let rig = rig(Choice::default());
    let odd = |review: &mut Value| review["request"]["object"]["spec"]["containers"] = json!(7);
    let response = ask(&rig, "/validate", &pod(&[], odd));
    assert_eq!(response["allowed"], false, "{response}");
    for body in ["", "{}", "[]", "{\"apiVersion\":\"admission.k8s.io/v1beta1\"}"] {
        let reply = rig.send(Some(&rig.client), "/validate", body.as_bytes()).unwrap();
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
    }
}

#[test]
fn what_was_allowed_since_it_is_pinned_is_recorded_so_and_counts_for_that_answer_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("state"), Owner::Gate).unwrap());
    let policy = Policy { keep_admitted: Some(3600), ..Policy::default() };
    let recorder = Recorder::into(Arc::clone(&store)).unwrap();
    let rig = rig(Choice { policy: policy.clone(), recorder, ..Choice::default() });
    let tag = "registry.example/good:1";
    let admitted = |image: &str, digest| {
        let set = admitted_set(&[(image.to_owned(), digest)]).unwrap();
        store.admitted("default", &set).unwrap().is_some()
    };

    let pinned = ask(&rig, "/mutate", &pod(&[tag], plain));
    assert_eq!(pinned["allowed"], true, "{pinned}");
    assert!(pinned.get("patch").is_some(), "{pinned}");
    assert!(!admitted(tag, digest_of(tag)), "a tag that moves was admitted");
    // It was allowed by no other way, neither before nor afterwards.
    assert_eq!(ask(&rig, "/validate", &pod(&[tag], plain))["allowed"], false);
    assert!(!rig.ask(&question(&[tag])).allowed());
    // What names its digest counts, so the record was asked the right thing above.
    assert_eq!(ask(&rig, "/mutate", &pod(&[&good()], plain))["allowed"], true);
    assert!(admitted(&good(), digest_of("good")));

    let id = pinned["auditAnnotations"]["decision-id"].as_str().unwrap();
    let decision = store.decision(id).unwrap().unwrap();
    let asked: Value = serde_json::from_str(decision.question.as_deref().unwrap()).unwrap();
    assert_eq!(asked["pinned"], json!([tag]));
    let again = Rejudge::new(&store).judge(&decision, &policy).unwrap();
    assert_eq!(again, Again::Judged { outcome: "allowed", rules: Vec::new() });
}

#[test]
fn what_was_not_examined_is_judged_again_by_its_name_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("state"), Owner::Gate).unwrap());
    let recorder = Recorder::into(Arc::clone(&store)).unwrap();
    let rig = rig(Choice { recorder, ..Choice::default() });
    let lost = ask(&rig, "/validate", &pod(&["registry.example/lost:1"], plain));
    let id = lost["auditAnnotations"]["decision-id"].as_str().unwrap();
    let decision = store.decision(id).unwrap().unwrap();
    assert_eq!(decision.outcome, "undecided");
    let allowing = |pattern: &str| {
        let allowed = Some(vec![NamePattern::try_from(pattern.to_owned()).unwrap()]);
        Policy { allowed, ..Policy::default() }
    };
    let judge = |policy: &Policy| Rejudge::new(&store).judge(&decision, policy).unwrap();
    for policy in [Policy::default(), allowing("registry.example/*")] {
        assert!(matches!(judge(&policy), Again::Gap(_)), "{policy:?}");
    }
    let Again::Judged { outcome, rules } = judge(&allowing("other.example/*")) else {
        panic!("the name alone says it")
    };
    assert_eq!((outcome, rules[0].1.as_str()), ("denied", "allowed"));
}

#[test]
fn what_is_too_large_or_too_late_is_denied_where_its_id_comes_first() {
    let bounds =
        Bounds { admission_bytes: 4096, body_time: Duration::from_secs(1), ..Bounds::default() };
    let rig = rig(Choice { bounds, ..Choice::default() });
    const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";
    let head = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"#;
    let uid = format!(r#""uid":"{UID}","#);
    let large = format!(r#""object":{{"x":"{}"}}"#, "x".repeat(100_000));
    let cases = [
        // The order of the API server.
        (format!("{head}{uid}{large}}}}}"), "", true),
        // Where something of the pod's author stands before it, it is not looked for so far.
        (format!("{head}{large},{uid}\"x\":1}}}}"), "", false),
        (format!("{{{large}"), "", false),
        // It breaks off, and nothing more comes.
        (format!("{head}{uid}"), "Content-Length: 4000\r\n", true),
        (format!("{head}{}", &uid[..20]), "Content-Length: 4000\r\n", false),
    ];
    for path in ["/validate", "/mutate"] {
        for (body, length, found) in &cases {
            let own = format!("Content-Length: {}\r\n", body.len());
            let length = if length.is_empty() { &own } else { *length };
            let bytes = format!(
                "POST {path} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n{length}Connection: close\r\n\r\n{body}"
            );
            let versions = [&rustls::version::TLS13];
            let reply = rig.raw(Some(&rig.client), bytes.as_bytes(), &versions).unwrap();
            let wanted = if *found { 200 } else { 400 };
            assert_eq!(reply.status, wanted, "{path} {body:.120}: {reply:?}");
            if !found {
                continue;
            }
            let response = reply.json()["response"].clone();
            assert_eq!(response["uid"], UID);
            assert_eq!(response["allowed"], false);
            assert_eq!(response["auditAnnotations"]["outcome"], "malformed");
            let message = response["status"]["message"].as_str().unwrap();
            let why = ["larger than 4096 bytes", "did not arrive in time"];
            assert!(why.iter().any(|why| message.contains(why)), "{message}");
        }
    }
}
