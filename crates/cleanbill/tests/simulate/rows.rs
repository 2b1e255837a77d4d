//! A row of the table, and what it stands for in files.

use std::path::Path;

use serde::Deserialize;

use crate::pki::Pki;

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// The oldest minor version that it holds for.
    #[serde(default)]
    pub since: Option<u32>,
    /// The last minor version that it holds for.
    #[serde(default)]
    pub until: Option<u32>,
    /// The lines under `imagePolicy`, without `kubeConfigFile`.
    #[serde(default)]
    pub policy: Option<String>,
    /// The whole admission configuration, where it is not the usual one.
    #[serde(default)]
    pub config: Option<String>,
    /// The whole kubeconfig, where it is not the usual one.
    #[serde(default)]
    pub kubeconfig: Option<String>,
    /// Replaced in the usual kubeconfig: `what => by what`.
    #[serde(default)]
    pub change: Vec<(String, String)>,
    /// More files of the folder.
    #[serde(default)]
    pub files: Vec<(String, String)>,
    /// How the webhook listens.
    #[serde(default)]
    pub listens: Listens,
    /// What it replies, in order; the last again and again.
    #[serde(default)]
    pub replies: Vec<Reply>,
    /// Why kube-apiserver does not start, a part of its words.
    #[serde(default)]
    pub refused: Option<String>,
    /// Variables of kube-apiserver's environment.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// What happens.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// How the webhook listens.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Listens {
    /// TLS with client certificates.
    #[default]
    Well,
    /// HTTP without TLS.
    Plain,
    /// The port is closed.
    Not,
    /// TLS, with the server's certificate of `pki.rs` by that name.
    WithoutSan,
    OtherHost,
    Expired,
    NotYet,
    OtherCa,
    SelfSigned,
    ForClients,
    /// TLS, and client certificates are not asked for.
    WithoutClients,
}

/// What the webhook replies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reply {
    /// `allowed: true`.
    pub allow: bool,
    /// `allowed: false` with this reason.
    pub deny: Option<String>,
    /// The status.
    pub status: Option<u16>,
    /// The body.
    pub body: Option<String>,
    /// More headers; `Content-Type` is JSON unless one is given here.
    pub headers: Vec<(String, String)>,
    /// The connection is closed, reset, or left alone without an answer.
    pub broken: Option<Broken>,
}

/// How a call breaks off.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Broken {
    /// Closed in good order.
    Closed,
    /// Reset.
    Reset,
    /// Closed in the middle of the body.
    Cut,
}

/// One thing that happens, and what comes of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// A pod of these images is created.
    pub create: Vec<String>,
    /// A label of the pod is changed; its images stay.
    pub update: Vec<String>,
    /// Ephemeral containers of these images are added.
    pub ephemeral: Vec<String>,
    /// Images of init containers.
    pub init: Vec<String>,
    /// The pod's annotations.
    pub annotations: Vec<(String, String)>,
    /// Seconds pass.
    pub wait: Option<f64>,
    /// kube-apiserver starts anew.
    pub restart: bool,
    /// `allowed`, `denied`, `failed-open`, `failed-closed`, `timed-out` or `not-asked`.
    pub end: Option<String>,
    /// A part of what the user is told.
    pub says: Option<String>,
    /// How often the webhook was called.
    pub calls: Option<usize>,
    /// A part of the question's body.
    pub asks: Option<String>,
    /// The last audit annotation, `key: value`.
    pub audit: Option<String>,
}

/// All rows, with the file that each stands in.
pub fn all() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulate/rows");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let read: Result<Vec<Row>, _> = serde_saphyr::from_str(&text);
        rows.extend(read.unwrap_or_else(|e| panic!("{}: {e}", file.display())));
    }
    rows
}

impl Row {
    /// Writes the folder that kube-apiserver reads; the admission configuration is `config.yaml`.
    pub fn write(&self, dir: &Path, port: u16, pki: &Pki) {
        let put = |text: &str| {
            text.replace("{dir}", &dir.display().to_string())
                .replace("{port}", &port.to_string())
                .replace("{ca64}", &pki.base64("ca"))
                .replace("{crt64}", &pki.base64("client"))
                .replace("{key64}", &pki.base64("client-key"))
        };
        for (name, text) in pki.files() {
            std::fs::write(dir.join(name), text).unwrap();
        }
        let mut kubeconfig = self.kubeconfig.clone().unwrap_or_else(|| KUBECONFIG.to_owned());
        for (from, to) in &self.change {
            assert!(kubeconfig.contains(from), "{}: {from} is not in the kubeconfig", self.name);
            kubeconfig = kubeconfig.replace(from, to);
        }
        let policy = self.policy.clone().unwrap_or_default();
        let lines: Vec<String> = policy.lines().map(|line| format!("      {line}\n")).collect();
        let usual = CONFIG.replace("{policy}", &lines.concat());
        let config = self.config.clone().unwrap_or(usual);
        let own = [("config.yaml".to_owned(), config), ("kubeconfig".to_owned(), kubeconfig)];
        for (name, text) in own.iter().chain(&self.files) {
            std::fs::write(dir.join(name), put(text)).unwrap();
        }
    }
}

const CONFIG: &str = "\
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy:
      kubeConfigFile: {dir}/kubeconfig
{policy}";

const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters:
- name: webhook
  cluster:
    server: https://localhost:{port}/review
    certificate-authority: ca.crt
users:
- name: apiserver
  user:
    client-certificate: client.crt
    client-key: client.key
contexts:
- name: webhook
  context:
    cluster: webhook
    user: apiserver
current-context: webhook
";
