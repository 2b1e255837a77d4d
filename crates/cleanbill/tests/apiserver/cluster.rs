//! A kube-apiserver of our own: its files, its flags, its start and its end.
//!
//! Nothing else of a cluster runs, so pods are objects that nobody schedules. The flags are those
//! that 1.20 and 1.36 have in common. Whoever asks it is in [`crate::client`].

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Instant;

use cleanbill::setup::pki::{Authority, Validity};
use cleanbill_oci::testing::free_port;
use serde_json::json;

use crate::assets::{Assets, Etcd};
use crate::client::Client;
use crate::rig::PATIENCE;

/// Of whoever may do everything.
const TOKEN: &str = "of-the-administrator";

/// Who admits besides what is on by default.
pub const IMAGE_POLICY: &str = "ImagePolicyWebhook";

/// The admission configuration (`--admission-control-config-file`).
#[derive(Clone, Debug, Default)]
pub enum Admission {
    #[default]
    None,
    /// A file that is there already, used as it is.
    File(PathBuf),
    /// The text of `admission.yaml` in the server's folder.
    Text(String),
}

/// What may be chosen about a server. `FOLDER` in any text stands for the server's own folder, which
/// is also its working directory.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub admission: Admission,
    /// `--enable-admission-plugins`; empty: what is on by default.
    pub plugins: &'static str,
    /// Further files, by their names in the folder.
    pub files: Vec<(String, String)>,
    /// Its environment; besides these it has `PATH` and `HOME` alone.
    pub env: Vec<(String, String)>,
    /// Further flags.
    pub flags: Vec<String>,
}

/// A kube-apiserver, running or not.
pub struct Server {
    pub folder: tempfile::TempDir,
    assets: Assets,
    etcd: Arc<Etcd>,
    prefix: String,
    port: u16,
    client: Client,
    child: Option<Child>,
}

impl Server {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// What it had said when it exited instead.
    pub fn start(assets: &Assets, setup: &Setup) -> Result<Self, String> {
        let mut tried = Self::try_start(assets, setup);
        // Another test may have been given the port meanwhile.
        for _ in 0..2 {
            if tried.as_ref().is_err_and(|said| said.contains("address already in use")) {
                tried = Self::try_start(assets, setup);
            }
        }
        tried
    }

    fn try_start(assets: &Assets, setup: &Setup) -> Result<Self, String> {
        let etcd = assets.etcd();
        let (folder, prefix, port) = (tempfile::tempdir().unwrap(), etcd.prefix(), free_port());
        let valid = Validity::days(jiff::Timestamp::now(), 2).unwrap();
        let authority = Authority::new(valid).unwrap();
        let pair = authority.server(&["127.0.0.1".into()], valid).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("api-ca.crt", &authority.certificate());
        write("api.crt", &pair.certificate);
        write("api.key", &pair.key);
        write("tokens.csv", &format!("{TOKEN},admin,1,system:masters\n"));
        write("audit-policy.yaml", AUDIT_POLICY);
        write("admin.kubeconfig", &kubeconfig(port));
        let client = Client::new(port, TOKEN, &authority.certificate());
        let assets = assets.clone();
        let mut server = Self { folder, assets, etcd, prefix, port, client, child: None };
        server.open(setup)?;
        Ok(server)
    }

    /// Ends it, and starts it anew over the same objects, with this setup.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self, setup: &Setup) -> Result<(), String> {
        self.stop();
        self.open(setup)
    }

    /// Ends it at once.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Everything that it logged since it was last started.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `kubectl` as the administrator.
    pub fn kubectl_command(&self) -> std::process::Command {
        let mut command = self.assets.program("kubectl", self.folder.path());
        command.arg("--kubeconfig").arg(self.path("admin.kubeconfig"));
        command
    }

    fn open(&mut self, setup: &Setup) -> Result<(), String> {
        let own = self.folder.path().display().to_string();
        let here = |text: &str| text.replace("FOLDER", &own);
        for (name, text) in &setup.files {
            fs::write(self.path(name), here(text)).unwrap();
        }
        let mut command = self.assets.program("kube-apiserver", self.folder.path());
        command.args(self.flags());
        match &setup.admission {
            Admission::None => {}
            Admission::File(path) => {
                command.arg(admission_flag(path));
            }
            Admission::Text(text) => {
                let path = self.path("admission.yaml");
                fs::write(&path, here(text)).unwrap();
                command.arg(admission_flag(&path));
            }
        }
        if !setup.plugins.is_empty() {
            command.arg(format!("--enable-admission-plugins={}", setup.plugins));
        }
        command.args(setup.flags.iter().map(|flag| here(flag)));
        command.envs(setup.env.iter().map(|(key, value)| (key, here(value))));
        let log = File::create(self.path("log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(Stdio::from(log));
        self.child = Some(command.spawn().unwrap());
        self.ready()
    }

    /// Waits until it answers, has made the namespace that the tests use, and lets pods in it.
    fn ready(&mut self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE * 2;
        let answers =
            |client: &Client, path: &str| client.get(path).is_ok_and(|reply| reply.status == 200);
        while !answers(&self.client, "/readyz")
            || !answers(&self.client, "/api/v1/namespaces/default")
        {
            if let Some(child) = &mut self.child
                && child.try_wait().unwrap().is_some()
            {
                self.child = None;
                return Err(self.log());
            }
            assert!(Instant::now() < end, "kube-apiserver is not ready\n{}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Ok(())
    }

    fn flags(&self) -> Vec<String> {
        let at = |flag: &str, name: &str| format!("--{flag}={}", self.path(name).display());
        vec![
            format!("--etcd-servers={}", self.etcd.url),
            format!("--etcd-prefix={}", self.prefix),
            format!("--secure-port={}", self.port),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            // Nobody looks for the API server by its Service, and loopback may not be in one.
            "--endpoint-reconciler-type=none".into(),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            at("cert-dir", "made"),
            at("tls-cert-file", "api.crt"),
            at("tls-private-key-file", "api.key"),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            at("service-account-key-file", "api.crt"),
            at("service-account-signing-key-file", "api.key"),
            at("token-auth-file", "tokens.csv"),
            "--authorization-mode=AlwaysAllow".into(),
            // It waits for an account that a controller makes, and there is none.
            "--disable-admission-plugins=ServiceAccount".into(),
            at("audit-policy-file", "audit-policy.yaml"),
            at("audit-log-path", "audit.log"),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn admission_flag(path: &Path) -> String {
    format!("--admission-control-config-file={}", path.display())
}

const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\n\
    omitStages: [RequestReceived]\nrules:\n\
    - {level: Metadata, resources: [{group: \"\", resources: [pods, pods/ephemeralcontainers]}]}\n\
    - {level: None}\n";

fn kubeconfig(port: u16) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "certificate-authority": "api-ca.crt",
        }}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
    })
    .to_string()
}
