//! OSV's `affected`: events to the stretches of versions that the matcher knows.
//!
//! A range is a list of events on a line of versions. They are sorted by the ecosystem's order and
//! then taken in pairs, as the schema evaluates them. Publishers write them in pairs that should come to
//! the same; where one does not (they overlap), it counts as well, since it is what they mean. Where a
//! version cannot be ordered, the pairs alone are kept, and the advisory says that it could not be
//! read, so that a version outside of them is a gap.

use std::collections::HashSet;

use cleanbill_core::advisory::{Range, RangeEnd};
use cleanbill_core::version::{Scheme, Version};
use serde::Deserialize;

use super::few::few;
use super::osv::{RATINGS, Rating, Specific};

/// The most ranges, versions and events of one package. The most that were seen are 3, 1,132 and 118.
const RANGES: usize = 1_000;
const VERSIONS: usize = 50_000;
const EVENTS: usize = 20_000;

#[derive(Deserialize)]
pub(super) struct Affected {
    pub package: Option<Package>,
    #[serde(default, deserialize_with = "few::<_, _, RANGES>")]
    ranges: Option<Vec<Events>>,
    #[serde(default, deserialize_with = "few::<_, _, VERSIONS>")]
    versions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "few::<_, _, RATINGS>")]
    pub severity: Option<Vec<Rating>>,
    #[serde(default)]
    pub ecosystem_specific: Option<Specific>,
    #[serde(default)]
    pub database_specific: Option<Specific>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub ecosystem: String,
    pub name: String,
}

#[derive(Deserialize)]
struct Events {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "few::<_, _, EVENTS>")]
    events: Option<Vec<Event>>,
}

/// One event; the schema allows one field, and older entries have two.
#[derive(Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What is affected.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    pub ranges: Vec<Range>,
    pub versions: Vec<String>,
    pub unreadable: Option<String>,
}

/// All of an `affected` as stretches.
pub(super) fn flatten(affected: Affected, scheme: Option<Scheme>) -> Stretch {
    let mut out = Stretch { versions: affected.versions.unwrap_or_default(), ..Stretch::default() };
    let mut git = false;
    for range in affected.ranges.unwrap_or_default() {
        match range.kind.as_str() {
            "SEMVER" | "ECOSYSTEM" => {
                let (ranges, wrong) =
                    stretches(range.events.as_deref().unwrap_or_default(), scheme);
                out.ranges.extend(ranges);
                out.unreadable = wrong.or(out.unreadable);
            }
            // Commits say nothing about a package's version; beside versions they repeat them.
            "GIT" => git = true,
            other => out.unreadable = Some(format!("a range of the unknown type {other:?}")),
        }
    }
    if out.ranges.is_empty() && out.versions.is_empty() && out.unreadable.is_none() {
        let why = if git { "only ranges of commits" } else { "neither ranges nor versions" };
        out.unreadable = Some(why.to_owned());
    }
    if let Some(last) = affected.database_specific.and_then(|s| s.last_known_affected) {
        close(&mut out.ranges, &last);
    }
    out.versions.sort();
    out.versions.dedup();
    drop_covered(&mut out.versions, &out.ranges, scheme);
    out
}

/// GitHub gives the end of a range that has no fix beside it, as `<= 1.2.3` or `< 1.2.3`.
fn close(ranges: &mut [Range], last: &str) {
    let [range] = ranges else { return };
    if range.end == RangeEnd::Open {
        if let Some(version) = last.strip_prefix("<=") {
            range.end = RangeEnd::LastAffected(version.trim().to_owned());
        } else if let Some(version) = last.strip_prefix('<') {
            range.end = RangeEnd::Before(version.trim().to_owned());
        }
    }
}

/// One event on the line, but for limits.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Point {
    Start(String),
    End(RangeEnd),
}

impl Point {
    fn version(&self) -> &str {
        match self {
            Self::Start(version) => version,
            Self::End(end) => end.version().unwrap_or_default(),
        }
    }

    fn is_start(&self) -> bool {
        matches!(self, Self::Start(_))
    }

    /// Whether it is before every version.
    fn is_first(&self) -> bool {
        matches!(self, Self::Start(version) if version == "0")
    }

    /// Whether it comes behind the others of its version: an end that includes it.
    fn is_behind(&self) -> bool {
        matches!(self, Self::End(RangeEnd::LastAffected(_)))
    }
}

/// The stretches that events make, and what of them could not be understood.
fn stretches(events: &[Event], scheme: Option<Scheme>) -> (Vec<Range>, Option<String>) {
    let mut points = Vec::new();
    for event in events {
        points.extend(event.introduced.clone().map(Point::Start));
        points.extend(event.fixed.clone().map(|v| Point::End(RangeEnd::Fixed(v))));
        points.extend(event.last_affected.clone().map(|v| Point::End(RangeEnd::LastAffected(v))));
    }
    let limits: Vec<&String> = events.iter().filter_map(|event| event.limit.as_ref()).collect();
    let in_pairs = points.iter().enumerate().all(|(i, point)| point.is_start() == (i % 2 == 0));
    let written = if in_pairs { pair(points.clone(), None) } else { Vec::new() };
    let mut wrong = None;
    let mut out = Vec::new();
    match scheme {
        Some(scheme) => {
            match sort(&mut points, scheme) {
                Ok(()) => out = pair(points, Some(scheme)),
                Err(why) => wrong = Some(why),
            }
            let known: HashSet<&Range> = out.iter().collect();
            let more = |range: &Range| !known.contains(range) && !is_empty(range, scheme);
            let more: Vec<Range> = written.into_iter().filter(more).collect();
            out.extend(more);
            let limited = limit(&mut out, &limits, scheme);
            wrong = wrong.or(limited.err());
        }
        // Nothing is compared with them either: they are kept for whoever reads them.
        None if in_pairs => out = written,
        None => wrong = Some("a range whose events are not in pairs, and have no order".into()),
    }
    if out.is_empty() {
        wrong = wrong.or_else(|| Some("a range that begins nowhere".to_owned()));
    }
    (out, wrong)
}

/// Whether no version lies in it.
fn is_empty(range: &Range, scheme: Scheme) -> bool {
    let (Some(from), RangeEnd::Fixed(to)) = (&range.introduced, &range.end) else { return false };
    scheme.compare(from, to).is_ok_and(std::cmp::Ordering::is_ge)
}

/// Points that are in order, as ranges.
fn pair(points: Vec<Point>, scheme: Option<Scheme>) -> Vec<Range> {
    let same = |a: &str, b: &str| {
        a == b || scheme.is_some_and(|s| s.compare(a, b).is_ok_and(std::cmp::Ordering::is_eq))
    };
    let mut out: Vec<Range> = Vec::new();
    let (mut open, mut again) = (None::<String>, None::<String>);
    for point in points {
        match point {
            // Introduced again while it is affected anyway.
            Point::Start(version) if open.is_some() => again = Some(version),
            Point::Start(version) => open = Some(version),
            // Fixed again after it was fixed, where none is open.
            Point::End(end) => {
                // Where one stretch ends, the next may begin.
                let next = again.take().filter(|v| end.version().is_some_and(|end| same(v, end)));
                out.extend(open.take().map(|v| Range { introduced: start(v), end }));
                open = next;
            }
        }
    }
    out.extend(open.map(|v| Range { introduced: start(v), end: RangeEnd::Open }));
    out
}

fn start(version: String) -> Option<String> {
    (version != "0").then_some(version)
}

/// Sorts by version; an error where one cannot be ordered, and it matters.
fn sort(points: &mut Vec<Point>, scheme: Scheme) -> Result<(), String> {
    // Nothing else can come of it, and most ranges are so.
    if let [first] | [first, Point::End(_)] = points.as_slice()
        && first.is_first()
    {
        return Ok(());
    }
    // Each is parsed once: a list of events may be long.
    let parsed = |point: &Point| match point.is_first() {
        true => Some(None),
        false => Version::parse(scheme, point.version()).ok().map(Some),
    };
    let keys: Vec<Option<Option<Version>>> = points.iter().map(parsed).collect();
    let unordered = keys.iter().zip(points.iter()).find(|(key, _)| key.is_none());
    if let Some((_, point)) = unordered {
        let version: String = point.version().chars().take(40).collect();
        // One stretch with a readable start: below it nothing is affected, wherever it ends.
        let [Some(_), end] = keys.as_slice() else {
            return Err(format!("a range whose event at {version:?} cannot be ordered"));
        };
        let one = points.first().is_some_and(Point::is_start)
            && end.is_none()
            && points.last().is_some_and(|point| !point.is_start());
        return match one {
            true => Ok(()),
            false => Err(format!("a range whose event at {version:?} cannot be ordered")),
        };
    }
    let mut all: Vec<_> = keys.into_iter().zip(std::mem::take(points)).collect();
    all.sort_by(|(a, one), (b, other)| {
        a.cmp(b).then_with(|| one.is_behind().cmp(&other.is_behind()))
    });
    points.extend(all.into_iter().map(|(_, point)| point));
    Ok(())
}

/// Ends ranges at the highest limit: of a version that is below none of them nothing is said. It is no
/// fix.
fn limit(ranges: &mut Vec<Range>, limits: &[&String], scheme: Scheme) -> Result<(), String> {
    if limits.is_empty() || limits.iter().any(|limit| *limit == "*") {
        return Ok(());
    }
    let wrong = || "a range whose limit cannot be ordered".to_owned();
    let parse = |text: &str| Version::parse(scheme, text).map_err(|_| wrong());
    let mut highest: Option<(Version, &String)> = None;
    for limit in limits {
        let version = parse(limit)?;
        if highest.as_ref().is_none_or(|(known, _)| *known < version) {
            highest = Some((version, limit));
        }
    }
    let Some((highest, text)) = highest else { return Ok(()) };
    let mut within = Vec::new();
    for mut range in std::mem::take(ranges) {
        let begins = range.introduced.as_deref().map(parse).transpose();
        let ends = range.end.version().map(parse).transpose();
        let (Ok(begins), Ok(ends)) = (begins, ends) else {
            within.push(range);
            continue;
        };
        if begins.is_some_and(|begins| begins >= highest) {
            continue;
        }
        // A fix at the limit itself is one.
        let includes = matches!(range.end, RangeEnd::LastAffected(_));
        if ends.is_none_or(|ends| ends > highest || (includes && ends == highest)) {
            range.end = RangeEnd::Before(text.clone());
        }
        within.push(range);
    }
    *ranges = within;
    Ok(())
}

/// Comparisons of listed versions with ranges that are made to make an advisory smaller.
const COMPARED: usize = 4 << 20;

/// Leaves out listed versions that lie in a range anyway (publishers list them all): what is
/// affected stays the same, and snapshots are a fraction of the size.
fn drop_covered(versions: &mut Vec<String>, ranges: &[Range], scheme: Option<Scheme>) {
    let Some(scheme) = scheme else { return };
    // What nobody publishes costs size, and no time.
    if versions.len().saturating_mul(ranges.len()) > COMPARED {
        return;
    }
    let parse = |text: &str| Version::parse(scheme, text).ok();
    // From where, to where, and whether the end is affected too.
    type Span = (Option<Version>, Option<(Version, bool)>);
    let spans: Vec<Span> = ranges
        .iter()
        .filter_map(|range| {
            let from = match &range.introduced {
                Some(version) => Some(parse(version)?),
                None => None,
            };
            let to = match &range.end {
                RangeEnd::Open => None,
                RangeEnd::Fixed(version) | RangeEnd::Before(version) => {
                    Some((parse(version)?, false))
                }
                RangeEnd::LastAffected(version) => Some((parse(version)?, true)),
            };
            Some((from, to))
        })
        .collect();
    let inside = |version: &Version| {
        spans.iter().any(|(from, to)| {
            from.as_ref().is_none_or(|from| version >= from)
                && to.as_ref().is_none_or(|(to, with)| version < to || (*with && version == to))
        })
    };
    versions.retain(|text| !parse(text).is_some_and(|version| inside(&version)));
}

#[cfg(test)]
mod tests;
