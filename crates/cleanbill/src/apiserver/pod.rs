//! Pods as they come to admission: from manifests, and from templates whose pods a controller
//! would make.

use std::collections::BTreeMap;

use super::node::{Node, Value, quote};
use super::version::Version;
use super::{Refused, json, yaml};

/// What the plug-in sees of a pod, and a little more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name; where only a beginning is given, with `xxxxx` behind it.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Images of its containers, in order.
    pub containers: Vec<String>,
    /// Images of its init containers, in order.
    pub init_containers: Vec<String>,
    /// Images of its ephemeral containers, in order.
    pub ephemeral_containers: Vec<String>,
    /// Images that it mounts: never asked about.
    pub volumes: Vec<String>,
    /// The object that a controller makes it for (`Deployment web`).
    pub made_for: Option<String>,
}

/// Which part of a pod changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// CREATE of `pods`.
    Create,
    /// UPDATE of `pods`.
    Update,
    /// UPDATE of `pods/ephemeralcontainers`.
    Ephemeral,
}

impl Operation {
    /// The word for it on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Ephemeral => "ephemeral",
        }
    }
}

/// Objects whose pods a controller makes, and where their template stands.
const TEMPLATES: [(&str, &[&str]); 8] = [
    ("Deployment", &["spec", "template"]),
    ("ReplicaSet", &["spec", "template"]),
    ("StatefulSet", &["spec", "template"]),
    ("DaemonSet", &["spec", "template"]),
    ("Job", &["spec", "template"]),
    ("ReplicationController", &["spec", "template"]),
    ("PodTemplate", &["template"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// Reads all pods of a file: YAML with several documents, JSON, or lists as kubectl prints them.
/// What is neither a pod nor makes any is named second.
///
/// # Errors
/// Where it is neither YAML nor JSON, or a pod is one that an API server refuses before it asks:
/// without containers, with an image or an annotation that is no text.
pub fn read(text: &str, namespace: &str) -> Result<(Vec<Pod>, Vec<String>), Refused> {
    let documents = if json::is_json(text) { vec![json::read(text)?] } else { yaml::all(text)? };
    let (mut pods, mut others) = (Vec::new(), Vec::new());
    for document in &documents {
        object(document, "", namespace, &mut pods, &mut others)?;
    }
    Ok((pods, others))
}

/// `kind`: what it is where it does not say, as the items of an API server's own lists do not.
fn object(
    node: &Node,
    kind: &str,
    namespace: &str,
    pods: &mut Vec<Pod>,
    others: &mut Vec<String>,
) -> Result<(), Refused> {
    let kind = node.get("kind").and_then(Node::text).unwrap_or(kind);
    let name = node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    let own = node.at(&["metadata", "namespace"]).and_then(Node::text);
    let namespace = own.filter(|n| !n.is_empty()).unwrap_or(namespace);
    match kind {
        "" if node.value == Value::Null => {}
        "Pod" => pods.push(pod(node, namespace, None)?),
        kind if kind.ends_with("List") => {
            let of = kind.trim_end_matches("List");
            for item in node.get("items").map(Node::items).unwrap_or_default() {
                object(item, of, namespace, pods, others)?;
            }
        }
        kind => match TEMPLATES.iter().find(|(of, _)| *of == kind) {
            Some((_, path)) => {
                let template = node.at(path).cloned().unwrap_or_else(Node::null);
                let mut pod = pod(&template, namespace, Some(format!("{kind} {name}")))?;
                pod.name = format!("{name}-xxxxx");
                pods.push(pod);
            }
            None => others.push(format!("{kind} {name}")),
        },
    }
    Ok(())
}

fn pod(node: &Node, namespace: &str, made_for: Option<String>) -> Result<Pod, Refused> {
    let meta = |key: &str| node.at(&["metadata", key]).and_then(Node::text).unwrap_or_default();
    let name = match (meta("name"), meta("generateName")) {
        ("", "") => "Unknown".to_owned(),
        ("", start) => format!("{start}xxxxx"),
        (name, _) => name.to_owned(),
    };
    let of = made_for.as_deref().unwrap_or(&name);
    let wrong = |why: &str, line: usize| {
        Refused::new(format!("{of}: {why}, so kube-apiserver refuses it before it asks")).at(line)
    };
    let images = |list: &str| -> Result<Vec<String>, Refused> {
        let Some(list) = node.at(&["spec", list]) else { return Ok(Vec::new()) };
        let image = |c: &Node| match c.get("image").map(|image| (&image.value, image.line)) {
            None | Some((Value::Null, _)) => Ok(String::new()),
            Some((Value::Text(image), _)) => Ok(image.clone()),
            Some((_, line)) => Err(wrong("an image is no text", line)),
        };
        match &list.value {
            Value::Null | Value::List(_) => list.items().iter().map(image).collect(),
            _ => Err(wrong("its containers are no list", list.line)),
        }
    };
    let containers = images("containers")?;
    if containers.is_empty() {
        return Err(wrong("it has no containers", node.line));
    }
    let (init_containers, ephemeral_containers) =
        (images("initContainers")?, images("ephemeralContainers")?);
    let mut annotations = BTreeMap::new();
    for entry in node.at(&["metadata", "annotations"]).map(Node::entries).unwrap_or_default() {
        let Some(value) = entry.node.text() else {
            return Err(wrong(&format!("its annotation {} is no text", entry.key), entry.line));
        };
        annotations.insert(entry.key.clone(), value.to_owned());
    }
    let volumes = node.at(&["spec", "volumes"]).map(Node::items).unwrap_or_default();
    let volume = |v: &Node| v.at(&["image", "reference"]).and_then(Node::text).map(str::to_owned);
    let volumes = volumes.iter().filter_map(volume).collect();
    Ok(Pod {
        namespace: namespace.to_owned(),
        annotations,
        containers,
        init_containers,
        ephemeral_containers,
        volumes,
        made_for: made_for.clone(),
        name,
    })
}

impl Pod {
    /// One with these containers and nothing else.
    pub fn of(name: &str, namespace: &str, containers: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            annotations: BTreeMap::new(),
            containers,
            init_containers: Vec::new(),
            ephemeral_containers: Vec::new(),
            volumes: Vec::new(),
            made_for: None,
        }
    }

    /// The images that are asked about, in the plug-in's order, duplicates kept.
    pub fn asked(&self, operation: Operation) -> Vec<&str> {
        let both = || self.containers.iter().chain(&self.init_containers);
        match operation {
            Operation::Create | Operation::Update => both().map(String::as_str).collect(),
            Operation::Ephemeral => self.ephemeral_containers.iter().map(String::as_str).collect(),
        }
    }

    /// The annotations that are sent along: those whose key holds `.image-policy.k8s.io/`.
    pub fn sent(&self) -> BTreeMap<&str, &str> {
        let ours = |key: &&String| key.contains(".image-policy.k8s.io/");
        let all = self.annotations.iter().filter(|(key, _)| ours(key));
        all.map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    /// The `spec` of the question, which is also the key of the memory.
    pub fn spec(&self, operation: Operation) -> String {
        let mut out = String::from("{");
        let images = self.asked(operation);
        if !images.is_empty() {
            out.push_str("\"containers\":[");
            for (at, image) in images.into_iter().enumerate() {
                out.push_str(if at > 0 { ",{" } else { "{" });
                if !image.is_empty() {
                    out.push_str("\"image\":");
                    quote(image, &mut out);
                }
                out.push('}');
            }
            out.push(']');
        }
        let annotations = self.sent();
        if !annotations.is_empty() {
            separate(&mut out);
            out.push_str("\"annotations\":{");
            for (at, (key, value)) in annotations.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(key, &mut out);
                out.push(':');
                quote(value, &mut out);
            }
            out.push('}');
        }
        if !self.namespace.is_empty() {
            separate(&mut out);
            out.push_str("\"namespace\":");
            quote(&self.namespace, &mut out);
        }
        out.push('}');
        out
    }

    /// The whole question, with the newline at its end.
    pub fn question(&self, operation: Operation, version: Version) -> String {
        let metadata = if version.minor >= 34 { "{}" } else { "{\"creationTimestamp\":null}" };
        let spec = self.spec(operation);
        format!(
            "{{\"kind\":\"ImageReview\",\"apiVersion\":\"imagepolicy.k8s.io/v1alpha1\",\
             \"metadata\":{metadata},\"spec\":{spec},\"status\":{{\"allowed\":false}}}}\n"
        )
    }
}

fn separate(out: &mut String) {
    if out.len() > 1 {
        out.push(',');
    }
}
