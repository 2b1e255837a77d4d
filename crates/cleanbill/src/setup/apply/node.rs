//! Where things are on a control-plane node that kubeadm made, below a folder that may be another
//! than `/`.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::journal::Backup;
use crate::failure::{Failure, Result};
use crate::kube::Client;
use crate::setup::replace::{alone, replace};

/// A node.
pub struct Node {
    root: PathBuf,
    kubeconfig: PathBuf,
}

impl Node {
    /// The node whose `/` is this folder.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), kubeconfig: root.join("etc/kubernetes/admin.conf") }
    }

    /// The same, its API server asked by this kubeconfig.
    #[must_use]
    pub fn asked_by(self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), ..self }
    }

    /// The manifest of kube-apiserver.
    pub fn manifest(&self) -> PathBuf {
        self.below("/etc/kubernetes/manifests/kube-apiserver.yaml")
    }

    /// Keeps other runs away from this node for as long as the answer lives.
    ///
    /// # Errors
    /// When there is another.
    pub fn alone(&self) -> Result<fs::File> {
        let next = "run it on a control-plane node that kubeadm made, or name its root by --root";
        alone(&self.below("/etc/kubernetes/manifests"), next)
    }

    /// Where backup and journal are: outside of the folder that kubelet reads, which would start a
    /// second API server from a copy, and out of reach of the gate's own user.
    pub fn backup(&self) -> Backup {
        Backup::at(self.below("/etc/kubernetes/cleanbill-backup"))
    }

    /// One of the files that kube-apiserver reads.
    pub fn mounted(&self, mount_dir: &str, name: &str) -> PathBuf {
        self.below(mount_dir).join(name)
    }

    /// Asks the API server as the node's administrator.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read or used.
    pub fn api(&self) -> Result<Client> {
        Client::from_kubeconfig(&self.kubeconfig)
    }

    /// The manifest's text; `None` where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read_manifest(&self) -> Result<Option<String>> {
        let path = self.manifest();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Failure::new(format!("{} cannot be read: {e}", path.display()))
                .next("run it as root, on the control-plane node")),
        }
    }

    /// Replaces the manifest, in one moment.
    ///
    /// # Errors
    /// When it cannot be written; then the old one stays.
    pub fn write_manifest(&self, text: &str) -> Result<()> {
        replace(&self.manifest(), text.as_bytes(), 0o600)
    }

    /// Puts a file where kube-apiserver reads it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, mount_dir: &str, name: &str, text: &str) -> Result<()> {
        let folder = self.below(mount_dir);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&folder)
            .map_err(|e| Failure::new(format!("{} cannot be made: {e}", folder.display())))?;
        let mode = if name.ends_with(".key") { 0o600 } else { 0o644 };
        replace(&folder.join(name), text.as_bytes(), mode)
    }

    /// Takes a file away again, and the folder if nothing else is in it.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn take(&self, mount_dir: &str, name: &str) -> Result<()> {
        let path = self.mounted(mount_dir, name);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(e) => return Err(Failure::new(format!("{} stays: {e}", path.display()))),
        }
        // What others put there stays, and then so does the folder.
        _ = fs::remove_dir(self.below(mount_dir));
        Ok(())
    }

    /// Removes what a run that was cut off left of files that it was writing.
    pub fn sweep(&self, mount_dir: &str) {
        let folders = ["/etc/kubernetes/manifests", "/etc/kubernetes/cleanbill-backup", mount_dir];
        for entry in folders.iter().filter_map(|dir| fs::read_dir(self.below(dir)).ok()).flatten() {
            let Ok(entry) = entry else { continue };
            if entry.file_name().to_string_lossy().starts_with(".cleanbill-") {
                // It is passed over by everybody, so it may as well stay.
                _ = fs::remove_file(entry.path());
            }
        }
    }

    fn below(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}
