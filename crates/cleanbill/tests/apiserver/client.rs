//! What is asked of a kube-apiserver: by kubectl, by plain requests, and of what it counted and
//! wrote down.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::cluster::Server;
use crate::rig::PATIENCE;

/// Speaks to one API server, a connection a request.
#[derive(Clone)]
pub struct Client {
    port: u16,
    token: &'static str,
    tls: Arc<rustls::ClientConfig>,
}

/// An answer; a body that is no JSON is a string.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Reply {
    /// What a `Status` says; empty for everything else.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Client {
    pub fn new(port: u16, token: &'static str, authority: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { port, token, tls: Arc::new(tls) }
    }

    pub fn get(&self, path: &str) -> std::io::Result<Reply> {
        self.request("GET", path, "application/json", "")
    }

    /// Makes a pod with these images (none of which is ever pulled).
    pub fn create(&self, name: &str, images: &[&str]) -> Reply {
        self.create_object(&pod(name, images))
    }

    pub fn create_object(&self, pod: &Value) -> Reply {
        let path = "/api/v1/namespaces/default/pods";
        self.request("POST", path, "application/json", &pod.to_string()).unwrap()
    }

    /// Sets a label of a pod.
    pub fn label(&self, name: &str, value: &str) -> Reply {
        let path = format!("/api/v1/namespaces/default/pods/{name}");
        let patch = json!({"metadata": {"labels": {"changed": value}}}).to_string();
        self.request("PATCH", &path, "application/merge-patch+json", &patch).unwrap()
    }

    /// HTTP/1.0, so that the answer is the bytes up to the end.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &str,
    ) -> std::io::Result<Reply> {
        let (token, length) = (self.token, body.len());
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: api\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let name = rustls::pki_types::ServerName::try_from("127.0.0.1").unwrap();
        let connection = rustls::ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(PATIENCE * 2))?;
        let mut stream = rustls::StreamOwned::new(connection, socket);
        stream.write_all(request.as_bytes())?;
        let mut raw = Vec::new();
        let read = stream.read_to_end(&mut raw);
        let text = String::from_utf8_lossy(&raw);
        let parsed = text.split_once("\r\n\r\n").and_then(|(head, body)| {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            let body = serde_json::from_str(body).unwrap_or_else(|_| body.into());
            Some(Reply { status, body })
        });
        parsed.map_or_else(|| read.and(Err(std::io::Error::other("no answer"))), Ok)
    }
}

/// A pod with these images.
pub fn pod(name: &str, images: &[&str]) -> Value {
    let containers: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(n, image)| json!({"name": format!("c{n}"), "image": image}))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": containers},
    })
}

/// What kubectl said.
#[derive(Debug)]
pub struct Said {
    pub done: bool,
    pub out: String,
    pub err: String,
}

impl Server {
    /// Runs kubectl to its end.
    pub fn kubectl(&self, args: &[&str]) -> Said {
        self.kubectl_with(args, "")
    }

    /// With this as its standard input.
    pub fn kubectl_with(&self, args: &[&str], input: &str) -> Said {
        let mut command = self.kubectl_command();
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { done: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The sum of a metric's series with all of these labels (`code="200"`).
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let metrics = self.client().get("/metrics").unwrap().body;
        let series = metrics.as_str().unwrap().lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        });
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// Every event that was written down, oldest first.
    pub fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("audit.log")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The annotations of the latest event about a pod by this verb; it comes after the answer.
    pub fn annotations(&self, verb: &str, pod: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self
                .audit()
                .into_iter()
                .rev()
                .find(|event| event["verb"] == verb && event["objectRef"]["name"] == pod);
            if let Some(event) = found {
                return event["annotations"].clone();
            }
            assert!(Instant::now() < end, "no event of {verb} {pod}: {:?}", self.audit());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
