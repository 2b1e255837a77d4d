//! The answer to "may this run?", and the only value that can say yes.
//!
//! [`decide`] is pure: the same request, evidence, policy and time give the same verdict, so a
//! decision can be replayed. [`Permit`] has no constructor outside this file, cannot be copied,
//! and is consumed by the one answer that it allows; so a path that fails, times out or panics
//! has nothing to say "allowed" with.

use crate::Timestamp;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::gap::{Gap, GapKind};
use crate::matching::stale_feed;
use crate::policy::{NamePattern, Policy};
use crate::reference::ImageRef;
use crate::severity::Severity;

/// What was asked: the images of one pod, and a digest of the whole question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Digest of the canonical question. A permit for another question is worth nothing.
    pub fingerprint: Digest,
    /// The images as the question writes them, in order, duplicates kept.
    pub images: Vec<String>,
}

/// What is known about one image of a request.
#[derive(Clone, Debug)]
pub struct Case {
    /// The image as the question writes it.
    pub image: String,
    /// How far we came with it.
    pub outcome: Outcome,
}

/// How far the examination of one image came.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was examined.
    Examined(Box<Evidence>),
    /// The policy's rules on the name refused it, so it was never contacted.
    NameRefused(ImageRef),
    /// The text is no image name.
    NoReference(String),
    /// It could not be examined: a sentence fit to be shown to whoever asked.
    Failed(String),
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

/// Why a request was not allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    /// The images that were refused, each with all its reasons.
    pub refused: Vec<(String, Vec<Reason>)>,
    /// The images that could not be examined, each with why.
    pub undecided: Vec<(String, String)>,
}

/// One rule of the policy that an image does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It comes from a repository that is not allowed.
    NameNotAllowed {
        /// The repositories that are.
        allowed: Vec<NamePattern>,
    },
    /// The text is no image name.
    NoReference(String),
    /// It is named by a tag, and the policy wants a digest.
    DigestRequired,
    /// It has flaws above the highest severity allowed.
    Severity {
        /// The highest severity allowed.
        highest: Severity,
        /// The flaws that stand in the way, worst first.
        findings: Vec<Finding>,
    },
    /// Something was not examined, and the policy does not accept that.
    Gaps(Vec<Gap>),
    /// The question names no image at all.
    NothingAsked,
    /// The evidence is not about this image.
    WrongEvidence,
}

impl Reason {
    /// The name of the rule, as it stands in the policy file where it has a place there.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NameNotAllowed { .. } => "allowed",
            Self::NoReference(_) => "image-name",
            Self::DigestRequired => "digest_required",
            Self::Severity { .. } => "highest_severity",
            Self::Gaps(_) => "accept_gaps",
            Self::NothingAsked | Self::WrongEvidence => "request",
        }
    }
}

/// The right to answer one question with "allowed", once, for a while.
///
/// Made only by [`decide`]; neither `Clone` nor constructible elsewhere.
#[derive(Debug)]
pub struct Permit {
    fingerprint: Digest,
    digests: Vec<Digest>,
    expires: Timestamp,
}

/// A spent permit: proof, for the answer being written, that the judge allowed this question.
#[derive(Debug)]
pub struct Allowed {
    digests: Vec<Digest>,
}

impl Allowed {
    /// The digests that were judged, in the order of the question.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }
}

/// How long a permit is good for, in seconds: the time to write an answer, no more.
pub const PERMIT_SECONDS: i64 = 30;

impl Permit {
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
        Ok(Allowed { digests: self.digests })
    }
}

/// Whether the policy refuses the image by its name alone, before anything is contacted.
pub fn refuse_by_name(reference: &ImageRef, policy: &Policy) -> Option<Reason> {
    match &policy.allowed {
        Some(allowed) if !allowed.iter().any(|p| p.matches(reference)) => {
            Some(Reason::NameNotAllowed { allowed: allowed.clone() })
        }
        _ => None,
    }
}

/// Judges a request: every image must pass for a permit.
///
/// An image may have several cases (the question may name it twice): all of them count, so one
/// that failed is never outvoted by one that passed.
pub fn decide(request: &Request, cases: &[Case], policy: &Policy, now: Timestamp) -> Verdict {
    let mut denial = Denial::default();
    let mut digests = Vec::with_capacity(request.images.len());
    if request.images.is_empty() {
        denial.refused.push((String::new(), vec![Reason::NothingAsked]));
    }
    for (at, image) in request.images.iter().enumerate() {
        let mut digest = None;
        let mut reasons = Vec::new();
        let mut undecided = Vec::new();
        for case in cases.iter().filter(|c| c.image == *image) {
            match &case.outcome {
                Outcome::Failed(why) => undecided.push(why.clone()),
                Outcome::NoReference(why) => reasons.push(Reason::NoReference(why.clone())),
                Outcome::NameRefused(reference) => {
                    reasons.push(refuse_by_name(reference, policy).unwrap_or(Reason::WrongEvidence))
                }
                Outcome::Examined(evidence) => {
                    reasons.extend(judge(image, evidence, policy, now));
                    if *digest.get_or_insert(evidence.resolved) != evidence.resolved {
                        reasons.push(Reason::WrongEvidence);
                    }
                }
            }
        }
        if digest.is_none() && reasons.is_empty() && undecided.is_empty() {
            undecided.push("it was not examined".to_owned());
        }
        digests.extend(digest);
        if request.images.iter().position(|i| i == image) != Some(at) {
            continue;
        }
        if !reasons.is_empty() {
            denial.refused.push((image.clone(), reasons));
        }
        denial.undecided.extend(undecided.into_iter().map(|why| (image.clone(), why)));
    }
    if !denial.refused.is_empty() {
        return Verdict::Deny(denial);
    }
    if !denial.undecided.is_empty() || digests.len() != request.images.len() {
        return Verdict::Undecided(denial);
    }
    let expires = now.saturating_add(jiff::SignedDuration::from_secs(PERMIT_SECONDS));
    let expires = expires.unwrap_or(Timestamp::MIN);
    Verdict::Allow(Permit { fingerprint: request.fingerprint, digests, expires })
}

/// All the rules that one image does not meet.
fn judge(image: &str, evidence: &Evidence, policy: &Policy, now: Timestamp) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let asked = image.parse::<ImageRef>();
    let about_it = asked.as_ref() == Ok(&evidence.reference)
        && evidence.reference.digest().is_none_or(|d| *d == evidence.resolved)
        && !evidence.platforms.is_empty();
    if !about_it {
        return vec![Reason::WrongEvidence];
    }
    reasons.extend(refuse_by_name(&evidence.reference, policy));
    let mut gaps: Vec<Gap> = evidence.gaps.clone();
    if evidence.reference.digest().is_none() {
        if policy.digest_required {
            reasons.push(Reason::DigestRequired);
        } else {
            gaps.push(Gap::new(
                GapKind::MutableReference,
                evidence.reference.to_string(),
                format!("the tag was {} when it was judged and may be another image when a node pulls it", evidence.resolved),
            ));
        }
    }
    let mut findings: Vec<Finding> = Vec::new();
    for platform in &evidence.platforms {
        // How old a feed may be is this policy's word at this time, whatever the matcher was
        // told when the evidence was gathered.
        let used = |g: &Gap| platform.feeds.iter().any(|f| f.feed == g.subject);
        let judged_anew = |g: &Gap| g.kind == GapKind::StaleFeed && used(g);
        gaps.extend(platform.gaps.iter().filter(|g| !judged_anew(g)).cloned());
        let stale = |f| stale_feed(f, now, policy.max_feed_age_days);
        gaps.extend(platform.feeds.iter().filter_map(stale));
        findings.extend(platform.findings.iter().filter(|f| policy.refuses(f, now)).cloned());
    }
    if let (Some(highest), false) = (policy.highest_severity, findings.is_empty()) {
        findings.sort_by(|a, b| {
            let rank = |f: &Finding| std::cmp::Reverse((policy.counts_as(f), f.known_exploited));
            (rank(a), &a.id, &a.package.name).cmp(&(rank(b), &b.id, &b.package.name))
        });
        findings.dedup_by(|a, b| {
            a.id == b.id
                && a.package.name == b.package.name
                && a.package.version == b.package.version
        });
        reasons.push(Reason::Severity { highest, findings });
    }
    gaps.retain(|g| !policy.accepts(g.kind));
    gaps.sort();
    gaps.dedup();
    if !gaps.is_empty() {
        reasons.push(Reason::Gaps(gaps));
    }
    reasons
}
