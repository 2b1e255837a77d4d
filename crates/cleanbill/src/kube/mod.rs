//! The Kubernetes API, as far as it is read: single objects, by GET, over TLS. (`raw` is for the
//! person who sets the gate up.)
//!
//! Who the API server is, is always verified; there is no switch against it. No redirect is
//! followed and no proxy used. Tokens, keys and what comes back stand in no message.

mod kubeconfig;
mod raw;
mod reader;

use std::path::{Path, PathBuf};
use std::time::Instant;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::Agent;
use ureq::http::{HeaderValue, Method, Uri, header};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::failure::{Failure, Result};

pub use kubeconfig::fuzz_kubeconfig;
pub use raw::Reply;
pub use reader::{Holds, Reader};

/// The largest object that is read (the API server's own bound on a secret is 1 MiB, which
/// base64 makes larger).
const OBJECT_MAX: u64 = 3 << 20;
/// The largest kubeconfig, certificate, key or token.
const FILE_MAX: u64 = 1 << 20;
/// Where a pod finds its service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// One API server, and who we are for it. Has no `Debug`: it holds a key or a token.
pub struct Client {
    base: String,
    agent: Agent,
    token: Token,
}

/// The token that goes with each request.
enum Token {
    None,
    Fixed(HeaderValue),
    /// Read each time, since such tokens are replaced every hour or so.
    File(PathBuf),
}

/// Why an object was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// We may not read it (401 or 403).
    Forbidden,
    /// There is none (404).
    Absent,
    /// It could not be had: the cause, for the log.
    Failed(String),
}

/// The files and values that a connection is made of.
struct Parts {
    /// `https://host:port`, with a path where there is one.
    server: String,
    authority: Vec<u8>,
    client: Option<(Vec<u8>, Vec<u8>)>,
    token: Token,
}

impl Client {
    /// As a pod's own service account.
    ///
    /// # Errors
    /// When the program does not run in a pod, or the files of the account cannot be used.
    pub fn in_cluster() -> Result<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let names = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT");
        let (Some(host), Some(port)) = (set(names.0), set(names.1)) else {
            return Err(Failure::new(format!("{} and {} are not set", names.0, names.1))
                .next("outside of a cluster, name a kubeconfig (kubernetes.kubeconfig)"));
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let folder = Path::new(ACCOUNT);
        Self::new(Parts {
            server: format!("https://{host}:{port}"),
            authority: bounded(&folder.join("ca.crt"))?,
            client: None,
            token: Token::File(folder.join("token")),
        })
    }

    /// As a kubeconfig's current context says.
    ///
    /// # Errors
    /// When the file cannot be read or used, or asks for what is not done: a program that gives
    /// credentials, no verification, a proxy.
    pub fn from_kubeconfig(file: &Path) -> Result<Self> {
        let text = String::from_utf8(bounded(file)?)
            .map_err(|_| Failure::new(format!("{}: it is no text", file.display())))?;
        let parts = kubeconfig::parts(&text, file.parent().unwrap_or(Path::new("")));
        Self::new(parts.map_err(|e| Failure::new(format!("{}: {e}", file.display())))?)
    }

    fn new(parts: Parts) -> Result<Self> {
        let uri: Uri =
            parts.server.parse().map_err(|_| Failure::new("the API server's address is no URL"))?;
        if uri.scheme_str() != Some("https") || uri.host().is_none_or(str::is_empty) {
            // Over plain HTTP, whoever listens has the token.
            return Err(Failure::new("the API server's address is not https://HOST"));
        }
        let roots = certificates("the authority of the API server", &parts.authority)?;
        let client = match parts.client {
            None => None,
            Some((chain, key)) => {
                let chain = certificates("the client certificate", &chain)?;
                let key = PrivateKey::from_pem(&key)
                    .map_err(|_| Failure::new("the client key is no PEM private key"))?;
                Some(ClientCert::new_with_certs(&chain, key))
            }
        };
        let tls = TlsConfig::builder().root_certs(RootCerts::from(roots)).client_cert(client);
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("cleanbill/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_response_header_size(64 << 10)
            .build();
        let base = parts.server.trim_end_matches('/').to_owned();
        Ok(Self { base, agent: config.new_agent(), token: parts.token })
    }

    /// Reads `/api/v1/namespaces/NAMESPACE/KIND/NAME`, until then at most. Names that cannot be
    /// names are not asked for.
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn get(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        until: Instant,
    ) -> std::result::Result<Vec<u8>, Unread> {
        if !is_name(namespace) || !is_name(name) {
            return Err(Unread::Absent);
        }
        let path = format!("/api/v1/namespaces/{namespace}/{kind}/{name}");
        self.read(&path, OBJECT_MAX, until).map(|(bytes, _)| bytes)
    }

    /// Reads a path, of at most so many bytes, until then at most; with what the API server's
    /// clock said (`Date`).
    ///
    /// # Errors
    /// See [`Unread`].
    pub fn read(
        &self,
        path: &str,
        most: u64,
        until: Instant,
    ) -> std::result::Result<(Vec<u8>, Option<String>), Unread> {
        let failed = |why: String| Unread::Failed(format!("the API server: {why}"));
        let asked = Asked { path, body: None, most, until, keeps: true };
        let reply = self.ask(&asked).map_err(failed)?;
        match reply.status {
            200 => Ok((reply.body, reply.date)),
            401 | 403 => Err(Unread::Forbidden),
            404 => Err(Unread::Absent),
            other => Err(Unread::Failed(format!("the API server answers {other}"))),
        }
    }

    /// One request, and its answer whatever the status.
    fn ask(&self, asked: &Asked<'_>) -> std::result::Result<Reply, String> {
        let left = asked.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("no time is left".into());
        }
        let failed = |e: ureq::Error| e.to_string();
        let mut request = ureq::http::Request::builder()
            .method(if asked.body.is_some() { Method::POST } else { Method::GET })
            .uri(format!("{}{}", self.base, asked.path))
            .header(header::ACCEPT, "application/json");
        if let Some(token) = self.token()? {
            request = request.header(header::AUTHORIZATION, token);
        }
        if !asked.keeps {
            request = request.header(header::CONNECTION, "close");
        }
        let bound = Some(left);
        let called = match asked.body {
            None => {
                let request = request.body(()).map_err(|e| e.to_string())?;
                let request = self.agent.configure_request(request).timeout_global(bound).build();
                self.agent.run(request)
            }
            Some(body) => {
                let request = request.header(header::CONTENT_TYPE, "application/json");
                let request = request.body(body.to_owned()).map_err(|e| e.to_string())?;
                let request = self.agent.configure_request(request).timeout_global(bound).build();
                self.agent.run(request)
            }
        };
        let mut response = called.map_err(failed)?;
        let status = response.status().as_u16();
        let date = response.headers().get(header::DATE).and_then(|d| d.to_str().ok());
        let date = date.map(str::to_owned);
        let body = response.body_mut().with_config().limit(asked.most).read_to_vec();
        body.map(|body| Reply { status, date, body }).map_err(failed)
    }

    fn token(&self) -> std::result::Result<Option<HeaderValue>, String> {
        match &self.token {
            Token::None => Ok(None),
            Token::Fixed(header) => Ok(Some(header.clone())),
            Token::File(file) => {
                let text = String::from_utf8(bounded(file).map_err(|e| e.to_string())?);
                let text = text.unwrap_or_default();
                bearer(&text).map(Some).ok_or_else(|| format!("{}: it is no token", file.display()))
            }
        }
    }
}

/// What is asked.
struct Asked<'a> {
    path: &'a str,
    /// With a body it is a POST.
    body: Option<&'a str>,
    /// The largest answer, in bytes.
    most: u64,
    until: Instant,
    /// Whether the connection may be used again.
    keeps: bool,
}

/// The header for a token; `None` where it is none.
fn bearer(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    (!token.is_empty()).then_some(header)
}

/// A DNS subdomain, which names of namespaces, secrets and service accounts are.
fn is_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        label.bytes().all(|b| inner(b) || b == b'-')
            && label.bytes().next().is_some_and(inner)
            && label.bytes().last().is_some_and(inner)
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<Certificate<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => {
            Ok(found.iter().map(|c| Certificate::from_der(c).to_owned()).collect())
        }
        Ok(_) | Err(_) => Err(Failure::new(format!("{what} is no PEM certificate"))),
    }
}

fn bounded(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let failed = |e| Failure::new(format!("{} cannot be read: {e}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(Failure::new(format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(bytes)
}
