//! `setup apply` on a folder that plays a node, whose kube-apiserver is a real one: a supervisor
//! starts it anew from its manifest, as a kubelet would, and gives it what the manifest mounts.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cleanbill::setup::apply::folder::Folder;
use cleanbill::setup::apply::{Options, Watch, apply, roll_back};

use crate::assets::{Assets, assets};
use crate::client::Client;
use crate::cluster::{Admission, Server, Setup};
use crate::image_policy::{DENIED, gate};
use crate::registry::Registry;
use crate::rig::{Gate, PATIENCE, cleanbill};
use crate::supervisor::Supervisor;

/// Where the files are in the API server's view.
const MOUNT: &str = "/etc/kubernetes/cleanbill";
const MANIFEST: &str = "etc/kubernetes/manifests/kube-apiserver.yaml";

/// The node: its folder, what runs on it, and the gate beside.
struct Node {
    root: tempfile::TempDir,
    /// What `setup` made, for [`MOUNT`].
    made: tempfile::TempDir,
    kubelet: Supervisor,
    client: Client,
    /// Whether the API server cannot read its client key.
    broken: Arc<AtomicBool>,
    gate: Gate,
    good: String,
    _registry: Registry,
}

/// What a kubelet runs; it ends with this.
struct Runs(Arc<Mutex<Server>>);

impl Drop for Runs {
    fn drop(&mut self) {
        self.0.lock().unwrap().stop();
    }
}

impl Node {
    fn new(assets: &Assets) -> Self {
        let registry = Registry::start();
        let gate = gate(&registry, &[]);
        let good = registry.clean("app");
        let (root, made) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let own = gate.folder.path().display().to_string();
        for entry in fs::read_dir(gate.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if let Ok(text) = fs::read_to_string(&path) {
                let name = path.file_name().unwrap();
                fs::write(made.path().join(name), text.replace(&own, MOUNT)).unwrap();
            }
        }
        let server = Server::start(assets, &Setup::default()).unwrap();
        let kubernetes = root.path().join("etc/kubernetes");
        fs::create_dir_all(kubernetes.join("manifests")).unwrap();
        fs::create_dir_all(kubernetes.join("pki")).unwrap();
        fs::copy(server.path("api-ca.crt"), kubernetes.join("api-ca.crt")).unwrap();
        fs::copy(server.path("admin.kubeconfig"), kubernetes.join("admin.conf")).unwrap();
        fs::write(root.path().join(MANIFEST), POD).unwrap();
        let client = server.client().clone();
        let broken = Arc::new(AtomicBool::new(false));
        let (at, server) = (root.path().to_owned(), Arc::new(Mutex::new(server)));
        let is_broken = Arc::clone(&broken);
        let kubelet = Supervisor::watch(root.path().join(MANIFEST), move |text| {
            start(&at, text, &server, is_broken.load(SeqCst))
        });
        let node = Self { root, made, kubelet, client, broken, gate, good, _registry: registry };
        node.settle();
        node
    }

    fn settle(&self) {
        let end = Instant::now() + PATIENCE * 2;
        while !self.kubelet.is_settled() {
            assert!(Instant::now() < end, "the API server does not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.root.path().join(MANIFEST)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = cleanbill();
        command.args(["setup", "apply"]).args(args).arg("--root").arg(self.root.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn apply(&self, wait: &str) -> Command {
        let made = self.made.path().display().to_string();
        self.command(&[&made, "--allowed-image", &self.good, "--wait", wait])
    }

    fn delete(&self, name: &str) {
        let path = format!("/api/v1/namespaces/default/pods/{name}");
        let now = r#"{"gracePeriodSeconds":0}"#;
        let reply = self.client.request("DELETE", &path, "application/json", now).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// Whether pods are refused by the gate now.
    fn is_guarded(&self, name: &str) -> bool {
        let reply = self.client.create(name, &["elsewhere.example/app:1"]);
        match reply.status {
            201 => {
                // What runs is judged before anything is changed, and this would be refused.
                self.delete(name);
                false
            }
            403 if reply.message().contains(DENIED) => true,
            _ => panic!("{reply:?}"),
        }
    }
}

/// Starts the API server as the manifest says, with what it mounts.
fn start(root: &Path, text: &str, server: &Arc<Mutex<Server>>, broken: bool) -> Option<Runs> {
    let flag = |name: &str| {
        let start = format!("- --{name}=");
        text.lines().filter_map(|line| line.trim().strip_prefix(&start)).next_back()
    };
    let mut server_now = server.lock().unwrap();
    let view = server_now.path("mounted");
    _ = fs::remove_dir_all(&view);
    if text.contains(&format!("mountPath: {MOUNT}")) || text.contains(&format!("\"{MOUNT}\"")) {
        mount(&root.join(MOUNT.trim_start_matches('/')), &view, broken);
    }
    let config = flag("admission-control-config-file");
    let admission = match config {
        None => Admission::None,
        Some(path) => {
            let path = path.trim_matches(['"', '\'']);
            Admission::File(PathBuf::from(path.replace(MOUNT, &view.display().to_string())))
        }
    };
    let plugins: &'static str = match config {
        Some(_) if text.contains("ImagePolicyWebhook") => "ImagePolicyWebhook",
        _ => "",
    };
    server_now.restart(&Setup { admission, plugins, ..Setup::default() }).ok()?;
    drop(server_now);
    Some(Runs(Arc::clone(server)))
}

fn mount(from: &Path, view: &Path, broken: bool) {
    fs::create_dir_all(view).unwrap();
    let Ok(entries) = fs::read_dir(from) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = path.file_name().unwrap();
        if broken && name == "client.key" {
            continue;
        }
        fs::write(view.join(name), text.replace(MOUNT, &view.display().to_string())).unwrap();
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_real_api_server_is_changed_and_changed_back() {
    let Some(assets) = assets() else { return };
    let node = Node::new(&assets);
    assert!(!node.is_guarded("before"));

    // A dry run shows it, and nothing is another than before.
    let output = node.apply("60").arg("--dry-run").output().unwrap();
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("+    - --admission-control-config-file="), "{told}");
    assert_eq!(node.manifest(), POD);

    let output = node.apply("90").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    node.settle();
    assert_ne!(node.manifest(), POD);
    assert!(node.is_guarded("guarded"));
    assert_eq!(node.client.create("good", &[&node.good]).status, 201);

    let output = node.command(&["--rollback", "--wait", "90"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    node.settle();
    assert_eq!(node.manifest(), POD);
    assert!(!node.root.path().join(MOUNT.trim_start_matches('/')).exists());
    assert!(!node.is_guarded("after"));
}

#[test]
fn what_fails_is_taken_back_and_what_was_cut_off_is_ended() {
    let Some(assets) = assets() else { return };
    let mut node = Node::new(&assets);

    // The new API server does not start: the old one is back by itself.
    node.broken.store(true, SeqCst);
    let output = node.apply("12").output().unwrap();
    let told = said(&output);
    assert!(!output.status.success() && told.contains("taken back"), "{told}");
    assert_eq!(node.manifest(), POD);
    node.settle();
    assert!(!node.is_guarded("still-open"));
    node.broken.store(false, SeqCst);

    // Killed when the manifest is the new one, and not proved yet.
    let mut child = node.apply("90").spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while node.manifest() == POD {
        assert!(Instant::now() < end, "the manifest is not changed");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(9), "it was to be killed: {status}");
    let output = node.apply("90").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    node.settle();
    assert!(node.is_guarded("ended"));

    // Taking back works although the gate is gone, with which nothing is let in.
    node.gate.kill();
    let reply = node.client.create("nobody", &[&node.good]);
    assert!(reply.status == 403, "{reply:?}");
    let output = node.command(&["--rollback", "--wait", "90"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    node.settle();
    assert_eq!(node.manifest(), POD);
    assert!(!node.is_guarded("open"));
}

/// As kubeadm makes it, as far as it matters here.
const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  labels:
    component: kube-apiserver
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=127.0.0.1
    - --enable-admission-plugins=NodeRestriction
    image: registry.k8s.io/kube-apiserver:v1.20.2
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
  hostNetwork: true
  volumes:
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
";

const NODE: &str = "CLEANBILL_TEST_NODE";
const MADE: &str = "CLEANBILL_TEST_MADE";
const IMAGE: &str = "CLEANBILL_TEST_IMAGE";
const STEP: &str = "CLEANBILL_TEST_STEP";
/// How many steps there are in an application, and in a way back.
const APPLIES: u32 = 10;
const GOES_BACK: u32 = 5;

/// No test by itself: a run that kills itself after a step. Without a folder it goes back.
#[test]
fn a_run_that_is_killed() {
    let set = |name: &str| std::env::var(name).ok();
    let (Some(node), Some(step)) = (set(NODE), set(STEP)) else { return };
    let mut left: u32 = step.parse().unwrap();
    let mut after = |_| {
        left = left.wrapping_sub(1);
        if left == 0 {
            let me = std::process::id().to_string();
            Command::new("kill").args(["-9", &me]).status().unwrap();
            std::thread::sleep(PATIENCE);
        }
    };
    let mut watch = Watch { say: &mut |_| {}, after: &mut after };
    let node = cleanbill::setup::apply::node::Node::at(Path::new(&node));
    let wait = Duration::from_secs(90);
    let Some(made) = set(MADE) else { return roll_back(&node, wait, &mut watch).unwrap() };
    let options = Options {
        pods: None,
        accept_refusals: false,
        allowed_image: set(IMAGE),
        wait,
        dry_run: false,
    };
    apply(&node, &Folder::read(Path::new(&made)).unwrap(), &options, &mut watch).unwrap();
}

impl Node {
    /// Runs until it is killed after that step.
    fn killed(&self, applies: bool, step: u32) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "applied::a_run_that_is_killed"]).stdout(Stdio::null());
        command.env(NODE, self.root.path()).env(STEP, step.to_string());
        if applies {
            command.env(MADE, self.made.path()).env(IMAGE, &self.good);
        }
        let status = command.status().unwrap();
        assert_eq!(status.signal(), Some(9), "step {step} of {applies}: {status}");
    }

    fn ends(&self, mut command: Command) {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        self.settle();
    }
}

/// `kill -9` after every step, there and back: the next run ends it.
#[test]
#[ignore = "takes some minutes: the API server is started anew forty times"]
fn after_a_kill_at_any_step_the_next_run_ends_it() {
    let Some(assets) = assets() else { return };
    let node = Node::new(&assets);
    for step in 1..=APPLIES {
        node.killed(true, step);
        node.ends(node.apply("90"));
        assert!(node.is_guarded(&format!("applied-{step}")));
        let back = step.min(GOES_BACK);
        node.killed(false, back);
        if back < GOES_BACK {
            node.ends(node.command(&["--rollback", "--wait", "90"]));
        }
        node.settle();
        assert_eq!(node.manifest(), POD, "step {step}");
        assert!(!node.is_guarded(&format!("back-{step}")));
    }
}
