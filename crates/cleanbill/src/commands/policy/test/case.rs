//! One case: what is asked, what was found, and what has to come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::asked::{Asked, Pod};
use cleanbill_core::digest::Digest;
use cleanbill_core::grant::Grant;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::policy::{IssuerKey, Policy};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{self, Earlier, Outcome, Registered, Request, refuse_by_name};
use sha2::{Digest as _, Sha256};

use super::circumstances::{self, Before, Registration};
use super::facts;
use super::found::{self, Looker, Source};
use crate::failure::Result;
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::Reader;
use crate::serve::live::Rules;
use crate::serve::question::TOKEN;

/// Every key of a case.
pub(super) const CASE_KEYS: [&str; 11] = [
    "name",
    "now",
    "request",
    "evidence",
    "registered",
    "opinions",
    "token_keys",
    "earlier",
    "expect",
    "rules",
    "warnings",
];

/// Every key of a request.
pub(super) const REQUEST_KEYS: [&str; 8] =
    ["images", "namespace", "annotations", "token", "user", "groups", "labels", "service_account"];

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) now: Timestamp,
    pub(super) images: Vec<String>,
    pub(super) asked: Asked,
    /// What was found in each image; `None`: it could not be examined.
    pub(super) source: Option<Source>,
    /// What is registered; `None`: each local image, once, with what was found.
    pub(super) registered: Option<Vec<Registration>>,
    pub(super) opinions: Vec<Opinion>,
    /// Keys whose tokens count besides those of the policy.
    pub(super) token_keys: Vec<IssuerKey>,
    pub(super) earlier: Option<Before>,
    pub(super) expect: &'static str,
    pub(super) rules: Option<Vec<String>>,
    pub(super) warnings: Option<Vec<String>>,
}

/// What the judge is given, just as the gate would.
pub(super) struct Asking {
    pub(super) policy: Policy,
    pub(super) request: Request,
    pub(super) cases: Vec<verdict::Case>,
    /// Why a break-glass token was not accepted.
    pub(super) token_refused: Option<String>,
}

impl Case {
    /// What the judge is given under this policy.
    pub(super) fn asking(&self, policy: &Policy, looker: &Looker<'_>) -> Result<Asking> {
        let mut policy = policy.clone();
        policy.break_glass.keys.extend(self.token_keys.iter().cloned());
        let fingerprint = Digest::Sha256(Sha256::digest(self.name.as_bytes()).into());
        let (images, asked) = (self.images.clone(), self.asked.clone());
        let (grants, token_refused) = self.grants(&policy)?;
        let mut cases: Vec<verdict::Case> = Vec::new();
        for image in &self.images {
            if cases.iter().any(|case| case.image == *image) {
                continue;
            }
            let outcome = self.outcome(image, &policy, looker)?;
            let opinions = if one_digest(&outcome) { self.opinions.clone() } else { Vec::new() };
            cases.push(verdict::Case { image: image.clone(), outcome, opinions });
        }
        let earlier = self.earlier.as_ref().map(|before| Earlier {
            decision: "an earlier one".into(),
            at: before.at,
            images: before.images.clone().unwrap_or_else(|| digests(&cases)),
        });
        let request =
            Request { fingerprint, images, asked, grants, earlier, pinned: BTreeSet::new() };
        Ok(Asking { policy, request, cases, token_refused })
    }

    /// The grant of the token that came with the request, its signature verified as by the gate.
    fn grants(&self, policy: &Policy) -> Result<(Vec<Grant>, Option<String>)> {
        let Some(token) = self.asked.annotations.get(TOKEN) else { return Ok((Vec::new(), None)) };
        Ok(match Rules::new(policy.clone(), self.now)?.verify(token) {
            Ok(grant) => (vec![grant], None),
            Err(why) => (Vec::new(), Some(why)),
        })
    }

    fn outcome(&self, image: &str, policy: &Policy, looker: &Looker<'_>) -> Result<Outcome> {
        let reference: ImageRef = match image.parse() {
            Ok(reference) => reference,
            Err(e) => return Ok(Outcome::NoReference(format!("{e}"))),
        };
        if refuse_by_name(&reference, policy).is_some() {
            return Ok(Outcome::NameRefused(reference));
        }
        if policy.is_local(&reference) {
            return self.local(&reference, looker);
        }
        let Some(source) = &self.source else {
            return Ok(Outcome::Failed("the case has no evidence".into()));
        };
        Ok(match looker.evidence(source, &reference, self.now)? {
            Ok(evidence) => Outcome::Examined(Arc::new(evidence)),
            Err(why) => Outcome::Failed(why),
        })
    }

    /// What is registered under the name: as the case says, else what was found, once.
    fn local(&self, name: &ImageRef, looker: &Looker<'_>) -> Result<Outcome> {
        let same = |r: &&Registration| r.name.name() == name.name() && r.name.tag() == name.tag();
        let made = |node: &str| Digest::Sha256(Sha256::digest(format!("{name} {node}")).into());
        let implied = self.source.as_ref().filter(|_| self.registered.is_none());
        let implied = implied.map(|source| {
            // What the case says of it is about the bytes that the pod names.
            (Some(source), name.digest().copied().filter(|_| source.is_said()), "any")
        });
        let said = self.registered.iter().flatten().filter(same);
        let said = said.map(|r| (r.source.as_ref(), r.digest, r.node.as_str()));
        let mut all = Vec::new();
        for (source, digest, node) in implied.into_iter().chain(said) {
            let own = digest.unwrap_or_else(|| made(node));
            let evidence = match source {
                Some(source) => match looker.registered(source, name, own, self.now)? {
                    Ok(evidence) => Some(Arc::new(evidence)),
                    Err(why) => return Ok(Outcome::Failed(why)),
                },
                None => None,
            };
            let found = evidence.as_ref().map(|e| e.resolved);
            let digest = digest.or(found).unwrap_or(own);
            all.push(Registered { digest, node: node.to_owned(), evidence });
        }
        Ok(Outcome::Registered(all))
    }
}

/// Whether others can be told which bytes they are asked about: nobody else is asked.
fn one_digest(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Examined(_) => true,
        Outcome::Registered(all) => all.len() == 1,
        Outcome::NameRefused(_) | Outcome::NoReference(_) | Outcome::Failed(_) => false,
    }
}

/// The images with the digests that they stand for, as far as those are known.
fn digests(cases: &[verdict::Case]) -> Vec<(String, Digest)> {
    let known = |case: &verdict::Case| match &case.outcome {
        Outcome::Examined(evidence) => vec![evidence.resolved],
        Outcome::Registered(all) => all.iter().map(|r| r.digest).collect(),
        Outcome::NameRefused(name) => name.digest().copied().into_iter().collect(),
        Outcome::NoReference(_) | Outcome::Failed(_) => Vec::new(),
    };
    let pairs = |case| known(case).into_iter().map(|d| (case.image.clone(), d)).collect::<Vec<_>>();
    cases.iter().flat_map(pairs).collect()
}

/// Reads a case; `now` where it names no time, and paths relative to the folder.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Placed,
    now: Timestamp,
    folder: &Path,
) -> Option<Case> {
    let (mut name, mut expect, mut request, mut source) = (None, None, None, None);
    let (mut time, mut rules, mut warnings) = (now, None, None);
    let (mut registered, mut earlier) = (None, None);
    let (mut opinions, mut token_keys) = (Vec::new(), Vec::new());
    let before = reader.problems.len();
    let entries = reader.entries(node, "a case", &CASE_KEYS);
    let hint = "a case has a name, a request and what to expect of it";
    reader.demand("the case", node, &entries, &["name", "request", "expect"], hint);
    for (key, value) in entries {
        match key {
            "name" => name = reader.text(key, value),
            "now" => time = facts::time(reader, key, value).unwrap_or(now),
            "request" => request = Some(asked(reader, value)),
            "evidence" => source = found::read(reader, value, folder),
            "registered" => {
                registered = Some(circumstances::registered(reader, key, value, folder));
            }
            "opinions" => opinions = circumstances::opinions(reader, key, value),
            "token_keys" => token_keys = circumstances::keys(reader, key, value),
            "earlier" => earlier = circumstances::earlier(reader, value),
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
    Some(Case {
        name: name?,
        now: time,
        images,
        asked,
        source,
        registered,
        opinions,
        token_keys,
        earlier,
        expect: expect?,
        rules,
        warnings,
    })
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
            "annotations" => asked.annotations.extend(map(reader, key, value)),
            "token" => {
                let token = reader.text(key, value).unwrap_or_default();
                asked.annotations.insert(TOKEN.to_owned(), token);
            }
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
