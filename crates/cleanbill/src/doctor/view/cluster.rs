//! A running cluster, from a laptop: its version, its API servers' pods, its metrics and its
//! webhooks. Reads by GET alone, and says of each part why it could not be had.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::metrics::Metrics;
use crate::apiserver::json;
use crate::apiserver::node::Node;
use crate::kube::{Client, Unread};

/// How long each request may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest list that is read.
const LIST_MAX: u64 = 32 << 20;
/// The largest metrics: clusters that are busy have tens of megabytes.
const METRICS_MAX: u64 = 256 << 20;

/// What was read.
pub struct Cluster {
    /// What `/version` says (`v1.36.2`).
    pub version: Result<String, String>,
    /// The API server's clock less ours, in seconds.
    pub ahead: Option<i64>,
    /// The pods of API servers, by name.
    pub pods: Result<Vec<(String, Node)>, String>,
    /// The metrics of whichever API server answered.
    pub metrics: Result<Metrics, String>,
    /// Webhooks that lead to a service.
    pub webhooks: Result<Vec<Webhook>, String>,
}

/// A webhook of an admission configuration in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// The namespace of the service that it calls.
    pub namespace: String,
    /// The service.
    pub service: String,
    /// The path that it calls.
    pub path: String,
    /// Whether a failure refuses the pod.
    pub fails_closed: bool,
    /// Whether it is asked about pods of that namespace.
    pub guards_own: bool,
}

/// Reads it.
///
/// # Errors
/// Where the kubeconfig cannot be used.
pub fn read(kubeconfig: &Path) -> Result<Cluster, String> {
    let client = Client::from_kubeconfig(kubeconfig).map_err(|e| e.to_string())?;
    let get = |path: &str, most: u64| {
        client.read(path, most, Instant::now() + PATIENCE).map_err(|e| match e {
            Unread::Forbidden => format!("this kubeconfig's user may not read {path}"),
            Unread::Absent => format!("the API server does not know {path}"),
            Unread::Failed(why) => why,
        })
    };
    let list = |path: &str| -> Result<Value, String> {
        let (bytes, _) = get(path, LIST_MAX)?;
        serde_json::from_slice(&bytes).map_err(|e| format!("{path}: it is no JSON: {e}"))
    };
    let asked = get("/version", 1 << 20);
    let ahead = asked.as_ref().ok().and_then(|(_, date)| {
        let date = super::http_date(date.as_deref()?)?;
        Some(date - cleanbill_core::Timestamp::now().as_second())
    });
    let version = asked.and_then(|(bytes, _)| {
        let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let version = said.get("gitVersion").and_then(Value::as_str).map(str::to_owned);
        version.ok_or_else(|| "/version gives no gitVersion".to_owned())
    });
    let pods = list("/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver")
        .and_then(|found| pods(&found));
    let metrics = get("/metrics", METRICS_MAX).and_then(|(bytes, _)| {
        let text = String::from_utf8_lossy(&bytes);
        Metrics::of(&text).ok_or_else(|| "/metrics has none of an API server".to_owned())
    });
    let mut webhooks = Ok(Vec::new());
    for kind in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        let found = list(&format!("/apis/admissionregistration.k8s.io/v1/{kind}"));
        webhooks = webhooks.and_then(|mut all: Vec<Webhook>| {
            all.extend(self::webhooks(&found?));
            Ok(all)
        });
    }
    Ok(Cluster { version, ahead, pods, metrics, webhooks })
}

fn items(list: &Value) -> &[Value] {
    list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn pods(list: &Value) -> Result<Vec<(String, Node)>, String> {
    let read = |item: &Value| {
        let node = json::read(&item.to_string()).map_err(|e| e.words)?;
        Ok((text(item, "/metadata/name").to_owned(), node))
    };
    items(list).iter().map(read).collect()
}

/// The webhooks about pods that lead to a service.
pub fn webhooks(list: &Value) -> Vec<Webhook> {
    let all = items(list).iter().filter_map(|c| c.get("webhooks").and_then(Value::as_array));
    let read = |hook: &Value| {
        let namespace = text(hook, "/clientConfig/service/namespace").to_owned();
        let rules = hook.get("rules").and_then(Value::as_array).cloned().unwrap_or_default();
        let pods = |rule: &Value| {
            let names = rule.get("resources").and_then(Value::as_array);
            let named = |n: &Value| matches!(n.as_str(), Some("pods" | "*" | "*/*"));
            names.is_some_and(|names| names.iter().any(named))
        };
        let about_pods = rules.iter().any(pods);
        let wanted = !namespace.is_empty() && about_pods;
        wanted.then(|| Webhook {
            name: text(hook, "/name").to_owned(),
            service: text(hook, "/clientConfig/service/name").to_owned(),
            path: text(hook, "/clientConfig/service/path").to_owned(),
            fails_closed: text(hook, "/failurePolicy") != "Ignore",
            guards_own: guards(hook.get("namespaceSelector"), &namespace),
            namespace,
        })
    };
    all.flatten().filter_map(read).collect()
}

/// Whether a selector takes a namespace, as far as its name alone says.
fn guards(selector: Option<&Value>, namespace: &str) -> bool {
    const NAME: &str = "kubernetes.io/metadata.name";
    let Some(selector) = selector else { return true };
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    let excluded = expressions.into_iter().flatten().any(|e| {
        let values = e.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        let has = values.iter().any(|v| v.as_str() == Some(namespace));
        text(e, "/key") == NAME
            && match text(e, "/operator") {
                "NotIn" => has,
                "In" => !has,
                _ => false,
            }
    });
    let label = selector.pointer("/matchLabels/kubernetes.io~1metadata.name");
    !excluded && label.and_then(Value::as_str).is_none_or(|name| name == namespace)
}
