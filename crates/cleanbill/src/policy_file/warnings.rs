//! What is valid and yet hardly meant: a policy that denies nothing, an exception that has
//! expired, a rule that nothing can reach. A warning never keeps a policy from being used.

use cleanbill_core::policy::{Action, Policy, today};
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
        let hint = match policy.action {
            Action::Enforce => "nothing is left that it refuses: accept or let pass less",
            Action::Warn | Action::Audit => {
                "write action: enforce, or give a rule that action, once you have seen enough"
            }
        };
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
        if let Some(why) = rule.scope.holds_nowhere(policy) {
            let message = format!("the rule \"{}\" is never reached: {why}", rule.name);
            warn(About::Rule(at), message, "widen its scope, or remove it");
        } else if let Some(why) = rule.refuse.never_holds(policy) {
            let message = format!("the rule \"{}\" {why}", rule.name);
            warn(About::Rule(at), message, "mend it, or remove it");
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
