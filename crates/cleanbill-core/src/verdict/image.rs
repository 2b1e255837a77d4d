//! One image: every rule that it does not meet.

use std::borrow::Cow;

use super::reason::{Leaned, Noted, Reason};
use super::rules::At;
use super::{Case, Outcome, Request};
use crate::clock::Clock;
use crate::digest::Digest;
use crate::policy::{Action, Policy};
use crate::reference::ImageRef;

/// What is known of one image once all its cases were judged.
#[derive(Default)]
pub(super) struct Judged {
    /// The bytes that the name stands for, each digest once; empty where nobody knows.
    pub(super) digests: Vec<Digest>,
    pub(super) reasons: Vec<Reason>,
    pub(super) undecided: Vec<String>,
    pub(super) noted: Vec<Noted>,
    pub(super) leaned: Vec<Leaned>,
    /// The digest that the answer has to pin the name to, since it was judged as one that does
    /// not move.
    pub(super) pin: Option<Digest>,
}

/// Whether the policy refuses the image by its name alone, before anything is contacted.
pub fn refuse_by_name(reference: &ImageRef, policy: &Policy) -> Option<Reason> {
    match &policy.allowed {
        Some(allowed)
            if policy.action == Action::Enforce
                && !policy.is_local(reference)
                && !allowed.iter().any(|p| p.matches(reference)) =>
        {
            Some(Reason::NameNotAllowed { allowed: allowed.clone() })
        }
        _ => None,
    }
}

/// Judges all cases of one image.
pub(super) fn judge<'c>(
    image: &str,
    cases: impl Iterator<Item = &'c Case> + Clone,
    request: &Request,
    policy: &Policy,
    clock: &Clock,
) -> Judged {
    let mut judged = Judged::default();
    let asked = name(image, cases.clone());
    let mut cases_seen = 0_usize;
    for case in cases {
        cases_seen += 1;
        match (&case.outcome, asked.as_deref()) {
            (Outcome::Failed(why), _) => judged.undecided.push(why.clone()),
            (Outcome::NoReference(why), _) => {
                judged.reasons.push(Reason::NoReference(why.clone()));
            }
            (Outcome::NameRefused(reference), _) => {
                let refused = refuse_by_name(reference, policy);
                judged.reasons.push(refused.unwrap_or(Reason::WrongEvidence));
            }
            (Outcome::Examined(evidence), Some(asked)) if !policy.is_local(asked) => {
                let fits = asked.digest().is_none_or(|d| *d == evidence.resolved);
                if judged.digests.first().is_some_and(|d| *d != evidence.resolved) || !fits {
                    judged.reasons.push(Reason::WrongEvidence);
                    continue;
                }
                judged.digests = vec![evidence.resolved];
                let at = At { image, asked, request, policy, clock, opinions: &case.opinions };
                at.examined(evidence, &mut judged);
            }
            (Outcome::Registered(all), Some(asked)) if policy.is_local(asked) => {
                let at = At { image, asked, request, policy, clock, opinions: &case.opinions };
                at.registered(all, &mut judged);
            }
            // Evidence under a name that is none, a registry's answer for an image that no
            // registry has, or the other way round.
            (Outcome::Examined(_) | Outcome::Registered(_), _) => {
                judged.reasons.push(Reason::WrongEvidence);
            }
        }
    }
    if cases_seen == 0 {
        judged.undecided.push("it was not examined".to_owned());
    }
    if judged.digests.is_empty()
        && let Some(digest) = asked.as_deref().and_then(ImageRef::digest)
    {
        // Nothing was read, but the name says which bytes are meant.
        judged.digests.push(*digest);
        if judged.reasons.is_empty() && judged.undecided.is_empty() {
            judged.undecided.push("it was not examined".to_owned());
        }
    }
    judged
}

/// The image's name, if it is one. Evidence of an image that is named in the same words has it
/// already; it is read from the question's text otherwise.
fn name<'c>(image: &str, cases: impl Iterator<Item = &'c Case>) -> Option<Cow<'c, ImageRef>> {
    let mut references = cases.filter_map(|case| match &case.outcome {
        Outcome::Examined(evidence) => Some(&evidence.reference),
        Outcome::NameRefused(reference) => Some(reference),
        Outcome::Registered(_) | Outcome::NoReference(_) | Outcome::Failed(_) => None,
    });
    let same = references.find(|reference| reference.reads_as(image));
    same.map(Cow::Borrowed).or_else(|| image.parse().ok().map(Cow::Owned))
}

/// Lets break-glass get past what stands in the way, if it holds for each digest of the image.
pub(super) fn break_glass(
    image: &str,
    judged: &mut Judged,
    request: &Request,
    policy: &Policy,
    clock: &Clock,
) {
    let stands = !judged.reasons.is_empty() || !judged.undecided.is_empty();
    if !stands || judged.digests.is_empty() || judged.reasons.iter().any(Reason::is_final) {
        return;
    }
    let glass = &policy.break_glass;
    let namespace = &request.asked.namespace;
    // A token is for bytes. Under a name that may stand for other bytes by the time a node pulls
    // it, it is worth as much as the policy gives for such names.
    let moves = judged.reasons.iter().any(Reason::is_about_moving);
    let grant = request.grants.iter().filter(|_| !moves).find(|grant| {
        glass.keys.iter().any(|key| key.id == grant.key_id)
            && judged.digests.iter().all(|d| grant.covers(namespace, d, clock.now()).is_ok())
    });
    let user = request.asked.pod.as_ref().filter(|pod| {
        glass.users.contains(&pod.user) || pod.groups.iter().any(|g| glass.groups.contains(g))
    });
    let image = image.to_owned();
    let leaned = match (grant, user) {
        (Some(grant), _) => {
            let past = std::mem::take(&mut judged.reasons);
            Leaned::Grant { image, grant: grant.clone(), past }
        }
        (None, Some(pod)) => {
            let past = std::mem::take(&mut judged.reasons);
            Leaned::User { image, user: pod.user.clone(), past }
        }
        (None, None) => return,
    };
    judged.undecided.clear();
    judged.leaned.push(leaned);
}
