//! JSON into [`Node`]s, doubled keys kept, as far as Go's decoders see them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::Refused;
use super::node::{Entry, Node, Value};

/// Reads one document. Its values have no lines.
///
/// # Errors
/// Where the text is no JSON.
pub fn read(text: &str) -> Result<Node, Refused> {
    serde_json::from_str::<Node>(text).map_err(|e| Refused::new(words(text, &e)).at(e.line()))
}

/// What `encoding/json` says of such a text.
fn words(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON input".into();
    }
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let rest = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
    let wrong = rest.chars().next().unwrap_or('\n');
    let said = error.to_string();
    let place = match () {
        () if said.starts_with("key must be") => "looking for beginning of object key string",
        () if said.starts_with("trailing comma") && wrong == '}' => {
            "looking for beginning of object key string"
        }
        () if said.starts_with("expected `:`") => "after object key",
        () if said.starts_with("expected `,` or `}`") => "after object key:value pair",
        () if said.starts_with("expected `,` or `]`") => "after array element",
        () if said.starts_with("trailing characters") => "after top-level value",
        () if said.starts_with("control character") => "in string literal",
        () => "looking for beginning of value",
    };
    format!("invalid character {wrong:?} {place}")
}

/// Whether Go takes a text for JSON rather than YAML: it begins with `{`.
pub fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads JSON or the first YAML document, whichever it is.
///
/// # Errors
/// Where it is neither.
pub fn either(text: &str) -> Result<Node, Refused> {
    if is_json(text) { read(text) } else { super::yaml::first(text) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(|value| Node { value, line: 0 })
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // What Go shows is the text of the file; a float that is whole shows that it was one.
        Ok(Value::Number(format!("{value:?}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<String, Node>()? {
            entries.push(Entry { key, line: 0, node });
        }
        Ok(Value::Map(entries))
    }
}
