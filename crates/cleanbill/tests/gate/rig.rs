//! A gate with fresh certificates and a made-up examiner, and a client that speaks to it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use cleanbill::checkers::{CheckerConfig, Checkers};
use cleanbill::kube::Reader;
use cleanbill::serve::config::{Bounds, Work};
use cleanbill::serve::examiner::{Deadline, Examined, Examiner, Failed};
use cleanbill::serve::live::Rules;
use cleanbill::serve::record::Recorder;
use cleanbill::serve::reload::Handles;
use cleanbill::serve::start::{Parts, Started, start};
use cleanbill::serve::tls::Material;
use cleanbill::setup::pki::{Authority, Pair, Validity};
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{Evidence, ImageFacts, PlatformEvidence, SnapshotId};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub const CLIENT: &str = "kube-apiserver";

/// A gate that runs until it is dropped.
pub struct Rig {
    pub authority: Authority,
    pub client: Pair,
    pub address: SocketAddr,
    pub metrics: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
    started: Option<Started>,
}

/// What may be chosen about a gate.
pub struct Choice {
    pub examiner: Examiner,
    pub policy: Policy,
    pub bounds: Bounds,
    pub work: Work,
    pub recorder: Recorder,
    pub checkers: Vec<CheckerConfig>,
    pub kubernetes: Option<Reader>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            examiner: examiner(|name, _| Ok(evidence(name))),
            policy: Policy::default(),
            bounds: Bounds { budget: Duration::from_secs(3), ..Bounds::default() },
            work: Work { parallel_examinations: 4, ..Work::default() },
            recorder: Recorder::nowhere(),
            checkers: Vec::new(),
            kubernetes: None,
        }
    }
}

pub fn validity(from: i64, until: i64) -> Validity {
    let now = jiff::Timestamp::now();
    let at = |s: i64| now + jiff::SignedDuration::from_secs(s);
    Validity { from: at(from), until: at(until) }
}

pub fn rig(choice: Choice) -> Rig {
    let valid = validity(-60, 3600);
    let authority = Authority::new(valid).unwrap();
    let server = authority.server(&["127.0.0.1".into()], valid).unwrap();
    let client = authority.client(CLIENT, valid).unwrap();
    let material = Material {
        certificate: server.certificate.into_bytes(),
        key: server.key.into_bytes(),
        client_ca: authority.certificate().into_bytes(),
        client_names: vec![CLIENT.into()],
    };
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let started = runtime
        .block_on(start(Parts {
            listen: loopback,
            metrics_listen: Some(loopback),
            tls: material.config().unwrap(),
            examiner: choice.examiner,
            rules: Rules::new(choice.policy, jiff::Timestamp::now()).unwrap(),
            checkers: Checkers::open(&choice.checkers).unwrap(),
            kubernetes: choice.kubernetes,
            recorder: choice.recorder,
            bounds: choice.bounds,
            work: choice.work,
        }))
        .unwrap();
    let (address, metrics) = (started.address(), started.metrics_address().unwrap());
    Rig { authority, client, address, metrics, runtime: Some(runtime), started: Some(started) }
}

impl Rig {
    /// The parts that can be replaced while it runs.
    pub fn handles(&self) -> Handles {
        self.started.as_ref().unwrap().handles().clone()
    }

    /// Stops the gate in order and says how long that took.
    pub fn stop(mut self) -> Duration {
        let began = std::time::Instant::now();
        let (runtime, started) = (self.runtime.take().unwrap(), self.started.take().unwrap());
        runtime.block_on(started.stop());
        runtime.shutdown_background();
        began.elapsed()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An examiner that is asked for evidence only; tags stand for a digest of their name.
pub fn examiner(
    examine: impl Fn(&ImageRef, Deadline) -> Examined + Send + Sync + 'static,
) -> Examiner {
    Examiner {
        resolve: Box::new(|name, _, _| match name.repository() {
            "lost" => Err(Failed::new("it cannot be reached", "secret-host refused")),
            _ => Ok(digest_of(&name.to_string())),
        }),
        examine: Box::new(move |name, _, deadline| examine(name, deadline)),
        snapshot: Box::new(|| Some(Digest::Sha256([2; 32]))),
        registered: Box::new(|_| Ok(Vec::new())),
        admitted: Box::new(|_, _| None),
        now: Box::new(jiff::Timestamp::now),
        id: Box::new(|| cleanbill::serve::id::new().map_err(|e| e.to_string())),
        ready: Box::new(|| Ok(())),
        advisories: None,
    }
}

pub fn digest_of(text: &str) -> Digest {
    use sha2::Digest as _;
    Digest::Sha256(sha2::Sha256::digest(text).into())
}

/// Evidence without flaws and gaps, but for images called `eol`.
pub fn evidence(name: &ImageRef) -> Evidence {
    let digest = *name.digest().unwrap();
    let mut gaps = Vec::new();
    if name.repository().ends_with("eol") {
        gaps.push(Gap::new(GapKind::EndOfLife, "alpine 3.9", "support ended on 2020-11-01"));
    }
    let platform = PlatformEvidence {
        platform: None,
        digest,
        distribution: None,
        config: ImageFacts::default(),
        packages: Vec::new(),
        findings: Vec::new(),
        gaps,
        feeds: Vec::new(),
    };
    Evidence {
        reference: name.clone(),
        resolved: digest,
        platforms: vec![platform],
        gaps: Vec::new(),
        snapshot: SnapshotId {
            digest: Digest::Sha256([2; 32]),
            starter: false,
            known_exploited: None,
            epss: None,
        },
    }
}

/// A name that is allowed by [`evidence`] and the default policy.
pub fn good() -> String {
    format!("registry.example/good@{}", digest_of("good"))
}

/// A question about these images.
pub fn question(images: &[&str]) -> String {
    let containers: Vec<_> = images.iter().map(|i| serde_json::json!({ "image": i })).collect();
    serde_json::json!({
        "kind": "ImageReview",
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "metadata": {},
        "spec": { "containers": containers, "namespace": "default" },
        "status": { "allowed": false },
    })
    .to_string()
        + "\n"
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn parse(raw: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(raw);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Whether the API server would let the pod in by this answer.
    pub fn allowed(&self) -> bool {
        (200..=206).contains(&self.status)
            && serde_json::from_str::<serde_json::Value>(&self.body)
                .is_ok_and(|v| v["status"]["allowed"] == true)
    }

    pub fn reason(&self) -> String {
        self.json()["status"]["reason"].as_str().unwrap_or("").to_owned()
    }
}

/// Who a client says it is.
pub type Identity<'a> = Option<&'a Pair>;

impl Rig {
    /// Asks as kube-apiserver does. An error is a connection that was refused or broken.
    pub fn ask(&self, body: &str) -> Reply {
        self.send(Some(&self.client), "/review?timeout=30s", body.as_bytes()).unwrap()
    }

    pub fn send(&self, who: Identity<'_>, target: &str, body: &[u8]) -> std::io::Result<Reply> {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        self.raw(who, &[head.as_bytes(), body].concat(), &[&rustls::version::TLS13])
    }

    /// Sends bytes over TLS and reads to the end.
    pub fn raw(
        &self,
        who: Identity<'_>,
        bytes: &[u8],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<Reply> {
        let mut stream = self.connect(who, versions)?;
        // A peer that answers early closes while we still write; its answer counts.
        let written = stream.write_all(bytes).and_then(|()| stream.flush());
        let mut raw = Vec::new();
        let read = stream.read_to_end(&mut raw);
        match Reply::parse(&raw) {
            Some(reply) => Ok(reply),
            None => {
                written?;
                read?;
                Err(std::io::Error::other("no answer"))
            }
        }
    }

    pub fn connect(
        &self,
        who: Identity<'_>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<rustls::StreamOwned<rustls::ClientConnection, TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate(&self.authority.certificate())).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match who {
            None => builder.with_no_client_auth(),
            Some(pair) => builder
                .with_client_auth_cert(
                    vec![certificate(&pair.certificate)],
                    PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        let name = rustls::pki_types::ServerName::from(self.address.ip());
        let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(rustls::StreamOwned::new(connection, socket))
    }

    /// GET on the plain port.
    pub fn get(&self, path: &str) -> Reply {
        let mut socket = TcpStream::connect(self.metrics).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        let mut raw = Vec::new();
        socket.read_to_end(&mut raw).unwrap();
        Reply::parse(&raw).unwrap()
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}
