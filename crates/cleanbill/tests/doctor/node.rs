//! A control-plane node that is right, made by `setup`, and the ways to make it wrong.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use cleanbill::doctor::Input;
use cleanbill::setup::{Plan, make};
use cleanbill_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

pub const MANIFEST: &str = "etc/kubernetes/manifests/kube-apiserver.yaml";
pub const CONFIG: &str = "etc/kubernetes/cleanbill/admission-configuration.yaml";
pub const KUBECONFIG: &str = "etc/kubernetes/cleanbill/kubeconfig";
pub const GATE: &str = "gate/cleanbill.yaml";
/// The files that the API server needs of all that `setup` makes.
const NEEDED: [&str; 5] =
    ["ca.crt", "client.crt", "client.key", "kubeconfig", "admission-configuration.yaml"];

/// A manifest as kubeadm makes it, with the change of kube-apiserver.patch.md.
const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
  labels: {component: kube-apiserver, tier: control-plane}
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=10.0.0.2
    - --allow-privileged=true
    - --authorization-mode=Node,RBAC
    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook
    - --admission-control-config-file=/etc/kubernetes/cleanbill/admission-configuration.yaml
    - --etcd-servers=https://127.0.0.1:2379
    image: registry.k8s.io/kube-apiserver:v1.36.2
    name: kube-apiserver
    volumeMounts:
    - {mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true}
    - mountPath: /etc/kubernetes/cleanbill
      name: cleanbill
      readOnly: true
  hostNetwork: true
  volumes:
  - hostPath: {path: /etc/kubernetes/pki, type: DirectoryOrCreate}
    name: k8s-certs
  - hostPath:
      path: /etc/kubernetes/cleanbill
      type: Directory
    name: cleanbill
";

/// A node's files, and the gate's beside them.
pub struct Node {
    dir: tempfile::TempDir,
    pub now: Timestamp,
}

fn plan() -> Plan {
    Plan { keep_ca_key: true, ..Plan::default() }
}

type Made = Vec<(String, String)>;

fn made(now: Timestamp) -> Made {
    let made = make(&plan(), now).unwrap();
    made.iter().map(|f| (f.name().to_owned(), f.text().to_owned())).collect()
}

impl Node {
    /// One that is right.
    pub fn good() -> Self {
        static MADE: OnceLock<(Timestamp, Made)> = OnceLock::new();
        let (now, made) = MADE.get_or_init(|| {
            let now = Timestamp::now();
            (now, made(now))
        });
        Self::of(made, *now)
    }

    /// One that is right at this time.
    pub fn good_at(now: Timestamp) -> Self {
        Self::of(&made(now), now)
    }

    fn of(made: &Made, now: Timestamp) -> Self {
        let node = Self { dir: tempfile::tempdir().unwrap(), now };
        node.write(MANIFEST, POD);
        for (name, text) in made {
            node.write(&format!("gate/{name}"), text);
            if NEEDED.contains(&name.as_str()) {
                node.write(&format!("etc/kubernetes/cleanbill/{name}"), text);
            }
        }
        node
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Changes a part of a file, which must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}:\n{text}");
        self.write(name, &text.replace(from, to));
    }

    pub fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
            .unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(self.path(from), to).unwrap();
    }

    /// What is looked at: the root and the gate's configuration, offline.
    pub fn input(&self) -> Input {
        Input {
            root: Some(self.root().to_owned()),
            gate_config: Some(self.path(GATE)),
            ..Input::nothing(self.now)
        }
    }

    /// Puts this certificate and key in the gate's place.
    pub fn serve_with(&self, (certificate, key): (String, String)) {
        self.write("gate/server.crt", &certificate);
        self.write("gate/server.key", &key);
    }

    /// Puts this certificate and key in the API server's place.
    pub fn call_with(&self, (certificate, key): (String, String)) {
        self.write("etc/kubernetes/cleanbill/client.crt", &certificate);
        self.write("etc/kubernetes/cleanbill/client.key", &key);
    }

    /// A certificate of the node's own authority, for this, changed so.
    pub fn issue(&self, usage: Usage, change: fn(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::from_pem(&self.read("gate/ca.key")).unwrap();
        // `setup` names the authority by the day on which it begins, five minutes before.
        let begin = Timestamp::from_second(self.now.as_second() - 300).unwrap();
        let name = format!("Cleanbill CA {}", cleanbill_core::policy::today(begin));
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name = rcgen::DistinguishedName::new();
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        issued(&Issuer::new(authority, key), usage, change)
    }
}

/// What a certificate is for.
#[derive(Clone, Copy)]
pub enum Usage {
    Server,
    Client,
}

/// A certificate of an authority that nobody knows.
pub fn stranger(usage: Usage) -> (String, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "Another CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    issued(&Issuer::new(authority, KeyPair::generate().unwrap()), usage, |_| {})
}

fn issued(
    issuer: &Issuer<'_, KeyPair>,
    usage: Usage,
    change: fn(&mut CertificateParams),
) -> (String, String) {
    let (names, common, purpose) = match usage {
        Usage::Server => (
            vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            "cleanbill",
            ExtendedKeyUsagePurpose::ServerAuth,
        ),
        Usage::Client => (vec![], "kube-apiserver", ExtendedKeyUsagePurpose::ClientAuth),
    };
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    params.not_before = in_days(-1);
    params.not_after = in_days(300);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

/// So many days from now, as rcgen wants it.
pub fn in_days<T: From<SystemTime>>(days: i64) -> T {
    let span = Duration::from_secs(days.unsigned_abs() * 86_400);
    let now = SystemTime::now();
    T::from(if days < 0 { now - span } else { now + span })
}
