//! JSON that was signed, read so that no other reader can see something else in it. Must not know
//! what it means. (`cleanbill-oci` holds images' documents to the same rule.)

use std::collections::HashSet;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};

use crate::error::{Error, Result};

/// Objects and arrays inside one another that are followed.
const DEPTH_MAX: usize = 64;

/// Reads one document, whole. `what` is its name in messages.
///
/// Refused are: nesting over 64, data after the document, and in one object a key twice or two
/// keys that differ in ASCII case only, of which other readers take the last for both. Whether
/// unknown keys are refused is up to `T`. The caller has bounded the length.
///
/// # Errors
/// With the line and column.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    let malformed = |e: serde_json::Error| Error::malformed(format!("{what}: {e}"));
    let mut tokens = serde_json::Deserializer::from_slice(bytes);
    Single { depth: 0 }.deserialize(&mut tokens).map_err(malformed)?;
    tokens.end().map_err(malformed)?;
    serde_json::from_slice(bytes).map_err(malformed)
}

/// Walks a document's tokens and keeps nothing of them but the keys of open objects.
#[derive(Clone, Copy)]
struct Single {
    depth: usize,
}

impl Single {
    fn inside<E: serde::de::Error>(self) -> std::result::Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Single {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> std::result::Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Single {
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
        let inside = self.inside()?;
        while seq.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<(), A::Error> {
        let inside = self.inside()?;
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            if !seen.insert(key.to_ascii_lowercase()) {
                let shown: String = key.chars().take(60).flat_map(char::escape_debug).collect();
                return Err(A::Error::custom(format!("the key \"{shown}\" stands twice")));
            }
            object.next_value_seed(inside)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn signed_documents_that_readers_could_disagree_about_are_refused() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let table: &[(&str, &str)] = &[
            (r#"{"a":1,"b":[{"a":2},{"a":null,"c":true}],"c":-1.5e3}"#, ""),
            (&deep(64), ""),
            (&deep(65), "deeper than 64"),
            (&deep(9_999), "deeper than 64"),
            (r#"{"a":1,"a":1}"#, r#"doc: the key "a" stands twice at line 1 column 10"#),
            (r#"{"a":1,"A":1}"#, r#"the key "A" stands twice"#),
            (r#"[{"x":{"a":1,"\u0061":1}}]"#, r#"the key "a" stands twice"#),
            ("{} {}", "trailing characters"),
            ("{", "EOF"),
            ("", "EOF"),
        ];
        for (text, part) in table {
            match parse::<serde_json::Value>(text.as_bytes(), "doc") {
                Ok(_) => assert_eq!(*part, "", "{text}"),
                Err(e) => {
                    assert!(!part.is_empty() && e.to_string().contains(part), "{text:.80}: {e}");
                }
            }
        }
    }
}
