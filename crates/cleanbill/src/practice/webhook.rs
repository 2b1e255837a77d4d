//! The exercise's webhook, played on loopback while it is graded: mutual TLS, `latest` is refused.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::failure::{Failure, Result};
use crate::serve::review;
use crate::serve::tls::Material;

/// The name in the API server's certificate.
const CLIENT: &str = "kube-apiserver";
/// The largest question.
const BODY_MAX: usize = 1 << 20;
/// The largest head.
const HEAD_MAX: usize = 64 << 10;

/// A webhook that listens until it is dropped.
pub struct Webhook {
    port: u16,
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Webhook {
    /// Listens on the exercise's port with the certificates of its folder.
    ///
    /// # Errors
    /// When the certificates cannot be used, or the port is taken.
    pub fn start(dir: &Path, port: u16) -> Result<Self> {
        let own = dir.join("opt/webhook");
        let file = |name: &str| own.join(name);
        let (crt, key, ca) = (file("server.crt"), file("server.key"), file("ca.crt"));
        let names = vec![CLIENT.to_owned()];
        let tls = Arc::new(Material::read(&crt, &key, &ca, names)?.config()?);
        let mut http1 = (*tls).clone();
        http1.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls = Arc::new(http1);
        let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|e| {
            Failure::new(format!("the webhook of the exercise cannot listen on port {port}: {e}"))
                .next("stop what listens there, and grade again")
        })?;
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&calls));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(SeqCst) {
                    return;
                }
                if let Ok(stream) = stream {
                    // Who hangs up, or is no client of ours, has no answer.
                    _ = serve(stream, Arc::clone(&tls), &counted);
                }
            }
        });
        Ok(Self { port, stop, calls, thread: Some(thread) })
    }

    /// How many questions were answered.
    pub fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        // Wakes who accepts; if that fails, nobody does any more.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, calls: &AtomicUsize) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let connection = ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_MAX {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length.min(BODY_MAX)];
    stream.read_exact(&mut body)?;
    calls.fetch_add(1, SeqCst);
    let answer = answer(&body);
    let length = answer.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(answer.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Whatever ends in `:latest`, or has neither tag nor digest, is refused.
fn answer(question: &[u8]) -> String {
    let asked = review::parse(question, 1000);
    let latest = |image: &String| {
        image
            .parse::<cleanbill_core::reference::ImageRef>()
            .map_or(true, |name| name.digest().is_none() && name.tag() == Some("latest"))
    };
    let (allowed, reason) = match asked {
        Ok(asked) if asked.images.is_empty() => (false, "no image is named".to_owned()),
        Ok(asked) => match asked.images.iter().find(|image| latest(image)) {
            Some(image) => (false, format!("{image}: latest is not allowed")),
            None => (true, String::new()),
        },
        Err(_) => (false, "the question cannot be read".to_owned()),
    };
    serde_json::json!({
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "kind": "ImageReview",
        "status": { "allowed": allowed, "reason": reason },
    })
    .to_string()
}
