//! A number of any length, kept as its digits.

use std::cmp::Ordering;

/// A natural number as digits without leading zeros; zero is the empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(String);

impl Number {
    /// From a run of ASCII digits; an empty run is zero.
    pub(super) fn new(digits: &str) -> Self {
        Self(digits.trim_start_matches('0').to_owned())
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Cuts the run of ASCII digits off the front of a text.
pub(super) fn take_digits<'t>(text: &mut &'t str) -> &'t str {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits
}
