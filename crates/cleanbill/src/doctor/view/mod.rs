//! Everything that is looked at, gathered once. The checks judge it and gather nothing.

pub mod audit;
pub mod cluster;
pub mod folder;
pub mod gate;
pub mod manifest;
pub mod metrics;
pub mod probe;
pub mod server;
pub mod target;

use std::path::Path;

use cleanbill_core::Timestamp;

use super::Input;
use super::found::NotLooked;
use crate::apiserver::node::Node;
use crate::apiserver::{Files, Version};
use audit::{Kept, Trace};
use cluster::Cluster;
use folder::Folder;
use gate::Gate;
use metrics::Metrics;
use server::Server;

/// The view.
pub struct View {
    /// What of the network was touched.
    pub network: super::Network,
    /// The time of the examination.
    pub now: Timestamp,
    /// The folder that the kubelet reads; `None`: no node is at hand.
    pub folder: Option<Folder>,
    /// The API servers, in the order in which they were found or given.
    pub servers: Vec<Server>,
    /// The gate's own side, or why not.
    pub gate: Result<Gate, String>,
    /// Whether a configuration of the gate was named.
    pub gate_named: bool,
    /// A running cluster, or why not.
    pub cluster: Result<Cluster, String>,
    /// Whether a kubeconfig of a cluster was given.
    pub cluster_named: bool,
    /// Metrics, of a copy or the cluster.
    pub metrics: Result<Metrics, String>,
    /// The audit policy, or why not; `Ok(None)`: the API server has none.
    pub audit_policy: Result<Option<Kept>, String>,
    /// What the audit log says.
    pub audit_log: Result<Trace, String>,
}

impl View {
    /// Looks.
    pub fn of(input: &Input) -> Self {
        let node = input.root.as_deref().map(Files::below);
        let folder = node.as_ref().filter(|_| input.manifests.is_empty()).map(folder::look);
        let cluster = match &input.kubeconfig {
            None => Err("no cluster was named (--kubeconfig FILE)".to_owned()),
            Some(_) if input.network == super::Network::Untouched => {
                Err("the network is not touched (--offline)".to_owned())
            }
            Some(file) => cluster::read(file),
        };
        let servers = servers(input, node.as_ref(), folder.as_ref(), cluster.as_ref().ok());
        let gate = match &input.gate_config {
            None => Err("the gate's configuration was not named (--gate-config FILE)".to_owned()),
            Some(file) => gate::read(file, node.as_ref()),
        };
        let metrics = match (&input.metrics, &cluster) {
            (Some(file), _) => read(file).and_then(|text| {
                let none = || format!("{} has no metrics of an API server", file.display());
                Metrics::of(&text).ok_or_else(none)
            }),
            (None, Ok(cluster)) => cluster.metrics.clone(),
            (None, Err(_)) => {
                Err("no metrics were given (--metrics FILE or --kubeconfig FILE)".to_owned())
            }
        };
        Self {
            network: input.network,
            now: input.now,
            folder,
            audit_policy: audit_policy(input, &servers),
            audit_log: audit_log(input, &servers),
            servers,
            gate,
            gate_named: input.gate_config.is_some(),
            cluster,
            cluster_named: input.kubeconfig.is_some(),
            metrics,
        }
    }

    /// The gate.
    ///
    /// # Errors
    /// Where its configuration is not here.
    pub fn gate(&self) -> Result<&Gate, NotLooked> {
        self.gate.as_ref().map_err(|why| {
            NotLooked(if self.gate_named {
                "the gate's configuration cannot be used, as said above".to_owned()
            } else {
                why.clone()
            })
        })
    }
}

fn servers(
    input: &Input,
    node: Option<&Files>,
    folder: Option<&Folder>,
    cluster: Option<&Cluster>,
) -> Vec<Server> {
    let mut found: Vec<(String, Option<Node>, Option<Version>)> = Vec::new();
    for file in &input.manifests {
        let parsed = read(file).and_then(|text| manifest::parse(&text));
        // What cannot be read is a Pod of nothing, of which the first check says why.
        let pod = parsed.unwrap_or_else(|why| Node {
            value: crate::apiserver::node::Value::Text(why),
            line: 0,
        });
        found.push((file.display().to_string(), Some(pod), None));
    }
    for (path, pod) in folder.map(|f| f.servers.as_slice()).unwrap_or_default() {
        found.push((path.display().to_string(), Some(pod.clone()), None));
    }
    let version = cluster.and_then(|c| c.version.as_ref().ok()?.parse().ok());
    for (name, pod) in cluster.and_then(|c| c.pods.as_ref().ok()).into_iter().flatten() {
        found.push((format!("pod {name}"), Some(pod.clone()), version));
    }
    if found.is_empty() && (input.admission_config.is_some() || folder.is_none()) {
        found.push(("kube-apiserver".to_owned(), None, version));
    }
    found
        .into_iter()
        .map(|(name, pod, version)| Server::read(name, pod.as_ref(), node.cloned(), version, input))
        .collect()
}

fn audit_policy(input: &Input, servers: &[Server]) -> Result<Option<Kept>, String> {
    let text = match &input.audit_policy {
        Some(file) => read(file)?,
        None => {
            let server = servers.first().ok_or("no API server was found")?;
            let pod = server.pod().map_err(|e| e.0)?;
            let Some(path) = pod.value("audit-policy-file").filter(|v| !v.is_empty()) else {
                return Ok(None);
            };
            let inside = server.inside.as_ref().ok_or(server::NO_NODE)?;
            let bytes = inside.read(Path::new(path))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    audit::policy(&text).map(Some)
}

fn audit_log(input: &Input, servers: &[Server]) -> Result<Trace, String> {
    let place = match &input.audit_log {
        Some(file) => file.clone(),
        None => {
            let server = servers.first().ok_or("no API server was found")?;
            let pod = server.pod().map_err(|e| e.0)?;
            let path = pod.value("audit-log-path").filter(|v| !v.is_empty() && *v != "-");
            let path = path.ok_or("no audit log was given (--audit-log FILE)")?;
            let inside = server.inside.as_ref().ok_or(server::NO_NODE)?;
            inside.locate(Path::new(path)).ok_or("the audit log is not mounted")?
        }
    };
    std::fs::File::open(&place)
        .and_then(audit::log)
        .map_err(|e| format!("{} cannot be read: {e}", place.display()))
}

fn read(file: &Path) -> Result<String, String> {
    let here = Files::here();
    here.read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The seconds of a `Date` header.
pub fn http_date(text: &str) -> Option<i64> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(|t| t.as_second())
}

/// How many letters must be changed, put in or left out to make one word of another.
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let here = (before + usize::from(x != y)).min(left + 1).min(*cell + 1);
            before = std::mem::replace(cell, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, http_date};

    #[test]
    fn words_are_compared_and_dates_read() {
        let table = [("a", "a", 0), ("manifest", "manifests", 1), ("", "abc", 3), ("abc", "", 3)];
        for (a, b, want) in table {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
        assert_eq!(distance("enable-admission-plugin", "enable-admission-plugins"), 1);
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }
}
