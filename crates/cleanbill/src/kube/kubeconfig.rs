//! A kubeconfig's current context → what a connection is made of.
//!
//! What is not done is an error that says so (`exec`, no verification, a proxy), never passed
//! over: a connection that is made otherwise than its file says helps nobody. Values are secrets,
//! so no message repeats one.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{Parts, Token, bearer, bounded};

#[derive(Deserialize)]
struct File {
    #[serde(rename = "current-context", default)]
    current: String,
    #[serde(default)]
    contexts: Vec<Named<Context>>,
    #[serde(default)]
    clusters: Vec<Named<Cluster>>,
    #[serde(default)]
    users: Vec<Named<User>>,
}

#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(alias = "context", alias = "cluster", alias = "user")]
    value: T,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority: Option<String>,
    certificate_authority_data: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    client_certificate: Option<String>,
    client_certificate_data: Option<String>,
    client_key: Option<String>,
    client_key_data: Option<String>,
    token: Option<String>,
    #[serde(rename = "tokenFile")]
    token_file: Option<String>,
    exec: Option<Value>,
    auth_provider: Option<Value>,
    username: Option<Value>,
    #[serde(rename = "as")]
    acts_as: Option<Value>,
}

/// Reads bytes as a kubeconfig: the entry for fuzzing. True when it was one. Files that it names
/// are looked for in a folder that is not there.
pub fn fuzz_kubeconfig(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    serde_saphyr::from_str::<File>(&text).is_ok_and(|file| choose(&file).is_ok())
}

/// The parts of the current context. Relative paths are relative to `folder`, where the file is.
pub(super) fn parts(text: &str, folder: &Path) -> Result<Parts, String> {
    let file: File = serde_saphyr::from_str(text).map_err(|e| match e.location() {
        Some(at) => format!("it is no kubeconfig: line {}, column {}", at.line(), at.column()),
        None => "it is no kubeconfig".to_owned(),
    })?;
    let (cluster, user) = choose(&file)?;
    let refused = [
        (cluster.insecure_skip_tls_verify, "insecure-skip-tls-verify"),
        (cluster.tls_server_name.is_some(), "tls-server-name"),
        (cluster.proxy_url.is_some(), "proxy-url"),
        (user.exec.is_some(), "exec"),
        (user.auth_provider.is_some(), "auth-provider"),
        (user.username.is_some(), "username"),
        (user.acts_as.is_some(), "as"),
    ];
    if let Some((_, key)) = refused.iter().find(|(is, _)| *is) {
        return Err(format!("\"{key}\" is not supported: use a certificate or a token"));
    }
    let read = |path: &str| bounded(&folder.join(path)).map_err(|e| e.to_string());
    let either = |what: &str, data: &Option<String>, path: &Option<String>| match (data, path) {
        (Some(data), _) => {
            STANDARD.decode(data.trim()).map(Some).map_err(|_| format!("{what}-data is no base64"))
        }
        (None, Some(path)) => read(path).map(Some),
        (None, None) => Ok(None),
    };
    let authority = either(
        "certificate-authority",
        &cluster.certificate_authority_data,
        &cluster.certificate_authority,
    )?
    .ok_or("the cluster has no certificate-authority")?;
    let certificate =
        either("client-certificate", &user.client_certificate_data, &user.client_certificate)?;
    let key = either("client-key", &user.client_key_data, &user.client_key)?;
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            return Err("one of client-certificate and client-key is there alone".into());
        }
    };
    let token = match (&user.token_file, &user.token) {
        (Some(file), _) => Token::File(folder.join(file)),
        (None, Some(token)) => Token::Fixed(bearer(token).ok_or("the token is none")?),
        (None, None) => Token::None,
    };
    Ok(Parts { server: cluster.server.clone(), authority, client, token })
}

fn choose(file: &File) -> Result<(&Cluster, &User), String> {
    fn named<'f, T>(list: &'f [Named<T>], name: &str, what: &str) -> Result<&'f T, String> {
        let found = list.iter().find(|entry| entry.name == name).map(|entry| &entry.value);
        found.ok_or_else(|| format!("there is no {what} \"{}\"", name.escape_debug()))
    }
    if file.current.is_empty() {
        return Err("it has no current-context".into());
    }
    let context = named(&file.contexts, &file.current, "context")?;
    let cluster = named(&file.clusters, &context.cluster, "cluster")?;
    Ok((cluster, named(&file.users, &context.user, "user")?))
}
