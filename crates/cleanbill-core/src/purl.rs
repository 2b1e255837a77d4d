//! Package URLs (<https://github.com/package-url/purl-spec>): how statements of others name a
//! package, and whether one that was found is meant.
//!
//! Must not guess: text that is no package URL is an error, and what is not said of a package is
//! never taken for a match with what is asked for.

use std::fmt;
use std::str::FromStr;

/// The longest package URL that is read, in bytes.
const BYTES_MAX: usize = 4096;
/// The most qualifiers of one.
const QUALIFIERS_MAX: usize = 64;

/// A package URL, decoded, and made comparable by the rules of its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageUrl {
    kind: String,
    namespace: String,
    name: String,
    version: Option<String>,
    qualifiers: Vec<(String, String)>,
    subpath: Option<String>,
}

/// Why a text is no package URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePurlError(String);

impl fmt::Display for ParsePurlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParsePurlError {}

impl PackageUrl {
    /// The type, in lower case: `deb`, `pypi`, `oci`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What stands between type and name; empty where nothing does.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, where one is given; of an `oci` URL a digest. A distribution's epoch is not
    /// part of it but a qualifier.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// All qualifiers, keys in lower case, sorted by key, each once.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.qualifiers.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Whether `found`, which was found in an image, is what this URL names: type, namespace and
    /// name are equal, and so is all else that this one gives. What it leaves open may be anything.
    pub fn covers(&self, found: &Self) -> bool {
        let given =
            |wanted: &Option<String>, there: &Option<String>| wanted.is_none() || wanted == there;
        self.kind == found.kind
            && self.namespace == found.namespace
            && self.name == found.name
            && given(&self.version, &found.version)
            && given(&self.subpath, &found.subpath)
            && self.qualifiers().all(|(key, value)| {
                let there = found.qualifiers().find(|(k, _)| *k == key).map(|(_, v)| v);
                // Package databases leave out an epoch of 0.
                there.or((key == "epoch").then_some("0")) == Some(value)
            })
    }

    /// Rules of single types of which others' spelling depends.
    fn made_comparable(mut self) -> Self {
        match self.kind.as_str() {
            "pypi" => self.name = self.name.to_lowercase().replace('_', "-"),
            "apk" | "deb" | "golang" | "oci" => {
                self.namespace = self.namespace.to_lowercase();
                self.name = self.name.to_lowercase();
            }
            _ => {}
        }
        // Some write an epoch into the version, others beside it.
        if matches!(self.kind.as_str(), "deb" | "rpm")
            && let Some((epoch, rest)) = self.version.as_deref().and_then(|v| v.split_once(':'))
            && !epoch.is_empty()
            && epoch.bytes().all(|b| b.is_ascii_digit())
            && !self.qualifiers.iter().any(|(k, _)| k == "epoch")
        {
            let number = epoch.trim_start_matches('0');
            let number = if number.is_empty() { "0" } else { number };
            self.qualifiers.push(("epoch".to_owned(), number.to_owned()));
            self.version = Some(rest.to_owned());
        }
        self.qualifiers.sort();
        self
    }
}

impl FromStr for PackageUrl {
    type Err = ParsePurlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(120).flat_map(char::escape_debug).collect();
            ParsePurlError(format!("\"{shown}\" is no package URL: {why}"))
        };
        if text.len() > BYTES_MAX {
            return Err(wrong("it is longer than 4096 bytes"));
        }
        let scheme = text.get(..4).filter(|s| s.eq_ignore_ascii_case("pkg:"));
        let rest = scheme.and_then(|s| text.get(s.len()..));
        let rest = rest.ok_or_else(|| wrong("it does not begin with pkg:"))?.trim_matches('/');
        let (rest, subpath) = match rest.rsplit_once('#') {
            Some((rest, subpath)) => (rest, Some(segments(subpath).map_err(|e| wrong(&e))?)),
            None => (rest, None),
        };
        let (rest, qualifiers) = match rest.rsplit_once('?') {
            Some((rest, all)) => (rest, qualifiers(all).map_err(|e| wrong(&e))?),
            None => (rest, Vec::new()),
        };
        let (kind, rest) = rest.split_once('/').ok_or_else(|| wrong("it has no name"))?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".+-".contains(&b);
        if kind.is_empty() || !kind.bytes().all(plain) {
            return Err(wrong("its type may have letters, digits, and . + - only"));
        }
        // An @ before the last slash is part of an npm scope that was not encoded.
        let last = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, version) = match rest.rfind('@').filter(|at| *at >= last) {
            Some(at) => {
                let version = rest.get(at + 1..).unwrap_or_default();
                let version = decode(version).map_err(|e| wrong(&e))?;
                (rest.get(..at).unwrap_or_default(), Some(version).filter(|v| !v.is_empty()))
            }
            None => (rest, None),
        };
        let (namespace, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        let name = decode(name).map_err(|e| wrong(&e))?;
        if name.is_empty() {
            return Err(wrong("it has no name"));
        }
        let namespace = segments(namespace).map_err(|e| wrong(&e))?;
        let kind = kind.to_ascii_lowercase();
        let subpath = subpath.filter(|s| !s.is_empty());
        let read = Self { kind, namespace, name, version, qualifiers, subpath };
        Ok(read.made_comparable())
    }
}

impl fmt::Display for PackageUrl {
    /// For people: decoded, and so not always a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)?;
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        for (index, (key, value)) in self.qualifiers().enumerate() {
            write!(f, "{}{key}={value}", if index == 0 { '?' } else { '&' })?;
        }
        match &self.subpath {
            Some(subpath) => write!(f, "#{subpath}"),
            None => Ok(()),
        }
    }
}

/// A path's segments, decoded, without those that mean nothing.
fn segments(text: &str) -> Result<String, String> {
    let mut out: Vec<String> = Vec::new();
    for part in text.split('/').filter(|p| !matches!(*p, "" | "." | "..")) {
        out.push(decode(part)?);
    }
    Ok(out.join("/"))
}

fn qualifiers(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut out: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|p| !p.is_empty()) {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| "a qualifier has no value".to_owned())?;
        let (key, value) = (key.to_ascii_lowercase(), decode(value)?);
        if out.iter().any(|(k, _)| *k == key) {
            return Err("a qualifier is there twice".to_owned());
        }
        if out.len() >= QUALIFIERS_MAX {
            return Err(format!("it has more than {QUALIFIERS_MAX} qualifiers"));
        }
        if !value.is_empty() {
            out.push((key, value));
        }
    }
    Ok(out)
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = bytes.next().and_then(|b| char::from(b).to_digit(16));
            digit.and_then(|d| u8::try_from(d).ok())
        };
        match (digit(), digit()) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            (None | Some(_), _) => return Err("two hexadecimal digits must follow a %".to_owned()),
        }
    }
    String::from_utf8(out).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
#[path = "purl_tests.rs"]
mod tests;
