//! In which streams of advisories a package is looked up, and whether these can be relied on.
//!
//! **End of life.** Feeds carry one date for all their releases, so a feed that is fresh proves
//! nothing about one old release. What proves that a release is still looked after past the end
//! of its regular support (Debian's LTS) is an advisory in its *own* stream, published after
//! that end and no more than [`ALIVE_DAYS`] ago. Only advisories about the image's own packages
//! are seen here, so a small image may show no such sign although its release lives: then the
//! gap stays, which errs on the safe side. Streams of paid support (Ubuntu Pro) prove nothing here.

use std::sync::LazyLock;

use crate::advisory::Advisories;
use crate::distribution::Distribution;
use crate::ecosystem::Stream;
use crate::evidence::FeedUse;
use crate::gap::{Gap, GapKind};
use crate::inventory::Inventory;
use crate::package::{Package, PackageKind};
use crate::policy::today as day_of;

use super::distributions::{self, Known};
use super::red_hat;
use crate::{Date, Timestamp};

/// How recently a release past its end of life must have got an advisory to count as alive.
pub const ALIVE_DAYS: i32 = 90;
/// Days that a date may lie in the future, for clocks that differ.
const CLOCKS: i32 = 1;

/// Where a package is looked up.
#[derive(Clone, Copy)]
pub(super) struct Streams<'s> {
    /// All of them: other names of one release, or parts of it. Empty: nowhere.
    pub(super) all: &'s [Stream],
    /// How many of them, from the end, stand in for the others: they count for a flaw only where
    /// no other says anything of it.
    pub(super) stand_ins: usize,
}

impl<'s> Streams<'s> {
    const NONE: Self = Self { all: &[], stand_ins: 0 };

    const fn of(all: &'s [Stream]) -> Self {
        Self { all, stand_ins: 0 }
    }

    /// As they count for this package: what is of a later release than the others is the matter of
    /// those that stand in, too.
    pub(super) fn of_package(self, package: &Package) -> Self {
        let own = self.all.get(..self.all.len().saturating_sub(self.stand_ins)).unwrap_or_default();
        match self.stand_ins > 0 && red_hat::is_later(package, own) {
            true => Self::of(self.all),
            false => self,
        }
    }

    /// Whether one of them stands in for the others.
    pub(super) fn stands_in(&self, stream: &Stream) -> bool {
        let from = self.all.len().saturating_sub(self.stand_ins);
        self.all.get(from..).unwrap_or_default().contains(stream)
    }
}

/// What the image's distribution means for its packages.
pub(super) struct OfDistribution {
    apk: Vec<Stream>,
    deb: Vec<Stream>,
    rpm: Vec<Stream>,
    /// How many of the streams of rpm's packages stand in for the others.
    stand_ins: usize,
    /// Why some or all of its packages have no stream.
    pub(super) gaps: Vec<Gap>,
}

impl OfDistribution {
    /// The streams of one release that speak of packages of this kind; none: see the gaps.
    pub(super) fn streams_for(&self, kind: PackageKind) -> Streams<'_> {
        let own = [(PackageKind::Apk, &self.apk), (PackageKind::Deb, &self.deb)];
        match own.into_iter().find(|(of, _)| *of == kind) {
            Some((_, streams)) => Streams::of(streams),
            None if kind == PackageKind::Rpm => {
                Streams { all: &self.rpm, stand_ins: self.stand_ins }
            }
            None => Streams::NONE,
        }
    }

    /// All streams of the release.
    pub(super) fn streams(&self) -> Vec<&Stream> {
        self.apk.iter().chain(&self.deb).chain(&self.rpm).collect()
    }
}

/// Finds the streams of the image's distribution: those of its release, or of the repositories that
/// it names.
pub(super) fn of_distribution<A: Advisories>(
    inventory: &Inventory,
    advisories: &A,
) -> Result<OfDistribution, A::Error> {
    let mut found = of_release(inventory);
    let Some(named) = &inventory.distribution else { return Ok(found) };
    let names_sets = distributions::known(&named.id).is_some_and(Known::names_content_sets);
    // Without a release there is nothing to look up, and a gap that says so.
    if names_sets && !found.rpm.is_empty() {
        let by = match named.content_sets.is_empty() {
            true => red_hat::by_release(named, advisories),
            false => red_hat::by_content_sets(named, advisories)?,
        };
        found.rpm = by.streams;
        found.stand_ins = by.stand_ins;
        found.gaps.extend(by.gaps);
    }
    Ok(found)
}

fn of_release(inventory: &Inventory) -> OfDistribution {
    let mut found = OfDistribution {
        apk: Vec::new(),
        deb: Vec::new(),
        rpm: Vec::new(),
        stand_ins: 0,
        gaps: Vec::new(),
    };
    let gaps = &mut found.gaps;
    let mut gap = |subject: &str, detail: String| {
        gaps.push(Gap::new(GapKind::UnknownDistribution, subject, detail));
    };
    let kinds = [(PackageKind::Apk, "apk"), (PackageKind::Deb, "dpkg"), (PackageKind::Rpm, "rpm")]
        .map(|(kind, word)| (word, inventory.packages.iter().filter(|p| p.kind == kind).count()));
    let Some(named) = &inventory.distribution else {
        for (word, count) in kinds.into_iter().filter(|(_, count)| *count > 0) {
            let detail = format!("{count} {word} packages, and no file says of which distribution");
            gap(word, detail);
        }
        return found;
    };
    let full = format!("{} {}", named.id, named.version);
    let mut other = |kind_of_it: &str, streams: Option<Vec<Stream>>| {
        for (word, count) in kinds.iter().filter(|(w, count)| *w != kind_of_it && *count > 0) {
            gap(full.trim(), format!("its {count} {word} packages are of another distribution"));
        }
        streams.unwrap_or_else(|| {
            gap(full.trim(), "it names no release, so its advisories cannot be found".into());
            Vec::new()
        })
    };
    let Some(known) = distributions::known(&named.id) else {
        gap(full.trim(), "we know of no advisories for this distribution".into());
        return found;
    };
    let (word, own) = if known.kind == PackageKind::Apk {
        ("apk", &mut found.apk)
    } else if known.kind == PackageKind::Deb {
        ("dpkg", &mut found.deb)
    } else {
        ("rpm", &mut found.rpm)
    };
    let streams = known.streams(named);
    *own = other(word, (!streams.is_empty()).then_some(streams));
    found
}

/// The stream of a language's packages; none for those of an operating system.
pub(super) fn of_language(kind: PackageKind) -> Streams<'static> {
    /// In the order of the kinds, since every package of every image is looked up here.
    static STREAMS: LazyLock<[Option<Stream>; PackageKind::ALL.len()]> =
        LazyLock::new(|| PackageKind::ALL.map(|kind| kind.ecosystem().map(Stream::of)));
    let stream = STREAMS.get(kind as usize).and_then(Option::as_ref);
    stream.map_or(Streams::NONE, |stream| Streams::of(std::slice::from_ref(stream)))
}

/// The gap of a stream that no feed covers.
pub(super) fn not_covered(stream: &Stream) -> Gap {
    let why = match stream.scheme() {
        Some(_) => "no feed of this snapshot covers it",
        None => "its versions cannot be compared yet",
    };
    Gap::new(GapKind::NoAdvisorySource, stream.to_string(), why)
}

/// The gap of a package that somebody else than the distribution built.
pub(super) fn foreign(package: &Package, vendor: &str) -> Gap {
    let vendor: String = vendor.chars().take(80).collect();
    let subject = format!("{} {}", package.name, package.version);
    let why =
        format!("{vendor:?} built it, of whose packages the distribution's advisories say nothing");
    Gap::new(GapKind::NoAdvisorySource, subject, why)
}

/// The gap of a release past its end of life, unless `newest`, the date of the newest advisory
/// in its own streams, shows that it is still looked after.
pub(super) fn end_of_life(
    named: &Distribution,
    end: Date,
    newest: Option<Timestamp>,
    today: Date,
) -> Option<Gap> {
    // What is of the future shows nothing.
    let alive = newest.map(day_of).is_some_and(|newest| {
        newest > end && (-CLOCKS..=ALIVE_DAYS).contains(&days_between(newest, today))
    });
    if end >= today || alive {
        return None;
    }
    let detail =
        format!("its regular support ended on {end}, {} days ago", days_between(end, today));
    Some(Gap::new(GapKind::EndOfLife, format!("{} {}", named.id, named.release), detail))
}

/// The gap of a feed whose facts are too old, or bear no date. One of the future is none: nobody has
/// facts of tomorrow, and the feed would never grow old.
pub fn stale_feed(used: &FeedUse, today: Date, max_age_days: u32) -> Option<Gap> {
    let date = used.as_of.map(day_of);
    let age = date.map(|date| days_between(date, today));
    let detail = match (date, age) {
        (Some(date), Some(age)) if age < -CLOCKS => {
            format!("its date, {date}, is of the future, so nobody can say how old its facts are")
        }
        (Some(_), Some(age)) if i64::from(age) <= i64::from(max_age_days) => return None,
        (Some(date), Some(age)) => {
            format!(
                "its newest facts are of {date}, {age} days ago; at most {max_age_days} are allowed"
            )
        }
        (None, _) | (_, None) => {
            "it bears no date, so nobody can say how old its facts are".to_owned()
        }
    };
    Some(Gap::new(GapKind::StaleFeed, &used.feed, detail))
}

/// Days from one date to a later one; negative when it is earlier.
fn days_between(from: Date, to: Date) -> i32 {
    // Without a unit to balance to, the span between two dates is in days and cannot fail.
    from.until(to).map_or(i32::MAX, |span| span.get_days())
}
