//! Which fixed version a person can take: that of the branch that the installed version is on, and where
//! this has none, those of later branches, told as what they are.

use std::borrow::Cow;

use crate::advisory::{Advisory, Range, RangeEnd};
use crate::version::Version;

use super::flavours;
use super::ranges::{self, Installed, Place, Said, ask, bound, place};

/// The fixes of a flaw for an installed version.
#[derive(Default)]
pub(super) struct Fixes {
    /// The versions, lowest first.
    pub(super) versions: Vec<String>,
    /// Whether the installed version's branch has none, and these are of later ones.
    pub(super) later: bool,
}

/// A fix above the installed version.
struct Fix<'a> {
    version: Version,
    text: &'a String,
    /// Whether it is of the installed version's branch.
    own: bool,
}

/// The versions that advisories name as fixed, above the installed one.
///
/// One that another advisory of the same flaw calls affected is left out; but where they
/// contradict each other so that none would be left, all are named: the flaw is fixable as far
/// as somebody says so, and a policy that looks at fixable flaws only must not overlook it. For
/// the same reason a fix of a later branch counts as one, where there is no nearer.
pub(super) fn fixes(advisories: &[&Advisory], installed: &Installed<'_>) -> Fixes {
    let all = above(advisories, installed);
    let undisputed = |fix: &&Fix<'_>| {
        let is_affected = |a: &&Advisory| matches!(ask(a, &at(fix, installed)), Said::Affected(_));
        !advisories.iter().any(is_affected)
    };
    let texts = |of: Vec<&Fix<'_>>| of.into_iter().map(|fix| fix.text.clone()).collect();
    let mut ahead: Option<Vec<Fix<'_>>> = None;
    loop {
        let fixes = ahead.as_ref().unwrap_or(&all);
        let own: Vec<&Fix<'_>> = fixes.iter().filter(|fix| fix.own).collect();
        let free: Vec<&Fix<'_>> = own.iter().copied().filter(undisputed).collect();
        if !free.is_empty() {
            return Fixes { versions: texts(free), later: false };
        }
        // Where the branch's fix is affected again, the branch goes on from there.
        match own.first() {
            Some(fix) => ahead = Some(above(advisories, &at(fix, installed))),
            None => break,
        }
    }
    let others: Vec<&Fix<'_>> = all.iter().filter(undisputed).collect();
    match others.is_empty() {
        true => Fixes { versions: texts(all.iter().collect()), later: false },
        false => Fixes { versions: texts(others), later: true },
    }
}

/// The fixes above a version, lowest first.
fn above<'a>(advisories: &[&'a Advisory], installed: &Installed<'_>) -> Vec<Fix<'a>> {
    let mut all: Vec<Fix<'a>> = Vec::new();
    for advisory in advisories {
        let Some(version) = installed.of(advisory) else { continue };
        let parse = |text| Version::parse(installed.scheme, bound(advisory, text)).ok();
        // Where other stretches of affected versions begin that are still to come.
        let begins = advisory.ranges.iter().filter(|range| !is_empty(range));
        let begins = begins.filter_map(|range| parse(range.introduced.as_deref()?));
        let begins: Vec<Version> = begins.filter(|begin| begin > version).collect();
        for range in &advisory.ranges {
            let RangeEnd::Fixed(text) = &range.end else { continue };
            let Some(fixed) = parse(text).filter(|fixed| fixed > version) else { continue };
            if !flavours::is_own(text, installed) {
                continue;
            }
            let inside = place(advisory, range, version, installed.scheme) == Ok(Place::Inside);
            let own = inside || begins.iter().all(|begin| *begin > fixed);
            all.push(Fix { version: fixed, text, own });
        }
    }
    all.sort_by(|a, b| a.version.cmp(&b.version).then(b.own.cmp(&a.own)));
    all.dedup_by(|a, b| a.version == b.version);
    all
}

/// A fix as if it were installed.
fn at<'a>(fix: &Fix<'a>, installed: &Installed<'_>) -> Installed<'a> {
    Installed {
        scheme: installed.scheme,
        text: Cow::Borrowed(fix.text.as_str()),
        version: Some(fix.version.clone()),
        source: Version::parse(installed.scheme, ranges::without_epoch(fix.text)).ok(),
        flavour: installed.flavour,
    }
}

/// Whether a range holds no version, and only names a fix (Trivy's database has those).
fn is_empty(range: &Range) -> bool {
    matches!(&range.end, RangeEnd::Fixed(fixed) if range.introduced.as_ref() == Some(fixed))
}
