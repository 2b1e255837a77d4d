//! How bad a flaw may be: the strictest thresholds that nearly all repositories pass, and the
//! exceptions that the others need.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Date;
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::policy::{Condition, Exception, FlawFilter, Scope};
use cleanbill_core::severity::Severity;

use super::MOST_ENTRIES;
use super::seen::{Sight, patterns};

/// The thresholds for flaws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// The highest severity that may run.
    pub(super) highest: Severity,
    /// What an unrated flaw counts as.
    pub(super) unrated_as: Severity,
    /// The highest severity that may run where there is a fix; `None`: as without.
    pub(super) fixable: Option<Severity>,
}

/// A flaw of a repository's images, as far as thresholds ask.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Flaw {
    id: String,
    /// `None`: its name cannot be written down, so that the exception is for any package.
    package: Option<String>,
    rated: Severity,
    fix: Option<String>,
    fixed: bool,
    exploited: bool,
}

/// The flaws of each repository.
pub(super) struct Flaws(BTreeMap<String, BTreeSet<Flaw>>);

/// One exception in the making.
struct Needed<'a> {
    repositories: BTreeSet<String>,
    /// The flaw as it is rated worst, for the reason.
    worst: &'a Flaw,
}

impl Bar {
    /// Whether it stands in the way.
    fn stops(self, flaw: &Flaw) -> bool {
        let unrated = flaw.rated == Severity::Unknown;
        let severity = if unrated { self.unrated_as } else { flaw.rated };
        severity > self.highest || flaw.fixed && self.fixable.is_some_and(|most| severity > most)
    }

    /// What the rule on flaws with a fix refuses, where there is one.
    pub(super) fn rule(self) -> Option<Condition> {
        let above = self.fixable?;
        // With "none" as the highest, any flaw is meant, and the key is left out.
        let higher = Severity::ALL.into_iter().find(|s| *s > above);
        let at_least = higher.filter(|s| *s > Severity::Low);
        let flaws = FlawFilter { at_least, fixable: Some(true), ..FlawFilter::default() };
        Some(Condition { flaws: Some(flaws), ..Condition::default() })
    }
}

impl Flaws {
    /// The flaws of these images.
    pub(super) fn of(sights: &[Sight]) -> Self {
        let mut all: BTreeMap<String, BTreeSet<Flaw>> = BTreeMap::new();
        for sight in sights {
            let flaws = all.entry(sight.repository()).or_default();
            for evidence in sight.evidence() {
                let listed = evidence.snapshot.known_exploited.is_some();
                let findings = evidence.platforms.iter().flat_map(|p| &p.findings);
                flaws.extend(findings.map(|f| flaw(f, listed)));
            }
        }
        Self(all)
    }

    /// The strictest thresholds that all but `spared` repositories pass without exceptions. Flaws
    /// known to be exploited are left out: they need an exception whatever the threshold is.
    pub(super) fn bar(&self, spared: usize) -> Bar {
        let fits = |bar: Bar| self.stopped(bar).len() <= spared;
        let at = |highest, unrated_as| Bar { highest, unrated_as, fixable: None };
        let rungs = Severity::ALL.into_iter();
        let (most, refused) = (Severity::Critical, Severity::Critical);
        // A flaw that nobody rated counts as the worst, unless that leaves no threshold at all.
        let rated = rungs.clone().map(|s| at(s, refused)).find(|bar| fits(*bar));
        let begun = rated.filter(|bar| bar.highest < most).or_else(|| {
            let unrated = rungs.clone().filter(|s| (Severity::Low..most).contains(s));
            unrated.map(|s| at(s, s)).find(|bar| fits(*bar))
        });
        let with_fix = |bar: Bar| {
            let below = Severity::ALL.into_iter().filter(move |s| *s < bar.highest);
            below.map(|s| Bar { fixable: Some(s), ..bar }).find(|bar| fits(*bar)).unwrap_or(bar)
        };
        match begun {
            Some(bar) => with_fix(bar),
            None => {
                // Any flaw may run; perhaps not any that has a fix.
                let some = Severity::ALL.into_iter().rev().filter(|s| *s > Severity::Unknown);
                let all = some.map(|unrated| with_fix(at(most, unrated)));
                all.min_by_key(|bar| bar.fixable.unwrap_or(most)).unwrap_or(at(most, refused))
            }
        }
    }

    /// The repositories that need exceptions under these thresholds.
    pub(super) fn stopped(&self, bar: Bar) -> BTreeSet<&str> {
        let stopped = |flaws: &BTreeSet<Flaw>| flaws.iter().any(|f| !f.exploited && bar.stops(f));
        self.0.iter().filter(|(_, flaws)| stopped(flaws)).map(|(name, _)| name.as_str()).collect()
    }

    /// An exception for everything that stands in the way, for the repositories that have it.
    pub(super) fn exceptions(&self, bar: Bar, owner: &str, expires: Date) -> Vec<Exception> {
        let mut needed: BTreeMap<(&str, Option<&str>), Needed<'_>> = BTreeMap::new();
        for (repository, flaws) in &self.0 {
            for flaw in flaws.iter().filter(|f| f.exploited || bar.stops(f)) {
                let key = (flaw.id.as_str(), flaw.package.as_deref());
                let new = Needed { repositories: BTreeSet::new(), worst: flaw };
                let needed = needed.entry(key).or_insert(new);
                needed.repositories.insert(repository.clone());
                if flaw.rated > needed.worst.rated {
                    needed.worst = flaw;
                }
            }
        }
        let mut exceptions = Vec::new();
        for ((id, package), Needed { repositories, worst }) in needed {
            for part in patterns(&repositories).chunks(MOST_ENTRIES) {
                exceptions.push(Exception {
                    id: id.to_owned(),
                    package: package.map(str::to_owned),
                    reason: reason(worst),
                    owner: owner.to_owned(),
                    expires,
                    scope: Scope { repositories: part.to_vec(), ..Scope::default() },
                });
            }
        }
        exceptions
    }

    /// How many repositories there are.
    pub(super) fn repositories(&self) -> usize {
        self.0.len()
    }
}

fn flaw(finding: &Finding, listed: bool) -> Flaw {
    let fixed = finding.status == Status::Fixed;
    let package = finding.package.source_name();
    Flaw {
        id: finding.id.clone(),
        package: super::written(package).then(|| package.to_owned()),
        rated: finding.severity,
        fix: finding.fixed_versions.first().filter(|v| fixed && super::written(v)).cloned(),
        fixed,
        exploited: listed && finding.known_exploited,
    }
}

/// Why it is excepted, as far as a program can know.
fn reason(flaw: &Flaw) -> String {
    let rated = match flaw.rated {
        Severity::Unknown => "rated by nobody".to_owned(),
        Severity::Low | Severity::Medium | Severity::High | Severity::Critical => {
            flaw.rated.as_str().to_ascii_lowercase()
        }
    };
    let exploited = if flaw.exploited { ", known to be exploited" } else { "" };
    let fix = match (&flaw.fix, flaw.fixed) {
        (Some(version), _) => format!("fixed in {version}"),
        (None, true) => "with a known fix".to_owned(),
        (None, false) => "without a known fix".to_owned(),
    };
    format!("there when this policy was suggested; {rated}{exploited}, {fix}")
}
