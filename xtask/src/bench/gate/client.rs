//! The load generator: kept HTTP/1.1 connections over TLS with a client certificate. Requests are
//! bytes made beforehand, and of an answer only its length, its status and its verdict are read,
//! so that what is measured is the server.
//!
//! A request that is not answered as expected ends the measurement: a wrong answer has no speed.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Result;

/// What one request says, and what its answer has to be.
#[derive(Clone, Debug)]
pub struct Shot {
    bytes: Vec<u8>,
    expected: Expected,
}

/// What an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `allowed: true`.
    Allowed,
    /// `allowed: false`.
    Refused,
}

impl Shot {
    /// A question about one image, as kube-apiserver sends it.
    pub fn about(image: &str, expected: Expected) -> Self {
        let question = serde_json::json!({
            "kind": "ImageReview",
            "apiVersion": "imagepolicy.k8s.io/v1alpha1",
            "metadata": { "creationTimestamp": null },
            "spec": { "containers": [{ "image": image }], "namespace": "default" },
            "status": { "allowed": false },
        });
        Self::of(&(question.to_string() + "\n"), expected)
    }

    /// Any body.
    pub fn of(body: &str, expected: Expected) -> Self {
        let head = format!(
            "POST /review?timeout=30s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-apiserver/\
             v1.34.0 (linux/amd64) kubernetes/bench\r\nContent-Length: {}\r\nAccept: \
             application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: \
             gzip\r\n\r\n",
            body.len()
        );
        Self { bytes: [head.as_bytes(), body.as_bytes()].concat(), expected }
    }

    /// The question alone.
    pub fn body(&self) -> &[u8] {
        let from = find(&self.bytes, b"\r\n\r\n").map_or(self.bytes.len(), |at| at + 4);
        self.bytes.get(from..).unwrap_or_default()
    }

    /// The whole request.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where to, and as whom.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    connector: TlsConnector,
}

impl Target {
    /// A server on loopback, with the certificates that `cleanbill setup` made in `folder`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn new(folder: &Path, port: u16) -> Result<Self> {
        let read = |name: &str| std::fs::read(folder.join(name));
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&read("ca.crt")?)?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(&read("client.crt")?)?],
                PrivateKeyDer::from_pem_slice(&read("client.key")?)?,
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self { address, connector: TlsConnector::from(Arc::new(config)) })
    }

    /// One connection, after its handshake.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(self.address.ip());
        let stream = self.connector.connect(name, stream).await?;
        Ok(Connection { stream, buffer: vec![0; 16 << 10] })
    }
}

/// A connection that is kept.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// When the answer is another than expected.
    pub async fn ask(&mut self, shot: &Shot) -> Result<()> {
        let body = self.exchange(&shot.bytes).await?;
        let allowed = find(body, b"\"allowed\":true").is_some();
        let refused = find(body, b"\"allowed\":false").is_some();
        let got = match (allowed, refused) {
            (true, false) => Some(Expected::Allowed),
            (false, true) => Some(Expected::Refused),
            (true, true) | (false, false) => None,
        };
        if got == Some(shot.expected) {
            return Ok(());
        }
        Err(format!("wanted {:?}, got {}", shot.expected, String::from_utf8_lossy(body)).into())
    }

    /// Sends bytes and returns the body of the answer, whose status is 200.
    ///
    /// # Errors
    /// When it is another, or has no length.
    pub async fn exchange(&mut self, bytes: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        let mut have = 0;
        loop {
            let room = self.buffer.get_mut(have..).unwrap_or_default();
            let read = self.stream.read(room).await?;
            if read == 0 {
                return Err("the server hung up, or answered with too much".into());
            }
            have += read;
            let got = self.buffer.get(..have).unwrap_or_default();
            let Some(head) = find(got, b"\r\n\r\n") else { continue };
            let (head, body) = got.split_at(head + 4);
            if !head.starts_with(b"HTTP/1.1 200 ") {
                return Err(String::from_utf8_lossy(got).into_owned().into());
            }
            if body.len() >= length(head)? {
                let from = head.len();
                return Ok(self.buffer.get(from..have).unwrap_or_default());
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

fn length(head: &[u8]) -> Result<usize> {
    let name = b"content-length: ";
    let at = find(head, name).ok_or("an answer without content-length")? + name.len();
    let digits = head.get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit());
    Ok(digits.fold(0, |n, d| n * 10 + usize::from(d - b'0')))
}

/// The requests of a load: each is taken in turn.
#[derive(Clone)]
pub struct Load {
    /// Which are sent, over and over.
    pub shots: Arc<Vec<Shot>>,
    /// Kept connections.
    pub connections: usize,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Done {
    /// Answers a second.
    pub rate: f64,
    /// Microseconds of each answer, sorted; from the moment when it should have been sent.
    pub micros: Vec<u32>,
}

impl Done {
    /// The time within which this share of all was answered, in milliseconds.
    pub fn within(&self, share: f64) -> f64 {
        let at = (self.micros.len() as f64 * share) as usize;
        self.micros
            .get(at.min(self.micros.len().saturating_sub(1)))
            .map_or(f64::NAN, |us| f64::from(*us) / 1e3)
    }
}

/// As fast as the server answers, on all connections, for so long.
///
/// # Errors
/// When a connection or an answer is not as it should be.
pub fn closed(target: &Target, load: &Load, time: Duration) -> Result<Done> {
    run(target, load, time, None)
}

/// At a fixed rate, whatever the server does: a request that had to wait because the answers
/// before it were slow counts from the moment at which it was due.
///
/// # Errors
/// As [`closed`].
pub fn open(target: &Target, load: &Load, time: Duration, rate: f64) -> Result<Done> {
    run(target, load, time, Some(rate))
}

/// Every shot once.
///
/// # Errors
/// As [`closed`].
pub fn once(target: &Target, load: &Load) -> Result<Done> {
    let due = Due::new(None, Some(load.shots.len() as u64), Duration::from_secs(3600));
    gather(target, load, &Arc::new(due))
}

fn run(target: &Target, load: &Load, time: Duration, rate: Option<f64>) -> Result<Done> {
    gather(target, load, &Arc::new(Due::new(rate, None, time)))
}

/// When requests are due.
struct Due {
    taken: AtomicU64,
    most: u64,
    rate: Option<f64>,
    time: Duration,
    permits: Semaphore,
    ready: AtomicUsize,
}

impl Due {
    fn new(rate: Option<f64>, most: Option<u64>, time: Duration) -> Self {
        let paced = rate.map(|rate| (rate * time.as_secs_f64()) as u64);
        Self {
            taken: AtomicU64::new(0),
            most: most.or(paced).unwrap_or(u64::MAX),
            rate,
            time,
            permits: Semaphore::new(0),
            ready: AtomicUsize::new(0),
        }
    }

    /// The next request's number and when it was due; `None`: no more.
    async fn next(&self, began: Instant) -> Option<(u64, Instant)> {
        if self.rate.is_some() {
            self.permits.acquire().await.ok()?.forget();
        }
        let number = self.taken.fetch_add(1, Relaxed);
        if number >= self.most || (self.rate.is_none() && began.elapsed() >= self.time) {
            return None;
        }
        let due = self.rate.map(|rate| began + Duration::from_secs_f64(number as f64 / rate));
        Some((number, due.unwrap_or_else(Instant::now)))
    }

    /// Lets requests go as they become due, a few times a millisecond.
    fn pace(&self, began: Instant) {
        let Some(rate) = self.rate else { return };
        let mut given = 0;
        while given < self.most {
            let due = (began.elapsed().as_secs_f64() * rate) as u64 + 1;
            let now = due.min(self.most).saturating_sub(given);
            given += now;
            self.permits.add_permits(usize::try_from(now).unwrap_or(0));
            std::thread::sleep(Duration::from_micros(250));
        }
        // Those who wait for one more are told that there is none.
        self.permits.close();
    }
}

fn gather(target: &Target, load: &Load, due: &Arc<Due>) -> Result<Done> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let start = Arc::new(tokio::sync::watch::channel(None::<Instant>).0);
    let mut tasks = Vec::new();
    for _ in 0..load.connections {
        let (target, load, due) = (target.clone(), load.clone(), Arc::clone(due));
        let mut started = start.subscribe();
        tasks.push(runtime.spawn(async move {
            let mut connection = target.connect().await.map_err(|e| e.to_string())?;
            due.ready.fetch_add(1, Relaxed);
            let began = started.wait_for(Option::is_some).await.map(|began| *began);
            let began = began.map_err(|e| e.to_string())?.unwrap_or_else(Instant::now);
            let mut micros = Vec::new();
            while let Some((number, at)) = due.next(began).await {
                let shots = load.shots.len() as u64;
                let Some(shot) = load.shots.get((number % shots) as usize) else { break };
                connection.ask(shot).await.map_err(|e| e.to_string())?;
                micros.push(u32::try_from(at.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            Ok::<_, String>(micros)
        }));
    }
    let patience = Instant::now();
    while due.ready.load(Relaxed) < load.connections {
        if patience.elapsed() > Duration::from_secs(60) || tasks.iter().any(|t| t.is_finished()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let began = Instant::now();
    start.send_replace(Some(began));
    due.pace(began);
    let mut done = Done::default();
    for task in tasks {
        done.micros.extend(runtime.block_on(task)??);
    }
    done.rate = done.micros.len() as f64 / began.elapsed().as_secs_f64();
    done.micros.sort_unstable();
    Ok(done)
}
