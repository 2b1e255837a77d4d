//! What one package's advisories say of it, found out once for every inventory that has it.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::Timestamp;
use crate::advisory::{Advisories, Advisory};
use crate::ecosystem::Stream;
use crate::evidence::FeedUse;
use crate::finding::{Diagnosis, Why};
use crate::gap::{Gap, GapKind};
use crate::package::{Package, PackageKind};
use crate::version::{Scheme, Version};

use super::streams::Streams;
use super::{distributions, extras, flavours, flaws, names, ranges, red_hat, streams};

/// What was found out about a package.
#[derive(Default)]
pub(super) struct Judged {
    /// The feeds that were looked into.
    pub(super) feeds: Vec<FeedUse>,
    pub(super) gaps: Vec<Gap>,
    /// The flaws that it has, wherever it lies.
    pub(super) findings: Vec<Arc<Diagnosis>>,
    /// When the newest of the advisories that name it was published.
    pub(super) newest: Option<Timestamp>,
}

/// Hashed in a quick way: most of what is asked for here is asked for once.
type Quick<K, V> = HashMap<K, V, RandomState>;

/// What was found out, by streams, then by [`key`].
type ByStreams = Quick<Vec<Stream>, Quick<String, Rc<Judged>>>;

/// Looks up, compares, and remembers.
pub(super) struct Judge<'a, A: Advisories> {
    pub(super) advisories: &'a A,
    looked_up: Quick<Stream, Quick<String, Rc<[Advisory]>>>,
    /// By how many of the streams stand in.
    judged: Quick<usize, ByStreams>,
    /// The key that is being looked for.
    key: String,
}

impl<'a, A: Advisories> Judge<'a, A> {
    pub(super) fn new(advisories: &'a A) -> Self {
        let (looked_up, judged) = (HashMap::default(), HashMap::default());
        Self { advisories, looked_up, judged, key: String::new() }
    }

    /// Whether a feed covers one of the streams and has advisories that concern this package, which
    /// is the distribution's own.
    pub(super) fn knows(
        &mut self,
        package: &Package,
        streams: Streams<'_>,
    ) -> Result<bool, A::Error> {
        if streams.all.first().is_some_and(|stream| foreign(package, stream).is_some()) {
            return Ok(false);
        }
        for stream in streams.all {
            if self.advisories.covering(stream).is_none() {
                continue;
            }
            for (_, list) in self.about(stream, package)? {
                if list.iter().any(|a| names::concerns(a, package)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn look_up(&mut self, stream: &Stream, name: &str) -> Result<Rc<[Advisory]>, A::Error> {
        if let Some(known) = self.looked_up.get(stream).and_then(|names| names.get(name)) {
            return Ok(Rc::clone(known));
        }
        let found: Rc<[Advisory]> = self.advisories.lookup(stream, name)?.into();
        keep(&mut self.looked_up, stream, name.to_owned(), Rc::clone(&found));
        Ok(found)
    }

    /// What a stream says of a package, by the names that it is looked up by: its own, and where
    /// advisories of rpm packages speak of sources that of its source.
    fn about(&mut self, stream: &Stream, package: &Package) -> Result<Vec<Named>, A::Error> {
        let name = names::looked_up(package);
        let own = self.look_up(stream, &name)?;
        if !stream.ecosystem.names_sources() {
            return Ok(vec![(name, only(own, false))]);
        }
        let source = package.source_name();
        if source == name {
            return Ok(vec![(name, own)]);
        }
        let of_source = self.look_up(stream, source)?;
        Ok(vec![(name, only(own, false)), (source.to_owned(), only(of_source, true))])
    }

    /// Judges one package in the streams that speak of it: it is examined if any of them is
    /// covered.
    pub(super) fn package(
        &mut self,
        package: &Package,
        streams: Streams<'_>,
    ) -> Result<Rc<Judged>, A::Error> {
        key(package, &mut self.key);
        let known = self.judged.get(&streams.stand_ins).and_then(|by| by.get(streams.all));
        if let Some(known) = known.and_then(|all| all.get(&self.key)) {
            return Ok(Rc::clone(known));
        }
        let judged = Rc::new(self.anew(package, streams)?);
        let by = self.judged.entry(streams.stand_ins).or_default();
        keep(by, streams.all, self.key.clone(), Rc::clone(&judged));
        Ok(judged)
    }

    fn anew(&mut self, package: &Package, streams: Streams<'_>) -> Result<Judged, A::Error> {
        let mut judged = Judged::default();
        let Some(first) = streams.all.first() else { return Ok(judged) };
        if names::is_no_module(package) {
            return Ok(judged);
        }
        if let Some(vendor) = foreign(package, first) {
            judged.gaps.push(streams::foreign(package, vendor));
            return Ok(judged);
        }
        let found = self.find(package, streams)?;
        judged.feeds = found.feeds();
        let free = |why: &Why| !distributions::is_paid(&why.stream);
        let dates = found.each().filter(|(why, _)| free(why)).map(|(_, a)| a.published);
        judged.newest = dates.flatten().max();
        match found.scheme {
            Some(_) if names::is_no_kernel(package) => {}
            Some(scheme) => {
                let covered = |part: &&Stream| self.advisories.covering(part).is_some();
                let missing = red_hat::parts(streams.all).filter(|part| !covered(part));
                judged.gaps.extend(missing.map(streams::not_covered));
                let all = found.each().map(|(_, advisory)| advisory);
                judged.gaps.extend(extras::gap(package, first, all, |stream| covered(&stream)));
                let each = found.each().filter(|(_, advisory)| names::concerns(advisory, package));
                let each: Vec<_> = each.collect();
                let streams = streams.of_package(package);
                self.settle((package, scheme), &each, streams, &mut judged)?;
            }
            None => judged.gaps.push(streams::not_covered(first)),
        }
        Ok(judged)
    }

    /// Looks a package up in those of its streams that a feed covers.
    pub(super) fn find(
        &mut self,
        package: &Package,
        streams: Streams<'_>,
    ) -> Result<Found, A::Error> {
        let mut found = Found { scheme: None, lists: Vec::new() };
        if !is_looked_up(package, streams) {
            return Ok(found);
        }
        for stream in streams.all {
            let (Some(feed), Some(order)) = (self.advisories.covering(stream), stream.scheme())
            else {
                continue;
            };
            // It is no name of the release: where nothing else covers it, it is not examined.
            let alone = distributions::is_beside(stream) && found.scheme.is_none();
            if alone || !flavours::speaks_of(stream, package) {
                continue;
            }
            found.scheme = Some(order);
            let used = FeedUse { feed: feed.id.clone(), as_of: feed.as_of };
            let feed = feed.id.clone();
            for (at, (name, list)) in self.about(stream, package)?.into_iter().enumerate() {
                let compared = match at {
                    0 => names::compared(package).into_owned(),
                    _ => package.source_version().to_owned(),
                };
                let why = Why {
                    feed: feed.clone(),
                    stream: stream.clone(),
                    looked_up: name,
                    compared,
                    range: String::new(),
                };
                found.lists.push((used.clone(), why, list));
            }
        }
        Ok(found)
    }

    /// Compares the package with all advisories that name it.
    fn settle(
        &self,
        (package, scheme): (&Package, Scheme),
        found: &[(&Why, &Advisory)],
        streams: Streams<'_>,
        judged: &mut Judged,
    ) -> Result<(), A::Error> {
        if found.is_empty() {
            return Ok(());
        }
        let (installed, gap) = installed(package, scheme, found.len());
        let mut gaps: BTreeSet<Gap> = gap.into_iter().collect();
        for flaw in flaws::join(found, streams) {
            match flaws::judge(&flaw, &installed) {
                flaws::Judgement::Affected(affected) => {
                    let facts = |id: &str| self.advisories.flaw(id);
                    judged.findings.push(Arc::new(affected.diagnosis(&flaw, facts)?));
                }
                flaws::Judgement::NotAffected => {}
                flaws::Judgement::Unreadable(id, why) => {
                    gaps.insert(unreadable(package, id, &why));
                }
            }
        }
        judged.gaps.extend(gaps);
        Ok(())
    }
}

/// Keeps a value under two keys, of which the outer one is made only where it is new: an image has
/// a thousand packages and a few streams.
fn keep<K, Q, V>(map: &mut Quick<K, Quick<String, V>>, outer: &Q, name: String, value: V)
where
    K: Borrow<Q> + Hash + Eq,
    Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
{
    match map.get_mut(outer) {
        Some(all) => {
            all.insert(name, value);
        }
        None => {
            map.insert(outer.to_owned(), Quick::from_iter([(name, value)]));
        }
    }
}

/// A name, and what is said of it.
type Named = (String, Rc<[Advisory]>);

/// Those of the advisories that are about a source, or those that are not.
fn only(list: Rc<[Advisory]>, sources: bool) -> Rc<[Advisory]> {
    let wanted = |advisory: &&Advisory| names::is_of_source(advisory) == sources;
    match list.iter().all(|advisory| wanted(&advisory)) {
        true => list,
        false => list.iter().filter(wanted).cloned().collect(),
    }
}

/// The vendor of a package that another than the stream's distribution built.
fn foreign<'p>(package: &'p Package, stream: &Stream) -> Option<&'p str> {
    let version = names::compared(package);
    distributions::other_vendor(stream.ecosystem, package.vendor.as_deref(), &version)
}

/// Whether advisories of its streams speak of the package at all, whatever they say.
pub(super) fn is_looked_up(package: &Package, streams: Streams<'_>) -> bool {
    let own = |stream: &Stream| foreign(package, stream).is_none();
    !names::is_no_module(package) && streams.all.first().is_some_and(own)
}

/// What was looked up for a package.
pub(super) struct Found {
    /// How its versions are ordered; `None`: no feed covers any of its streams.
    pub(super) scheme: Option<Scheme>,
    /// For each stream that is covered the feed, what was looked up, and what there was.
    lists: Vec<(FeedUse, Why, Rc<[Advisory]>)>,
}

impl Found {
    fn feeds(&self) -> Vec<FeedUse> {
        self.lists.iter().map(|(used, _, _)| used.clone()).collect()
    }

    /// Every advisory, whether it concerns the package or not.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Why, &Advisory)> {
        self.lists.iter().flat_map(|(_, why, list)| list.iter().map(move |a| (why, a)))
    }
}

/// The installed version, to be compared with so many advisories; and the gap, if it cannot be.
pub(super) fn installed(
    package: &Package,
    scheme: Scheme,
    advisories: usize,
) -> (ranges::Installed<'_>, Option<Gap>) {
    let text = names::compared(package);
    let about = format!("{} {text}", package.name);
    let (version, gap) = if let Some(why) = names::unidentified(package) {
        (None, Some(Gap::new(GapKind::UnidentifiedVersion, about.trim(), why)))
    } else {
        match Version::parse(scheme, &text) {
            Ok(version) => (Some(version), None),
            Err(why) => {
                let detail =
                    format!("{why}, so it could not be compared with {advisories} advisories");
                (None, Some(Gap::new(GapKind::UnparseableVersion, about, detail)))
            }
        }
    };
    let of_source = ranges::without_epoch(package.source_version());
    let is_rpm = package.kind == PackageKind::Rpm;
    let source = is_rpm.then(|| Version::parse(scheme, of_source).ok()).flatten();
    (ranges::Installed { scheme, text, version, source, flavour: flavours::of(package) }, gap)
}

/// The gap of an advisory that could not be read.
pub(super) fn unreadable(package: &Package, id: String, why: &str) -> Gap {
    let detail = format!("concerns {} {}: {why}", package.name, names::compared(package));
    Gap::new(GapKind::UnreadableAdvisory, id, detail)
}

/// Everything of a package that its judgement depends on, each part with its length before it, so
/// that no two packages have the same.
fn key(package: &Package, into: &mut String) {
    let source = package.source.as_ref();
    let parts = [
        Some(&*package.name),
        Some(&*package.version),
        source.map(|s| &*s.name),
        source.map(|s| &*s.version),
        package.arch.as_deref(),
        package.module.as_deref(),
        package.repository.as_deref(),
        package.vendor.as_deref(),
    ];
    into.clear();
    // Writing to a text cannot fail.
    _ = write!(into, "{:?}", package.kind);
    for part in parts {
        match part {
            Some(part) => _ = write!(into, " {}:{part}", part.len()),
            None => into.push_str(" -"),
        }
    }
}
