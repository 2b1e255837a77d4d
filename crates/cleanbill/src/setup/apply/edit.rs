//! The change to the text of kube-apiserver's manifest: lines are added and one value grows, so
//! that comments and order stay. Done twice it is done once.
//!
//! What was made is read again and held against the change as it should be. A text that is written
//! in another way than kubeadm's, so that lines cannot simply be added, is refused and not guessed.

use serde_json::{Value, json};

use super::super::manifest::VOLUME;
use crate::failure::{Failure, Result};
use crate::policy_file::node::{self, Node, Placed};

/// What is to be in the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Admission plug-ins that are to be on.
    pub plugins: Vec<String>,
    /// The value of `--admission-control-config-file`.
    pub config_file: String,
    /// The folder that is to be mounted.
    pub mount_dir: String,
}

const PLUGINS: &str = "--enable-admission-plugins";
const DISABLED: &str = "--disable-admission-plugins";
const CONFIG: &str = "--admission-control-config-file";

/// The manifest with the change; the same text where it has it already.
///
/// # Errors
/// When the manifest is not kube-apiserver's, is written in another way, or says something else
/// already about what is to be changed; with what to do.
pub fn edit(text: &str, change: &Change) -> Result<String> {
    let before: Value = serde_saphyr::from_str(text)
        .map_err(|e| wrong(&format!("it is no YAML: {}", first_line(&e.to_string()))))?;
    let tree = node::parse(text).map_err(|e| wrong(&format!("line {}: {}", e.line, e.message)))?;
    let place = container(&before)?;
    let at = |keys: &[Step<'_>]| find(&tree, keys).ok_or_else(|| by_hand(&missing(keys)));
    let inside =
        |name| [Step::Key("spec"), Step::Key("containers"), Step::At(place), Step::Key(name)];
    let command = at(&inside("command"))?;
    let mounts = at(&inside("volumeMounts"))?;
    let volumes = at(&[Step::Key("spec"), Step::Key("volumes")])?;

    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let mut expected = before.clone();
    // From the end of the file to its beginning, so that lines above keep their numbers; each
    // says where, so that the order of the parts in the file does not matter.
    let mut added = Vec::new();
    let container = format!("/spec/containers/{place}");
    let volume =
        json!({"name": VOLUME, "hostPath": {"path": change.mount_dir, "type": "Directory"}});
    let mount = json!({"name": VOLUME, "mountPath": change.mount_dir, "readOnly": true});
    for (list, pointer, wanted, fields) in [
        (volumes, "/spec/volumes".to_owned(), volume, "hostPath"),
        (mounts, format!("{container}/volumeMounts"), mount, "mountPath"),
    ] {
        let entries = array(&mut expected, &pointer)?;
        match entries.iter().find(|entry| entry["name"] == VOLUME) {
            Some(there) if *there == wanted => continue,
            Some(_) => {
                return Err(by_hand(&format!("its volume {VOLUME:?} has another {fields}")));
            }
            None => entries.push(wanted.clone()),
        }
        let (line, indent) = end(list, &lines, &pointer)?;
        added.push((line, block(&wanted, indent)));
    }
    let pointer = format!("{container}/command");
    let flags: Vec<String> = strings(array(&mut expected, &pointer)?);
    let mut new_flags = Vec::new();
    match value(&flags, CONFIG)? {
        Some(there) if there == change.config_file => {}
        Some(there) => {
            return Err(Failure::new(format!(
                "kube-apiserver.yaml has {CONFIG}={there} already, for other plug-ins"
            ))
            .next(format!(
                "move the entry of `plugins` in admission-configuration.yaml into that file, give it \
                 to no one else, and add {PLUGINS}={} by hand: kube-apiserver.patch.md says how",
                change.plugins.join(",")
            )));
        }
        None => new_flags.push(format!("{CONFIG}={}", change.config_file)),
    }
    let off = value(&flags, DISABLED)?.unwrap_or_default();
    if let Some(name) = change.plugins.iter().find(|name| off.split(',').any(|o| o == **name)) {
        return Err(Failure::new(format!("kube-apiserver.yaml has {name} in {DISABLED}"))
            .next("take it out there first: somebody did not want it"));
    }
    match value(&flags, PLUGINS)? {
        None => new_flags.insert(0, format!("{PLUGINS}={}", change.plugins.join(","))),
        Some(there) => {
            let have: Vec<&str> = there.split(',').filter(|name| !name.is_empty()).collect();
            let more: Vec<&str> = change
                .plugins
                .iter()
                .map(String::as_str)
                .filter(|name| !have.contains(name))
                .collect();
            if !more.is_empty() {
                let all = [have, more].concat().join(",");
                let (old, new) = (format!("{PLUGINS}={there}"), format!("{PLUGINS}={all}"));
                let line = line_of(command, &flags, &old)?;
                let text = lines.get_mut(line).ok_or_else(|| by_hand("its command ends early"))?;
                *text = text.replacen(&old, &new, 1);
                let entries = array(&mut expected, &pointer)?;
                for entry in entries.iter_mut().filter(|entry| **entry == old) {
                    *entry = new.clone().into();
                }
            }
        }
    }
    if !new_flags.is_empty() {
        let (line, indent) = end(command, &lines, &pointer)?;
        let indent = " ".repeat(indent);
        added.push((line, new_flags.iter().map(|flag| format!("{indent}- {flag}\n")).collect()));
        array(&mut expected, &pointer)?.extend(new_flags.into_iter().map(Value::from));
    }
    added.sort_by_key(|(line, _)| std::cmp::Reverse(*line));
    for (line, text) in added {
        // The last line of a file may have no end.
        let before = line.checked_sub(1).and_then(|at| lines.get_mut(at));
        if let Some(before) = before.filter(|before| !before.ends_with('\n')) {
            before.push('\n');
        }
        lines.insert(line.min(lines.len()), text);
    }
    let made = lines.concat();
    let after: Value = serde_saphyr::from_str(&made)
        .map_err(|_| by_hand("lines cannot be added to it as they can to kubeadm's"))?;
    if after != expected {
        return Err(by_hand("lines cannot be added to it as they can to kubeadm's"));
    }
    Ok(made)
}

/// One step down a tree.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    At(usize),
}

fn find<'t>(tree: &'t Placed, keys: &[Step<'_>]) -> Option<&'t Placed> {
    let Some((first, rest)) = keys.split_first() else { return Some(tree) };
    let next = match (&tree.value, first) {
        (Node::Map(entries), Step::Key(key)) => {
            entries.iter().find(|(k, _)| k.value.as_text() == *key).map(|(_, value)| value)
        }
        (Node::List(entries), Step::At(place)) => entries.get(*place),
        (
            Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Text(_)
            | Node::List(_)
            | Node::Map(_),
            _,
        ) => None,
    };
    find(next?, rest)
}

/// Which container is kube-apiserver's.
fn container(manifest: &Value) -> Result<usize> {
    let containers = manifest["spec"]["containers"].as_array();
    let place = containers.and_then(|all| all.iter().position(|c| c["name"] == "kube-apiserver"));
    match place {
        Some(place) if manifest["kind"] == "Pod" => Ok(place),
        Some(_) | None => Err(wrong("it is no Pod with a container kube-apiserver")),
    }
}

/// Behind which line a list's last entry ends, and how far its dashes are indented.
fn end(list: &Placed, lines: &[String], what: &str) -> Result<(usize, usize)> {
    let Node::List(entries) = &list.value else {
        return Err(by_hand(&format!("{what} is no list")));
    };
    let last = entries.last().ok_or_else(|| by_hand(&format!("{what} is empty")))?;
    let at = line(last);
    let indent = |text: &str| text.len() - text.trim_start().len();
    let first = lines.get(at).filter(|text| text.trim_start().starts_with("- "));
    let first = first.ok_or_else(|| by_hand(&format!("{what} is not one entry a line")))?;
    let dashes = indent(first);
    let mut end = at + 1;
    for (number, text) in lines.iter().enumerate().skip(at + 1) {
        let blank = text.trim().is_empty();
        if !blank && indent(text) <= dashes {
            break;
        }
        if !blank {
            end = number + 1;
        }
    }
    Ok((end, dashes))
}

/// The line of an entry of the command, by its text.
fn line_of(command: &Placed, flags: &[String], flag: &str) -> Result<usize> {
    let place = flags.iter().position(|f| f == flag);
    match (&command.value, place) {
        (Node::List(entries), Some(place)) => {
            entries.get(place).map(line).ok_or_else(|| by_hand("its command ends early"))
        }
        (
            Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Text(_)
            | Node::List(_)
            | Node::Map(_),
            _,
        ) => Err(by_hand("its command is no list")),
    }
}

/// The line that a value begins in, from 0.
fn line(placed: &Placed) -> usize {
    usize::try_from(placed.referenced.line()).unwrap_or_default().saturating_sub(1)
}

/// The value of a flag that stands in the command.
fn value<'f>(flags: &'f [String], name: &str) -> Result<Option<&'f str>> {
    let mut found = None;
    for flag in flags {
        if flag == name {
            return Err(by_hand(&format!("{name} and its value are two entries")));
        }
        let Some(value) = flag.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) else {
            continue;
        };
        if found.replace(value).is_some() {
            return Err(by_hand(&format!("{name} stands in it twice")));
        }
    }
    Ok(found)
}

fn array<'v>(value: &'v mut Value, pointer: &str) -> Result<&'v mut Vec<Value>> {
    let list = value.pointer_mut(pointer).and_then(Value::as_array_mut);
    list.ok_or_else(|| by_hand(&format!("{pointer} is no list")))
}

fn strings(list: &[Value]) -> Vec<String> {
    list.iter().map(|entry| entry.as_str().unwrap_or_default().to_owned()).collect()
}

/// An entry of a list in block style. Keys in JSON's order; texts quoted.
fn block(entry: &Value, indent: usize) -> String {
    fn fields(map: &Value, indent: usize, out: &mut String) {
        for (key, value) in map.as_object().into_iter().flatten() {
            let pad = " ".repeat(indent);
            if value.is_object() {
                out.push_str(&format!("{pad}{key}:\n"));
                fields(value, indent + 2, out);
            } else {
                out.push_str(&format!("{pad}{key}: {value}\n"));
            }
        }
    }
    let mut out = String::new();
    fields(entry, indent + 2, &mut out);
    // The first field stands behind the dash.
    out.replace_range(indent..indent + 1, "-");
    out
}

fn missing(keys: &[Step<'_>]) -> String {
    let last = keys.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(*key),
        Step::At(_) => None,
    });
    format!("it has no {}", last.unwrap_or("such part"))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn wrong(why: &str) -> Failure {
    Failure::new(format!("kube-apiserver.yaml: {why}"))
        .next("see that it is the static pod manifest of kube-apiserver")
}

fn by_hand(why: &str) -> Failure {
    Failure::new(format!("kube-apiserver.yaml cannot be changed by this program: {why}"))
        .next("change it by hand, as kube-apiserver.patch.md says; nothing was changed")
}
