//! TLS of the gate: client certificates are required, and verified by authority *and* by name.
//!
//! A certificate of the right authority is not enough: the same authority signed the server's
//! own certificate and may sign others. Who is let in is decided in the handshake, before a
//! byte of HTTP is read. Sessions are never resumed, so every connection is verified anew.

use std::path::Path;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
    SignatureScheme,
};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::failure::{Failure, Result};

/// The gate's identity and whom it lets in, as PEM.
pub struct Material {
    /// The server's certificate, with intermediates after it.
    pub certificate: Vec<u8>,
    /// Its private key. Never to be logged.
    pub key: Vec<u8>,
    /// The authority (or several) that client certificates must come from.
    pub client_ca: Vec<u8>,
    /// The names of which the client certificate must carry one, as common name or DNS name.
    pub client_names: Vec<String>,
}

impl Material {
    /// Reads the three files.
    ///
    /// # Errors
    /// When one cannot be read; the key's content is in no message.
    pub fn read(cert: &Path, key: &Path, ca: &Path, client_names: Vec<String>) -> Result<Self> {
        let read = |what: &str, path: &Path| {
            std::fs::read(path).map_err(|e| {
                Failure::new(format!("{what} {} cannot be read: {e}", path.display()))
                    .next("`cleanbill setup DIR` makes certificates")
            })
        };
        Ok(Self {
            certificate: read("the server certificate", cert)?,
            key: read("the server key", key)?,
            client_ca: read("the client authority", ca)?,
            client_names,
        })
    }

    /// When the certificates end, in seconds since 1970: the server's chain and the clients'
    /// authorities, of each the first to end. `None`: one could not be read.
    pub fn expiry(&self) -> [Option<i64>; 2] {
        [&self.certificate, &self.client_ca].map(|pem| {
            let ends = |der: CertificateDer<'_>| {
                let parsed = x509_cert::Certificate::from_der(&der).ok()?;
                let end = parsed.tbs_certificate.validity.not_after.to_unix_duration();
                i64::try_from(end.as_secs()).ok()
            };
            let all = certificates("", pem).ok()?;
            all.into_iter().map(ends).collect::<Option<Vec<i64>>>()?.into_iter().min()
        })
    }

    /// Whether every certificate that the server shows is good now: clients refuse it otherwise, and
    /// where `defaultAllow` is true that lets every pod in. A clock may be some minutes behind the
    /// authority's.
    ///
    /// # Errors
    /// Which end it is past, with the next step.
    pub fn in_time(&self, now: Timestamp) -> Result<()> {
        const BEHIND: i64 = 300;
        let what = "the server certificate";
        for der in certificates(what, &self.certificate)? {
            let parsed = x509_cert::Certificate::from_der(&der).map_err(|e| wrong(what, &e))?;
            let valid = parsed.tbs_certificate.validity;
            let at = |time: x509_cert::time::Time| {
                let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
                Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
            };
            let (from, until) = (at(valid.not_before), at(valid.not_after));
            let refuse = |why: String, step: &str| {
                Err(Failure::new(format!("{what} {why}; now it is {now:.0}")).next(step))
            };
            if now.as_second() < from.as_second().saturating_sub(BEHIND) {
                return refuse(format!("is good from {from} on"), "look at this machine's clock");
            }
            if now > until {
                let step = "make a new one: `cleanbill setup --force DIR` makes all of them anew";
                return refuse(format!("ended on {until}"), step);
            }
        }
        Ok(())
    }

    /// The server's configuration: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// When the PEM holds no certificate or key, they do not belong together, or nobody is named.
    pub fn config(&self) -> Result<ServerConfig> {
        if self.client_names.is_empty() {
            return Err(Failure::new("tls.client_names is empty: nobody could ask the gate"));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        for authority in certificates("the client authority", &self.client_ca)? {
            roots.add(authority).map_err(|e| wrong("the client authority", &e))?;
        }
        let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|e| wrong("the client authority", &e))?;
        let verifier = NamedClient { chain, names: self.client_names.clone() };
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| Failure::new("the server key is no PEM private key"))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| wrong("TLS", &e))?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_single_cert(certificates("the server certificate", &self.certificate)?, key)
            .map_err(|e| wrong("the server certificate and its key", &e))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
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

/// Verifies the chain as `WebPkiClientVerifier` does, then the name.
#[derive(Debug)]
struct NamedClient {
    chain: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl ClientCertVerifier for NamedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let names = names(end_entity).map_err(|()| CertificateError::BadEncoding)?;
        if names.iter().any(|name| self.names.contains(name)) {
            Ok(verified)
        } else {
            // "Access denied" to the peer: the certificate is good, but not for this server.
            tracing::warn!(
                names = names.join(","),
                "a client certificate of another name was refused"
            );
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// The common name and the DNS names of a certificate. A part that does not decode is an error,
/// never a name left out.
fn names(certificate: &CertificateDer<'_>) -> std::result::Result<Vec<String>, ()> {
    let parsed = x509_cert::Certificate::from_der(certificate).map_err(drop)?;
    let mut found = Vec::new();
    for part in parsed.tbs_certificate.subject.0.iter().flat_map(|set| set.0.iter()) {
        if part.oid == x509_cert::der::oid::db::rfc4519::CN {
            let text = part
                .value
                .decode_as::<x509_cert::der::asn1::Utf8StringRef<'_>>()
                .map(|s| s.as_str().to_owned())
                .or_else(|_| {
                    part.value
                        .decode_as::<x509_cert::der::asn1::PrintableStringRef<'_>>()
                        .map(|s| s.as_str().to_owned())
                })
                .map_err(drop)?;
            found.push(text);
        }
    }
    let alternative = parsed.tbs_certificate.get::<SubjectAltName>().map_err(drop)?;
    for name in alternative.iter().flat_map(|(_, names)| names.0.iter()) {
        if let GeneralName::DnsName(dns) = name {
            found.push(dns.as_str().to_owned());
        }
    }
    Ok(found)
}
