//! Certificates, each fault for itself, as Go judges them: the server's as it was presented or as
//! it lies beside the gate's configuration, the client's by its file and the gate's authority.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, ServerName};

use super::found::{Judged, NotLooked, Outcome, error, fine, not_looked, warning};
use super::view::View;
use super::view::server::Server;
use super::{Check, Run};
use crate::apiserver::x509::{Cert, Purpose, verify};

/// A certificate that ends within so many days is to be renewed.
const SOON: i64 = 14;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "authority-certificates",
        asks: "does the file of the authority hold certificates that are good now?",
        why: "without them no certificate of the webhook is believed",
        run: Run::Each(authority),
    },
    Check {
        id: "server-certificate-names",
        asks: "is the gate's certificate for the host that is called?",
        why: "Go goes by subject alternative names alone; a common name counts for nothing",
        run: Run::Each(names),
    },
    Check {
        id: "server-certificate-time",
        asks: "is the gate's certificate good now, and for a while?",
        why: "from the day it ends every call fails, and with defaultAllow: false no pod is let in",
        run: Run::Each(time),
    },
    Check {
        id: "server-certificate-issuer",
        asks: "did the kubeconfig's authority sign the gate's certificate?",
        why: "a certificate of another authority is refused: \"signed by unknown authority\"",
        run: Run::Each(issuer),
    },
    Check {
        id: "server-certificate-usage",
        asks: "may the gate's certificate be a server's?",
        why: "one that says what it is for, and leaves serverAuth out, is refused",
        run: Run::Each(usage),
    },
    Check {
        id: "client-certificate-pair",
        asks: "do the client certificate and its key belong together?",
        why: "kube-apiserver cannot use a certificate with another's key",
        run: Run::Each(pair),
    },
    Check {
        id: "client-certificate-time",
        asks: "is the client certificate good now, and for a while?",
        why: "from the day it ends the gate refuses the API server",
        run: Run::Each(client_time),
    },
    Check {
        id: "client-certificate-usage",
        asks: "may the client certificate be a client's?",
        why: "the gate refuses one without clientAuth: \"tls: unsupported certificate\"",
        run: Run::Each(client_usage),
    },
    Check {
        id: "client-certificate-issuer",
        asks: "did the gate's authority of clients sign the client certificate?",
        why: "the gate refuses those of others: \"tls: unknown certificate authority\"",
        run: Run::Each(client_issuer),
    },
    Check {
        id: "client-certificate-name",
        asks: "is the client certificate's name one that the gate lets in?",
        why: "the gate goes by authority and by name (tls.client_names)",
        run: Run::Each(client_name),
    },
];

/// The gate's certificate and where it was seen: as presented, else as the gate's file.
fn server_chain<'v>(view: &'v View, server: &'v Server) -> Result<(&'v [Cert], String), NotLooked> {
    server.way()?;
    let target = server.address()?;
    if !target.tls() {
        return not_looked("it is called without TLS, as said above");
    }
    if let Ok(probe) = &server.probe
        && !probe.presented.is_empty()
    {
        return Ok((&probe.presented, format!("as {} presents it", target.authority())));
    }
    if !view.gate_named {
        return not_looked(
            "no certificate was seen: nobody presented one, and --gate-config was not given",
        );
    }
    let gate = view.gate()?;
    match &gate.certificate {
        Ok(chain) => Ok((chain, gate.config.tls.cert.display().to_string())),
        Err(why) => not_looked(why.clone()),
    }
}

fn roots(server: &Server) -> Result<Vec<Cert>, NotLooked> {
    server.certificates(&server.way()?.authority, "certificate-authority")
}

fn authority(view: &View, server: &Server) -> Judged {
    let reach = server.way()?;
    if !reach.authority.is_given() {
        return not_looked("no certificate-authority is given");
    }
    let at = "certificate-authority";
    let Ok(roots) = server.certificates(&reach.authority, at) else {
        let said = "it holds no PEM certificate (unable to load root certificates)";
        return error(at, said, "give the ca.crt that signed the gate's certificate");
    };
    let judged: Vec<Judged> =
        roots.iter().map(|c| in_time(view, c, at, "make a new authority")).collect();
    let worst = judged.into_iter().flatten().max_by_key(|found| match found.outcome {
        Outcome::Error => 2,
        Outcome::Warning => 1,
        Outcome::Fine | Outcome::NotLooked => 0,
    });
    worst.ok_or_else(|| NotLooked("there is none".into()))
}

fn in_time(view: &View, cert: &Cert, at: &str, fix: &str) -> Judged {
    let (from, until) = cert.validity();
    let now = view.now.as_second();
    let day = |seconds: i64| {
        let time = cleanbill_core::Timestamp::from_second(seconds);
        time.map_or_else(|_| "never".to_owned(), |t| t.strftime("%Y-%m-%d %H:%M UTC").to_string())
    };
    let at = format!("{at}: {}", cert.subject());
    if now < from {
        let said = format!("it is good from {} on; now it is {}", day(from), day(now));
        return error(at, said, format!("look at the clocks of both machines, else {fix}"));
    }
    if now > until {
        let said = format!("it ended on {}", day(until));
        return error(
            at,
            said,
            format!("{fix} (`cleanbill setup --force` makes all of them anew)"),
        );
    }
    let days = (until - now) / 86_400;
    if days < SOON {
        let said = format!("it ends in {days} days, on {}", day(until));
        return warning(at, said, format!("{fix} before then"));
    }
    fine(at, format!("good until {}", day(until)))
}

fn leaf(chain: &[Cert]) -> Result<&Cert, NotLooked> {
    chain.first().ok_or_else(|| NotLooked("no certificate was seen".into()))
}

/// Go's judgement of a part: everything else about the certificate is taken as right.
fn names(view: &View, server: &Server) -> Judged {
    let (chain, at) = server_chain(view, server)?;
    let (reach, target) = (server.way()?, server.address()?);
    let leaf = leaf(chain)?;
    let name = reach.server_name.clone().unwrap_or_else(|| target.host().to_owned());
    let Ok(wanted) = ServerName::try_from(name.as_str()) else {
        return error(
            at,
            format!("{name:?} is no name that a certificate can be for"),
            "correct it",
        );
    };
    // Its own authority, at its own time: what is left to fail is the name.
    let middle = cleanbill_core::Timestamp::from_second(leaf.validity().0).unwrap_or(view.now);
    let own = [leaf.clone()];
    let purpose = if leaf.is_for(Purpose::Server) { Purpose::Server } else { Purpose::Client };
    let judged = verify(&own, &own, Some(&wanted), purpose, middle);
    match judged {
        Err(why) if !why.contains("incompatible key usage") => error(
            at,
            why,
            format!(
                "make a certificate with {name} among its subject alternative names (`cleanbill \
                 setup --host {name}`), or call one of {}",
                if leaf.names().is_empty() { "none".into() } else { leaf.names().join(", ") }
            ),
        ),
        _ => fine(at, format!("it is for {}", leaf.names().join(", "))),
    }
}

fn time(view: &View, server: &Server) -> Judged {
    let (chain, at) = server_chain(view, server)?;
    in_time(view, leaf(chain)?, &at, "make the gate a new certificate")
}

fn issuer(view: &View, server: &Server) -> Judged {
    let (chain, at) = server_chain(view, server)?;
    let reach = server.way()?;
    if reach.insecure || !reach.authority.is_given() {
        return not_looked("the kubeconfig gives no authority to hold it against");
    }
    let roots = roots(server)?;
    signed(
        view,
        chain,
        &roots,
        at,
        "give the authority that signed it as certificate-authority, or \
            make the gate a certificate of this one",
    )
}

fn signed(view: &View, chain: &[Cert], roots: &[Cert], at: String, fix: &str) -> Judged {
    let leaf = leaf(chain)?;
    // At a time at which it is good itself: that it ended is another check's.
    let (from, until) = leaf.validity();
    let now = view.now.as_second().clamp(from, until.max(from));
    let now = cleanbill_core::Timestamp::from_second(now).unwrap_or(view.now);
    let purpose = if leaf.is_for(Purpose::Server) { Purpose::Server } else { Purpose::Client };
    match verify(chain, roots, None, purpose, now) {
        Err(why)
            if why.contains("signed by unknown authority") || why.contains("attempts limit") =>
        {
            let said = format!("{why}: its issuer is {}", leaf.issuer());
            error(at, said, fix)
        }
        Err(why) if !why.contains("incompatible key usage") => error(at, why, fix),
        _ => fine(at, format!("signed by {}", leaf.issuer())),
    }
}

fn usage(view: &View, server: &Server) -> Judged {
    let (chain, at) = server_chain(view, server)?;
    if leaf(chain)?.is_for(Purpose::Server) {
        return fine(at, "it may be a server's");
    }
    let said = "x509: certificate specifies an incompatible key usage";
    error(at, said, "make the gate a certificate with extendedKeyUsage serverAuth")
}

fn client_chain(server: &Server) -> Result<(Vec<Cert>, &'static str), NotLooked> {
    let reach = server.way()?;
    if !reach.certificate.is_given() {
        return not_looked("no client certificate is given");
    }
    Ok((server.certificates(&reach.certificate, "client-certificate")?, "client-certificate"))
}

fn pair(_: &View, server: &Server) -> Judged {
    let reach = server.way()?;
    if !reach.certificate.is_given() || !reach.key.is_given() {
        return not_looked("no client certificate and key are given");
    }
    let at = "client-certificate, client-key";
    let fix = "take client.crt and client.key of one run of `cleanbill setup`";
    let Ok((chain, _)) = client_chain(server) else {
        return error(at, "client-certificate has no PEM certificate in it", fix);
    };
    let key = server.pem(&reach.key)?;
    let Ok(key) = PrivateKeyDer::from_pem_slice(&key) else {
        return error(at, "client-key has no PEM private key in it", fix);
    };
    let Ok(key) = rustls::crypto::ring::sign::any_supported_type(&key) else {
        return not_looked("the key is of a kind that is not read here");
    };
    let Some(public) = key.public_key() else {
        return not_looked("the key does not tell its public half");
    };
    if public.as_ref() == leaf(&chain)?.public_key() {
        return fine(at, "they belong together");
    }
    error(at, "tls: private key does not match public key", fix)
}

fn client_time(view: &View, server: &Server) -> Judged {
    let (chain, at) = client_chain(server)?;
    in_time(view, leaf(&chain)?, at, "make the API server a new certificate")
}

fn client_usage(_: &View, server: &Server) -> Judged {
    let (chain, at) = client_chain(server)?;
    if leaf(&chain)?.is_for(Purpose::Client) {
        return fine(at, "it may be a client's");
    }
    let said = "its extended key usage leaves clientAuth out";
    error(at, said, "make one with extendedKeyUsage clientAuth (a server's certificate is none)")
}

fn client_issuer(view: &View, server: &Server) -> Judged {
    let (chain, at) = client_chain(server)?;
    let gate = view.gate()?;
    let roots = match &gate.client_ca {
        Ok(roots) => roots,
        Err(why) => return not_looked(why.clone()),
    };
    signed(
        view,
        &chain,
        roots,
        at.to_owned(),
        "give the gate its authority as tls.client_ca, or make \
            a client certificate of that one",
    )
}

fn client_name(view: &View, server: &Server) -> Judged {
    let (chain, at) = client_chain(server)?;
    let gate = view.gate()?;
    let wanted = &gate.config.tls.client_names;
    let leaf = leaf(&chain)?;
    let mut names = leaf.names();
    names.extend(leaf.common_name());
    if names.iter().any(|name| wanted.contains(name)) {
        return fine(at, format!("the gate lets {} in", wanted.join(", ")));
    }
    error(
        at,
        format!("its names are {}; the gate lets in {}", names.join(", "), wanted.join(", ")),
        "add its name to tls.client_names in cleanbill.yaml, or make a certificate of that name",
    )
}
