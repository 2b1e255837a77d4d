//! What an operator demands of an image, already valid: the raw YAML form lives in the binary.
//!
//! Must not read a clock or the network; expiry is judged against the time that is passed in.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::finding::{Finding, Status};
use crate::severity::Severity;
use crate::{Date, Timestamp};

mod condition;
mod exception;
mod expression;
mod flaw_filter;
mod pattern;
mod reach;
mod rule;
mod scope;

pub(crate) use condition::{Against, Held, untold_facts};
pub use condition::{Because, Condition, PackageFilter, VersionRange};
pub use exception::{AcceptedGap, Exception};
pub(crate) use expression::Values;
pub use expression::{AUTHORS, Expression, environment};
pub use flaw_filter::FlawFilter;
pub use pattern::NamePattern;
pub use rule::{Action, Rule};
pub use scope::{Scope, Untold};

/// A policy. The default demands the most that can be demanded without naming registries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name, shown in every decision.
    pub name: String,
    /// The registries and repositories that images may come from; `None`: any.
    pub allowed: Option<Vec<NamePattern>>,
    /// Names that no registry is asked for: they stand for what was built and loaded on nodes,
    /// and only a registration says what that is.
    pub local_images: Vec<NamePattern>,
    /// Whether images must be named by digest. Where not, a tag is a `mutable-reference` gap.
    pub digest_required: bool,
    /// The highest severity that may run; `None`: any severity may.
    pub highest_severity: Option<Severity>,
    /// What a flaw counts as that nobody rated. Never harmless unless said so.
    pub unrated_as: Severity,
    /// Whether only flaws with a known fix count.
    pub only_fixable: bool,
    /// What comes of violating the keys above, and of gaps. Rules have an action of their own.
    pub action: Action,
    /// Gaps that do not stand in the way.
    pub accepted_gaps: Vec<AcceptedGap>,
    /// Flaws that somebody answers for, for a time.
    pub exceptions: Vec<Exception>,
    /// How old a feed may be, in days, before its use is a `stale-feed` gap.
    pub max_feed_age_days: u32,
    /// Further rules: each can only refuse.
    pub rules: Vec<Rule>,
    /// How long a set of images that was allowed in a namespace may pass again there although
    /// the policy or the advisories moved, in seconds; `None`: it is judged like any other.
    pub keep_admitted: Option<u64>,
    /// Who may let an image in that the rules refuse.
    pub break_glass: BreakGlass,
    /// Whose opinions on images are needed.
    pub checkers: Vec<Agreement>,
    /// Whether nothing is answered before it is recorded. Where not, an answer that was given
    /// may be missing from the record after a crash.
    pub record_first: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".into(),
            allowed: None,
            local_images: Vec::new(),
            digest_required: false,
            highest_severity: Some(Severity::Medium),
            unrated_as: Severity::Critical,
            only_fixable: false,
            action: Action::Enforce,
            accepted_gaps: Vec::new(),
            exceptions: Vec::new(),
            max_feed_age_days: 7,
            rules: Vec::new(),
            keep_admitted: None,
            break_glass: BreakGlass::default(),
            checkers: Vec::new(),
            record_first: true,
        }
    }
}

impl Policy {
    /// Whether any rule looks at packages that have no flaw: without one, the judge says the same
    /// of evidence whose packages are left out. An expression counts if it has the word in it.
    pub fn reads_packages(&self) -> bool {
        self.rules.iter().any(|rule| {
            let expression = rule.refuse.expression.as_ref();
            !rule.refuse.packages.is_empty()
                || expression.is_some_and(|e| e.source().contains("packages"))
        })
    }

    /// The severity this policy counts a finding as.
    pub fn counts_as(&self, finding: &Finding) -> Severity {
        if finding.severity == Severity::Unknown { self.unrated_as } else { finding.severity }
    }

    /// Whether the finding stands in the way of the key `highest_severity`, exceptions aside.
    pub fn refuses(&self, finding: &Finding) -> bool {
        self.highest_severity.is_some_and(|highest| self.counts_as(finding) > highest)
            && (!self.only_fixable || finding.status == Status::Fixed)
    }

    /// Whether the name stands for an image that no registry has.
    pub fn is_local(&self, reference: &crate::reference::ImageRef) -> bool {
        self.local_images.iter().any(|p| p.matches(reference))
    }
}

/// Who may let images in that the rules refuse. By default nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    /// Keys whose tokens count.
    pub keys: Vec<IssuerKey>,
    /// Users (by the API server's word, in `AdmissionReview` only) whose requests count.
    pub users: Vec<String>,
    /// Groups whose members' requests count.
    pub groups: Vec<String>,
}

/// A key whose tokens count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerKey {
    /// Its id: the SHA-256 of the public key (SubjectPublicKeyInfo, DER).
    pub id: Digest,
    /// The public key as PEM.
    pub pem: String,
}

/// Whose opinions are needed on the images in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// The checkers, by the names that the configuration gives them; never empty.
    pub names: Vec<String>,
    /// How many of them have to agree.
    pub require: Require,
    /// Where it holds.
    #[serde(default)]
    pub scope: Scope,
}

/// How several opinions become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// Every one has to agree: any may deny, and one that is silent is a gap.
    All,
    /// One that agrees is enough; where none does, one that is silent is a gap.
    Any,
}

/// The UTC day of a time.
pub fn today(now: Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(now).date()
}
