//! Whether one version lies in what one advisory calls affected.

use std::borrow::Cow;

use super::flavours::{self, Flavour};
use super::names;
use crate::advisory::{Advisory, Range, RangeEnd, State};
use crate::version::{Scheme, Version};

/// The installed version, parsed once.
pub(super) struct Installed<'a> {
    pub(super) scheme: Scheme,
    /// As it is written.
    pub(super) text: Cow<'a, str>,
    /// `None` where it cannot be compared: then only equal texts count.
    pub(super) version: Option<Version>,
    /// The version of the source, without an epoch, which rpm does not write down of sources.
    pub(super) source: Option<Version>,
    /// What it is built as.
    pub(super) flavour: Flavour,
}

impl Installed<'_> {
    /// The version that an advisory's ranges are about.
    pub(super) fn of(&self, advisory: &Advisory) -> Option<&Version> {
        match names::is_of_source(advisory) {
            true => self.source.as_ref(),
            false => self.version.as_ref(),
        }
    }
}

/// What an advisory says of a version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Affected, by this range or listed version (for people).
    Affected(String),
    /// Not affected.
    NotAffected,
    /// What it says cannot be read; why.
    Unreadable(String),
}

/// Asks an advisory about the installed version.
///
/// A listed version that does not parse is no gap: it can be equal to another text only letter
/// by letter, since a version that parses is never equal to one that does not.
pub(super) fn ask(advisory: &Advisory, installed: &Installed<'_>) -> Said {
    if advisory.versions.iter().any(|v| *v == installed.text) {
        return Said::Affected(format!("= {}", installed.text));
    }
    let mut unreadable = advisory.unreadable.clone();
    if installed.version.is_some() && installed.of(advisory).is_none() {
        let why = "the version of the package's source cannot be compared";
        unreadable.get_or_insert_with(|| why.to_owned());
    }
    if let Some(version) = installed.of(advisory) {
        if advisory.state == State::NotAffected {
            return unreadable.map_or(Said::NotAffected, Said::Unreadable);
        }
        for range in &advisory.ranges {
            match place(advisory, range, version, installed.scheme) {
                Ok(Place::Inside) if flavours::is_other(range, installed) => {}
                Ok(Place::Inside) => return Said::Affected(shown(range)),
                Ok(Place::Before | Place::Past | Place::Nowhere) => {}
                Err(why) => unreadable = unreadable.or(Some(why)),
            }
        }
        let equal = |text: &&String| {
            Version::parse(installed.scheme, text).is_ok_and(|listed| version.is_meant_by(&listed))
        };
        if let Some(listed) = advisory.versions.iter().find(equal) {
            return Said::Affected(format!("= {listed}"));
        }
    }
    unreadable.map_or(Said::NotAffected, Said::Unreadable)
}

/// Where a version lies, seen from a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In it: affected.
    Inside,
    /// Below its first version.
    Before,
    /// At or above the fix, or above the last affected version.
    Past,
    /// The range holds no version at all.
    Nowhere,
}

/// Where the version lies in a range of the advisory; an error when a bound that matters does not
/// parse. A bound does not matter when the other one already excludes the version.
pub(super) fn place(
    advisory: &Advisory,
    range: &Range,
    version: &Version,
    scheme: Scheme,
) -> Result<Place, String> {
    let parse =
        |text: &str| Version::parse(scheme, bound(advisory, text)).map_err(|e| e.to_string());
    let from = match range.introduced.as_deref() {
        None | Some("0") => Ok(true),
        Some(introduced) => parse(introduced).map(|v| *version >= v),
    };
    let to = match &range.end {
        RangeEnd::Open => Ok(true),
        // "Fixed in 0": it was never affected (Debian's and Alpine's way to say so).
        RangeEnd::Fixed(fixed) if fixed == "0" => return Ok(Place::Nowhere),
        RangeEnd::Fixed(end) | RangeEnd::Before(end) => parse(end).map(|v| *version < v),
        RangeEnd::LastAffected(last) => parse(last).map(|v| version.is_up_to(&v)),
    };
    match (from, to) {
        (Ok(false), _) => Ok(Place::Before),
        (_, Ok(false)) => Ok(Place::Past),
        (Ok(true), Ok(true)) => Ok(Place::Inside),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// A bound as it is compared: where the advisory is about a source, without an epoch.
pub(super) fn bound<'t>(advisory: &Advisory, text: &'t str) -> &'t str {
    match names::is_of_source(advisory) {
        true => without_epoch(text),
        false => text,
    }
}

/// A version of rpm without what stands before its first colon, where that is a number.
pub(super) fn without_epoch(text: &str) -> &str {
    match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|b| b.is_ascii_digit()) => rest,
        Some(_) | None => text,
    }
}

/// Whether a version is one of a build for subscribers, as Ubuntu writes them: `1.2-3ubuntu1+esm2`.
pub(super) fn is_paid_build(version: &str) -> bool {
    let mut parts = version.split(['+', '~', '.', '-']);
    parts.any(|part| {
        part.strip_prefix("esm").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The range for people.
pub(super) fn shown(range: &Range) -> String {
    let from = range.introduced.as_deref().filter(|v| *v != "0").map(|v| format!(">= {v}"));
    let to = match &range.end {
        RangeEnd::Open => None,
        RangeEnd::Fixed(v) | RangeEnd::Before(v) => Some(format!("< {v}")),
        RangeEnd::LastAffected(v) => Some(format!("<= {v}")),
    };
    match (from, to) {
        (None, None) => "every version".to_owned(),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(from), Some(to)) => format!("{from}, {to}"),
    }
}
