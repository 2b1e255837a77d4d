//! What a row of the table may hold.
//!
//! Images are written short: `NAME` is `registry.example/NAME@` with the digest of [`crate::world`],
//! `NAME:TAG` is `registry.example/NAME:TAG`, and `=TEXT` is the text itself. In texts `{NAME}` and
//! `{NAME:TAG}` stand for the same, and `{NAME#}` for the digest.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::world;

/// One request, what is known, and what has to come back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What it is about; unique.
    pub row: String,
    /// The policy as an operator writes it.
    #[serde(default)]
    pub policy: String,
    /// The images asked about.
    #[serde(default)]
    pub images: Vec<String>,
    #[serde(default = "default_namespace")]
    pub namespace: String,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// The body as it is, letter by letter, instead of the images.
    pub body: Option<String>,
    /// The `imagePullPolicy` of the containers, which an `ImageReview` does not tell; by default
    /// `Never`. Empty: none.
    pub pull: Option<String>,
    /// A break-glass token to send along.
    pub token: Option<Token>,
    /// The time; by default [`world::NOW`].
    pub now: Option<String>,
    /// Who else is asked: the checker's name and what it prints.
    #[serde(default)]
    pub checkers: BTreeMap<String, String>,
    /// What is registered.
    #[serde(default)]
    pub registered: Vec<Registered>,
    /// An earlier decision.
    pub admitted: Option<Admitted>,
    /// `when_unexamined: fail`.
    #[serde(default)]
    pub fail: bool,
    /// The budget in milliseconds.
    pub budget: Option<u64>,
    /// Asked by one interface only; by default by all three, with the same answer.
    pub only: Option<Only>,
    /// What is different in the `AdmissionReview`'s request: a JSON merge patch of it, with images
    /// written short after `image:` and `reference:`.
    pub request: Option<serde_json::Value>,
    /// Warnings, where the interface has a place for them.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub want: Want,
    /// What the mutating webhook answers, where that is something else: it pins what it allows.
    pub mutate: Option<Want>,
}

/// What has to come back. `reason` is without the decision's id at its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Want {
    /// `allowed`, `denied`, `undecided`, `malformed`, or `foreign` (an HTTP 400).
    pub outcome: String,
    #[serde(default)]
    pub reason: String,
    /// The images whose digests are in the audit annotations.
    #[serde(default)]
    pub digests: Vec<String>,
    /// The images whose evidence was used: only then the advisories are named.
    pub examined: Option<bool>,
    pub snapshot_date: Option<String>,
    /// Nothing that was used has a date, so none is told.
    #[serde(default)]
    pub undated: bool,
    /// There is nothing to judge, since so.
    pub nothing: Option<String>,
    /// What a mutating webhook pins: pointers to images by tag. By default every `NAME:TAG` among
    /// the images of a row that is allowed.
    pub patch: Option<BTreeMap<String, String>>,
    /// Warnings, where they are not the row's.
    pub warnings: Option<Vec<String>>,
    pub noted: Option<String>,
    pub let_in_by: Option<String>,
}

/// One interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Only {
    ImageReview,
    Admission,
    Mutate,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The images it is for.
    #[serde(default)]
    pub images: Vec<String>,
    #[serde(default = "default_namespace")]
    pub namespace: String,
    #[serde(default = "token_from")]
    pub from: String,
    #[serde(default = "token_until")]
    pub until: String,
    /// Signed by a key that the policy does not name.
    #[serde(default)]
    pub other_key: bool,
    /// The token itself, instead of all that.
    pub text: Option<String>,
    /// Letters to add at its end.
    #[serde(default)]
    pub padded: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// Under which name.
    pub name: String,
    /// The image of the world that it is.
    pub image: String,
    pub node: String,
    /// Whether it was examined when it was registered.
    #[serde(default)]
    pub examined: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    pub images: Vec<String>,
    #[serde(default = "default_namespace")]
    pub namespace: String,
    pub at: String,
}

fn default_namespace() -> String {
    "default".into()
}

fn token_from() -> String {
    "2026-08-30T11:00:00Z".into()
}

fn token_until() -> String {
    "2026-08-30T13:00:00Z".into()
}

/// An image as the question writes it.
pub fn image(short: &str) -> String {
    if let Some(written) = short.strip_prefix('=') {
        return text(written);
    }
    match short.split_once(':') {
        Some(_) => format!("registry.example/{short}"),
        None => format!("registry.example/{short}@{}", world::digest(short)),
    }
}

/// A text with its placeholders filled in.
pub fn text(written: &str) -> String {
    let mut filled = String::new();
    let mut rest = written.trim_end();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        match name.strip_suffix('#') {
            Some(name) => filled.push_str(&world::digest(name).to_string()),
            // Escapes in answers look like this too.
            None if before.ends_with("\\u") => filled.push_str(&format!("{{{name}}}")),
            None => filled.push_str(&image(name)),
        }
        rest = after;
    }
    filled + rest
}

/// All rows, in the order of the files' names.
pub fn all() -> Vec<Row> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/requests/rows");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let rows = files.into_iter().flat_map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let rows: Vec<Row> =
            serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        rows
    });
    rows.collect()
}
