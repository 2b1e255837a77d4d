//! Servers that misbehave in one way each.

use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use cleanbill::setup::pki::{Authority, Pair, Validity};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Serves each connection by the function, on loopback; gives the address with the port.
pub fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads one request and gives its head and body.
pub fn request(stream: &mut impl std::io::Read) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |l| l.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return (head, bytes[end + 4..].to_vec());
            }
        }
        match stream.read(&mut chunk) {
            Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
            Ok(_) | Err(_) => return (String::new(), bytes),
        }
    }
}

/// A whole response.
pub fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A server that answers every request with these words.
pub fn says(words: String) -> String {
    server(move |mut stream| {
        request(&mut stream);
        _ = stream.write_all(words.as_bytes());
    })
}

/// A server that answers one byte every 50 ms.
pub fn drips(words: String) -> String {
    server(move |mut stream| {
        request(&mut stream);
        for byte in words.bytes() {
            std::thread::sleep(Duration::from_millis(50));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    })
}

/// A certificate authority with a server's and a client's certificate.
pub struct Keys {
    pub authority: Authority,
    pub server: Pair,
    pub client: Pair,
}

/// Fresh ones.
pub fn keys() -> Keys {
    let valid = Validity::days(jiff::Timestamp::now(), 1).unwrap();
    let authority = Authority::new(valid).unwrap();
    let server = authority.server(&["127.0.0.1".into()], valid).unwrap();
    let client = authority.client("gate", valid).unwrap();
    Keys { authority, server, client }
}

/// A server over TLS, which wants a client certificate of `keys` where `mutual`.
pub fn tls(keys: &Keys, mutual: bool, words: String) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    let pem = keys.authority.certificate();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match mutual {
        true => builder.with_client_cert_verifier(verifier.build().unwrap()),
        false => builder.with_no_client_auth(),
    };
    let certificate = CertificateDer::from_pem_slice(keys.server.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(keys.server.key.as_bytes()).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    server(move |stream| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        request(&mut stream);
        _ = stream.write_all(words.as_bytes());
        stream.conn.send_close_notify();
        _ = stream.flush();
    })
}

/// Reads until the other side is gone, and says nothing.
pub fn listens(mut stream: TcpStream) {
    let mut chunk = [0; 4096];
    while stream.read(&mut chunk).is_ok_and(|read| read > 0) {}
}
