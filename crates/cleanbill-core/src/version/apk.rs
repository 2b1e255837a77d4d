//! Alpine's order, as apk-tools 3 compares (`apk version -t`); its grammar is in
//! apk-package(5). What `apk version --check` of 2.14 takes parses here too, where the grammar
//! of 3 is stricter (`1.2.-r1`, `10.2.26.r0`, `6.6.2p1`), since security databases hold such
//! texts and apk 2 gives them a definite place. A version must begin with a digit.
//!
//! The two differ in order as well, for noughts: in 3 a later number that begins with one is
//! compared by its signs (`8.2.0015` < `8.2.002`), in 2 by how many noughts there are.
//!
//! A version is a list of tokens that end with `End`, compared one by one: so the order of the
//! variants below *is* the order of versions that go on differently after an equal start.

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
    /// The first number, and one after a letter.
    Digits(Number),
    /// A later number that begins with a nought, or is not there: compared by its signs, like
    /// what follows a decimal point (1.001 < 1.01 < 1.1).
    Fraction(String),
    /// A later number.
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
    let mut tokens = Vec::with_capacity(8);
    let mut kind = Kind::Digits;
    loop {
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
        Kind::Component => match take_digits(rest) {
            digits if digits.is_empty() || digits.starts_with('0') => {
                Token::Fraction(digits.to_owned())
            }
            digits => Token::Component(Number::new(digits)),
        },
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
