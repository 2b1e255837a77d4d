//! The gate's own files: whether it would start with them.

use super::found::{Judged, Unseen, denied, error, fine, not_looked, warning};
use super::view::View;
use super::view::server::Server;
use super::{Check, Run};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "gate-config",
        asks: "would the gate take its configuration and policy?",
        why: "a gate that does not start answers nobody",
        run: Run::Once(config),
    },
    Check {
        id: "gate-certificates",
        asks: "can the gate use its certificate, its key and its authority of clients?",
        why: "a gate that cannot use them does not start",
        run: Run::Once(certificates),
    },
    Check {
        id: "gate-listens",
        asks: "does the gate listen where the API server calls?",
        why: "a call to another port, or to an address on which the gate does not listen, is refused",
        run: Run::Each(listens),
    },
];

fn config(view: &View) -> Judged {
    let gate = match &view.gate {
        Ok(gate) => gate,
        Err(why) if view.gate_named => {
            return match denied(why) {
                Some(why) => not_looked(why),
                None => error("--gate-config", why, "`cleanbill setup` writes a complete one"),
            };
        }
        Err(why) => return not_looked(why),
    };
    let at = gate.file.display().to_string();
    match &gate.policy {
        Ok(_) => fine(at, "it and its policy are valid"),
        Err(Unseen::Refused(e)) => {
            error(at, &e.words, "correct it; `cleanbill policy check` looks at a policy alone")
        }
        Err(Unseen::Not(why)) => not_looked(format!("its policy was not seen: {why}")),
    }
}

fn certificates(view: &View) -> Judged {
    let at = "tls.cert, tls.key, tls.client_ca";
    match &view.gate()?.pair {
        Ok(()) => fine(at, "they can be used, and belong together"),
        Err(Unseen::Refused(e)) => error(
            at,
            &e.words,
            "`cleanbill setup` makes certificates and keys that belong together",
        ),
        Err(Unseen::Not(why)) => not_looked(why),
    }
}

fn listens(view: &View, server: &Server) -> Judged {
    let listen = view.gate()?.config.listen;
    let target = server.address()?;
    let at = format!("listen: {listen}, server: {}", target.authority());
    if target.port() != listen.port() {
        return warning(
            at,
            format!(
                "the API server calls port {}, the gate listens on {}",
                target.port(),
                listen.port()
            ),
            "make them the same, unless something between them translates",
        );
    }
    if listen.ip().is_loopback() && !target.is_loopback() {
        return error(
            at,
            "the gate listens on this machine's loopback alone",
            format!("write listen: \"0.0.0.0:{}\", or call 127.0.0.1", listen.port()),
        );
    }
    fine(at, "the same port")
}
