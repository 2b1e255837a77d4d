//! Whether a kube-apiserver is there, which version it is, and the etcd that all of a run share.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use cleanbill_oci::testing::free_port;

/// Major and minor of a Kubernetes release.
pub type Version = (u32, u32);

/// The oldest that these tests were run with: a row that names it holds for every later one.
pub const OLDEST: Version = (1, 20);

/// A folder with `kube-apiserver`, `etcd` and `kubectl`.
#[derive(Clone, Debug)]
pub struct Assets {
    folder: PathBuf,
    pub version: Version,
}

/// The folder that `KUBEBUILDER_ASSETS` names. Says so when there is none, and panics about it
/// where `CLEANBILL_REQUIRE_PARTS` is set.
pub fn assets() -> Option<Assets> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    let has_all = |folder: &PathBuf| {
        ["kube-apiserver", "etcd", "kubectl"].iter().all(|name| folder.join(name).is_file())
    };
    if let Some(folder) = folder.filter(has_all) {
        let version = version(&folder.join("kube-apiserver"));
        assert!(version >= OLDEST, "kube-apiserver {version:?} is older than all known");
        return Some(Assets { folder, version });
    }
    let what = "no kube-apiserver (set KUBEBUILDER_ASSETS, or run cargo xtask kube-assets)";
    assert!(std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_none(), "required: {what}");
    println!("skipped: {what}");
    None
}

/// What `--version` says: `Kubernetes v1.20.2`.
fn version(program: &Path) -> Version {
    let output = Command::new(program).arg("--version").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = said
        .trim()
        .trim_start_matches("Kubernetes v")
        .split('.')
        .map(|number| number.parse().unwrap_or_else(|_| panic!("which version is {said:?}?")));
    (numbers.next().unwrap(), numbers.next().unwrap())
}

impl Assets {
    /// The flags by which pods can be given ephemeral containers: since 1.23 none.
    pub fn ephemeral_containers(&self) -> Vec<String> {
        let gate = "--feature-gates=EphemeralContainers=true".to_owned();
        if self.version < (1, 23) { vec![gate] } else { Vec::new() }
    }

    /// One of the programs, without anything of this environment that could change what it does.
    pub fn program(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command.env_clear().env("HOME", folder).current_dir(folder).stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }

    /// The etcd that runs, or a new one; it ends with the last who uses it.
    pub fn etcd(&self) -> Arc<Etcd> {
        static SHARED: Mutex<Weak<Etcd>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let etcd = Arc::new(Etcd::start(self));
            *shared = Arc::downgrade(&etcd);
            etcd
        })
    }
}

/// A running etcd.
pub struct Etcd {
    pub url: String,
    folder: tempfile::TempDir,
    child: Child,
    given: AtomicUsize,
}

impl Etcd {
    fn start(assets: &Assets) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let log = File::create(folder.path().join("log")).unwrap();
        let child = assets
            .program("etcd", folder.path())
            .args(["--data-dir", "data", "--unsafe-no-fsync"])
            .args(["--listen-client-urls", &url, "--advertise-client-urls", &url])
            .args(["--listen-peer-urls", "http://127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut etcd = Self { url, folder, child, given: AtomicUsize::new(0) };
        let end = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = etcd.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "no etcd: {ended:?}\n{}", etcd.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        etcd
    }

    /// A place in it that nobody else has.
    pub fn prefix(&self) -> String {
        format!("/cluster{}", self.given.fetch_add(1, Ordering::Relaxed))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
