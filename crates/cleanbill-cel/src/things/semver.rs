//! Versions as of Semantic Versioning 2.0.0.

use std::cmp::Ordering;
use std::fmt;

/// A version; the build part is kept and does not count in comparisons.
#[derive(Clone, Debug)]
pub struct Semver {
    numbers: [u64; 3],
    pre: Box<[Identifier]>,
    build: Box<str>,
}

/// A dot-separated part of a pre-release. Numbers come before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(Box<str>),
}

/// The longest version that is read, in bytes.
const LONGEST: usize = 256;

impl Semver {
    /// Reads `MAJOR.MINOR.PATCH[-PRE][+BUILD]`, exactly.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (core, pre) = match rest.split_once('-') {
            Some((core, pre)) => (core, Some(pre)),
            None => (rest, None),
        };
        let mut parts = core.split('.');
        let numbers = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
        let pre = pre.map_or(Some(Vec::new()), |p| p.split('.').map(identifier).collect())?;
        let sound = build.is_none_or(|b| b.split('.').all(is_word));
        (parts.next().is_none() && sound).then(|| Self {
            numbers,
            pre: pre.into(),
            build: build.unwrap_or_default().into(),
        })
    }

    /// Reads what is commonly written: a leading `v`, leading zeros, and fewer than three
    /// numbers are mended first.
    #[must_use]
    pub fn parse_tolerant(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let (core, rest) = text.split_at_checked(end)?;
        let mut numbers: Vec<&str> = core.split('.').map(without_zeros).collect();
        while numbers.len() < 3 {
            numbers.push("0");
        }
        Self::parse(&format!("{}{rest}", numbers.join(".")))
    }

    /// The first number.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.numbers[0]
    }

    /// The second number.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.numbers[1]
    }

    /// The third number.
    #[must_use]
    pub fn patch(&self) -> u64 {
        self.numbers[2]
    }
}

fn without_zeros(number: &str) -> &str {
    match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0",
        trimmed => trimmed,
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok())?
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn identifier(text: &str) -> Option<Identifier> {
    if !is_word(text) {
        return None;
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return number(text).map(Identifier::Number);
    }
    Some(Identifier::Word(text.into()))
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            // Without a pre-release a version is later than with one.
            self.pre.is_empty().cmp(&other.pre.is_empty()).then_with(|| self.pre.cmp(&other.pre))
        })
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (n, part) in self.pre.iter().enumerate() {
            f.write_str(if n == 0 { "-" } else { "." })?;
            match part {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Word(word) => f.write_str(word)?,
            }
        }
        let plus = if self.build.is_empty() { "" } else { "+" };
        write!(f, "{plus}{}", self.build)
    }
}

#[cfg(test)]
mod tests {
    use super::Semver;

    #[test]
    fn the_order_is_that_of_the_specification() {
        let order = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "2.0.0",
        ];
        for pair in order.windows(2) {
            assert!(Semver::parse(pair[0]) < Semver::parse(pair[1]), "{pair:?}");
        }
        assert_eq!(Semver::parse("1.0.0+a"), Semver::parse("1.0.0+b"));
    }

    #[test]
    fn what_is_no_version_is_not_read() {
        for text in
            ["", "1", "1.2", "1.2.3.4", "01.2.3", "v1.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.x"]
        {
            assert!(Semver::parse(text).is_none(), "{text}");
        }
        for (text, mended) in
            [("v1", "1.0.0"), ("01.02.03", "1.2.3"), ("v1.2-rc.1", "1.2.0-rc.1"), ("00", "0.0.0")]
        {
            assert_eq!(Semver::parse_tolerant(text).unwrap().to_string(), mended);
        }
        assert!(Semver::parse_tolerant("1..2").is_none());
    }
}
