//! Certificates with one fault each, judged by their files.

use rcgen::{ExtendedKeyUsagePurpose, SanType};

use crate::node::{GATE, KUBECONFIG, Usage, in_days, stranger};
use crate::row::Expect::{Error, Fine, NotLooked, Warning};
use crate::row::{Row, check, row};

#[test]
fn wrong_certificates() {
    check(ROWS);
}

pub const ROWS: &[Row] = &[
    row(
        "the authority's file holds a key",
        |n, _| n.write("etc/kubernetes/cleanbill/ca.crt", &n.read("gate/client.key")),
        Error("authority-certificates", "no PEM certificate"),
    ),
    row(
        "names in the common name alone",
        |n, _| {
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names.clear();
                p.distinguished_name.push(rcgen::DnType::CommonName, "127.0.0.1");
            }));
        },
        Error("server-certificate-names", "legacy Common Name"),
    ),
    row(
        "for another host",
        |n, _| {
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names = vec![SanType::IpAddress("10.0.0.7".parse().unwrap())];
            }));
        },
        Error("server-certificate-names", "valid for 10.0.0.7, not 127.0.0.1"),
    ),
    row(
        "names and no address",
        |n, _| {
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names = vec![SanType::DnsName("gate.example".try_into().unwrap())];
            }));
        },
        Error("server-certificate-names", "doesn't contain any IP SANs"),
    ),
    row(
        "the name that is to be looked for is given",
        |n, _| {
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names = vec![SanType::DnsName("gate.example".try_into().unwrap())];
            }));
            n.edit(
                KUBECONFIG,
                "    certificate-authority:",
                "    tls-server-name: gate.example\n    certificate-authority:",
            );
        },
        Fine("server-certificate-names", "gate.example"),
    ),
    row(
        "ended",
        |n, _| n.serve_with(n.issue(Usage::Server, |p| p.not_after = in_days(-1))),
        Error("server-certificate-time", "it ended on"),
    ),
    row(
        "not yet good",
        |n, _| n.serve_with(n.issue(Usage::Server, |p| p.not_before = in_days(2))),
        Error("server-certificate-time", "look at the clocks"),
    ),
    row(
        "ends soon",
        |n, _| n.serve_with(n.issue(Usage::Server, |p| p.not_after = in_days(5))),
        Warning("server-certificate-time", "it ends in"),
    ),
    row(
        "of another authority",
        |n, _| n.serve_with(stranger(Usage::Server)),
        Error("server-certificate-issuer", "signed by unknown authority"),
    ),
    row(
        "for clients only",
        |n, _| {
            n.serve_with(n.issue(Usage::Server, |p| {
                p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }));
        },
        Error("server-certificate-usage", "incompatible key usage"),
    ),
    row(
        "signed by itself, and its own authority, as Go takes it",
        |n, _| {
            let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
            n.serve_with((made.cert.pem(), made.signing_key.serialize_pem()));
            n.write("etc/kubernetes/cleanbill/ca.crt", &made.cert.pem());
        },
        Fine("server-certificate-issuer", "signed by"),
    ),
    row(
        "the client has another's key",
        |n, _| n.write("etc/kubernetes/cleanbill/client.key", &n.read("gate/server.key")),
        Error("client-certificate-pair", "private key does not match"),
    ),
    row(
        "the client's certificate ended",
        |n, _| n.call_with(n.issue(Usage::Client, |p| p.not_after = in_days(-1))),
        Error("client-certificate-time", "it ended on"),
    ),
    row(
        "a server's certificate as a client's",
        |n, _| {
            n.call_with(n.issue(Usage::Client, |p| {
                p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }));
        },
        Error("client-certificate-usage", "clientAuth"),
    ),
    row(
        "the client's certificate is of another authority",
        |n, _| n.call_with(stranger(Usage::Client)),
        Error("client-certificate-issuer", "its issuer is CN=Another CA"),
    ),
    row(
        "the client has another name",
        |n, _| n.edit(GATE, "client_names: [\"kube-apiserver\"]", "client_names: [api]"),
        Error("client-certificate-name", "the gate lets in api"),
    ),
    row(
        "nothing is known of the gate",
        |_, i| i.gate_config = None,
        NotLooked("client-certificate-issuer", "--gate-config"),
    ),
    row(
        "no certificate of the gate was seen",
        |_, i| i.gate_config = None,
        NotLooked("server-certificate-names", "nobody presented one"),
    ),
];
