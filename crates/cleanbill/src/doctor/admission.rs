//! The admission configuration: whether kube-apiserver can read it, takes it, and what it ignores.

use std::path::Path;

use super::found::{Judged, Unseen, denied, error, fine, given, not_looked, warning};
use super::view::View;
use super::view::server::{CONFIG_FLAG, NO_NODE, Server};
use super::{Check, Run, meant};
use crate::apiserver::admission::{Content, From, PLUGIN};
use crate::apiserver::node::Node;
use crate::apiserver::{Files, json, yaml};

const KEYS: [&str; 6] =
    ["kubeConfigFile", "allowTTL", "denyTTL", "retryBackoff", "defaultAllow", "imagePolicy"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "config-mounted",
        asks: "is the admission configuration within the container?",
        why: "kube-apiserver sees only what is mounted into its pod; a file that is missing ends it",
        run: Run::Each(mounted),
    },
    Check {
        id: "config-file",
        asks: "is the admission configuration there?",
        why: "kube-apiserver does not start without the file that its flag names",
        run: Run::Each(file),
    },
    Check {
        id: "config-decodes",
        asks: "does kube-apiserver take the file?",
        why: "it is decoded strictly: an unknown or doubled field ends kube-apiserver",
        run: Run::Each(decodes),
    },
    Check {
        id: "plugin-configured",
        asks: "does the file say anything about ImagePolicyWebhook?",
        why: "a plug-in that is on and has no configuration ends kube-apiserver: \"no config \
              specified\"",
        run: Run::Each(configured),
    },
    Check {
        id: "policy-types",
        asks: "are the plug-in's values of the right types?",
        why: "times are numbers there: \"30s\" or any other text ends kube-apiserver",
        run: Run::Each(types),
    },
    Check {
        id: "policy-range",
        asks: "are its times within bounds?",
        why: "kube-apiserver ends on a time out of range, and does not say which one it is",
        run: Run::Each(range),
    },
    Check {
        id: "policy-keys",
        asks: "does kube-apiserver read every key that is written?",
        why: "a key of the plug-in that is misspelt is ignored without a word, and its default counts",
        run: Run::Each(keys),
    },
    Check {
        id: "kubeconfig-named",
        asks: "is the kubeconfig named in a way that leads somewhere?",
        why: "kubeConfigFile is relative to the API server's working directory, not to the file it \
              stands in",
        run: Run::Each(named),
    },
];

/// Said of a path that is not within a container; `None`: it is, or nobody can say.
pub(super) fn unmounted(
    server: &Server,
    path: &Path,
) -> Result<Option<String>, super::found::NotLooked> {
    let pod = server.pod()?;
    let shown = path.display();
    if pod.is_elsewhere(path) {
        return not_looked(format!("{shown} is in a volume that is no folder of the node"));
    }
    let seen = Files::below(Path::new("/")).mounted(pod.mounts.clone()).locate(path);
    if seen.is_some() {
        return Ok(None);
    }
    let all: Vec<String> = pod.mounts.iter().map(|m| m.inside.display().to_string()).collect();
    Ok(Some(format!("{shown} is below none of the mounts {}", all.join(", "))))
}

/// What to do about a path that is not mounted.
pub(super) fn mount(path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new("/")).display().to_string();
    format!(
        "add a volume with hostPath.path {folder} and a volumeMount with mountPath {folder}, \
         readOnly: true"
    )
}

fn mounted(_: &View, server: &Server) -> Judged {
    let pod = server.pod()?;
    let Some(path) = pod.value(CONFIG_FLAG).filter(|v| !v.is_empty()) else {
        return not_looked("no admission configuration is named");
    };
    let path = Path::new(path);
    match unmounted(server, path)? {
        Some(said) => error(format!("--{CONFIG_FLAG}={}", path.display()), said, mount(path)),
        None => fine(path.display().to_string(), "it is below a mount of the node"),
    }
}

fn file(_: &View, server: &Server) -> Judged {
    let path = given(&server.config_path, "the manifest")?;
    let shown = path.display().to_string();
    if server.overridden {
        return match Files::here().read(path) {
            Ok(_) => fine(shown, "it can be read (here; where the flag leads was not looked at)"),
            Err(e) => error(shown, e, "name an admission configuration with --admission-config"),
        };
    }
    let (Some(inside), Some(node)) = (&server.inside, &server.node) else {
        return not_looked(NO_NODE);
    };
    if inside.locate(path).is_none() {
        return not_looked("it is not mounted, as said above");
    }
    absent(inside, node, path)
}

/// Whether a file that is mounted can be read, and where it may be otherwise.
pub(super) fn absent(inside: &Files, node: &Files, path: &Path) -> Judged {
    let shown = path.display().to_string();
    let Err(why) = inside.read(path) else { return fine(shown, "it can be read") };
    if let Some(why) = denied(&why) {
        return not_looked(why);
    }
    let outside = inside.outside(path);
    let at = outside.filter(|o| o != path).map(|o| format!(" ({} on the node)", o.display()));
    let fix = if node.stat(path).is_ok() && at.is_some() {
        "the node has a file at the path itself: mount its folder at the same path".to_owned()
    } else if why.ends_with("is a directory") {
        "name a file; where a mount's source is missing, the kubelet may have made a folder"
            .to_owned()
    } else {
        format!("put the file there, or correct the path: {}", neighbours(inside, path))
    };
    error(shown, format!("{why}{}", at.unwrap_or_default()), fix)
}

fn neighbours(files: &Files, path: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let found = files.locate(folder).and_then(|place| std::fs::read_dir(place).ok());
    let Some(found) = found else { return format!("{} is no folder there", folder.display()) };
    let names = found.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.take(20).collect();
    names.sort();
    format!(
        "{} has {}",
        folder.display(),
        if names.is_empty() { "nothing".into() } else { names.join(", ") }
    )
}

fn decodes(_: &View, server: &Server) -> Judged {
    let path = given(&server.config_path, "the manifest")?.display().to_string();
    match &server.given {
        Ok(_) => fine(path, "it is an AdmissionConfiguration without unknown or doubled fields"),
        // A file that is named and missing is the plug-in's.
        Err(Unseen::Refused(e)) if e.words.starts_with("Couldn't open") => {
            fine(path, "it is an AdmissionConfiguration without unknown or doubled fields")
        }
        Err(Unseen::Refused(e)) => {
            let line = e.line.map_or(String::new(), |line| format!(", line {line}"));
            let known = "known are kind, apiVersion and plugins[] with name, path, configuration";
            error(format!("{path}{line}"), &e.words, format!("correct it; {known}"))
        }
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

fn configured(_: &View, server: &Server) -> Judged {
    let path = given(&server.config_path, "the manifest")?.display().to_string();
    match &server.given {
        Ok(Some(given)) => {
            fine(path, format!("{PLUGIN} has a configuration{}", place(&given.from)))
        }
        Ok(None) => error(
            path,
            format!("no entry of plugins has the name {PLUGIN} and a configuration or path"),
            format!("add an entry with name: {PLUGIN} and configuration.imagePolicy"),
        ),
        Err(Unseen::Refused(e)) if e.words.starts_with("Couldn't open") => error(
            path,
            &e.words,
            "plugins[].path is relative to this file's folder: correct it, or mount the file too",
        ),
        Err(Unseen::Refused(_)) => {
            not_looked("the admission configuration is not usable, as said above")
        }
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

const BOUNDS: &str = "valid value is between";

fn types(_: &View, server: &Server) -> Judged {
    let at = "imagePolicy";
    match &server.policy {
        Err(Unseen::Refused(e)) if !e.words.starts_with(BOUNDS) => error(
            e.line.map_or(at.to_owned(), |line| format!("{at}, line {line}")),
            &e.words,
            "write times as bare numbers (TTLs in seconds, retryBackoff in milliseconds) and \
             defaultAllow as true or false, without quotes",
        ),
        Ok(_) | Err(Unseen::Refused(_)) => {
            fine(at, "numbers, texts and truth values are in their places")
        }
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

fn range(_: &View, server: &Server) -> Judged {
    match &server.policy {
        Ok(policy) => fine(
            "allowTTL, denyTTL, retryBackoff",
            format!("{:?}, {:?}, {:?}", policy.allow_ttl, policy.deny_ttl, policy.retry_backoff),
        ),
        Err(Unseen::Refused(e)) if e.words.starts_with(BOUNDS) => error(
            culprits(server),
            &e.words,
            "TTLs are 1 to 1800 seconds and retryBackoff 1 to 300000 milliseconds; 0 is the \
             default, -1 turns it off",
        ),
        Err(Unseen::Refused(_)) => not_looked("the values have wrong types, as said above"),
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

/// The keys that are out of range, which kube-apiserver does not name.
fn culprits(server: &Server) -> String {
    let document = match &server.given {
        Ok(Some(given)) => match &given.content {
            Content::Read(node) => Some(node.clone()),
            Content::Text(text) if json::is_json(text) => json::read(text).ok(),
            Content::Text(text) => yaml::first(text).ok(),
        },
        Ok(None) | Err(_) => None,
    };
    let policy = document.as_ref().and_then(|d| {
        d.entries().iter().find(|e| e.key.eq_ignore_ascii_case("imagePolicy")).map(|e| &e.node)
    });
    let outside = |key: &str, number: i64| {
        let most = if key.eq_ignore_ascii_case("retryBackoff") { 300_000 } else { 1800 };
        !(-1..=most).contains(&number)
    };
    let found: Vec<String> = policy
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter(|e| KEYS[1..4].iter().any(|k| k.eq_ignore_ascii_case(&e.key)))
        .filter_map(|e| {
            let json = e.node.json();
            let number = json.parse().ok().filter(|n| outside(&e.key, *n));
            number.map(|n: i64| format!("{}: {n}", e.key))
        })
        .collect();
    if found.is_empty() { "imagePolicy".into() } else { found.join(", ") }
}

fn keys(_: &View, server: &Server) -> Judged {
    let policy = server.image_policy()?;
    let at = |line: usize| if line > 0 { format!(", line {line}") } else { String::new() };
    for (key, line) in &policy.ignored {
        if let Some(like) = meant(key, &KEYS, 2) {
            return error(
                format!("{key}{}", at(*line)),
                format!("{key} is ignored; {like} was probably meant, whose default counts now"),
                format!("write {like}"),
            );
        }
    }
    if !policy.present {
        return error(
            "imagePolicy",
            "there is no imagePolicy in the plug-in's configuration, so every value is the default",
            "put the values under configuration.imagePolicy",
        );
    }
    match policy.ignored.first() {
        Some((key, line)) => warning(
            format!("{key}{}", at(*line)),
            format!("{key} is ignored: the plug-in has no such key"),
            format!("remove it; known are {}", KEYS[..5].join(", ")),
        ),
        None => fine("imagePolicy", "every key is one that is read"),
    }
}

fn named(_: &View, server: &Server) -> Judged {
    let policy = server.image_policy()?;
    let name = policy.kubeconfig.as_str();
    if name.is_empty() {
        return error(
            "kubeConfigFile",
            "it is not given, so kube-apiserver looks for KUBECONFIG and in-cluster files, of which \
             a static pod has none",
            "add kubeConfigFile with the whole path of the kubeconfig within the container",
        );
    }
    if name.starts_with('/') {
        return fine(format!("kubeConfigFile: {name}"), "it is a whole path");
    }
    let Some(inside) = &server.inside else {
        return warning(
            format!("kubeConfigFile: {name}"),
            "a relative path starts from the API server's working directory, usually /",
            "write the whole path",
        );
    };
    let said = format!("kube-apiserver looks for {}", inside.absolute(Path::new(name)).display());
    if inside.stat(Path::new(name)).is_ok() {
        return warning(format!("kubeConfigFile: {name}"), said, "write the whole path");
    }
    let config = given(&server.config_path, "the manifest")?;
    let meant = config.parent().unwrap_or(Path::new("/")).join(name);
    error(
        format!("kubeConfigFile: {name}"),
        format!("{said}, which is not there: it is not relative to this file"),
        format!("write the whole path, such as {}", meant.display()),
    )
}

fn place(from: &From) -> String {
    match from {
        From::Inline => ", inline".to_owned(),
        From::Path(file) => format!(", in {}", file.display()),
        From::Legacy => ": the whole file, in the form of long ago".to_owned(),
    }
}
