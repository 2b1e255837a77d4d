//! From images to the strictest policy that they pass, and the proof that they do.

use std::collections::BTreeSet;

use cleanbill_core::Date;
use cleanbill_core::policy::{Action, BreakGlass, Condition, FlawFilter, Policy, Rule, Scope};

use super::flaws::{Bar, Flaws};
use super::seen::{Sight, locals, patterns};
use super::{MOST_ENTRIES, rest};
use crate::failure::{Failure, Result};
use crate::policy_file;

/// The names of the rules.
pub(super) const FIX_AVAILABLE: &str = "fix-available";
pub(super) const KNOWN_EXPLOITED: &str = "known-exploited";
pub(super) const NOT_ROOT: &str = "not-root";

/// What whoever suggests is free to choose.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// Repositories that may need exceptions; `None`: one in ten, and one of a few.
    pub(super) spared: Option<usize>,
    /// Who answers for the exceptions.
    pub(super) owner: String,
    /// Their last day.
    pub(super) expires: Date,
}

/// A policy, and what its comments tell.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) policy: Policy,
    pub(super) bar: Bar,
    pub(super) images: usize,
    pub(super) repositories: usize,
    /// Repositories that need exceptions.
    pub(super) excepted: BTreeSet<String>,
    /// Repositories whose images run as root.
    pub(super) root: BTreeSet<String>,
}

/// The strictest policy that these images pass. They must all be examined.
pub(super) fn make(sights: &[Sight], wishes: &Wishes) -> Made {
    let flaws = Flaws::of(sights);
    let repositories = flaws.repositories();
    let few = if repositories < 2 { 0 } else { (repositories / 10).max(1) };
    let spared = wishes.spared.unwrap_or(few);
    let bar = flaws.bar(spared);
    let root = rest::root(sights);
    let mut policy = Policy {
        name: "suggested".into(),
        allowed: Some(rest::allowed(sights)),
        local_images: locals(sights),
        digest_required: rest::all_pinned(sights),
        highest_severity: Some(bar.highest),
        unrated_as: bar.unrated_as,
        only_fixable: false,
        action: Action::Enforce,
        accepted_gaps: Vec::new(),
        exceptions: flaws.exceptions(bar, &wishes.owner, wishes.expires),
        max_feed_age_days: 0,
        rules: rules(bar, &root, repositories),
        keep_admitted: None,
        break_glass: BreakGlass::default(),
        checkers: Vec::new(),
        record_first: true,
    };
    policy.max_feed_age_days = rest::feed_age(sights, &policy, spared);
    policy.accepted_gaps = rest::accepted_gaps(sights, &policy);
    let excepted =
        policy.exceptions.iter().flat_map(|e| &e.scope.repositories).map(ToString::to_string);
    let excepted = excepted.collect();
    Made { policy, bar, images: sights.len(), repositories, excepted, root }
}

fn rules(bar: Bar, root: &BTreeSet<String>, repositories: usize) -> Vec<Rule> {
    let rule = |name: &str, refuse, scope| {
        let (name, action) = (name.to_owned(), Action::Enforce);
        Rule { name, scope, refuse, action, message: None }
    };
    let mut rules = Vec::new();
    rules.extend(bar.rule().map(|refuse| rule(FIX_AVAILABLE, refuse, Scope::default())));
    let flaws = Some(FlawFilter { known_exploited: true, ..FlawFilter::default() });
    let exploited = Condition { flaws, ..Condition::default() };
    rules.push(rule(KNOWN_EXPLOITED, exploited, Scope::default()));
    if has_not_root(root, repositories) {
        let scope = Scope { not_repositories: patterns(root), ..Scope::default() };
        let refuse = Condition { runs_as_root: true, ..Condition::default() };
        rules.push(rule(NOT_ROOT, refuse, scope));
    }
    rules
}

/// Whether the rule on root can be written and refuses anything.
pub(super) fn has_not_root(root: &BTreeSet<String>, repositories: usize) -> bool {
    root.len() < repositories && root.len() <= MOST_ENTRIES
}

/// Reads the text as the gate would, and holds that policy against every image.
///
/// # Errors
/// When it is not the policy that was made, or an image does not pass it. Too large a policy aside,
/// that is a mistake of ours, and nothing is to be printed.
pub(super) fn prove(text: &str, made: &Made, sights: &[Sight]) -> Result<()> {
    let ours = |what: String| {
        Failure::new(format!("{what}: this is a mistake in cleanbill, and no policy is printed"))
            .next("please report it with the names of the images")
    };
    let read = policy_file::parse(text, "the suggested policy").map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        if made.policy.exceptions.len() > 100 {
            let count = made.policy.exceptions.len();
            return Failure::new(format!("{count} exceptions do not fit into a policy: {first}"))
                .next("allow fewer repositories to need them: --exceptions 0");
        }
        ours(format!("the suggested policy cannot be read: {first}"))
    })?;
    if read != made.policy {
        return Err(ours("the suggested policy does not say what it means".into()));
    }
    for sight in sights {
        if let Some(denial) = sight.refused(&read) {
            let rules: Vec<&str> =
                denial.refused.iter().flat_map(|(_, all)| all).map(|r| r.rule()).collect();
            let (image, rules) = (&sight.image, rules.join(", "));
            return Err(ours(format!("{image} does not pass the suggested policy ({rules})")));
        }
    }
    Ok(())
}
