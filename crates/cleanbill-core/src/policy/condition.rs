//! When a rule refuses: all the parts that it gives must hold on one platform of the image.
//!
//! A part that cannot be told, such as the age of an image without a date, is neither true nor
//! false: it is a gap, which the policy accepts or not like any other.

use serde::{Deserialize, Serialize};

use super::expression::{Expression, Values};
use super::flaw_filter::FlawFilter;
use super::{Policy, today};
use crate::asked::Asked;
use crate::clock::Clock;
use crate::evidence::{PlatformEvidence, RunsAs, SnapshotId};
use crate::finding::Finding;
use crate::gap::{Gap, GapKind};
use crate::glob::Glob;
use crate::package::{Package, PackageKind};
use crate::reference::ImageRef;
use crate::version::Version;
use crate::{Date, Timestamp};

/// When a rule refuses. The parts that are given must all hold; the policy reader sees to it
/// that there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Everything in the scope.
    pub always: bool,
    /// Flaws like these are there.
    pub flaws: Option<FlawFilter>,
    /// One of these packages is there.
    pub packages: Vec<PackageFilter>,
    /// Its processes run as root unless the pod says otherwise.
    pub runs_as_root: bool,
    /// It was built more than so many days ago.
    pub older_than_days: Option<u32>,
    /// Its distribution's release is past its end of life.
    pub end_of_life: bool,
    /// It has a gap of one of these kinds, accepted or not.
    pub gaps: Vec<GapKind>,
    /// This expression is true, or has no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<Expression>,
}

/// Packages by name, kind and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFilter {
    /// The name or source name.
    pub name: Glob,
    /// The kind; `None`: any.
    pub kind: Option<PackageKind>,
    /// The versions; empty: any.
    pub versions: Vec<VersionRange>,
}

/// One bound on a version. Several bounds must all hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersionRange {
    /// Lower than.
    Below(String),
    /// Lower than or equal to.
    UpTo(String),
    /// Equal to.
    Exactly(String),
    /// Equal to or higher than.
    From(String),
    /// Higher than.
    Above(String),
}

/// What was found that a rule refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Because {
    /// The rule refuses everything in its scope.
    Always,
    /// These flaws, worst first.
    Flaws(Vec<Finding>),
    /// These packages, name and version.
    Packages(Vec<(String, String)>),
    /// It runs as root: the user as its configuration writes it.
    RunsAsRoot(String),
    /// It was built on this day, more than so many days ago.
    TooOld(Date, u32),
    /// The release is past its end of life.
    EndOfLife(String),
    /// These gaps.
    Gaps(Vec<Gap>),
    /// What the rule's expression says: that it holds, or why it has no value.
    Expression(String),
}

/// What one condition comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Some part does not hold.
    No,
    /// All parts hold.
    Yes(Vec<Because>),
    /// No part fails, and these could not be told.
    Unknown(Vec<Gap>),
}

/// What a condition is held against.
pub(crate) struct Against<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) image: &'a ImageRef,
    pub(crate) asked: &'a Asked,
    pub(crate) snapshot: &'a SnapshotId,
    pub(crate) platform: &'a PlatformEvidence,
    /// The findings that no exception covers.
    pub(crate) findings: &'a [&'a Finding],
    /// All gaps of the image on this platform.
    pub(crate) gaps: &'a [&'a Gap],
    pub(crate) clock: &'a Clock,
    /// The same for expressions, each made when it is first asked for.
    pub(crate) values: Values,
}

/// One part: false, true, or not to be told.
pub(super) type Part = Result<Option<Because>, Vec<Gap>>;

impl Condition {
    /// Whether no part is given, so that it would refuse by accident or never.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Holds it against an image of which nothing is known but its name. What it says of what is in
    /// an image cannot be told, and an expression has no value, since it may be about that.
    pub(crate) fn held_blind(&self, gap: &Gap) -> Held {
        let asks = self.flaws.is_some()
            || !self.packages.is_empty()
            || self.runs_as_root
            || self.older_than_days.is_some()
            || self.end_of_life;
        let has_gap = self.gaps.contains(&gap.kind);
        if asks || !self.gaps.is_empty() && !has_gap {
            return Held::Unknown(vec![gap.clone()]);
        }
        let expression = self.expression.as_ref().map(|_| {
            Because::Expression("it has no value, since the image was not examined".to_owned())
        });
        let always = self.always.then_some(Because::Always);
        let gaps = has_gap.then(|| Because::Gaps(vec![gap.clone()]));
        let because: Vec<Because> = always.into_iter().chain(gaps).chain(expression).collect();
        if because.is_empty() { Held::No } else { Held::Yes(because) }
    }

    /// Holds it against one platform's evidence.
    pub(crate) fn held(&self, against: &Against<'_>) -> Held {
        let mut parts: Vec<Part> = Vec::new();
        if self.always {
            parts.push(Ok(Some(Because::Always)));
        }
        parts.extend(self.flaws.as_ref().map(|flaws| flaws.held(against)));
        if !self.packages.is_empty() {
            parts.push(Ok(self.refused_packages(against.platform)));
        }
        if self.runs_as_root {
            parts.push(root(against.platform));
        }
        parts.extend(self.older_than_days.map(|days| old(against, days)));
        if self.end_of_life {
            parts.push(end_of_life(against));
        }
        if !self.gaps.is_empty() {
            let wanted = |g: &&&Gap| self.gaps.contains(&g.kind);
            let found: Vec<Gap> =
                against.gaps.iter().filter(wanted).map(|g| (*g).clone()).collect();
            parts.push(Ok((!found.is_empty()).then_some(Because::Gaps(found))));
        }
        // Costs the most, so it comes last, and not at all where another part fails.
        let fails = |part: &Part| matches!(part, Ok(None));
        if let Some(expression) = &self.expression
            && !parts.iter().any(fails)
        {
            parts.push(Ok(expression.refuses(against).map(Because::Expression)));
        }
        let (mut because, mut unknown) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Ok(Some(reason)) => because.push(reason),
                Ok(None) => return Held::No,
                Err(gaps) => unknown.extend(gaps),
            }
        }
        match (unknown.is_empty(), because.is_empty()) {
            (false, _) => Held::Unknown(unknown),
            (true, false) => Held::Yes(because),
            // A condition without parts is no rule: the reader refuses it.
            (true, true) => Held::No,
        }
    }

    fn refused_packages(&self, platform: &PlatformEvidence) -> Option<Because> {
        let found: Vec<(String, String)> = platform
            .packages
            .iter()
            .filter(|p| self.packages.iter().any(|filter| filter.matches(p)))
            .map(|p| (p.name.clone(), p.version.clone()))
            .collect();
        (!found.is_empty()).then_some(Because::Packages(found))
    }
}

impl PackageFilter {
    /// Whether this package is meant. A version that cannot be compared is.
    pub fn matches(&self, package: &Package) -> bool {
        if !package.is_named(&self.name) || self.kind.is_some_and(|kind| kind != package.kind) {
            return false;
        }
        let scheme = package.kind.scheme();
        let Ok(version) = Version::parse(scheme, &package.version) else { return true };
        self.versions.iter().all(|range| {
            let bound = range.bound();
            let Ok(bound) = Version::parse(scheme, bound) else { return true };
            match range {
                VersionRange::Below(_) => version < bound,
                VersionRange::UpTo(_) => version.is_up_to(&bound),
                VersionRange::Exactly(_) => version.is_meant_by(&bound),
                VersionRange::From(_) => version >= bound,
                VersionRange::Above(_) => version > bound,
            }
        })
    }
}

impl VersionRange {
    /// The version it compares with.
    pub fn bound(&self) -> &str {
        match self {
            Self::Below(v) | Self::UpTo(v) | Self::Exactly(v) | Self::From(v) | Self::Above(v) => v,
        }
    }
}

fn root(platform: &PlatformEvidence) -> Part {
    let user = platform.config.user.clone().unwrap_or_default();
    match &platform.config.runs_as_root {
        RunsAs::Root => Ok(Some(Because::RunsAsRoot(user))),
        RunsAs::NotRoot(_) => Ok(None),
        RunsAs::Unknown(why) => Err(vec![Gap::new(GapKind::UnknownImageFact, "user", why.clone())]),
    }
}

fn old(against: &Against<'_>, days: u32) -> Part {
    let day = against.clock.today();
    let created = created(against.platform, day).map_err(|gap| vec![gap])?;
    let too_old = age(created, day) > i64::from(days);
    Ok(too_old.then(|| Because::TooOld(today(created), days)))
}

/// When the image says it was built. A day that is to come proves no age; one day is left to
/// clocks that differ.
fn created(platform: &PlatformEvidence, day: Date) -> Result<Timestamp, Gap> {
    let gap = |why: String| Gap::new(GapKind::UnknownImageFact, "created", why);
    match platform.config.created {
        None => Err(gap("the image does not say when it was built".to_owned())),
        Some(created) if age(created, day) < -1 => {
            Err(gap(format!("the image says it was built on {}, which is to come", today(created))))
        }
        Some(created) => Ok(created),
    }
}

/// What this platform's configuration does not tell of what a rule may ask.
pub(crate) fn untold_facts(platform: &PlatformEvidence, day: Date) -> Vec<Gap> {
    let facts = [root(platform).err(), created(platform, day).err().map(|gap| vec![gap])];
    facts.into_iter().flatten().flatten().collect()
}

fn end_of_life(against: &Against<'_>) -> Part {
    let of = |kind| against.gaps.iter().find(move |g| g.kind == kind);
    match (of(GapKind::EndOfLife), of(GapKind::UnknownEndOfLife)) {
        (Some(gap), _) => Ok(Some(Because::EndOfLife(gap.subject.clone()))),
        (None, Some(gap)) => Err(vec![(*gap).clone()]),
        (None, None) => Ok(None),
    }
}

/// Days from then to this day, in whole days of UTC; negative when it is in the future.
pub(super) fn age(then: Timestamp, day: Date) -> i64 {
    today(then).until(day).map_or(i64::MAX, |span| i64::from(span.get_days()))
}
