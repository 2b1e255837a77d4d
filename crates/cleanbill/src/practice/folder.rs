//! A control-plane node as it should be, as files in memory.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use cleanbill_core::Timestamp;

use crate::failure::{Failure, Result};
use crate::setup::pki::{Authority, Validity};

/// The folder of static pods.
pub const MANIFEST: &str = "etc/kubernetes/manifests/kube-apiserver.yaml";
/// The admission configuration.
pub const ADMISSION: &str = "etc/kubernetes/imagepolicy/admission.yaml";
/// The kubeconfig of the webhook.
pub const KUBECONFIG: &str = "etc/kubernetes/imagepolicy/kubeconfig.yaml";

/// Files by their paths below the folder.
pub struct Folder {
    files: BTreeMap<String, String>,
    /// A certificate and key of another authority, for whoever wants to plant them.
    pub stranger: (String, String),
    /// A server's certificate and key for another name.
    pub misnamed: (String, String),
}

impl Folder {
    /// All in order; the webhook is at this port.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn good(port: u16, now: Timestamp) -> Result<Self> {
        let valid = Validity::days(now, 365)?;
        let authority = Authority::new(valid)?;
        let server = authority.server(&["localhost".into()], valid)?;
        let client = authority.client("kube-apiserver", valid)?;
        let other = Authority::new(valid)?;
        let stranger = other.client("kube-apiserver", valid)?;
        let misnamed = other.server(&["webhook.example".into()], valid)?;
        let mut folder = Self {
            files: BTreeMap::new(),
            stranger: (stranger.certificate, stranger.key),
            misnamed: (misnamed.certificate, misnamed.key),
        };
        let policy = "etc/kubernetes/imagepolicy";
        for (path, text) in [
            (MANIFEST.to_owned(), MANIFEST_TEXT.to_owned()),
            (ADMISSION.to_owned(), ADMISSION_TEXT.to_owned()),
            (KUBECONFIG.to_owned(), KUBECONFIG_TEXT.replace("PORT", &port.to_string())),
            (format!("{policy}/webhook-ca.crt"), authority.certificate()),
            (format!("{policy}/apiserver-client.crt"), client.certificate),
            (format!("{policy}/apiserver-client.key"), client.key),
            ("opt/webhook/ca.crt".into(), authority.certificate()),
            ("opt/webhook/server.crt".into(), server.certificate),
            ("opt/webhook/server.key".into(), server.key),
        ] {
            folder.put(&path, text);
        }
        // What kubeadm makes there too; only its being there counts.
        folder.put("etc/kubernetes/pki/README", "Keys of the cluster would be here.\n".into());
        Ok(folder)
    }

    /// A file's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Puts a file.
    pub fn put(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), text);
    }

    /// Takes a file out.
    ///
    /// # Errors
    /// When it is not there: then two faults do not go together.
    pub fn take(&mut self, path: &str) -> Result<String> {
        let gone = || Failure::new(format!("this exercise cannot be made: {path} is not there"));
        self.files.remove(path).ok_or_else(gone)
    }

    /// Changes a piece of a file.
    ///
    /// # Errors
    /// When the piece is not there.
    pub fn change(&mut self, path: &str, from: &str, to: &str) -> Result<()> {
        let text = self.take(path)?;
        if !text.contains(from) {
            return Err(Failure::new(format!(
                "this exercise cannot be made: {path} does not hold {from:?}"
            )));
        }
        self.put(path, text.replacen(from, to, 1));
        Ok(())
    }

    /// Writes all of them.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        for (path, text) in &self.files {
            let path = dir.join(path);
            let failed = |e: std::io::Error| {
                Failure::new(format!("{} cannot be written: {e}", path.display()))
            };
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            let secret = path.extension().is_some_and(|e| e == "key");
            std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(if secret { 0o600 } else { 0o644 })
                .open(&path)
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(failed)?;
        }
        Ok(())
    }
}

const MANIFEST_TEXT: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
  labels:
    component: kube-apiserver
    tier: control-plane
spec:
  hostNetwork: true
  priorityClassName: system-node-critical
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.36.0
    command:
    - kube-apiserver
    - --advertise-address=192.0.2.10
    - --allow-privileged=true
    - --authorization-mode=Node,RBAC
    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook
    - --admission-control-config-file=/etc/kubernetes/imagepolicy/admission.yaml
    - --etcd-servers=https://127.0.0.1:2379
    - --secure-port=6443
    volumeMounts:
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
    - mountPath: /etc/kubernetes/imagepolicy
      name: imagepolicy
      readOnly: true
  volumes:
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
  - hostPath:
      path: /etc/kubernetes/imagepolicy
      type: Directory
    name: imagepolicy
";

const ADMISSION_TEXT: &str = "\
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy:
      kubeConfigFile: /etc/kubernetes/imagepolicy/kubeconfig.yaml
      allowTTL: 50
      denyTTL: 50
      retryBackoff: 500
      defaultAllow: false
";

const KUBECONFIG_TEXT: &str = "\
apiVersion: v1
kind: Config
clusters:
- name: image-webhook
  cluster:
    certificate-authority: /etc/kubernetes/imagepolicy/webhook-ca.crt
    server: https://localhost:PORT/image_policy
users:
- name: api-server
  user:
    client-certificate: /etc/kubernetes/imagepolicy/apiserver-client.crt
    client-key: /etc/kubernetes/imagepolicy/apiserver-client.key
contexts:
- name: image-webhook
  context:
    cluster: image-webhook
    user: api-server
current-context: image-webhook
";
