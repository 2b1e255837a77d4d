//! Questions, good and bad: one table. What a pod's author can cause is answered with a denial,
//! since an HTTP error lets a pod in where `defaultAllow` is true.

use serde_json::json;

use crate::rig::{Choice, Reply, good, question, rig};

/// What has to come back.
enum Want {
    Allowed,
    /// A denial with this reason, but for the decision's id at its end.
    Denied(String),
    /// An HTTP error with this text.
    Error(u16, &'static str),
}
use Want::{Allowed, Denied, Error};

fn denied(words: &str) -> Want {
    Denied(words.to_owned())
}

/// The reason for an image of this name that is past its end of life, or only named by a tag.
fn by_tag(name: &str, more: &str) -> Want {
    let digest = crate::rig::digest_of(name);
    Denied(format!(
        "{name}: not examined (rule `accept_gaps`): {more}`mutable-reference` {name} (the tag was \
         {digest} when it was judged and may be another image when a node pulls it)."
    ))
}

const EOL: &str = "`end-of-life` alpine 3.9 (support ended on 2020-11-01), ";
const LARGE: &str = "Not judged: the question is larger than 1048576 bytes.";
const NO_NAME: &str = "is no image name: a repository is lower-case letters and digits, separated \
    by one of . _ __ - or / (rule `image-name`).";

fn check(what: &str, reply: &Reply, want: &Want) {
    assert!(!reply.head.contains("retry-after"), "{what}: {reply:?}");
    assert_eq!(reply.allowed(), matches!(want, Allowed), "{what}: {reply:?}");
    match want {
        Allowed | Denied(_) => {
            let answer = reply.json();
            assert_eq!(reply.status, 200, "{what}: {reply:?}");
            assert_eq!(answer["apiVersion"], "imagepolicy.k8s.io/v1alpha1", "{what}");
            assert_eq!(answer["kind"], "ImageReview", "{what}");
            assert!(answer["status"]["auditAnnotations"]["decision-id"].is_string(), "{what}");
        }
        Error(status, words) => {
            assert_eq!(reply.status, *status, "{what}: {reply:?}");
            assert_eq!(reply.body.trim_end(), *words, "{what}");
        }
    }
    if let Denied(words) = want {
        let id = reply.json()["status"]["auditAnnotations"]["decision-id"].clone();
        let id = id.as_str().unwrap();
        assert_eq!(reply.reason(), format!("{words} Decision {id}."), "{what}");
    }
}

#[test]
fn questions_and_answers() {
    let rig = rig(Choice::default());
    let good = good();
    let edited = |pointer: &str, value: serde_json::Value| {
        let mut asked: serde_json::Value = serde_json::from_str(&question(&[&good])).unwrap();
        *asked.pointer_mut(pointer).unwrap() = value;
        asked.to_string()
    };
    let raw = |spec: &str| {
        format!(
            r#"{{"apiVersion":"imagepolicy.k8s.io/v1alpha1","kind":"ImageReview","spec":{spec}}}"#
        )
    };
    let many = vec![good.as_str(); 10_000];
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let table: Vec<(&str, String, Want)> = vec![
        ("one good image", question(&[&good]), Allowed),
        ("the same image thrice", question(&[&good, &good, &good]), Allowed),
        (
            "empty body",
            String::new(),
            Error(400, "the body is empty: an ImageReview in JSON is expected"),
        ),
        (
            "blank body",
            " \n".into(),
            Error(400, "the body is empty: an ImageReview in JSON is expected"),
        ),
        (
            "no JSON",
            "<xml/>".into(),
            denied(
                "Not judged: the question is no valid JSON: ImageReview: expected value at line 1 column 1.",
            ),
        ),
        (
            "cut off",
            question(&[&good])[..80].to_owned(),
            denied(
                "Not judged: the question is no valid JSON: ImageReview: EOF while parsing a string at line 1 column 80.",
            ),
        ),
        (
            "a second document",
            question(&[&good]).repeat(2),
            denied(
                "Not judged: the question is no valid JSON: ImageReview: trailing characters at line 2 column 1.",
            ),
        ),
        (
            "a list",
            "[]".into(),
            Error(400, "apiVersion is nothing: only imagepolicy.k8s.io/v1alpha1 is answered"),
        ),
        (
            "v1beta1",
            edited("/apiVersion", json!("imagepolicy.k8s.io/v1beta1")),
            Error(
                400,
                "apiVersion is \"imagepolicy.k8s.io/v1beta1\": only imagepolicy.k8s.io/v1alpha1 is answered",
            ),
        ),
        (
            "no apiVersion",
            edited("/apiVersion", json!(null)),
            Error(400, "apiVersion is null: only imagepolicy.k8s.io/v1alpha1 is answered"),
        ),
        (
            "another kind",
            edited("/kind", json!("AdmissionReview")),
            Error(400, "kind is \"AdmissionReview\": only ImageReview is answered"),
        ),
        (
            "a bad image, status says allowed",
            {
                let mut asked: serde_json::Value =
                    serde_json::from_str(&question(&["registry.example/eol:1"])).unwrap();
                asked["status"] = json!({ "allowed": true });
                asked.to_string()
            },
            by_tag("registry.example/eol:1", EOL),
        ),
        (
            "status allowed and no spec",
            raw("null").replace("null", "null,\"status\":{\"allowed\":true}"),
            denied("The pod: it names no image."),
        ),
        (
            "no containers",
            edited("/spec/containers", json!([])),
            denied("The pod: it names no image."),
        ),
        (
            "containers are no list",
            edited("/spec/containers", json!({})),
            denied("Not judged: the question's spec.containers is no list."),
        ),
        (
            "a container is no object",
            edited("/spec/containers", json!([good])),
            denied("Not judged: the question's spec.containers[0] has no image."),
        ),
        (
            "a container without image",
            edited("/spec/containers", json!([{}])),
            Denied(format!("The pod: \"\" {NO_NAME}")),
        ),
        (
            "image is a number",
            edited("/spec/containers", json!([{"image": 7}])),
            denied("Not judged: the question's spec.containers[0] has no image."),
        ),
        (
            "10,000 containers",
            question(&["nginx"; 10_000]),
            denied("Not judged: the pod has 10000 containers: at most 500 are examined."),
        ),
        ("10,000 containers, long names", question(&many), denied(LARGE)),
        (
            "501 containers",
            question(&many[..501]),
            denied("Not judged: the pod has 501 containers: at most 500 are examined."),
        ),
        ("500 containers", question(&many[..500]), Allowed),
        ("2 MiB of name", question(&[&"a".repeat(2 << 20)]), denied(LARGE)),
        ("20 MiB, more than an API server ever sends", " ".repeat(20 << 20), denied(LARGE)),
        (
            "no reference",
            question(&["registry.example/UPPER"]),
            Denied(format!("registry.example/UPPER: \"registry.example/UPPER\" {NO_NAME}")),
        ),
        (
            "an address",
            question(&["http://127.0.0.1/x"]),
            denied(
                "http://127.0.0.1/x: \"http://127.0.0.1/x\" is no image name: the registry is no host name with an optional port (rule `image-name`).",
            ),
        ),
        (
            "control characters",
            question(&["a\u{1b}[2J\nb"]),
            Denied(format!("a\\u{{1b}}[2J\\nb: \"a\\u{{1b}}[2J\\nb\" {NO_NAME}")),
        ),
        (
            "one good, one bad",
            question(&[&good, "registry.example/eol:1"]),
            by_tag("registry.example/eol:1", EOL),
        ),
        (
            "one good, one unreachable",
            question(&[&good, "registry.example/lost:1"]),
            denied("registry.example/lost:1: could not be judged: it cannot be reached."),
        ),
        ("a tag", question(&["registry.example/good:1"]), by_tag("registry.example/good:1", "")),
        (
            "depth 10,000",
            raw(&deep),
            denied(
                "Not judged: the question is no valid JSON: ImageReview: nested deeper than 64 at line 1 column 136.",
            ),
        ),
        (
            "unknown fields",
            raw(&format!(r#"{{"containers":[{{"image":"{good}","x":1}}],"y":[]}}"#)),
            Allowed,
        ),
        (
            "annotations of a pod's author",
            raw(&format!(
                r#"{{"containers":[{{"image":"{good}"}}],"annotations":{{"a.image-policy.k8s.io/x":"1","A.image-policy.k8s.io/x":"2"}}}}"#
            )),
            Allowed,
        ),
        (
            "duplicate keys",
            raw(&format!(
                r#"{{"containers":[{{"image":"registry.example/eol:1","image":"{good}"}}]}}"#
            )),
            denied(
                "Not judged: the question is no valid JSON: ImageReview: the key \"image\" stands twice at line 1 column 128.",
            ),
        ),
        (
            "keys that differ in case",
            raw(&format!(
                r#"{{"containers":[{{"Image":"registry.example/eol:1","image":"{good}"}}]}}"#
            )),
            denied(
                "Not judged: the question is no valid JSON: ImageReview: the key \"Image\" differs from \"image\" only in case at line 1 column 95.",
            ),
        ),
    ];
    for (what, body, want) in &table {
        check(what, &rig.ask(body), want);
    }
}

#[test]
fn other_requests_are_told_what_is_wrong() {
    let rig = rig(Choice::default());
    let body = question(&[&good()]);
    let ask = |head: &str| {
        let request = format!(
            "{head}\r\nHost: gate\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        rig.raw(Some(&rig.client), request.as_bytes(), &[&rustls::version::TLS13]).unwrap()
    };
    let json = "Content-Type: application/json";
    let table: Vec<(String, Want)> = vec![
        (format!("POST / HTTP/1.1\r\n{json}"), Allowed),
        (format!("POST /any/path?timeout=30s HTTP/1.1\r\n{json}; charset=utf-8"), Allowed),
        (format!("GET / HTTP/1.1\r\n{json}"), Error(405, "only POST is answered")),
        (format!("PUT / HTTP/1.1\r\n{json}"), Error(405, "only POST is answered")),
        (
            "POST / HTTP/1.1\r\nContent-Type: text/plain".into(),
            Error(415, "only application/json is read"),
        ),
        ("POST / HTTP/1.1".into(), Error(415, "only application/json is read")),
    ];
    for (head, want) in &table {
        check(&head[..head.len().min(60)], &ask(head), want);
    }
}

#[test]
fn past_a_bound_there_is_no_answer_or_an_error() {
    let rig = rig(Choice::default());
    let body = question(&[&good()]);
    let json = "Content-Type: application/json";
    let table: Vec<String> = vec![
        format!("POST / HTTP/1.1\r\n{json}\r\nX: {}", "y".repeat(64 << 10)),
        format!("POST / HTTP/1.1\r\n{json}{}", "\r\nX: y".repeat(100)),
        format!("POST /{} HTTP/1.1\r\n{json}", "y".repeat(64 << 10)),
    ];
    for head in table {
        let request = format!(
            "{head}\r\nHost: gate\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        // Whether the error arrives depends on how much of the rest is still on its way.
        if let Ok(reply) =
            rig.raw(Some(&rig.client), request.as_bytes(), &[&rustls::version::TLS13])
        {
            assert!((400..500).contains(&reply.status), "{reply:?}");
        }
    }
    if let Ok(reply) = rig.send(Some(&rig.client), "/", " ".repeat(40 << 20).as_bytes()) {
        check("40 MiB", &reply, &denied(LARGE));
    }
}

#[test]
fn the_answer_carries_what_an_auditor_needs() {
    let rig = rig(Choice::default());
    let answer = rig.ask(&question(&[&good()])).json();
    let notes = answer["status"]["auditAnnotations"].as_object().unwrap();
    assert_eq!(notes["outcome"], "allowed");
    assert_eq!(notes["digests"], crate::rig::digest_of("good").to_string());
    assert!(notes["policy"].as_str().unwrap().starts_with("default@sha256:"));
    assert!(notes["snapshot"].as_str().unwrap().starts_with("sha256:0202"));
    assert_eq!(notes["decision-id"].as_str().unwrap().len(), 20);
    for key in notes.keys() {
        // A qualified name's name part (apimachinery, validation.IsQualifiedName).
        let word = |c: char| c.is_ascii_alphanumeric();
        assert!(key.len() <= 63 && key.starts_with(word) && key.ends_with(word), "{key}");
        assert!(key.chars().all(|c| word(c) || "-_.".contains(c)), "{key}");
    }
    let denied = rig.ask(&question(&["registry.example/eol:1"]));
    let id =
        denied.json()["status"]["auditAnnotations"]["decision-id"].as_str().unwrap().to_owned();
    assert!(denied.reason().ends_with(&format!("Decision {id}.")), "{}", denied.reason());
}
