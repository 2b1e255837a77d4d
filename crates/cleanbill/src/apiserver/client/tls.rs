//! TLS as Go's `crypto/tls` does it for client-go: its judgement of certificates, its words.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cleanbill_core::Timestamp;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::kubeconfig::{Reach, Source};
use super::super::x509::{Cert, Purpose, check_handshake, schemes, verify};
use super::super::{Files, Refused, Version};
use super::connect::{Watched, broken};
use super::{Address, Lost};

/// What a connection is secured with.
pub(super) struct Tls {
    files: Files,
    version: Version,
    roots: Vec<Cert>,
    /// Whether an authority is named; without one Go would ask the system's.
    named: bool,
    insecure: bool,
    server_name: Option<String>,
    certificate: Source,
    key: Source,
}

impl Tls {
    /// For plain HTTP.
    pub(super) fn none(version: Version) -> Self {
        Self {
            files: Files::default(),
            version,
            roots: Vec::new(),
            named: false,
            insecure: false,
            server_name: None,
            certificate: Source::None,
            key: Source::None,
        }
    }

    /// Reads what kube-apiserver reads when it starts.
    ///
    /// # Errors
    /// What ends it.
    pub(super) fn new(reach: &Reach, files: &Files, version: Version) -> Result<Self, Refused> {
        let authority = reach.authority.read(files)?;
        if reach.authority.is_given() && reach.insecure {
            return Err(Refused::new(
                "specifying a root certificates file with the insecure flag is not allowed",
            ));
        }
        let pem = authority.unwrap_or_default();
        let roots = Cert::all(&pem);
        // An empty file means the system's authorities, since 1.36 none at all.
        let named = reach.authority.is_given() && (!pem.is_empty() || version.minor >= 36);
        if !pem.is_empty() && roots.is_empty() && version.minor >= 21 {
            let why = match pem.windows(11).any(|w| w == b"-----BEGIN ") {
                true => "no valid certificate authority data seen",
                false => "unable to parse bytes as PEM block",
            };
            return Err(Refused::new(format!("unable to load root certificates: {why}")));
        }
        let tls = Self {
            files: files.clone(),
            version,
            roots,
            named,
            insecure: reach.insecure,
            server_name: reach.server_name.clone(),
            certificate: reach.certificate.clone(),
            key: reach.key.clone(),
        };
        // Both as files: they are read at each connection, and only then does a fault show.
        let as_files = matches!((&tls.certificate, &tls.key), (Source::File(_), Source::File(_)));
        if !as_files {
            tls.pair().map_err(Refused::new)?;
        } else {
            tls.certificate.read(files)?;
            tls.key.read(files)?;
        }
        Ok(tls)
    }

    /// The client's certificate and key (`X509KeyPair`); `None`: none is given.
    fn pair(&self) -> Result<Option<CertifiedKey>, String> {
        let read = |source: &Source| source.read(&self.files).map_err(|e| e.words);
        let (Some(certificate), Some(key)) = (read(&self.certificate)?, read(&self.key)?) else {
            return Ok(None);
        };
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&certificate).filter_map(Result::ok).collect();
        let Some(leaf) = chain.first() else {
            return Err("tls: failed to find any PEM data in certificate input".into());
        };
        let leaf = Cert::new(leaf)?;
        let key = PrivateKeyDer::from_pem_slice(&key)
            .map_err(|_| "tls: failed to find any PEM data in key input".to_owned())?;
        let key = rustls::crypto::ring::sign::any_supported_type(&key)
            .map_err(|_| "tls: failed to parse private key".to_owned())?;
        if key.public_key().is_some_and(|own| own.as_ref() != leaf.public_key()) {
            return Err("tls: private key does not match public key".into());
        }
        Ok(Some(CertifiedKey::new(chain, key)))
    }
}

/// Shakes hands.
pub(super) async fn secure(
    plain: Watched,
    tls: &Tls,
    address: &Address,
) -> Result<(TlsStream<Watched>, bool), Lost> {
    let name = tls.server_name.clone().unwrap_or_else(|| address.host.clone());
    let name = ServerName::try_from(name)
        .map_err(|_| Lost::new(format!("{} is no name that TLS could ask for", address.host)))?;
    let pair = tls.pair().map_err(Lost::new)?;
    let judge = Arc::new(Judge {
        roots: tls.roots.clone(),
        named: tls.named,
        insecure: tls.insecure,
        said: Mutex::new(None),
    });
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Lost::new(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&judge) as Arc<dyn ServerCertVerifier>);
    let mut config = match pair {
        Some(pair) => config.with_client_cert_resolver(Arc::new(Always(Arc::new(pair)))),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, plain).into_fallible();
    match shaken.await {
        Ok(stream) => {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Ok((stream, http2))
        }
        Err((error, plain)) => {
            if let Some(said) = judge.said() {
                let verified = tls.version.says_failed_to_verify();
                let before = if verified { "tls: failed to verify certificate: " } else { "" };
                return Err(Lost::new(format!("{before}{said}")));
            }
            if plain.first.starts_with(b"HTTP/") {
                return Err(Lost::new("http: server gave HTTP response to HTTPS client"));
            }
            if !plain.first.is_empty() && !matches!(plain.first.first(), Some(20..=24)) {
                return Err(Lost::new("tls: first record does not look like a TLS handshake"));
            }
            Err(broken(&error))
        }
    }
}

/// Judges the server's certificate as Go does, and keeps what was said.
struct Judge {
    roots: Vec<Cert>,
    named: bool,
    insecure: bool,
    said: Mutex<Option<String>>,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

impl Judge {
    fn said(&self) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain: Result<Vec<Cert>, String> =
            std::iter::once(leaf).chain(others).map(|der| Cert::new(der)).collect();
        let judged = match (chain, self.insecure, self.named) {
            (Err(why), _, _) => Err(format!("tls: failed to parse certificate from server: {why}")),
            (Ok(_), true, _) => Ok(()),
            (Ok(chain), false, true) => {
                verify(&chain, &self.roots, Some(name), Purpose::Server, Timestamp::now())
            }
            // Go would ask the authorities of the system, which are none for a webhook.
            (Ok(chain), false, false) => {
                verify(&chain, &[], Some(name), Purpose::Server, Timestamp::now())
            }
        };
        judged.map(|()| ServerCertVerified::assertion()).map_err(|why| {
            *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            rustls::Error::General("the server's certificate was refused".into())
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        check_handshake(certificate, message, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        check_handshake(certificate, message, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

/// Presents the certificate whatever authorities the server names, as client-go does.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// What Go says of a failure of TLS.
pub fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::AlertReceived(alert) => {
            format!("remote error: tls: {}", alert_words(*alert))
        }
        rustls::Error::PeerIncompatible(_) => {
            "tls: server selected unsupported protocol version".to_owned()
        }
        rustls::Error::General(why) => why.clone(),
        other => format!("tls: {other}"),
    }
}

/// Go's texts of alerts.
fn alert_words(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CloseNotify => "close notify",
        AlertDescription::UnexpectedMessage => "unexpected message",
        AlertDescription::BadRecordMac => "bad record MAC",
        AlertDescription::RecordOverflow => "record overflow",
        AlertDescription::HandshakeFailure => "handshake failure",
        AlertDescription::BadCertificate => "bad certificate",
        AlertDescription::UnsupportedCertificate => "unsupported certificate",
        AlertDescription::CertificateRevoked => "revoked certificate",
        AlertDescription::CertificateExpired => "expired certificate",
        AlertDescription::CertificateUnknown => "unknown certificate",
        AlertDescription::IllegalParameter => "illegal parameter",
        AlertDescription::UnknownCA => "unknown certificate authority",
        AlertDescription::AccessDenied => "access denied",
        AlertDescription::DecodeError => "error decoding message",
        AlertDescription::DecryptError => "error decrypting message",
        AlertDescription::ProtocolVersion => "protocol version not supported",
        AlertDescription::InsufficientSecurity => "insufficient security level",
        AlertDescription::InternalError => "internal error",
        AlertDescription::UserCanceled => "user canceled",
        AlertDescription::NoRenegotiation => "no renegotiation",
        AlertDescription::MissingExtension => "missing extension",
        AlertDescription::UnsupportedExtension => "unsupported extension",
        AlertDescription::UnrecognisedName => "unrecognized name",
        AlertDescription::CertificateRequired => "certificate required",
        AlertDescription::NoApplicationProtocol => "no application protocol",
        _ => "unknown alert",
    }
}
