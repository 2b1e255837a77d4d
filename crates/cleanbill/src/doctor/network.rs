//! The way to the webhook: names, proxies, the port, the handshake, and what answers.

use super::found::{Judged, NotLooked, address, error, fine, not_looked, warning};
use super::view::View;
use super::view::server::Server;
use super::{Check, Network, Run};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "host-network",
        asks: "does the address mean the same within the pod as on the node?",
        why: "localhost is the node only for a pod with the node's network; cluster DNS is not there \
              for such a pod, unless its dnsPolicy says so",
        run: Run::Each(host_network),
    },
    Check {
        id: "proxy",
        asks: "is the webhook asked directly?",
        why: "kube-apiserver's own proxy settings count for webhooks too: the call goes elsewhere",
        run: Run::Each(proxy),
    },
    Check {
        id: "name-resolves",
        asks: "does the host's name have an address?",
        why: "a call to a name without an address fails",
        run: Run::Each(resolves),
    },
    Check {
        id: "port-open",
        asks: "does something listen there?",
        why: "a refused connection is a failed call; kube-apiserver does not try again",
        run: Run::Each(port),
    },
    Check {
        id: "handshake",
        asks: "do both sides take each other's certificate?",
        why: "without a handshake nothing can be asked",
        run: Run::Each(handshake),
    },
    Check {
        id: "clock-skew",
        asks: "do the clocks agree?",
        why: "certificates, expiring exceptions and break-glass tokens go by the clock",
        run: Run::Each(clock),
    },
    Check {
        id: "gate-answers",
        asks: "is an image review answered?",
        why: "whatever is no ImageReview counts as a failure of the webhook",
        run: Run::Each(answers),
    },
];

fn host_network(_: &View, server: &Server) -> Judged {
    let (pod, target) = (server.pod()?, server.address()?);
    let at = format!("{}, hostNetwork: {}", target.authority(), pod.host_network);
    if target.is_loopback() && !pod.host_network {
        return error(
            at,
            "without hostNetwork, loopback is the pod itself, where no gate listens",
            "set hostNetwork: true (kubeadm does), or call the node's address",
        );
    }
    let host = target.host().trim_end_matches('.').to_ascii_lowercase();
    let cluster =
        host.ends_with(".svc") || host.contains(".svc.") || host.ends_with(".cluster.local");
    if cluster && pod.host_network && pod.dns_policy != "ClusterFirstWithHostNet" {
        return error(
            at,
            format!("{host} is a name of the cluster's DNS, which this pod does not ask"),
            "call the service's cluster IP (and put it into the certificate), or set dnsPolicy: \
             ClusterFirstWithHostNet",
        );
    }
    fine(at, "the address means the same there")
}

fn proxy(_: &View, server: &Server) -> Judged {
    let (reach, target) = (server.way()?, server.address()?);
    if let Some(proxy) = &reach.proxy {
        return warning(
            format!("proxy-url: {}", address(proxy)),
            "every call goes through this proxy",
            "remove proxy-url, unless the gate is reached in no other way",
        );
    }
    let pod = server.pod()?;
    let names: &[&str] =
        if target.tls() { &["HTTPS_PROXY", "https_proxy"] } else { &["HTTP_PROXY", "http_proxy"] };
    let proxies = ["*", "NO_PROXY", "no_proxy"];
    let elsewhere =
        |name: &&String| names.contains(&name.as_str()) || proxies.contains(&name.as_str());
    if let Some(name) = pod.env_elsewhere.iter().find(elsewhere)
        && !target.is_exempt("")
    {
        return not_looked(format!("the value of {name} is not written in the Pod"));
    }
    let Some((name, value)) = pod.variable(names) else {
        return fine("the container's environment", "no proxy is set");
    };
    let no_proxy = pod.variable(&["NO_PROXY", "no_proxy"]).map_or("", |(_, value)| value);
    if target.is_exempt(no_proxy) {
        return fine(format!("{name}, NO_PROXY"), format!("{} is asked directly", target.host()));
    }
    error(
        format!("{name}={}, NO_PROXY={no_proxy}", address(value)),
        format!("calls to {} go through the proxy", target.authority()),
        format!("add {} to NO_PROXY", target.host()),
    )
}

fn resolves(view: &View, server: &Server) -> Judged {
    let target = server.address()?;
    if target.ip().is_some() {
        return fine(target.host(), "it is an address itself");
    }
    if let Ok(pod) = server.pod()
        && let Some((_, ip)) = pod.host_aliases.iter().find(|(name, _)| *name == target.host())
    {
        return fine(format!("hostAliases: {}", target.host()), format!("it is {ip}"));
    }
    match &server.called()?.resolved {
        Some(Ok(found)) if !found.is_empty() => {
            let all: Vec<String> = found.iter().map(|a| a.ip().to_string()).collect();
            fine(target.host(), format!("it is {} here", all.join(", ")))
        }
        Some(Ok(_)) => far(view, target.host(), "it has no address", FIX_NAME),
        Some(Err(why)) => far(view, target.host(), format!("no such host: {why}"), FIX_NAME),
        None => not_looked("it was not looked up"),
    }
}

/// On the node an error; from another machine the node may see it otherwise.
fn far(view: &View, at: &str, said: impl Into<String>, fix: &str) -> Judged {
    match view.network {
        Network::OnNode => error(at, said, fix),
        Network::Elsewhere | Network::Untouched => {
            warning(at, format!("from this machine: {}", said.into()), fix)
        }
    }
}

const FIX_NAME: &str = "write the gate's address into server (and its certificate), or give the name \
                        an address in the node's /etc/hosts";

fn port(view: &View, server: &Server) -> Judged {
    let target = server.address()?;
    match &server.called()?.connected {
        Some(Ok(address)) => fine(target.authority(), format!("{address} takes connections")),
        Some(Err(why)) => far(
            view,
            &target.authority(),
            why,
            "start the gate (`cleanbill serve`), look at its listen and at firewalls between",
        ),
        None => not_looked("the name has no address, as said above"),
    }
}

fn handshake(_: &View, server: &Server) -> Judged {
    let target = server.address()?;
    if !target.tls() {
        return not_looked("it is called without TLS, as said above");
    }
    match &server.called()?.shaken {
        Some(Ok(())) => {
            fine(target.authority(), "the handshake is done, and the server takes ours")
        }
        Some(Err(why)) => {
            let fix = match why.as_str() {
                w if w.ends_with("certificate required") => {
                    "give the kubeconfig's user a client certificate and key"
                }
                w if w.ends_with("unknown certificate authority") => {
                    "give the gate the authority of the client certificate (tls.client_ca)"
                }
                w if w.ends_with("unsupported certificate") => {
                    "make a client certificate with extendedKeyUsage clientAuth"
                }
                w if w.contains("does not look like a TLS handshake") => {
                    "something else listens there, or the gate's port of metrics: correct the port"
                }
                _ => "look at the gate's log, which says whom it refused and why",
            };
            error(target.authority(), why, fix)
        }
        None => not_looked("nobody took the connection, as said above"),
    }
}

/// Seconds by which clocks may differ without a word.
const APART: i64 = 30;

fn clock(view: &View, server: &Server) -> Judged {
    let cluster = view.cluster.as_ref().ok().and_then(|cluster| cluster.ahead);
    let gate = match server.called().map(|probe| &probe.answer) {
        Ok(Some(Ok(answer))) => answer.date.map(|date| date - view.now.as_second()),
        Ok(_) | Err(_) => None,
    };
    let seen = [("the API server", cluster), ("the gate", gate)];
    let mut told = Vec::new();
    for (who, ahead) in seen {
        let Some(ahead) = ahead else { continue };
        let (at, said) = (format!("{who}'s Date"), format!("{who}'s clock is {ahead} s from ours"));
        if ahead.abs() > APART {
            return apart(&at, said, ahead, "set both machines' clocks by NTP");
        }
        told.push(said);
    }
    if told.is_empty() {
        server.called()?;
        return not_looked("nothing answered, whose clock could be read");
    }
    fine("Date", told.join(", "))
}

fn apart(at: &str, said: String, ahead: i64, fix: &str) -> Judged {
    // `setup` makes certificates good from five minutes ago.
    if ahead.abs() > 300 { error(at, said, fix) } else { warning(at, said, fix) }
}

fn answers(_: &View, server: &Server) -> Judged {
    let target = server.address()?;
    let answer = match &server.called()?.answer {
        Some(Ok(answer)) => answer,
        Some(Err(why)) => {
            return error(target.authority(), why, "see whether it is the gate that listens there");
        }
        None => return Err(NotLooked("there was no handshake, as said above".into())),
    };
    let is_review = answer.body.contains("ImageReview") && answer.body.contains("\"status\"");
    match (answer.status, is_review) {
        (200..=206, true) => fine(target.authority(), "an ImageReview came back"),
        (403, false) if answer.body.contains("\"Status\"") => {
            warning(target.authority(), "the gate could not examine the image", "see its log")
        }
        _ if !answer.body.contains("ImageReview")
            && server.probe.as_ref().is_ok_and(|p| !p.asked) =>
        {
            not_looked("no question was sent: --ask IMAGE sends one")
        }
        (status, _) => error(
            target.authority(),
            format!("HTTP {status}, and no ImageReview"),
            "see whether it is the gate that listens there, and the path of server",
        ),
    }
}
