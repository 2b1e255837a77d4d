//! Why an image has a flaw, or why not: what the matcher asked about one id, answer by answer.
//!
//! Nothing is judged here that [`Matcher::inventory`] does not judge in the same way: packages are
//! looked up, joined and compared by the same functions, and a reason only says which of their
//! comparisons kept a version out of a range.

use std::collections::{BTreeMap, BTreeSet};

use crate::advisory::{Advisories, Advisory, FlawFacts, RangeEnd, State};
use crate::ecosystem::{Ecosystem, Stream, Suffix};
use crate::evidence::FeedUse;
use crate::finding::{Finding, Why};
use crate::gap::{Gap, GapKind};
use crate::inventory::Inventory;
use crate::package::Package;
use crate::version::Scheme;

use super::explained::{
    Because, Elsewhere, Explained, Explanation, LookedInto, NotAffected, Outcome,
};
use super::ranges::{self, Installed, Place};
use super::streams::Streams;
use super::{LookUp, Matcher, flavours, flaws, judge, names, streams};

impl<A: Advisories> Matcher<'_, A> {
    /// Explains what the advisories about an id (a CVE, an alias or an erratum, in any case) mean
    /// for the image. `gaps` is all that was not examined of it, the matcher's included; those
    /// that do not bear on the id are left out of the answer.
    ///
    /// Other releases than the image's own judge nothing; where no package is named, it is told which
    /// of them have the id under a name of the image's packages.
    ///
    /// # Errors
    /// When a look-up fails: then nothing is known, and nothing is returned.
    pub fn explain(
        &mut self,
        inventory: &Inventory,
        gaps: &[Gap],
        id: &str,
    ) -> Result<Explanation, A::Error> {
        let distribution = streams::of_distribution(inventory, self.judge.advisories)?;
        let mut packages = Vec::new();
        let mut asked: BTreeMap<&Stream, BTreeSet<String>> = BTreeMap::new();
        // Gaps of matching about packages and advisories, which may be others than the id's.
        let mut beside: BTreeSet<Gap> = BTreeSet::new();
        for LookUp { package, streams, left_to } in self.look_ups(inventory, &distribution)? {
            let about = self.package(package, streams, id)?;
            if let Some(owner) = left_to {
                packages.extend(about.into_iter().map(|one| {
                    let (owner, otherwise) = (owner.name.clone(), Box::new(one.outcome));
                    let outcome = Outcome::LeftToDistribution { owner, otherwise };
                    Explained { outcome, ..one }
                }));
                continue;
            }
            packages.extend(about);
            let speaks = |stream: &&Stream| {
                judge::is_looked_up(package, streams) && flavours::speaks_of(stream, package)
            };
            for stream in streams.all.iter().filter(speaks) {
                asked.entry(stream).or_default().insert(names::looked_up(package));
            }
            beside.extend(self.judge.package(package, streams)?.gaps.iter().cloned());
        }
        let ours: BTreeSet<Gap> =
            packages.iter().filter_map(|p| p.outcome.gap()).cloned().collect();
        beside.retain(|gap| hides(gap.kind) == Hides::OneMatch && !inventory.gaps.contains(gap));
        let bear = gaps
            .iter()
            .filter(|gap| hides(gap.kind) != Hides::Nothing && !beside.contains(gap))
            .cloned();
        let gaps: BTreeSet<Gap> = bear.chain(ours).collect();
        let elsewhere = match packages.is_empty() {
            true => self.elsewhere(inventory, &asked, id)?,
            false => Vec::new(),
        };
        let streams = asked.into_iter().map(|(stream, names)| LookedInto {
            feed: self.covering(stream),
            stream: stream.clone(),
            names: names.len(),
        });
        Ok(Explanation {
            packages,
            streams: streams.collect(),
            elsewhere,
            known: self.known(id)?,
            gaps: gaps.into_iter().collect(),
        })
    }

    /// Looks for the id in the streams of the same distributions that the image's packages are not
    /// looked up in, under the names that they are looked up by.
    fn elsewhere(
        &self,
        inventory: &Inventory,
        asked: &BTreeMap<&Stream, BTreeSet<String>>,
        id: &str,
    ) -> Result<Vec<Elsewhere>, A::Error> {
        let advisories = self.judge.advisories;
        let ecosystems: BTreeSet<Ecosystem> = asked.keys().map(|s| s.ecosystem).collect();
        let is_other = |stream: &&Stream| {
            let suffix = stream.ecosystem.suffix();
            suffix == Suffix::Release
                && ecosystems.contains(&stream.ecosystem)
                && !asked.contains_key(stream)
        };
        let feeds = advisories.feeds().iter();
        let others: BTreeSet<&Stream> = feeds.flat_map(|f| &f.streams).filter(is_other).collect();
        let mut names = BTreeSet::new();
        for package in inventory.packages.iter().filter(|package| package.kind.is_os()) {
            names.extend([names::looked_up(package), package.source_name().to_owned()]);
        }
        let mut found = Vec::new();
        for name in names {
            let mut streams = Vec::new();
            for stream in &others {
                if advisories.lookup(stream, &name)?.iter().any(|a| has_id(a, id)) {
                    streams.push((*stream).clone());
                }
            }
            if !streams.is_empty() {
                found.push(Elsewhere { name, streams });
            }
        }
        Ok(found)
    }

    fn covering(&self, stream: &Stream) -> Option<FeedUse> {
        let feed = self.judge.advisories.covering(stream).filter(|_| stream.scheme().is_some())?;
        Some(FeedUse { feed: feed.id.clone(), as_of: feed.as_of })
    }

    /// What is known of the id as it is written, else of it in capitals, as a CVE is.
    fn known(&self, id: &str) -> Result<FlawFacts, A::Error> {
        let known = self.judge.advisories.flaw(id)?;
        match known == FlawFacts::default() {
            true => self.judge.advisories.flaw(&id.to_ascii_uppercase()),
            false => Ok(known),
        }
    }

    /// What the id's advisories mean for one package; empty: they do not name it.
    fn package(
        &mut self,
        package: &Package,
        streams: Streams<'_>,
        id: &str,
    ) -> Result<Vec<Explained>, A::Error> {
        let found = self.judge.find(package, streams)?;
        let Some(scheme) = found.scheme else { return Ok(Vec::new()) };
        let streams = streams.of_package(package);
        let named = |flaw: &flaws::Flaw<'_>| flaw.iter().any(|(_, a)| has_id(a, id));
        let (ours, others): (Vec<_>, Vec<_>) =
            found.each().partition(|(_, advisory)| names::concerns(advisory, package));
        let about = |outcome, flaw: &flaws::Flaw<'_>| {
            let (id, _) = flaws::ids(flaw);
            Explained { package: package.clone(), id, outcome }
        };
        let mut explained = Vec::new();
        for flaw in flaws::join(&ours, streams).iter().filter(|flaw| named(flaw)) {
            let outcome = match names::is_no_kernel(package) {
                true => Outcome::NotAffected(flaw.iter().map(no_kernel).collect()),
                false => self.outcome(package, scheme, flaw, ours.len())?,
            };
            explained.push(about(outcome, flaw));
        }
        for flaw in flaws::join(&others, streams).iter().filter(|flaw| named(flaw)) {
            let (id, _) = flaws::ids(flaw);
            // Where some of its advisories do concern the package, those have answered.
            if !explained.iter().any(|one: &Explained| one.id == id) {
                let all = flaw.iter().map(|(why, advisory)| elsewhere(why, advisory));
                explained.push(about(Outcome::NotAffected(all.collect()), flaw));
            }
        }
        Ok(explained)
    }

    fn outcome(
        &self,
        package: &Package,
        scheme: Scheme,
        flaw: &flaws::Flaw<'_>,
        advisories: usize,
    ) -> Result<Outcome, A::Error> {
        let (installed, gap) = judge::installed(package, scheme, advisories);
        Ok(match flaws::judge(flaw, &installed) {
            flaws::Judgement::Affected(affected) => {
                let facts = |id: &str| self.judge.advisories.flaw(id);
                Outcome::Affected(Finding::new(package.clone(), affected.diagnosis(flaw, facts)?))
            }
            flaws::Judgement::Unreadable(id, why) => {
                Outcome::Unreadable(judge::unreadable(package, id, &why))
            }
            flaws::Judgement::NotAffected => match gap {
                Some(gap) => Outcome::NotCompared(gap),
                None => Outcome::NotAffected(reasons(flaw, &installed)),
            },
        })
    }
}

fn has_id(advisory: &Advisory, id: &str) -> bool {
    let ids = std::iter::once(&advisory.id).chain(&advisory.aliases).chain(&advisory.errata);
    ids.into_iter().any(|one| one.eq_ignore_ascii_case(id))
}

/// The reason of an advisory that is about other packages of the same name.
fn elsewhere(why: &Why, advisory: &Advisory) -> NotAffected {
    let (arches, module) = (advisory.arches.clone(), advisory.module.clone());
    let because = Because::OtherPackages { arches, module };
    NotAffected { id: advisory.id.clone(), why: why.clone(), because }
}

/// The reason of a package that is built from the kernel's source.
fn no_kernel((why, advisory): &(&Why, &Advisory)) -> NotAffected {
    NotAffected { id: advisory.id.clone(), why: (*why).clone(), because: Because::NoKernel }
}

/// Why each advisory of a flaw, already judged not to affect the version, does not.
fn reasons(flaw: &flaws::Flaw<'_>, installed: &Installed<'_>) -> Vec<NotAffected> {
    let mut all = Vec::new();
    for (why, advisory) in flaw {
        let mut reason = |range: String, because| {
            let why = Why { range, ..(*why).clone() };
            all.push(NotAffected { id: advisory.id.clone(), why, because });
        };
        if advisory.state == State::NotAffected {
            reason(String::new(), Because::SaidSo);
            continue;
        }
        for range in &advisory.ranges {
            let Some(version) = installed.of(advisory) else { continue };
            let because =
                match (ranges::place(advisory, range, version, installed.scheme), &range.end) {
                    (Ok(Place::Nowhere), _) => Because::SaidSo,
                    (Ok(Place::Before), _) => {
                        Because::BeforeFirst(range.introduced.clone().unwrap_or_default())
                    }
                    (Ok(Place::Past), RangeEnd::Fixed(fixed)) => Because::Fixed(fixed.clone()),
                    (Ok(Place::Past), RangeEnd::LastAffected(last)) => {
                        Because::AfterLast(last.clone())
                    }
                    (Ok(Place::Past), RangeEnd::Before(end)) => Because::NotBelow(end.clone()),
                    (Ok(Place::Inside), RangeEnd::Fixed(fixed))
                        if flavours::is_other(range, installed) =>
                    {
                        Because::OtherFlavour(fixed.clone())
                    }
                    // What was judged not affected lies in no other range, and all were read.
                    (Ok(Place::Past), RangeEnd::Open) | (Ok(Place::Inside) | Err(_), _) => continue,
                };
            reason(ranges::shown(range), because);
        }
        match (advisory.versions.len(), advisory.ranges.is_empty()) {
            (0, true) => reason(String::new(), Because::NothingNamed),
            (0, false) => {}
            (listed, _) => reason(String::new(), Because::NotListed(listed)),
        }
    }
    all
}

/// What a gap of one kind may hide.
#[derive(PartialEq, Eq)]
enum Hides {
    /// Flaws of one package, or what one advisory says, where matching made it; else any flaw.
    OneMatch,
    /// Any flaw.
    Anything,
    /// None: it is about the image's name, its configuration, or others' opinions.
    Nothing,
}

fn hides(kind: GapKind) -> Hides {
    match kind {
        GapKind::UnparseableVersion
        | GapKind::UnidentifiedVersion
        | GapKind::UnreadableAdvisory => Hides::OneMatch,
        GapKind::UnknownDistribution
        | GapKind::NoAdvisorySource
        | GapKind::EndOfLife
        | GapKind::UnknownEndOfLife
        | GapKind::StaleFeed
        | GapKind::UnreadableDatabase
        | GapKind::NothingRecognised
        | GapKind::OverLimit
        | GapKind::ForeignLayer
        | GapKind::EncryptedLayer
        | GapKind::UnknownLayerType
        | GapKind::UnresolvedLink
        | GapKind::PlatformNotExamined
        | GapKind::UnexaminedRegistration => Hides::Anything,
        GapKind::MutableReference | GapKind::CheckerSilent | GapKind::UnknownImageFact => {
            Hides::Nothing
        }
    }
}
