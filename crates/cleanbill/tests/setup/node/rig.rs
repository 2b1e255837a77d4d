//! A folder that plays a control-plane node: its manifest, its kubeconfig, a gate that counts, and
//! an API server that is started from the manifest and asks the gate if that says so.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::kube::Client;
use cleanbill::serve::tls::Material;
use cleanbill::setup::mode::Mode;
use cleanbill::setup::pki::{Authority, Validity};
use cleanbill::setup::{Plan, files, make};
use cleanbill_oci::testing::free_port;
use serde_json::{Value, json};

use super::supervisor::Supervisor;
use super::tls::Server;
use crate::edit::MANIFEST;

/// How the gate is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It denies what is called bad, and what nobody has.
    Well,
    AllowsAll,
    /// It allows everything, and another plug-in refuses what nobody has, by its name.
    AllowsAllBesidesAnother,
    DeniesAll,
    /// It hangs up.
    Down,
}

pub struct Rig {
    pub root: tempfile::TempDir,
    pub folder: tempfile::TempDir,
    pub mood: Arc<Mutex<Mood>>,
    /// The images of each question.
    pub asked: Arc<Mutex<Vec<Vec<String>>>>,
    /// What runs: namespace, name, image.
    pub pods: Arc<Mutex<Vec<[&'static str; 3]>>>,
    supervisor: Supervisor,
    _gate: Server,
}

const MOUNT: &str = "/etc/kubernetes/cleanbill";

impl Rig {
    pub fn new() -> Self {
        let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mood, asked) = (Arc::new(Mutex::new(Mood::Well)), Arc::new(Mutex::new(Vec::new())));
        let port = free_port();
        let plan = Plan {
            mode: Mode::Node,
            hosts: vec!["localhost".into()],
            port,
            mount_dir: MOUNT.into(),
            ..Plan::default()
        };
        let made = make(&plan, jiff::Timestamp::now()).unwrap();
        files::write(folder.path(), &made, false).unwrap();
        let gate = gate(folder.path(), port, Arc::clone(&mood), Arc::clone(&asked));

        let valid = Validity::days(jiff::Timestamp::now(), 1).unwrap();
        let authority = Authority::new(valid).unwrap();
        let server = authority.server(&["127.0.0.1".into()], valid).unwrap();
        let admin = authority.client("kubernetes-admin", valid).unwrap();
        let ca = authority.certificate();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let kubernetes = root.path().join("etc/kubernetes");
        let manifests = kubernetes.join("manifests");
        fs::create_dir_all(&manifests).unwrap();
        let data = |text: &str| STANDARD.encode(text);
        fs::write(
            kubernetes.join("admin.conf"),
            format!(
                "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
                 contexts:\n- name: c\n  context: {{cluster: k, user: u}}\n\
                 clusters:\n- name: k\n  cluster:\n    server: https://{address}\n    \
                 certificate-authority-data: {}\n\
                 users:\n- name: u\n  user:\n    client-certificate-data: {}\n    \
                 client-key-data: {}\n",
                data(&ca),
                data(&admin.certificate),
                data(&admin.key)
            ),
        )
        .unwrap();
        fs::write(manifests.join("kube-apiserver.yaml"), MANIFEST).unwrap();
        let pods = Arc::new(Mutex::new(vec![
            ["kube-system", "etcd-1", "registry.k8s.io/etcd:3"],
            ["shop", "cart-1", "registry.example/cart:1"],
        ]));
        let supervisor = {
            let (root, pods) = (root.path().to_owned(), Arc::clone(&pods));
            let mood = Arc::clone(&mood);
            Supervisor::watch(manifests.join("kube-apiserver.yaml"), move |manifest| {
                let material = Material {
                    certificate: server.certificate.clone().into(),
                    key: server.key.clone().into(),
                    client_ca: ca.clone().into(),
                    client_names: vec!["kubernetes-admin".into()],
                };
                let plugin = plugin(&root, manifest).ok()?;
                let (pods, mood) = (Arc::clone(&pods), Arc::clone(&mood));
                let answer = move |method: &str, path: &str, body: &Value| {
                    let another = *mood.lock().unwrap() == Mood::AllowsAllBesidesAnother;
                    let image = body["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
                    if method == "POST" && another && image.contains("cleanbill.invalid") {
                        let why =
                            format!("pods \"x\" is forbidden: registry of {image} is unknown");
                        return Some((403, json!({"kind": "Status", "message": why})));
                    }
                    Some(api(&plugin, &pods, method, path, body))
                };
                Server::start(address, material.config().unwrap(), Box::new(answer)).ok()
            })
        };
        let rig = Self { root, folder, mood, asked, pods, supervisor, _gate: gate };
        rig.settle();
        rig
    }

    /// Waits until what runs is what the manifest says.
    pub fn settle(&self) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.supervisor.is_settled() {
            assert!(Instant::now() < end, "the API server did not come up");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub fn manifest(&self) -> String {
        fs::read_to_string(self.path("etc/kubernetes/manifests/kube-apiserver.yaml")).unwrap()
    }

    /// Whether the API server asks the gate about a new pod.
    pub fn asks(&self) -> bool {
        self.settle();
        let api = Client::from_kubeconfig(&self.path("etc/kubernetes/admin.conf")).unwrap();
        let pod = json!({"spec": {"containers": [{"image": "a/bad"}]}});
        let path = "/api/v1/namespaces/default/pods?dryRun=All";
        api.post(path, &pod.to_string(), Duration::from_secs(5)).unwrap().status == 403
    }

    /// Every file of the node, with its content.
    pub fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(dir: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    into.insert(path.clone(), Vec::new());
                    walk(&path, into);
                } else {
                    into.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        let mut all = BTreeMap::new();
        walk(self.root.path(), &mut all);
        all
    }
}

fn gate(
    folder: &Path,
    port: u16,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<Mutex<Vec<Vec<String>>>>,
) -> Server {
    let at = |name: &str| folder.join(name);
    let names = vec!["kube-apiserver".to_owned()];
    let material = Material::read(&at("server.crt"), &at("server.key"), &at("ca.crt"), names);
    let answer = move |method: &str, path: &str, body: &Value| {
        assert_eq!((method, path), ("POST", "/review?timeout=30s"));
        let containers = body["spec"]["containers"].as_array().unwrap();
        let images: Vec<String> =
            containers.iter().map(|c| c["image"].as_str().unwrap().to_owned()).collect();
        let bad = images.iter().any(|i| i.contains("bad") || i.contains("cleanbill.invalid"));
        asked.lock().unwrap().push(images);
        let allowed = match *mood.lock().unwrap() {
            Mood::Down => return None,
            Mood::AllowsAll | Mood::AllowsAllBesidesAnother => true,
            Mood::DeniesAll => false,
            Mood::Well => !bad,
        };
        let reason = if allowed { "" } else { "it is bad" };
        Some((200, json!({"status": {"allowed": allowed, "reason": reason}})))
    };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Server::start(address, material.unwrap().config().unwrap(), Box::new(answer)).unwrap()
}

/// A client of the gate, and where that is.
type Plugin = (Client, String);

/// What kube-apiserver makes of its flags. An error: it does not start.
fn plugin(root: &Path, manifest: &str) -> Result<Option<Plugin>, String> {
    let pod: Value = serde_saphyr::from_str(manifest).map_err(|e| e.to_string())?;
    let list = |value: &Value| value.as_array().cloned().ok_or("half a manifest");
    let command = list(&pod["spec"]["containers"][0]["command"])?;
    let flags: Vec<&str> = command.iter().filter_map(Value::as_str).collect();
    let flag = |name: &str| flags.iter().find_map(|flag| flag.strip_prefix(name));
    if !flag("--enable-admission-plugins=").is_some_and(|on| on.contains("ImagePolicyWebhook")) {
        return Ok(None);
    }
    // In the pod there is what is mounted, and nothing else.
    let mounts = list(&pod["spec"]["containers"][0]["volumeMounts"])?;
    let volumes = list(&pod["spec"]["volumes"])?;
    let read = |path: &str| {
        let mount = mounts
            .iter()
            .find(|m| path.starts_with(m["mountPath"].as_str().unwrap()))
            .ok_or(format!("{path} is not mounted"))?;
        let volume = volumes.iter().find(|v| v["name"] == mount["name"]).ok_or("no volume")?;
        let host = volume["hostPath"]["path"].as_str().unwrap();
        let inside = path.strip_prefix(mount["mountPath"].as_str().unwrap()).unwrap();
        let full = format!("{}{host}{inside}", root.display());
        fs::read_to_string(&full).map_err(|e| format!("{full}: {e}"))
    };
    let yaml = |path: &str| -> Result<Value, String> {
        serde_saphyr::from_str(&read(path)?).map_err(|e| e.to_string())
    };
    let config = yaml(flag("--admission-control-config-file=").ok_or("no config specified")?)?;
    let values = &config["plugins"][0]["configuration"]["imagePolicy"];
    let kubeconfig = yaml(values["kubeConfigFile"].as_str().ok_or("no kubeconfig")?)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("no path");
    let cluster = &kubeconfig["clusters"][0]["cluster"];
    let user = &kubeconfig["users"][0]["user"];
    let server = text(&cluster["server"])?;
    let server = server.strip_suffix("/review").ok_or("no path")?;
    let client = Client::mutual(
        server,
        &read(&text(&cluster["certificate-authority"])?)?,
        &read(&text(&user["client-certificate"])?)?,
        &read(&text(&user["client-key"])?)?,
    );
    let gate = server.trim_start_matches("https://").to_owned();
    client.map(|client| Some((client, gate))).map_err(|e| e.to_string())
}

fn api(
    plugin: &Option<Plugin>,
    pods: &Mutex<Vec<[&'static str; 3]>>,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    match (method, path) {
        ("GET", "/readyz") => (200, Value::Null),
        ("GET", "/metrics") => {
            let series = "apiserver_admission_controller_admission_duration_seconds_count";
            let labels = "name=\"ImagePolicyWebhook\",operation=\"CREATE\"";
            let text = plugin.as_ref().map(|_| format!("{series}{{{labels}}} 1\n"));
            (200, Value::String(text.unwrap_or_default()))
        }
        ("GET", path) if path.starts_with("/api/v1/pods?limit=") => {
            // One a page.
            let at: usize = path.split("continue=").nth(1).map_or(0, |n| n.parse().unwrap());
            let pods = pods.lock().unwrap();
            let items: Vec<Value> = pods.iter().skip(at).take(1).map(pod).collect();
            let next = if at + 1 < pods.len() { (at + 1).to_string() } else { String::new() };
            (200, json!({"kind": "PodList", "metadata": {"continue": next}, "items": items}))
        }
        ("POST", "/api/v1/namespaces/default/pods?dryRun=All") => {
            let image = &body["spec"]["containers"][0]["image"];
            let Some((gate, at)) = plugin else { return (201, body.clone()) };
            let review = json!({"spec": {"containers": [{"image": image}]}});
            let status = |message: String| {
                (
                    403,
                    json!({"kind": "Status", "code": 403, "message": format!("pods \"x\" is forbidden: {message}")}),
                )
            };
            match gate.post("/review?timeout=30s", &review.to_string(), Duration::from_secs(5)) {
                Err(e) => status(format!("Post \"https://{at}/review?timeout=30s\": {e}")),
                Ok(reply) if reply.json()["status"]["allowed"] == true => (201, body.clone()),
                Ok(reply) => status(format!(
                    "image policy webhook backend denied one or more images: {}",
                    reply.json()["status"]["reason"].as_str().unwrap_or_default()
                )),
            }
        }
        _ => (404, Value::Null),
    }
}

/// As the API has it.
pub fn pod([namespace, name, image]: &[&'static str; 3]) -> Value {
    json!({
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"containers": [{"name": "c", "image": image}]},
        "status": {"phase": "Running"},
    })
}
