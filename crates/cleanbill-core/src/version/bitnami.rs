//! Bitnami's order (github.com/bitnami/go-version): semver whose `-1` is a revision of the
//! package and so comes *after* the version without it.
//!
//! In two things we differ, both because the feed also holds bounds taken from the makers'
//! own versions. What follows the hyphen and begins with a letter (`2.6.0-rc1`) is a prerelease
//! as in semver: otherwise `2.6.0-3`, which is affected from `2.6.0-rc1` on, would lie below it.
//! And revision nought is no revision: bounds such as `1.62.0-0` mean all of `1.62.0`. So do those
//! without any, where they name a version as affected ([`Bitnami::is_meant_by`]).

use super::number::Number;
use super::semver::{Part, numbers, parts, without_build};

/// A parsed version; the sequence of the fields is the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bitnami {
    release: [Number; 3],
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Prerelease(Vec<Part>),
    /// Empty without a revision.
    Revision(Vec<Part>),
}

impl Bitnami {
    /// Without a revision a version means all that were built of it: the bounds of the feed are the
    /// makers' versions, which have none.
    pub(super) fn is_meant_by(&self, named: &Self) -> bool {
        let is_revision = matches!(self.stage, Stage::Revision(_));
        let names_none = named.stage == Stage::Revision(Vec::new());
        self == named || names_none && is_revision && self.release == named.release
    }
}

pub(super) fn parse(text: &str) -> Result<Bitnami, &'static str> {
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let release = numbers(&mut rest)?;
    let rest = without_build(rest)?;
    let Some(after) = rest.strip_prefix('-') else {
        return match rest.is_empty() {
            true => Ok(Bitnami { release, stage: Stage::Revision(Vec::new()) }),
            false => Err("it has a sign that has no place there"),
        };
    };
    let mut parts = parts(after).ok_or("its revision is malformed")?;
    let stage = match after.starts_with(|c: char| c.is_ascii_digit()) {
        true => {
            if parts == [Part::Number(Number::default())] {
                parts.clear();
            }
            Stage::Revision(parts)
        }
        false => Stage::Prerelease(parts),
    };
    Ok(Bitnami { release, stage })
}
