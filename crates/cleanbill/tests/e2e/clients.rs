//! Client certificates made by OpenSSL, right ones and wrong ones, and curl that shows them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::parts::run;

/// A certificate and its key, both files.
#[derive(Clone, Debug)]
pub struct Client {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// An authority: its folder has `ca.crt` and `ca.key`.
pub struct Authority(pub PathBuf);

/// When a certificate is good, as OpenSSL writes dates.
pub const NOW: (&str, &str) = ("20200101000000Z", "20400101000000Z");
pub const PAST: (&str, &str) = ("20200101000000Z", "20210101000000Z");
pub const FUTURE: (&str, &str) = ("20390101000000Z", "20400101000000Z");

impl Authority {
    /// A new one, with the name that the real one has.
    pub fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "30", "-subj", "/CN=Cleanbill CA"])
            .arg("-keyout")
            .arg(folder.join("ca.key"))
            .arg("-out")
            .arg(folder.join("ca.crt")));
        Self(folder.to_owned())
    }

    /// Signs a certificate for this name, use (`clientAuth`, `serverAuth`) and time.
    pub fn sign(&self, file: &str, name: &str, usage: &str, time: (&str, &str)) -> Client {
        let at = |file: String| self.0.join(file);
        let (key, request) = (at(format!("{file}.key")), at(format!("{file}.csr")));
        let certificate = at(format!("{file}.crt"));
        run(Command::new("openssl")
            .args(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(["-subj", &format!("/CN={name}"), "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&request));
        let folder = self.0.display();
        let config = format!(
            "[ca]\ndefault_ca = d\n[d]\ndatabase = {folder}/index.txt\nnew_certs_dir = {folder}\n\
             rand_serial = yes\ndefault_md = sha256\npolicy = p\nunique_subject = no\n\
             x509_extensions = e\n[p]\ncommonName = supplied\n\
             [e]\nbasicConstraints = CA:FALSE\nkeyUsage = digitalSignature\n\
             extendedKeyUsage = {usage}\nsubjectAltName = DNS:{name}\n"
        );
        fs::write(at("ca.cnf".into()), config).unwrap();
        fs::write(at("index.txt".into()), "").unwrap();
        run(Command::new("openssl")
            .args(["ca", "-batch", "-notext", "-startdate", time.0, "-enddate", time.1])
            .arg("-config")
            .arg(at("ca.cnf".into()))
            .arg("-cert")
            .arg(at("ca.crt".into()))
            .arg("-keyfile")
            .arg(at("ca.key".into()))
            .arg("-in")
            .arg(&request)
            .arg("-out")
            .arg(&certificate));
        Client { certificate, key }
    }
}

/// What curl made of it: the HTTP status and body, or nothing when there was no answer.
#[derive(Debug)]
pub struct Reply {
    pub status: Option<u16>,
    pub body: String,
    pub complaint: String,
}

/// Asks about images as kube-apiserver does.
pub fn ask(url: &str, ca: &Path, client: Option<&Client>, more: &[&str], images: &[&str]) -> Reply {
    let containers: Vec<_> = images.iter().map(|i| serde_json::json!({"image": i})).collect();
    let review = serde_json::json!({
        "kind": "ImageReview", "apiVersion": "imagepolicy.k8s.io/v1alpha1", "metadata": {},
        "spec": {"containers": containers, "namespace": "default"}, "status": {"allowed": false},
    });
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "40", "--noproxy", "*"]).args(more);
    curl.args(["--header", "Content-Type: application/json", "--write-out", "\n%{http_code}"]);
    curl.arg("--cacert").arg(ca).arg("--data-binary").arg(format!("{review}\n"));
    if let Some(client) = client {
        curl.arg("--cert").arg(&client.certificate).arg("--key").arg(&client.key);
    }
    let done = curl.arg(format!("{url}?timeout=30s")).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let (body, code) = text.rsplit_once('\n').unwrap_or(("", "000"));
    let answered = done.status.success() && code != "000";
    Reply {
        status: answered.then(|| code.parse().unwrap()),
        body: body.to_owned(),
        complaint: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}
