//! The plug-in's own configuration: read laxly, as `encoding/json` does. Keys match without
//! regard to case, and what is unknown is passed over without a word.

use std::time::Duration;

use super::admission::Content;
use super::node::{Entry, Node, Value};
use super::{Refused, json, yaml};

/// What the plug-in works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePolicy {
    /// The kubeconfig, as it is written; empty where none is named.
    pub kubeconfig: String,
    /// How long "allowed" is kept; zero: not at all.
    pub allow_ttl: Duration,
    /// How long a denial is kept; zero: not at all.
    pub deny_ttl: Duration,
    /// The first wait before a call is repeated.
    pub retry_backoff: Duration,
    /// Whether pods are let in when the webhook failed.
    pub default_allow: bool,
    /// Keys under `imagePolicy`, and next to it, that nobody reads, with their lines.
    pub ignored: Vec<(String, usize)>,
    /// Whether there is an `imagePolicy` at all.
    pub present: bool,
}

const KEYS: [&str; 5] = ["kubeConfigFile", "allowTTL", "denyTTL", "retryBackoff", "defaultAllow"];

/// Reads the configuration: JSON, or the first document of YAML.
///
/// # Errors
/// What ends kube-apiserver.
pub fn read(content: &Content) -> Result<ImagePolicy, Refused> {
    let (document, in_json) = match content {
        Content::Read(node) => (node.clone(), true),
        Content::Text(text) if json::is_json(text) => (json::read(text)?, true),
        Content::Text(text) => {
            let read = yaml::first(text).map_err(|e| Refused {
                words: format!("error converting YAML to JSON: {}", e.words),
                ..e
            });
            (read?, false)
        }
    };
    let mut policy = ImagePolicy {
        kubeconfig: String::new(),
        allow_ttl: Duration::ZERO,
        deny_ttl: Duration::ZERO,
        retry_backoff: Duration::ZERO,
        default_allow: false,
        ignored: Vec::new(),
        present: false,
    };
    let mut times = [0_i64; 3];
    let wrapped = |e: Refused| match in_json {
        true => e,
        false => Refused {
            words: format!("error unmarshaling JSON: while decoding JSON: {}", e.words),
            ..e
        },
    };
    fill(&document, in_json, &mut policy, &mut times).map_err(wrapped)?;
    let [allow, deny, backoff] = times;
    let seconds = |value| scaled(value, 1_000_000_000, 1_000_000_000, 1800 * 1_000_000_000);
    policy.retry_backoff =
        scaled(backoff, 1_000_000, 1, 300 * 1_000_000_000)?.unwrap_or(Duration::from_millis(500));
    policy.allow_ttl = seconds(allow)?.unwrap_or(Duration::from_secs(300));
    policy.deny_ttl = seconds(deny)?.unwrap_or(Duration::from_secs(30));
    Ok(policy)
}

fn fill(
    document: &Node,
    in_json: bool,
    policy: &mut ImagePolicy,
    times: &mut [i64; 3],
) -> Result<(), Refused> {
    let wrong = |node: &Node, field: &str, of: &str| {
        let kind = node.kind();
        Refused::new(format!("json: cannot unmarshal {kind} into Go {field} of type {of}"))
            .at(node.line)
    };
    match &document.value {
        Value::Null => return Ok(()),
        Value::Map(_) => {}
        _ => return Err(wrong(document, "value", "imagepolicy.AdmissionConfig")),
    }
    for outer in in_order(document) {
        if !same(&outer.key, "imagePolicy") {
            if !matches!(outer.key.as_str(), "apiVersion" | "kind") {
                policy.ignored.push((outer.key.clone(), outer.line));
            }
            continue;
        }
        match outer.node.value {
            Value::Null => continue,
            Value::Map(_) => policy.present = true,
            _ => {
                let of = "imagepolicy.imagePolicyWebhookConfig";
                return Err(wrong(&outer.node, "struct field AdmissionConfig.imagePolicy", of));
            }
        }
        for entry in in_order(&outer.node) {
            let Some(key) = KEYS.iter().find(|key| same(&entry.key, key)) else {
                policy.ignored.push((entry.key.clone(), entry.line));
                continue;
            };
            let field = format!("struct field imagePolicyWebhookConfig.imagePolicy.{key}");
            match (*key, &entry.node.value) {
                (_, Value::Null) => {}
                ("kubeConfigFile", Value::Text(text)) => policy.kubeconfig.clone_from(text),
                // From YAML, whatever is written where a string belongs becomes one.
                ("kubeConfigFile", Value::Number(text)) if !in_json => {
                    policy.kubeconfig.clone_from(text);
                }
                ("kubeConfigFile", Value::Bool(value)) if !in_json => {
                    policy.kubeconfig = value.to_string();
                }
                ("kubeConfigFile", _) => return Err(wrong(&entry.node, &field, "string")),
                ("defaultAllow", Value::Bool(value)) => policy.default_allow = *value,
                ("defaultAllow", _) => return Err(wrong(&entry.node, &field, "bool")),
                (key, Value::Number(text)) => {
                    let Ok(value) = text.parse() else {
                        return Err(wrong(&entry.node, &field, "time.Duration"));
                    };
                    let place = ["allowTTL", "denyTTL"].iter().position(|k| *k == key);
                    if let Some(time) = times.get_mut(place.unwrap_or(2)) {
                        *time = value;
                    }
                }
                _ => return Err(wrong(&entry.node, &field, "time.Duration")),
            }
        }
    }
    Ok(())
}

/// The entries in the order in which Go sees them: what comes from YAML was sorted on the way.
/// JSON keeps the file's order, and has no lines here.
fn in_order(node: &Node) -> Vec<&Entry> {
    let mut entries: Vec<&Entry> = node.entries().iter().collect();
    if entries.iter().any(|e| e.line > 0) {
        entries.sort_by(|a, b| a.key.cmp(&b.key));
    }
    entries
}

/// Go folds case as Unicode does in simple cases.
fn same(a: &str, b: &str) -> bool {
    let fold = |c: char| match c {
        'ſ' => 's',
        'K' => 'k',
        c => c.to_ascii_lowercase(),
    };
    a.chars().map(fold).eq(b.chars().map(fold))
}

/// A value in nanoseconds; `None`: the default. −1 turns it off.
fn scaled(value: i64, unit: i64, least: i64, most: i64) -> Result<Option<Duration>, Refused> {
    match value {
        -1 => return Ok(Some(Duration::ZERO)),
        0 => return Ok(None),
        _ => {}
    }
    // Go multiplies without looking for an overflow.
    let value = value.wrapping_mul(unit);
    if value < least || value > most {
        let [least, most, value] = [least, most, value].map(go);
        return Err(Refused::new(format!(
            "valid value is between {least} and {most}, got {value}"
        )));
    }
    Ok(Some(Duration::from_nanos(value.unsigned_abs())))
}

/// A duration as Go prints it: `1h2m3.5s`, `1.5ms`, `1ns`.
pub fn go(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let decimal = |unit: u64, name: &str| {
        let (whole, rest) = (n / unit, n % unit);
        if rest == 0 {
            return format!("{sign}{whole}{name}");
        }
        let width = unit.ilog10() as usize;
        let part = format!("{rest:0width$}");
        format!("{sign}{whole}.{}{name}", part.trim_end_matches('0'))
    };
    match n {
        0 => "0s".into(),
        1..1_000 => decimal(1, "ns"),
        1_000..1_000_000 => decimal(1_000, "µs"),
        1_000_000..1_000_000_000 => decimal(1_000_000, "ms"),
        _ => {
            let (minutes, nanos) = (n / 60_000_000_000, n % 60_000_000_000);
            let (hours, minutes) = (minutes / 60, minutes % 60);
            let rest = format!("{:09}", nanos % 1_000_000_000);
            let rest = rest.trim_end_matches('0');
            let dot = if rest.is_empty() { "" } else { "." };
            let seconds = format!("{}{dot}{rest}s", nanos / 1_000_000_000);
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, _) => format!("{sign}{minutes}m{seconds}"),
                _ => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}
