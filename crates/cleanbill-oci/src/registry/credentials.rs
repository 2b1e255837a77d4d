//! Credentials for registries: Docker's `config.json`, or a user name and password.
//!
//! Credential helpers (`credHelpers`, `credsStore`) are programs; they are *not run*. A registry
//! whose login lies with one is asked anonymously, and when it refuses, the error says so.
//! Secrets appear in no error and no `Debug` output.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cleanbill_core::reference::ImageRef;
use serde::Deserialize;

use crate::error::ErrorKind;
use crate::{Error, Result};

/// Largest `config.json` that is read.
const CONFIG_MAX: u64 = 1 << 20;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How one registry, or a part of it, is logged in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// A user name and password.
    Basic { username: String, password: Secret },
    /// An OAuth 2 refresh token (`identitytoken`), to be exchanged at the token realm.
    Identity(Secret),
    /// A bearer token to be sent as it is (`registrytoken`).
    Token(Secret),
}

/// The credentials that one process has, by registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// By `host[:port][/path]`; Docker Hub is `docker.io`.
    entries: BTreeMap<String, Credential>,
    /// The helper program that keeps a registry's login, where `credHelpers` names one.
    helpers: BTreeMap<String, String>,
    /// The helper program for all registries (`credsStore`).
    store: Option<String>,
}

impl Credentials {
    /// None at all: every registry is asked anonymously.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads Docker's configuration: `path` where given, else `config.json` in `$DOCKER_CONFIG`
    /// or in `~/.docker`. A file that was not named and is not there means [`Self::none`].
    ///
    /// # Errors
    /// When the file cannot be read, is over 1 MiB, or is malformed.
    pub fn from_docker_config(path: Option<&Path>) -> Result<Self> {
        let found = match path {
            Some(path) => Some(path.to_owned()),
            None => default_path().filter(|path| path.exists()),
        };
        let Some(path) = found else { return Ok(Self::none()) };
        let place = format!("registry credentials in {}", path.display());
        let failed = |e| Error::new(ErrorKind::Io, place.clone()).because(e);
        let size = std::fs::metadata(&path).map_err(failed)?.len();
        if size > CONFIG_MAX {
            let text = format!("{place}: larger than {CONFIG_MAX} bytes");
            return Err(Error::new(ErrorKind::OverLimit, text));
        }
        parse_docker_config(&std::fs::read(&path).map_err(failed)?).map_err(|e| e.within(place))
    }

    /// Adds a user name and password for one registry; it outranks what a file says of it.
    #[must_use]
    pub fn with_login(mut self, registry: &str, username: &str, password: Secret) -> Self {
        let key = canonical(registry);
        let below = format!("{key}/");
        self.entries.retain(|k, _| *k != key && !k.starts_with(&below));
        self.entries.insert(key, Credential::Basic { username: username.to_owned(), password });
        self
    }

    /// These, and of the others what these do not have. Where these have a login for a whole
    /// registry, no login of the others for a part of it is taken: it would outrank it.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        let has = |key: &str| {
            let mut key = key;
            loop {
                match (self.entries.contains_key(key), key.rfind('/')) {
                    (true, _) => return true,
                    (false, None) => return false,
                    (false, Some(end)) => key = &key[..end],
                }
            }
        };
        let more: Vec<_> = others.entries.iter().filter(|(k, _)| !has(k)).collect();
        let more: BTreeMap<_, _> = more.into_iter().map(|(k, c)| (k.clone(), c.clone())).collect();
        self.entries.extend(more);
        for (registry, helper) in &others.helpers {
            self.helpers.entry(registry.clone()).or_insert_with(|| helper.clone());
        }
        self.store = self.store.or_else(|| others.store.clone());
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The logins among all these that are for the repository of an image, each alone and once, in
    /// the order in which the kubelet tries them: those for the longest part of its name first, and
    /// of those for the same part the first that is given.
    pub fn in_turn<'a>(all: impl IntoIterator<Item = &'a Self>, image: &ImageRef) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for credentials in all {
            for (key, credential) in credentials.good_for(image.registry(), image.repository()) {
                let alone = BTreeMap::from([(key, credential.clone())]);
                let alone = Self { entries: alone, ..Self::default() };
                if !found.contains(&alone) {
                    found.push(alone);
                }
            }
        }
        let length = |c: &Self| c.entries.keys().next().map_or(0, String::len);
        // Stable: what came first stays first.
        found.sort_by_key(|c| std::cmp::Reverse(length(c)));
        found
    }

    /// Whether any of them is for the repository of an image.
    pub fn serve(&self, image: &ImageRef) -> bool {
        self.find(image.registry(), image.repository()).is_some()
    }

    /// The credential for a repository: of the longest `host/path` that is a prefix of it.
    pub(super) fn find(&self, registry: &str, repository: &str) -> Option<&Credential> {
        self.good_for(registry, repository).next().map(|(_, credential)| credential)
    }

    /// All that are for a repository, each with its key, the longest key first.
    fn good_for(
        &self,
        registry: &str,
        repository: &str,
    ) -> impl Iterator<Item = (String, &Credential)> {
        let whole = format!("{}/{repository}", canonical(registry));
        let shorter = |name: &String| Some(name[..name.rfind('/')?].to_owned());
        std::iter::successors(Some(whole), shorter)
            .filter_map(|key| self.entries.get(&key).map(|credential| (key, credential)))
    }

    /// The helper program that may know a registry's login, had we run it.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        self.helpers.get(&canonical(registry)).or(self.store.as_ref()).map(String::as_str)
    }
}

fn default_path() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")))?;
    Some(folder.join("config.json"))
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default, rename = "identitytoken")]
    identity: Option<String>,
    #[serde(default, rename = "registrytoken")]
    token: Option<String>,
}

/// Parses Docker's `config.json`, or the `auth.json` of podman and skopeo.
///
/// # Errors
/// When it is not JSON of that form, or an `auth` is not base64 of `user:password`. No part of
/// the file is repeated in the error but the names of registries.
pub fn parse_docker_config(bytes: &[u8]) -> Result<Credentials> {
    let config: Config = serde_json::from_slice(bytes).map_err(|e| {
        // serde's own words may repeat a value, and values here are secrets.
        let (line, column) = (e.line(), e.column());
        let text = format!("not a Docker config.json, line {line}, column {column}");
        Error::new(ErrorKind::Malformed, text)
    })?;
    let mut out =
        Credentials { store: config.store.filter(|s| !s.is_empty()), ..Default::default() };
    for (key, helper) in config.helpers.unwrap_or_default() {
        out.helpers.insert(canonical(&key), helper);
    }
    for (key, entry) in config.auths.unwrap_or_default() {
        if let Some(credential) = credential(&key, entry)? {
            out.entries.insert(canonical(&key), credential);
        }
    }
    Ok(out)
}

fn credential(key: &str, entry: Entry) -> Result<Option<Credential>> {
    let given = |text: Option<String>| text.filter(|t| !t.is_empty());
    if let Some(token) = given(entry.identity) {
        return Ok(Some(Credential::Identity(Secret(token))));
    }
    if let Some(token) = given(entry.token) {
        return Ok(Some(Credential::Token(Secret(token))));
    }
    let (username, password) = match given(entry.auth) {
        Some(auth) => decode(&auth).ok_or_else(|| {
            let shown: String = key.chars().take(100).flat_map(char::escape_debug).collect();
            let text = format!("the auth of \"{shown}\" is not base64 of user:password");
            Error::new(ErrorKind::Malformed, text)
        })?,
        None => match (given(entry.username), given(entry.password)) {
            (Some(username), Some(password)) => (username, password),
            // What `docker login` leaves behind where a helper keeps the secret.
            _ => return Ok(None),
        },
    };
    Ok(Some(Credential::Basic { username, password: Secret(password) }))
}

/// `user:password` of an `auth` field, which some tools pad and some do not.
fn decode(auth: &str) -> Option<(String, String)> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&STANDARD, lenient).decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = password.trim_end_matches('\0');
    (!username.is_empty()).then(|| (username.to_owned(), password.to_owned()))
}

/// The one form of a key: without scheme, API path and trailing slash; Docker Hub's many names
/// are `docker.io`.
fn canonical(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    let (host, path) = key.split_at(key.find('/').unwrap_or(key.len()));
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => format!("docker.io{path}"),
        _ => format!("{host}{path}"),
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
