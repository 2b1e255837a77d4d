//! Whether anything in a policy can refuse at all: for warnings, since what never refuses is hardly
//! what its author meant. What cannot be told counts as something that can.

use super::{
    AcceptedGap, Action, Condition, NamePattern, PackageFilter, Policy, Rule, Scope, VersionRange,
};
use crate::gap::GapKind;
use crate::glob::Glob;
use crate::severity::Severity;
use crate::version::{Scheme, Version};

impl Policy {
    /// Whether any answer of this policy could be "denied" once an image was examined. What
    /// cannot be examined, or is no image name, is never allowed by any policy.
    pub fn can_deny(&self) -> bool {
        let built_in = self.action == Action::Enforce
            && (self.allowed.is_some()
                || self.digest_required
                || self.highest_severity.is_some_and(|highest| highest < Severity::Critical)
                || !self.checkers.is_empty()
                || GapKind::ALL.iter().any(|k| self.has(*k) && !self.accepts_everywhere(*k)));
        let refuses = |r: &Rule| {
            r.action == Action::Enforce
                && r.scope.holds_nowhere(self).is_none()
                && r.refuse.never_holds(self).is_none()
        };
        built_in || self.rules.iter().any(refuses)
    }

    /// Whether gaps of this kind are accepted everywhere.
    fn accepts_everywhere(&self, kind: GapKind) -> bool {
        self.accepted_gaps.iter().any(|gap| gap.kind == kind && gap.is_everywhere())
    }

    /// Whether a judgement by this policy can come to a gap of this kind.
    fn has(&self, kind: GapKind) -> bool {
        (kind != GapKind::CheckerSilent || !self.checkers.is_empty())
            && (kind != GapKind::MutableReference || !self.digest_required)
            && (kind != GapKind::UnexaminedRegistration || !self.local_images.is_empty())
    }
}

impl AcceptedGap {
    /// Whether all gaps of its kind are meant.
    fn is_everywhere(&self) -> bool {
        let star = |list: &[Glob]| list.is_empty() || list.iter().any(is_star);
        // Users and groups are told by one interface only: without them nothing is accepted.
        let rest = Scope { namespaces: Vec::new(), ..self.scope.clone() };
        self.subject.as_ref().is_none_or(is_star)
            && star(&self.scope.namespaces)
            && rest == Scope::default()
    }
}

fn is_star(glob: &Glob) -> bool {
    !glob.as_str().is_empty() && glob.as_str().bytes().all(|b| b == b'*')
}

impl Scope {
    /// Why nothing is in it, if that can be told.
    pub fn holds_nowhere(&self, policy: &Policy) -> Option<&'static str> {
        let all =
            |list: &[Glob], out: &[Glob]| !list.is_empty() && list.iter().all(|g| out.contains(g));
        if all(&self.namespaces, &self.not_namespaces) || self.not_namespaces.iter().any(is_star) {
            return Some("all its namespaces are taken out again");
        }
        if !self.repositories.is_empty()
            && self.repositories.iter().all(|p| self.not_repositories.contains(p))
        {
            return Some("all its repositories are taken out again");
        }
        let registry = |p: &NamePattern, r: &str| p.to_string().starts_with(&format!("{r}/"));
        if !self.repositories.is_empty()
            && !self.registries.is_empty()
            && !self.repositories.iter().any(|p| self.registries.iter().any(|r| registry(p, r)))
        {
            return Some("its repositories are in none of its registries");
        }
        // What is refused by its name is not examined; where that only warns, rules are reached.
        let allowed = policy.allowed.as_ref().filter(|_| policy.action == Action::Enforce)?;
        let known: Vec<&NamePattern> = allowed.iter().chain(&policy.local_images).collect();
        if !self.repositories.is_empty()
            && !self.repositories.iter().any(|p| known.iter().any(|k| k.overlaps(p)))
        {
            return Some("none of its repositories is allowed");
        }
        if !self.registries.is_empty()
            && !known.iter().any(|k| self.registries.iter().any(|r| registry(k, r)))
        {
            return Some("none of its registries is allowed");
        }
        None
    }
}

impl Condition {
    /// What keeps it from ever refusing, as what is told of the rule, if that can be told.
    pub fn never_holds(&self, policy: &Policy) -> Option<&'static str> {
        if !self.packages.is_empty() && self.packages.iter().all(PackageFilter::has_no_version) {
            return Some(
                "refuses no version that can be compared: no version is within its bounds",
            );
        }
        if !self.gaps.is_empty() && !self.gaps.iter().any(|kind| policy.has(*kind)) {
            return Some("never refuses: this policy never comes to such a gap");
        }
        if self.expression.as_ref().is_some_and(super::Expression::is_always_false) {
            return Some("never refuses: its expression is false whatever is asked");
        }
        None
    }
}

impl PackageFilter {
    /// Whether its bounds contradict each other, whatever kind of package is meant.
    fn has_no_version(&self) -> bool {
        match self.kind {
            Some(kind) => self.contradicts_itself(kind.scheme()),
            None => Scheme::ALL.into_iter().all(|scheme| self.contradicts_itself(scheme)),
        }
    }

    fn contradicts_itself(&self, scheme: Scheme) -> bool {
        use VersionRange::{Above, Below, Exactly, From, UpTo};
        let read = |range: &VersionRange| Version::parse(scheme, range.bound()).ok();
        let contradict = |low: &VersionRange, high: &VersionRange| {
            let (Some(from), Some(to)) = (read(low), read(high)) else { return false };
            if matches!(high, Below(_)) { from >= to } else { from > to && !from.is_meant_by(&to) }
        };
        let mut lows =
            self.versions.iter().filter(|r| matches!(r, From(_) | Above(_) | Exactly(_)));
        let highs =
            || self.versions.iter().filter(|r| matches!(r, Below(_) | UpTo(_) | Exactly(_)));
        lows.any(|low| highs().any(|high| contradict(low, high)))
    }
}
