//! OSV's `affected`: events to the stretches of versions that the matcher knows.
//!
//! A range is a list of events on a line of versions. Publishers write them in pairs, and pairs
//! are taken as they stand. Where they are not in pairs, the events are sorted by the ecosystem's
//! order, as the schema's evaluation does; where there is no such order, or a version does not
//! parse, the advisory says that it could not be read, and nothing is guessed.

use std::cmp::Ordering;

use cleanbill_core::advisory::{Range, RangeEnd};
use cleanbill_core::version::{Scheme, Version};
use serde::Deserialize;

use super::osv::{Rating, Specific};

#[derive(Deserialize)]
pub(super) struct Affected {
    pub package: Option<Package>,
    #[serde(default)]
    ranges: Option<Vec<Events>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
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
    #[serde(default)]
    events: Vec<Event>,
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

/// How two versions stand to each other, or `None` where that cannot be said.
pub(super) type Order<'o> = &'o dyn Fn(&str, &str) -> Option<Ordering>;

/// All of an `affected` as stretches.
pub(super) fn flatten(affected: Affected, scheme: Option<Scheme>) -> Stretch {
    let order = |a: &str, b: &str| scheme?.compare(a, b).ok();
    let mut out = Stretch { versions: affected.versions.unwrap_or_default(), ..Stretch::default() };
    let mut git = false;
    for range in affected.ranges.unwrap_or_default() {
        match range.kind.as_str() {
            "SEMVER" | "ECOSYSTEM" => match stretches(&range.events, &order) {
                Ok(ranges) => out.ranges.extend(ranges),
                Err(why) => out.unreadable = Some(why),
            },
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
            range.end = RangeEnd::Fixed(version.trim().to_owned());
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Point {
    Start(String),
    End(RangeEnd),
}

impl Point {
    fn version(&self) -> &str {
        match self {
            Self::Start(v) => v,
            Self::End(RangeEnd::Fixed(v) | RangeEnd::LastAffected(v)) => v,
            Self::End(RangeEnd::Open) => "",
        }
    }
}

fn stretches(events: &[Event], order: Order<'_>) -> Result<Vec<Range>, String> {
    let mut points = Vec::new();
    for event in events {
        points.extend(event.introduced.clone().map(Point::Start));
        // A limit ends a stretch like a fix does: nothing from it on is said to be affected.
        for end in event.fixed.iter().chain(&event.limit) {
            points.push(Point::End(RangeEnd::Fixed(end.clone())));
        }
        let last = event.last_affected.clone();
        points.extend(last.map(|v| Point::End(RangeEnd::LastAffected(v))));
    }
    let in_pairs = points
        .iter()
        .enumerate()
        .all(|(i, point)| matches!(point, Point::Start(_)) == i.is_multiple_of(2));
    if !in_pairs {
        sort(&mut points, order)?;
    }
    let mut out: Vec<Range> = Vec::new();
    let mut open: Option<String> = None;
    for point in points {
        match point {
            // Introduced again while it is affected anyway.
            Point::Start(_) if open.is_some() => {}
            Point::Start(version) => open = Some(version),
            // Fixed again after it was fixed.
            Point::End(end) => {
                out.extend(open.take().map(|v| Range { introduced: start(v), end }));
            }
        }
    }
    out.extend(open.map(|v| Range { introduced: start(v), end: RangeEnd::Open }));
    if out.is_empty() { Err("a range that begins nowhere".to_owned()) } else { Ok(out) }
}

fn start(version: String) -> Option<String> {
    (version != "0").then_some(version)
}

/// Sorts by version. At one version a start comes before an end that includes it, and after an
/// end that does not.
fn sort(points: &mut [Point], order: Order<'_>) -> Result<(), String> {
    let rank = |p: &Point| match p {
        Point::End(RangeEnd::Fixed(_)) => 0,
        Point::Start(_) => 1,
        Point::End(RangeEnd::LastAffected(_) | RangeEnd::Open) => 2,
    };
    let zero = |p: &Point| matches!(p, Point::Start(v) if v == "0");
    // Two versions can be ordered if each of them can be read, so each is held against itself: a
    // list of events may be long.
    for version in points.iter().filter(|p| !zero(p)).map(Point::version) {
        if order(version, version).is_none() {
            return Err(format!(
                "a range whose events are not in pairs, and {version:?} cannot be ordered"
            ));
        }
    }
    points.sort_by(|a, b| match (zero(a), zero(b)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => order(a.version(), b.version())
            .unwrap_or(Ordering::Equal)
            .then_with(|| rank(a).cmp(&rank(b))),
    });
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
                RangeEnd::Fixed(version) => Some((parse(version)?, false)),
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
