//! JSON from strangers, read so that no other reader can see something else in it.
//!
//! Kubernetes, Docker and containerd read JSON with Go's decoder: of two equal keys the last
//! wins, and a key matches a field whatever its case. A document that says one thing to us and
//! another to them is how a gate is deceived, so such documents are refused instead of
//! interpreted. This module must not know what the documents mean.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};

/// Objects and arrays inside one another that are followed.
pub const DEPTH_MAX: usize = 64;

/// What is expected of a document.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What the document is, for messages: `image manifest sha256:…`.
    pub what: &'a str,
    /// Bytes it may have.
    pub limit: u64,
    /// The names of the fields that will be read: another key must not differ from one of them
    /// in case alone.
    pub fields: &'a [&'a str],
    /// The names of fields whose objects are maps with free keys (labels, annotations), where
    /// keys that differ in case are different keys for everybody.
    pub maps: &'a [&'a str],
}

/// Reads one JSON document, whole.
///
/// Unknown keys are accepted. Refused are: more bytes than the limit, nesting over
/// [`DEPTH_MAX`], data after the document, a key twice in one object, and keys that differ from
/// each other or from a field's name only in case (by Go's folding, which knows `ſ` and `K`).
///
/// # Errors
/// [`ErrorKind::OverLimit`] for the size, [`ErrorKind::Malformed`] for the rest, with the line
/// and column.
pub fn parse_strict<T: DeserializeOwned>(bytes: &[u8], rules: &Rules<'_>) -> Result<T> {
    if bytes.len() as u64 > rules.limit {
        return Err(Error::new(
            ErrorKind::OverLimit,
            format!(
                "{}: {} bytes, more than the limit of {}",
                rules.what,
                bytes.len(),
                rules.limit
            ),
        ));
    }
    let malformed =
        |e: serde_json::Error| Error::new(ErrorKind::Malformed, format!("{}: {e}", rules.what));
    let mut tokens = serde_json::Deserializer::from_slice(bytes);
    Check { rules, depth: 0, map: false }.deserialize(&mut tokens).map_err(malformed)?;
    tokens.end().map_err(malformed)?;
    serde_json::from_slice(bytes).map_err(malformed)
}

/// Walks a document's tokens and keeps nothing of them.
#[derive(Clone, Copy)]
struct Check<'a> {
    rules: &'a Rules<'a>,
    depth: usize,
    map: bool,
}

impl Check<'_> {
    fn inside<E: serde::de::Error>(self, map: bool) -> std::result::Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth + 1, map, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<(), A::Error> {
        let inside = self.inside(false)?;
        while seq.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<(), A::Error> {
        let inside = self.inside(false)?;
        let mut exact: HashSet<String> = HashSet::new();
        let mut folded: HashSet<String> = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            let shown = || key.chars().take(60).flat_map(char::escape_debug).collect::<String>();
            let map = self.rules.maps.contains(&key.as_str());
            if exact.contains(&key) {
                return Err(A::Error::custom(format!("the key \"{}\" stands twice", shown())));
            }
            if !self.map {
                let field = self.rules.fields.iter().find(|f| **f != key && same(f, &key));
                if let Some(field) = field {
                    return Err(A::Error::custom(format!(
                        "the key \"{}\" differs from \"{field}\" only in case",
                        shown()
                    )));
                }
                if !folded.insert(fold(&key)) {
                    return Err(A::Error::custom(format!(
                        "the key \"{}\" stands twice, but for case",
                        shown()
                    )));
                }
            }
            exact.insert(key);
            object.next_value_seed(Check { map, ..inside })?;
        }
        Ok(())
    }
}

/// A key as Go's `encoding/json` compares it.
fn fold(key: &str) -> String {
    if key.is_ascii() {
        return key.to_ascii_lowercase();
    }
    key.chars().map(fold_one).collect()
}

/// Whether two keys are the same to Go's `encoding/json`.
fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    a.chars().map(fold_one).eq(b.chars().map(fold_one))
}

fn fold_one(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, parse_strict};

    const RULES: Rules<'_> =
        Rules { what: "doc", limit: 40_000, fields: &["layers", "kind"], maps: &["labels"] };

    fn check(text: &str, message: Option<&str>) {
        let got = parse_strict::<serde_json::Value>(text.as_bytes(), &RULES);
        assert_eq!(got.err().map(|e| e.to_string()).as_deref(), message, "{text:.80}");
    }

    #[test]
    fn documents_that_readers_could_disagree_about_are_refused() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let table: &[(&str, Option<&str>)] = &[
            (r#"{"a":1,"b":[{"a":2},{"a":null}],"c":-1.5e3}"#, None),
            (r#"{"labels":{"A":"1","a":"2","Layers":"3"}}"#, None),
            (r#"{"a":1,"a":1}"#, Some("doc: the key \"a\" stands twice at line 1 column 10")),
            (
                r#"{"x":[{"a":1,"\u0061":1}]}"#,
                Some("doc: the key \"a\" stands twice at line 1 column 21"),
            ),
            (
                r#"{"a":1,"A":1}"#,
                Some("doc: the key \"A\" stands twice, but for case at line 1 column 10"),
            ),
            (
                r#"{"labels":{"a":1,"a":1}}"#,
                Some("doc: the key \"a\" stands twice at line 1 column 20"),
            ),
            (
                r#"{"labels":{"x":{"a":1,"A":1}}}"#,
                Some("doc: the key \"A\" stands twice, but for case at line 1 column 25"),
            ),
            (
                r#"{"Layers":[]}"#,
                Some(
                    "doc: the key \"Layers\" differs from \"layers\" only in case at line 1 column 9",
                ),
            ),
            (
                r#"{"layerſ":[]}"#,
                Some(
                    "doc: the key \"layerſ\" differs from \"layers\" only in case at line 1 column 10",
                ),
            ),
            (
                "{\"\u{212a}ind\":1}",
                Some(
                    "doc: the key \"\u{212a}ind\" differs from \"kind\" only in case at line 1 column 9",
                ),
            ),
            ("{} {}", Some("doc: trailing characters at line 1 column 4")),
            ("", Some("doc: EOF while parsing a value at line 1 column 0")),
            (&deep(64), None),
            (&deep(65), Some("doc: nested deeper than 64 at line 1 column 66")),
            (&deep(10_000), Some("doc: nested deeper than 64 at line 1 column 65")),
            (
                &format!("\"{}\"", "x".repeat(50_000)),
                Some("doc: 50002 bytes, more than the limit of 40000"),
            ),
            ("\u{feff}{}", Some("doc: expected value at line 1 column 1")),
        ];
        for (text, message) in table {
            check(text, *message);
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = parse_strict::<serde_json::Value>(&bytes, &RULES);
        }
    }
}
