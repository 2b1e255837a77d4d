//! Debian's `docker-registry` on loopback, and pushing to it by skopeo.

use std::path::Path;
use std::process::Command;

use cleanbill_oci::testing::free_port;

use crate::parts::{Running, run};

/// A registry that runs until it is dropped.
pub struct Registry {
    /// `127.0.0.1:PORT`.
    pub host: String,
    _folder: tempfile::TempDir,
    _process: Running,
}

impl Registry {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let host = format!("127.0.0.1:{port}");
        let config = folder.path().join("config.yml");
        let root = folder.path().join("blobs");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {root:?}}}}}\n\
             http: {{addr: {host:?}}}\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("docker-registry");
        let process = Running::start("the registry", command.arg("serve").arg(&config), port);
        Self { host, _folder: folder, _process: process }
    }

    /// Pushes an OCI layout as `HOST/NAME:1`; returns its name by digest.
    pub fn push(&self, layout: &Path, name: &str) -> String {
        let to = format!("docker://{}/{name}:1", self.host);
        run(Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"])
            .arg(format!("oci:{}:latest", layout.display()))
            .arg(&to));
        let digest = run(Command::new("skopeo")
            .args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}"])
            .arg(&to));
        format!("{}/{name}@{}", self.host, digest.trim())
    }
}
