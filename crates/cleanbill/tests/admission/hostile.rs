//! Bodies that mean harm.

use std::time::Instant;

use cleanbill::serve::admission::{Unreadable, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::objects::{UID, create, pod, review, update};

/// A review of a pod, as text, with a piece of it replaced.
pub fn edited(from: &str, to: &str) -> String {
    // In the order in which the API server writes it.
    let request = create(&["a:1"])["request"].to_string();
    let request = request.replacen(&format!(",\"uid\":\"{UID}\""), "", 1);
    let body = format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{UID}",{}}}"#,
        &request[1..]
    );
    assert!(body.contains(from), "{from} is not in {body}");
    body.replacen(from, to, 1)
}

#[test]
fn what_stands_twice_is_refused_and_what_nobody_reads_is_passed_over() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let image = r#""image":"a:1""#;
    let containers = r#""containers":"#;
    let annotations = r#""metadata":{"annotations":{"x.image-policy.k8s.io/a":"1","x.image-policy.k8s.io/a":"2"},"#;
    let table: Vec<(&str, String, Option<&str>)> = vec![
        ("as it is", edited(image, image), None),
        (
            "image twice",
            edited(image, r#""image":"a:1","image":"b""#),
            Some("the key \"image\" stands twice"),
        ),
        (
            "image twice, once escaped",
            edited(image, r#""image":"a:1","\u0069mage":"b""#),
            Some("the key \"image\" stands twice"),
        ),
        ("Image besides", edited(image, r#""Image":"b","image":"a:1""#), None),
        (
            "containers twice",
            edited(containers, r#""containers":[],"containers":"#),
            Some("the key \"containers\" stands twice"),
        ),
        (
            "object twice",
            edited(r#""object":"#, r#""object":{},"object":"#),
            Some("the key \"object\" stands twice"),
        ),
        (
            "operation twice",
            edited(r#""operation":"#, r#""operation":"DELETE","operation":"#),
            Some("the key \"operation\" stands twice"),
        ),
        (
            "an annotation twice",
            edited(r#""metadata":{"#, annotations),
            Some("a label or annotation stands twice"),
        ),
        ("what nobody reads twice", edited(containers, r#""x":1,"x":2,"containers":"#), None),
        (
            "nested deeply where nobody reads",
            edited(containers, &format!(r#""x":{},"containers":"#, deep(100_000))),
            None,
        ),
        (
            "nested deeply where a text is read",
            edited(image, &format!(r#""image":{}"#, deep(100_000))),
            Some("/spec/containers/0/image is a list"),
        ),
        (
            "nested deeply in containers",
            edited(containers, &format!(r#""containers":{},"x":"#, deep(100_000))),
            Some("/spec/containers/0 is a list"),
        ),
        ("a second document", edited(image, image) + "{}", Some("trailing characters")),
        (
            "half a surrogate",
            edited(image, r#""image":"\ud800""#),
            Some("unexpected end of hex escape"),
        ),
        ("no UTF-8 in a name", "\u{0}".into(), Some("expected value")),
        ("a number beyond all bounds", edited(containers, r#""x":1e999999,"containers":"#), None),
        ("a line break in an image", edited("a:1", r"a\n:1"), None),
        ("NUL in an image", edited("a:1", r"a\u0000:1"), None),
    ];
    for (what, body, want) in table {
        let got = parse(body.as_bytes(), 500);
        match (want, &got) {
            (None, Ok(admission)) => assert_eq!(admission.images.len(), 1, "{what}"),
            (Some(want), Err(Unreadable::Malformed { uid, why })) => {
                assert!(why.contains(want), "{what}: {why}");
                assert_eq!(uid.is_some(), body.starts_with('{'), "{what}");
            }
            _ => panic!("{what}: {got:?}"),
        }
    }
}

#[test]
fn objects_of_three_mebibytes_are_read_in_little_time() {
    // What counts is kept, the rest passed over: 3 MiB each of the old and the new object.
    let big = || {
        let mut pod = pod(&["a:1"]);
        pod["spec"]["containers"][0]["args"] = json!(vec![""; 1 << 20]);
        pod["metadata"]["annotations"] = json!({"x": "y".repeat(250_000)});
        pod
    };
    let (old, mut new) = (big(), big());
    new["spec"]["containers"][0]["image"] = json!("a:2");
    let body = update(old, new).to_string();
    assert!(body.len() > 6 << 20);
    let began = Instant::now();
    let read = parse(body.as_bytes(), 500).unwrap();
    assert_eq!(read.images, ["a:2"]);
    assert!(read.asked.annotations.is_empty());
    // The bound is only to catch what is not linear.
    assert!(began.elapsed().as_secs() < 10);
}

/// JSON of the names that are read, in all wrong places.
fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z:/@.]{0,6}".prop_map(Value::from),
    ];
    let key = proptest::sample::select(vec![
        "metadata",
        "labels",
        "annotations",
        "spec",
        "template",
        "jobTemplate",
        "containers",
        "initContainers",
        "ephemeralContainers",
        "volumes",
        "image",
        "reference",
        "name",
        "imagePullSecrets",
        "serviceAccountName",
        "x",
    ]);
    leaf.prop_recursive(6, 64, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..5).prop_map(|fields| {
                fields
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, 500);
    }

    #[test]
    fn odd_objects_never_panic_and_nothing_hides(
        object in odd(),
        old in odd(),
        kind in proptest::sample::select(vec!["v1/Pod", "apps/v1/Deployment", "batch/v1/CronJob", "v1/PodTemplate", "v1/EphemeralContainers", "x.example/v1/X"]),
        operation in proptest::sample::select(vec!["CREATE", "UPDATE"]),
    ) {
        let body = review(kind, operation, object.clone(), old.clone());
        if let Ok(admission) = parse(body.to_string().as_bytes(), 500) {
            // Every place is one, with the image that stands there.
            for place in &admission.places {
                let there = object.pointer(&place.pointer).and_then(Value::as_str).unwrap_or("");
                prop_assert_eq!(there, &place.image);
            }
            // What is made of a known kind is never "nothing".
            if operation == "CREATE" && kind != "x.example/v1/X" {
                prop_assert!(admission.nothing_to_judge().is_none());
            }
            // An image that the old object does not have anywhere is judged.
            if kind == "v1/Pod" && let Some(Value::Array(list)) = object.pointer("/spec/containers") {
                for image in list.iter().filter_map(|c| c["image"].as_str()) {
                    let known = operation == "UPDATE" && old.to_string().contains(&json!(image).to_string());
                    prop_assert!(known || admission.images.iter().any(|i| i == image));
                }
            }
        }
    }
}
