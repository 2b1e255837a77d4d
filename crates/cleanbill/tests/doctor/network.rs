//! Addresses that lead nowhere, or to somebody else; and what the two together do.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use cleanbill::doctor::{Input, Network};
use cleanbill::serve::tls::Material;

use crate::node::{CONFIG, GATE, KUBECONFIG, MANIFEST, Node, Usage, stranger};
use crate::row::Expect::{Error, Fine, NotLooked, Warning};
use crate::row::{Row, check, row};

#[test]
fn wrong_ways_and_wrong_behaviour() {
    check(ROWS);
}

const REVIEW: &str = "{\"kind\":\"ImageReview\",\"apiVersion\":\"imagepolicy.k8s.io/v1alpha1\",\"status\":{\"allowed\":true}}";

/// A gate on loopback with the node's own files; the kubeconfig leads to it.
fn gate(node: &Node, input: &mut Input, skew: i64, body: &'static str) {
    let read = |name: &str| node.read(&format!("gate/{name}")).into_bytes();
    let material = Material {
        certificate: read("server.crt"),
        key: read("server.key"),
        client_ca: read("ca.crt"),
        client_names: vec!["kube-apiserver".into()],
    };
    let config = Arc::new(material.config().unwrap());
    let listener = listen(node, input);
    let date = jiff::Timestamp::from_second(node.now.as_second() + skew).unwrap();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let mut chunk = [0; 4096];
            if stream.read(&mut chunk).is_err() {
                continue;
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            _ = stream.write_all((head + body).as_bytes());
            stream.conn.send_close_notify();
            _ = stream.flush();
        }
    });
}

/// A port on loopback to which the kubeconfig leads.
fn listen(node: &Node, input: &mut Input) -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    node.edit(KUBECONFIG, "127.0.0.1:1234", &address);
    input.network = Network::OnNode;
    listener
}

fn env(node: &Node, lines: &str) {
    node.edit(
        MANIFEST,
        "    name: kube-apiserver\n    vol",
        &format!("    name: kube-apiserver\n    env:\n{lines}    vol"),
    );
}

fn everywhere(node: &Node, host: &str) {
    node.edit(KUBECONFIG, "127.0.0.1:1234", &format!("{host}:1234"));
    node.edit(GATE, "127.0.0.1:1234", "0.0.0.0:1234");
}

pub const ROWS: &[Row] = &[
    row(
        "loopback without the node's network",
        |n, _| n.edit(MANIFEST, "  hostNetwork: true\n", ""),
        Error("host-network", "loopback is the pod itself"),
    ),
    row(
        "a name of the cluster's DNS with the node's network",
        |n, _| {
            everywhere(n, "cleanbill.cleanbill.svc");
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names =
                    vec![rcgen::SanType::DnsName("cleanbill.cleanbill.svc".try_into().unwrap())];
            }));
        },
        Error("host-network", "the cluster's DNS"),
    ),
    row(
        "a name of the cluster's DNS that resolves",
        |n, _| {
            everywhere(n, "cleanbill.cleanbill.svc");
            n.edit(
                MANIFEST,
                "  hostNetwork: true",
                "  hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet",
            );
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names =
                    vec![rcgen::SanType::DnsName("cleanbill.cleanbill.svc".try_into().unwrap())];
            }));
        },
        Warning("gate-in-cluster", "need its own answer to start"),
    ),
    row(
        "a proxy for everything",
        |n, _| {
            everywhere(n, "10.0.0.7");
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names = vec![rcgen::SanType::IpAddress("10.0.0.7".parse().unwrap())];
            }));
            env(n, "    - {name: HTTPS_PROXY, value: \"me:hunter2@proxy:3128\"}\n");
        },
        Error("proxy", "HTTPS_PROXY=\u{2026}@proxy:3128"),
    ),
    row(
        "a proxy whose value stands elsewhere",
        |n, _| {
            everywhere(n, "10.0.0.7");
            env(n, "    - {name: HTTPS_PROXY, valueFrom: {secretKeyRef: {name: a, key: b}}}\n");
        },
        NotLooked("proxy", "HTTPS_PROXY is not written in the Pod"),
    ),
    row(
        "another machine, of which nobody knows whether it leads into the cluster",
        |n, _| everywhere(n, "10.0.0.7"),
        NotLooked("gate-in-cluster", "10.0.0.7"),
    ),
    row(
        "a proxy that is passed by",
        |n, _| env(n, "    - {name: HTTPS_PROXY, value: \"http://proxy:3128\"}\n"),
        Fine("proxy", "asked directly"),
    ),
    row(
        "a proxy of the kubeconfig",
        |n, _| {
            n.edit(
                KUBECONFIG,
                "    certificate-authority:",
                "    proxy-url: http://proxy:3128\n    certificate-authority:",
            )
        },
        Warning("proxy", "goes through this proxy"),
    ),
    row(
        "a name that nobody knows",
        |n, i| {
            everywhere(n, "gate.invalid");
            n.serve_with(n.issue(Usage::Server, |p| {
                p.subject_alt_names =
                    vec![rcgen::SanType::DnsName("gate.invalid".try_into().unwrap())];
            }));
            i.network = Network::OnNode;
        },
        Error("name-resolves", "no such host"),
    ),
    row("nobody listens", |n, i| drop(listen(n, i)), Error("port-open", "connection refused")),
    row(
        "loopback of another machine",
        |n, i| {
            drop(listen(n, i));
            i.network = Network::Elsewhere;
        },
        NotLooked("port-open", "is the node itself"),
    ),
    row("the gate answers", |n, i| gate(n, i, 0, ""), Fine("handshake", "the server takes ours")),
    row(
        "no question without being told",
        |n, i| gate(n, i, 0, "not found"),
        NotLooked("gate-answers", "--ask IMAGE"),
    ),
    row(
        "a question is answered",
        |n, i| {
            gate(n, i, 0, REVIEW);
            i.ask = Some("registry.example/app:1".into());
        },
        Fine("gate-answers", "an ImageReview came back"),
    ),
    row(
        "something else answers",
        |n, i| {
            gate(n, i, 0, "<html>");
            i.ask = Some("registry.example/app:1".into());
        },
        Error("gate-answers", "no ImageReview"),
    ),
    row(
        "the certificate that is presented is judged, not the file",
        |n, i| {
            let good = (n.read("gate/server.crt"), n.read("gate/server.key"));
            n.serve_with(stranger(Usage::Server));
            gate(n, i, 0, "");
            n.serve_with(good);
        },
        Error("server-certificate-issuer", "presents it"),
    ),
    row(
        "something without TLS listens",
        |n, i| {
            let listener = listen(n, i);
            std::thread::spawn(move || {
                for mut stream in listener.incoming().flatten() {
                    _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                }
            });
        },
        Error("handshake", "does not look like a TLS handshake"),
    ),
    row(
        "the gate refuses the API server's certificate",
        |n, i| {
            gate(n, i, 0, "");
            n.call_with(stranger(Usage::Client));
            i.gate_config = None;
        },
        Error("handshake", "remote error: tls: unknown certificate authority"),
    ),
    row(
        "the gate's clock is an hour ahead",
        |n, i| gate(n, i, 3600, ""),
        Error("clock-skew", "3600 s"),
    ),
    row(
        "the gate's clock is a minute behind",
        |n, i| gate(n, i, -60, ""),
        Warning("clock-skew", "-60 s"),
    ),
    // What the two together do.
    row(
        "pods are let in while the gate is down",
        |n, _| n.edit(CONFIG, "defaultAllow: false", "defaultAllow: true"),
        Warning("default-allow", "defaultAllow: false"),
    ),
    row(
        "failing open together with fail",
        |n, _| {
            n.edit(CONFIG, "defaultAllow: false", "defaultAllow: true");
            n.edit(GATE, "when_unexamined: deny", "when_unexamined: fail");
        },
        Error("default-allow-with-fail", "every image that cannot be examined is let in"),
    ),
    row(
        "fail alone is right",
        |n, _| n.edit(GATE, "when_unexamined: deny", "when_unexamined: fail"),
        Fine("default-allow-with-fail", "a failure refuses"),
    ),
    row(
        "failing open leaves no trace",
        |n, _| n.edit(CONFIG, "defaultAllow: false", "defaultAllow: true"),
        Warning("failing-open-shows", "no audit log"),
    ),
    row(
        "the audit policy drops pods",
        |n, i| {
            n.edit(CONFIG, "defaultAllow: false", "defaultAllow: true");
            n.write("audit.yaml", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n  resources: [{group: '', resources: [pods]}]\n- level: Metadata\n");
            i.audit_policy = Some(n.path("audit.yaml"));
        },
        Warning("failing-open-shows", "its rule 1"),
    ),
    row(
        "the audit policy keeps pods",
        |n, i| {
            n.edit(CONFIG, "defaultAllow: false", "defaultAllow: true");
            n.write(
                "audit.yaml",
                "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n",
            );
            i.audit_policy = Some(n.path("audit.yaml"));
        },
        Fine("failing-open-shows", "its rule 1"),
    ),
    row(
        "a pod was let in",
        |n, i| {
            let event = "{\"kind\":\"Event\",\"objectRef\":{\"namespace\":\"shop\",\"name\":\"web-1\"},\"requestReceivedTimestamp\":\"2026-08-01T10:00:00Z\",\"annotations\":{\"imagepolicywebhook.image-policy.k8s.io/failed-open\":\"true\"}}\n";
            n.write("audit.log", &format!("{{\"kind\":\"Event\"}}\n{event}"));
            i.audit_log = Some(n.path("audit.log"));
        },
        Error("failed-open", "the last 2026-08-01T10:00:00Z for shop/web-1"),
    ),
    row(
        "an audit log of which a part cannot be read",
        |n, i| {
            n.write("audit.log", "{\"kind\":\"Event\"}\nnothing\n");
            i.audit_log = Some(n.path("audit.log"));
        },
        Warning("failed-open", "1 lines could not be read"),
    ),
    row(
        "an audit log without failing open",
        |n, i| {
            n.write("audit.log", "{\"kind\":\"Event\"}\n{\"kind\":\"Event\"}\n");
            i.audit_log = Some(n.path("audit.log"));
        },
        Fine("failed-open", "none was let in"),
    ),
    row(
        "an exception ends today",
        |n, _| {
            let today = cleanbill_core::policy::today(n.now);
            n.edit(CONFIG, "allowTTL: 60", "allowTTL: 1200");
            n.edit(
                "gate/policy.yaml",
                "exceptions: []",
                &format!(
                    "exceptions:\n- {{id: CVE-2021-36159, reason: a, owner: b, expires: {today}}}"
                ),
            );
        },
        Warning("exceptions-outlived", "1200s"),
    ),
    row(
        "the advisories are old",
        |n, _| snapshot(n, &[Some("2020-01-01T00:00:00Z")]),
        Warning("snapshot-outlived", "older than max_feed_age"),
    ),
    row(
        "advisories have no date",
        |n, _| snapshot(n, &[None]),
        Warning("snapshot-outlived", "it has no date"),
    ),
    row(
        "there are no advisories",
        |n, _| snapshot(n, &[]),
        Warning("snapshot-outlived", "it has no feeds"),
    ),
    row(
        "tags are kept for long",
        |n, _| {
            n.edit(CONFIG, "allowTTL: 60", "allowTTL: 600");
            n.edit("gate/policy.yaml", "accept_gaps: []", "accept_gaps: [mutable-reference]");
        },
        Warning("tags-remembered", "600s"),
    ),
    row(
        "denials are kept for long",
        |n, _| n.edit(CONFIG, "denyTTL: 10", "denyTTL: 600"),
        Warning("denials-remembered", "600s"),
    ),
    row(
        "an old API server",
        |n, _| n.edit(MANIFEST, "v1.36.2", "v1.27.2"),
        Error("api-server-version", "CVE-2023-2727"),
    ),
    row(
        "an API server of no version",
        |n, _| n.edit(MANIFEST, ":v1.36.2", "@sha256:00"),
        NotLooked("api-server-version", "the version is not known"),
    ),
];

/// Gives the gate a snapshot of feeds with these dates.
fn snapshot(node: &Node, dates: &[Option<&str>]) {
    let feed = |(at, date): (usize, &Option<&str>)| cleanbill_core::advisory::Feed {
        id: format!("osv:{at}"),
        as_of: date.map(|date| date.parse().unwrap()),
        licence: "x".into(),
        advisories: 0,
        not_understood: 0,
        streams: Vec::new(),
    };
    let feeds = dates.iter().enumerate().map(feed).collect();
    let gathered = cleanbill_advisory::Gathered { feeds, ..Default::default() };
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&gathered, &mut bytes).unwrap();
    std::fs::write(node.path("gate/db"), bytes).unwrap();
    node.edit(GATE, "# db: /var/lib/cleanbill/advisories.db", "db: db");
}
