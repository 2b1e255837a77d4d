//! Judges a recorded decision again, from what was recorded of it and nothing else.
//!
//! Must not guess: what was not examined then, or is not kept now, makes no answer but a gap.

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::Policy;
use cleanbill_core::verdict::{Case, Outcome, Reason, Request, Verdict, decide, refuse_by_name};

use crate::failure::{Failure, Result};
use crate::serve::question::Question;
use crate::serve::trace::Trace;
use crate::store::{Decision, Store};

/// What comes of judging again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// An answer.
    Judged {
        /// `allowed`, `denied` or `undecided`.
        outcome: &'static str,
        /// The rules that refuse, with the image each; sorted.
        rules: Vec<(String, String)>,
    },
    /// None can be given, and why.
    Gap(String),
}

/// Evidence that is remembered; past it, it is read again.
const REMEMBERED: usize = 256;

/// Judges by one store's record.
pub struct Rejudge<'a> {
    store: &'a Store,
    evidence: HashMap<Digest, Arc<Evidence>>,
}

impl<'a> Rejudge<'a> {
    /// By this record.
    pub fn new(store: &'a Store) -> Self {
        Self { store, evidence: HashMap::new() }
    }

    /// The policy by which a decision was made, where it is kept.
    ///
    /// # Errors
    /// When the store cannot be read, or the policy in it not be understood.
    pub fn policy(&self, digest: &Digest) -> Result<Option<Policy>> {
        let Some(text) = self.store.policy(digest)? else { return Ok(None) };
        let policy = serde_json::from_str(&text)
            .map_err(|e| Failure::new(format!("the policy {digest} cannot be understood: {e}")))?;
        Ok(Some(policy))
    }

    /// Judges the decision by this policy, at the time at which it was judged.
    ///
    /// # Errors
    /// When the store cannot be read, or what is in it is damaged.
    pub fn judge(&mut self, decision: &Decision, policy: &Policy) -> Result<Again> {
        let gap = |why: &str| Ok(Again::Gap(why.to_owned()));
        let Some(question) = &decision.question else {
            return gap("the question could not be read");
        };
        if decision.trace.is_empty() {
            return gap("it is of before traces were recorded");
        }
        let Ok(question) = serde_json::from_str::<Question>(question) else {
            return gap("its question is written in another way than this version knows");
        };
        let Ok(trace) = serde_json::from_str::<Trace>(&decision.trace) else {
            return gap("its trace is written in another way than this version knows");
        };
        for digest in &decision.evidence {
            if let Some(why) = self.load(digest)? {
                return Ok(Again::Gap(why));
            }
        }
        let cases = match trace.cases(|digest| self.evidence.get(digest).cloned()) {
            Ok(cases) => cases,
            Err(digest) => return Ok(Again::Gap(format!("the evidence {digest} is not kept"))),
        };
        if let Some(why) = cases.iter().find_map(|case| unknown(case, policy)) {
            return Ok(Again::Gap(why));
        }
        let request = Request {
            fingerprint: question.fingerprint(),
            images: question.images,
            asked: question.asked,
            grants: trace.grants,
            earlier: trace.earlier,
        };
        let named = |refused: &[(String, Vec<Reason>)]| {
            let mut rules: Vec<(String, String)> = refused
                .iter()
                .flat_map(|(image, all)| all.iter().map(|r| (image.clone(), r.rule().to_owned())))
                .collect();
            rules.sort();
            rules.dedup();
            rules
        };
        Ok(match decide(&request, &cases, policy, decision.judged_at).verdict {
            Verdict::Allow(_) => Again::Judged { outcome: "allowed", rules: Vec::new() },
            Verdict::Deny(denial) => {
                Again::Judged { outcome: "denied", rules: named(&denial.refused) }
            }
            Verdict::Undecided(_) if decision.outcome != "undecided" => {
                Again::Gap("an image was not examined then".into())
            }
            Verdict::Undecided(denial) => {
                Again::Judged { outcome: "undecided", rules: named(&denial.refused) }
            }
        })
    }

    /// Reads evidence, unless it is at hand. Says why it cannot be had.
    fn load(&mut self, digest: &Digest) -> Result<Option<String>> {
        if self.evidence.contains_key(digest) {
            return Ok(None);
        }
        let Some(json) = self.store.evidence(digest)? else {
            return Ok(Some(format!("the evidence {digest} is not kept")));
        };
        let Ok(evidence) = serde_json::from_slice::<Evidence>(&json) else {
            return Ok(Some(format!("the evidence {digest} is of another version")));
        };
        if self.evidence.len() >= REMEMBERED {
            self.evidence.clear();
        }
        self.evidence.insert(*digest, Arc::new(evidence));
        Ok(None)
    }
}

/// Why a case does not say what this policy would have asked about its image.
fn unknown(case: &Case, policy: &Policy) -> Option<String> {
    let local = case.image.parse().is_ok_and(|reference| policy.is_local(&reference));
    match &case.outcome {
        Outcome::NameRefused(reference) if refuse_by_name(reference, policy).is_none() => {
            Some(format!("{} was refused by its name and not examined", case.image))
        }
        Outcome::Examined(_) if local => {
            Some(format!("no registration was looked up for {}", case.image))
        }
        Outcome::Registered(_) if !local => {
            Some(format!("no registry was asked about {}", case.image))
        }
        Outcome::NameRefused(_)
        | Outcome::Examined(_)
        | Outcome::Registered(_)
        | Outcome::NoReference(_)
        | Outcome::Failed(_) => None,
    }
}
