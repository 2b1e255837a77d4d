//! What differs between the evidence of one image by two snapshots, and what a judgement rests on.

use std::collections::BTreeMap;

use cleanbill_core::advisory::Epss;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::gap::Gap;
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Judgement, Verdict};

/// The most flaws and gaps that are kept of one image, each.
pub const MOST: usize = 200;

/// A flaw of one package, by one advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The flaw's id.
    pub id: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub status: Status,
    /// The versions with a fix.
    pub fixed: Vec<String>,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// How likely it is to be exploited.
    pub epss: Option<Epss>,
    /// The feed that says so.
    pub feed: String,
}

impl Flaw {
    fn of(finding: &Finding) -> Self {
        Self {
            id: finding.id.clone(),
            package: finding.package.name.clone(),
            version: finding.package.version.clone(),
            severity: finding.severity,
            status: finding.status,
            fixed: finding.fixed_versions.clone(),
            exploited: finding.known_exploited,
            epss: finding.epss,
            feed: finding.why.feed.clone(),
        }
    }

    fn key(&self) -> (String, String, String) {
        (self.id.clone(), self.package.clone(), self.version.clone())
    }

    /// The same but for its score, which is another every day.
    fn is_as(&self, other: &Self) -> bool {
        Self { epss: None, ..self.clone() } == Self { epss: None, ..other.clone() }
    }
}

/// What differs. Each list has [`MOST`] entries at most; `more` counts the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Flaws that are new.
    pub new: Vec<Flaw>,
    /// Flaws that are gone.
    pub gone: Vec<Flaw>,
    /// Flaws of which something else is said: then, and now.
    pub changed: Vec<(Flaw, Flaw)>,
    /// Gaps that are new.
    pub new_gaps: Vec<Gap>,
    /// Gaps that are gone.
    pub gone_gaps: Vec<Gap>,
    /// What is in none of the lists for want of room.
    pub more: usize,
}

impl Difference {
    /// Between then and now.
    pub(super) fn between(then: &[Evidence], now: &[Evidence]) -> Self {
        let (before, after) = (flaws(then), flaws(now));
        let mut all = Self::default();
        for (key, flaw) in &after {
            match before.get(key) {
                None => all.new.push(flaw.clone()),
                Some(was) if !was.is_as(flaw) => all.changed.push((was.clone(), flaw.clone())),
                Some(_) => {}
            }
        }
        let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
        all.gone = gone.map(|(_, flaw)| flaw.clone()).collect();
        let (before, after) = (gaps(then), gaps(now));
        all.new_gaps = after.iter().filter(|gap| !before.contains(gap)).cloned().collect();
        all.gone_gaps = before.into_iter().filter(|gap| !after.contains(gap)).collect();
        let worse = |f: &Flaw| std::cmp::Reverse(f.severity);
        all.new.sort_by_key(worse);
        all.gone.sort_by_key(worse);
        let Self { new, gone, changed, new_gaps, gone_gaps, more } = &mut all;
        *more += cut(new) + cut(gone) + cut(changed) + cut(new_gaps) + cut(gone_gaps);
        all
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How many had no room.
fn cut<T>(list: &mut Vec<T>) -> usize {
    let more = list.len().saturating_sub(MOST);
    list.truncate(MOST);
    list.shrink_to_fit();
    more
}

fn flaws(all: &[Evidence]) -> BTreeMap<(String, String, String), Flaw> {
    let findings = all.iter().flat_map(|e| &e.platforms).flat_map(|p| &p.findings);
    findings.map(Flaw::of).map(|flaw| (flaw.key(), flaw)).collect()
}

fn gaps(all: &[Evidence]) -> Vec<Gap> {
    let platforms = all.iter().flat_map(|e| &e.platforms).flat_map(|p| &p.gaps);
    let mut gaps: Vec<Gap> = platforms.chain(all.iter().flat_map(|e| &e.gaps)).cloned().collect();
    gaps.sort();
    gaps.dedup();
    gaps
}

/// What an outcome rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// The rules that refuse.
    pub rules: Vec<String>,
    /// The flaws for which they do.
    pub flaws: Vec<Flaw>,
    /// The gaps for which they do.
    pub gaps: Vec<Gap>,
}

impl Grounds {
    /// Those of a judgement on one image.
    pub(super) fn of(judgement: &Judgement) -> Self {
        let mut all = Self::default();
        let (Verdict::Deny(denial) | Verdict::Undecided(denial)) = &judgement.verdict else {
            return all;
        };
        for reason in denial.refused.iter().flat_map(|(_, reasons)| reasons) {
            all.rules.push(reason.rule().to_owned());
            let (findings, gaps) = reason.rests_on();
            all.flaws.extend(findings.into_iter().map(Flaw::of));
            all.gaps.extend(gaps.into_iter().cloned());
        }
        all
    }

    /// What is in these and not in the others, each once, [`MOST`] flaws and gaps at most.
    pub(super) fn without(&self, others: &Self) -> Self {
        let mut left = Self::default();
        for rule in self.rules.iter().filter(|r| !others.rules.contains(r)) {
            if !left.rules.contains(rule) {
                left.rules.push(rule.clone());
            }
        }
        let known: Vec<_> = others.flaws.iter().map(Flaw::key).collect();
        for flaw in self.flaws.iter().filter(|f| !known.contains(&f.key())) {
            if left.flaws.len() < MOST && !left.flaws.contains(flaw) {
                left.flaws.push(flaw.clone());
            }
        }
        for gap in self.gaps.iter().filter(|g| !others.gaps.contains(g)) {
            if left.gaps.len() < MOST && !left.gaps.contains(gap) {
                left.gaps.push(gap.clone());
            }
        }
        left
    }
}
