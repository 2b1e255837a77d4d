//! What client-go and the plug-in make of a reply.
//!
//! Follows `transformResponse`, `Result.Error` and `Result.Into` of client-go's `rest`, and
//! `NewGenericServerResponse` of apimachinery.

use std::collections::BTreeMap;

use super::client::Reply;
use super::node::{Node, Value, quote};
use super::{Refused, json, yaml};

/// The kind of the question and the answer.
pub const KIND: &str = "ImageReview";
/// Their version.
pub const API_VERSION: &str = "imagepolicy.k8s.io/v1alpha1";

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether the images may run. Nothing said means no.
    pub allowed: bool,
    /// Why not.
    pub reason: String,
    /// What is to stand in the audit log.
    pub audit: BTreeMap<String, String>,
}

/// The webhook failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The error's text.
    pub words: String,
    /// The status that the API server would give, where the fault is one.
    pub code: Option<u16>,
    /// Whether it is one after which the call is repeated.
    pub again: bool,
}

impl Fault {
    /// One that is no status, and is not repeated.
    pub fn plain(words: impl Into<String>) -> Self {
        Self { words: words.into(), code: None, again: false }
    }

    /// Whether it is `Forbidden`, and so reaches the user as it is.
    pub fn is_forbidden(&self) -> bool {
        self.code == Some(403)
    }
}

/// Whether a reply is one that can hold an answer: where not, the call may be repeated.
///
/// # Errors
/// An error of HTTP, in the words that the user sees.
pub fn check(reply: &Reply) -> Result<(), Fault> {
    let content_type = reply.content_type.as_deref().unwrap_or_default();
    if !content_type.is_empty() && media_type(content_type).is_none() {
        return Err(Fault {
            words: "Internal error occurred: mime: expected token after slash".into(),
            code: Some(500),
            again: true,
        });
    }
    if (200..=206).contains(&reply.status) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&reply.body);
    let explained = if text.is_empty() { None } else { as_status(&text) };
    Err(explained.unwrap_or_else(|| unstructured(reply, &text)))
}

/// Reads the answer. A fault here is never followed by another call.
///
/// # Errors
/// Where it is none.
pub fn read(reply: &Reply) -> Result<Status, Fault> {
    if reply.body.is_empty() {
        let content_type = reply.content_type.as_deref().unwrap_or("application/json");
        return Err(Fault::plain(format!(
            "0-length response with status code: {} and content type: {content_type}",
            reply.status
        )));
    }
    decoded(&String::from_utf8_lossy(&reply.body)).map_err(|e| Fault::plain(e.words))
}

/// JSON or YAML: the decoder takes both.
fn document(text: &str) -> Result<Node, Refused> {
    if !json::is_json(text) {
        return yaml::first(text);
    }
    let wrapped = "couldn't get version/kind; json parse error: ";
    json::read(text).map_err(|e| Refused { words: format!("{wrapped}{}", e.words), ..e })
}

fn decoded(text: &str) -> Result<Status, Refused> {
    let document = document(text)?;
    if !matches!(document.value, Value::Map(_)) {
        let kind = document.kind();
        return Err(Refused::new(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into Go \
             value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind \
             string \"json:\\\"kind,omitempty\\\"\" }}"
        )));
    }
    let text = |key: &str| document.get(key).and_then(Node::text).unwrap_or_default().to_owned();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if kind == "Status" && version == "v1" {
        // Whatever it says: the decoder wants to make a review of it, and cannot.
        return Err(Refused::new(format!(
            "converting (v1.Status) to (v1alpha1.{KIND}): unknown conversion"
        )));
    }
    let version = if version.is_empty() { API_VERSION.to_owned() } else { version };
    let kind = if kind.is_empty() { KIND.to_owned() } else { kind };
    if version != API_VERSION || kind != KIND {
        return Err(unknown(&kind, &version));
    }
    answer(&document)
}

fn unknown(kind: &str, version: &str) -> Refused {
    Refused::new(format!(
        "no kind {kind:?} is registered for version {version:?} in scheme \
         \"pkg/api/legacyscheme/scheme.go:30\""
    ))
}

fn answer(document: &Node) -> Result<Status, Refused> {
    let wrong = |node: &Node, field: &str, of: &str| {
        let kind = node.kind();
        Err(Refused::new(format!(
            "json: cannot unmarshal {kind} into Go struct field {field} of type {of}"
        )))
    };
    let mut status = Status::default();
    let Some(said) = document.get("status") else { return Ok(status) };
    match &said.value {
        Value::Map(_) | Value::Null => {}
        _ => return wrong(said, "ImageReview.status", "v1alpha1.ImageReviewStatus"),
    }
    match said.get("allowed") {
        None => {}
        Some(node) => match node.value {
            Value::Bool(allowed) => status.allowed = allowed,
            Value::Null => {}
            _ => return wrong(node, "ImageReviewStatus.status.allowed", "bool"),
        },
    }
    match said.get("reason") {
        None => {}
        Some(node) => match &node.value {
            Value::Text(reason) => status.reason.clone_from(reason),
            Value::Null => {}
            _ => return wrong(node, "ImageReviewStatus.status.reason", "string"),
        },
    }
    match said.get("auditAnnotations") {
        None => {}
        Some(node) => match &node.value {
            Value::Map(entries) => {
                for entry in entries {
                    let Some(value) = entry.node.text() else {
                        let field = "ImageReviewStatus.status.auditAnnotations";
                        return wrong(&entry.node, field, "string");
                    };
                    status.audit.insert(entry.key.clone(), value.to_owned());
                }
            }
            Value::Null => {}
            _ => {
                let field = "ImageReviewStatus.status.auditAnnotations";
                return wrong(node, field, "map[string]string");
            }
        },
    }
    Ok(status)
}

/// A body that is a `v1.Status` with `status: Failure`.
fn as_status(text: &str) -> Option<Fault> {
    let document = document(text).ok()?;
    let text = |key: &str| document.get(key).and_then(Node::text);
    let kind = text("kind").is_none_or(|kind| kind.is_empty() || kind == "Status");
    let version = text("apiVersion").is_none_or(|version| version.is_empty() || version == "v1");
    (kind && version && text("status") == Some("Failure")).then(|| status(&document))
}

fn status(document: &Node) -> Fault {
    let text = |key: &str| document.get(key).and_then(Node::text).unwrap_or_default();
    let code = match document.get("code").map(|node| &node.value) {
        Some(Value::Number(text)) => text.parse().ok(),
        _ => None,
    };
    let delay = document.at(&["details", "retryAfterSeconds"]).map(|node| &node.value);
    let delay = matches!(delay, Some(Value::Number(text)) if text.parse().unwrap_or(0) > 0);
    let (by_reason, again) = match text("reason") {
        "Forbidden" => (Some(403), false),
        "InternalError" => (Some(500), true),
        "ServerTimeout" => (Some(500), true),
        "Timeout" => (Some(504), true),
        "TooManyRequests" => (Some(429), true),
        "" | "Unknown" => (None, matches!(code, Some(500 | 504))),
        _ => (Some(0), false),
    };
    let again = again || delay || code == Some(429);
    let words = text("message").to_owned();
    let code = match by_reason {
        Some(403) => Some(403),
        Some(_) => code.filter(|c| *c != 403),
        None => code,
    };
    Fault { words, code, again }
}

/// `NewGenericServerResponse`: what is said of a status without an explanation.
fn unstructured(reply: &Reply, text: &str) -> Fault {
    let code = reply.status;
    let is_text = match reply.content_type.as_deref() {
        None | Some("") => true,
        Some(content_type) => media_type(content_type).is_some_and(|m| m.starts_with("text/")),
    };
    let mut end = text.len().min(2048);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let said = if is_text { text.get(..end).unwrap_or_default().trim() } else { "unknown" };
    let words = match code {
        409 => "the server reported a conflict".to_owned(),
        404 => "the server could not find the requested resource".to_owned(),
        400 => "the server rejected our request for an unknown reason".to_owned(),
        401 => "the server has asked for the client to provide credentials".to_owned(),
        403 | 415 => said.to_owned(),
        406 if said.is_empty() || said == "unknown" => {
            "the server was unable to respond with a content type that the client supports".into()
        }
        406 => said.to_owned(),
        405 => "the server does not allow this method on the requested resource".to_owned(),
        422 => "the server rejected our request due to an error in our request".to_owned(),
        503 => "the server is currently unable to handle the request".to_owned(),
        504 => "the server was unable to return a response in the time allotted, but may still be \
                processing the request"
            .to_owned(),
        429 => "the server has received too many requests and has asked us to try again later"
            .to_owned(),
        500.. => {
            let mut quoted = String::new();
            quote(said, &mut quoted);
            format!("an error on the server ({quoted}) has prevented the request from succeeding")
        }
        _ => format!(
            "the server responded with the status code {code} but did not return more information"
        ),
    };
    let delay = reply.retry_after.is_some_and(|seconds| seconds > 0);
    let again = delay || code == 429 || (code >= 500 && code != 503);
    Fault { words, code: Some(code), again }
}

/// The media type in lower case; `None`: it is none.
fn media_type(text: &str) -> Option<String> {
    let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |t: &str| {
        !t.is_empty()
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    let good = match media.split_once('/') {
        Some((a, b)) => token(a) && token(b),
        None => token(&media),
    };
    good.then_some(media)
}
