//! What a language advisory says is vulnerable, patched and unaffected, as stretches of versions.
//!
//! As Trivy judges it: where vulnerable versions are given, those count, less what is patched or
//! unaffected; where none are, everything is vulnerable that is neither patched nor unaffected.
//!
//! A stretch cannot begin *after* a version. Where versions are numbered so that the next one can
//! be written (semver), that is written; else the version itself is inside, which errs on the safe
//! side by this one version.

use std::cmp::Ordering;

use cleanbill_core::advisory::{Range, RangeEnd};
use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::version::{Scheme, Version};

use super::constraints::{Bound, Piece, Span, parse};

/// Constraints of one advisory; subtracting takes work by their product.
const CONSTRAINTS_MAX: usize = 512;

/// What is affected.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::feeds) struct Stretches {
    pub ranges: Vec<Range>,
    pub versions: Vec<String>,
    pub unreadable: Option<String>,
}

/// All of an advisory's constraints.
pub(in crate::feeds) fn affected(
    vulnerable: &[String],
    patched: &[String],
    unaffected: &[String],
    ecosystem: Ecosystem,
) -> Stretches {
    let mut out = Stretches::default();
    let everything = Span::default();
    let secure = patched.iter().chain(unaffected);
    let mut spans = Vec::new();
    if vulnerable.len() + patched.len() + unaffected.len() > CONSTRAINTS_MAX {
        out.unreadable = Some(format!("more than {CONSTRAINTS_MAX} constraints"));
    } else if vulnerable.iter().chain(patched).any(|text| text.trim().is_empty()) {
        // An empty text is Trivy's mark for "every version".
        spans.push(everything);
    } else if vulnerable.is_empty() && secure.clone().next().is_none() {
        out.unreadable = Some("neither ranges nor versions".to_owned());
    } else {
        let mut read = |text: &String| match parse(text, ecosystem) {
            Ok(pieces) => pieces,
            Err(why) => {
                out.unreadable.get_or_insert(why);
                Vec::new()
            }
        };
        for piece in vulnerable.iter().flat_map(&mut read) {
            match piece {
                Piece::Exactly(version) => out.versions.push(version),
                Piece::Span(span) => spans.push(span),
            }
        }
        let safe: Vec<Span> = secure.flat_map(&mut read).filter_map(Piece::span).collect();
        if vulnerable.is_empty() {
            // Without knowing all that is safe, nothing can be said of the rest.
            match out.unreadable.is_none().then(|| less(&[everything], &safe, ecosystem)) {
                Some(Some(rest)) => spans = rest,
                Some(None) => out.unreadable = Some("constraints that cannot be ordered".into()),
                None => {}
            }
        } else if !safe.is_empty() {
            // What cannot be subtracted stays vulnerable.
            spans = less(&spans, &safe, ecosystem).unwrap_or(spans);
        }
    }
    out.ranges.extend(spans.into_iter().map(|span| span.range(ecosystem)));
    name_fixes(&mut out.ranges, patched, ecosystem);
    out.versions.sort();
    out.versions.dedup();
    out
}

/// Where a stretch does not end with a fix, a version that is said to be patched would be lost.
/// A stretch from it to itself holds nothing and names it.
fn name_fixes(ranges: &mut Vec<Range>, patched: &[String], ecosystem: Ecosystem) {
    let Some(scheme) = ecosystem.scheme() else { return };
    if ranges.iter().all(|range| matches!(range.end, RangeEnd::Fixed(_))) {
        return;
    }
    for text in patched {
        let pieces = parse(text, ecosystem).unwrap_or_default();
        let [Piece::Exactly(version)] = pieces.as_slice() else { continue };
        let end = RangeEnd::Fixed(version.clone());
        if Version::parse(scheme, version).is_ok() && ranges.iter().all(|r| r.end != end) {
            ranges.push(Range { introduced: Some(version.clone()), end });
        }
    }
}

/// Spans less others, or `None` where their bounds cannot be ordered.
fn less(spans: &[Span], without: &[Span], ecosystem: Ecosystem) -> Option<Vec<Span>> {
    let scheme = ecosystem.scheme()?;
    let mut left: Vec<Ordered> =
        spans.iter().map(|s| Ordered::of(s, scheme)).collect::<Option<_>>()?;
    for hole in without {
        let hole = Ordered::of(hole, scheme)?;
        left = left.iter().flat_map(|span| span.less(&hole)).collect();
    }
    Some(left.into_iter().map(|span| span.span).collect())
}

/// A span whose bounds are parsed too.
#[derive(Clone)]
struct Ordered {
    span: Span,
    from: Option<Version>,
    to: Option<Version>,
}

impl Ordered {
    fn of(span: &Span, scheme: Scheme) -> Option<Self> {
        let parsed = |bound: &Option<Bound>| match bound {
            Some((text, _)) => Version::parse(scheme, text).ok().map(Some),
            None => Some(None),
        };
        Some(Self { from: parsed(&span.from)?, to: parsed(&span.to)?, span: span.clone() })
    }

    /// What is before the hole, and what is behind it.
    fn less(&self, hole: &Self) -> Vec<Self> {
        let mut out = Vec::new();
        let turned = |bound: &Option<Bound>| bound.clone().map(|(text, inside)| (text, !inside));
        if let Some(end) = &hole.from {
            let mut before = self.clone();
            let bound = turned(&hole.span.from);
            if lower(Some(end), bound.as_ref(), self.to.as_ref(), self.span.to.as_ref()) {
                (before.to, before.span.to) = (Some(end.clone()), bound);
            }
            out.push(before);
        }
        if let Some(start) = &hole.to {
            let mut behind = self.clone();
            let bound = turned(&hole.span.to);
            let higher = match (&self.from, &self.span.from) {
                (Some(own), Some((_, inside))) => match start.cmp(own) {
                    Ordering::Greater => true,
                    Ordering::Equal => *inside,
                    Ordering::Less => false,
                },
                (None, _) | (_, None) => true,
            };
            if higher {
                (behind.from, behind.span.from) = (Some(start.clone()), bound);
            }
            out.push(behind);
        }
        out.retain(|span| !span.is_empty());
        out
    }

    fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => match from.cmp(to) {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => {
                    !(inside(self.span.from.as_ref()) && inside(self.span.to.as_ref()))
                }
            },
            (None, _) | (_, None) => false,
        }
    }
}

fn inside(bound: Option<&Bound>) -> bool {
    bound.is_some_and(|(_, inside)| *inside)
}

/// Whether the first end comes before the second.
fn lower(
    a: Option<&Version>,
    a_bound: Option<&Bound>,
    b: Option<&Version>,
    b_bound: Option<&Bound>,
) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => match a.cmp(b) {
            Ordering::Less => true,
            Ordering::Equal => !inside(a_bound) && inside(b_bound),
            Ordering::Greater => false,
        },
        (Some(_), None) => true,
        (None, _) => false,
    }
}

impl Piece {
    fn span(self) -> Option<Span> {
        match self {
            Self::Span(span) => Some(span),
            Self::Exactly(_) => None,
        }
    }
}

impl Span {
    fn range(self, ecosystem: Ecosystem) -> Range {
        let introduced = self.from.map(|(version, inside)| match inside {
            true => version,
            false => after(&version, ecosystem).unwrap_or(version),
        });
        let end = match self.to {
            None => RangeEnd::Open,
            Some((version, true)) => RangeEnd::LastAffected(version),
            Some((version, false)) => RangeEnd::Fixed(version),
        };
        Range { introduced, end }
    }
}

/// The lowest version after this one, where versions are three numbers: `1.2.3` → `1.2.4-0`.
fn after(version: &str, ecosystem: Ecosystem) -> Option<String> {
    if !matches!(ecosystem.scheme(), Some(Scheme::Semver | Scheme::Go)) {
        return None;
    }
    let numbers: Vec<u64> = version.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let [major, minor, patch] = numbers.as_slice() else { return None };
    Some(format!("{major}.{minor}.{}-0", patch.checked_add(1)?))
}
