//! What the API server reads.
//!
//! It takes an answer only with the request's `uid`, our `apiVersion` and `kind`, a patch with
//! its type or neither, and none at all from a validating webhook. `allowed` is a private field
//! that only [`Answer::allowed`] sets, which wants a [`Proof`].

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_core::verdict::Allowed;
use serde::Serialize;

use super::pin::{Operation, pins_all};
use super::places::{Nothing, Place};
use super::{API_VERSION, KIND};

/// Characters of one warning; the API server cuts there once all are too long.
const WARNING_CHARS: usize = 256;
/// Bytes of all warnings.
const WARNINGS_BYTES: usize = 4096;
/// Bytes of one audit annotation.
const NOTE_BYTES: usize = 2048;

/// What an answer "allowed" rests on.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// A spent permit: every image was judged. With the places where they stand in the request,
    /// since the permit may hold only for an answer that pins them there.
    Judged(&'a Allowed, &'a [Place]),
    /// There is nothing to judge.
    Nothing(&'a Nothing),
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    api_version: &'static str,
    kind: &'static str,
    response: Response,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Status {
    code: u16,
    reason: &'static str,
    message: String,
}

impl Answer {
    /// "Allowed". An empty patch is none; a validating webhook has to give an empty one.
    ///
    /// A proof that there is nothing to judge is good for its own request only, and what was
    /// allowed since it is pinned needs those pins in the patch; else the answer is a denial.
    pub fn allowed(
        proof: Proof<'_>,
        uid: &str,
        warnings: Warnings,
        notes: BTreeMap<&'static str, String>,
        patch: &[Operation],
    ) -> Self {
        let good = match proof {
            Proof::Judged(allowed, places) => pins_all(places, patch, allowed.pins()),
            Proof::Nothing(nothing) => nothing.is_for(uid),
        };
        // Texts in a list of texts: writing them cannot fail; if it did, nothing would be pinned.
        let (true, Ok(written)) = (good, serde_json::to_vec(patch)) else {
            return Self::refused(uid, "Not judged: an internal error.".into(), warnings, notes);
        };
        let mut answer = Self::new(uid, warnings, notes);
        if !patch.is_empty() {
            answer.response.patch = Some(STANDARD.encode(written));
            answer.response.patch_type = Some("JSONPatch");
        }
        answer.response.allowed = true;
        answer
    }

    /// "Not allowed", with what the user reads behind `admission webhook "…" denied the request: `.
    pub fn refused(
        uid: &str,
        message: String,
        warnings: Warnings,
        notes: BTreeMap<&'static str, String>,
    ) -> Self {
        let mut answer = Self::new(uid, warnings, notes);
        answer.response.status = Some(Status { code: 403, reason: "Forbidden", message });
        answer
    }

    fn new(uid: &str, warnings: Warnings, mut notes: BTreeMap<&'static str, String>) -> Self {
        notes.retain(|key, _| valid_key(key));
        for value in notes.values_mut() {
            if value.len() > NOTE_BYTES {
                let end = (0..=NOTE_BYTES - 8).rev().find(|at| value.is_char_boundary(*at));
                value.truncate(end.unwrap_or(0));
                value.push('…');
            }
        }
        let response = Response {
            uid: uid.to_owned(),
            allowed: false,
            status: None,
            patch: None,
            patch_type: None,
            audit_annotations: notes,
            warnings: warnings.finish(),
        };
        Self { api_version: API_VERSION, kind: KIND, response }
    }

    /// Whether it says "allowed".
    pub fn is_allowed(&self) -> bool {
        self.response.allowed
    }

    /// What the user reads; empty where it is allowed.
    pub fn reason(&self) -> &str {
        self.response.status.as_ref().map_or("", |status| &status.message)
    }

    /// The body of the response.
    pub fn body(&self) -> Vec<u8> {
        // An empty body is an error to the API server, never "allowed".
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What the API server takes for the name part of an annotation's key; it puts the webhook's
/// name before it. Anything else it would drop.
fn valid_key(key: &str) -> bool {
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    key.len() <= 63
        && ends(key.bytes().next())
        && ends(key.bytes().last())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// What kubectl shows beside its result: one line each, each once, within what the API server
/// passes on uncut.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    lines: Vec<String>,
    more: usize,
}

impl Warnings {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds one. Control characters become spaces; the end of a long one is cut.
    #[must_use]
    pub fn with(mut self, text: &str) -> Self {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut line: String = line.trim().to_owned();
        if line.chars().count() > WARNING_CHARS {
            line = line.chars().take(WARNING_CHARS - 1).chain(['…']).collect();
        }
        if line.is_empty() || self.lines.contains(&line) {
            return self;
        }
        let taken: usize = self.lines.iter().map(String::len).sum();
        // Room is left for the line that says how many were left out.
        if self.more > 0 || taken + line.len() > WARNINGS_BYTES - 64 {
            self.more += 1;
        } else {
            self.lines.push(line);
        }
        self
    }

    fn finish(mut self) -> Vec<String> {
        match self.more {
            0 => {}
            1 => self.lines.push("one more warning was left out".into()),
            n => self.lines.push(format!("{n} more warnings were left out")),
        }
        self.lines
    }
}
