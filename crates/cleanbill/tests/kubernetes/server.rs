//! A server that plays the Kubernetes API: TLS, a token or a client certificate, objects by path.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::setup::pki::{Authority, Pair, Validity};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub const TOKEN: &str = "s3cret-token";

/// The API of one cluster.
pub struct Api {
    pub address: String,
    pub authority: Authority,
    pub client: Pair,
    pub asked: Arc<Mutex<Vec<String>>>,
    pub objects: Arc<Mutex<Objects>>,
    /// How it is at the moment.
    pub mood: Arc<Mutex<Mood>>,
}

/// How an API server may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// It answers after so long.
    Slow(Duration),
    /// It hangs up without a word.
    Down,
}

/// Answers a path with a status and a body; all else is 404.
pub type Objects = BTreeMap<String, (u16, String)>;

/// Starts one. Where `mutual`, a client certificate stands in for the token.
pub fn start(objects: Objects, mutual: bool) -> Api {
    let valid = Validity::days(jiff::Timestamp::now(), 1).unwrap();
    let authority = Authority::new(valid).unwrap();
    let pair = authority.server(&["127.0.0.1".into()], valid).unwrap();
    let client = authority.client("gate", valid).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if mutual {
        let mut roots = rustls::RootCertStore::empty();
        let pem = authority.certificate();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (objects, mood) = (Arc::new(Mutex::new(objects)), Arc::new(Mutex::new(Mood::Well)));
    let (seen, has, is) = (Arc::clone(&asked), Arc::clone(&objects), Arc::clone(&mood));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mood = *is.lock().unwrap();
            if mood == Mood::Down {
                continue;
            }
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let mut head = Vec::new();
            let mut chunk = [0; 4096];
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(read @ 1..) => head.extend_from_slice(&chunk[..read]),
                    Ok(_) | Err(_) => break,
                }
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let Some(path) = head.strip_prefix("GET ").and_then(|h| h.split(' ').next()) else {
                continue;
            };
            seen.lock().unwrap().push(path.to_owned());
            let known = mutual || head.to_lowercase().contains(&format!("bearer {TOKEN}\r"));
            if let Mood::Slow(time) = mood {
                std::thread::sleep(time);
            }
            let (status, body) = match has.lock().unwrap().get(path) {
                _ if !known => (401, "{}".to_owned()),
                Some((status, body)) => (*status, body.clone()),
                None => (404, "{}".to_owned()),
            };
            let length = body.len();
            _ = write!(
                stream,
                "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nLocation: https://127.0.0.1:1/\r\nConnection: close\r\n\r\n{body}"
            );
            stream.conn.send_close_notify();
            _ = stream.flush();
        }
    });
    Api { address, authority, client, asked, objects, mood }
}

impl Api {
    /// A kubeconfig for it with this user.
    pub fn kubeconfig(&self, user: &str) -> String {
        let ca = STANDARD.encode(self.authority.certificate());
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             contexts:\n- name: c\n  context: {{cluster: k, user: u}}\n\
             clusters:\n- name: k\n  cluster:\n    server: https://{}\n    certificate-authority-data: {ca}\n\
             users:\n- name: u\n  user:\n{user}",
            self.address
        )
    }
}
