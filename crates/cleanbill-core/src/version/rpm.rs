//! rpm's order (`rpm.vercmp`, `rpmverCmp` of librpm): epoch, then version, then release.
//!
//! A missing epoch is nought, and only digits before a colon are one. A missing release is lower
//! than any release: that is what librpm's `rpmverCmp` has, and it makes the order total.
//! (Dependencies in rpm are another question: there a missing release is any release, so that `1.0`
//! would equal both `1.0-1` and `1.0-2`. So it is where a version is named as affected, see
//! [`Rpm::is_meant_by`].)
//!
//! Within each part runs of letters and runs of digits are compared one by one; every other sign
//! only separates runs, so `1.0`, `1_0` and `1.0.` are equal, and a part may hold no run at all.
//! Two signs count: `~` is lower than the end of the text, `^` is higher than the end and lower
//! than a run.

use std::cmp::Ordering;

use super::number::{Number, compare_digits, take_digits};

/// A parsed version.
#[derive(Clone, Debug)]
pub(super) struct Rpm {
    epoch: Number,
    version: String,
    release: Option<String>,
}

/// What comes next in a part; the order of the variants is the order of versions that go on
/// differently after an equal start.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Token<'t> {
    Tilde,
    End,
    Caret,
    Letters(&'t str),
    Digits(Digits<'t>),
}

/// A run of digits, compared as a number.
struct Digits<'t>(&'t str);

pub(super) fn parse(text: &str) -> Result<Rpm, &'static str> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it has white space in it");
    }
    // What rpm prints where there is no epoch is no part of the version.
    let text = text.strip_prefix("(none):").unwrap_or(text);
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|b| b.is_ascii_digit()) => {
            (Number::new(epoch), rest)
        }
        // Any other colon separates like a dot.
        Some(_) | None => (Number::default(), text),
    };
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    if version.is_empty() {
        return Err("it has no version beside epoch and release");
    }
    Ok(Rpm { epoch, version: version.to_owned(), release: release.map(str::to_owned) })
}

impl Rpm {
    /// Without a release a version means all of its releases, as in rpm's dependencies.
    pub(super) fn is_meant_by(&self, named: &Self) -> bool {
        let has_none = named.release.is_none() && self.epoch == named.epoch;
        self == named || has_none && compare_part(&self.version, &named.version).is_eq()
    }
}

impl Ord for Rpm {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(&self.version, &other.version))
            .then_with(|| match (&self.release, &other.release) {
                (Some(a), Some(b)) => compare_part(a, b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

impl PartialOrd for Rpm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rpm {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Rpm {}

fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (x, y) = (token(&mut a), token(&mut b));
        let order = x.cmp(&y);
        if order != Ordering::Equal || x == Token::End {
            return order;
        }
    }
}

/// Cuts the next token off the front, and the separators before it.
fn token<'t>(rest: &mut &'t str) -> Token<'t> {
    let counts = |c: char| c.is_ascii_alphanumeric() || c == '~' || c == '^';
    *rest = rest.trim_start_matches(|c| !counts(c));
    match rest.bytes().next() {
        None => Token::End,
        Some(sign @ (b'~' | b'^')) => {
            *rest = rest.get(1..).unwrap_or_default();
            if sign == b'~' { Token::Tilde } else { Token::Caret }
        }
        Some(sign) if sign.is_ascii_digit() => Token::Digits(Digits(take_digits(rest))),
        Some(_) => {
            let end = rest.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (letters, after) = rest.split_at(end);
            *rest = after;
            Token::Letters(letters)
        }
    }
}

impl Ord for Digits<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_digits(self.0, other.0)
    }
}

impl PartialOrd for Digits<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Digits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Digits<'_> {}
