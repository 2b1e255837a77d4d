//! A webhook that replies what a row says, and counts.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::pki::{Pair, pki};
use crate::rows::{Broken, Listens, Reply};

/// A webhook that listens on loopback until it is dropped.
pub struct Webhook {
    /// Its port.
    pub port: u16,
    listens: Listens,
    said: Arc<Said>,
}

/// What it is to reply, and what it was asked.
#[derive(Default)]
struct Said {
    replies: Mutex<Vec<Reply>>,
    calls: AtomicUsize,
    bodies: Mutex<Vec<String>>,
    open: Mutex<HashMap<usize, TcpStream>>,
    stop: AtomicBool,
}

impl Webhook {
    /// Starts one.
    pub fn start(listens: Listens, replies: &[Reply]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let hook = Self { port, listens, said: Arc::default() };
        hook.say(replies);
        hook.accept(listener);
        hook
    }

    /// Listens in another way, on the same port; whoever is connected is not any more.
    pub fn listen(&mut self, listens: Listens) {
        if listens == self.listens {
            return;
        }
        self.end();
        self.listens = listens;
        self.said = Arc::default();
        let port = self.port;
        let again = || TcpListener::bind(("127.0.0.1", port)).ok();
        let wait = |_| thread::sleep(Duration::from_millis(50));
        let listener = (0..100).find_map(|n| {
            again().or_else(|| {
                wait(n);
                None
            })
        });
        self.accept(listener.unwrap());
    }

    fn accept(&self, listener: TcpListener) {
        if self.listens == Listens::Not {
            return;
        }
        let tls = (self.listens != Listens::Plain).then(|| Arc::new(config(self.listens)));
        let said = Arc::clone(&self.said);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if said.stop.load(SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                said.open.lock().unwrap().insert(number, stream.try_clone().unwrap());
                let (tls, said) = (tls.clone(), Arc::clone(&said));
                thread::spawn(move || {
                    serve(stream, tls, &said);
                    // It is closed when nobody has it any more.
                    said.open.lock().unwrap().remove(&number);
                });
            }
        });
    }

    /// What it replies from now on; the count begins anew.
    pub fn say(&self, replies: &[Reply]) {
        *self.said.replies.lock().unwrap() = replies.to_vec();
        self.said.calls.store(0, SeqCst);
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.said.calls.load(SeqCst)
    }

    /// The last question.
    pub fn last_body(&self) -> String {
        self.said.bodies.lock().unwrap().last().cloned().unwrap_or_default()
    }

    fn end(&self) {
        self.said.stop.store(true, SeqCst);
        // Wakes who accepts.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        for (_, stream) in self.said.open.lock().unwrap().drain() {
            _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.end();
    }
}

fn config(listens: Listens) -> ServerConfig {
    let Pair { certificate, key } = pki().server(listens);
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    if listens == Listens::WithoutClients {
        return builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    }
    let mut roots = RootCertStore::empty();
    for der in CertificateDer::pem_slice_iter(pki().ca().as_bytes()) {
        roots.add(der.unwrap()).unwrap();
    }
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    builder
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap()
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

fn serve(stream: TcpStream, tls: Option<Arc<ServerConfig>>, said: &Said) {
    _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let raw = stream.try_clone().unwrap();
    let mut stream: Box<dyn Both> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = ServerConnection::new(config).unwrap();
            Box::new(StreamOwned::new(connection, stream))
        }
    };
    while let Some((path, body)) = question(&mut *stream) {
        said.bodies.lock().unwrap().push(format!("{path} {body}"));
        let replies = said.replies.lock().unwrap().clone();
        let at = said.calls.fetch_add(1, SeqCst).min(replies.len().saturating_sub(1));
        let Some(reply) = replies.get(at) else { return };
        if let Some(broken) = reply.broken {
            if broken == Broken::Reset {
                // Closing with data unread, or lingering zero, sends a reset.
                rustix::net::sockopt::set_socket_linger(&raw, Some(Duration::ZERO)).unwrap();
            }
            if broken == Broken::Cut {
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
                _ = stream.flush();
            }
            return;
        }
        let status = reply.status.unwrap_or(200);
        let body = match (&reply.body, &reply.deny) {
            (Some(body), _) => body.clone(),
            (None, Some(reason)) => answer(false, Some(reason)),
            (None, None) if reply.allow => answer(true, None),
            (None, None) => String::new(),
        };
        let mut head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n", body.len());
        if !reply.headers.iter().any(|(name, _)| name == "Content-Type") {
            head.push_str("Content-Type: application/json\r\n");
        }
        for (name, value) in reply.headers.iter().filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if stream.write_all(format!("{head}\r\n{body}").as_bytes()).is_err() {
            return;
        }
        _ = stream.flush();
    }
}

fn answer(allowed: bool, reason: Option<&str>) -> String {
    serde_json::json!({
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "kind": "ImageReview",
        "status": { "allowed": allowed, "reason": reason },
    })
    .to_string()
}

/// The path and the body of one request.
fn question(stream: &mut dyn Both) -> Option<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
        if head == [0x16] {
            // A handshake, where HTTP is spoken.
            _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            return None;
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |text| text.trim().parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    Some((path, String::from_utf8_lossy(&body).into_owned()))
}
