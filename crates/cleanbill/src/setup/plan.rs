//! Everything that the files depend on, and what of it cannot be.

use super::admission::Values;
use super::mode::{MOUNT_DIR, Mode, Tool};
use crate::failure::{Failure, Result};

/// Everything that the files depend on; see [`Plan::check`].
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the gate stands and how it is asked.
    pub mode: Mode,
    /// What the cluster is made with, if its files are wanted too.
    pub tool: Option<Tool>,
    /// Names and addresses by which the gate is reached; the first is the one that is called.
    pub hosts: Vec<String>,
    /// The gate's port.
    pub port: u16,
    /// The name in the API server's client certificate, and the one that the gate demands.
    pub client_name: String,
    /// Where the API server finds the files, an absolute path (`/etc/kubernetes/cleanbill`).
    pub mount_dir: String,
    /// Where the gate finds its own files on a node or in a pod.
    pub config_dir: String,
    /// Where the gate keeps its evidence.
    pub state_dir: String,
    /// The folder that the files are written into, an absolute path.
    pub folder: String,
    /// The gate as an image.
    pub image: Option<String>,
    /// The gate's namespace.
    pub namespace: String,
    /// Namespaces whose pull secrets the gate may read.
    pub pull_secrets_of: Vec<String>,
    /// The values of the plug-in.
    pub values: Values,
    /// Whether "could not be examined now" is said by a failure instead of a denial.
    pub fail_when_unexamined: bool,
    /// Days for which the certificates are good.
    pub days: u32,
    /// Whether the authority's key is written too.
    pub keep_ca_key: bool,
}

/// A gate beside the only API server, as `cleanbill setup DIR` makes it.
impl Default for Plan {
    fn default() -> Self {
        Self {
            mode: Mode::Remote,
            tool: None,
            hosts: vec!["127.0.0.1".to_owned()],
            port: 1234,
            client_name: "kube-apiserver".to_owned(),
            mount_dir: MOUNT_DIR.to_owned(),
            config_dir: "/etc/cleanbill".to_owned(),
            state_dir: "/var/lib/cleanbill".to_owned(),
            folder: "/".to_owned(),
            image: None,
            namespace: "cleanbill".to_owned(),
            pull_secrets_of: Vec::new(),
            values: Values {
                allow_ttl: 60,
                deny_ttl: 10,
                retry_backoff: 500,
                default_allow: false,
            },
            fail_when_unexamined: false,
            days: 365,
            keep_ca_key: false,
        }
    }
}

impl Plan {
    /// Checks everything that a person chose.
    ///
    /// # Errors
    /// The first value that cannot be, with what would be right.
    pub fn check(&self) -> Result<()> {
        self.check_names()?;
        self.check_paths()?;
        self.check_mode()?;
        if !(1..=3650).contains(&self.days) {
            return Err(Failure::new(format!("--days {} is not from 1 to 3650", self.days)));
        }
        if self.fail_when_unexamined && self.values.default_allow {
            return Err(Failure::new(
                "--when-unexamined fail with --default-allow true lets in whatever could not be \
                 examined",
            )
            .next("use --default-allow false, or --when-unexamined deny"));
        }
        self.values.check()
    }

    fn check_names(&self) -> Result<()> {
        if self.hosts.is_empty() {
            return Err(Failure::new("no host is given").next("give --host NAME or --host IP"));
        }
        for host in &self.hosts {
            if rustls_pki_types::ServerName::try_from(host.as_str()).is_err() {
                return Err(Failure::new(format!(
                    "--host {host:?} is neither a host name nor an IP address"
                ))
                .next(
                    "give it without scheme, port or brackets, such as 10.0.0.7 or gate.example",
                ));
            }
        }
        if self.port == 0 {
            return Err(Failure::new("--port 0 is no port that an API server can call"));
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        if !(1..=64).contains(&self.client_name.len()) || !self.client_name.bytes().all(word) {
            return Err(Failure::new(format!(
                "--client-name {:?} does not fit into a certificate's name",
                self.client_name
            ))
            .next("use up to 64 letters, digits and - _ . :"));
        }
        let namespaces = self.pull_secrets_of.iter().map(|name| ("--pull-secrets-of", name));
        for (flag, name) in [("--namespace", &self.namespace)].into_iter().chain(namespaces) {
            if !is_label(name) {
                return Err(Failure::new(format!("{flag} {name:?} is no name of a namespace"))
                    .next("use up to 63 of a-z, 0-9 and -, with a letter or digit at both ends"));
            }
        }
        match &self.image {
            Some(image) if image.parse::<cleanbill_core::reference::ImageRef>().is_err() => {
                Err(Failure::new(format!("--image {image:?} is no image's name"))
                    .next("write it as registry.example/cleanbill@sha256:… or with a tag"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_paths(&self) -> Result<()> {
        for (flag, dir) in [("--mount-dir", &self.mount_dir), ("--state-dir", &self.state_dir)] {
            if !dir.starts_with('/') || dir.contains(|c: char| c.is_control()) {
                return Err(Failure::new(format!("{flag} {dir:?} is no absolute path"))
                    .next("the API server takes a relative path from its own working directory"));
            }
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        let dir = &self.state_dir;
        let steps = dir.split('/').any(|part| matches!(part, "." | ".."));
        if self.mode != Mode::Remote && (!dir.bytes().all(plain) || dir.ends_with('/') || steps) {
            return Err(Failure::new(format!("--state-dir {dir:?} does not fit into a unit"))
                .next("use letters, digits and - _ . / only, and no / at the end"));
        }
        Ok(())
    }

    fn check_mode(&self) -> Result<()> {
        let webhook = self.mode == Mode::Webhook;
        if webhook && self.image.is_none() {
            return Err(Failure::new("--mode webhook needs the gate as an image")
                .next("give --image NAME, best by digest: name@sha256:…"));
        }
        if !webhook && !self.pull_secrets_of.is_empty() {
            return Err(Failure::new("--pull-secrets-of belongs to --mode webhook")
                .next("elsewhere, name a kubeconfig in cleanbill.yaml (kubernetes.kubeconfig)"));
        }
        if self.image.is_some() && self.mode == Mode::Remote {
            return Err(Failure::new(
                "--image belongs to the modes node, webhook and static-webhook",
            )
            .next("leave it out, or give --mode"));
        }
        if !self.mode.is_plugin() && self.values.default_allow {
            return Err(Failure::new("--default-allow belongs to the plug-in ImagePolicyWebhook")
                .next("for webhooks, failurePolicy in the written files says it"));
        }
        if webhook && self.port < 1024 {
            return Err(Failure::new(format!(
                "--port {}: a pod without privileges cannot listen below 1024",
                self.port
            ))
            .next("the Service has port 443 whatever the pod's is; leave --port out"));
        }
        Ok(())
    }

    /// `https://HOST:PORT`.
    pub fn base(&self) -> String {
        format!("https://{}", self.host_and_port())
    }

    /// `HOST:PORT`, an IPv6 address in brackets.
    pub fn host_and_port(&self) -> String {
        let host = self.hosts.first().map_or("127.0.0.1", String::as_str);
        match host.parse::<std::net::Ipv6Addr>() {
            Ok(v6) => format!("[{v6}]:{}", self.port),
            Err(_) => format!("{host}:{}", self.port),
        }
    }

    /// The address in the plug-in's kubeconfig.
    pub fn server(&self) -> String {
        format!("{}/review", self.base())
    }

    /// The path of one of the files as the API server sees it.
    pub fn mounted(&self, name: &str) -> String {
        format!("{}/{name}", self.mount_dir.trim_end_matches('/'))
    }
}

/// A DNS label, which names of namespaces are.
fn is_label(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()];
    name.len() <= 63
        && name.bytes().all(|b| inner(b) || b == b'-')
        && ends.into_iter().all(|b| b.is_some_and(inner))
}
