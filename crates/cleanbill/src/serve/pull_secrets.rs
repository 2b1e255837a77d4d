//! The pull secrets that a pod names → the logins for its images.
//!
//! As the kubelet has it: the secrets that the pod names; where it names none, those of its
//! service account. For pods the API server has put those into the pod before it asks us, so only
//! for templates the account is read. What cannot be read is no error: the image may be public;
//! it is told with the denial if the registry refuses.

use cleanbill_oci::registry::{Credentials, parse_docker_config};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::access::Access;
use crate::kube::Unread;

/// Secrets of one pod that are read; more are told as not read.
const SECRETS_MAX: usize = 20;

/// What is asked for: the kind as it stands in URLs, and the name.
pub type Get<'a> = dyn Fn(&str, &str) -> Result<Vec<u8>, Unread> + 'a;

/// For whom logins are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The names of the secrets.
    pub secrets: &'a [String],
    /// The service account to look at where no secret is named; `None`: at none.
    pub account: Option<&'a str>,
    /// The registries of the pod's images: keys with `*` are good for those of them they match.
    pub registries: &'a [String],
}

/// The logins that a pod brings, by reading its namespace with `get`.
pub fn access(named: Named<'_>, get: &Get<'_>) -> Access {
    let mut unread = Vec::new();
    let mut names = named.secrets.to_vec();
    if let (true, Some(account)) = (names.is_empty(), named.account) {
        match get("serviceaccounts", account).map(|bytes| of_account(&bytes)) {
            Ok(Some(found)) => names = found,
            Ok(None) => unread.push(told("service account", account, "it is malformed")),
            Err(why) => unread.push(not_read("service account", account, &why)),
        }
    }
    names.dedup();
    let mut access = Access::none();
    for (at, name) in names.iter().enumerate() {
        if at >= SECRETS_MAX {
            unread.push(told("pull secret", name, "there are too many"));
            break;
        }
        match get("secrets", name) {
            Ok(bytes) => match of_secret(&bytes, named.registries) {
                Some(found) => access = access.with(found, &bytes),
                None => unread.push(told("pull secret", name, "it is no registry login")),
            },
            Err(why) => unread.push(not_read("pull secret", name, &why)),
        }
    }
    unread.into_iter().fold(access, Access::without)
}

fn not_read(what: &str, name: &str, why: &Unread) -> String {
    let why = match why {
        Unread::Forbidden => "the gate may not read it",
        Unread::Absent => "there is none of that name",
        Unread::Failed(detail) => {
            tracing::warn!(what, name, detail, "could not be read");
            "it could not be read now"
        }
    };
    told(what, name, why)
}

fn told(what: &str, name: &str, why: &str) -> String {
    let name: String = name.chars().take(253).flat_map(char::escape_debug).collect();
    format!("{what} \"{name}\": {why}")
}

/// The names of a service account's pull secrets.
fn of_account(bytes: &[u8]) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Account {
        #[serde(default)]
        image_pull_secrets: Option<Vec<Secret>>,
    }
    #[derive(Deserialize)]
    struct Secret {
        #[serde(default)]
        name: String,
    }
    let account: Account = serde_json::from_slice(bytes).ok()?;
    let names = account.image_pull_secrets.unwrap_or_default().into_iter().map(|s| s.name);
    Some(names.filter(|name| !name.is_empty()).collect())
}

/// The logins of a secret of type `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`;
/// `None` where it has none. Nothing of it stands in any message.
pub fn of_secret(bytes: &[u8], registries: &[String]) -> Option<Credentials> {
    #[derive(Deserialize)]
    struct Secret {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        data: BTreeMap<String, String>,
    }
    let secret: Secret = serde_json::from_slice(bytes).ok()?;
    let data = |key: &str| -> Option<Value> {
        serde_json::from_slice(&STANDARD.decode(secret.data.get(key)?).ok()?).ok()
    };
    let auths = match secret.kind.as_str() {
        "kubernetes.io/dockerconfigjson" => data(".dockerconfigjson")?.get_mut("auths")?.take(),
        "kubernetes.io/dockercfg" => data(".dockercfg")?,
        _ => return None,
    };
    let Value::Object(auths) = auths else { return None };
    let mut plain = Map::new();
    let (with_stars, without): (Vec<_>, Vec<_>) =
        auths.into_iter().partition(|(key, _)| key.contains('*'));
    plain.extend(without);
    for (key, login) in with_stars {
        for registry in registries {
            if let Some(key) = meant(&key, registry) {
                plain.entry(key).or_insert_with(|| login.clone());
            }
        }
    }
    let config = serde_json::json!({ "auths": plain }).to_string();
    parse_docker_config(config.as_bytes()).ok().filter(|found| !found.is_empty())
}

/// Reads bytes as what the Kubernetes API gives, and as what stands inside secrets of both types:
/// the entry for fuzzing.
pub fn fuzz(bytes: &[u8]) {
    let registries = ["a.example".to_owned(), "registry.example:5000".to_owned()];
    let _ = of_account(bytes);
    let _ = of_secret(bytes, &registries);
    for (kind, key) in [("dockerconfigjson", ".dockerconfigjson"), ("dockercfg", ".dockercfg")] {
        let kind = format!("kubernetes.io/{kind}");
        let data = BTreeMap::from([(key, STANDARD.encode(bytes))]);
        let secret = serde_json::json!({ "type": kind, "data": data });
        let _ = of_secret(secret.to_string().as_bytes(), &registries);
    }
}

/// The key with the registry in place of a host with stars, where the host means it: as many
/// labels, each the same or matched by its `*` (`*.example.com`, `*.pkg.dev`), and the same port.
fn meant(key: &str, registry: &str) -> Option<String> {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = key.split_at(key.find('/').unwrap_or(key.len()));
    let split = |host: &str| {
        let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
        (host.to_ascii_lowercase(), port.to_owned())
    };
    let ((host, port), (wanted, wanted_port)) = (split(host), split(registry));
    let same = host.split('.').count() == wanted.split('.').count()
        && host.split('.').zip(wanted.split('.')).all(|(pattern, label)| fits(pattern, label));
    (same && port == wanted_port).then(|| format!("{registry}{path}"))
}

/// Whether a label is meant by a pattern with any number of `*`, in one pass.
fn fits(pattern: &str, label: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == label };
    let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = label.strip_prefix(first).and_then(|label| label.strip_suffix(last));
    let found = between.split('*').try_fold(inner.unwrap_or_default(), |label, piece| {
        label.find(piece).and_then(|at| label.get(at + piece.len()..))
    });
    inner.is_some() && found.is_some()
}

#[cfg(test)]
mod tests {
    use super::{fits, meant};

    #[test]
    fn stars_stand_for_parts_of_one_label() {
        let table = [
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.*.example.com", "a.b.example.com", true),
            ("https://*.example.com/team", "a.example.com", true),
            ("*.example.com:5000", "a.example.com:5000", true),
            ("*.example.com:5000", "a.example.com", false),
            ("*.example.com", "a.example.com:5000", false),
            ("a*c.example", "abc.example", true),
            ("a*c*e.example", "abcde.example", true),
            ("a*c*e.example", "abde.example", false),
            ("A*.example", "ab.example", true),
            ("*", "localhost", true),
            ("*", "docker.io", false),
        ];
        for (key, registry, is) in table {
            assert_eq!(meant(key, registry).is_some(), is, "{key} {registry}");
        }
        assert_eq!(meant("*.a/b/c", "x.a").as_deref(), Some("x.a/b/c"));
        assert!(!fits("aa*aa", "aaa"));
        assert!(!fits(&"a*".repeat(30), &"a".repeat(29)));
    }
}
