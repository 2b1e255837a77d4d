//! Maven's order: `ComparableVersion` of Maven 3.9 and 4 (maven-artifact), which every text has a
//! place in. Letters count without case.
//!
//! A version is a list of tokens. A dot or a hyphen ends a token, and so does the step from a
//! digit to another sign; a word and the number straight after it, or after one hyphen, are one
//! token (`rc1`, `rc-1`). Nothing between two separators is nought. Tokens compare so, lowest
//! first: a word, a number after a hyphen, a number after a dot. Words compare by
//! [`Word`]; `a`, `b` and `m` are alpha, beta and milestone only with a number. Noughts before a
//! word or the end do not count, so `1.0.0-rc` is `1-rc`.
//!
//! The end counts as the word of a release, whatever is missing: that makes the order total.
//! Maven's own is not for some texts with words in the middle (`1.sp.1` is above `1`, which is
//! above `1-alpha`, which is above `1.sp.1`): there `.word` is read as `-word`, as Maven's
//! documentation has it. No such versions are known.

use std::cmp::Ordering;

use super::number::{Number, compare_padded, take_digits};

/// A parsed version.
#[derive(Clone, Debug)]
pub(super) struct Maven(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// A word, and the number that belongs to it.
    Word(Word, Option<Number>),
    /// A number after a hyphen.
    Hyphened(Number),
    /// A number after a dot, or at the start.
    Dotted(Number),
}

/// The words that have a place of their own, and all others after them by their letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    /// `ga`, `final`, `release`, and the end of a version.
    Release,
    ServicePack,
    Other(String),
}

static END: Token = Token::Word(Word::Release, None);

pub(super) fn parse(text: &str) -> Result<Maven, &'static str> {
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it is empty or has white space in it");
    }
    let text = text.to_lowercase();
    let mut rest = text.as_str();
    let mut tokens = Vec::with_capacity(8);
    let mut hyphened = false;
    loop {
        tokens.push(token(&mut rest, hyphened));
        match rest.bytes().next() {
            Some(sign @ (b'.' | b'-')) => {
                hyphened = sign == b'-';
                rest = rest.get(1..).unwrap_or_default();
            }
            // From a digit straight to a word.
            Some(_) => hyphened = true,
            None => break,
        }
    }
    Ok(Maven(trimmed(tokens)))
}

/// Cuts one token off the front; without anything there it is nought.
fn token(rest: &mut &str, hyphened: bool) -> Token {
    let is_sign = |b: u8| b == b'.' || b == b'-' || b.is_ascii_digit();
    let end = rest.bytes().position(is_sign).unwrap_or(rest.len());
    let (word, mut after) = rest.split_at(end);
    if word.is_empty() {
        let number = Number::new(take_digits(rest));
        return if hyphened { Token::Hyphened(number) } else { Token::Dotted(number) };
    }
    // `rc1` and `rc-1` are one token, `rc.1` is two.
    let mut beyond = after.strip_prefix('-').unwrap_or(after);
    let digits = take_digits(&mut beyond);
    let number = (!digits.is_empty()).then(|| Number::new(digits));
    if number.is_some() {
        after = beyond;
    }
    *rest = after;
    let word = named(word, number.is_some());
    // A release's nought is nothing.
    let counts = |n: &Number| word != Word::Release || !n.is_zero();
    let number = number.filter(counts);
    Token::Word(word, number)
}

fn named(word: &str, numbered: bool) -> Word {
    match word {
        "alpha" => Word::Alpha,
        "a" if numbered => Word::Alpha,
        "beta" => Word::Beta,
        "b" if numbered => Word::Beta,
        "milestone" => Word::Milestone,
        "m" if numbered => Word::Milestone,
        "rc" | "cr" => Word::Candidate,
        "snapshot" => Word::Snapshot,
        "ga" | "final" | "release" => Word::Release,
        "sp" => Word::ServicePack,
        other => Word::Other(other.to_owned()),
    }
}

/// Without the noughts that stand before a word or at the end.
fn trimmed(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut before_word = true;
    for token in tokens.into_iter().rev() {
        match &token {
            Token::Word(..) => before_word = true,
            Token::Hyphened(n) | Token::Dotted(n) if n.is_zero() && before_word => continue,
            Token::Hyphened(_) | Token::Dotted(_) => before_word = false,
        }
        kept.push(token);
    }
    kept.reverse();
    kept
}

impl Ord for Maven {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_padded(&self.0, &other.0, &END)
    }
}

impl PartialOrd for Maven {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Maven {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Maven {}
