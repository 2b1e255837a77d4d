//! The registry source: images from a registry that speaks the OCI distribution specification
//! or Docker's registry API v2; and the way to put something there ([`Registry::push`]).
//!
//! HTTPS always, except for hosts that the configuration lists; anonymous, basic and bearer
//! login; bounded retries; downloads that go on where they broke off. Every connection passes
//! one rule on resolved addresses ([`net`]), and secrets go only to whom they belong ([`auth`]).
//!
//! It checks no blob: hashing is done where blobs are read. It may not print or log.

mod auth;
mod challenge;
mod client;
mod credentials;
mod fault;
mod http;
mod net;
mod push;
mod repository;
mod tls;
mod url;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cleanbill_core::reference::ImageRef;
use ureq::http::Uri;

pub use self::auth::parse_token;
pub use self::challenge::{Challenge, parse_challenges};
pub use self::client::{Registry, Root};
pub use self::credentials::{Credentials, Secret, parse_docker_config};
pub use self::net::{AddressRule, special};
pub use self::push::{Pushed, Upload};
pub use self::tls::agent;

use self::http::Http;
use self::net::HostPort;
use crate::error::ErrorKind;
use crate::limits::Limits;
use crate::{Error, Result};

/// How registries are talked to.
#[derive(Clone, Debug)]
pub struct RegistryOptions {
    /// Where connections may go.
    pub addresses: AddressRule,
    /// Bounds; of them `manifest_bytes` and `time` count here.
    pub limits: Limits,
    /// Who we are.
    pub credentials: Credentials,
    /// Token realms (`host[:port]`) that may see a registry's credentials although they have
    /// another host, by registry.
    pub realms: BTreeMap<String, Vec<String>>,
    /// Hosts (`host[:port]`, default port 80) that are spoken to without TLS.
    pub plain_http: Vec<String>,
    /// PEM files of certificate authorities that are trusted besides Mozilla's.
    pub ca_files: Vec<PathBuf>,
    /// The URL of an HTTP proxy. Without one, [`AddressRule::Open`] follows the environment's
    /// proxy variables and [`AddressRule::Guarded`] uses none.
    pub proxy: Option<Secret>,
    /// How long a tag's digest is remembered (default: not at all).
    pub tag_ttl: Duration,
    /// Attempts of one request (default 4), on 429, 5xx, timeouts and broken connections.
    pub attempts: u32,
    /// Times that the download of one blob goes on after it broke off (default 8).
    pub resumes: u32,
    /// The wait before the second attempt, doubled for each further one (default 250 ms).
    pub backoff: Duration,
    /// Time to resolve a name, and to connect (default 10 s).
    pub connect: Duration,
    /// Time without a byte after which a connection is given up (default 30 s).
    pub idle: Duration,
}

impl RegistryOptions {
    /// The defaults; where connections may go has none.
    pub fn new(addresses: AddressRule) -> Self {
        Self {
            addresses,
            limits: Limits::default(),
            credentials: Credentials::none(),
            realms: BTreeMap::new(),
            plain_http: Vec::new(),
            ca_files: Vec::new(),
            proxy: None,
            tag_ttl: Duration::ZERO,
            attempts: 4,
            resumes: 8,
            backoff: Duration::from_millis(250),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
        }
    }

    /// The hosts that may lie at any address.
    fn private_hosts(&self) -> Result<Vec<HostPort>> {
        let AddressRule::Guarded { private_hosts } = &self.addresses else {
            return Ok(Vec::new());
        };
        private_hosts
            .iter()
            .map(|host| {
                let port = if self.plain_http.contains(host) { 80 } else { 443 };
                known_host(contacted(host), port, "private_hosts")
            })
            .collect()
    }

    fn realm_hosts(&self) -> Result<BTreeMap<String, Vec<HostPort>>> {
        let hosts = |list: &Vec<String>| {
            list.iter().map(|host| known_host(host, 443, "realms")).collect::<Result<Vec<_>>>()
        };
        let of = |(registry, list): (&String, _)| Ok((registry.to_ascii_lowercase(), hosts(list)?));
        self.realms.iter().map(of).collect()
    }
}

/// A host that an option names.
fn known_host(text: &str, default_port: u16, option: &str) -> Result<HostPort> {
    HostPort::parse(text, default_port).ok_or_else(|| {
        let text = format!("{option}: \"{}\" is not host or host:port", text.escape_debug());
        Error::new(ErrorKind::Malformed, text)
    })
}

/// The host that is contacted for a registry's name.
fn contacted(registry: &str) -> &str {
    if registry == "docker.io" { "registry-1.docker.io" } else { registry }
}

/// What is done in a repository, which is all that a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purpose {
    /// Reading.
    Pull,
    /// Writing, and looking first what is there.
    Push,
}

impl Purpose {
    /// As the scope of a token says it (distribution's token specification).
    fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// The repository of one image, and until when it may be talked to.
#[derive(Debug)]
struct Target {
    /// `registry/repository`, for messages.
    name: String,
    registry: String,
    repository: String,
    /// `https://host:port/`.
    base: Uri,
    /// Whether its registry may lie at any address.
    listed: bool,
    purpose: Purpose,
    deadline: Instant,
    time: Duration,
}

impl Target {
    fn new(
        image: &ImageRef,
        http: &Http,
        options: &RegistryOptions,
        deadline: Instant,
    ) -> Result<Self> {
        let host = contacted(image.registry());
        let plain = HostPort::parse(host, 80).is_some_and(|host| http.is_plain(&host));
        let scheme = if plain { "http" } else { "https" };
        let base = url::absolute_url(&format!("{scheme}://{host}/"))
            .ok_or_else(|| Error::new(ErrorKind::Malformed, "the registry is no host name"))?;
        let own = HostPort::of(&base);
        let listed = own.is_some_and(|own| options.private_hosts().is_ok_and(|p| p.contains(&own)));
        Ok(Self {
            name: image.name(),
            registry: image.registry().to_ascii_lowercase(),
            repository: image.repository().to_owned(),
            base,
            listed,
            purpose: Purpose::Pull,
            deadline,
            time: options.limits.time,
        })
    }

    /// The time left.
    fn left(&self) -> Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let text = format!(
                "registry {} took longer than the time for one image (at most {} s)",
                self.registry,
                self.time.as_secs()
            );
            return Err(Error::new(ErrorKind::Io, text));
        }
        Ok(left)
    }
}

/// The instant after some time from now; times beyond a year are taken for one.
fn from_now(time: Duration) -> Instant {
    let year = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + time.min(year)
}

/// What may be told about an error to somebody who chose the image but not the network: no
/// address, no port, nothing by which a network can be explored. The error itself is for the
/// log.
pub fn public_message(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "the registry has no such image",
        ErrorKind::Unauthorized => "the registry refuses access to the image",
        ErrorKind::DigestMismatch => "the image's content does not have its digest",
        ErrorKind::Malformed => "the image, or its registry's answer, is malformed",
        ErrorKind::OverLimit => "the image is over a limit",
        // One text for both: it must not tell a closed port from an address that is forbidden.
        ErrorKind::Forbidden | ErrorKind::Io => "the image could not be read from its registry",
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::http::{Ask, How, Http};
    use super::{AddressRule, RegistryOptions, Target};
    use crate::error::ErrorKind;

    #[test]
    fn a_public_registry_cannot_lead_to_a_private_one() {
        // Nobody listens at port 1; whether it is tried at all is what counts.
        let private_hosts = vec!["127.0.0.1:1".to_owned()];
        let mut options = RegistryOptions::new(AddressRule::Guarded { private_hosts });
        options.plain_http = vec!["127.0.0.1:1".to_owned()];
        let http = Http::new(&options).unwrap();
        let own = "127.0.0.1:1/a:1".parse().unwrap();
        let soon = Instant::now() + Duration::from_secs(5);
        let own = Target::new(&own, &http, &options, soon).unwrap();
        let public = "registry.example/a:1".parse().unwrap();
        let public = Target::new(&public, &http, &options, soon).unwrap();
        let url = own.base.clone();
        let ask = |target: &Target| {
            let how = How::Get;
            let ask = Ask { url: &url, accept: None, from: 0, authorization: None, how };
            http.ask(target, ask).err().map(|fault| fault.error.kind())
        };
        assert_eq!(ask(&own), Some(ErrorKind::Io));
        assert_eq!(ask(&public), Some(ErrorKind::Forbidden));
    }
}
