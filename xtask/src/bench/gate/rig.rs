//! Sets up a gate as an operator does, and starts it and the constant server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::client::Target;
use super::process::{Server, free_port};
use super::{images, registry::Registry};
use crate::Result;
use crate::tools::run;

/// A folder with everything that both servers read.
pub struct Rig {
    folder: PathBuf,
    ours: PathBuf,
    port: u16,
    metrics: u16,
    /// Where nobody listens.
    pub nowhere: u16,
    /// Where images are that the gate has not seen.
    pub registry: Registry,
}

impl Rig {
    /// Certificates, configuration, and a store with so many images; `memory` is the bound on
    /// what the gate remembers, in MiB.
    ///
    /// # Errors
    /// When one of these cannot be made.
    pub fn new(folder: &Path, ours: &Path, count: usize, memory: u64) -> Result<Self> {
        let (port, metrics, nowhere) = (free_port()?, free_port()?, free_port()?);
        let registry = Registry::start()?;
        let files = folder.join("gate");
        let state = folder.join("state");
        run(Command::new(ours)
            .args(["setup", "--host", "127.0.0.1", "--port", &port.to_string(), "--state-dir"])
            .arg(&state)
            .arg(&files))?;
        let config = files.join("cleanbill.yaml");
        let text = std::fs::read_to_string(&config)?
            .replace("127.0.0.1:1235", &format!("127.0.0.1:{metrics}"));
        let host = registry.host();
        // Room for 500 askers at once.
        let text = format!(
            "{text}platforms: [linux/amd64]\nregistries:\n- host: \"{host}\"\n  private: true\n  \
             plain_http: true\n- host: \"127.0.0.1:{nowhere}\"\n  private: true\n  plain_http: \
             true\nlimits:\n  connections: 1024\n  requests: 1024\n  evidence_memory: {memory}M\n"
        );
        std::fs::write(&config, text)?;
        // The snapshot in the program is older than a week, and some flaws have no fix.
        let policy = files.join("policy.yaml");
        let text = std::fs::read_to_string(&policy)?
            .replace("only_fixable: false", "only_fixable: true")
            .replace("max_feed_age: 7d", "max_feed_age: 3650d");
        std::fs::write(&policy, text)?;
        images::keep(&config, count)?;
        Ok(Self { folder: files, ours: ours.to_owned(), port, metrics, nowhere, registry })
    }

    /// The gate, with its log written to a file as it would be to a collector.
    ///
    /// # Errors
    /// When it does not start.
    pub fn gate(&self) -> Result<Server> {
        let log = std::fs::File::create(self.folder.join("log"))?;
        let mut command = Command::new(&self.ours);
        command.args(["serve", "--config"]).arg(self.folder.join("cleanbill.yaml"));
        // For trying things out.
        if let Ok(more) = std::env::var("CLEANBILL_BENCH_ARGS") {
            command.args(more.split_whitespace());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Server::start(&mut command, self.port)
    }

    /// The constant server; `answer` is its answer.
    ///
    /// # Errors
    /// When it does not start.
    pub fn constant(&self, answer: &[u8]) -> Result<Server> {
        std::fs::write(self.folder.join("answer.json"), answer)?;
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "gate", "constant"]).arg(&self.folder).arg(port.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Server::start(&mut command, port)
    }

    /// Where the certificates are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How one of the servers is asked.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn target(&self, server: &Server) -> Result<Target> {
        Target::new(&self.folder, server.port)
    }

    /// One of the gate's counters.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn counter(&self, name: &str) -> Result<f64> {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.metrics))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let value = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        Ok(value.ok_or_else(|| format!("no counter {name}"))?.trim().parse()?)
    }

    /// Bytes of the gate's store, its log included.
    pub fn stored(&self) -> f64 {
        let state = self.folder.with_file_name("state");
        let Ok(files) = std::fs::read_dir(state) else { return 0.0 };
        files.flatten().filter_map(|f| f.metadata().ok()).map(|m| m.len() as f64).sum()
    }
}
