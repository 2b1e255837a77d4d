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
//! - A release past its end of life is a gap unless its own stream is seen to be alive: see
//!   [`streams`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use crate::Timestamp;
use crate::advisory::{Advisories, Advisory};
use crate::ecosystem::Stream;
use crate::evidence::FeedUse;
use crate::finding::{Finding, Why};
use crate::gap::{Gap, GapKind};
use crate::inventory::Inventory;
use crate::package::Package;
use crate::version::{Scheme, Version};

mod flaws;
mod memory;
mod names;
mod ranges;
mod rating;
mod streams;

pub use memory::MemoryAdvisories;
pub use streams::stale_feed;

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
    let mut run = Run {
        advisories,
        looked_up: HashMap::new(),
        feeds: BTreeMap::new(),
        gaps: BTreeSet::new(),
        findings: Vec::new(),
    };
    let distribution = streams::of_distribution(inventory);
    run.gaps.extend(distribution.gaps.iter().cloned());
    for package in inventory.packages.iter().filter(|p| p.kind.is_os()) {
        run.judge(package, distribution.streams_for(package.kind))?;
    }
    let owners: HashMap<&str, &Package> =
        inventory.packages.iter().filter(|p| p.kind.is_os()).map(|p| (&*p.name, p)).collect();
    for package in inventory.packages.iter().filter(|p| !p.kind.is_os()) {
        let owner = package.owner.as_deref().and_then(|o| owners.get(o));
        let left_to_distribution = match owner {
            Some(owner) => run.knows(owner, distribution.streams_for(owner.kind))?,
            None => false,
        };
        if !left_to_distribution {
            run.judge(package, streams::of_language(package.kind))?;
        }
    }
    let releases = distribution.streams();
    if let Some(named) = &inventory.distribution
        // Of a release that nothing covers, that is said already.
        && releases.iter().any(|stream| advisories.covering(stream).is_some())
        && advisories.release_life(&named.id, &named.release)?.is_none()
    {
        run.gaps.insert(Gap::new(
            GapKind::UnknownEndOfLife,
            format!("{} {}", named.id, named.release),
            "no date is known until which this release is supported",
        ));
    }
    if let Some(named) = &inventory.distribution
        && let Some(life) = advisories.release_life(&named.id, &named.release)?
        && let Some(end) = life.end_of_life
    {
        let in_release = run.looked_up.iter().filter(|((s, _), _)| releases.contains(&s));
        let newest =
            in_release.flat_map(|(_, found)| found.iter()).filter_map(|a| a.published).max();
        run.gaps.extend(streams::end_of_life(named, end, newest, now));
    }
    for used in run.feeds.values() {
        run.gaps.extend(streams::stale_feed(used, now, max_feed_age_days));
    }
    run.findings.sort_by(|a, b| {
        let key = |f: &Finding| (std::cmp::Reverse(f.severity), f.id.clone());
        key(a).cmp(&key(b)).then_with(|| a.package.cmp(&b.package))
    });
    Ok(Matched {
        findings: run.findings,
        gaps: run.gaps.into_iter().collect(),
        feeds: run.feeds.into_values().collect(),
    })
}

/// One run: what was looked up so far, and what came of it.
struct Run<'a, A: Advisories> {
    advisories: &'a A,
    looked_up: HashMap<(Stream, String), Rc<[Advisory]>>,
    feeds: BTreeMap<String, FeedUse>,
    gaps: BTreeSet<Gap>,
    findings: Vec<Finding>,
}

impl<A: Advisories> Run<'_, A> {
    /// Whether a feed covers one of the streams and has advisories for this package's source.
    fn knows(&mut self, package: &Package, streams: &[Stream]) -> Result<bool, A::Error> {
        let name = names::looked_up(package);
        for stream in streams {
            if self.advisories.covering(stream).is_some()
                && !self.look_up(stream, &name)?.is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn look_up(&mut self, stream: &Stream, name: &str) -> Result<Rc<[Advisory]>, A::Error> {
        let key = (stream.clone(), name.to_owned());
        if let Some(known) = self.looked_up.get(&key) {
            return Ok(Rc::clone(known));
        }
        let found: Rc<[Advisory]> = self.advisories.lookup(stream, name)?.into();
        self.looked_up.insert(key, Rc::clone(&found));
        Ok(found)
    }

    /// Judges one package in the streams that speak of it. `streams` are other names of one
    /// release: the package is examined if any of them is covered.
    fn judge(&mut self, package: &Package, streams: &[Stream]) -> Result<(), A::Error> {
        let Some(first) = streams.first() else { return Ok(()) };
        if names::is_no_module(package) {
            return Ok(());
        }
        let name = names::looked_up(package);
        let mut found: Vec<(Why, Rc<[Advisory]>)> = Vec::new();
        let mut scheme = None;
        for stream in streams {
            let (Some(feed), Some(order)) =
                (self.advisories.covering(stream), stream.ecosystem.scheme())
            else {
                continue;
            };
            scheme = Some(order);
            let used = FeedUse { feed: feed.id.clone(), as_of: feed.as_of };
            let why = Why {
                feed: feed.id.clone(),
                stream: stream.clone(),
                looked_up: name.clone(),
                compared: names::compared(package).to_owned(),
                range: String::new(),
            };
            self.feeds.insert(used.feed.clone(), used);
            found.push((why, self.look_up(stream, &name)?));
        }
        match scheme {
            Some(scheme) => {
                let each = found.iter().flat_map(|(why, list)| list.iter().map(move |a| (why, a)));
                let each = each.filter(|(_, advisory)| names::concerns(advisory, package));
                self.settle(package, scheme, &each.collect::<Vec<_>>())?;
            }
            None => {
                self.gaps.insert(streams::not_covered(first));
            }
        }
        Ok(())
    }

    /// Compares the package with all advisories that name it.
    fn settle(
        &mut self,
        package: &Package,
        scheme: Scheme,
        found: &[(&Why, &Advisory)],
    ) -> Result<(), A::Error> {
        if found.is_empty() {
            return Ok(());
        }
        let text = names::compared(package);
        let about = format!("{} {text}", package.name);
        let version = if let Some(why) = names::unidentified(package) {
            self.gaps.insert(Gap::new(GapKind::UnidentifiedVersion, about.trim(), why));
            None
        } else {
            match Version::parse(scheme, text) {
                Ok(version) => Some(version),
                Err(why) => {
                    let detail = format!(
                        "{why}, so it could not be compared with {} advisories",
                        found.len()
                    );
                    self.gaps.insert(Gap::new(GapKind::UnparseableVersion, about, detail));
                    None
                }
            }
        };
        let installed = ranges::Installed { scheme, text, version };
        for flaw in flaws::join(found) {
            match flaws::judge(&flaw, &installed) {
                flaws::Judgement::Affected(affected) => {
                    let facts = |id: &str| self.advisories.flaw(id);
                    let finding = affected.finding(package, &flaw, facts)?;
                    self.findings.push(finding);
                }
                flaws::Judgement::NotAffected => {}
                flaws::Judgement::Unreadable(id, why) => {
                    let detail = format!("concerns {} {text}: {why}", package.name);
                    self.gaps.insert(Gap::new(GapKind::UnreadableAdvisory, id, detail));
                }
            }
        }
        Ok(())
    }
}
