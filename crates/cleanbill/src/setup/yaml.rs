//! Text that is safe inside a YAML file.

/// A text as a double-quoted YAML scalar. JSON's quoting is a subset of YAML's (YAML 1.2, 1.3).
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The lines of a literal block (`|`), indented by so many spaces.
pub(super) fn block(text: &str, indent: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}
