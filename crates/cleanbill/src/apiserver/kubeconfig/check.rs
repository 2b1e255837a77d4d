//! What client-go refuses about a kubeconfig, in its words and its order.

use super::super::node::{Node, Value};
use super::super::{Files, Refused};
use super::{Config, Reach, decoded, text};

/// Said of a cluster in which nothing stands.
pub(super) const NO_SERVER: &str = "cluster has no server defined";

/// The fields whose types are looked at, by the list they stand in.
const TEXTS: [(&str, &str, &[&str]); 3] = [
    ("clusters", "cluster", &["server", "tls-server-name", "certificate-authority", "proxy-url"]),
    (
        "users",
        "user",
        &["client-certificate", "client-key", "token", "tokenFile", "username", "password", "as"],
    ),
    ("contexts", "context", &["cluster", "user", "namespace"]),
];

/// Types, kind and version.
pub(super) fn types(document: &Node) -> Result<(), Refused> {
    let wrong = |node: &Node, field: &str, of: &str| {
        let kind = node.kind();
        Refused::new(format!(
            "json: cannot unmarshal {kind} into Go struct field {field} of type {of}"
        ))
        .at(node.line)
    };
    match &document.value {
        Value::Map(_) | Value::Null => {}
        _ => {
            let kind = document.kind();
            return Err(Refused::new(format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into \
                 Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; \
                 Kind string \"json:\\\"kind,omitempty\\\"\" }}"
            )));
        }
    }
    let (version, kind) = (text(Some(document), "apiVersion"), text(Some(document), "kind"));
    let version = if version.is_empty() { "v1".to_owned() } else { version };
    let kind = if kind.is_empty() { "Config".to_owned() } else { kind };
    if version != "v1" || kind != "Config" {
        return Err(Refused::new(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme"
        )));
    }
    if let Some(node) = document.get("current-context").filter(|node| !is_text(node)) {
        return Err(wrong(node, "Config.current-context", "string"));
    }
    for (list, inner, fields) in TEXTS {
        let Some(node) = document.get(list) else { continue };
        if !matches!(node.value, Value::List(_) | Value::Null) {
            let name = match list {
                "clusters" => "[]v1.NamedCluster",
                "users" => "[]v1.NamedAuthInfo",
                _ => "[]v1.NamedContext",
            };
            return Err(wrong(node, &format!("Config.{list}"), name));
        }
        for item in node.items() {
            if let Some(name) = item.get("name").filter(|node| !is_text(node)) {
                let field = format!("Named{}.{list}.name", go_type(list));
                return Err(wrong(name, &field, "string"));
            }
            let Some(value) = item.get(inner) else { continue };
            if !matches!(value.value, Value::Map(_) | Value::Null) {
                let of = format!("v1.{}", go_type(list));
                return Err(wrong(value, &format!("Named{}.{list}.{inner}", go_type(list)), &of));
            }
            for field in fields {
                match value.get(field) {
                    Some(node) if !is_text(node) => {
                        let field = format!("{}.{list}.{inner}.{field}", go_type(list));
                        return Err(wrong(node, &field, "string"));
                    }
                    _ => {}
                }
            }
            for field in ["insecure-skip-tls-verify", "disable-compression"] {
                match value.get(field) {
                    Some(node) if !matches!(node.value, Value::Bool(_) | Value::Null) => {
                        let field = format!("{}.{list}.{inner}.{field}", go_type(list));
                        return Err(wrong(node, &field, "bool"));
                    }
                    _ => {}
                }
            }
            for entry in value.entries().iter().filter(|e| e.key.ends_with("-data")) {
                let data = match &entry.node.value {
                    Value::Text(data) => data,
                    Value::Null => continue,
                    _ => {
                        let field = format!("{}.{list}.{inner}.{}", go_type(list), entry.key);
                        return Err(wrong(&entry.node, &field, "[]uint8"));
                    }
                };
                if decoded(data).is_none() {
                    let at = data
                        .bytes()
                        .position(|b| !(b.is_ascii_alphanumeric() || b"+/=\n\r".contains(&b)))
                        .unwrap_or(data.len() / 4 * 4);
                    return Err(Refused::new(format!("illegal base64 data at input byte {at}"))
                        .at(entry.line));
                }
            }
        }
    }
    Ok(())
}

fn is_text(node: &Node) -> bool {
    matches!(node.value, Value::Text(_) | Value::Null)
}

fn go_type(list: &str) -> &'static str {
    match list {
        "clusters" => "Cluster",
        "users" => "AuthInfo",
        _ => "Context",
    }
}

/// What client-go says of the user (`validateAuthInfo`).
pub(super) fn user(
    config: &Config,
    node: Option<&Node>,
    reach: &Reach,
    files: &Files,
    errors: &mut Vec<String>,
) {
    let name = &reach.context[2];
    let has = |key: &str| !text(node, key).is_empty();
    if has("client-certificate") || has("client-certificate-data") {
        if has("client-certificate") && has("client-certificate-data") {
            errors.push(format!(
                "client-cert-data and client-cert are both specified for {name}. client-cert-data \
                 will override."
            ));
        }
        if has("client-key") && has("client-key-data") {
            errors.push(format!(
                "client-key-data and client-key are both specified for {name}; client-key-data \
                 will override"
            ));
        }
        if !has("client-key") && !has("client-key-data") {
            errors.push(format!(
                "client-key-data or client-key must be specified for {name} to use the clientCert \
                 authentication method."
            ));
        }
        for (key, called) in [("client-certificate", "client-cert"), ("client-key", "client-key")] {
            if let Some(e) = unreadable(config, node, key, files) {
                let path = config.path(&text(node, key));
                let path = path.display();
                errors.push(format!("unable to read {called} {path} for {name} due to {e}"));
            }
        }
    }
    if let Some(exec) = node.and_then(|n| n.get("exec")) {
        let exec = Some(exec);
        if text(exec, "command").is_empty() {
            errors.push(format!(
                "command must be specified for {name} to use exec authentication plugin"
            ));
        }
        if text(exec, "apiVersion").is_empty() {
            errors.push(format!(
                "apiVersion must be specified for {name} to use exec authentication plugin"
            ));
        }
        let mode = text(exec, "interactiveMode");
        let old = text(exec, "apiVersion").ends_with("/v1beta1")
            || text(exec, "apiVersion").ends_with("/v1alpha1");
        if mode.is_empty() && !old {
            errors.push(format!(
                "interactiveMode must be specified for {name} to use exec authentication plugin"
            ));
        }
    }
    if reach.token.is_some() && reach.basic.is_some() {
        errors.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only \
             one is allowed"
        ));
    }
    let also = ["as-uid", "as-groups", "as-user-extra"];
    if also.iter().any(|key| node.and_then(|n| n.get(key)).is_some()) && reach.acts_as.is_none() {
        errors.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
}

/// What client-go says of the cluster (`validateClusterInfo`).
pub(super) fn cluster(
    config: &Config,
    node: Option<&Node>,
    reach: &Reach,
    absent: bool,
    files: &Files,
    errors: &mut Vec<String>,
) {
    if absent {
        errors.push(NO_SERVER.to_owned());
        return;
    }
    let name = &reach.context[1];
    if reach.server.is_empty() {
        errors.push(match name.as_str() {
            "" => "default cluster has no server defined".to_owned(),
            name => format!("no server found for cluster {name:?}"),
        });
    }
    if let Some(proxy) = &reach.proxy
        && let Err(why) = proxy_url(proxy)
    {
        errors.push(format!("invalid 'proxy-url' {proxy:?} for cluster {name:?}: {why}"));
    }
    let has = |key: &str| !text(node, key).is_empty();
    if has("certificate-authority") && has("certificate-authority-data") {
        errors.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    if let Some(e) = unreadable(config, node, "certificate-authority", files) {
        let path = config.path(&text(node, "certificate-authority"));
        let path = path.display();
        errors.push(format!("unable to read certificate-authority {path} for {name} due to {e}"));
    }
}

fn unreadable(config: &Config, node: Option<&Node>, key: &str, files: &Files) -> Option<String> {
    let name = text(node, key);
    if name.is_empty() {
        return None;
    }
    files.open(&config.path(&name)).err()
}

/// client-go takes http, https and socks5 proxies.
fn proxy_url(text: &str) -> Result<(), String> {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    match scheme {
        "http" | "https" | "socks5" => Ok(()),
        scheme => Err(format!("unsupported scheme {scheme:?}, must be http, https, or socks5")),
    }
}
