//! Alpine's order, as apk-tools 2.14 compares (`apk version -t`); its grammar is in
//! apk-package(5). What `apk version --check` of 2.14 takes parses here, even where the grammar
//! of the manual is stricter (`1.2.-r1`, `10.2.26.r0`), since security databases hold such
//! texts and apk gives them a definite place. A version must begin with a digit.
//!
//! In one thing we go with apk-tools 3: `1.0_rc1` is lower than `1.0`. (2.14 has it the other way
//! round, only after a component of noughts at the very end; packages end with `-rN`.)
//!
//! A version is a list of tokens that end with `End`, compared one by one: so the order of the
//! variants below *is* the order of versions that go on differently after an equal start.

use std::cmp::Reverse;

use super::number::{Number, take_digits};

/// A parsed version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Apk(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// `_alpha`, `_beta`, `_pre`, `_rc`: lower than nothing at all.
    PreSuffix(usize),
    /// The end of the version.
    End,
    /// `-r1`, the package's build.
    Revision(Number),
    /// `~2a3f`, a commit.
    Hash(String),
    /// The number after a suffix.
    SuffixNumber(Number),
    /// `_cvs`, `_svn`, `_git`, `_hg`, `_p`.
    PostSuffix(usize),
    /// One lower-case letter after a number.
    Letter(u8),
    /// The first number, and one after a letter or after leading zeros.
    Digits(Number),
    /// Leading zeros of a later number: each one more makes it lower (1.001 < 1.01 < 1.1).
    Zeros(Reverse<usize>),
    /// A later number without leading zeros; empty counts as nought.
    Component(Number),
}

/// The kinds of tokens in the sequence in which a version may have them.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Kind {
    Component,
    Digits,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
}

const PRE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const POST: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

pub(super) fn parse(text: &str) -> Result<Apk, &'static str> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("it does not begin with a digit");
    }
    let mut rest = text;
    let mut tokens = Vec::new();
    let mut kind = Kind::Digits;
    loop {
        let zeros = rest.len() - rest.trim_start_matches('0').len();
        if kind == Kind::Component && zeros > 0 {
            rest = rest.get(zeros..).unwrap_or_default();
            tokens.push(Token::Zeros(Reverse(zeros)));
            kind = Kind::Digits;
            continue;
        }
        tokens.push(token(kind, &mut rest)?);
        match next(kind, &mut rest)? {
            Some(follows) => kind = follows,
            None => break,
        }
    }
    tokens.push(Token::End);
    Ok(Apk(tokens))
}

/// Reads the token of a kind.
fn token(kind: Kind, rest: &mut &str) -> Result<Token, &'static str> {
    Ok(match kind {
        Kind::Component => Token::Component(Number::new(take_digits(rest))),
        Kind::Digits => Token::Digits(Number::new(take_digits(rest))),
        Kind::SuffixNumber => Token::SuffixNumber(Number::new(take_digits(rest))),
        Kind::Revision => Token::Revision(Number::new(take_digits(rest))),
        Kind::Letter => {
            let letter = rest.bytes().next().ok_or("a letter is missing")?;
            *rest = rest.get(1..).unwrap_or_default();
            Token::Letter(letter)
        }
        Kind::Hash => {
            let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
            let after = rest.trim_start_matches(is_hex);
            let hash = rest.strip_suffix(after).filter(|h| !h.is_empty());
            let hash = hash.ok_or("no commit follows the ~")?.to_owned();
            *rest = after;
            Token::Hash(hash)
        }
        Kind::Suffix => {
            let mut find = |words: &[&str]| {
                words.iter().position(|w| match rest.strip_prefix(w) {
                    Some(after) => {
                        *rest = after;
                        true
                    }
                    None => false,
                })
            };
            match find(&PRE).map(Token::PreSuffix) {
                Some(pre) => pre,
                None => find(&POST).map(Token::PostSuffix).ok_or("its suffix is unknown")?,
            }
        }
    })
}

/// Finds out what follows a token, and steps over the sign that says so.
fn next(kind: Kind, rest: &mut &str) -> Result<Option<Kind>, &'static str> {
    let Some(sign) = rest.bytes().next() else { return Ok(None) };
    let after_number = matches!(kind, Kind::Component | Kind::Digits);
    let (follows, step) = match sign {
        b'a'..=b'z' if after_number => (Kind::Letter, 0),
        b'0'..=b'9' if kind == Kind::Letter => return Ok(Some(Kind::Digits)),
        b'0'..=b'9' if kind == Kind::Suffix => (Kind::SuffixNumber, 0),
        b'.' => (Kind::Component, 1),
        b'_' => (Kind::Suffix, 1),
        b'~' => (Kind::Hash, 1),
        b'-' if rest.starts_with("-r") => (Kind::Revision, 2),
        _ => return Err("it has a sign that has no place there"),
    };
    let goes_back = matches!(
        (follows, kind),
        (Kind::Component, Kind::Digits) | (Kind::Suffix, Kind::SuffixNumber)
    );
    if follows < kind && !goes_back {
        return Err("its parts are not in the order number, letter, suffix, commit, build");
    }
    *rest = rest.get(step..).unwrap_or_default();
    Ok(Some(follows))
}
