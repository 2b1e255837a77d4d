//! A number of any length, and what else several orders need.

use std::cmp::Ordering;

/// A natural number: small ones as such, those that do not fit by their digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Number {
    /// Up to 2⁶⁴ - 1.
    Small(u64),
    /// Above that: how many digits, and the digits without leading zeros.
    Large(usize, String),
}

impl Number {
    /// From a run of ASCII digits; an empty run is zero.
    pub(super) fn new(digits: &str) -> Self {
        let digits = digits.trim_start_matches('0');
        match digits.parse() {
            Ok(number) => Self::Small(number),
            Err(_) if digits.is_empty() => Self::Small(0),
            Err(_) => Self::Large(digits.len(), digits.to_owned()),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Self::Small(0)
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::Small(0)
    }
}

/// Compares two runs of ASCII digits as numbers; an empty run is zero.
pub(super) fn compare_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Cuts the run of ASCII digits off the front of a text.
pub(super) fn take_digits<'t>(text: &mut &'t str) -> &'t str {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits
}

/// Compares two lists where each, past its end, goes on with `missing` for ever.
pub(super) fn compare_padded<T: Ord>(a: &[T], b: &[T], missing: &T) -> Ordering {
    (0..a.len().max(b.len()))
        .map(|at| a.get(at).unwrap_or(missing).cmp(b.get(at).unwrap_or(missing)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
