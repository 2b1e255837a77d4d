//! Asking the gate as kube-apiserver's ImagePolicyWebhook does: the same body, path, query and
//! headers, over TLS with (or, to show that it is refused, without) a client certificate.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::failure::{Failure, Result};

/// Who asks, and whom.
pub struct Asker {
    /// The gate's port.
    pub gate: SocketAddr,
    /// The authority of the gate's certificate, PEM.
    pub ca: Vec<u8>,
    /// The client's certificate and key, PEM; `None`: none is shown.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// What the gate said.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The pod may run.
    Allowed,
    /// It may not: what `kubectl` would show.
    Denied(String),
    /// The connection was refused before a question could be asked: what TLS said.
    Refused(String),
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
            // A server that refuses a client hangs up, during the handshake or right after it.
            Err(e) if self.client.is_none() && was_refused(&e) => {
                return Ok(Answer::Refused(e.to_string()));
            }
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
        let client = match &self.client {
            Some((certificate, key)) => Some(ClientCert::new_with_certs(
                &[Certificate::from_pem(certificate).map_err(no)?],
                PrivateKey::from_pem(key).map_err(no)?,
            )),
            None => None,
        };
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[ca]))
            .client_cert(client)
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Ok(config.into())
    }
}

/// Whether the other side's TLS said no.
fn was_refused(error: &ureq::Error) -> bool {
    if let ureq::Error::Io(e) = error {
        let hung_up = matches!(
            e.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
        );
        return hung_up || e.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    }
    matches!(error, ureq::Error::Rustls(rustls::Error::AlertReceived(_)))
}
