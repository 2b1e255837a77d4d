//! RFC 6902, as much of it as our patches use: `test` and `replace`. Written from the RFC, apart
//! from the code that makes patches.

use serde_json::Value;

/// Applies a patch as a whole.
///
/// # Errors
/// What the RFC calls an error: then nothing is changed.
pub fn apply(object: &Value, patch: &Value) -> Result<Value, String> {
    let mut object = object.clone();
    for step in patch.as_array().ok_or("a patch is a list")? {
        let path = step["path"].as_str().ok_or("no path")?;
        if !path.is_empty() && !path.starts_with('/') {
            return Err(format!("{path} is no pointer"));
        }
        let value = step.get("value").ok_or("no value")?;
        let mut at = &mut object;
        for token in path.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            at = match at {
                Value::Object(fields) => fields.get_mut(&token),
                Value::Array(list) => {
                    let plain = token == "0" || !token.starts_with('0');
                    token.parse().ok().filter(|_| plain).and_then(|n: usize| list.get_mut(n))
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            }
            .ok_or(format!("{path} is not there"))?;
        }
        match step["op"].as_str() {
            Some("test") if at == value => {}
            Some("test") => return Err(format!("{path} is {at}, not {value}")),
            Some("replace") => *at = value.clone(),
            other => return Err(format!("{other:?} is not used")),
        }
    }
    Ok(object)
}
