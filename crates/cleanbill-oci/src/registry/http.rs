//! Requests: agents that obey the rule on addresses, redirects followed by hand, and bounded
//! retries. What is asked, and with which credentials, is decided above.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{HeaderValue, Response, Uri, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};
use ureq::{Agent, Body, Proxy, SendBody};

use super::fault::{Attempt, Fault, Retry, failed};
use super::net::{AddressRule, Guard, HostPort};
use super::tls::{self, TlsConnector};
use super::url::{resolve, same_origin};
use super::{RegistryOptions, Target, known_host};
use crate::error::ErrorKind;
use crate::{Error, Result};

/// Redirects that are followed in one request.
const REDIRECTS: usize = 5;
/// Longest wait that a server may ask for (`Retry-After`); one that asks for more is not asked
/// again.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// One request.
pub(super) struct Ask<'a> {
    pub url: &'a Uri,
    pub accept: Option<&'a str>,
    /// The first byte wanted; asks for a range where it is not zero.
    pub from: u64,
    /// Sent to the URL's origin only, not to where it redirects.
    pub authorization: Option<HeaderValue>,
    pub how: How<'a>,
}

/// The method of a request, and what is sent with it.
pub(super) enum How<'a> {
    Get,
    Head,
    /// POST of a form.
    Form(&'a str),
    /// POST of nothing, which begins an upload.
    Begin,
    /// PUT of exactly so many bytes.
    Put {
        media_type: &'a str,
        size: u64,
        body: &'a mut dyn Read,
    },
}

impl How<'_> {
    /// Whether it changes nothing, so that it may be asked for again elsewhere.
    fn is_reading(&self) -> bool {
        match self {
            Self::Get | Self::Head => true,
            Self::Form(_) | Self::Begin | Self::Put { .. } => false,
        }
    }
}

/// An answer and the URL that gave it, after redirects.
pub(super) struct Reply {
    pub response: Response<Body>,
    pub at: Uri,
}

/// The agents of one registry source.
pub(super) struct Http {
    /// For images of registries that may lie anywhere.
    listed: Agent,
    /// For all others.
    public: Agent,
    plain: Vec<HostPort>,
    /// Whether there is a proxy and it is the environment's.
    env_proxy: bool,
    attempts: u32,
    backoff: Duration,
}

impl Http {
    pub(super) fn new(options: &RegistryOptions) -> Result<Self> {
        let plain = options
            .plain_http
            .iter()
            .map(|host| known_host(host, 80, "plain_http"))
            .collect::<Result<Vec<_>>>()?;
        let tls = tls::config(&options.ca_files)?;
        let proxy = proxy(options)?;
        let agent = |private: Option<Vec<HostPort>>| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .user_agent(concat!("cleanbill/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
                .proxy(proxy.clone())
                .max_response_header_size(64 << 10)
                .max_idle_connections_per_host(8)
                .timeout_resolve(Some(options.connect))
                .timeout_connect(Some(options.connect))
                .timeout_send_request(Some(options.idle))
                .timeout_recv_response(Some(options.idle))
                .timeout_per_read(Some(options.idle))
                .build();
            let guard = Guard {
                private,
                proxy: proxy.as_ref().map(|p| p.uri().clone()),
                inner: DefaultResolver::default(),
            };
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(TcpConnector::default())
                    .chain(TlsConnector(Arc::clone(&tls)));
            Agent::with_parts(config, connector, guard)
        };
        let (listed, public) = match &options.addresses {
            AddressRule::Open => (agent(None), agent(None)),
            AddressRule::Guarded { .. } => {
                (agent(Some(options.private_hosts()?)), agent(Some(Vec::new())))
            }
        };
        let env_proxy = proxy.is_some() && options.proxy.is_none();
        let attempts = options.attempts.max(1);
        Ok(Self { listed, public, plain, env_proxy, attempts, backoff: options.backoff })
    }

    /// Whether a host is spoken to without TLS.
    pub(super) fn is_plain(&self, host: &HostPort) -> bool {
        self.plain.contains(host)
    }

    /// Asks, and follows redirects of what changes nothing.
    pub(super) fn ask(&self, target: &Target, mut ask: Ask<'_>) -> Attempt<Reply> {
        let mut at = ask.url.clone();
        let mut authorization = ask.authorization.clone();
        for _ in 0..=REDIRECTS {
            let response = self.exchange(target, &at, &mut ask, authorization.as_ref())?;
            let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !redirects || !ask.how.is_reading() {
                return Ok(Reply { response, at });
            }
            let from = shown_host(&at);
            let location = response.headers().get(header::LOCATION);
            let next = location
                .and_then(|l| l.to_str().ok())
                .and_then(|l| resolve(&at, l))
                .ok_or_else(|| malformed(format!("{from} redirects to no valid URL")))?;
            if at.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                let text = format!("{from} redirects from https to http, which is not followed");
                return Err(Error::new(ErrorKind::Forbidden, text).into());
            }
            if !same_origin(&at, &next) {
                authorization = None;
            }
            at = next;
        }
        Err(malformed(format!("{} redirects more than {REDIRECTS} times", shown_host(ask.url))))
    }

    /// One request, one answer.
    fn exchange(
        &self,
        target: &Target,
        at: &Uri,
        ask: &mut Ask<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Attempt<Response<Body>> {
        let host = HostPort::of(at).ok_or_else(|| malformed("a URL without a host".to_owned()))?;
        if at.scheme_str() != Some("https") && !self.is_plain(&host) {
            let text = format!("{host} is asked for over plain HTTP, which is not configured");
            return Err(Error::new(ErrorKind::Forbidden, text).into());
        }
        let left = target.left()?;
        // As Go's programs do, and so docker: this machine is not looked for behind a proxy.
        let direct = self.env_proxy && host.is_local();
        let agent = if target.listed { &self.listed } else { &self.public };
        let (accept, from) = (ask.accept, ask.from);
        let sent = match &mut ask.how {
            reading @ (How::Get | How::Head) => {
                let at = at.clone();
                let mut request =
                    if matches!(reading, How::Get) { agent.get(at) } else { agent.head(at) };
                if let Some(accept) = accept {
                    request = request.header(header::ACCEPT, accept);
                }
                if from > 0 {
                    request = request.header(header::RANGE, format!("bytes={from}-"));
                }
                if let Some(value) = authorization {
                    request = request.header(header::AUTHORIZATION, value);
                }
                let config = request.config().timeout_global(Some(left));
                if direct { config.proxy(None) } else { config }.build().call()
            }
            writing @ (How::Form(_) | How::Begin | How::Put { .. }) => {
                let at = at.clone();
                let mut request = match &writing {
                    How::Put { media_type, size, .. } => agent
                        .put(at)
                        .header(header::CONTENT_TYPE, *media_type)
                        .header(header::CONTENT_LENGTH, size.to_string()),
                    How::Form(_) => agent
                        .post(at)
                        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"),
                    How::Begin | How::Get | How::Head => agent.post(at),
                };
                if let Some(value) = authorization {
                    request = request.header(header::AUTHORIZATION, value);
                }
                let config = request.config().timeout_global(Some(left));
                let config = if direct { config.proxy(None) } else { config };
                match writing {
                    How::Form(form) => config.build().send(&**form),
                    // A registry hashes and moves what it was sent before it answers.
                    How::Put { body, .. } => config
                        .timeout_recv_response(Some(left))
                        .build()
                        .send(SendBody::from_reader(&mut **body)),
                    How::Begin | How::Get | How::Head => config.build().send_empty(),
                }
            }
        };
        sent.map_err(|e| failed(target, &host, e))
    }

    /// Repeats what failed for a passing reason, at most `attempts` times and not past the
    /// deadline.
    pub(super) fn retrying<T>(
        &self,
        target: &Target,
        mut attempt: impl FnMut() -> Attempt<T>,
    ) -> Result<T> {
        let mut tried = 0;
        loop {
            let fault = match attempt() {
                Ok(done) => return Ok(done),
                Err(fault) => fault,
            };
            tried += 1;
            let wait = match fault.retry {
                Retry::Never => return Err(fault.error),
                Retry::Backoff => self.backoff(tried),
                Retry::After(wait) => wait,
            };
            if tried >= self.attempts {
                let context = format!("after {tried} attempts");
                return Err(if tried > 1 { fault.error.within(context) } else { fault.error });
            }
            if wait > RETRY_AFTER_MAX || target.left().is_ok_and(|left| left <= wait) {
                return Err(fault.error);
            }
            target.left()?;
            std::thread::sleep(wait);
        }
    }

    /// The wait before attempt `tried + 1`: doubling, with jitter, so that many clients of one
    /// registry do not come back at once.
    pub(super) fn backoff(&self, tried: u32) -> Duration {
        let full = self.backoff.saturating_mul(1 << tried.saturating_sub(1).min(6));
        let random = RandomState::new().build_hasher().finish();
        full / 2 + full.mul_f64((random % 1000) as f64 / 2000.0)
    }
}

/// The proxy to use. The environment's is for a user's own commands; the gate goes through one
/// only if its own configuration says so, and then resolves names itself, so that the rule on
/// addresses holds.
fn proxy(options: &RegistryOptions) -> Result<Option<Proxy>> {
    let guarded = matches!(options.addresses, AddressRule::Guarded { .. });
    let Some(url) = &options.proxy else {
        let from_env = if guarded { None } else { Proxy::try_from_env() };
        if from_env.as_ref().is_some_and(|proxy| is_socks(proxy.protocol())) {
            let text = "the environment names a SOCKS proxy, and only HTTP proxies are known: \
                        unset ALL_PROXY, and set HTTPS_PROXY if there is an HTTP proxy";
            return Err(Error::new(ErrorKind::Malformed, text));
        }
        return Ok(from_env);
    };
    // Whatever is wrong with the URL, it may hold a password.
    let wrong = || {
        let text = "the proxy is not a URL of the form http://[user:password@]host:port";
        Error::new(ErrorKind::Malformed, text)
    };
    let given = Proxy::new(url.reveal()).map_err(|_| wrong())?;
    if !matches!(given.protocol(), ureq::ProxyProtocol::Http) {
        return Err(wrong());
    }
    let mut builder = Proxy::builder(given.protocol())
        .host(given.host())
        .port(given.port())
        .resolve_target(guarded);
    if let Some(username) = given.username() {
        builder = builder.username(username);
    }
    if let Some(password) = given.password() {
        builder = builder.password(password);
    }
    builder.build().map(Some).map_err(|_| wrong())
}

fn is_socks(protocol: ureq::ProxyProtocol) -> bool {
    use ureq::ProxyProtocol::{Socks4, Socks4A, Socks5};
    matches!(protocol, Socks4 | Socks4A | Socks5)
}

fn malformed(text: String) -> Fault {
    Error::new(ErrorKind::Malformed, text).into()
}

/// The host of a URL, for messages.
pub(super) fn shown_host(uri: &Uri) -> String {
    HostPort::of(uri).map_or_else(|| "a server".to_owned(), |host| host.to_string())
}
