//! The profiles: where a policy file may begin from. What the file writes beside `profile` takes
//! the place of what stands here; its rules are added, or replace the one of the same name.

use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{
    AcceptedGap, Action, Condition, Expression, FlawFilter, Policy, Rule, Scope,
};
use cleanbill_core::severity::Severity;

/// A profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Denies nothing that was examined: all of it is recorded.
    Observe,
    /// What nearly every cluster can begin to enforce.
    Baseline,
    /// The most that can be demanded without naming registries.
    Strict,
    /// A cluster without a way out: its own registries, advisories that are carried in.
    Airgap,
    /// What exercises with `ImagePolicyWebhook` ask for: no `latest`, nothing critical.
    Cks,
}

impl Profile {
    /// All of them, as documented.
    pub const ALL: [Self; 5] =
        [Self::Observe, Self::Baseline, Self::Strict, Self::Airgap, Self::Cks];

    /// The word in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Baseline => "baseline",
            Self::Strict => "strict",
            Self::Airgap => "airgap",
            Self::Cks => "cks",
        }
    }

    /// The policy that a file with this profile begins from.
    pub fn policy(self) -> Policy {
        let begin = Policy { name: self.as_str().to_owned(), ..Policy::default() };
        match self {
            Self::Observe => Policy { action: Action::Audit, ..begin },
            Self::Baseline => Policy {
                highest_severity: Some(Severity::High),
                unrated_as: Severity::High,
                only_fixable: true,
                accepted_gaps: accepted(&[
                    GapKind::MutableReference,
                    GapKind::UnknownEndOfLife,
                    GapKind::UnidentifiedVersion,
                ]),
                ..begin
            },
            Self::Strict => Policy {
                digest_required: true,
                max_feed_age_days: 3,
                rules: vec![known_exploited(), not_root()],
                ..begin
            },
            Self::Airgap => Policy {
                digest_required: true,
                max_feed_age_days: 30,
                rules: vec![not_root()],
                ..begin
            },
            Self::Cks => Policy {
                highest_severity: Some(Severity::High),
                unrated_as: Severity::High,
                max_feed_age_days: 365,
                rules: vec![no_latest()],
                accepted_gaps: accepted(&[
                    GapKind::MutableReference,
                    GapKind::UnknownEndOfLife,
                    GapKind::UnidentifiedVersion,
                ]),
                ..begin
            },
        }
    }
}

fn accepted(kinds: &[GapKind]) -> Vec<AcceptedGap> {
    kinds.iter().copied().map(AcceptedGap::everywhere).collect()
}

fn rule(name: &str, refuse: Condition) -> Rule {
    let (scope, action) = (Scope::default(), Action::Enforce);
    Rule { name: name.to_owned(), scope, refuse, action, message: None }
}

fn known_exploited() -> Rule {
    let flaws = Some(FlawFilter { known_exploited: true, ..FlawFilter::default() });
    rule("known-exploited", Condition { flaws, ..Condition::default() })
}

/// A tag `latest`, written or meant, without a digest beside it.
const LATEST: &str = "has(image.tag) && image.tag == 'latest' && !image.pinned";

fn no_latest() -> Rule {
    // Were it no expression after all (a test sees to that), everything would be refused.
    let expression = Expression::new(LATEST).ok();
    let always = expression.is_none();
    rule("no-latest", Condition { always, expression, ..Condition::default() })
}

fn not_root() -> Rule {
    rule("not-root", Condition { runs_as_root: true, ..Condition::default() })
}
