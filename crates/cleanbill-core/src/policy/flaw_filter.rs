//! Which flaws a rule means, and whether an image has so many of them.
//!
//! What the advisories tell of a flaw, whatever package has it (whether it is exploited, how likely
//! that is), they may also not tell. Then the flaw may be meant or not, and where the answer hangs
//! on it, it is a gap.

use serde::{Deserialize, Serialize};

use super::condition::{Against, Because, Part, age};
use crate::evidence::FeedUse;
use crate::finding::{Finding, Status};
use crate::gap::{Gap, GapKind};
use crate::glob::Glob;
use crate::matching::stale_feed;
use crate::severity::Severity;

/// Which flaws are meant; the default means all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlawFilter {
    /// Of this severity or a higher one.
    pub at_least: Option<Severity>,
    /// With a known fix, or (false) without.
    pub fixable: Option<bool>,
    /// Whose fix has been there for so many days. No feed dates fixes: the day on which the flaw
    /// was published is taken, which is never later; a flaw without a date is old enough.
    pub fix_older_than_days: Option<u32>,
    /// Known to be exploited.
    pub known_exploited: bool,
    /// With at least this probability to be exploited within 30 days (EPSS), in hundred-thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<u32>,
    /// With at least this percentile among all scored flaws (EPSS), in hundred-thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss_percentile: Option<u32>,
    /// With one of these values for each of these CVSS metrics. A flaw whose vector does not say
    /// counts as if it had them.
    pub cvss: Vec<(String, Vec<String>)>,
    /// In a package of one of these names (or source names).
    pub packages: Vec<Glob>,
    /// With one of these ids.
    pub ids: Vec<String>,
    /// At least so many of them; 0 is as good as 1.
    pub count: usize,
}

/// Whether one flaw is meant.
enum Meant {
    No,
    Yes,
    /// It hangs on what nobody told.
    Perhaps(Vec<Gap>),
}

impl FlawFilter {
    pub(super) fn held(&self, against: &Against<'_>) -> Part {
        let (mut sure, mut perhaps, mut gaps) = (Vec::new(), 0_usize, Vec::new());
        for finding in against.findings.iter().copied().filter(|f| self.matches(f, against)) {
            match self.told(finding, against) {
                Meant::No => {}
                Meant::Yes => sure.push(finding),
                Meant::Perhaps(untold) => {
                    perhaps += 1;
                    gaps.extend(untold);
                }
            }
        }
        let enough = |found: usize| found >= self.count.max(1);
        if enough(sure.len()) {
            sure.sort_by_key(|f| {
                std::cmp::Reverse((against.policy.counts_as(f), f.known_exploited))
            });
            return Ok(Some(Because::Flaws(sure.into_iter().cloned().collect())));
        }
        if !enough(sure.len().saturating_add(perhaps)) {
            return Ok(None);
        }
        gaps.sort();
        gaps.dedup();
        Err(gaps)
    }

    /// All that the flaw and its package tell by themselves.
    fn matches(&self, finding: &Finding, against: &Against<'_>) -> bool {
        let id = |id: &String| self.ids.iter().any(|wanted| wanted.eq_ignore_ascii_case(id));
        let package = |g: &Glob| finding.package.is_named(g);
        self.at_least.is_none_or(|least| against.policy.counts_as(finding) >= least)
            && self.fixable.is_none_or(|wanted| wanted == (finding.status == Status::Fixed))
            && self.fix_older_than_days.is_none_or(|days| {
                finding.status == Status::Fixed
                    && finding
                        .published
                        .is_none_or(|day| age(day, against.clock.today()) >= i64::from(days))
            })
            && (self.packages.is_empty() || self.packages.iter().any(package))
            && (self.ids.is_empty() || id(&finding.id) || finding.aliases.iter().any(id))
            && self.cvss.iter().all(|(metric, values)| has_metric(finding, metric, values))
    }

    /// What the advisories tell of the flaw, whatever package has it.
    fn told(&self, finding: &Finding, against: &Against<'_>) -> Meant {
        let parts = [self.exploited(finding, against), self.likely(finding, against)];
        let mut untold = Vec::new();
        for part in parts {
            match part {
                Meant::No => return Meant::No,
                Meant::Yes => {}
                Meant::Perhaps(gaps) => untold.extend(gaps),
            }
        }
        if untold.is_empty() { Meant::Yes } else { Meant::Perhaps(untold) }
    }

    fn exploited(&self, finding: &Finding, against: &Against<'_>) -> Meant {
        if !self.known_exploited {
            return Meant::Yes;
        }
        let Some(feed) = &against.snapshot.known_exploited else {
            let why = "the advisories do not say which flaws are known to be exploited";
            return perhaps(Gap::new(GapKind::NoAdvisorySource, "known-exploited", why));
        };
        // What an old list has is still true; what it has not proves nothing.
        match finding.known_exploited {
            true => Meant::Yes,
            false => unless_stale(feed, against),
        }
    }

    fn likely(&self, finding: &Finding, against: &Against<'_>) -> Meant {
        if self.epss.is_none() && self.epss_percentile.is_none() {
            return Meant::Yes;
        }
        let reaches = |least: Option<u32>, score: u32| least.is_none_or(|least| score >= least);
        // A score that is high enough refuses however old it is; a low one may have risen.
        if let Some(score) = finding.epss
            && reaches(self.epss, score.probability)
            && reaches(self.epss_percentile, score.percentile)
        {
            return Meant::Yes;
        }
        let Some(feed) = &against.snapshot.epss else {
            let why = "the advisories do not say how likely flaws are to be exploited";
            return perhaps(Gap::new(GapKind::NoAdvisorySource, "epss", why));
        };
        match (finding.epss, unless_stale(feed, against)) {
            (None, Meant::No) => {
                let subject = format!("epss:{}", finding.id);
                let why = "the EPSS feed has no score for this flaw";
                perhaps(Gap::new(GapKind::NoAdvisorySource, subject, why))
            }
            (_, told) => told,
        }
    }
}

fn perhaps(gap: Gap) -> Meant {
    Meant::Perhaps(vec![gap])
}

/// No, if the feed that says so is new enough.
fn unless_stale(feed: &FeedUse, against: &Against<'_>) -> Meant {
    stale_feed(feed, against.clock.today(), against.policy.max_feed_age_days)
        .map_or(Meant::No, perhaps)
}

/// Whether the flaw's vector has one of the values for the metric, or does not say.
fn has_metric(finding: &Finding, metric: &str, values: &[String]) -> bool {
    // A vector of CVSS 2 has no version in front, and other values under the same names.
    let vectors = finding.cvss.iter().filter(|vector| vector.starts_with("CVSS:"));
    let said = vectors.flat_map(|vector| vector.split('/')).find_map(|part| {
        let (name, value) = part.split_once(':')?;
        (name == metric).then_some(value)
    });
    said.is_none_or(|said| values.iter().any(|v| v == said))
}
