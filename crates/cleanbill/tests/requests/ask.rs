//! From a row to a gate, and from the gate's answer to what is compared.

use std::sync::Arc;
use std::time::Duration;

use cleanbill::checkers::{CheckerConfig, KindConfig, ProgramConfig};
use cleanbill::policy_file;
use cleanbill::serve::config::{Bounds, Unexamined, Work};
use cleanbill::serve::examiner::Examiner;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use cleanbill_core::verdict;
use cleanbill_trust::SigningKey;
use cleanbill_trust::breakglass::{ANNOTATION, Terms, issue};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rig::{self, Choice, Rig};
use crate::row::{self, Registered, Row, Token};
use crate::world;

/// The id of every decision.
pub const ID: &str = "d0000000000000000000";

/// The uid of every request.
pub const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

/// The row's policy.
pub fn policy(row: &Row) -> Policy {
    let key = serde_json::to_string(&world::KEYS[0].public().to_pem()).unwrap();
    let text = row.policy.replace("{key}", &key);
    if text.trim().is_empty() {
        return Policy::default();
    }
    policy_file::parse(&text, "policy").unwrap_or_else(|e| panic!("{}: {e:?}", row.row))
}

/// A gate in which the row's facts are so.
pub fn gate(row: &Row) -> Rig {
    let when_unexamined = if row.fail { Unexamined::Fail } else { Unexamined::Deny };
    let budget = Duration::from_millis(row.budget.unwrap_or(5_000));
    rig::rig(Choice {
        examiner: examiner(row),
        policy: policy(row),
        bounds: Bounds { budget, when_unexamined, ..Bounds::default() },
        work: Work { parallel_examinations: 4, ..Work::default() },
        checkers: row.checkers.iter().map(|(name, answer)| checker(name, answer)).collect(),
        ..Choice::default()
    })
}

fn examiner(row: &Row) -> Examiner {
    let now: jiff::Timestamp = row.now.as_deref().unwrap_or(world::NOW).parse().unwrap();
    let (registered, admitted) = (row.registered.clone(), row.admitted.clone());
    Examiner {
        resolve: Box::new(|name, _, _| world::resolve(name)),
        snapshot: Box::new(|| Some(world::SNAPSHOT)),
        registered: Box::new(move |name| {
            let named = |r: &&Registered| {
                let under: cleanbill_core::reference::ImageRef = r.name.parse().unwrap();
                (under.name(), under.tag()) == (name.name(), name.tag())
            };
            let known = |r: &Registered| {
                let digest = world::digest(&r.image);
                let seen = format!("registry.example/{}@{digest}", r.image).parse().unwrap();
                let evidence = r.examined.then(|| {
                    let mut evidence = world::evidence(&seen);
                    evidence.reference = name.clone();
                    Arc::new(evidence)
                });
                verdict::Registered { digest, node: r.node.clone(), evidence }
            };
            Ok(registered.iter().filter(named).map(known).collect())
        }),
        admitted: Box::new(move |namespace, images| {
            let admitted = admitted.as_ref()?;
            let mut before: Vec<_> = admitted
                .images
                .iter()
                .map(|i| {
                    let name = i.split(':').next().unwrap();
                    (row::image(i), world::digest(name))
                })
                .collect();
            before.sort();
            let same = namespace == admitted.namespace && before == images;
            same.then(|| (admitted.at.parse().unwrap(), "e0000000000000000000".to_owned()))
        }),
        now: Box::new(move || now),
        id: Box::new(|| Ok(ID.into())),
        ..rig::examiner(|name, _| world::examine(name))
    }
}

/// Reads the question and answers about its image what the arguments say.
const SAYS: &str = r#"
image=$(sed 's/.*"image":"\([^"]*\)".*/\1/')
printf '{"apiVersion":"cleanbill.checker/v1","kind":"Answer","image":"%s",%s}' "$image" "$0"
"#;

/// A checker that says this.
fn checker(name: &str, answer: &str) -> CheckerConfig {
    let says = match answer.split_once(' ').unwrap_or((answer, "")) {
        ("agrees", _) => r#""allowed":true"#.into(),
        ("disagrees", reason) => format!(r#""allowed":false,"reason":"{reason}""#),
        _ => "nonsense".to_owned(),
    };
    let argv = ["/bin/sh", "-c", SAYS, &says];
    let argv = argv.iter().map(|a| (*a).to_owned()).collect();
    CheckerConfig {
        name: name.into(),
        kind: KindConfig::Program(ProgramConfig { argv, memory_bytes: 4 << 30 }),
        timeout: Duration::from_secs(3),
        remember: Duration::ZERO,
        parallel: 4,
    }
}

/// The row's question as an `ImageReview`.
pub fn image_review(row: &Row) -> String {
    if let Some(body) = &row.body {
        return body.clone();
    }
    let image = |short: &String| json!({ "image": row::image(short) });
    let containers: Vec<_> = row.images.iter().map(image).collect();
    let mut annotations = row.annotations.clone();
    annotations.extend(row.token.as_ref().map(|t| (ANNOTATION.to_owned(), token(t))));
    let mut review = json!({
        "kind": "ImageReview",
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "metadata": {},
        "spec": { "containers": containers, "namespace": row.namespace },
        "status": { "allowed": false },
    });
    if !annotations.is_empty() {
        review["spec"]["annotations"] = json!(annotations);
    }
    review.to_string() + "\n"
}

/// The same question as an `AdmissionReview` about a pod.
pub fn admission_review(row: &Row) -> String {
    if let Some(body) = &row.body {
        return body.clone();
    }
    let pull = row.pull.as_deref().unwrap_or("Never");
    let container = |(n, short): (usize, &String)| json!({ "name": format!("c{n}"), "image": row::image(short), "imagePullPolicy": pull });
    let containers: Vec<_> = row.images.iter().enumerate().map(container).collect();
    let mut annotations = row.annotations.clone();
    annotations.extend(row.token.as_ref().map(|t| (ANNOTATION.to_owned(), token(t))));
    let mut review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": UID,
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "operation": "CREATE",
            "namespace": row.namespace,
            "userInfo": { "username": "bob", "groups": ["dev"] },
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": "p", "annotations": annotations },
                "spec": { "containers": containers },
            },
            "dryRun": false,
        },
    });
    if let Some(change) = &row.request {
        merge(&mut review["request"], change);
    }
    review.to_string()
}

/// RFC 7396, with images written out.
fn merge(into: &mut Value, change: &Value) {
    let Value::Object(fields) = change else {
        *into = change.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in fields {
        match value {
            Value::Null => _ = into.as_object_mut().unwrap().remove(key),
            Value::Array(list) => {
                let filled = list.iter().map(|entry| {
                    let mut filled = Value::Null;
                    merge(&mut filled, entry);
                    filled
                });
                into[key] = filled.collect();
            }
            Value::String(short) if key == "image" || key == "reference" => {
                into[key] = json!(row::image(short));
            }
            Value::Object(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                merge(&mut into[key], value);
            }
        }
    }
}

fn token(token: &Token) -> String {
    if let Some(text) = &token.text {
        return text.clone();
    }
    let digests: Vec<_> = token.images.iter().map(|i| world::digest(i)).collect();
    let time = (token.from.parse().unwrap(), token.until.parse().unwrap());
    let key = &world::KEYS[usize::from(token.other_key)];
    issued(&token.namespace, &digests, time, key) + &"A".repeat(token.padded)
}

/// A token for these bytes in this namespace.
pub fn issued(
    namespace: &str,
    digests: &[Digest],
    time: (Timestamp, Timestamp),
    key: &SigningKey,
) -> String {
    let terms = Terms::new(namespace, digests, "anna@example.org", "INC-7", time);
    // Its id is random; the answer shows it.
    issue(&Terms { id: "t0000000000000000000".into(), ..terms.unwrap() }, key).unwrap()
}
