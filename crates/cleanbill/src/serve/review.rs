//! `ImageReview` of `imagepolicy.k8s.io/v1alpha1`: the question and the answer on the wire.
//!
//! The question's own `status` is never read. The answer's `allowed` is a private field that is
//! true only where [`Answer::allowed`] was given a spent permit; there is no other way to write it.

use std::collections::BTreeMap;

use cleanbill_core::verdict::Allowed;
use serde::Serialize;
use serde_json::Value;

use super::notes::Notes;
use super::question::Question;

/// The only version there is.
pub const API_VERSION: &str = "imagepolicy.k8s.io/v1alpha1";
/// The only kind there is.
pub const KIND: &str = "ImageReview";

/// Why a body is not answered as a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no `ImageReview` of our version: an answer of ours would not be understood, so it
    /// is an HTTP error. A pod's author has no influence on this.
    Foreign(String),
    /// It cannot be read as it stands. Answered with a denial, because an HTTP error lets the
    /// pod in where `defaultAllow` is true.
    Malformed(String),
}

/// Reads a question of at most `most` containers. Unknown fields are ignored, as the API server does with answers.
///
/// # Errors
/// See [`Unreadable`].
pub fn parse(body: &[u8], most: usize) -> Result<Question, Unreadable> {
    use Unreadable::{Foreign, Malformed};
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Foreign("the body is empty: an ImageReview in JSON is expected".into()));
    }
    let review =
        json(body).map_err(|e| Malformed(format!("the question is no valid JSON: {e}")))?;
    for (field, wanted) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        if review.get(field).and_then(Value::as_str) != Some(wanted) {
            let got = review.get(field).map_or_else(|| "nothing".into(), short);
            return Err(Foreign(format!("{field} is {got}: only {wanted} is answered")));
        }
    }
    let empty = Value::Object(serde_json::Map::new());
    let spec = optional(&review, "spec").unwrap_or(&empty);
    let wrong = |what: &str| Malformed(format!("the question's {what}"));
    if !spec.is_object() {
        return Err(wrong("spec is no object"));
    }
    let containers = match optional(spec, "containers") {
        None => &[][..],
        Some(Value::Array(containers)) => containers,
        Some(_) => return Err(wrong("spec.containers is no list")),
    };
    if containers.len() > most {
        return Err(Malformed(format!(
            "the pod has {} containers: at most {} are examined",
            containers.len(),
            most
        )));
    }
    let mut question = Question::default();
    for (at, container) in containers.iter().enumerate() {
        let image = match optional(container, "image") {
            None if container.is_object() => "",
            Some(Value::String(image)) => image,
            _ => return Err(wrong(&format!("spec.containers[{at}] has no image"))),
        };
        question.images.push(image.to_owned());
    }
    match optional(spec, "namespace") {
        None => {}
        Some(Value::String(namespace)) => question.asked.namespace.clone_from(namespace),
        Some(_) => return Err(wrong("spec.namespace is no text")),
    }
    match optional(spec, "annotations") {
        None => {}
        Some(Value::Object(annotations)) => {
            for (key, value) in annotations {
                let Value::String(value) = value else {
                    return Err(wrong("spec.annotations has a value that is no text"));
                };
                question.asked.annotations.insert(key.clone(), value.clone());
            }
        }
        Some(_) => return Err(wrong("spec.annotations is no object")),
    }
    Ok(question)
}

/// A field that is there and not null; Go writes null for absent.
fn optional<'v>(value: &'v Value, field: &str) -> Option<&'v Value> {
    value.get(field).filter(|v| !v.is_null())
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(80).collect()
}

/// Reads what Go's decoder would read, or nothing: no key twice, none in another case.
fn json(body: &[u8]) -> Result<Value, String> {
    let rules = cleanbill_oci::json::Rules {
        what: "ImageReview",
        limit: u64::MAX,
        fields: &["apiVersion", "kind", "spec", "containers", "image", "namespace", "annotations"],
        maps: &["annotations"],
    };
    cleanbill_oci::json::parse_strict(body, &rules).map_err(|e| e.to_string())
}

/// An answer "allowed" that was given before, without the id of its decision.
#[derive(Debug)]
pub struct Template {
    body: Box<[u8]>,
    /// Where the id belongs.
    at: usize,
}

impl Template {
    /// Of the body of an answer in which the id stands once.
    pub fn of(body: &[u8], id: &str) -> Option<Self> {
        let mut found = memchr::memmem::find_iter(body, id);
        let (at, None) = (found.next()?, found.next()) else { return None };
        let (before, rest) = body.split_at_checked(at)?;
        let body = [before, rest.get(id.len()..)?].concat().into();
        Some(Self { body, at })
    }

    /// The body for another decision that allows the same, paid for with its spent permit; `None`
    /// where that wants pins, for which there is no place here.
    pub fn allowed(&self, proof: &Allowed, id: &str) -> Option<Vec<u8>> {
        let (before, after) = self.body.split_at_checked(self.at)?;
        proof.pins().is_empty().then(|| [before, id.as_bytes(), after].concat())
    }

    /// Bytes of it.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Never: an answer is never empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    api_version: &'static str,
    kind: &'static str,
    status: Status,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    allowed: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
}

impl Answer {
    /// "Allowed", paid for with a spent permit. One that holds only for an answer that pins names
    /// is worth nothing here, where no name can be changed.
    pub fn allowed(proof: &Allowed, notes: Notes) -> Self {
        if !proof.pins().is_empty() {
            return Self::refused("Not judged: an internal error.".into(), notes);
        }
        Self::new(true, String::new(), notes)
    }

    /// "Not allowed", with the reason that the user reads.
    pub fn refused(reason: String, notes: Notes) -> Self {
        Self::new(false, reason, notes)
    }

    fn new(allowed: bool, reason: String, notes: Notes) -> Self {
        let status = Status { allowed, reason, audit_annotations: notes.into_map() };
        Self { api_version: API_VERSION, kind: KIND, status }
    }

    /// Whether it says "allowed".
    pub fn is_allowed(&self) -> bool {
        self.status.allowed
    }

    /// What the user reads.
    pub fn reason(&self) -> &str {
        &self.status.reason
    }

    /// The body of the response.
    pub fn body(&self) -> Vec<u8> {
        // An empty body is an error to the API server, never "allowed".
        serde_json::to_vec(self).unwrap_or_default()
    }
}
