//! The answer to "may this run?", and the only value that can say yes.
//!
//! [`decide`] is pure: the same request, evidence, policy and time give the same judgement, so a
//! decision can be replayed. [`Permit`] has no constructor outside this file, cannot be copied,
//! and is consumed by the one answer that it allows; so a path that fails, times out or panics
//! has nothing to say "allowed" with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::asked::Asked;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::grant::Grant;
use crate::opinion::Opinion;
use crate::policy::{Policy, today};
use crate::reference::ImageRef;
use crate::{Date, Timestamp};

mod image;
mod reason;
mod rules;

pub use image::refuse_by_name;
pub use reason::{Denial, Earlier, Leaned, Noted, Reason};

/// What was asked: the images of one pod, and a digest of the whole question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Digest of the canonical question. A permit for another question is worth nothing.
    pub fingerprint: Digest,
    /// The images as the question writes them, in order, duplicates kept.
    pub images: Vec<String>,
    /// For whom and where.
    pub asked: Asked,
    /// Break-glass tokens that came with it and whose signatures held under keys of the policy.
    pub grants: Vec<Grant>,
    /// An earlier decision that allowed the same images in this namespace, if there is one.
    pub earlier: Option<Earlier>,
    /// The images whose names the answer, if it allows, replaces by the same with the digest that
    /// was judged: a tag among them does not move. What is allowed on that ground is in
    /// [`Allowed::pins`], and an answer without those pins must not say "allowed".
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned: BTreeSet<String>,
}

impl Request {
    /// A request for these images without circumstances.
    pub fn new(fingerprint: Digest, images: Vec<String>) -> Self {
        Self {
            fingerprint,
            images,
            asked: Asked::default(),
            grants: Vec::new(),
            earlier: None,
            pinned: BTreeSet::new(),
        }
    }
}

/// What is known about one image of a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// The image as the question writes it.
    pub image: String,
    /// How far we came with it.
    pub outcome: Outcome,
    /// What others say about it.
    pub opinions: Vec<Opinion>,
}

impl Case {
    /// A case on which nobody else was asked.
    pub fn new(image: impl Into<String>, outcome: Outcome) -> Self {
        Self { image: image.into(), outcome, opinions: Vec::new() }
    }
}

/// How far the examination of one image came.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was examined.
    Examined(Arc<Evidence>),
    /// The name stands for images on nodes: all that is registered under it.
    Registered(Vec<Registered>),
    /// The policy's rules on the name refused it, so it was never contacted.
    NameRefused(ImageRef),
    /// The text is no image name.
    NoReference(String),
    /// It could not be examined: a sentence fit to be shown to whoever asked.
    Failed(String),
}

/// What a registration says, and what is known about the image it speaks of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registered {
    /// The digest.
    pub digest: Digest,
    /// The node that has it.
    pub node: String,
    /// What was found in it, where it was examined when it was registered.
    pub evidence: Option<Arc<Evidence>>,
}

/// Everything that comes of a request.
#[derive(Debug)]
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// Violated rules that only warn or are only recorded.
    pub noted: Vec<Noted>,
    /// What let images in although something spoke against them.
    pub leaned: Vec<Leaned>,
    /// Where all may run: what says so again, to the same question, as long as the judge would.
    pub stands: Option<Standing>,
}

/// What comes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// Every image may run.
    Allow(Permit),
    /// At least one image was examined and refused (or refused by its name).
    Deny(Denial),
    /// None was refused, but at least one could not be examined. Never to be read as allowed.
    Undecided(Denial),
}

/// The right to answer one question with "allowed", once, for a while.
///
/// Made only by [`decide`]; neither `Clone` nor constructible elsewhere.
#[derive(Debug)]
pub struct Permit {
    fingerprint: Digest,
    passed: Arc<Passed>,
    expires: Timestamp,
}

/// What passed.
#[derive(Debug)]
struct Passed {
    images: Vec<(String, Digest)>,
    pins: Vec<(String, Digest)>,
}

/// What the judge allowed without looking closer at the time than at the day (UTC): he is pure, so
/// to the same request, evidence and policy he would say the same at any time of that day.
///
/// Made only by [`decide`]. Whoever keeps it answers for those three being the same.
#[derive(Debug)]
pub struct Standing {
    fingerprint: Digest,
    passed: Arc<Passed>,
    day: Date,
}

impl Standing {
    /// A permit, as the judge would give it now; `None`: he has to be asked.
    pub fn permit(&self, now: Timestamp) -> Option<Permit> {
        let permit = || Permit::new(self.fingerprint, Arc::clone(&self.passed), now);
        (today(now) == self.day).then(permit)
    }
}

/// A spent permit: proof, for the answer being written, that the judge allowed this question.
#[derive(Debug)]
pub struct Allowed(Arc<Passed>);

impl Allowed {
    /// The images that were judged, each once, with their digests. A name that is registered
    /// with several digests stands there with each.
    pub fn images(&self) -> &[(String, Digest)] {
        &self.0.images
    }

    /// The images that were allowed since the answer pins them: it may say "allowed" only where
    /// it replaces each of these names, wherever it stands, by the same with this digest.
    pub fn pins(&self) -> &[(String, Digest)] {
        &self.0.pins
    }
}

/// How long a permit is good for, in seconds: the time to write an answer, no more.
pub const PERMIT_SECONDS: i64 = 30;

impl Permit {
    fn new(fingerprint: Digest, passed: Arc<Passed>, now: Timestamp) -> Self {
        let expires = now.saturating_add(jiff::SignedDuration::from_secs(PERMIT_SECONDS));
        Self { fingerprint, passed, expires: expires.unwrap_or(Timestamp::MIN) }
    }

    /// Spends the permit on the answer to the question with this fingerprint.
    ///
    /// # Errors
    /// Says why it is not good for that answer: another question, or too late.
    pub fn spend(self, fingerprint: &Digest, now: Timestamp) -> Result<Allowed, &'static str> {
        if self.fingerprint != *fingerprint {
            return Err("the permit was given for another question");
        }
        if now >= self.expires {
            return Err("the permit has expired");
        }
        Ok(Allowed(self.passed))
    }
}

/// Judges a request: every image must pass for a permit.
///
/// An image may have several cases: all of them count, so one that failed is never outvoted by
/// one that passed. What break-glass or an earlier admission gets past is kept in
/// [`Judgement::leaned`], whole.
pub fn decide(request: &Request, cases: &[Case], policy: &Policy, now: Timestamp) -> Judgement {
    let clock = Clock::new(now);
    let mut denial = Denial::default();
    let (mut noted, mut leaned) = (Vec::new(), Vec::new());
    let mut digests: BTreeMap<&str, Vec<Digest>> = BTreeMap::new();
    let mut pins = Vec::new();
    if request.images.is_empty() {
        denial.refused.push((String::new(), vec![Reason::NothingAsked]));
    }
    for image in &request.images {
        if digests.contains_key(image.as_str()) {
            continue;
        }
        let about = cases.iter().filter(|c| c.image == *image);
        let mut judged = image::judge(image, about, request, policy, &clock);
        image::break_glass(image, &mut judged, request, policy, &clock);
        noted.append(&mut judged.noted);
        leaned.append(&mut judged.leaned);
        digests.insert(image, judged.digests);
        pins.extend(judged.pin.map(|digest| (image.clone(), digest)));
        if !judged.reasons.is_empty() {
            denial.refused.push((image.clone(), judged.reasons));
        }
        denial.undecided.extend(judged.undecided.into_iter().map(|why| (image.clone(), why)));
    }
    let images: Vec<(String, Digest)> = digests
        .iter()
        .flat_map(|(image, digests)| digests.iter().map(|d| ((*image).to_owned(), *d)))
        .collect();
    let complete = digests.values().all(|digests| !digests.is_empty());
    if complete
        && denial.undecided.is_empty()
        && let Some(earlier) = admitted_before(request, &images, &denial, policy, &clock)
    {
        leaned.push(Leaned::Admitted {
            decision: earlier.decision.clone(),
            at: earlier.at,
            past: std::mem::take(&mut denial),
        });
    }
    let mut stands = None;
    let verdict = if !denial.refused.is_empty() {
        Verdict::Deny(denial)
    } else if !denial.undecided.is_empty() || !complete {
        Verdict::Undecided(denial)
    } else {
        let (fingerprint, passed) = (request.fingerprint, Arc::new(Passed { images, pins }));
        let standing = |day| Standing { fingerprint, passed: Arc::clone(&passed), day };
        stands = clock.day_alone().map(standing);
        Verdict::Allow(Permit::new(fingerprint, passed, now))
    };
    Judgement { verdict, noted, leaned, stands }
}

/// The earlier decision, if the policy lets it stand for this one: exactly these images with
/// these digests, refused now by rules alone, and not too long ago.
fn admitted_before<'r>(
    request: &'r Request,
    images: &[(String, Digest)],
    denial: &Denial,
    policy: &Policy,
    clock: &Clock,
) -> Option<&'r Earlier> {
    let (earlier, keep) = (request.earlier.as_ref()?, policy.keep_admitted?);
    let refused = !denial.refused.is_empty();
    let by_rules = denial.refused.iter().flat_map(|(_, reasons)| reasons).all(|r| !r.is_final());
    if !refused || !by_rules {
        return None;
    }
    let mut before = earlier.images.clone();
    before.sort();
    before.dedup();
    let age = clock.now().as_second().checked_sub(earlier.at.as_second())?;
    let in_time = (0..=i64::try_from(keep).ok()?).contains(&age);
    (in_time && before == images).then_some(earlier)
}
