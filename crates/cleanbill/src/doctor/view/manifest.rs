//! A Pod that runs kube-apiserver: its flags, what of the node it sees, its network and its
//! environment. The same for a static pod's file and for what the API gives of its mirror.

use std::path::{Path, PathBuf};

use crate::apiserver::files::Mount;
use crate::apiserver::node::{Node, Value};
use crate::apiserver::{Version, yaml};

/// The program's name, and usually the container's.
pub const PROGRAM: &str = "kube-apiserver";

/// A flag as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Without dashes in front; `_` is written `-`, as Kubernetes reads it.
    pub name: String,
    /// Its value; of several arguments the one that belongs to it.
    pub value: Option<String>,
    /// As it is written.
    pub written: String,
}

/// What of a Pod matters here.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The flags, in order.
    pub flags: Vec<Flag>,
    /// Arguments that are neither flags nor their values.
    pub stray: Vec<String>,
    /// The environment, as far as its values are written in the Pod.
    pub env: Vec<(String, String)>,
    /// Variables whose values stand elsewhere; `*`: there may be any.
    pub env_elsewhere: Vec<String>,
    /// Whether it has the node's network.
    pub host_network: bool,
    /// How names are resolved.
    pub dns_policy: String,
    /// Names that the Pod itself gives addresses.
    pub host_aliases: Vec<(String, String)>,
    /// The image.
    pub image: String,
    /// What of the node is in the container.
    pub mounts: Vec<Mount>,
    /// Where volumes are mounted that are no folders or files of the node.
    pub other_mounts: Vec<PathBuf>,
    /// What the kubelet refuses about its volumes.
    pub faults: Vec<String>,
    /// Volumes of the node that must be there: path and type.
    pub demanded: Vec<(PathBuf, String)>,
}

impl Manifest {
    /// Reads a Pod.
    ///
    /// # Errors
    /// Why the kubelet makes no API server of it.
    pub fn of(pod: &Node) -> Result<Self, String> {
        if pod.get("kind").and_then(Node::text).is_some_and(|kind| kind != "Pod") {
            return Err("its kind is not Pod".into());
        }
        let Some(container) = container(pod) else {
            return Err(format!("no container in it runs {PROGRAM}"));
        };
        let spec = |key: &str| pod.at(&["spec", key]);
        let mut words = Vec::new();
        for item in ["command", "args"].into_iter().filter_map(|key| container.get(key)) {
            for word in item.items() {
                let Value::Text(text) = &word.value else {
                    return Err(format!(
                        "line {}: an argument is no text but {}: quote it, and write the flag \
                         with =",
                        word.line,
                        word.kind()
                    ));
                };
                words.push(text.clone());
            }
        }
        let mut manifest = Self {
            host_network: spec("hostNetwork").is_some_and(|n| n.value == Value::Bool(true)),
            dns_policy: text(spec("dnsPolicy")),
            image: text(container.get("image")),
            ..Self::default()
        };
        manifest.arguments(&words);
        for entry in container.get("env").map(Node::items).unwrap_or_default() {
            let name = text(entry.get("name"));
            if entry.get("valueFrom").is_some() {
                manifest.env_elsewhere.push(name);
            } else {
                manifest.env.push((name, text(entry.get("value"))));
            }
        }
        if container.get("envFrom").is_some_and(|from| !from.items().is_empty()) {
            manifest.env_elsewhere.push("*".to_owned());
        }
        for alias in spec("hostAliases").map(Node::items).unwrap_or_default() {
            for name in alias.get("hostnames").map(Node::items).unwrap_or_default() {
                manifest.host_aliases.push((text(Some(name)), text(alias.get("ip"))));
            }
        }
        manifest.volumes(
            container.get("volumeMounts").map(Node::items).unwrap_or_default(),
            spec("volumes").map(Node::items).unwrap_or_default(),
        );
        Ok(manifest)
    }

    fn arguments(&mut self, words: &[String]) {
        // The program itself, where the image's own entrypoint does not name it.
        let flags = words.iter().position(|word| word.starts_with('-')).unwrap_or(words.len());
        let mut words = words.iter().skip(flags.min(1)).peekable();
        while let Some(word) = words.next() {
            let Some(rest) = word.strip_prefix("--") else {
                self.stray.push(word.clone());
                continue;
            };
            let (name, value) = match rest.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                // Flags of truth values never take the next word; none of ours is one.
                None => (rest, words.next_if(|next| !next.starts_with('-')).cloned()),
            };
            let name = name.replace('_', "-");
            self.flags.push(Flag { name, value, written: word.clone() });
        }
    }

    fn volumes(&mut self, mounts: &[Node], volumes: &[Node]) {
        for mount in mounts {
            let (name, inside) = (text(mount.get("name")), text(mount.get("mountPath")));
            let named = |v: &&Node| text(v.get("name")) == name;
            let Some(volume) = volumes.iter().find(named) else {
                self.faults.push(format!(
                    "the mount at {inside} names a volume {name:?}, which is not under volumes"
                ));
                continue;
            };
            let host = volume.at(&["hostPath", "path"]).and_then(Node::text);
            let (Some(host), None) = (host, mount.get("subPathExpr")) else {
                self.other_mounts.push(PathBuf::from(inside));
                continue;
            };
            let mut outside = PathBuf::from(host);
            if let Some(part) = mount.get("subPath").and_then(Node::text).filter(|p| !p.is_empty())
            {
                outside.push(part);
            }
            self.mounts.push(Mount { inside: PathBuf::from(inside), outside });
        }
        for volume in volumes {
            let Some(host) = volume.at(&["hostPath", "path"]).and_then(Node::text) else {
                continue;
            };
            let kind = text(volume.at(&["hostPath", "type"]));
            self.demanded.push((PathBuf::from(host), kind));
        }
    }

    /// The values of a flag, in order.
    pub fn values<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'m str> {
        self.flags.iter().filter(move |f| f.name == name).map(|f| f.value.as_deref().unwrap_or(""))
    }

    /// The value that counts: the last.
    pub fn value<'m>(&'m self, name: &'m str) -> Option<&'m str> {
        self.values(name).last()
    }

    /// The items of a flag that is a list: all its values together, as pflag joins them.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.values(name).flat_map(|v| v.split(',')).map(str::to_owned).collect()
    }

    /// Which Kubernetes the image's tag says it is.
    pub fn version(&self) -> Option<Version> {
        let name = self.image.split('@').next().unwrap_or_default();
        name.rsplit_once(':')?.1.parse().ok()
    }

    /// A value of the environment, by the first of these names that is set.
    pub fn variable(&self, names: &[&str]) -> Option<(&str, &str)> {
        names.iter().find_map(|name| {
            let of = |(key, value): &&(String, String)| key == name && !value.is_empty();
            self.env.iter().find(of).map(|(key, value)| (key.as_str(), value.as_str()))
        })
    }

    /// Whether what is mounted at a path is no folder of the node, so that nothing can be said.
    pub fn is_elsewhere(&self, path: &Path) -> bool {
        let depth = |m: &Path| m.components().count();
        let other =
            self.other_mounts.iter().filter(|m| path.starts_with(m)).map(|m| depth(m)).max();
        let host = self.mounts.iter().filter(|m| path.starts_with(&m.inside));
        other > host.map(|m| depth(&m.inside)).max()
    }
}

/// Whether a document is a Pod of an API server, or tries to be.
pub fn is_api_server(document: &Node) -> bool {
    container(document).is_some()
}

/// Reads a file's text as the kubelet does.
///
/// # Errors
/// Where it is no YAML.
pub fn parse(text: &str) -> Result<Node, String> {
    yaml::first(text).map_err(|e| e.words)
}

fn container(pod: &Node) -> Option<&Node> {
    let containers = pod.at(&["spec", "containers"])?.items();
    let runs = |c: &&Node| {
        let first = c.get("command").and_then(|n| n.items().first()).and_then(Node::text);
        let program = first.and_then(|p| p.split_whitespace().next()).unwrap_or_default();
        text(c.get("name")) == PROGRAM || program.rsplit('/').next() == Some(PROGRAM)
    };
    containers.iter().find(runs)
}

fn text(node: Option<&Node>) -> String {
    node.and_then(Node::text).unwrap_or_default().to_owned()
}
