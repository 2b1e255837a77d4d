//! A scripted HTTP server on loopback, in this process, with TLS or without: each connection is a thread, each
//! request is answered by a closure, and every request is remembered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cleanbill_core::digest::Digest;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest as _, Sha256};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What is written back: bytes, pauses, and at the end the connection is closed.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    Pause(Duration),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer(pub Vec<Step>);

impl Answer {
    pub fn new(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        Self::with_length(status, headers, body, body.len())
    }

    /// An answer that announces more (or fewer) bytes than it sends.
    pub fn with_length(status: &str, headers: &[(&str, &str)], body: &[u8], length: usize) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n");
        head.push_str("Connection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        Self(vec![Step::Send([head.as_bytes(), body].concat())])
    }

    pub fn chunked(headers: &[(&str, &str)], body: &[u8]) -> Self {
        let mut head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n".to_owned();
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Connection: close\r\n\r\n{:x}\r\n", body.len()));
        Self(vec![Step::Send([head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat())])
    }

    pub fn ok(body: &[u8]) -> Self {
        Self::new("200 OK", &[], body)
    }

    pub fn manifest(body: &[u8]) -> Self {
        Self::new("200 OK", &[("Content-Type", MANIFEST)], body)
    }

    pub fn redirect(to: &str) -> Self {
        Self::new("307 Temporary Redirect", &[("Location", to)], b"")
    }

    pub fn not_found() -> Self {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        Self::new("404 Not Found", &[], body)
    }
}

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub fn digest(bytes: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(bytes).into())
}

type Script = Arc<dyn Fn(&Request, usize) -> Answer + Send + Sync>;

/// A running server. Its threads end with the test process.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Starts one; the closure gets each request and how many came before it.
    pub fn start(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::run(None, Arc::new(answer))
    }

    /// Starts one that speaks TLS.
    pub fn start_tls(
        tls: Arc<ServerConfig>,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::run(Some(tls), Arc::new(answer))
    }

    fn run(tls: Option<Arc<ServerConfig>>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let server =
            Self { address, requests: Arc::clone(&requests), connections: connections.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (tls, script) = (tls.clone(), Arc::clone(&script));
                let requests = Arc::clone(&requests);
                std::thread::spawn(move || match tls {
                    None => serve(stream, &requests, &script),
                    Some(tls) => {
                        let connection = ServerConnection::new(tls).unwrap();
                        serve(StreamOwned::new(connection, stream), &requests, &script);
                    }
                });
            }
        });
        server
    }

    /// Connections that were made, with or without a request.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|r| r.path).collect()
    }
}

fn serve(stream: impl Read + Write, requests: &Mutex<Vec<Request>>, script: &Script) {
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else {
        // What servers say to TLS on a plain port.
        let _ = reader.get_mut().write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
        return;
    };
    let before = {
        let mut all = requests.lock().unwrap();
        all.push(request.clone());
        all.len() - 1
    };
    let stream = reader.get_mut();
    for step in script(&request, before).0 {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).and_then(|()| stream.flush()).is_err() {
                    return;
                }
            }
            Step::Pause(time) => std::thread::sleep(time),
        }
    }
}

fn read(reader: &mut dyn BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, path, headers, body: String::new() };
    let length = request.header("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_string(&mut request.body).ok()?;
    Some(request)
}
