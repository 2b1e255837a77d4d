//! `cleanbill serve` as a process, with what `cleanbill setup` wrote, and a client that asks it as
//! kube-apiserver does.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cleanbill::store::{Decision, Owner, Store, Wanted};
use cleanbill_oci::testing::free_port;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

/// What the gate demands here: no flaws. The built-in advisories grow old, so that is accepted.
pub const POLICY: &str =
    "name: whole\nhighest_severity: none\naccept_gaps: [stale-feed, mutable-reference]\n";

/// How long a test waits for what has to come, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What may be chosen about a gate.
#[derive(Default)]
pub struct Choice {
    /// Further arguments of `cleanbill setup`.
    pub setup: Vec<&'static str>,
    /// Keys of `cleanbill.yaml` besides those that every gate has.
    pub keys: String,
    /// The policy; empty: [`POLICY`].
    pub policy: String,
    /// Where its state is, if not in its own folder.
    pub state_dir: Option<PathBuf>,
    /// Further files in its folder.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// Variables of its environment.
    pub env: Vec<(&'static str, String)>,
    /// What is logged; empty: `info`.
    pub log_level: &'static str,
}

/// A gate, running or not.
pub struct Gate {
    pub folder: tempfile::TempDir,
    choice: Choice,
    port: u16,
    plain: u16,
    tls: Arc<rustls::ClientConfig>,
    child: Option<Child>,
}

impl Gate {
    /// Runs setup, writes the configuration, starts it and waits until it is ready.
    pub fn start(choice: Choice) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, plain) = (free_port(), free_port());
        let mut setup = cleanbill();
        setup.arg("setup").arg(folder.path()).arg("--mount-dir").arg(folder.path());
        setup.args(["--keep-ca-key", "--force", "--port", &port.to_string()]).args(&choice.setup);
        run(&mut setup);
        let tls = client(folder.path());
        let mut gate = Self { folder, choice, port, plain, tls, child: None };
        gate.configure(&gate.choice.keys.clone());
        gate.choice.files.iter().for_each(|(name, bytes)| gate.write(name, bytes));
        let policy = if gate.choice.policy.is_empty() { POLICY } else { &gate.choice.policy };
        gate.write("policy.yaml", policy);
        gate.open();
        gate
    }

    /// Writes `cleanbill.yaml` with these further keys.
    pub fn configure(&self, keys: &str) {
        let state = self.state_dir();
        let text = format!(
            "listen: \"127.0.0.1:{}\"\nmetrics_listen: \"127.0.0.1:{}\"\n\
             tls: {{cert: server.crt, key: server.key, client_ca: ca.crt, client_names: [kube-apiserver]}}\n\
             policy: policy.yaml\nstate_dir: {}\n{keys}",
            self.port,
            self.plain,
            json!(state),
        );
        self.write("cleanbill.yaml", &text);
    }

    pub fn state_dir(&self) -> PathBuf {
        self.choice.state_dir.clone().unwrap_or_else(|| self.path("state"))
    }

    /// Starts the process and waits until it is ready.
    pub fn open(&mut self) {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = cleanbill();
        command.arg("serve").arg("--config").arg(self.path("cleanbill.yaml"));
        if !self.choice.log_level.is_empty() {
            command.args(["--log-level", self.choice.log_level]);
        }
        command.envs(self.choice.env.iter().map(|(key, value)| (*key, value)));
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(log)).spawn();
        self.child = Some(child.unwrap());
        let end = Instant::now() + PATIENCE;
        while self.try_get("/readyz").is_none_or(|reply| reply.status != 200) {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the gate ended at once: {ended:?}\n{}", self.log());
            assert!(Instant::now() < end, "the gate is not ready\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Replaces a file whole, as it should be done.
    pub fn swap(&self, name: &str, text: impl AsRef<[u8]>) {
        let new = self.path(&format!("{name}.new"));
        fs::write(&new, text).unwrap();
        fs::rename(new, self.path(name)).unwrap();
    }

    /// Everything that it logged, of all processes that it was.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn signal(&self, name: &str) {
        run(Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]));
    }

    /// Ends it as a power cut would, as far as a process sees of one.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                self.child = None;
                return status;
            }
            assert!(Instant::now() < end, "it does not end\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The most memory that it ever held, in bytes.
    pub fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Asks about images; an answer must come.
    pub fn ask(&self, images: &[&str]) -> Answer {
        let answer = self.try_ask(images);
        answer.unwrap_or_else(|e| panic!("no answer: {e}\n{}", self.log()))
    }

    /// Asks about images. An error: no answer came.
    pub fn try_ask(&self, images: &[&str]) -> std::io::Result<Answer> {
        let reply = self.post("/review?timeout=30s", &question(images, &json!({})))?;
        Ok(Answer::of(&reply))
    }

    /// Sends a question on a connection of its own.
    pub fn post(&self, target: &str, body: &Value) -> std::io::Result<Reply> {
        let body = format!("{body}\n");
        let request = format!(
            "POST {target} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let name = rustls::pki_types::ServerName::from(self.address().ip());
        let connection = rustls::ClientConnection::new(self.tls.clone(), name).unwrap();
        let socket = TcpStream::connect(self.address())?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = rustls::StreamOwned::new(connection, socket);
        stream.write_all(request.as_bytes())?;
        let mut raw = Vec::new();
        let read = stream.read_to_end(&mut raw);
        match Reply::parse(&raw) {
            Some(reply) => Ok(reply),
            None => read.and(Err(std::io::Error::other("the connection broke"))),
        }
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// GET on the plain port.
    pub fn get(&self, path: &str) -> Reply {
        self.try_get(path).expect("the plain port answers")
    }

    fn try_get(&self, path: &str) -> Option<Reply> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.plain)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).ok()?;
        let mut raw = Vec::new();
        socket.read_to_end(&mut raw).ok()?;
        Reply::parse(&raw)
    }

    /// Whether a line stands in the metrics, without the program's prefix.
    pub fn counted(&self, line: &str) -> bool {
        self.get("/metrics").body.contains(&format!("cleanbill_{line}\n"))
    }

    /// The number of a metric, without the program's prefix.
    pub fn metric(&self, name: &str) -> f64 {
        let body = self.get("/metrics").body;
        let name = format!("cleanbill_{name} ");
        let line = body.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_else(|| panic!("no {name}in {body}")).parse().unwrap()
    }

    /// Waits until something holds.
    pub fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            let (ready, log) = (self.try_get("/readyz"), self.log());
            let last = log.lines().rev().take(20).collect::<Vec<_>>().join("\n");
            assert!(Instant::now() < end, "never came: {what}\n{ready:?}\n{last}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What is recorded under an id.
    pub fn recorded(&self, id: &str) -> Option<Decision> {
        self.store().decision(id).unwrap()
    }

    /// How many decisions are recorded, at most so many.
    pub fn count(&self, most: u32) -> usize {
        self.store().decisions(&Wanted::default(), most).unwrap().len()
    }

    pub fn store(&self) -> Store {
        Store::look(&self.state_dir(), Owner::Gate).unwrap()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

fn client(folder: &Path) -> Arc<rustls::ClientConfig> {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&read("ca.crt")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(&read("client.crt")).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![certificate],
            PrivateKeyDer::from_pem_slice(&read("client.key")).unwrap(),
        );
    Arc::new(config.unwrap())
}

/// An `ImageReview` about these images with these annotations.
pub fn question(images: &[&str], annotations: &Value) -> Value {
    let containers: Vec<_> = images.iter().map(|image| json!({"image": image})).collect();
    json!({
        "kind": "ImageReview",
        "apiVersion": "imagepolicy.k8s.io/v1alpha1",
        "metadata": {},
        "spec": {"containers": containers, "namespace": "default", "annotations": annotations},
        "status": {"allowed": false},
    })
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    fn parse(raw: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(raw);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, body: body.to_owned() })
    }
}

/// An answered `ImageReview`.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub allowed: bool,
    /// What the user reads; also of a failure (`when_unexamined: fail`).
    pub reason: String,
    pub notes: Value,
}

impl Answer {
    fn of(reply: &Reply) -> Self {
        let body: Value =
            serde_json::from_str(&reply.body).unwrap_or_else(|e| panic!("{e}: {reply:?}"));
        let said = &body["status"];
        let reason = said["reason"].as_str().or(body["message"].as_str()).unwrap_or_default();
        Self {
            status: reply.status,
            allowed: (200..=206).contains(&reply.status) && said["allowed"] == true,
            reason: reason.to_owned(),
            notes: said["auditAnnotations"].clone(),
        }
    }

    pub fn note(&self, name: &str) -> &str {
        self.notes[name].as_str().unwrap_or_default()
    }

    /// The id of its decision: an annotation, or, in a failure, among the words.
    pub fn id(&self) -> &str {
        let noted = self.note("decision-id");
        if !noted.is_empty() {
            return noted;
        }
        let at = self.reason.rfind("Decision ").unwrap_or_else(|| panic!("no id: {self:?}"));
        self.reason[at + 9..].trim_end_matches('.')
    }
}

/// The program under test.
pub fn cleanbill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cleanbill"));
    command.env_remove("CLEANBILL_DB");
    command
}

/// Runs to the end and demands success.
pub fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
