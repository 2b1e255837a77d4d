//! Constraints on versions, as the sources of language advisories write them:
//! `>=1.2, <1.4 || =2.0`, Ruby's `~> 1.2.3`, Python's `~=1.2`, npm's `^1.2`, Maven's `[1.0,2.0)`.
//!
//! A text is alternatives (`||`) of terms that hold together (`,` or a space between them). What
//! is not understood is an error, which the advisory then carries: nothing is guessed.

use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::version::Scheme;

/// Texts longer than this are nobody's.
const TEXT_MAX: usize = 64 << 10;

/// One end of a span: a version, and whether it is inside.
pub(super) type Bound = (String, bool);

/// One alternative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// `None`: from the very first.
    pub from: Option<Bound>,
    /// `None`: no end.
    pub to: Option<Bound>,
}

/// What a constraint holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// One version.
    Exactly(String),
    /// All versions between two.
    Span(Span),
}

/// Reads one constraint.
pub(super) fn parse(text: &str, ecosystem: Ecosystem) -> Result<Vec<Piece>, String> {
    let shown = || text.chars().take(80).flat_map(char::escape_debug).collect::<String>();
    if text.len() > TEXT_MAX {
        return Err(format!("a constraint of {} bytes", text.len()));
    }
    let read = match text.trim_start().starts_with(['[', '(']) {
        true => intervals(text),
        false => text.split("||").map(|one| together(one, ecosystem)).collect(),
    };
    read.map_err(|why| format!("the constraint \"{}\": {why}", shown()))
}

/// Terms that hold together.
fn together(text: &str, ecosystem: Ecosystem) -> Result<Piece, &'static str> {
    let mut span: Option<Span> = None;
    let mut exactly = None;
    let mut rest = text.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let operator_end = rest.find(|c| !"=<>!~^".contains(c)).ok_or("it ends too early")?;
        let (operator, behind) = rest.split_at(operator_end);
        let behind = behind.trim_start();
        let end = behind.find([' ', ',', '=', '<', '>', '!', '|', '^']).unwrap_or(behind.len());
        let (version, next) = behind.split_at(end);
        if version.is_empty() {
            return Err("an operator without a version");
        }
        match term(operator, version, ecosystem)? {
            Piece::Exactly(version) => {
                if exactly.replace(version).is_some() {
                    return Err("two versions at once");
                }
            }
            Piece::Span(other) => {
                let known = span.take().unwrap_or_default();
                span = Some(known.and(other, ecosystem.scheme())?);
            }
        }
        rest = next.trim_start_matches([' ', ',']);
    }
    match (exactly, span) {
        (Some(version), None) => Ok(Piece::Exactly(version)),
        (None, Some(span)) => Ok(Piece::Span(span)),
        (Some(_), Some(_)) => Err("a version and a range at once"),
        (None, None) => Err("it is empty"),
    }
}

fn term(operator: &str, version: &str, ecosystem: Ecosystem) -> Result<Piece, &'static str> {
    let span = |from: Option<Bound>, to: Option<Bound>| Ok(Piece::Span(Span { from, to }));
    // Everything from the first version on is written as from 0, or from no version.
    let from = |version: &str, inside: bool| {
        (version != "0" || !inside).then(|| (version.to_owned(), inside))
    };
    let wild = version.split('.').any(|part| matches!(part, "*" | "x" | "X"));
    match operator {
        "" | "=" | "==" | "===" if wild => wildcard(version, ecosystem),
        _ if wild => Err("a wildcard behind an operator"),
        "" | "=" | "==" | "===" => Ok(Piece::Exactly(version.into())),
        ">=" | "=>" => span(from(version, true), None),
        ">" => span(from(version, false), None),
        "<=" | "=<" => span(None, Some((version.into(), true))),
        "<" => span(None, Some((version.into(), false))),
        "~>" | "~=" => {
            let parts = numbers(version)?;
            let keep = parts.len().saturating_sub(1);
            span(from(version, true), Some(next(&parts, keep, ecosystem)?))
        }
        "~" => {
            let parts = numbers(version)?;
            span(from(version, true), Some(next(&parts, parts.len().min(2), ecosystem)?))
        }
        "^" => {
            let parts = numbers(version)?;
            let zeros = parts.iter().take_while(|n| **n == 0).count();
            let keep = (zeros + 1).min(parts.len());
            span(from(version, true), Some(next(&parts, keep, ecosystem)?))
        }
        _ => Err("an operator that is not known"),
    }
}

/// `1.2.*`, `1.x`, `*`.
fn wildcard(version: &str, ecosystem: Ecosystem) -> Result<Piece, &'static str> {
    let fixed: Vec<&str> =
        version.split('.').take_while(|part| !matches!(*part, "*" | "x" | "X")).collect();
    if fixed.is_empty() {
        return Ok(Piece::Span(Span::default()));
    }
    let parts = numbers(&fixed.join("."))?;
    let from = before(fixed.join("."), ecosystem);
    Ok(Piece::Span(Span {
        from: Some((from, true)),
        to: Some(next(&parts, parts.len(), ecosystem)?),
    }))
}

/// The numbers that a version begins with; what is behind a hyphen, a plus or a letter does not
/// count.
fn numbers(version: &str) -> Result<Vec<u64>, &'static str> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    let mut out = Vec::new();
    for part in plain.trim_start_matches('v').split('.') {
        match part.parse() {
            Ok(number) => out.push(number),
            Err(_) if out.is_empty() => return Err("a version that does not begin with numbers"),
            Err(_) => break,
        }
    }
    Ok(out)
}

/// The version after all that share the first `keep` numbers, which is not inside.
fn next(parts: &[u64], keep: usize, ecosystem: Ecosystem) -> Result<Bound, &'static str> {
    let mut kept: Vec<u64> = parts.iter().take(keep.max(1)).copied().collect();
    let last = kept.last_mut().ok_or("a version without numbers")?;
    *last = last.checked_add(1).ok_or("a number that is too large")?;
    let text = kept.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    Ok((before(text, ecosystem), false))
}

/// A version below the pre-releases of this one, where the ecosystem has a way to write it: what
/// is before 1.3 does not hold the release candidates of 1.3.
fn before(version: String, ecosystem: Ecosystem) -> String {
    let dots = version.matches('.').count();
    let semver = matches!(ecosystem.scheme(), Some(Scheme::Semver | Scheme::Go));
    if ecosystem == Ecosystem::PyPI {
        format!("{version}.dev0")
    } else if ecosystem == Ecosystem::RubyGems {
        format!("{version}.a")
    } else if semver && dots <= 2 {
        format!("{version}{}-0", ".0".repeat(2 - dots))
    } else {
        version
    }
}

/// Maven's and NuGet's intervals: `[1.0,2.0)`, `(,1.0]`, `[1.5]`, several with commas between.
fn intervals(text: &str) -> Result<Vec<Piece>, &'static str> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let from_inside = rest.starts_with('[');
        let inner = rest.strip_prefix(['[', '(']).ok_or("an interval begins with [ or (")?;
        let end = inner.find([']', ')']).ok_or("an interval does not end")?;
        let (body, behind) = inner.split_at(end);
        let to_inside = behind.starts_with(']');
        rest = behind.get(1..).unwrap_or_default().trim_start_matches([' ', ',', '|']);
        let bound = |text: &str, inside| {
            let text = text.trim();
            (!text.is_empty()).then(|| (text.to_owned(), inside))
        };
        let piece = match body.split_once(',') {
            Some((_, to)) if to.contains(',') => return Err("an interval has three ends"),
            Some((from, to)) => Piece::Span(Span {
                from: bound(from, from_inside).filter(|(v, inside)| v != "0" || !inside),
                to: bound(to, to_inside),
            }),
            None if from_inside && to_inside && !body.trim().is_empty() => {
                Piece::Exactly(body.trim().to_owned())
            }
            None => return Err("an interval has one end"),
        };
        out.push(piece);
    }
    Ok(out)
}

impl Span {
    /// What lies in both. Two bounds of one side are compared, where there is an order.
    fn and(self, other: Self, scheme: Option<Scheme>) -> Result<Self, &'static str> {
        let order = |a: &Bound, b: &Bound| {
            scheme
                .and_then(|s| s.compare(&a.0, &b.0).ok())
                .ok_or("two bounds of one side that cannot be compared")
        };
        let from = match (self.from, other.from) {
            (Some(a), Some(b)) => match order(&a, &b)? {
                std::cmp::Ordering::Less => Some(b),
                std::cmp::Ordering::Greater => Some(a),
                std::cmp::Ordering::Equal => Some((a.0, a.1 && b.1)),
            },
            (one, other) => one.or(other),
        };
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => match order(&a, &b)? {
                std::cmp::Ordering::Less => Some(a),
                std::cmp::Ordering::Greater => Some(b),
                std::cmp::Ordering::Equal => Some((a.0, a.1 && b.1)),
            },
            (one, other) => one.or(other),
        };
        Ok(Self { from, to })
    }
}
