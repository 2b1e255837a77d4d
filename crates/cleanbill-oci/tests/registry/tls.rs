//! TLS towards registries: which certificates are believed.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::registry::Registry;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::server::{Answer, Server};
use crate::{image, options};

const BODY: &[u8] = b"{}";

/// A new authority's certificate as PEM, and a server's configuration with a certificate of it.
fn authority(name: &str) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    (ca.pem(), Arc::new(config))
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

/// Asks a TLS server, trusting these files besides the built-in roots.
fn ask(server: &Server, ca_files: Vec<PathBuf>) -> Result<(), (ErrorKind, String)> {
    let mut options = options(&[]);
    options.ca_files = ca_files;
    let registry = Registry::new(options).unwrap();
    registry
        .root(&image(&server.host(), "a:1"))
        .map(drop)
        .map_err(|e| (e.kind(), e.to_string().replace(&server.host(), "HOST")))
}

#[test]
fn only_certificates_of_a_trusted_authority_for_the_right_name_are_believed() {
    let (pem, config) = authority("127.0.0.1");
    let (other_pem, _) = authority("127.0.0.1");
    let (ca, other) = (file(&pem), file(&format!("{other_pem}{pem}")));
    let server = Server::start_tls(config, |_, _| Answer::manifest(BODY));
    ask(&server, vec![ca.path().into()]).unwrap();
    ask(&server, vec![other.path().into()]).unwrap();
    let before = server.connections();
    let (kind, text) = ask(&server, vec![file(&other_pem).path().into()]).unwrap_err();
    assert_eq!(kind, ErrorKind::Io);
    assert!(text.contains("add that one's certificate to the CA files"), "{text}");
    assert!(text.contains("invalid peer certificate"), "{text}");
    assert_eq!(server.connections(), before + 1, "a bad certificate is not asked again");
    assert!(ask(&server, vec![]).unwrap_err().1.contains("UnknownIssuer"));

    let (pem, config) = authority("registry.example");
    let server = Server::start_tls(config, |_, _| Answer::manifest(BODY));
    let (_, text) = ask(&server, vec![file(&pem).path().into()]).unwrap_err();
    assert!(text.contains("not valid for name"), "{text}");
    assert!(server.requests().is_empty());
}

#[test]
fn https_never_becomes_http() {
    let plain = Server::start(|_, _| Answer::manifest(BODY));
    let to = plain.url();
    let (pem, config) = authority("127.0.0.1");
    let ca = file(&pem);
    let server = Server::start_tls(config, move |_, _| Answer::redirect(&to));
    let mut options = options(&[plain.host()]);
    options.ca_files = vec![ca.path().into()];
    let error = Registry::new(options).unwrap().root(&image(&server.host(), "a:1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("from https to http, which is not followed"), "{error}");
    assert_eq!(plain.connections(), 0);

    // Nor is a registry asked without TLS that is not listed, and a token realm neither.
    let (_, text) = ask(&plain, vec![]).unwrap_err();
    assert!(text.contains("if it speaks plain HTTP, it has to be listed for that"), "{text}");
    assert!(plain.requests().is_empty());
    let realm = format!("Bearer realm=\"{}\"", plain.url());
    let (pem, config) = authority("127.0.0.1");
    let server = Server::start_tls(config, move |_, _| {
        Answer::new("401 Unauthorized", &[("WWW-Authenticate", &realm)], b"")
    });
    let ca = file(&pem);
    let mut options = crate::options(&[plain.host()]);
    options.ca_files = vec![ca.path().into()];
    let error = Registry::new(options).unwrap().root(&image(&server.host(), "a:1")).unwrap_err();
    assert!(error.to_string().contains("its token realm is plain HTTP"), "{error}");
    assert!(plain.requests().is_empty());
}

#[test]
fn ca_files_that_are_none_are_errors() {
    let table = [
        ("", "it holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is not valid"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "it is not PEM"),
    ];
    for (content, want) in table {
        let file = file(content);
        let mut options = options(&[]);
        options.ca_files = vec![file.path().into()];
        let error = Registry::new(options).unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
    let mut options = options(&[]);
    options.ca_files = vec![PathBuf::from("/nowhere/ca.crt")];
    assert_eq!(Registry::new(options).unwrap_err().kind(), ErrorKind::Io);
}
