//! Asking the gate as kube-apiserver's ImagePolicyWebhook does: the same body, path, query and
//! headers, over TLS with a client certificate; and knocking without one, to see it refused.

use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::failure::{Failure, Result};

/// Who asks, and whom.
pub struct Asker {
    /// The gate's port.
    pub gate: SocketAddr,
    /// The authority of the gate's certificate, PEM.
    pub ca: Vec<u8>,
    /// The client's certificate and key, PEM.
    pub client: (Vec<u8>, Vec<u8>),
}

/// What the gate said.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The pod may run.
    Allowed,
    /// It may not: what `kubectl` would show.
    Denied(String),
}

/// Twice the gate's own default budget.
const PATIENCE: Duration = Duration::from_secs(30);

/// The question for a pod with one container of this image.
pub fn question(image: &str) -> Value {
    json!({
        "kind": "ImageReview",
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "metadata": {},
        "spec": {"containers": [{"image": image}], "namespace": "default"},
        "status": {"allowed": false},
    })
}

impl Asker {
    /// Asks about one image.
    ///
    /// # Errors
    /// When nobody answers, or what comes back is no answer.
    pub fn ask(&self, image: &str) -> Result<Answer> {
        let url = format!("https://{}/review?timeout=30s", self.gate);
        let body = question(image).to_string() + "\n";
        let sent = self
            .agent()?
            .post(&url)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, */*")
            .header("User-Agent", "Go-http-client/2.0")
            .send(body.as_bytes());
        let mut response = match sent {
            Ok(response) => response,
            Err(e) => return Err(Failure::new(format!("cannot ask the gate at {url}: {e}"))),
        };
        let odd = |why: String| Failure::new(format!("the gate at {url} gave no answer: {why}"));
        let text = response.body_mut().read_to_string().map_err(|e| odd(e.to_string()))?;
        if !response.status().is_success() {
            return Err(odd(format!("HTTP {}: {text}", response.status())));
        }
        let said: Value = serde_json::from_str(&text).map_err(|e| odd(e.to_string()))?;
        match said["status"]["allowed"].as_bool() {
            Some(true) => Ok(Answer::Allowed),
            Some(false) => {
                let reason = said["status"]["reason"].as_str().unwrap_or_default();
                Ok(Answer::Denied(reason.to_owned()))
            }
            None => Err(odd(text)),
        }
    }

    fn agent(&self) -> Result<ureq::Agent> {
        let no = |e: ureq::Error| Failure::new(format!("a certificate cannot be read: {e}"));
        let ca = Certificate::from_pem(&self.ca).map_err(no)?;
        let (certificate, key) = &self.client;
        let client = ClientCert::new_with_certs(
            &[Certificate::from_pem(certificate).map_err(no)?],
            PrivateKey::from_pem(key).map_err(no)?,
        );
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[ca]))
            .client_cert(Some(client))
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Ok(config.into())
    }

    /// Knocks without a client certificate, and says how the gate refused.
    ///
    /// # Errors
    /// When nobody answers there, or, which would be a hole, the gate lets us ask.
    pub fn knock(&self) -> Result<String> {
        let gate = self.gate;
        let no = |e: &dyn std::fmt::Display| Failure::new(format!("cannot knock at {gate}: {e}"));
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(&self.ca).map_err(|e| no(&e))?;
        roots.add(ca).map_err(|e| no(&e))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| no(&e))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::from(gate.ip());
        let mut tls = ClientConnection::new(Arc::new(config), name).map_err(|e| no(&e))?;
        let mut tcp = TcpStream::connect(gate).map_err(|e| no(&e))?;
        tcp.set_read_timeout(Some(VERDICT)).map_err(|e| no(&e))?;
        while tls.is_handshaking() {
            if let Err(e) = tls.complete_io(&mut tcp) {
                return refusal(&e).ok_or_else(|| no(&e));
            }
        }
        // In TLS 1.3 the client is done before the server has looked at its certificate. Who reads
        // before he writes learns what the server thinks of it; a server that takes him is silent.
        if let Err(e) = tls.complete_io(&mut tcp)
            && let Some(why) = refusal(&e)
        {
            return Ok(why);
        }
        let request = format!("POST /review HTTP/1.1\r\nHost: {gate}\r\nContent-Length: 0\r\n\r\n");
        tls.writer().write_all(request.as_bytes()).map_err(|e| no(&e))?;
        match tls.complete_io(&mut tcp) {
            Err(e) => refusal(&e).ok_or_else(|| no(&e)),
            Ok(_) => Err(Failure::new("the gate let somebody ask who showed no certificate")),
        }
    }
}

/// How long a server may take to refuse a handshake.
const VERDICT: Duration = Duration::from_secs(2);

/// What the other side said, if this error is its refusal.
fn refusal(error: &std::io::Error) -> Option<String> {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (tls, error.kind()) {
        (Some(rustls::Error::AlertReceived(alert)), _) => Some(format!("TLS alert {alert:?}")),
        (_, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
            Some(format!("it hung up ({error})"))
        }
        _ => None,
    }
}
