//! What is valid and yet hardly meant: a policy that denies nothing, an exception that has
//! expired, a rule that nothing can reach. A warning never keeps a policy from being used.

use cleanbill_core::policy::{Action, NamePattern, Policy, Scope, today};
use cleanbill_core::{Date, Timestamp};
use serde_saphyr::Location;

use super::exception::NO_OWNER;
use super::policy::Places;

/// A warning before its place is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    pub(super) about: About,
    pub(super) message: String,
    pub(super) hint: String,
}

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Policy,
    Exception(usize),
    Rule(usize),
    BreakGlass,
}

impl About {
    pub(super) fn place(self, places: &Places) -> Option<Location> {
        match self {
            Self::Policy => places.action.or(places.policy),
            Self::Exception(at) => places.exceptions.get(at).copied(),
            Self::Rule(at) => places.rules.get(at).copied().flatten().or(places.policy),
            Self::BreakGlass => places.break_glass,
        }
    }
}

/// All warnings, at this time.
pub(super) fn of(policy: &Policy, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |about, message: String, hint: &str| {
        warnings.push(Warning { about, message, hint: hint.to_owned() });
    };
    if !policy.can_deny() {
        let message =
            format!("the policy \"{}\" cannot deny any image that was examined", policy.name);
        let hint = "write action: enforce, or give a rule that action, once you have seen enough";
        warn(About::Policy, message, hint);
    }
    let today = today(now);
    for (at, exception) in policy.exceptions.iter().enumerate() {
        let (id, expires) = (&exception.id, exception.expires);
        if expires < today {
            let message = format!("the exception for {id} expired on {expires}");
            warn(
                About::Exception(at),
                message,
                "it no longer counts: remove it, or have its owner renew it",
            );
        } else if expires > in_a_year(today) {
            let message = format!("the exception for {id} holds until {expires}");
            warn(
                About::Exception(at),
                message,
                "more than a year is hardly an exception: choose a day that somebody will look at again",
            );
        }
    }
    let unowned = || policy.exceptions.iter().enumerate().filter(|(_, e)| e.owner == NO_OWNER);
    if let Some((first, _)) = unowned().next() {
        let message = match unowned().count() {
            1 => "nobody answers for an exception yet".to_owned(),
            several => format!("nobody answers for {several} exceptions yet"),
        };
        let hint = "put a person in the place of nobody-yet";
        warn(About::Exception(first), message, hint);
    }
    for (at, rule) in policy.rules.iter().enumerate() {
        if let Some(why) = unreachable(&rule.scope, policy) {
            let message = format!("the rule \"{}\" is never reached: {why}", rule.name);
            warn(About::Rule(at), message, "widen its scope, or remove it");
        }
    }
    if policy.break_glass.groups.iter().any(|g| g == "system:masters") {
        let message = "every cluster administrator's every request breaks the glass".to_owned();
        warn(About::BreakGlass, message, "name a group of its own instead of system:masters");
    }
    warnings
}

fn in_a_year(today: Date) -> Date {
    today.saturating_add(jiff::Span::new().days(366))
}

/// Why nothing is in the scope, if that can be told.
fn unreachable(scope: &Scope, policy: &Policy) -> Option<&'static str> {
    let all = |list: &[cleanbill_core::glob::Glob], out: &[cleanbill_core::glob::Glob]| {
        !list.is_empty() && list.iter().all(|g| out.contains(g))
    };
    if all(&scope.namespaces, &scope.not_namespaces)
        || scope.not_namespaces.iter().any(|g| g.as_str() == "*")
    {
        return Some("all its namespaces are taken out again");
    }
    if !scope.repositories.is_empty()
        && scope.repositories.iter().all(|p| scope.not_repositories.contains(p))
    {
        return Some("all its repositories are taken out again");
    }
    let registry = |p: &NamePattern, r: &str| p.to_string().starts_with(&format!("{r}/"));
    if !scope.repositories.is_empty()
        && !scope.registries.is_empty()
        && !scope.repositories.iter().any(|p| scope.registries.iter().any(|r| registry(p, r)))
    {
        return Some("its repositories are in none of its registries");
    }
    // What is refused by its name is not examined; where that only warns, rules are reached.
    let allowed = policy.allowed.as_ref().filter(|_| policy.action == Action::Enforce)?;
    let known: Vec<&NamePattern> = allowed.iter().chain(&policy.local_images).collect();
    if !scope.repositories.is_empty()
        && !scope.repositories.iter().any(|p| known.iter().any(|k| k.overlaps(p)))
    {
        return Some("none of its repositories is allowed");
    }
    if !scope.registries.is_empty()
        && !known.iter().any(|k| scope.registries.iter().any(|r| registry(k, r)))
    {
        return Some("none of its registries is allowed");
    }
    None
}
