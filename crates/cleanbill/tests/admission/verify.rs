//! The API server's own checks of a webhook's answer, written anew from its rules
//! (`apiserver/pkg/admission/plugin/webhook/request` and its two dispatchers).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What the API server makes of an answer.
#[derive(Debug, PartialEq)]
pub enum Made {
    /// The request goes on, with this patch.
    Goes(Option<Value>),
    /// It is refused: HTTP status and what the user reads.
    Refused(u64, String),
}

/// Which kind of webhook gave the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hook {
    Validating,
    Mutating,
}

/// Takes an answer as the API server does.
///
/// # Errors
/// What it would say of an answer that it does not take ("failed calling webhook").
pub fn verify(answer: &[u8], request: &Value, hook: Hook) -> Result<Made, String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|e| e.to_string())?;
    let response = match answer.get("response") {
        Some(response) if response.is_object() => response,
        _ => return Err("webhook response was absent".into()),
    };
    if response["uid"] != request["request"]["uid"] {
        return Err(format!(
            "expected response.uid={}, got {}",
            request["request"]["uid"], response["uid"]
        ));
    }
    if answer["apiVersion"] != "admission.k8s.io/v1" || answer["kind"] != "AdmissionReview" {
        return Err(format!("expected webhook response of admission.k8s.io/v1, got {answer}"));
    }
    let patch = response.get("patch").filter(|p| !p.is_null()).map(|p| p.as_str().ok_or("patch"));
    let patch = patch.transpose()?.filter(|p| !p.is_empty());
    let patch_type = response.get("patchType").filter(|t| !t.is_null());
    match (hook, patch, patch_type) {
        (Hook::Validating, None, None) | (Hook::Mutating, None, None) => {}
        (Hook::Validating, _, _) => {
            return Err("validating webhook may not return response.patch".into());
        }
        (Hook::Mutating, Some(_), None) => {
            return Err("response.patch but not response.patchType".into());
        }
        (Hook::Mutating, None, Some(_)) => {
            return Err("response.patchType but not response.patch".into());
        }
        (Hook::Mutating, Some(_), Some(kind)) if kind != "JSONPatch" => {
            return Err("patchType".into());
        }
        (Hook::Mutating, Some(_), Some(_)) => {}
    }
    for (key, value) in
        response.get("auditAnnotations").and_then(Value::as_object).into_iter().flatten()
    {
        // `<webhook's name>/<key>` has to be a qualified name, and the value a text.
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inner = key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if key.len() > 63
            || !inner
            || !ends(key.chars().next())
            || !ends(key.chars().last())
            || !value.is_string()
        {
            return Err(format!("invalid audit annotation {key}"));
        }
    }
    let mut total = 0;
    for warning in response.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        let warning = warning.as_str().ok_or("a warning that is no text")?;
        if warning.chars().any(char::is_control) || warning.is_empty() {
            return Err(format!("a warning that no header may carry: {warning:?}"));
        }
        total += warning.len();
        if warning.chars().count() > 256 || total > 4096 {
            return Err(format!("a warning that would be cut: {} of {total}", warning.len()));
        }
    }
    if response["allowed"].as_bool().ok_or("allowed is no bool")? {
        let bytes = patch.map(|p| STANDARD.decode(p).map_err(|e| e.to_string())).transpose()?;
        let patch =
            bytes.map(|b| serde_json::from_slice(&b).map_err(|e| e.to_string())).transpose()?;
        return Ok(Made::Goes(patch));
    }
    let status = &response["status"];
    let code = status["code"].as_u64().unwrap_or(0);
    if code < 400 {
        return Err(format!("a denial with code {code} would be told as 400"));
    }
    let text = |field: &str| status[field].as_str().unwrap_or("").to_owned();
    let why = match (text("message"), text("reason")) {
        (message, _) if !message.is_empty() => format!(": {message}"),
        (_, reason) if !reason.is_empty() => format!(": {reason}"),
        _ => " without explanation".to_owned(),
    };
    Ok(Made::Refused(code, format!("admission webhook \"x\" denied the request{why}")))
}
