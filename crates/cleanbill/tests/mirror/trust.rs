//! Feeds over TLS, with a certificate of a private authority.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::feeds::publish;
use crate::place::Place;
use crate::registry::Registry;

/// A new authority's certificate as PEM, and a server's configuration with a certificate of it.
fn authority() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &ca).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (ca.pem(), Arc::new(config))
}

/// Puts TLS before a server that speaks none; returns `127.0.0.1:PORT`.
fn front(registry: &Registry, config: Arc<ServerConfig>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (host, behind) = (listener.local_addr().unwrap().to_string(), registry.host.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that does not trust it hangs up.
            _ = pass(stream, &behind, Arc::clone(&config));
        }
    });
    host
}

fn pass(stream: TcpStream, behind: &str, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let mut server = TcpStream::connect(behind)?;
    server.write_all(&head)?;
    std::io::copy(&mut server, &mut tls)?;
    tls.conn.send_close_notify();
    tls.flush()
}

#[test]
fn feeds_are_fetched_from_whom_a_private_authority_vouches_for() {
    let (place, registry) = (Place::new(), Registry::start());
    publish(&registry);
    let (pem, config) = authority();
    let host = front(&registry, config);
    std::fs::write(place.path("ca.pem"), pem).unwrap();
    std::fs::write(place.path("other.pem"), authority().0).unwrap();
    std::fs::write(place.path("none.pem"), "nothing").unwrap();
    let update = format!("db update --mirror https://{host}/feeds --ecosystems PyPI --feeds none");
    let mirror = format!("mirror: 'https://{host}/feeds', ecosystems: [PyPI], feeds: [none]");
    for (file, ca) in [("db.yaml", "ca.pem"), ("wrong.yaml", "other.pem")] {
        let text = format!("sources: [feeds: {{{mirror}, ca: {ca}}}]");
        std::fs::write(place.path(file), text).unwrap();
    }
    let distrusted = &["not reached over TLS (if a private authority vouches for it: --cacert)"];
    // (the line, the exit code, words)
    let table: [(String, i32, &[&str]); 7] = [
        (update.clone(), 2, distrusted),
        (format!("{update} --cacert other.pem"), 2, distrusted),
        (format!("{update} --cacert none.pem"), 2, &["CA file none.pem: it holds no certificate"]),
        (format!("{update} --cacert ca.pem"), 0, &["osv:PyPI"]),
        ("db update -c db.yaml".to_owned(), 0, &["osv:PyPI"]),
        ("db update -c wrong.yaml --cache new".to_owned(), 2, distrusted),
        ("db update -c wrong.yaml --cacert ca.pem".to_owned(), 0, &["osv:PyPI"]),
    ];
    for (line, code, words) in table {
        let began = Instant::now();
        place.check(&line, code, words);
        // Who is not trusted is not asked again and again.
        assert!(began.elapsed() < Duration::from_secs(15), "{line}");
    }
}
