//! Who is let in, with both versions of TLS. Each row that is refused is a known attack or mistake.

use cleanbill::setup::pki::{Authority, Pair};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::rig::{CLIENT, Choice, Rig, good, question, rig, validity};

fn ask(rig: &Rig, who: Option<&Pair>, version: &'static SupportedProtocolVersion) -> Option<u16> {
    let body = question(&[&good()]);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let reply = rig.raw(who, request.as_bytes(), &[version]).ok()?;
    assert!(reply.allowed(), "{reply:?}");
    Some(reply.status)
}

#[test]
fn only_the_named_client_of_the_right_authority_is_let_in() {
    let rig = rig(Choice::default());
    let valid = validity(-60, 3600);
    let right = &rig.authority;
    let wrong = Authority::new(valid).unwrap();
    let forge = |authority: &Authority, name: &str| authority.client(name, valid).unwrap();
    let server = |name: &str| right.server(&[name.to_owned()], valid).unwrap();
    let table: Vec<(&str, Option<Pair>, bool)> = vec![
        ("the right client", Some(forge(right, CLIENT)), true),
        ("no client certificate", None, false),
        ("the same name by another authority", Some(forge(&wrong, CLIENT)), false),
        ("another name by the right authority", Some(forge(right, "kubelet")), false),
        ("a name that only begins right", Some(forge(right, "kube-apiserver.evil.example")), false),
        ("a name in other case", Some(forge(right, "Kube-Apiserver")), false),
        (
            "an expired certificate",
            Some(right.client(CLIENT, validity(-7200, -3600)).unwrap()),
            false,
        ),
        (
            "a certificate of tomorrow",
            Some(right.client(CLIENT, validity(3600, 7200)).unwrap()),
            false,
        ),
        ("a server certificate", Some(server("127.0.0.1")), false),
        ("a server certificate of the client's name", Some(server(CLIENT)), false),
    ];
    for version in [&TLS12, &TLS13] {
        for (what, who, good) in &table {
            let answered = ask(&rig, who.as_ref(), version);
            assert_eq!(answered, good.then_some(200), "{what}, {:?}", version.version);
        }
    }
    let refused = 2 * (table.len() - 1);
    let metrics = rig.get("/metrics").body;
    let line = format!("cleanbill_handshakes_refused_total {refused}\n");
    assert!(metrics.contains(&line), "refused in the handshake, all of them: {metrics}");
}

#[test]
fn plain_http_on_the_tls_port_gets_no_answer() {
    use std::io::{Read as _, Write as _};
    let rig = rig(Choice::default());
    let mut socket = std::net::TcpStream::connect(rig.address).unwrap();
    socket.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut raw = Vec::new();
    _ = socket.read_to_end(&mut raw);
    assert!(!String::from_utf8_lossy(&raw).contains("HTTP/"), "{raw:?}");
}

#[test]
fn nobody_named_is_an_error_and_not_everybody() {
    use cleanbill::serve::tls::Material;
    let valid = validity(-60, 3600);
    let authority = Authority::new(valid).unwrap();
    let server = authority.server(&["127.0.0.1".into()], valid).unwrap();
    let material = Material {
        certificate: server.certificate.into_bytes(),
        key: server.key.into_bytes(),
        client_ca: authority.certificate().into_bytes(),
        client_names: vec![],
    };
    let said = material.config().unwrap_err().to_string();
    assert!(said.contains("client_names is empty"), "{said}");
    let other = authority.server(&["127.0.0.1".into()], valid).unwrap();
    let mixed =
        Material { key: other.key.into_bytes(), client_names: vec!["x".into()], ..material };
    let said = mixed.config().unwrap_err().to_string();
    assert!(said.contains("the server certificate and its key"), "{said}");
}
