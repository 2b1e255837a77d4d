//! Composer's order (composer/semver, for Packagist): PHP's `version_compare` over what
//! `VersionParser::normalize` makes of a version, four numbers and a stability.
//!
//! `1.0` is `1.0.0.0`; separators are alike and may be missing before a word; words count
//! without case: dev < alpha = a < beta = b < RC < nothing = stable < a number < patch = pl = p.
//! A numeric branch `1.2.x-dev` lies above all of `1.2`. Build metadata and a `@stability` flag
//! are no part of the order.
//!
//! A branch without a number (`dev-main`) is no version here: Composer itself does not let it
//! satisfy any bound, and whether it holds a fix nobody can tell from its name.

use super::number::{Number, take_digits};

/// A parsed version: its tokens, with [`Token::End`] last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Composer(Vec<Token>);

/// The order of the variants is the order of versions that go on differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    /// A word that Composer does not know; PHP has all of them equal.
    Unknown,
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number(Number),
    Patch,
}

/// What Composer writes for the `x` of a branch.
const ANY: Token = Token::Number(Number::Small(9_999_999));

/// How many numbers Composer writes.
const NUMBERS: usize = 4;

pub(super) fn parse(text: &str) -> Result<Composer, &'static str> {
    let lower = text.to_ascii_lowercase();
    let text = lower.split(['+', '@', '#']).next().unwrap_or_default();
    if text.starts_with("dev-") || matches!(text, "master" | "trunk" | "default") {
        return Err("it is a branch, which has no place among versions");
    }
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let mut tokens = Vec::with_capacity(8);
    let mut branch = false;
    // The numbers at the start.
    loop {
        let digits = take_digits(&mut rest);
        match rest.strip_prefix(['x', '*']) {
            _ if !digits.is_empty() => tokens.push(Token::Number(Number::new(digits))),
            Some(after) if !tokens.is_empty() => {
                rest = after;
                branch = true;
                tokens.push(ANY);
            }
            Some(_) | None => return Err("a number is missing"),
        }
        let more = |c: char| c.is_ascii_digit() || c == 'x' || c == '*';
        match rest.strip_prefix(['.', '-', '_']) {
            Some(after) if after.starts_with(more) => rest = after,
            Some(_) | None => break,
        }
    }
    let fill = if branch { ANY } else { Token::Number(Number::Small(0)) };
    while tokens.len() < NUMBERS {
        tokens.push(fill.clone());
    }
    words(rest, &mut tokens)?;
    tokens.push(Token::End);
    Ok(Composer(tokens))
}

/// The stability: words, each with numbers or none.
fn words(mut rest: &str, tokens: &mut Vec<Token>) -> Result<(), &'static str> {
    while !rest.is_empty() {
        let part = rest.trim_start_matches(['.', '-', '_']);
        if part.is_empty() {
            break;
        }
        rest = part;
        let digits = take_digits(&mut rest);
        if !digits.is_empty() {
            tokens.push(Token::Number(Number::new(digits)));
            continue;
        }
        let end = rest.bytes().position(|b| !b.is_ascii_lowercase()).unwrap_or(rest.len());
        // `betadev` is two words.
        let end = match rest.get(..end).and_then(|word| word.strip_suffix("dev")) {
            Some(before) if !before.is_empty() => before.len(),
            Some(_) | None => end,
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        // As in PHP, a word is what it begins with, so that `post` is a `p`.
        let begins = |with: &[&str]| with.iter().any(|w| word.starts_with(w));
        if word.is_empty() {
            return Err("it has a sign that has no place there");
        } else if word == "stable" {
            // Composer drops all that follows.
            break;
        }
        tokens.push(if begins(&["dev"]) {
            Token::Dev
        } else if begins(&["a"]) {
            Token::Alpha
        } else if begins(&["b"]) {
            Token::Beta
        } else if begins(&["rc"]) {
            Token::Candidate
        } else if begins(&["p"]) {
            Token::Patch
        } else {
            Token::Unknown
        });
    }
    Ok(())
}
