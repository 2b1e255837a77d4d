//! Patterns of paths as `.trivyignore.yaml` writes them: `*` within a folder, `**` across
//! folders, `?`, `[a-z]`, `{a,b}`, and `\` before what stands for itself.
//!
//! The whole path must match. Time is bounded: alternatives are counted when a pattern is read,
//! and matching takes at worst the product of both lengths for each of them.

/// The longest pattern, in characters.
const LENGTH_MAX: usize = 1024;
/// The most alternatives that braces may multiply to.
const ALTERNATIVES_MAX: usize = 64;

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Vec<Vec<Segment>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`: any number of folders, none included.
    Any,
    Name(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// Itself.
    Char(char),
    /// `?`.
    One,
    /// `*`.
    Many,
    /// `[…]`: inclusive ranges, and whether they are what is not meant.
    Class { not: bool, ranges: Vec<(char, char)> },
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("it is longer than {LENGTH_MAX} characters"));
        }
        let alternatives = alternatives(text)?;
        Ok(Self(alternatives.iter().map(|a| segments(a)).collect::<Result<_, _>>()?))
    }

    /// Whether the whole path is meant. It is written without a leading slash.
    pub fn matches(&self, path: &str) -> bool {
        let parts: Vec<Vec<char>> = path.split('/').map(|p| p.chars().collect()).collect();
        self.0.iter().any(|segments| {
            walk(
                segments,
                &parts,
                |s| *s == Segment::Any,
                |segment, part| match segment {
                    Segment::Any => true,
                    Segment::Name(tokens) => {
                        walk(tokens, part, |t| *t == Token::Many, |token, c| token.takes(*c))
                    }
                },
            )
        })
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One | Self::Many => true,
            Self::Class { not, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *not
            }
        }
    }
}

/// Whether a pattern takes all of a text, of which some parts take any number of items. Only the
/// last of those that was met can need another try, so the time is at most the product of both
/// lengths.
fn walk<P, T>(
    pattern: &[P],
    text: &[T],
    many: impl Fn(&P) -> bool,
    takes: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while let Some(item) = text.get(read) {
        match pattern.get(at) {
            Some(part) if many(part) => {
                again = Some((at, read));
                at += 1;
            }
            Some(part) if takes(part, item) => {
                at += 1;
                read += 1;
            }
            Some(_) | None => match &mut again {
                Some((star, from)) => {
                    *from += 1;
                    (at, read) = (*star + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(many)
}

/// The pattern with its braces multiplied out.
fn alternatives(text: &str) -> Result<Vec<String>, String> {
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(next) = open.pop() {
        match first_braces(&next)? {
            None => done.push(next),
            Some((before, inner, after)) => {
                open.extend(inner.iter().rev().map(|part| format!("{before}{part}{after}")));
            }
        }
        if done.len() + open.len() > ALTERNATIVES_MAX {
            return Err(format!("it has more than {ALTERNATIVES_MAX} alternatives"));
        }
    }
    Ok(done)
}

/// What stands before the first braces, each alternative in them, and what stands behind.
type Braces = (String, Vec<String>, String);

fn first_braces(text: &str) -> Result<Option<Braces>, String> {
    let mut chars = text.chars();
    let (mut before, mut inner) = (String::new(), vec![String::new()]);
    let mut depth = 0_usize;
    while let Some(c) = chars.next() {
        let part = match (depth, inner.last_mut()) {
            (0, _) | (_, None) => &mut before,
            (_, Some(part)) => part,
        };
        match c {
            '\\' => {
                part.push(c);
                part.extend(chars.next());
            }
            '{' => {
                if depth > 0 {
                    part.push(c);
                }
                depth += 1;
            }
            '}' if depth == 1 => return Ok(Some((before, inner, chars.as_str().to_owned()))),
            '}' if depth == 0 => return Err("a } closes nothing".to_owned()),
            '}' => {
                part.push(c);
                depth -= 1;
            }
            ',' if depth == 1 => inner.push(String::new()),
            other => part.push(other),
        }
    }
    if depth > 0 { Err("a { is not closed".to_owned()) } else { Ok(None) }
}

fn segments(text: &str) -> Result<Vec<Segment>, String> {
    let mut out = Vec::new();
    for part in text.split('/') {
        out.push(if part == "**" { Segment::Any } else { Segment::Name(tokens(part)?) });
    }
    Ok(out)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            '[' => class(&mut chars)?,
            '\\' => Token::Char(chars.next().ok_or("a \\ stands at its end")?),
            other => Token::Char(other),
        });
    }
    Ok(out)
}

/// What follows a `[`.
fn class(chars: &mut std::str::Chars<'_>) -> Result<Token, String> {
    const OPEN: &str = "a [ is not closed within its folder";
    let mut rest = chars.clone();
    let not = rest.next().is_some_and(|c| matches!(c, '^' | '!'));
    if not {
        *chars = rest;
    }
    let mut ranges = Vec::new();
    loop {
        let from = match chars.next().ok_or(OPEN)? {
            ']' if !ranges.is_empty() => return Ok(Token::Class { not, ranges }),
            ']' => return Err("a [] is empty".to_owned()),
            '\\' => chars.next().ok_or(OPEN)?,
            other => other,
        };
        let mut ahead = chars.clone();
        let to = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) if to != ']' => {
                *chars = ahead;
                if to == '\\' { chars.next().ok_or(OPEN)? } else { to }
            }
            (_, _) => from,
        };
        if to < from {
            return Err("a range in [] ends before it begins".to_owned());
        }
        ranges.push((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::PathPattern;
    use proptest::prelude::*;

    #[test]
    fn patterns_mean_what_trivy_takes_them_for() {
        let meta = "usr/lib/python3/site-packages/Django-3.2.dist-info/METADATA";
        for (pattern, path, wanted) in [
            (meta, meta, true),
            ("usr/**", meta, true),
            ("usr/**/METADATA", meta, true),
            ("**/METADATA", meta, true),
            ("**", meta, true),
            ("usr/**/**/METADATA", meta, true),
            ("usr/lib/**/Django-*.dist-info/*", meta, true),
            ("usr/*", meta, false),
            ("usr", meta, false),
            ("/usr/**", meta, false),
            ("METADATA", meta, false),
            ("{usr,opt}/**", meta, true),
            ("{opt,srv/{a,b}}/**", "srv/b/c", true),
            ("{opt,srv/{a,b}}/**", "srv/c/c", false),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/c", true),
            ("a/**/c", "a/b/cc", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[a-]x", "-x", true),
            ("[\\]]x", "]x", true),
            (r"\*x", "*x", true),
            (r"\*x", "ax", false),
            (r"\{a\}", "{a}", true),
            ("a**c", "abbc", true),
            ("a**c", "ab/bc", false),
            ("USR/**", meta, false),
            ("ü*", "über", true),
        ] {
            let read = PathPattern::new(pattern).unwrap();
            assert_eq!(read.matches(path), wanted, "{pattern:?} {path:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        let many = "{a,b}".repeat(7);
        let deep = "{".repeat(1000);
        let long = "a".repeat(1025);
        for (pattern, why) in [
            ("", "empty"),
            ("usr/[", "not closed"),
            ("usr/[a/b]", "not closed"),
            ("[]", "empty"),
            ("[b-a]", "ends before"),
            ("{a", "not closed"),
            ("a}", "closes nothing"),
            ("a\\", "at its end"),
            (&many, "more than 64"),
            (&deep, "not closed"),
            (&long, "longer than 1024"),
        ] {
            let error = PathPattern::new(pattern).unwrap_err();
            assert!(error.contains(why), "{pattern:?}: {error}");
        }
    }

    #[test]
    fn matching_takes_bounded_time() {
        let pattern = PathPattern::new(&"*a".repeat(500)).unwrap();
        assert!(!pattern.matches(&"a".repeat(20_000).replace("aaaa", "aab")));
        let folders = PathPattern::new(&format!("{}b", "**/a/".repeat(200))).unwrap();
        assert!(!folders.matches(&"a/".repeat(5_000)));
    }

    proptest! {
        #[test]
        fn no_pattern_makes_us_panic(pattern in r"[a-c*?/{},\[\]\\^!-]{0,20}", path in "[a-c/]{0,20}") {
            if let Ok(read) = PathPattern::new(&pattern) {
                read.matches(&path);
            }
        }
    }
}
