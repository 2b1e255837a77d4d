//! The static pod: whether the kubelet reads the file that was changed, and what it says.

use super::found::{Judged, NotLooked, Outcome, Unseen, denied, error, fine, not_looked, warning};
use super::view::View;
use super::view::server::{CONFIG_FLAG, Server};
use super::{Check, Run, meant};
use crate::apiserver::admission::PLUGIN;

/// The flag that turns plug-ins on.
pub(super) const ENABLE: &str = "enable-admission-plugins";
const DISABLE: &str = "disable-admission-plugins";
const OLD: &str = "admission-control";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "manifest-folder",
        asks: "does the kubelet read kube-apiserver's manifest?",
        why: "the kubelet starts what is in its one folder; a file next to it changes nothing",
        run: Run::Once(folder),
    },
    Check {
        id: "manifest-copies",
        asks: "is there only one kube-apiserver in that folder?",
        why: "the kubelet reads every file in the folder, whatever its ending: of two API servers \
              either may run, and both want the same port",
        run: Run::Once(copies),
    },
    Check {
        id: "manifest-readable",
        asks: "can the kubelet make a pod of the manifest?",
        why: "a manifest that is no Pod is passed over, and the API server stays away or as it was",
        run: Run::Each(readable),
    },
    Check {
        id: "manifest-volumes",
        asks: "can its volumes be mounted?",
        why: "a pod whose volumes cannot be mounted never starts",
        run: Run::Each(volumes),
    },
    Check {
        id: "flags",
        asks: "are the flags spelt as kube-apiserver knows them?",
        why: "kube-apiserver does not start with a flag that it does not know",
        run: Run::Each(flags),
    },
    Check {
        id: "plugin-name",
        asks: "is the plug-in's name spelt right?",
        why: "kube-apiserver does not start with a plug-in that it does not know",
        run: Run::Each(name),
    },
    Check {
        id: "servers-alike",
        asks: "do all API servers ask?",
        why: "a load balancer sends requests to any of them: one that does not ask lets everything in",
        run: Run::Once(alike),
    },
    Check {
        id: "plugin-enabled",
        asks: "is ImagePolicyWebhook turned on?",
        why: "the plug-in is off by default: until it is on, nobody is asked and every image runs",
        run: Run::Each(enabled),
    },
    Check {
        id: "config-flag",
        asks: "is the admission configuration named?",
        why: "without its configuration the plug-in ends kube-apiserver: \"no config specified\"",
        run: Run::Each(config_flag),
    },
];

fn folder(view: &View) -> Judged {
    let Some(folder) = &view.folder else {
        return not_looked("no node's folder was given (--root DIR)");
    };
    let path = folder.path.display().to_string();
    if folder.nowhere {
        return not_looked(format!(
            "{path}: there is not even the folder above it, so this is no control-plane node; \
             name copies with --root or --manifest, or a cluster with --kubeconfig"
        ));
    }
    let beside: Vec<String> = folder.beside.iter().map(|p| p.display().to_string()).collect();
    let moved = format!("move {} into {path}", beside.join(", "));
    if let Some(why) = folder.unreadable.as_deref().and_then(denied) {
        return not_looked(why);
    }
    if let (Some(file), []) = (folder.denied.first(), folder.servers.as_slice()) {
        return not_looked(format!("this user may not read {}: run it as root", file.display()));
    }
    if let Some((file, why)) = folder.broken.first() {
        return error(
            file.display().to_string(),
            format!("it is no YAML: {why}"),
            "correct that line",
        );
    }
    match (&folder.unreadable, folder.servers.is_empty(), beside.is_empty()) {
        (_, true, false) => error(
            &path,
            format!("no API server is in it, but {} is", beside.join(", ")),
            format!("{moved}: the kubelet does not read the folder it is in"),
        ),
        (Some(why), _, _) => error(
            &path,
            format!("it cannot be read: {why}"),
            "is this a control-plane node? Name the folder's copy with --root, or the file with \
             --manifest",
        ),
        (None, true, true) => error(
            &path,
            "no kube-apiserver manifest is in it",
            "put the changed kube-apiserver.yaml into it; on a node without one, run this on the \
             control plane",
        ),
        (None, false, false) => error(
            &path,
            format!("the API server's manifest is in it, and another in {}", beside.join(", ")),
            format!(
                "the kubelet reads {path} alone: make your change there, and remove the other file"
            ),
        ),
        (None, false, true) => fine(&path, "kube-apiserver's manifest is in it"),
    }
}

fn copies(view: &View) -> Judged {
    let Some(folder) = &view.folder else {
        return not_looked("no node's folder was given (--root DIR)");
    };
    if let Some(file) = folder.denied.first() {
        return not_looked(format!("this user may not read {}: run it as root", file.display()));
    }
    let names: Vec<String> = folder.servers.iter().map(|(p, _)| p.display().to_string()).collect();
    match names.len() {
        0 => not_looked("no API server was found"),
        1 => fine(folder.path.display().to_string(), "one kube-apiserver manifest"),
        _ => error(
            folder.path.display().to_string(),
            format!("these all are kube-apiservers: {}", names.join(", ")),
            "keep one, and move backups out of the folder (a name ending in .bak is read too; only \
             names that begin with a dot are not)",
        ),
    }
}

fn readable(_: &View, server: &Server) -> Judged {
    match &server.manifest {
        Ok(_) => fine(&server.name, "a Pod that runs kube-apiserver"),
        Err(Unseen::Refused(why)) => error(
            &server.name,
            &why.words,
            "compare it with a copy of before; one argument is one line: - --flag=value",
        ),
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

fn volumes(_: &View, server: &Server) -> Judged {
    let pod = server.pod()?;
    if let Some(fault) = pod.faults.first() {
        return error(&server.name, fault, "give the volume and its mount the same name");
    }
    for (path, kind) in &pod.demanded {
        let Some(node) = &server.node else { continue };
        let found = node.stat(path);
        let (shown, at) = (path.display(), "volumes[].hostPath");
        let wrong = match (kind.as_str(), &found) {
            ("Directory", Ok(m)) if !m.is_dir() => Some("is no folder"),
            ("File", Ok(m)) if !m.is_file() => Some("is no file"),
            ("Directory" | "File", Err(_)) => Some("is not there"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return error(
                at,
                format!("{shown} {wrong}, and the volume's type is {kind}"),
                format!("make {shown} on the node, or correct the path or the type"),
            );
        }
    }
    match &server.node {
        Some(_) => {
            fine("volumeMounts and volumes", "every mount has its volume, and every path is there")
        }
        None => fine(
            "volumeMounts and volumes",
            "every mount has its volume (whether the paths are there was not looked at)",
        ),
    }
}

fn flags(_: &View, server: &Server) -> Judged {
    let pod = server.pod()?;
    let wanted = [ENABLE, CONFIG_FLAG, DISABLE];
    for flag in &pod.flags {
        let known = wanted.contains(&flag.name.as_str()) || flag.name == OLD;
        let short = |w: &&&str| flag.name.len() > OLD.len() && w.starts_with(flag.name.as_str());
        let like = meant(&flag.name, &wanted, 3);
        let like = like.or_else(|| wanted.iter().find(short).copied()).filter(|_| !known);
        if let Some(like) = like {
            return error(
                &flag.written,
                format!("kube-apiserver knows no --{}: \"unknown flag\"", flag.name),
                format!("write --{like}"),
            );
        }
    }
    for word in &pod.stray {
        let bare = word.trim_start_matches('-').split('=').next().unwrap_or_default();
        if wanted.contains(&bare) {
            let value = word.split_once('=').map_or(String::new(), |(_, v)| format!("={v}"));
            return error(
                word,
                "it is no flag: flags begin with two dashes",
                format!("write --{bare}{value}"),
            );
        }
    }
    fine("the flags about admission", "none of them is misspelt")
}

fn name(_: &View, server: &Server) -> Judged {
    let pod = server.pod()?;
    for flag in [ENABLE, DISABLE, OLD] {
        for item in pod.list(flag).iter().filter(|item| *item != PLUGIN) {
            let bare = item.trim_matches(|c: char| c.is_whitespace() || "\"'".contains(c));
            if bare == PLUGIN || meant(bare, &[PLUGIN], 3).is_some() {
                return error(
                    format!("--{flag}"),
                    format!(
                        "{item:?} is no plug-in: names are matched exactly, spaces and case too"
                    ),
                    format!("write {PLUGIN}, with commas and no spaces between names"),
                );
            }
        }
    }
    fine(format!("--{ENABLE}"), "no name that is nearly ImagePolicyWebhook")
}

/// Whether what is written is spelt right: what else would be said of it follows from that.
fn spelt(view: &View, server: &Server) -> Result<(), NotLooked> {
    for (check, what) in [(flags as fn(&View, &Server) -> Judged, "a flag"), (name, "its name")] {
        if check(view, server)?.outcome == Outcome::Error {
            return not_looked(format!("{what} is misspelt, as said above"));
        }
    }
    Ok(())
}

fn enabled(view: &View, server: &Server) -> Judged {
    let pod = server.pod()?;
    spelt(view, server)?;
    let on = |flag: &str| pod.list(flag).iter().any(|p| p == PLUGIN);
    let has = |flag: &str| pod.values(flag).next().is_some();
    let shown = format!("--{ENABLE}={}", pod.list(ENABLE).join(","));
    if has(OLD) && (has(ENABLE) || has(DISABLE)) {
        return error(
            format!("--{OLD}"),
            format!("kube-apiserver takes --{OLD} or --{ENABLE}, never both"),
            format!("remove --{OLD}, whose names the defaults have anyway"),
        );
    }
    if on(ENABLE) && on(DISABLE) {
        return error(
            format!("--{DISABLE}"),
            format!("{PLUGIN} is turned on and off: kube-apiserver does not start"),
            format!("remove {PLUGIN} from --{DISABLE}"),
        );
    }
    if on(DISABLE) {
        return error(
            format!("--{DISABLE}"),
            format!("{PLUGIN} is turned off"),
            format!("move {PLUGIN} to --{ENABLE}"),
        );
    }
    if on(OLD) {
        return warning(
            format!("--{OLD}"),
            format!("{PLUGIN} is on by a flag that replaces all defaults and will go"),
            format!("write --{ENABLE}={PLUGIN} instead"),
        );
    }
    if on(ENABLE) {
        return fine(shown, format!("{PLUGIN} is on"));
    }
    let said = if has(ENABLE) { shown } else { format!("there is no --{ENABLE}") };
    error(
        &server.name,
        format!("{said}: {PLUGIN} is off"),
        format!("add {PLUGIN} to --{ENABLE}, names parted by commas"),
    )
}

fn alike(view: &View) -> Judged {
    let seen: Vec<(&str, String)> = view
        .servers
        .iter()
        .filter_map(|server| {
            let pod = server.pod().ok()?;
            let on = pod.list(ENABLE).iter().chain(&pod.list(OLD)).any(|p| p == PLUGIN);
            let config = pod.value(CONFIG_FLAG).unwrap_or("none");
            Some((server.name.as_str(), format!("{} {config}", if on { "on" } else { "off" })))
        })
        .collect();
    let [(_, first), rest @ ..] = seen.as_slice() else {
        return not_looked("no API server's flags were seen");
    };
    if rest.is_empty() {
        let one = "only one API server was looked at: give each other one's manifest with --manifest, or --kubeconfig";
        return not_looked(one);
    }
    let names: Vec<String> = seen.iter().map(|(name, says)| format!("{name}: {says}")).collect();
    if rest.iter().any(|(_, says)| says != first) {
        return error(
            names.join("; "),
            "the API servers are not configured alike",
            "make the same change on every control-plane node",
        );
    }
    fine(names.join("; "), "all alike")
}

fn config_flag(view: &View, server: &Server) -> Judged {
    let pod = server.pod()?;
    if flags(view, server)?.outcome == Outcome::Error {
        return not_looked("a flag is misspelt, as said above");
    }
    let all: Vec<&str> = pod.values(CONFIG_FLAG).collect();
    let at = format!("--{CONFIG_FLAG}");
    match all.as_slice() {
        [] | [""] => error(
            &server.name,
            format!("there is no {at}"),
            format!("add {at}=FILE (`cleanbill setup` writes such a file)"),
        ),
        [one] if !one.starts_with('/') => error(
            format!("{at}={one}"),
            "a relative path starts from the API server's working directory, usually /",
            format!("write the whole path, as it is within the container: {at}=/…/{one}"),
        ),
        [one] => fine(format!("{at}={one}"), "it is given once, by its whole path"),
        several => {
            let last = several.last().copied().unwrap_or_default();
            warning(
                at,
                format!("it is given {} times; the last one counts: {last}", several.len()),
                "keep one of them",
            )
        }
    }
}
