//! Reading single values of a JSON document, with messages for whoever wrote it. Must not know
//! what they mean.

use cleanbill_core::Timestamp;
use cleanbill_core::purl::PackageUrl;
use serde_json::Value;

use super::notes::shown;

/// The text under a key; `None` where the key is not there.
///
/// # Errors
/// When it is no text.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> Result<Option<&'v str>, String> {
    match value.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("\"{key}\" is {}, not a text", what(other))),
    }
}

/// The list under a key; `None` where the key is not there.
///
/// # Errors
/// When it is no list.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> Result<Option<&'v [Value]>, String> {
    match value.get(key) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(other) => Err(format!("\"{key}\" is {}, not a list", what(other))),
    }
}

/// The texts of a list under a key; empty where the key is not there.
///
/// # Errors
/// When it is no list of texts.
pub(super) fn texts<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v str>, String> {
    let text = |v: &'v Value| {
        v.as_str().ok_or_else(|| format!("\"{key}\" holds {}, not texts only", what(v)))
    };
    list(value, key)?.unwrap_or_default().iter().map(text).collect()
}

/// The time under a key (RFC 3339); `None` where the key is not there.
///
/// # Errors
/// When it is no time.
pub(super) fn time(value: &Value, key: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = text(value, key)? else { return Ok(None) };
    let time = text.parse().map_err(|_| format!("\"{key}\": \"{}\" is no time", shown(text)))?;
    Ok(Some(time))
}

/// A package URL.
///
/// # Errors
/// Says why it is none.
pub(super) fn purl(text: &str) -> Result<PackageUrl, String> {
    text.parse().map_err(|e: cleanbill_core::purl::ParsePurlError| e.to_string())
}

/// What a value is, for people.
pub(super) fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
