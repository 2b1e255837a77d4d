//! What the operator chose, already valid. The file's raw form is in [`super::config_file`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use cleanbill_core::platform::Platform;
use cleanbill_core::policy::Policy;

use crate::checkers::CheckerConfig;
use crate::failure::Result;
use crate::kube::Client;
use crate::store::{Keep, Room};

/// All of `cleanbill.yaml`. Paths are complete; nothing has been read but this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the API server asks.
    pub listen: SocketAddr,
    /// Where probes and metrics are answered, in the clear; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Certificates.
    pub tls: Tls,
    /// The policy: a file, or written right here.
    pub policy: PolicySource,
    /// The snapshot of advisories; `None`: the one in the program.
    pub db: Option<PathBuf>,
    /// Where evidence and decisions are kept.
    pub state_dir: PathBuf,
    /// The platforms that nodes have; empty: every child of an index is judged.
    pub platforms: Vec<Platform>,
    /// What is special about some registries.
    pub registries: Vec<RegistryAccess>,
    /// Who else is asked about images.
    pub checkers: Vec<CheckerConfig>,
    /// Where pods' pull secrets are read; `None`: nowhere.
    pub kubernetes: Option<Kubernetes>,
    /// Bounds on requests.
    pub bounds: Bounds,
    /// Bounds on examinations.
    pub work: Work,
    /// How many decisions are kept, and for how long.
    pub keep: Keep,
    /// What else the store may take.
    pub room: Room,
}

/// How the Kubernetes API is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kubernetes {
    /// As this kubeconfig's current context says.
    Kubeconfig(PathBuf),
    /// As the service account of the gate's own pod.
    InCluster,
}

impl Kubernetes {
    /// A client. Reads files; contacts nobody.
    ///
    /// # Errors
    /// When a file cannot be read or used.
    pub fn open(&self) -> Result<Client> {
        match self {
            Self::Kubeconfig(file) => Client::from_kubeconfig(file),
            Self::InCluster => Client::in_cluster(),
        }
    }
}

/// Files of the TLS port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority of clients.
    pub client_ca: PathBuf,
    /// The names that clients may have; never empty.
    pub client_names: Vec<String>,
}

/// Where the policy stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// In a file of its own.
    File(PathBuf),
    /// Within the configuration.
    Inline(Box<Policy>),
}

/// How one registry is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryAccess {
    /// Host, with the port if one is named in image names.
    pub host: String,
    /// Whether it speaks HTTP without TLS.
    pub plain_http: bool,
    /// Whether it may be at a private, loopback or link-local address.
    pub private: bool,
    /// The user name, where one is needed.
    pub username: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<PathBuf>,
    /// Hosts of token realms, other than its own, that may be given the credentials.
    pub realms: Vec<String>,
    /// The authority of its certificate, where it is not a public one.
    pub ca: Option<PathBuf>,
}

/// Bounds on connections and requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at a time (default 256).
    pub connections: usize,
    /// Questions answered at a time; past it they are refused (default 256).
    pub requests: usize,
    /// Streams of one HTTP/2 connection at a time (default 128).
    pub streams: u32,
    /// Bytes of a request's head (default and least 16 KiB).
    pub header_bytes: usize,
    /// Header fields (default 64).
    pub headers: usize,
    /// Time for the head to arrive (default 10 s).
    pub header_time: Duration,
    /// Bytes of a question (default 1 MiB).
    pub body_bytes: usize,
    /// Bytes of an `AdmissionReview` (default 20 MiB). It holds two whole objects, of up to 1.5 MiB
    /// in etcd, and in the API server's JSON one byte (`<`) may be six (`\u003c`). What cannot be
    /// read is denied, an UPDATE that changes no image too.
    pub admission_bytes: usize,
    /// Time for the body to arrive (default 10 s).
    pub body_time: Duration,
    /// Time for a handshake (default 10 s).
    pub handshake_time: Duration,
    /// Containers of one pod (default 500).
    pub containers: usize,
    /// Time from question to answer (default 8 s; the API server gives up after 30 s).
    pub budget: Duration,
    /// Time for connections to end when told to stop (default 20 s).
    pub shutdown_time: Duration,
    /// Time for which, told to stop, the gate says that it is not ready and goes on (default 0).
    pub drain: Duration,
    /// How an `ImageReview` is answered that could not be decided now (default: denied).
    pub when_unexamined: Unexamined,
}

/// How "could not be decided now" is said to the API server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unexamined {
    /// `allowed: false`: safe whatever `defaultAllow` says, and kept for denyTTL.
    #[default]
    Deny,
    /// As a failure of the webhook, which is neither kept nor tried again. With
    /// `defaultAllow: true` it lets the pod in.
    Fail,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 256,
            requests: 256,
            streams: 128,
            header_bytes: 16 << 10,
            headers: 64,
            header_time: Duration::from_secs(10),
            body_bytes: 1 << 20,
            admission_bytes: 20 << 20,
            body_time: Duration::from_secs(10),
            handshake_time: Duration::from_secs(10),
            containers: 500,
            budget: Duration::from_secs(8),
            shutdown_time: Duration::from_secs(20),
            drain: Duration::ZERO,
            when_unexamined: Unexamined::Deny,
        }
    }
}

/// Bounds on examinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Examinations at a time (default: one for each processor).
    pub parallel_examinations: usize,
    /// Memory that examinations may hold together, in bytes (default 2 GiB): as many run at a
    /// time as fit in it by [`SCAN_WORST`], but at least one.
    pub scan_memory: u64,
    /// Tags resolved at a time (default 16).
    pub parallel_lookups: usize,
    /// Examinations that run or wait; past it new ones are refused (default 1,024).
    pub waiting: usize,
    /// Time for one examination; it may outlive the question (default 5 minutes).
    pub examination: Duration,
    /// How long a tag's digest is remembered (default 0: not at all).
    pub tag_ttl: Duration,
    /// Bytes of evidence that are held in memory (default 256 MiB; counted as JSON).
    pub known_bytes: u64,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            parallel_examinations: std::thread::available_parallelism().map_or(2, usize::from),
            scan_memory: 2 << 30,
            parallel_lookups: 16,
            waiting: 1024,
            examination: Duration::from_secs(300),
            tag_ttl: Duration::ZERO,
            known_bytes: 256 << 20,
        }
    }
}

/// What one examination is reckoned to hold in memory, in bytes: the bounds on the facts of an
/// image's layers and on its merged tree. See "Memory" in `docs/limits.md`.
pub const SCAN_WORST: u64 = 640 << 20;

impl Work {
    /// Examinations at a time: as many as are wanted and as fit in memory.
    pub fn examinations_at_a_time(&self) -> usize {
        let fit = usize::try_from(self.scan_memory / SCAN_WORST).unwrap_or(usize::MAX);
        self.parallel_examinations.min(fit).max(1)
    }
}
