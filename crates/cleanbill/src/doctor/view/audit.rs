//! Where failing open would show: the audit policy, and what an audit log says.

use std::io::{BufRead as _, BufReader, Read};

use serde_json::Value;

use crate::apiserver::node::Node;
use crate::apiserver::yaml;

/// The annotation by which kube-apiserver says that it let a pod in without an answer.
pub const FAILED_OPEN: &str = "imagepolicywebhook.image-policy.k8s.io/failed-open";
/// The longest line of a log that is read.
const LINE_MAX: u64 = 8 << 20;

/// What becomes of the event of a pod's creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Recorded, by the rule of this number.
    Recorded(usize),
    /// Dropped, by the rule of this number; 0: no rule is about it.
    Dropped(usize),
    /// Dropped for some users or namespaces by the rule of this number, else recorded.
    Partly(usize),
}

/// Reads an audit policy.
///
/// # Errors
/// Where it is none.
pub fn policy(text: &str) -> Result<Kept, String> {
    let document = yaml::first(text).map_err(|e| e.words)?;
    let said = |key: &str| document.get(key).and_then(Node::text).unwrap_or_default();
    if said("kind") != "Policy" || !said("apiVersion").starts_with("audit.k8s.io/") {
        return Err("it is no Policy of audit.k8s.io".into());
    }
    let mut partly = None;
    for (at, rule) in document.get("rules").map(Node::items).unwrap_or_default().iter().enumerate()
    {
        if !is_about_pods(rule) {
            continue;
        }
        let level = rule.get("level").and_then(Node::text).unwrap_or_default();
        let some = ["users", "userGroups", "namespaces"];
        let limited = some.iter().any(|key| rule.get(key).is_some_and(|n| !n.items().is_empty()));
        match (level, limited) {
            ("None", true) => partly = partly.or(Some(at + 1)),
            ("None", false) => return Ok(Kept::Dropped(at + 1)),
            (_, true) => {}
            (_, false) => return Ok(partly.map_or(Kept::Recorded(at + 1), Kept::Partly)),
        }
    }
    Ok(Kept::Dropped(0))
}

/// Whether a rule is about creating pods, whoever does it.
fn is_about_pods(rule: &Node) -> bool {
    let texts = |node: Option<&Node>| -> Vec<String> {
        let items = node.map(Node::items).unwrap_or_default();
        items.iter().filter_map(Node::text).map(str::to_owned).collect()
    };
    let verbs = texts(rule.get("verbs"));
    if !verbs.is_empty() && !verbs.iter().any(|v| v == "create" || v == "*") {
        return false;
    }
    let resources = rule.get("resources").map(Node::items).unwrap_or_default();
    if resources.is_empty() {
        return rule.get("nonResourceURLs").is_none();
    }
    resources.iter().any(|group| {
        let names = texts(group.get("resources"));
        let core = group.get("group").and_then(Node::text).unwrap_or_default().is_empty();
        let named = texts(group.get("resourceNames"));
        core && named.is_empty()
            && (names.is_empty() || names.iter().any(|n| n == "pods" || n == "*"))
    })
}

/// What an audit log says of failing open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Events that were read.
    pub events: u64,
    /// Lines that were none.
    pub unread: u64,
    /// Pods that were let in without an answer.
    pub open: u64,
    /// When the last was.
    pub last: Option<String>,
    /// Whom it was, `namespace/name`, of the last.
    pub pod: Option<String>,
}

/// Reads an audit log, one event a line.
///
/// # Errors
/// Where it cannot be read.
pub fn log(from: impl Read) -> std::io::Result<Trace> {
    let mut from = BufReader::new(from);
    let mut trace = Trace::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(trace);
        }
        let is_object = line.starts_with(b"{") && line.trim_ascii_end().ends_with(b"}");
        // Logs are large, and few events have the annotation.
        if is_object && memchr::memmem::find(&line, b"failed-open").is_none() {
            trace.events += 1;
            continue;
        }
        let Ok(event) = serde_json::from_slice::<Value>(&line) else {
            trace.unread += u64::from(!line.trim_ascii().is_empty());
            continue;
        };
        trace.events += 1;
        let said = event.get("annotations").and_then(|a| a.get(FAILED_OPEN));
        if said.and_then(Value::as_str) == Some("true") {
            trace.open += 1;
            let text = |path: &str| event.pointer(path).and_then(Value::as_str).map(str::to_owned);
            trace.last = text("/requestReceivedTimestamp").or(trace.last);
            let (namespace, name) = (text("/objectRef/namespace"), text("/objectRef/name"));
            trace.pod = Some([namespace, name].map(Option::unwrap_or_default).join("/"));
        }
    }
}
