//! Semantic Versioning 2.0.0 as npm reads it in its "loose" mode, which is how versions stand in
//! `package.json` files and advisories: a leading `v` or `=`, leading zeros and a prerelease
//! without its hyphen (`1.2.3beta`) are taken. Build metadata is no part of the order.
//!
//! Unlike npm, an incomplete version is read (`1.2` is `1.2.0`), because ranges of advisories
//! name such bounds. More than three numbers (`1.2.3.4`) are no version.
//!
//! What other ecosystems take of semver is part of this, and the order is the same: crates.io,
//! Hex, SwiftURL and the others whose row in the table of ecosystems says so.

use std::cmp::Ordering;

use super::number::{Number, take_digits};

/// A parsed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Semver {
    /// Major, minor, patch.
    pub(super) release: [Number; 3],
    /// The prerelease's parts; empty for a release.
    pub(super) prerelease: Vec<Part>,
}

/// One part of a prerelease. Numbers come before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Number(Number),
    Word(String),
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.release, self.prerelease.is_empty(), &self.prerelease).cmp(&(
            &other.release,
            other.prerelease.is_empty(),
            &other.prerelease,
        ))
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

pub(super) fn parse(text: &str) -> Result<Semver, &'static str> {
    let mut rest = text.trim_start_matches(|c: char| c == 'v' || c == '=' || c.is_whitespace());
    let release = numbers(&mut rest)?;
    let rest = without_build(rest)?;
    let prerelease = match rest.strip_prefix('-').and_then(parts) {
        Some(parts) => parts,
        None if rest.is_empty() => Vec::new(),
        None => parts(rest).ok_or("its prerelease is not made of letters, digits and hyphens")?,
    };
    Ok(Semver { release, prerelease })
}

/// Reads one to three numbers with dots between them; those that are missing are nought.
pub(super) fn numbers(rest: &mut &str) -> Result<[Number; 3], &'static str> {
    let mut release = [Number::default(), Number::default(), Number::default()];
    for (at, number) in release.iter_mut().enumerate() {
        if at > 0 {
            match rest.strip_prefix('.') {
                Some(after) => *rest = after,
                None => break,
            }
        }
        let digits = take_digits(rest);
        if digits.is_empty() {
            return Err("a number is missing");
        }
        *number = Number::new(digits);
    }
    Ok(release)
}

/// Cuts off `+build`, once it is seen to be well-formed.
pub(super) fn without_build(text: &str) -> Result<&str, &'static str> {
    match text.split_once('+') {
        Some((before, build)) if parts(build).is_some() => Ok(before),
        Some(_) => Err("its build metadata is not made of letters, digits and hyphens"),
        None => Ok(text),
    }
}

/// Splits at dots; `None` when a part is empty or has another sign in it.
pub(super) fn parts(text: &str) -> Option<Vec<Part>> {
    text.split('.')
        .map(|part| {
            let good =
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            good.then(|| match part.bytes().all(|b| b.is_ascii_digit()) {
                true => Part::Number(Number::new(part)),
                false => Part::Word(part.to_owned()),
            })
        })
        .collect()
}
