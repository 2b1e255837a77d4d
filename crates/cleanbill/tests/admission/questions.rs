//! How what is read is compared, what is no question, and what a question tells besides images.

use cleanbill::serve::admission::{Admission, Unreadable, parse};
use serde_json::{Value, json};

use crate::objects::{UID, create, pod_with, review, with, workload};

/// What was read, in one line: the places with their images, or why there are none.
fn shown(read: &Result<Admission, Unreadable>) -> String {
    let admission = match read {
        Ok(admission) => admission,
        Err(Unreadable::Foreign(why)) => return format!("foreign: {why}"),
        Err(Unreadable::Malformed { uid, why }) => {
            let uid = if uid.as_deref() == Some(UID) { "" } else { " (without uid)" };
            return format!("refused{uid}: {why}");
        }
    };
    let images: Vec<&str> = admission.places.iter().map(|p| p.image.as_str()).collect();
    assert_eq!(admission.images, images, "the images are those of the places");
    match admission.nothing_to_judge() {
        Some(nothing) => {
            assert!(images.is_empty(), "nothing to judge, and yet {images:?}");
            format!("nothing: {}", nothing.why().as_str())
        }
        None => {
            let place =
                |p: &cleanbill::serve::admission::Place| format!("{}={}", p.pointer, p.image);
            admission.places.iter().map(place).collect::<Vec<_>>().join(" ")
        }
    }
}

pub fn check(what: &str, body: &Value, want: &str) {
    let read = parse(body.to_string().as_bytes(), 500);
    assert_eq!(shown(&read), want, "{what}");
}

#[test]
fn what_is_no_question_of_ours_is_not_answered() {
    let edited = |pointer: &str, value: Value| with(create(&["a"]), pointer, value);
    let table: Vec<(&str, Value, &str)> = vec![
        (
            "v1beta1",
            edited("/apiVersion", json!("admission.k8s.io/v1beta1")),
            "foreign: apiVersion is \"admission.k8s.io/v1beta1\": only admission.k8s.io/v1 is answered",
        ),
        (
            "no apiVersion",
            edited("/apiVersion", Value::Null),
            "foreign: apiVersion is absent: only admission.k8s.io/v1 is answered",
        ),
        (
            "ImageReview",
            edited("/kind", json!("ImageReview")),
            "foreign: kind is \"ImageReview\": only AdmissionReview is answered",
        ),
        (
            "a number for a kind",
            edited("/kind", json!(1)),
            "foreign: kind is a number: only AdmissionReview is answered",
        ),
        (
            "a list",
            json!([]),
            "foreign: apiVersion is absent: only admission.k8s.io/v1 is answered",
        ),
        (
            "no request",
            edited("/request", Value::Null),
            "foreign: request.uid is missing: no answer could be matched",
        ),
        (
            "no uid",
            edited("/request/uid", Value::Null),
            "foreign: request.uid is missing: no answer could be matched",
        ),
        (
            "an empty uid",
            edited("/request/uid", json!("")),
            "foreign: request.uid is missing: no answer could be matched",
        ),
        (
            "a uid of a mile",
            edited("/request/uid", json!("x".repeat(257))),
            "foreign: request.uid is missing: no answer could be matched",
        ),
        (
            "no operation",
            edited("/request/operation", Value::Null),
            "refused: the operation \"\" is not known",
        ),
        (
            "another operation",
            edited("/request/operation", json!("PATCH")),
            "refused: the operation \"PATCH\" is not known",
        ),
        (
            "an operation in lower case",
            edited("/request/operation", json!("create")),
            "refused: the operation \"create\" is not known",
        ),
        (
            "a dry run that is a text",
            edited("/request/dryRun", json!("true")),
            "refused: request.dryRun is a text",
        ),
        ("no kind", edited("/request/kind", Value::Null), "refused: request.kind has no kind"),
        (
            "a kind that is a text",
            edited("/request/kind", json!("Pod")),
            "refused: request.kind has no kind",
        ),
        (
            "a namespace that is a list",
            edited("/request/namespace", json!([])),
            "refused: namespace is a list",
        ),
        (
            "a user that is a number",
            edited("/request/userInfo/username", json!(0)),
            "refused: username is a number",
        ),
        (
            "groups that are a text",
            edited("/request/userInfo/groups", json!("dev")),
            "refused: request.userInfo.groups is a text",
        ),
        (
            "a group that is null",
            edited("/request/userInfo/groups", json!([null])),
            "refused: a group is absent",
        ),
    ];
    for (what, body, want) in &table {
        check(what, body, want);
    }
    for (body, want) in [
        ("", "foreign: the body is empty: an AdmissionReview in JSON is expected"),
        (" \n", "foreign: the body is empty: an AdmissionReview in JSON is expected"),
        (
            "<xml/>",
            "refused (without uid): the question is no valid JSON: expected value at line 1 column 1",
        ),
    ] {
        assert_eq!(shown(&parse(body.as_bytes(), 500)), want, "{body:?}");
    }
}

#[test]
fn who_asks_and_what_the_pod_says_of_itself_is_told() {
    let object = with(
        with(
            pod_with(
                "imagePullSecrets",
                json!([{"name": "one"}, {}, {"name": ""}, {"name": "two"}]),
            ),
            "/metadata/annotations",
            json!({
                "a.image-policy.k8s.io/ticket": "T-1",
                "image-policy.k8s.io/x": "ImageReview would not tell it",
                "kubectl.kubernetes.io/last-applied-configuration": "{\"env\": \"a secret\"}",
            }),
        ),
        "/spec/serviceAccountName",
        json!("builder"),
    );
    let mut body = review("v1/Pod", "CREATE", object, Value::Null);
    body["request"]["dryRun"] = json!(true);
    let read = |body: &Value| parse(body.to_string().as_bytes(), 500).unwrap();
    let admission = read(&body);
    let told = admission.asked.pod.clone().unwrap();
    assert_eq!(admission.uid, UID);
    assert_eq!((admission.namespace.as_str(), admission.name.as_str()), ("shop", "web"));
    assert_eq!(admission.asked.namespace, "shop");
    assert!(admission.dry_run && admission.is_pod());
    assert_eq!(told.user, "ada");
    assert_eq!(told.groups, ["dev", "system:authenticated"]);
    assert_eq!(told.labels.get("app").map(String::as_str), Some("web"));
    assert_eq!(told.service_account, "builder");
    assert_eq!(admission.pull_secrets, ["one", "two"]);
    assert_eq!(admission.resource.kind, "pods");
    let keys: Vec<&String> = admission.asked.annotations.keys().collect();
    assert_eq!(keys, ["a.image-policy.k8s.io/ticket"]);

    // What a template does not say is what its pods will get; the older name counts too.
    for (account, want) in [
        (json!({"serviceAccountName": null}), "default"),
        (json!({"serviceAccountName": ""}), "default"),
        (json!({"serviceAccount": "older", "serviceAccountName": ""}), "older"),
        (json!({"serviceAccount": "older", "serviceAccountName": "newer"}), "newer"),
    ] {
        let mut object = workload("Deployment", &["a:1"]);
        for (key, value) in account.as_object().unwrap() {
            object["spec"]["template"]["spec"][key] = value.clone();
        }
        let admission = read(&review("apps/v1/Deployment", "CREATE", object, Value::Null));
        assert_eq!(admission.asked.pod.clone().unwrap().service_account, want, "{account}");
        assert!(!admission.is_pod() && !admission.dry_run);
    }
}

#[test]
fn when_images_are_pulled_is_told_by_the_worst_of_their_places() {
    let digest = format!("d:1@sha256:{}", "5".repeat(64));
    let container = |image: &str, pull: Value| json!({"image": image, "imagePullPolicy": pull});
    let spec = json!({
        "containers": [
            container("a:1", json!("Always")), container("b:1", json!("IfNotPresent")),
            container("c:1", json!("Never")), container(&digest, json!("Always")),
            container("e:1", json!("Never")), container("no Name", json!("Always")),
            container("f:1", json!(7)), container("g", Value::Null),
        ],
        "initContainers": [container("b:1", json!("Always")), container("a:1", json!("Never"))],
        "ephemeralContainers": [container("e:1", Value::Null)],
        "volumes": [
            {"name": "v", "image": {"reference": "v:1", "pullPolicy": "Always"}},
            {"name": "w", "image": {"reference": "w:1", "pullPolicy": "Never"}},
        ],
    });
    for (gvk, object) in [
        ("v1/Pod", json!({"spec": spec})),
        ("x.example/v1/X", json!({"spec": {"template": {"spec": spec}}})),
    ] {
        let body = review(gvk, "CREATE", object, Value::Null).to_string();
        let pulls = parse(body.as_bytes(), 500).unwrap().question(false).pulls;
        let (always, absent) = ("always", "if-not-present");
        let want = json!({
            "a:1": always, "b:1": always, "e:1": absent, "f:1": always, "g": always, "v:1": always,
        });
        assert_eq!(json!(pulls), want, "{gvk}");
    }
}

#[test]
fn what_is_judged_by_is_in_the_fingerprint() {
    let base = create(&["a:1", "b:1"]);
    let print = |body: &Value| {
        parse(body.to_string().as_bytes(), 500).unwrap().question(false).fingerprint()
    };
    assert_eq!(print(&base), print(&base.clone()));
    let edits = [
        ("/request/namespace", json!("other")),
        ("/request/userInfo/username", json!("eve")),
        ("/request/userInfo/groups/0", json!("other")),
        ("/request/object/spec/containers/0/image", json!("c:1")),
        ("/request/object/spec/containers/0/imagePullPolicy", json!("Always")),
        ("/request/object/metadata/labels/app", json!("other")),
        ("/request/object/spec/serviceAccountName", json!("other")),
    ];
    for (pointer, value) in edits {
        assert_ne!(print(&base), print(&with(base.clone(), pointer, value)), "{pointer}");
    }
}
