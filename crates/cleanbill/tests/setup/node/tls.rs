//! A small HTTP server over mutual TLS, for what plays the gate and what plays the API server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::ServerConfig;
use serde_json::Value;

/// A server that runs until it is dropped; then its port is free again.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Answers a method, a path and a body with a status and a body; `None` hangs up.
pub type Answer = dyn Fn(&str, &str, &Value) -> Option<(u16, Value)> + Send + Sync;

impl Server {
    pub fn start(
        address: SocketAddr,
        tls: ServerConfig,
        answer: Box<Answer>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (tls, told) = (Arc::new(tls), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if told.load(SeqCst) {
                    return;
                }
                // Whoever hangs up or is not let in is no reason to end.
                _ = serve(socket, Arc::clone(&tls), &answer);
            }
        });
        Ok(Self { address, stop, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn serve(socket: TcpStream, tls: Arc<ServerConfig>, answer: &Answer) -> std::io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let connection = rustls::ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, socket);
    let mut raw = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        raw.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&raw).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        if body.len() >= length.unwrap_or(0_usize) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let body = serde_json::from_str(&body).unwrap_or_default();
    if let Some((status, body)) = answer(method, path, &body) {
        // A text is sent as it is.
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        )?;
    }
    stream.conn.send_close_notify();
    stream.flush()
}
