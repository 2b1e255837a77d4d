//! Why an image is refused, and what else a judgement says.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::digest::Digest;
use crate::finding::Finding;
use crate::gap::{Gap, GapKind};
use crate::grant::Grant;
use crate::policy::{Action, Because, NamePattern};
use crate::severity::Severity;

/// One rule of the policy that an image does not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It comes from a repository that is not allowed.
    NameNotAllowed {
        /// The repositories that are.
        allowed: Vec<NamePattern>,
    },
    /// The text is no image name.
    NoReference(String),
    /// The name stands for images on nodes, and none was registered under it.
    NotRegistered,
    /// It is named by a tag, and the policy wants a digest.
    DigestRequired,
    /// It has flaws above the highest severity allowed.
    Severity {
        /// The highest severity allowed.
        highest: Severity,
        /// The flaws that stand in the way, worst first.
        findings: Vec<Finding>,
    },
    /// A rule of the policy refuses it.
    Rule {
        /// The rule's name.
        name: String,
        /// The operator's words, if any.
        message: Option<String>,
        /// What was found, of every platform.
        because: Vec<Because>,
    },
    /// A checker that has to agree does not.
    Checker {
        /// Its name.
        name: String,
        /// Its words.
        words: String,
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
    pub fn rule(&self) -> &str {
        match self {
            Self::NameNotAllowed { .. } => "allowed",
            Self::NoReference(_) => "image-name",
            Self::NotRegistered => "local_images",
            Self::DigestRequired => "digest_required",
            Self::Severity { .. } => "highest_severity",
            Self::Rule { name, .. } => name,
            Self::Checker { .. } => "checkers",
            Self::Gaps(_) => "accept_gaps",
            Self::NothingAsked | Self::WrongEvidence => "request",
        }
    }

    /// The findings and the gaps for which it refuses.
    pub fn rests_on(&self) -> (Vec<&Finding>, Vec<&Gap>) {
        let (mut findings, mut gaps) = (Vec::new(), Vec::new());
        match self {
            Self::Severity { findings: all, .. } => findings.extend(all),
            Self::Gaps(all) => gaps.extend(all),
            Self::Rule { because, .. } => {
                for because in because {
                    match because {
                        Because::Flaws(all) => findings.extend(all),
                        Because::Gaps(all) => gaps.extend(all),
                        Because::Always
                        | Because::Packages(_)
                        | Because::RunsAsRoot(_)
                        | Because::TooOld(..)
                        | Because::EndOfLife(_)
                        | Because::Expression(_) => {}
                    }
                }
            }
            Self::NameNotAllowed { .. }
            | Self::NoReference(_)
            | Self::NotRegistered
            | Self::DigestRequired
            | Self::Checker { .. }
            | Self::NothingAsked
            | Self::WrongEvidence => {}
        }
        (findings, gaps)
    }

    /// Whether the name may come to stand for other bytes, which the policy does not accept.
    pub(super) fn is_about_moving(&self) -> bool {
        match self {
            Self::DigestRequired => true,
            Self::Gaps(gaps) => gaps.iter().any(|g| g.kind == GapKind::MutableReference),
            Self::NameNotAllowed { .. }
            | Self::NoReference(_)
            | Self::NotRegistered
            | Self::Severity { .. }
            | Self::Rule { .. }
            | Self::Checker { .. }
            | Self::NothingAsked
            | Self::WrongEvidence => false,
        }
    }

    /// Whether no break-glass and no earlier admission gets past it: nothing was asked for, or
    /// what is known is about something else.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::NoReference(_) | Self::NothingAsked | Self::WrongEvidence => true,
            Self::NameNotAllowed { .. }
            | Self::NotRegistered
            | Self::DigestRequired
            | Self::Severity { .. }
            | Self::Rule { .. }
            | Self::Checker { .. }
            | Self::Gaps(_) => false,
        }
    }
}

/// Why a request was not allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The images that were refused, each with all its reasons.
    pub refused: Vec<(String, Vec<Reason>)>,
    /// The images that could not be examined, each with why.
    pub undecided: Vec<(String, String)>,
}

/// A violated rule that does not deny: whoever asked is warned, or only the record says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The image as the question writes it.
    pub image: String,
    /// [`Action::Warn`] or [`Action::Audit`].
    pub action: Action,
    /// What was violated.
    pub reason: Reason,
}

/// What let an image in although something spoke against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaned {
    /// An exception covered a flaw.
    Exception {
        /// The image as the question writes it.
        image: String,
        /// The flaw.
        id: String,
        /// Who answers for it.
        owner: String,
    },
    /// A gap was accepted.
    Gap {
        /// The image as the question writes it.
        image: String,
        /// The gap.
        gap: Gap,
    },
    /// A break-glass token covered it.
    Grant {
        /// The image as the question writes it.
        image: String,
        /// The grant.
        grant: Grant,
        /// What it got past.
        past: Vec<Reason>,
    },
    /// Someone with the right to break the glass asked.
    User {
        /// The image as the question writes it.
        image: String,
        /// Who.
        user: String,
        /// What he got past.
        past: Vec<Reason>,
    },
    /// The same images were allowed in this namespace before.
    Admitted {
        /// The decision that allowed them.
        decision: String,
        /// When.
        at: Timestamp,
        /// What it got past.
        past: Denial,
    },
}

/// An earlier decision that allowed exactly these images in this namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Its id.
    pub decision: String,
    /// When it was made.
    pub at: Timestamp,
    /// The images, each once, with the digests that were judged.
    pub images: Vec<(String, Digest)>,
}
