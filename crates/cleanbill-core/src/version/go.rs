//! Go's orders: of module versions (golang.org/x/mod/semver, with or without `v`, as the Go
//! vulnerability database leaves it out) and of toolchains (go.dev/doc/toolchain).
//!
//! Both become semver, as the vulnerability database writes toolchains: `go1.22rc1` is
//! `1.22.0-rc.1`, and `go1.20` (a release until Go 1.21) is `1.20.0`. Pseudo-versions need
//! nothing of their own: they were made to sort as prereleases. `+incompatible`, `+dirty` and
//! other metadata, a toolchain's ` X:experiment` and its `-vendor` suffix are no part of the order.

use super::number::{Number, take_digits};
use super::semver::{Part, Semver, numbers, parts, without_build};

pub(super) fn parse(text: &str) -> Result<Semver, &'static str> {
    let (toolchain, text) = match text.strip_prefix("go") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('v').unwrap_or(text)),
    };
    // What follows a space is an experiment or a vendor's remark, never part of the version.
    let mut rest = text.split(char::is_whitespace).next().unwrap_or_default();
    let release = numbers(&mut rest)?;
    if let Some(prerelease) = toolchain_prerelease(rest) {
        return Ok(Semver { release, prerelease });
    }
    let rest = match rest.strip_prefix('-') {
        Some(_) if toolchain => "",
        _ => without_build(rest)?,
    };
    let prerelease = match rest.strip_prefix('-') {
        Some(prerelease) => parts(prerelease).ok_or("its prerelease is malformed")?,
        None if rest.is_empty() => Vec::new(),
        None => return Err("it has a sign that has no place there"),
    };
    Ok(Semver { release, prerelease })
}

/// `rc1`, `beta2`: what a toolchain writes straight after its numbers.
fn toolchain_prerelease(text: &str) -> Option<Vec<Part>> {
    let (word, mut number) =
        ["alpha", "beta", "rc"].into_iter().find_map(|w| Some((w, text.strip_prefix(w)?)))?;
    let digits = take_digits(&mut number);
    let ends = number.is_empty() || number.starts_with(['-', '+']);
    (ends && !digits.is_empty())
        .then(|| vec![Part::Word(word.to_owned()), Part::Number(Number::new(digits))])
}
