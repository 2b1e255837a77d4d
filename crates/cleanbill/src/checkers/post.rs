//! One question to a server over HTTP: certificates, a token, one POST, one bounded answer.
//!
//! No redirect is followed, no cookie kept, no proxy used, no connection kept: the operator
//! named one server, and nobody else is to answer in its place. A private address is the
//! operator's own choice and allowed.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use ureq::Agent;
use ureq::http::{HeaderValue, Uri, header};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::config::Endpoint;
use super::{ANSWER_BYTES, Silence};
use crate::failure::{Failure, Result};

/// The largest certificate, key or token file that is read.
const FILE_BYTES: u64 = 1 << 20;

/// A server that is asked. Has no `Debug`: it holds a private key.
pub(super) struct Server {
    endpoint: Endpoint,
    current: Mutex<Current>,
}

/// The agent made of the files as they were, known by their digest.
struct Current {
    files: [u8; 32],
    agent: Agent,
}

/// An answer, whatever its status.
pub(super) struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Server {
    /// Reads the certificates.
    ///
    /// # Errors
    /// When one cannot be read or used. No message holds a part of a key.
    pub(super) fn open(endpoint: &Endpoint) -> Result<Self> {
        let files = Files::read(endpoint)?;
        let current = Current { files: files.digest(), agent: files.agent()? };
        Ok(Self { endpoint: endpoint.clone(), current: Mutex::new(current) })
    }

    /// Posts JSON and reads the answer, all of it until then and at most [`ANSWER_BYTES`].
    pub(super) fn post(
        &self,
        query: Option<&str>,
        body: &[u8],
        until: Instant,
    ) -> std::result::Result<Reply, Silence> {
        let failed = |error| self.failed(error);
        let mut request = self
            .agent()
            .post(self.uri(query)?)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, */*");
        if let Some(token) = self.token()? {
            request = request.header(header::AUTHORIZATION, token);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Silence::late());
        }
        let mut response =
            request.config().timeout_global(Some(left)).build().send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES as u64)
            .read_to_vec()
            .map_err(failed)?;
        Ok(Reply { status, body })
    }

    fn uri(&self, query: Option<&str>) -> std::result::Result<Uri, Silence> {
        let uri = self.endpoint.url.uri();
        let Some(query) = query else { return Ok(uri.clone()) };
        let mut parts = uri.clone().into_parts();
        let wrong = |e: ureq::http::Error| Silence::new("its URL cannot be used").log(e);
        let path = format!("{}?{query}", uri.path());
        parts.path_and_query =
            Some(path.parse().map_err(|e: ureq::http::uri::InvalidUri| wrong(e.into()))?);
        Uri::from_parts(parts).map_err(|e| wrong(e.into()))
    }

    /// The agent for the files as they are now. Where they have become bad, the one made of
    /// those before goes on, loudly.
    fn agent(&self) -> Agent {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let again = Files::read(&self.endpoint).and_then(|files| {
            let digest = files.digest();
            if digest != current.files {
                *current = Current { files: digest, agent: files.agent()? };
                tracing::info!(url = %self.endpoint.url, "read the checker's certificates again");
            }
            Ok(())
        });
        if let Err(error) = again {
            tracing::error!(url = %self.endpoint.url, "the certificates before are kept: {error}");
        }
        current.agent.clone()
    }

    fn token(&self) -> std::result::Result<Option<HeaderValue>, Silence> {
        let Some(path) = &self.endpoint.token_file else { return Ok(None) };
        let wrong = |why: &str| {
            let log = format!("token file {}: {why}", path.display());
            Silence::new("its token cannot be read").log(log)
        };
        let bytes = bounded(path).map_err(|e| wrong(&e.to_string()))?;
        let token = String::from_utf8(bytes).map_err(|_| wrong("it is no text"))?;
        if token.trim().is_empty() {
            return Err(wrong("it is empty"));
        }
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .map_err(|_| wrong("it is no token"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    fn failed(&self, error: ureq::Error) -> Silence {
        if matches!(error, ureq::Error::Timeout(_)) {
            return Silence::late().log(&self.endpoint.url);
        }
        let public = words(&error);
        Silence::new(public).log(format!("{}: {error}", self.endpoint.url))
    }
}

/// What an error is called for everybody. ureq's list of them is open.
fn words(error: &ureq::Error) -> &'static str {
    use ureq::Error as E;
    if let E::Io(error) = error {
        return broken(error);
    }
    let table: [(bool, &str); 5] = [
        (matches!(error, E::BodyExceedsLimit(_)), "its answer is larger than 1 MiB"),
        (matches!(error, E::LargeResponseHeader(..)), "the head of its answer is too large"),
        (matches!(error, E::HostNotFound), "its host has no address"),
        (matches!(error, E::Tls(_) | E::Rustls(_)), "TLS with it failed"),
        (matches!(error, E::Protocol(_) | E::Http(_)), "it does not answer in HTTP"),
    ];
    table.iter().find(|(is, _)| *is).map_or("the connection to it failed", |(_, words)| words)
}

/// What a broken connection is called.
fn broken(error: &std::io::Error) -> &'static str {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        "TLS with it failed"
    } else if error.kind() == std::io::ErrorKind::ConnectionRefused {
        "the connection to it was refused"
    } else {
        "the connection to it failed"
    }
}

/// The PEM files of an endpoint.
struct Files {
    ca: Option<Vec<u8>>,
    client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Files {
    fn read(endpoint: &Endpoint) -> Result<Self> {
        let read = |what: &str, path: &Path| {
            bounded(path)
                .map_err(|e| Failure::new(format!("{what} {} cannot be read: {e}", path.display())))
        };
        let ca = endpoint.ca.as_deref().map(|path| read("the authority", path)).transpose()?;
        let client = match &endpoint.client {
            None => None,
            Some(files) => Some((
                read("the client certificate", &files.cert)?,
                read("the client key", &files.key)?,
            )),
        };
        Ok(Self { ca, client })
    }

    /// Tells these files from others.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let (cert, key) = self.client.as_ref().map_or((None, None), |(c, k)| (Some(c), Some(k)));
        for part in [self.ca.as_ref(), cert, key] {
            // The length keeps the parts apart.
            hash.update(part.map_or(u64::MAX, |p| p.len() as u64).to_le_bytes());
            hash.update(part.map_or(&[][..], |p| p));
        }
        hash.finalize().into()
    }

    fn agent(&self) -> Result<Agent> {
        let roots = match &self.ca {
            None => RootCerts::WebPki,
            Some(pem) => {
                let found = certificates("the authority", pem)?;
                // ureq would ignore what is no authority.
                let mut store = RootCertStore::empty();
                for certificate in &found {
                    store.add(certificate.clone()).map_err(|e| wrong("the authority", &e))?;
                }
                let found: Vec<_> =
                    found.iter().map(|c| Certificate::from_der(c).to_owned()).collect();
                RootCerts::from(found)
            }
        };
        let client = match &self.client {
            None => None,
            Some((cert, key)) => Some(identity(cert, key)?),
        };
        let tls = TlsConfig::builder().root_certs(roots).client_cert(client).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("cleanbill/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .max_response_header_size(64 << 10)
            // A connection that the server closed meanwhile would look like silence.
            .max_idle_connections(0)
            .build();
        Ok(config.new_agent())
    }
}

/// A client certificate that belongs to its key.
fn identity(cert: &[u8], key: &[u8]) -> Result<ClientCert> {
    let chain = certificates("the client certificate", cert)?;
    let not_pem = || Failure::new("the client key is no PEM private key");
    let parsed = PrivateKeyDer::from_pem_slice(key).map_err(|_| not_pem())?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong("TLS", &e))?
        .with_root_certificates(RootCertStore::empty())
        .with_client_auth_cert(chain.clone(), parsed)
        .map_err(|e| wrong("the client certificate and its key", &e))?;
    let chain: Vec<_> = chain.iter().map(|c| Certificate::from_der(c).to_owned()).collect();
    let key = PrivateKey::from_pem(key).map_err(|_| not_pem())?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Failure::new(format!("{what} has no PEM certificate in it"))),
        Err(e) => Err(wrong(what, &e)),
    }
}

fn wrong(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("{what} cannot be used: {error}"))
}

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}
