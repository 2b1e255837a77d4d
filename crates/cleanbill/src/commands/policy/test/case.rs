//! One case: what is asked, what was found, and what has to come of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::asked::{Asked, Pod};
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{self, Outcome, Registered, Request, refuse_by_name};
use sha2::{Digest as _, Sha256};

use super::facts::{self, Facts};
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::Reader;

/// Every key of a case.
pub(super) const CASE_KEYS: [&str; 7] =
    ["name", "now", "request", "evidence", "expect", "rules", "warnings"];

/// Every key of a request.
pub(super) const REQUEST_KEYS: [&str; 7] =
    ["images", "namespace", "annotations", "user", "groups", "labels", "service_account"];

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) now: Timestamp,
    pub(super) images: Vec<String>,
    pub(super) asked: Asked,
    /// What was found in each image; `None`: it could not be examined.
    pub(super) facts: Option<Facts>,
    pub(super) expect: &'static str,
    pub(super) rules: Option<Vec<String>>,
    pub(super) warnings: Option<Vec<String>>,
}

impl Case {
    /// What the judge is given under this policy, just as the gate would.
    pub(super) fn question(&self, policy: &Policy) -> (Request, Vec<verdict::Case>) {
        let fingerprint = Digest::Sha256(Sha256::digest(self.name.as_bytes()).into());
        let asked = self.asked.clone();
        let request = Request { asked, ..Request::new(fingerprint, self.images.clone()) };
        let outcome = |image: &String| self.outcome(image, policy);
        let cases = self.images.iter().map(|i| verdict::Case::new(i.clone(), outcome(i)));
        (request, cases.collect())
    }

    fn outcome(&self, image: &str, policy: &Policy) -> Outcome {
        let reference: ImageRef = match image.parse() {
            Ok(reference) => reference,
            Err(e) => return Outcome::NoReference(format!("{e}")),
        };
        if refuse_by_name(&reference, policy).is_some() {
            return Outcome::NameRefused(reference);
        }
        let Some(facts) = &self.facts else {
            return Outcome::Failed("the case has no evidence".into());
        };
        let evidence = Arc::new(facts.evidence(&reference, self.now));
        if policy.is_local(&reference) {
            let (digest, node) = (evidence.resolved, "node-1".to_owned());
            return Outcome::Registered(vec![Registered {
                digest,
                node,
                evidence: Some(evidence),
            }]);
        }
        Outcome::Examined(evidence)
    }
}

/// Reads a case; `now` where it names no time.
pub(super) fn read(reader: &mut Reader<'_>, node: &Placed, now: Timestamp) -> Option<Case> {
    let (mut name, mut expect, mut request, mut found) = (None, None, None, None);
    let (mut time, mut rules, mut warnings) = (now, None, None);
    let before = reader.problems.len();
    let entries = reader.entries(node, "a case", &CASE_KEYS);
    let hint = "a case has a name, a request and what to expect of it";
    reader.demand("the case", node, &entries, &["name", "request", "expect"], hint);
    for (key, value) in entries {
        match key {
            "name" => name = reader.text(key, value),
            "now" => time = facts::time(reader, key, value).unwrap_or(now),
            "request" => request = Some(asked(reader, value)),
            "evidence" => found = Some(facts::read(reader, value)),
            "expect" => {
                let words = ["allowed", "denied", "undecided"].map(|w| (w, w));
                expect = reader.word(key, value, &words);
            }
            "rules" => rules = Some(texts(reader, key, value)),
            _ => warnings = Some(texts(reader, key, value)),
        }
    }
    if reader.problems.len() > before {
        return None;
    }
    let (images, asked) = request?;
    let facts = found;
    Some(Case { name: name?, now: time, images, asked, facts, expect: expect?, rules, warnings })
}

fn asked(reader: &mut Reader<'_>, node: &Placed) -> (Vec<String>, Asked) {
    let (mut images, mut asked, mut pod) = (Vec::new(), Asked::default(), None);
    asked.namespace = "default".into();
    let entries = reader.entries(node, "\"request\"", &REQUEST_KEYS);
    reader.demand("the request", node, &entries, &["images"], "name the images of the pod");
    for (key, value) in entries {
        let told = || Pod { service_account: "default".into(), ..Pod::default() };
        match key {
            "images" => images = reader.texts(key, value),
            "namespace" => asked.namespace = reader.text(key, value).unwrap_or_default(),
            "annotations" => asked.annotations = map(reader, key, value),
            "user" => {
                pod.get_or_insert_with(told).user = reader.text(key, value).unwrap_or_default();
            }
            "groups" => pod.get_or_insert_with(told).groups = texts(reader, key, value),
            "labels" => pod.get_or_insert_with(told).labels = map(reader, key, value),
            // `entries` gives none but the known keys.
            _ => {
                let account = reader.text(key, value).unwrap_or_default();
                pod.get_or_insert_with(told).service_account = account;
            }
        }
    }
    asked.pod = pod;
    (images, asked)
}

/// A list of texts, which may be empty.
fn texts(reader: &mut Reader<'_>, key: &str, node: &Placed) -> Vec<String> {
    let list = reader.list(key, node);
    list.iter().filter_map(|entry| reader.text(key, entry)).collect()
}

fn map(reader: &mut Reader<'_>, key: &str, node: &Placed) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    let Node::Map(entries) = &node.value else {
        reader.wrong_type(key, node, "a mapping");
        return map;
    };
    for (name, value) in entries {
        let (Some(name), Some(value)) = (reader.text(key, name), reader.text(key, value)) else {
            continue;
        };
        map.insert(name, value);
    }
    map
}
