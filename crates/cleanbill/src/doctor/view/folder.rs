//! The folder that the kubelet reads, and what lies next to it.

use std::path::{Path, PathBuf};

use super::manifest::{is_api_server, parse};
use crate::apiserver::Files;
use crate::apiserver::node::Node;

/// Where the kubelet looks unless its configuration says otherwise.
pub const USUAL: &str = "/etc/kubernetes/manifests";
/// Where kubeadm puts the kubelet's configuration.
const KUBELET: &str = "/var/lib/kubelet/config.yaml";

/// What was found in the folder.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The folder, as the node knows it.
    pub path: PathBuf,
    /// Whether there is not even the folder above it: this is no control-plane node.
    pub nowhere: bool,
    /// Why it could not be read.
    pub unreadable: Option<String>,
    /// The API servers in it: their files, as the node knows them, and what they say.
    pub servers: Vec<(PathBuf, Node)>,
    /// Files named like an API server's that are no YAML, and why.
    pub broken: Vec<(PathBuf, String)>,
    /// Files that we may not read.
    pub denied: Vec<PathBuf>,
    /// API servers in folders beside it whose names look like its name.
    pub beside: Vec<PathBuf>,
}

/// Looks at a node's folder.
pub fn look(files: &Files) -> Folder {
    let kubelet = files.read(Path::new(KUBELET)).ok();
    let path = kubelet
        .and_then(|bytes| parse(&String::from_utf8_lossy(&bytes)).ok())
        .and_then(|config| config.get("staticPodPath").and_then(Node::text).map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from(USUAL));
    let mut folder = Folder { path: path.clone(), ..Folder::default() };
    match read(files, &path) {
        Ok(read) => {
            (folder.servers, folder.broken, folder.denied) =
                (read.servers, read.broken, read.denied);
        }
        Err(why) => folder.unreadable = Some(why),
    }
    let above = path.parent().unwrap_or(Path::new("/"));
    folder.nowhere = files.stat(above).is_err_and(|why| why.ends_with("no such file or directory"));
    let own = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    for name in names(files, above).unwrap_or_default() {
        if name == own || super::distance(&name, &own) > 2 {
            continue;
        }
        let Ok(read) = read(files, &above.join(name)) else { continue };
        folder.beside.extend(read.servers.into_iter().map(|(path, _)| path));
        folder.beside.extend(read.broken.into_iter().map(|(path, _)| path));
    }
    folder
}

#[derive(Default)]
struct Read {
    servers: Vec<(PathBuf, Node)>,
    broken: Vec<(PathBuf, String)>,
    denied: Vec<PathBuf>,
}

fn read(files: &Files, folder: &Path) -> Result<Read, String> {
    let mut found = Read::default();
    for name in names(files, folder)? {
        let path = folder.join(&name);
        if !files.stat(&path).is_ok_and(|m| m.is_file()) {
            continue;
        }
        let bytes = match files.read(&path) {
            Ok(bytes) => bytes,
            Err(why) => {
                found.denied.extend(crate::doctor::found::denied(&why).map(|_| path));
                continue;
            }
        };
        match parse(&String::from_utf8_lossy(&bytes)) {
            Ok(pod) if is_api_server(&pod) => found.servers.push((path, pod)),
            Ok(_) => {}
            Err(why) if name.contains("apiserver") => found.broken.push((path, why)),
            Err(_) => {}
        }
    }
    Ok(found)
}

/// The names in a folder, sorted; the kubelet passes over those that begin with a dot.
fn names(files: &Files, folder: &Path) -> Result<Vec<String>, String> {
    files.stat(folder)?;
    let place = files.locate(folder).unwrap_or_default();
    let found = std::fs::read_dir(place).map_err(|e| {
        format!("open {}: {}", folder.display(), crate::apiserver::files::words(&e))
    })?;
    let mut names: Vec<String> = found
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .take(1000)
        .collect();
    names.sort();
    Ok(names)
}
