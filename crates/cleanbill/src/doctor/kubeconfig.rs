//! The kubeconfig by which kube-apiserver finds the webhook: read as client-go reads it.

use std::path::Path;

use super::admission::{absent, mount, unmounted};
use super::found::{
    Judged, NotLooked, Outcome, Unseen, address, error, fine, given, not_looked, warning,
};
use super::view::View;
use super::view::server::{NO_NODE, Server};
use super::{Check, Run};
use crate::apiserver::Files;
use crate::apiserver::kubeconfig::Source;
use crate::apiserver::node::Node;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "kubeconfig-mounted",
        asks: "is the kubeconfig within the container?",
        why: "kube-apiserver sees only what is mounted into its pod; a file that is missing ends it",
        run: Run::Each(mounted),
    },
    Check {
        id: "kubeconfig-file",
        asks: "is the kubeconfig there?",
        why: "kube-apiserver does not start without it",
        run: Run::Each(file),
    },
    Check {
        id: "kubeconfig-decodes",
        asks: "is it a kubeconfig?",
        why: "kube-apiserver does not start with a file that it cannot decode",
        run: Run::Each(decodes),
    },
    Check {
        id: "kubeconfig-context",
        asks: "does it have a context that leads to its cluster and user?",
        why: "client-go goes by current-context; without one kube-apiserver does not start, and says \
              only that no configuration has been provided. Many tutorials leave it out",
        run: Run::Each(context),
    },
    Check {
        id: "kubeconfig-files",
        asks: "can the files that it names be read?",
        why: "a certificate or key that cannot be read ends kube-apiserver",
        run: Run::Each(files),
    },
    Check {
        id: "kubeconfig-accepted",
        asks: "does client-go take the rest of it?",
        why: "what client-go refuses ends kube-apiserver",
        run: Run::Each(accepted),
    },
    Check {
        id: "server-scheme",
        asks: "is the webhook called over TLS?",
        why: "http:// is accepted, and then the client certificate is silently not sent: anybody can \
              answer in the gate's place",
        run: Run::Each(scheme),
    },
    Check {
        id: "server-path",
        asks: "does the address lead to where image reviews are answered?",
        why: "the gate answers ImageReview on every path but /validate and /mutate, which expect \
              AdmissionReview",
        run: Run::Each(path),
    },
    Check {
        id: "kubeconfig-authority",
        asks: "is the webhook's certificate verified, and by whose?",
        why: "whoever can answer in the gate's place decides which images run",
        run: Run::Each(authority),
    },
    Check {
        id: "client-certificate-given",
        asks: "does the API server show a certificate?",
        why: "the gate answers nobody without one: \"tls: certificate required\"",
        run: Run::Each(client),
    },
    Check {
        id: "kubeconfig-data",
        asks: "can the client certificate be renewed without a restart?",
        why: "certificates and keys given as files are read again every 5 minutes; given as data \
              they stay until kube-apiserver is restarted",
        run: Run::Each(data),
    },
];

fn mounted(_: &View, server: &Server) -> Judged {
    let name = kubeconfig(server)?;
    let path = Files::below(Path::new("/")).absolute(Path::new(name));
    match unmounted(server, &path)? {
        Some(said) => error(format!("kubeConfigFile: {name}"), said, mount(&path)),
        None => fine(name, "it is below a mount of the node"),
    }
}

fn kubeconfig(server: &Server) -> Result<&str, NotLooked> {
    match server.image_policy()?.kubeconfig.as_str() {
        "" => not_looked("no kubeconfig is named"),
        name => Ok(name),
    }
}

fn file(_: &View, server: &Server) -> Judged {
    let name = kubeconfig(server)?;
    let (Some(inside), Some(node)) = (&server.inside, &server.node) else {
        return not_looked(NO_NODE);
    };
    if inside.locate(Path::new(name)).is_none() {
        return not_looked("it is not mounted, as said above");
    }
    absent(inside, node, Path::new(name))
}

fn decodes(_: &View, server: &Server) -> Judged {
    let name = kubeconfig(server)?;
    match &server.kubeconfig {
        Ok(_) => fine(name, "it is a kubeconfig"),
        Err(Unseen::Refused(e)) => error(name, &e.words, "correct it: kind Config, apiVersion v1"),
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

fn context(_: &View, server: &Server) -> Judged {
    let name = kubeconfig(server)?;
    let document = given(&server.kubeconfig, "the kubeconfig")?.document();
    let list = |key: &str| document.get(key).map(Node::items).unwrap_or_default();
    let named = |item: &Node| item.get("name").and_then(Node::text).unwrap_or_default().to_owned();
    let names = |key: &str| list(key).iter().map(named).collect::<Vec<_>>().join(", ");
    let current = document.get("current-context").and_then(Node::text).unwrap_or_default();
    let (clusters, users) = (names("clusters"), names("users"));
    let whole = format!(
        "add\ncontexts:\n- name: cleanbill\n  context: {{cluster: {clusters}, user: {users}}}\n\
         current-context: cleanbill"
    );
    if list("contexts").is_empty() {
        return error(name, "it has no contexts", whole);
    }
    if current.is_empty() {
        let said = format!("it has no current-context; its contexts are {}", names("contexts"));
        return error(name, said, "add current-context: NAME");
    }
    let Some(context) = list("contexts").iter().find(|c| named(c) == current) else {
        return error(
            name,
            format!("current-context is {current:?}; its contexts are {}", names("contexts")),
            "name one of them",
        );
    };
    for (key, all, what) in [("cluster", "clusters", &clusters), ("user", "users", &users)] {
        let wanted = context.at(&["context", key]).and_then(Node::text).unwrap_or_default();
        if !list(all).iter().any(|item| named(item) == wanted) {
            return error(
                name,
                format!("the context {current:?} names the {key} {wanted:?}; its {all} are {what}"),
                format!("correct the context's {key}"),
            );
        }
    }
    fine(name, format!("the context {current} leads to a cluster and a user"))
}

/// The files that the current context's cluster and user name.
fn sources(document: &Node) -> Vec<(&'static str, String)> {
    let item = |list: &str, inner: &str, name: &str| {
        let items = document.get(list).map(Node::items).unwrap_or_default();
        let found = items.iter().find(|i| i.get("name").and_then(Node::text).unwrap_or("") == name);
        found.and_then(|i| i.get(inner)).cloned()
    };
    let text = |node: &Option<Node>, key: &str| {
        node.as_ref().and_then(|n| n.get(key)).and_then(Node::text).unwrap_or_default().to_owned()
    };
    let current = document.get("current-context").and_then(Node::text).unwrap_or_default();
    let context = item("contexts", "context", current);
    let cluster = item("clusters", "cluster", &text(&context, "cluster"));
    let user = item("users", "user", &text(&context, "user"));
    [
        ("certificate-authority", &cluster),
        ("client-certificate", &user),
        ("client-key", &user),
        ("tokenFile", &user),
    ]
    .into_iter()
    .map(|(key, node)| (key, text(node, key)))
    .filter(|(_, name)| !name.is_empty())
    .collect()
}

/// Whether an earlier check found what a later one would only repeat.
fn sound(
    check: fn(&View, &Server) -> Judged,
    view: &View,
    server: &Server,
) -> Result<(), NotLooked> {
    match check(view, server)?.outcome {
        Outcome::Error => not_looked("it is not usable, as said above"),
        Outcome::Fine | Outcome::Warning | Outcome::NotLooked => Ok(()),
    }
}

fn files(view: &View, server: &Server) -> Judged {
    let name = kubeconfig(server)?;
    sound(context, view, server)?;
    let config = given(&server.kubeconfig, "the kubeconfig")?;
    let (Some(inside), Some(node)) = (&server.inside, &server.node) else {
        return not_looked(NO_NODE);
    };
    let all = sources(config.document());
    let own = inside.absolute(Path::new(name));
    let folder = own.parent().unwrap_or(Path::new("/"));
    for (key, file) in &all {
        let path = folder.join(file);
        if server.manifest.is_ok()
            && let Some(said) = unmounted(server, &path)?
        {
            return error(format!("{key}: {file}"), said, mount(&path));
        }
        let mut found = absent(inside, node, &path)?;
        if found.outcome == Outcome::Error {
            found.looked_at = format!("{key}: {file}");
            if !file.starts_with('/') {
                found.fix += " (paths in a kubeconfig are relative to the kubeconfig)";
            }
            return Ok(found);
        }
    }
    let names: Vec<&str> = all.iter().map(|(key, _)| *key).collect();
    match names.as_slice() {
        [] => fine(name, "it names no files"),
        names => fine(names.join(", "), "they can be read"),
    }
}

fn accepted(view: &View, server: &Server) -> Judged {
    let name = kubeconfig(server)?;
    sound(context, view, server)?;
    sound(files, view, server)?;
    match (&server.reach, &server.target) {
        (Ok(_), Ok(_)) => fine(name, "client-go takes it"),
        (Ok(reach), Err(Unseen::Refused(e))) => error(
            format!("server: {}", address(&reach.server)),
            &e.words,
            "write https://HOST:PORT/review",
        ),
        (Ok(_), Err(Unseen::Not(why))) => not_looked(why),
        (Err(Unseen::Refused(e)), _) => {
            error(name, &e.words, "`cleanbill setup` writes a kubeconfig that is whole")
        }
        (Err(Unseen::Not(why)), _) => not_looked(why),
    }
}

fn scheme(_: &View, server: &Server) -> Judged {
    let (reach, target) = (server.way()?, server.address()?);
    let at = format!("server: {}", address(&reach.server));
    match (target.tls(), target.scheme_written) {
        (false, true) => {
            error(at, "it is called in the clear", "write https://, which the gate speaks")
        }
        (false, false) => error(
            at,
            "no scheme is written, which means http: it is called in the clear",
            "write https:// in front",
        ),
        (true, _) => fine(at, "https"),
    }
}

fn path(_: &View, server: &Server) -> Judged {
    let (reach, target) = (server.way()?, server.address()?);
    let at = format!("server: {}", address(&reach.server));
    // Go cleans the path before it calls.
    let path = target.address.path().trim_end_matches('/');
    if ["/validate", "/mutate"].contains(&path) {
        let said = format!("{path} answers AdmissionReview, not ImageReview");
        return error(at, said, format!("write https://{}/review", target.authority()));
    }
    match &target.dropped {
        Some(dropped) => warning(at, format!("{dropped} is dropped before the call"), "remove it"),
        None => fine(at, "image reviews are answered there"),
    }
}

fn authority(_: &View, server: &Server) -> Judged {
    let reach = server.way()?;
    if !server.address()?.tls() {
        return not_looked("it is called without TLS, as said above");
    }
    if reach.insecure {
        return error(
            "insecure-skip-tls-verify",
            "the webhook's certificate is not verified",
            "remove insecure-skip-tls-verify and give certificate-authority",
        );
    }
    match &reach.authority {
        Source::None => warning(
            "certificate-authority",
            "it is not given, so the container's public authorities count",
            "give certificate-authority: the ca.crt of `cleanbill setup`",
        ),
        Source::Data(_) | Source::File(_) => fine("certificate-authority", "it is given"),
    }
}

fn client(_: &View, server: &Server) -> Judged {
    let reach = server.way()?;
    if reach.certificate.is_given() && reach.key.is_given() {
        return fine("client-certificate, client-key", "both are given");
    }
    let other = if reach.token.is_some() || reach.basic.is_some() {
        "there is a token or password, which the gate does not ask for"
    } else {
        "the user has no client certificate"
    };
    error(
        format!("the user {:?}", reach.context[2]),
        other,
        "give client-certificate and client-key: client.crt and client.key of `cleanbill setup`",
    )
}

fn data(_: &View, server: &Server) -> Judged {
    let reach = server.way()?;
    let is_data = |source: &Source| matches!(source, Source::Data(_));
    if is_data(&reach.certificate) || is_data(&reach.key) {
        return warning(
            "client-certificate-data, client-key-data",
            "they stand in the kubeconfig itself",
            "write them into files and name those (client-certificate, client-key)",
        );
    }
    if !reach.certificate.is_given() {
        return not_looked("no client certificate is given");
    }
    fine("client-certificate, client-key", "they are files")
}
