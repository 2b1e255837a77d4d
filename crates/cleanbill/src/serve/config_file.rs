//! `cleanbill.yaml` as a person writes it → a valid [`Config`], or everything that is wrong with
//! it, at once, each with its place and a hint. Reads nothing but the text it is given.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cleanbill_core::platform::Platform;

use super::config::{
    Bounds, Config, Kubernetes, PolicySource, RegistryAccess, SCAN_WORST, Tls, Unexamined, Work,
};
use crate::policy_file::node::{Node, Placed};
use crate::policy_file::read::Reader;
use crate::policy_file::{self, Problem};
use crate::store::{Keep, Room};

mod kept;

const KEYS: [&str; 15] = [
    "listen",
    "metrics_listen",
    "tls",
    "policy",
    "db",
    "state_dir",
    "platforms",
    "registries",
    "checkers",
    "kubernetes",
    "when_unexamined",
    "limits",
    "tag_ttl",
    "decisions",
    "facts",
];
const TLS_KEYS: [&str; 4] = ["cert", "key", "client_ca", "client_names"];
const REGISTRY_KEYS: [&str; 7] =
    ["host", "plain_http", "private", "username", "password_file", "realms", "ca"];
const KUBERNETES_KEYS: [&str; 2] = ["kubeconfig", "in_cluster"];
const LIMIT_KEYS: [&str; 14] = [
    "budget",
    "examination_time",
    "connections",
    "requests",
    "containers",
    "body_bytes",
    "admission_bytes",
    "evidence_memory",
    "parallel_examinations",
    "waiting",
    "handshake_time",
    "scan_memory",
    "shutdown_time",
    "drain",
];

/// Reads a configuration. `file` is its path: for the problems, and because relative paths are
/// relative to its folder.
///
/// # Errors
/// All problems, in the order of the file; never an empty list.
pub fn parse(text: &str, file: &Path) -> Result<Config, Vec<Problem>> {
    let name = file.display().to_string();
    let root = policy_file::tree(text, &name)?;
    let reader = Reader { file: &name, text, problems: Vec::new() };
    let mut raw = Raw { reader, folder: file.parent().unwrap_or(Path::new("")) };
    let config = raw.config(&root);
    let mut problems = raw.reader.problems;
    problems.sort_by_key(|p| (p.line, p.column));
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ if problems.is_empty() => Err(vec![Problem {
            file: name,
            line: 1,
            column: 1,
            message: "the configuration is incomplete".into(),
            hint: "`cleanbill setup DIR` writes a complete one".into(),
        }]),
        _ => Err(problems),
    }
}

/// Reads bytes as a configuration: the entry for fuzzing. True when it was one.
pub fn fuzz_config(bytes: &[u8]) -> bool {
    parse(&String::from_utf8_lossy(bytes), Path::new("fuzz")).is_ok()
}

struct Raw<'a> {
    reader: Reader<'a>,
    folder: &'a Path,
}

impl Raw<'_> {
    fn config(&mut self, root: &Placed) -> Option<Config> {
        let (mut listen, mut metrics_listen, mut tls, mut policy) = (None, None, None, None);
        let (mut db, mut state_dir) = (None, None);
        let (mut platforms, mut registries) = (Vec::new(), Vec::new());
        let (mut checkers, mut kubernetes) = (Vec::new(), None);
        let (mut bounds, mut work) = (Bounds::default(), Work::default());
        let (mut keep, mut room) = (Keep::default(), Room::default());
        let entries = self.reader.entries(root, "the configuration", &KEYS);
        self.demand(root, &entries, &["listen", "tls", "policy", "state_dir"]);
        for (key, value) in entries {
            match key {
                "listen" => listen = self.address(key, value),
                "metrics_listen" => metrics_listen = self.address(key, value),
                "tls" => tls = self.tls(value),
                "policy" => policy = self.policy(value),
                "db" => db = self.path(key, value),
                "state_dir" => state_dir = self.path(key, value),
                "platforms" => {
                    for entry in self.reader.list(key, value) {
                        platforms.extend(self.platform(entry));
                    }
                }
                "registries" => {
                    for entry in self.reader.list(key, value) {
                        registries.extend(self.registry(entry));
                    }
                }
                "limits" => self.limits(value, &mut bounds, &mut work),
                "checkers" => {
                    checkers =
                        crate::checkers::config_file::read(&mut self.reader, self.folder, value)
                }
                "kubernetes" => kubernetes = self.kubernetes(value),
                "when_unexamined" => bounds.when_unexamined = self.when_unexamined(value),
                "decisions" => self.decisions(value, &mut keep, &mut room),
                "facts" => self.facts(value, &mut room),
                // `entries` gives none but the known keys: this is `tag_ttl`.
                _ => self.time(key, value, 0, 86_400, &mut work.tag_ttl),
            }
        }
        Some(Config {
            listen: listen?,
            metrics_listen,
            tls: tls?,
            policy: policy?,
            db,
            state_dir: state_dir?,
            platforms,
            registries,
            checkers,
            kubernetes,
            bounds,
            work,
            keep,
            room,
        })
    }

    fn tls(&mut self, node: &Placed) -> Option<Tls> {
        let (mut cert, mut key_file, mut client_ca) = (None, None, None);
        let mut client_names = Vec::new();
        let entries = self.reader.entries(node, "\"tls\"", &TLS_KEYS);
        self.demand(node, &entries, &TLS_KEYS);
        for (key, value) in entries {
            match key {
                "cert" => cert = self.path(key, value),
                "key" => key_file = self.path(key, value),
                "client_ca" => client_ca = self.path(key, value),
                _ => client_names = self.texts(key, value),
            }
        }
        Some(Tls { cert: cert?, key: key_file?, client_ca: client_ca?, client_names })
    }

    fn policy(&mut self, node: &Placed) -> Option<PolicySource> {
        match &node.value {
            Node::Map(_) => Some(PolicySource::Inline(Box::new(self.reader.policy(node)))),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => {
                self.path("policy", node).map(PolicySource::File)
            }
        }
    }

    fn registry(&mut self, node: &Placed) -> Option<RegistryAccess> {
        let mut access = RegistryAccess {
            host: String::new(),
            plain_http: false,
            private: false,
            username: None,
            password_file: None,
            realms: Vec::new(),
            ca: None,
        };
        let entries = self.reader.entries(node, "a registry", &REGISTRY_KEYS);
        self.demand(node, &entries, &["host"]);
        for (key, value) in entries {
            match key {
                "host" => access.host = self.host(value).unwrap_or_default(),
                "plain_http" => access.plain_http = self.reader.boolean(key, value),
                "private" => access.private = self.reader.boolean(key, value),
                "username" => access.username = self.reader.text(key, value),
                "password_file" => access.password_file = self.path(key, value),
                "realms" => access.realms = self.texts(key, value),
                _ => access.ca = self.path(key, value),
            }
        }
        if access.username.is_some() != access.password_file.is_some() {
            self.reader.problem(
                node.referenced,
                "a registry has one of \"username\" and \"password_file\" alone".into(),
                "give both, or neither",
            );
        }
        Some(access)
    }

    fn limits(&mut self, node: &Placed, bounds: &mut Bounds, work: &mut Work) {
        for (key, value) in self.reader.entries(node, "\"limits\"", &LIMIT_KEYS) {
            match key {
                "budget" => self.time(key, value, 1, 28, &mut bounds.budget),
                "examination_time" => self.time(key, value, 1, 86_400, &mut work.examination),
                "handshake_time" => self.time(key, value, 1, 60, &mut bounds.handshake_time),
                "shutdown_time" => self.time(key, value, 1, 3600, &mut bounds.shutdown_time),
                "drain" => self.time(key, value, 0, 600, &mut bounds.drain),
                "scan_memory" => self.bytes(key, value, SCAN_WORST, &mut work.scan_memory),
                "connections" => self.count(key, value, 65_536, &mut bounds.connections),
                "requests" => self.count(key, value, 65_536, &mut bounds.requests),
                "containers" => self.count(key, value, 10_000, &mut bounds.containers),
                "body_bytes" => self.count(key, value, 32 << 20, &mut bounds.body_bytes),
                "admission_bytes" => {
                    self.count(key, value, 32 << 20, &mut bounds.admission_bytes);
                }
                "evidence_memory" => self.bytes(key, value, 1 << 20, &mut work.known_bytes),
                "waiting" => self.count(key, value, 1 << 20, &mut work.waiting),
                _ => self.count(key, value, 256, &mut work.parallel_examinations),
            }
        }
    }

    /// `kubeconfig: FILE` or `in_cluster: true`.
    fn kubernetes(&mut self, node: &Placed) -> Option<Kubernetes> {
        let mut found = vec![];
        for (key, value) in self.reader.entries(node, "\"kubernetes\"", &KUBERNETES_KEYS) {
            match key {
                "kubeconfig" => found.extend(self.path(key, value).map(Kubernetes::Kubeconfig)),
                _ if self.reader.boolean(key, value) => found.push(Kubernetes::InCluster),
                _ => {}
            }
        }
        if found.len() != 1 {
            let what = "\"kubernetes\" says neither kubeconfig: FILE nor in_cluster: true, or both";
            self.reader.problem(node.referenced, what.into(), "write one of them");
        }
        found.pop()
    }

    fn when_unexamined(&mut self, node: &Placed) -> Unexamined {
        let text = node.value.as_text();
        if !["deny", "fail"].contains(&text) {
            let message = "\"when_unexamined\" is neither deny nor fail".to_owned();
            self.reader.problem(node.referenced, message, "docs/gate.md says what they do");
        }
        if text == "fail" { Unexamined::Fail } else { Unexamined::Deny }
    }

    fn demand(&mut self, node: &Placed, entries: &[(&'static str, &Placed)], keys: &[&str]) {
        if !matches!(node.value, Node::Map(_)) {
            return;
        }
        for key in keys {
            if !entries.iter().any(|(k, _)| k == key) {
                let hint = "`cleanbill setup DIR` writes a complete configuration";
                self.reader.problem(node.referenced, format!("\"{key}\" is missing"), hint);
            }
        }
    }

    fn address(&mut self, key: &str, node: &Placed) -> Option<SocketAddr> {
        let address = self.reader.text(key, node)?.parse().ok();
        if address.is_none() {
            let message = format!("\"{key}\" is no address with a port");
            self.reader.problem(
                node.referenced,
                message,
                "write it as 127.0.0.1:1234, 0.0.0.0:1234 or [::]:1234",
            );
        }
        address
    }

    fn path(&mut self, key: &str, node: &Placed) -> Option<PathBuf> {
        self.reader.text(key, node).map(|text| self.folder.join(text))
    }

    /// A list of texts that is not empty.
    fn texts(&mut self, key: &str, node: &Placed) -> Vec<String> {
        let list = self.reader.list(key, node);
        if list.is_empty() && matches!(node.value, Node::List(_)) {
            let hint = "name at least one, or remove the key";
            self.reader.problem(node.referenced, format!("\"{key}\" is an empty list"), hint);
        }
        list.iter().filter_map(|entry| self.reader.text(key, entry)).collect()
    }

    fn platform(&mut self, node: &Placed) -> Option<Platform> {
        let text = self.reader.text("platforms", node)?;
        let platform = text.parse().ok();
        if platform.is_none() {
            let message = "\"platforms\" has what is no platform".to_owned();
            self.reader.problem(node.referenced, message, "write OS/ARCH, such as linux/amd64");
        }
        platform
    }

    fn host(&mut self, node: &Placed) -> Option<String> {
        let text = self.reader.text("host", node)?;
        let name = format!("{text}/x").parse::<cleanbill_core::reference::ImageRef>();
        if name.is_ok_and(|name| name.registry() == text) {
            return Some(text);
        }
        self.reader.problem(
            node.referenced,
            "\"host\" is no registry".into(),
            "write it as in image names, such as registry.example:5000, without https://",
        );
        None
    }

    fn time(&mut self, key: &str, node: &Placed, least: u64, most: u64, into: &mut Duration) {
        let text = match &node.value {
            Node::Text(text) => text.as_str(),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => "",
        };
        let seconds = [("s", 1), ("m", 60), ("h", 3600)]
            .into_iter()
            .find_map(|(unit, scale)| {
                let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
                number.checked_mul(scale)
            })
            .filter(|seconds| (least..=most).contains(seconds));
        match seconds {
            Some(seconds) => *into = Duration::from_secs(seconds),
            None => {
                let hint = format!("write it as 10s or 5m; from {least}s to {most}s");
                self.reader.problem(node.referenced, format!("\"{key}\" is no time"), hint);
            }
        }
    }

    /// A number of bytes, as `2048M` or `2G` (powers of 1024).
    fn bytes(&mut self, key: &str, node: &Placed, least: u64, into: &mut u64) {
        let text = match &node.value {
            Node::Text(text) => text.as_str(),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => "",
        };
        let bytes = [("M", 20), ("G", 30)]
            .into_iter()
            .find_map(|(unit, shift)| {
                let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
                number.checked_mul(1 << shift)
            })
            .filter(|bytes| (least..=1 << 40).contains(bytes));
        match bytes {
            Some(bytes) => *into = bytes,
            None => {
                let hint = format!("write it as 2048M or 2G; at least {}M", least >> 20);
                self.reader.problem(node.referenced, format!("\"{key}\" is no size"), hint);
            }
        }
    }

    fn count(&mut self, key: &str, node: &Placed, most: usize, into: &mut usize) {
        let number = match &node.value {
            Node::Number(number) => number.parse().ok().filter(|n| (1..=most).contains(n)),
            Node::Null | Node::Bool(_) | Node::Text(_) | Node::List(_) | Node::Map(_) => None,
        };
        match number {
            Some(number) => *into = number,
            None => {
                let message = format!("\"{key}\" is no number within bounds");
                self.reader.problem(node.referenced, message, format!("from 1 to {most}"));
            }
        }
    }
}

#[cfg(test)]
#[path = "config_file_tests.rs"]
mod tests;
