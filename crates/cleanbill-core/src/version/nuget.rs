//! NuGet's order (`NuGet.Versioning`, "Package versioning" of its documentation): semver with
//! one to four numbers, of which those that are missing are nought, and prereleases that compare
//! without case. Build metadata is no part of the order.

use super::number::{Number, take_digits};
use super::semver::{Part, parts, without_build};

/// A parsed version; the sequence of the fields is the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NuGet {
    numbers: [Number; 4],
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Prerelease(Vec<Part>),
    Release,
}

pub(super) fn parse(text: &str) -> Result<NuGet, &'static str> {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.strip_prefix('v').unwrap_or(&lower);
    let mut numbers = [const { Number::Small(0) }; 4];
    for (at, number) in numbers.iter_mut().enumerate() {
        if at > 0 {
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let digits = take_digits(&mut rest);
        if digits.is_empty() {
            return Err("a number is missing");
        }
        *number = Number::new(digits);
    }
    let rest = without_build(rest)?;
    let stage = match rest.strip_prefix('-') {
        Some(prerelease) => {
            Stage::Prerelease(parts(prerelease).ok_or("its prerelease is malformed")?)
        }
        None if rest.is_empty() => Stage::Release,
        None => return Err("it has a sign that has no place there"),
    };
    Ok(NuGet { numbers, stage })
}
