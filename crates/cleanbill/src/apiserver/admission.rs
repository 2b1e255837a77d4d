//! `--admission-control-config-file`: which configuration a plug-in gets.
//!
//! Follows `ReadAdmissionConfiguration` of `k8s.io/apiserver/pkg/admission`. Unknown and doubled
//! fields are refused since 1.32; what stands below a plug-in's `configuration` is the plug-in's
//! own, where only doubled keys of YAML are seen.

use std::path::{Path, PathBuf};

use super::node::{Entry, Node, Value};
use super::{Files, Refused, Version, json};

/// The kind of the file.
pub const KIND: &str = "AdmissionConfiguration";
/// The versions that it can have.
pub const API_VERSIONS: [&str; 2] = ["apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1"];
/// The plug-in that this is about.
pub const PLUGIN: &str = "ImagePolicyWebhook";
/// What kube-apiserver puts before an error of this file.
pub const READING: &str = "failed to read plugin config: ";

/// What a plug-in reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// What stood inline, which kube-apiserver hands on as JSON; else the file's text.
    pub content: Content,
    /// Where it came from.
    pub from: From,
}

/// A plug-in's configuration as it is handed on.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Part of a document that was read already.
    Read(Node),
    /// Text that nobody has read yet.
    Text(String),
}

/// Where a plug-in's configuration stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// Under `plugins[].configuration`.
    Inline,
    /// In the file that `plugins[].path` names.
    Path(PathBuf),
    /// The file itself is the plug-in's, as before there was an AdmissionConfiguration.
    Legacy,
}

/// Reads the file and finds what the plug-in [`PLUGIN`] gets; `None`: nothing is said about it.
///
/// # Errors
/// What ends kube-apiserver. What comes before the plug-in is asked begins with [`READING`].
pub fn plugin(files: &Files, path: &Path, version: Version) -> Result<Option<Given>, Refused> {
    let bytes = files.read(path).map_err(|e| {
        let shown = path.display().to_string();
        Refused::new(format!(
            "{READING}unable to read admission control configuration from {shown:?} [{e}]"
        ))
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let reading = |e: Refused| Refused { words: format!("{READING}{}", e.words), ..e };
    let Some(document) = read(&text, version).map_err(reading)? else {
        return Ok(Some(Given { content: Content::Text(text), from: From::Legacy }));
    };
    let entries = document.get("plugins").map(Node::items).unwrap_or_default();
    let named = |entry: &&Node| entry.get("name").and_then(Node::text) == Some(PLUGIN);
    let Some(entry) = entries.iter().find(named) else { return Ok(None) };
    if let Some(inline) = entry.get("configuration")
        && inline.value != Value::Null
    {
        return Ok(Some(Given { content: Content::Read(inline.clone()), from: From::Inline }));
    }
    let Some(name) = entry.get("path").and_then(Node::text).filter(|p| !p.is_empty()) else {
        return Ok(None);
    };
    let own = files.absolute(path);
    let file = own.parent().unwrap_or(Path::new("/")).join(name);
    let bytes = files.read(&file).map_err(|e| {
        let shown = file.display();
        Refused::new(format!("Couldn't open admission plugin configuration {shown}: {e}"))
            .at(entry.line)
    })?;
    let content = Content::Text(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Some(Given { content, from: From::Path(file) }))
}

/// Reads the text of an AdmissionConfiguration; `None`: it is a plug-in's own, as long ago.
///
/// # Errors
/// What ends kube-apiserver.
pub fn read(text: &str, version: Version) -> Result<Option<Node>, Refused> {
    let document = json::either(text)?;
    if let Err(unknown) = recognised(&document) {
        let legacy = ["imagePolicy", "podNodeSelectorPluginConfig"];
        let is_legacy = legacy.iter().any(|key| document.get(key).is_some());
        return if is_legacy { Ok(None) } else { Err(unknown) };
    }
    typed(&document)?;
    if version.reads_strictly() {
        strictly(&document, json::is_json(text))?;
    }
    Ok(Some(document))
}

/// Whether kind and version are known.
fn recognised(document: &Node) -> Result<(), Refused> {
    let field = |key: &str| match document.get(key).map(|node| (&node.value, node.line)) {
        None | Some((Value::Null, _)) => Ok(String::new()),
        Some((Value::Text(text), _)) => Ok(text.clone()),
        Some((_, line)) => {
            let kind = document.get(key).map(Node::kind).unwrap_or_default();
            Err(Refused::new(format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into \
                 Go struct field .{key} of type string"
            ))
            .at(line))
        }
    };
    if !matches!(document.value, Value::Map(_) | Value::Null) {
        let kind = document.kind();
        return Err(Refused::new(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into Go \
             value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind \
             string \"json:\\\"kind,omitempty\\\"\" }}"
        )));
    }
    let (version, kind) = (field("apiVersion")?, field("kind")?);
    if kind.is_empty() {
        return Err(Refused::new(format!("Object 'Kind' is missing in '{}'", document.json())));
    }
    if version.is_empty() {
        let json = document.json();
        return Err(Refused::new(format!("Object 'apiVersion' is missing in '{json}'")));
    }
    if kind != KIND || !API_VERSIONS.contains(&version.as_str()) {
        let at = document.get("apiVersion").map_or(0, |node| node.line);
        return Err(Refused::new(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme"
        ))
        .at(at));
    }
    Ok(())
}

/// The fields' types.
fn typed(document: &Node) -> Result<(), Refused> {
    let plugins = document.get("plugins");
    let wrong = |node: &Node, field: &str, of: &str| {
        let kind = node.kind();
        Refused::new(format!(
            "json: cannot unmarshal {kind} into Go struct field {field} of type {of}"
        ))
        .at(node.line)
    };
    match plugins.map(|node| &node.value) {
        None | Some(Value::Null | Value::List(_)) => {}
        Some(_) => {
            let node = plugins.cloned().unwrap_or_else(Node::null);
            let of = "[]v1.AdmissionPluginConfiguration";
            return Err(wrong(&node, "AdmissionConfiguration.plugins", of));
        }
    }
    for entry in plugins.map(Node::items).unwrap_or_default() {
        if !matches!(entry.value, Value::Map(_) | Value::Null) {
            let of = "v1.AdmissionPluginConfiguration";
            return Err(wrong(entry, "AdmissionConfiguration.plugins", of));
        }
        for key in ["name", "path"] {
            match entry.get(key) {
                None => {}
                Some(node) if matches!(node.value, Value::Text(_) | Value::Null) => {}
                Some(node) => {
                    let field = format!("AdmissionPluginConfiguration.plugins.{key}");
                    return Err(wrong(node, &field, "string"));
                }
            }
        }
    }
    Ok(())
}

/// Refuses what is unknown or doubled, all at once.
fn strictly(document: &Node, is_json: bool) -> Result<(), Refused> {
    let mut said = Vec::new();
    let mut first = 0;
    let mut say = |words: String, line: usize| {
        if first == 0 {
            first = line;
        }
        said.push(words);
    };
    if !is_json {
        let mut doubled = Vec::new();
        repeated(document, &mut doubled);
        if !doubled.is_empty() {
            let lines: Vec<String> = doubled
                .iter()
                .map(|e| format!("  line {}: key {:?} already set in map", e.line, e.key))
                .collect();
            let line = doubled.first().map_or(0, |e| e.line);
            say(format!("yaml: unmarshal errors:\n{}", lines.join("\n")), line);
        }
    }
    let known = ["kind", "apiVersion", "plugins"];
    let mut check = |node: &Node, known: &[&str], path: &str| {
        let mut seen = Vec::new();
        let mut entries: Vec<&Entry> = node.entries().iter().collect();
        if !is_json {
            // YAML was made into JSON first, whose keys are sorted and single.
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            entries.dedup_by(|a, b| a.key == b.key);
        }
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                say(format!("unknown field \"{path}{}\"", entry.key), entry.line);
            } else if seen.contains(&&entry.key) {
                say(format!("duplicate field \"{path}{}\"", entry.key), entry.line);
            }
            seen.push(&entry.key);
        }
    };
    check(document, &known, "");
    for (at, plugin) in
        document.get("plugins").map(Node::items).unwrap_or_default().iter().enumerate()
    {
        check(plugin, &["name", "path", "configuration"], &format!("plugins[{at}]."));
    }
    if said.is_empty() {
        return Ok(());
    }
    Err(Refused::new(format!("strict decoding error: {}", said.join(", "))).at(first))
}

fn repeated<'n>(node: &'n Node, into: &mut Vec<&'n Entry>) {
    for item in node.items() {
        repeated(item, into);
    }
    let mut seen = std::collections::HashSet::new();
    for entry in node.entries() {
        repeated(&entry.node, into);
        if !seen.insert(&entry.key) {
            into.push(entry);
        }
    }
}
