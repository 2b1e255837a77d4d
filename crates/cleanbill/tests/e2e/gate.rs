//! `cleanbill serve` as a process, with what `cleanbill setup` wrote.

use std::fs;
use std::path::{Path, PathBuf};

use cleanbill_oci::testing::free_port;

use crate::clients::{Authority, Client, Reply, ask};
use crate::parts::{Running, cleanbill, run};

/// A gate, running or not.
pub struct Gate {
    pub folder: PathBuf,
    pub authority: Authority,
    pub client: Client,
    port: u16,
    process: Option<Running>,
}

/// What the gate demands here. That a release has ended and that feeds are old is accepted; that
/// nobody's advisories cover a distribution is not, and the starter snapshot has none of Debian.
const POLICY: &str = "name: e2e\nhighest_severity: none\n\
    accept_gaps: [stale-feed, end-of-life, mutable-reference]\n";

impl Gate {
    /// Runs setup, points the configuration at the registry, and starts.
    pub fn start(folder: &Path, registry: &str) -> Self {
        let folder = folder.join("gate");
        let port = free_port();
        run(cleanbill().arg("setup").arg(&folder).args([
            "--keep-ca-key",
            "--port",
            &port.to_string(),
        ]));
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\n\
             tls: {{cert: server.crt, key: server.key, client_ca: ca.crt, client_names: [kube-apiserver]}}\n\
             policy: policy.yaml\nstate_dir: state\n\
             registries:\n- {{host: \"{registry}\", plain_http: true, private: true}}\n"
        );
        fs::write(folder.join("cleanbill.yaml"), config).unwrap();
        fs::write(folder.join("policy.yaml"), POLICY).unwrap();
        let client =
            Client { certificate: folder.join("client.crt"), key: folder.join("client.key") };
        let authority = Authority(folder.clone());
        let mut gate = Self { folder, authority, client, port, process: None };
        gate.open();
        gate
    }

    /// Starts the process.
    pub fn open(&mut self) {
        let mut command = cleanbill();
        command.arg("serve").arg("--config").arg(self.folder.join("cleanbill.yaml"));
        self.process = Some(Running::start("the gate", &mut command, self.port));
    }

    /// Ends it in order.
    pub fn close(&mut self) {
        self.process.take().unwrap().stop();
    }

    /// Asks with these credentials and these further arguments of curl.
    pub fn ask_as(&self, client: Option<&Client>, more: &[&str], images: &[&str]) -> Reply {
        let url = format!("https://127.0.0.1:{}/", self.port);
        ask(&url, &self.folder.join("ca.crt"), client, more, images)
    }

    /// Asks as kube-apiserver; an answer must come.
    pub fn ask(&self, images: &[&str]) -> Verdict {
        let reply = self.ask_as(Some(&self.client), &[], images);
        assert_eq!(reply.status, Some(200), "{reply:?}");
        let answer: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        Verdict {
            allowed: answer["status"]["allowed"] == true,
            reason: answer["status"]["reason"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Verdict {
    pub allowed: bool,
    pub reason: String,
}
