//! Matching: inventory × advisories → findings, gaps, and the feeds that were used.
//!
//! Pure: the same inventory, advisories and time give the same answer. What could not be
//! matched is a [`Gap`]; a look-up that fails is an error, and then there is no answer at all.
//!
//! The rules that are ours to choose, each chosen so that nothing unexamined looks clean:
//!
//! - A version that cannot be compared (unparseable, or unidentified such as Go's `(devel)`) is
//!   a gap only where some advisory names the package: where none does, no version is affected.
//!   A version that an advisory lists letter by letter is affected even if it does not parse.
//! - An advisory that is partly unreadable is a gap only for a package of its name, and only
//!   while the same flaw is not found by another advisory or another part of it.
//! - A language package that belongs to an operating-system package is left to the
//!   distribution's judgement only if a feed covers the distribution *and* has advisories for
//!   the owner's source package. So a vendor's package that the distribution knows nothing of
//!   (and bundles Go or Python code) is still judged by the language's advisories.
//! - What a subscription brings (Ubuntu Pro) shows that a package is affected, but its fix is none
//!   that can be taken: it is named beside the range. A package that is such a build itself is
//!   judged by the subscription's advisory, where there is one of the flaw.
//! - Builds of another flavour than the plain one (for FIPS, for Ksplice) are judged by fixes of their
//!   own; where there are none, by whatever else tells, and else they are a gap: see [`flavours`].
//! - Where an image names the repositories that its packages come from, the products of these are
//!   looked up, and the main stream only where they say nothing of a flaw: see [`red_hat`].
//! - A release past its end of life is a gap unless its own stream is seen to be alive: see
//!   [`streams`].

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::Timestamp;
use crate::advisory::Advisories;
use crate::ecosystem::Stream;
use crate::evidence::FeedUse;
use crate::finding::{Diagnosis, Finding};
use crate::gap::{Gap, GapKind};
use crate::inventory::Inventory;
use crate::package::Package;
use crate::policy::today;

mod distributions;
mod explain;
mod explained;
mod extras;
mod fixes;
mod flavours;
mod flaws;
mod join;
mod judge;
mod memory;
mod names;
mod needed;
mod ranges;
mod rating;
mod red_hat;
mod signed;
mod streams;
mod vendors;

pub use distributions::suse;
pub use explained::{
    Answer, Because, Elsewhere, Explained, Explanation, LookedInto, NotAffected, Outcome,
};
pub use extras::amazon_extra;
pub use memory::MemoryAdvisories;
pub use needed::needed;
pub use red_hat::{
    main_product as red_hat_main, main_stream as red_hat, minor_stream as red_hat_minor,
    release_of as red_hat_release,
};
pub use streams::stale_feed;

use streams::Streams;

/// What matching found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Flaws, worst first, then by id and package.
    pub findings: Vec<Finding>,
    /// What could not be matched, sorted; the inventory's own gaps are not repeated here.
    pub gaps: Vec<Gap>,
    /// The feeds that cover the streams that were looked into, each once.
    pub feeds: Vec<FeedUse>,
}

/// A flaw that the language's advisories tell of a package, and that is left to the advisories of
/// the distribution that packaged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftTo {
    /// The distribution's package, by its name.
    pub owner: String,
    /// What the language's advisories say.
    pub finding: Finding,
}

/// Matches everything in the inventory against the advisories, as they stand at `now`. A feed
/// whose facts are more than `max_feed_age_days` old, or bear no date, is a gap where used.
///
/// # Errors
/// When a look-up fails: then nothing is known, and nothing is returned.
pub fn match_inventory<A: Advisories>(
    inventory: &Inventory,
    advisories: &A,
    now: Timestamp,
    max_feed_age_days: u32,
) -> Result<Matched, A::Error> {
    Matcher::new(advisories).inventory(inventory, now, max_feed_age_days)
}

/// Matches many inventories against the same advisories. What was found out about a package is
/// kept for the next inventory that has it, so its memory grows with the number of *distinct*
/// packages: make one for a run, not for the life of a server.
pub struct Matcher<'a, A: Advisories> {
    judge: judge::Judge<'a, A>,
}

impl<'a, A: Advisories> Matcher<'a, A> {
    /// Knows nothing yet.
    pub fn new(advisories: &'a A) -> Self {
        Self { judge: judge::Judge::new(advisories) }
    }

    /// As [`match_inventory`]: the answer does not depend on what was matched before.
    ///
    /// # Errors
    /// When a look-up fails: then nothing is known, and nothing is returned.
    pub fn inventory(
        &mut self,
        inventory: &Inventory,
        now: Timestamp,
        max_feed_age_days: u32,
    ) -> Result<Matched, A::Error> {
        let distribution = streams::of_distribution(inventory, self.judge.advisories)?;
        let mut sum = Sum { gaps: distribution.gaps.iter().cloned().collect(), ..Sum::default() };
        let mut newest = None;
        for LookUp { package, streams, left_to } in self.look_ups(inventory, &distribution)? {
            if left_to.is_some() {
                continue;
            }
            let judged = self.judge.package(package, streams)?;
            if package.kind.is_os() {
                newest = newest.max(judged.newest);
            }
            sum.add(package, &judged);
        }
        let advisories = self.judge.advisories;
        if let Some(named) = &inventory.distribution {
            let life = advisories.release_life(&named.id, &named.release)?;
            let covers = |s: &&Stream| advisories.covering(s).is_some();
            let free = |s: &&Stream| !distributions::is_beside(s);
            let covered = || distribution.streams().into_iter().filter(free).any(|s| covers(&s));
            let known = distributions::known(&named.id);
            let has_releases = known.is_none_or(distributions::Known::has_releases);
            // Of a release that nothing covers, that is said already.
            if life.is_none() && has_releases && covered() {
                sum.gaps.insert(Gap::new(
                    GapKind::UnknownEndOfLife,
                    format!("{} {}", named.id, named.release),
                    "no date is known until which this release is supported",
                ));
            }
            if let Some(end) = life.and_then(|life| life.end_of_life) {
                sum.gaps.extend(streams::end_of_life(named, end, newest, today(now)));
            }
        }
        for used in sum.feeds.values() {
            sum.gaps.extend(streams::stale_feed(used, today(now), max_feed_age_days));
        }
        Ok(sum.sorted())
    }

    /// What the languages' advisories say of packages that [`Matcher::inventory`] leaves to the
    /// distribution's: for people, who wonder where it went. Sorted as findings are.
    ///
    /// # Errors
    /// As [`Matcher::inventory`].
    pub fn left(&mut self, inventory: &Inventory) -> Result<Vec<LeftTo>, A::Error> {
        if inventory.packages.iter().all(|package| package.owner.is_none()) {
            return Ok(Vec::new());
        }
        let distribution = streams::of_distribution(inventory, self.judge.advisories)?;
        let mut left = Vec::new();
        for LookUp { package, streams, left_to } in self.look_ups(inventory, &distribution)? {
            let Some(owner) = left_to else { continue };
            let mut sum = Sum::default();
            sum.add(package, &*self.judge.package(package, streams)?);
            let of = |finding| LeftTo { owner: owner.name.clone(), finding };
            left.extend(sum.findings.into_iter().map(of));
        }
        left.sort_by(|a, b| worst_first(&a.finding, &b.finding));
        Ok(left)
    }

    /// Every package with where it is looked up: the distribution's first, then languages'.
    fn look_ups<'p>(
        &mut self,
        inventory: &'p Inventory,
        distribution: &'p streams::OfDistribution,
    ) -> Result<Vec<LookUp<'p>>, A::Error> {
        let os = || inventory.packages.iter().filter(|p| p.kind.is_os());
        let look_up = |package: &'p Package| {
            let streams = distribution.streams_for(package.kind);
            LookUp { package, streams, left_to: None }
        };
        let mut all: Vec<LookUp<'p>> = os().map(look_up).collect();
        let owners: HashMap<&str, &Package> = os().map(|p| (&*p.name, p)).collect();
        for package in inventory.packages.iter().filter(|p| !p.kind.is_os()) {
            let mut left_to = None;
            if let Some(owner) = package.owner.as_deref().and_then(|o| owners.get(o))
                && self.judge.knows(owner, distribution.streams_for(owner.kind))?
            {
                left_to = Some(*owner);
            }
            let streams = streams::of_language(package.kind);
            all.push(LookUp { package, streams, left_to });
        }
        Ok(all)
    }
}

/// Where a package is looked up.
struct LookUp<'p> {
    package: &'p Package,
    /// The streams that speak of it.
    streams: Streams<'p>,
    /// Of a language's package: the distribution's that it is left to.
    left_to: Option<&'p Package>,
}

/// What comes of one inventory's packages.
#[derive(Default)]
struct Sum {
    feeds: BTreeMap<String, FeedUse>,
    gaps: BTreeSet<Gap>,
    findings: Vec<Finding>,
}

impl Sum {
    fn add(&mut self, package: &Package, judged: &judge::Judged) {
        for used in &judged.feeds {
            if !self.feeds.contains_key(&used.feed) {
                self.feeds.insert(used.feed.clone(), used.clone());
            }
        }
        self.gaps.extend(judged.gaps.iter().cloned());
        if judged.findings.is_empty() {
            return;
        }
        let package = Arc::new(package.clone());
        let ours = |flaw: &Arc<Diagnosis>| Finding::new(Arc::clone(&package), Arc::clone(flaw));
        self.findings.extend(judged.findings.iter().map(ours));
    }

    /// Worst first, then by id and package.
    fn sorted(mut self) -> Matched {
        self.findings.sort_by(worst_first);
        Matched {
            findings: self.findings,
            gaps: self.gaps.into_iter().collect(),
            feeds: self.feeds.into_values().collect(),
        }
    }
}

/// Worst first, then by id and package.
fn worst_first(a: &Finding, b: &Finding) -> Ordering {
    let worse = b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id));
    worse.then_with(|| a.package.cmp(&b.package))
}
