//! Text that is safe inside a YAML file.

/// A text as a double-quoted YAML scalar. JSON's quoting is a subset of YAML's (YAML 1.2, 1.3).
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
