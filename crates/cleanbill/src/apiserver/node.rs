//! A document as Go sees it after YAML became JSON: values with the lines they stand on.

use std::fmt::Write as _;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its line, from 1; 0 where it is not known.
    pub line: usize,
}

/// What JSON knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, or nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as JSON writes it.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object, in the order of the file; the same key can come twice.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The line of the key.
    pub line: usize,
    /// The value.
    pub node: Node,
}

/// The longest that a document may be when it is written as JSON: anchors can make a small file
/// large.
const JSON_MAX: usize = 8 << 20;

impl Node {
    /// Nothing.
    pub fn null() -> Self {
        Self { value: Value::Null, line: 0 }
    }

    /// The entries of an object; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value under a key. Of several the last counts, as in Go.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().rev().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What Go's `encoding/json` calls it in an error.
    pub fn kind(&self) -> String {
        match &self.value {
            Value::Null => "null".into(),
            Value::Bool(_) => "bool".into(),
            Value::Number(text) => format!("number {text}"),
            Value::Text(_) => "string".into(),
            Value::List(_) => "array".into(),
            Value::Map(_) => "object".into(),
        }
    }

    /// As JSON, keys sorted and the last of several kept, as `sigs.k8s.io/yaml` makes it.
    pub fn json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        if out.len() > JSON_MAX {
            return;
        }
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(text) => out.push_str(text),
            Value::Text(text) => quote(text, out),
            Value::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Map(entries) => {
                let last: std::collections::BTreeMap<&str, &Node> =
                    entries.iter().map(|e| (e.key.as_str(), &e.node)).collect();
                out.push('{');
                for (at, (key, node)) in last.into_iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Writes a text as Go's `json.Marshal` does, which also escapes `<`, `>` and `&`.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
