//! Answers to a registry's challenge: who is told which secret.
//!
//! A credential goes to the registry that it is configured for, and to that registry's token
//! realm only if the realm has the registry's own host or is listed for it. Everybody else is
//! asked anonymously.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::{HeaderValue, Uri};

use super::challenge::Challenge;
use super::credentials::{Credential, Credentials, Secret};
use super::fault::{Attempt, Fault, Retry, refused};
use super::http::{Ask, How, Http, shown_host};
use super::net::HostPort;
use super::url::{absolute_url, percent, with_query};
use super::{Purpose, Target};
use crate::error::ErrorKind;
use crate::{Error, Result};

/// Token realms that are known to belong to a registry of another host.
const REALMS: &[(&str, &str)] = &[
    ("docker.io", "auth.docker.io"),
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
];

/// Largest answer of a token realm (tokens reach some 10 KB).
const TOKEN_MAX: u64 = 256 << 10;
/// How long a token lives that does not say so (distribution's token specification), and the
/// longest that one is kept.
const TOKEN_LIFE: Duration = Duration::from_secs(60);
const TOKEN_LIFE_MAX: Duration = Duration::from_secs(3600);
/// A token is not used so shortly before its end.
const TOKEN_MARGIN: Duration = Duration::from_secs(5);
/// Tokens that are remembered.
const TOKENS_MAX: usize = 1024;

/// A registry, a repository of it, and what is done there.
type Key = (String, String, Purpose);

/// Credentials, and the tokens they got.
pub(super) struct Auth {
    credentials: Credentials,
    realms: BTreeMap<String, Vec<HostPort>>,
    /// Every token is for one purpose in one repository.
    tokens: Mutex<HashMap<Key, (HeaderValue, Instant)>>,
}

impl Auth {
    pub(super) fn new(credentials: Credentials, realms: BTreeMap<String, Vec<HostPort>>) -> Self {
        Self { credentials, realms, tokens: Mutex::default() }
    }

    /// The same realms with other credentials and no tokens yet.
    pub(super) fn with(&self, credentials: Credentials) -> Self {
        Self::new(credentials, self.realms.clone())
    }

    /// The header that was accepted before, while it lives.
    pub(super) fn remembered(&self, target: &Target) -> Option<HeaderValue> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (header, until) = tokens.get(&key(target))?;
        (*until > Instant::now()).then(|| header.clone())
    }

    fn remember(&self, target: &Target, header: &HeaderValue, life: Duration) {
        let Some(life) = life.min(TOKEN_LIFE_MAX).checked_sub(TOKEN_MARGIN) else { return };
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, (_, until)| *until > now);
        }
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.insert(key(target), (header.clone(), now + life));
    }

    /// The header that answers one of the challenges.
    pub(super) fn answer(
        &self,
        http: &Http,
        target: &Target,
        challenges: &[Challenge],
    ) -> Attempt<HeaderValue> {
        let credential = self.credentials.find(&target.registry, &target.repository);
        let bearer = challenges.iter().find_map(|c| match c {
            Challenge::Bearer { realm, service, .. } => Some((realm, service.as_deref())),
            Challenge::Basic => None,
        });
        if let Some((realm, service)) = bearer {
            if let Some(Credential::Token(token)) = credential {
                return Ok(bearer_header(token)?);
            }
            let (token, life) = self.token(http, target, realm, service, credential)?;
            let header = bearer_header(&token)?;
            self.remember(target, &header, life);
            return Ok(header);
        }
        match (challenges.contains(&Challenge::Basic), credential) {
            (true, Some(Credential::Basic { username, password })) => {
                let header = basic_header(username, password)?;
                self.remember(target, &header, TOKEN_LIFE_MAX);
                Ok(header)
            }
            (true, _) => Err(self.denied(target, "it asks for a user name and password").into()),
            (false, _) => Err(self.denied(target, "it asks for no known kind of login").into()),
        }
    }

    /// Gets a token (distribution's token specification; OAuth 2 for refresh tokens).
    fn token(
        &self,
        http: &Http,
        target: &Target,
        realm: &str,
        service: Option<&str>,
        credential: Option<&Credential>,
    ) -> Attempt<(Secret, Duration)> {
        let malformed = |text: &str| {
            Error::new(ErrorKind::Malformed, format!("registry {}: {text}", target.registry))
        };
        let realm = absolute_url(realm)
            .ok_or_else(|| malformed("its token realm is no URL of http or https"))?;
        if target.base.scheme_str() == Some("https") && realm.scheme_str() != Some("https") {
            let text = "its token realm is plain HTTP, which is not asked";
            return Err(Error::new(ErrorKind::Forbidden, malformed(text).to_string()).into());
        }
        let trusted = self.trusts(http, target, &realm);
        let credential = credential.filter(|_| trusted);
        // Only what is needed is asked for, whatever the challenge names: a registry must not
        // choose what our credentials are spent on.
        let scope = format!("repository:{}:{}", target.repository, target.purpose.actions());
        let mut parameters = vec![("scope", scope.as_str())];
        parameters.extend(service.map(|s| ("service", s)));
        let reply = match credential {
            Some(Credential::Identity(refresh)) => {
                parameters.push(("grant_type", "refresh_token"));
                parameters.push(("client_id", "cleanbill"));
                parameters.push(("refresh_token", refresh.reveal()));
                let form: Vec<String> =
                    parameters.iter().map(|(k, v)| format!("{k}={}", percent(v))).collect();
                let form = form.join("&");
                let how = How::Form(&form);
                let ask = Ask { url: &realm, accept: None, from: 0, authorization: None, how };
                http.ask(target, ask)?
            }
            Some(Credential::Basic { .. } | Credential::Token(_)) | None => {
                let authorization = match credential {
                    Some(Credential::Basic { username, password }) => {
                        Some(basic_header(username, password)?)
                    }
                    Some(Credential::Token(_) | Credential::Identity(_)) | None => None,
                };
                let url = with_query(&realm, &parameters)
                    .ok_or_else(|| malformed("its token realm's URL is too long"))?;
                let how = How::Get;
                http.ask(target, Ask { url: &url, accept: None, from: 0, authorization, how })?
            }
        };
        match reply.response.status().as_u16() {
            200 => {}
            401 | 403 => {
                let said = refused(reply).error;
                return Err(self.denied(target, &said.to_string()).into());
            }
            _ => return Err(refused(reply)),
        }
        let host = shown_host(&reply.at);
        let mut body = Vec::new();
        let mut reader = reply.response.into_body().into_reader().take(TOKEN_MAX + 1);
        reader.read_to_end(&mut body).map_err(|e| Fault {
            error: Error::new(ErrorKind::Io, format!("the token of {host}")).because(e),
            retry: Retry::Backoff,
        })?;
        if body.len() as u64 > TOKEN_MAX {
            let text = format!("the token of {host} is larger than {TOKEN_MAX} bytes");
            // About the realm, not the image: it must not end as a gap of a layer.
            return Err(Error::new(ErrorKind::Malformed, text).into());
        }
        parse_token(&body).ok_or_else(|| malformed("its token realm answers no token").into())
    }

    /// Whether a realm may see the registry's credentials.
    fn trusts(&self, http: &Http, target: &Target, realm: &Uri) -> bool {
        let (Some(realm_host), Some(own)) = (HostPort::of(realm), HostPort::of(&target.base))
        else {
            return false;
        };
        if realm.scheme_str() != Some("https") && !http.is_plain(&realm_host) {
            return false;
        }
        let built_in = REALMS.iter().any(|(registry, host)| {
            *registry == target.registry && realm_host.host == *host && realm_host.port == 443
        });
        let listed = self.realms.get(&target.registry).is_some_and(|r| r.contains(&realm_host));
        built_in || listed || realm_host.host == own.host
    }

    /// Access was refused: says why, and what can be done.
    pub(super) fn denied(&self, target: &Target, said: &str) -> Error {
        let registry = &target.registry;
        let next = if self.credentials.find(registry, &target.repository).is_some() {
            "the configured credentials do not help: check them, and if the registry's token \
             realm has another host than the registry, list it for the registry (realms)"
                .to_owned()
        } else if let Some(helper) = self.credentials.helper(registry) {
            format!(
                "its login is kept by the credential helper \"{}\", and helpers are not run: \
                 give --username and --password",
                helper.escape_debug()
            )
        } else {
            format!(
                "check the name; if it is private, log in with docker login {registry}, or give \
                 --username and --password"
            )
        };
        let text = format!("registry {registry} refuses access: {said}: {next}");
        Error::new(ErrorKind::Unauthorized, text)
    }
}

fn key(target: &Target) -> Key {
    (target.registry.clone(), target.repository.clone(), target.purpose)
}

fn basic_header(username: &str, password: &Secret) -> Result<HeaderValue> {
    let pair = STANDARD.encode(format!("{username}:{}", password.reveal()));
    secret_header(&format!("Basic {pair}"))
}

fn bearer_header(token: &Secret) -> Result<HeaderValue> {
    secret_header(&format!("Bearer {}", token.reveal()))
}

fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut header = HeaderValue::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Malformed, "a token has characters no header may have")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Parses the answer of a token realm: the token, and how long it lives.
pub fn parse_token(bytes: &[u8]) -> Option<(Secret, Duration)> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        access_token: Option<String>,
        #[serde(default)]
        expires_in: Option<f64>,
    }
    let answer: Answer = serde_json::from_slice(bytes).ok()?;
    let full = |t: &String| !t.is_empty();
    let token = answer.token.filter(full).or(answer.access_token.filter(full))?;
    let life = answer
        .expires_in
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .filter(|life| !life.is_zero())
        .unwrap_or(TOKEN_LIFE);
    Some((Secret::new(token), life))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{Secret, parse_token};

    #[test]
    fn tokens_under_both_names_with_and_without_an_end() {
        let some = |token: &str, seconds| Some((Secret::new(token), Duration::from_secs(seconds)));
        let table: &[(&str, _)] = &[
            (r#"{"token":"a","expires_in":300}"#, some("a", 300)),
            (r#"{"access_token":"b"}"#, some("b", 60)),
            (r#"{"token":"","access_token":"b"}"#, some("b", 60)),
            (r#"{"token":"a","access_token":"b"}"#, some("a", 60)),
            (r#"{"token":"a","expires_in":-5}"#, some("a", 60)),
            (r#"{"token":"a","expires_in":1e300}"#, some("a", 60)),
            (r#"{"token":""}"#, None),
            (r#"{}"#, None),
            ("x", None),
        ];
        for (text, want) in table {
            assert_eq!(parse_token(text.as_bytes()), *want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(bytes: Vec<u8>, seconds: f64) {
            let _ = parse_token(&bytes);
            let _ = parse_token(format!("{{\"token\":\"a\",\"expires_in\":{seconds:?}}}").as_bytes());
        }
    }
}
