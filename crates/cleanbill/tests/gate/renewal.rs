//! Certificates are renewed in steps (`setup renew`): real handshakes between a gate and an API
//! server that are at most one step apart, in both directions, and the steps cut off in between.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use cleanbill::failure::Failure;
use cleanbill::serve::config_file;
use cleanbill::serve::reload::Reloader;
use cleanbill::serve::tls::Material;
use cleanbill::setup::mode::Mode;
use cleanbill::setup::renew::{Came, begin, finish, switch};
use cleanbill::setup::{Plan, files, make};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::rig::{CLIENT, Choice, Reply, Rig, good, question, rig};

const CERTIFICATES: [&str; 5] = ["ca.crt", "server.crt", "server.key", "client.crt", "client.key"];

/// A folder as setup writes it.
fn made(plan: &Plan) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    files::write(dir.path(), &make(plan, jiff::Timestamp::now()).unwrap(), false).unwrap();
    dir
}

/// What both sides have of a folder at one moment.
fn copy(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in CERTIFICATES {
        fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// Gives the gate the files of a folder.
fn serve(rig: &Rig, folder: &Path) {
    let at = |name: &str| folder.join(name);
    let material =
        Material::read(&at("server.crt"), &at("server.key"), &at("ca.crt"), vec![CLIENT.into()]);
    rig.handles().tls.replace(material.unwrap().config().unwrap());
}

/// Asks as an API server with the files of a folder.
fn ask(rig: &Rig, folder: &Path) -> std::io::Result<bool> {
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(&read("ca.crt")) {
        roots.add(authority.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(&read("client.crt")).unwrap()],
            PrivateKeyDer::from_pem_slice(&read("client.key")).unwrap(),
        )
        .unwrap();
    let name = rustls::pki_types::ServerName::from(rig.address.ip());
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(rig.address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut stream = rustls::StreamOwned::new(connection, socket);
    let body = question(&[&good()]);
    write!(
        stream,
        "POST /review HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut raw = Vec::new();
    let read = stream.read_to_end(&mut raw);
    match Reply::parse(&raw) {
        Some(reply) => Ok(reply.allowed()),
        None => read.and(Err(std::io::Error::other("no answer"))),
    }
}

#[test]
fn sides_that_are_one_step_apart_understand_each_other() {
    for keep_ca_key in [false, true] {
        let rig = rig(Choice::default());
        let dir = made(&Plan { keep_ca_key, ..Plan::default() });
        let dir = dir.path();
        let mut stages = vec![copy(dir)];
        let now = jiff::Timestamp::now();
        assert_eq!(begin(dir, 400, now).unwrap(), Came::Overlaps);
        stages.push(copy(dir));
        assert_eq!(switch(dir).unwrap(), Came::Switched);
        stages.push(copy(dir));
        assert_eq!(finish(dir).unwrap(), Came::Finished);
        stages.push(copy(dir));
        assert!(!dir.join("renewal").exists());
        assert_eq!(dir.join("ca.key").exists(), keep_ca_key);
        for (gate, at) in stages.iter().enumerate() {
            serve(&rig, at.path());
            for (server, from) in stages.iter().enumerate() {
                let answered = ask(&rig, from.path());
                // The first and the last share no authority; neither do old trust and new
                // certificates, nor old certificates and new trust.
                let understood = gate.abs_diff(server) <= 1;
                assert_eq!(
                    answered.is_ok_and(|allowed| allowed),
                    understood,
                    "gate at step {gate}, API server at step {server}"
                );
            }
        }
        // And once more, with what is there now: its authority ends before 500 days are over.
        assert_eq!(begin(dir, 500, now).unwrap(), Came::Overlaps);
    }
}

#[test]
fn a_gate_that_runs_takes_every_step_from_its_files() {
    let rig = rig(Choice::default());
    let dir = made(&Plan::default());
    let dir = dir.path();
    // As setup wrote it; only the listening is the rig's.
    let path = dir.join("cleanbill.yaml");
    let config = config_file::parse(&fs::read_to_string(&path).unwrap(), &path).unwrap();
    let mut reloader = Reloader::new(&path, config, rig.handles());
    reloader.look(false);
    let mut server = copy(dir);
    type Step = fn(&Path) -> Result<Came, Failure>;
    let steps: [Step; 3] = [|dir| begin(dir, 400, jiff::Timestamp::now()), switch, finish];
    for step in steps {
        assert!(ask(&rig, server.path()).unwrap());
        step(dir).unwrap();
        // The gate first, and then the API server.
        reloader.look(true);
        assert!(ask(&rig, server.path()).unwrap(), "the API server has not changed yet");
        server = copy(dir);
        assert!(ask(&rig, server.path()).unwrap(), "both have");
    }
    let metrics = rig.get("/metrics").body;
    for line in
        ["reloads_total{what=\"certificates\"} 3", "reload_failures_total{what=\"certificates\"} 0"]
    {
        assert!(metrics.contains(&format!("cleanbill_{line}\n")), "{line}: {metrics}");
    }
}

#[test]
fn the_same_authority_needs_no_overlap() {
    let rig = rig(Choice::default());
    let dir = made(&Plan { keep_ca_key: true, ..Plan::default() });
    let dir = dir.path();
    let old = copy(dir);
    // Its certificate is good for 365 days, so it can sign what is good for 90.
    assert_eq!(begin(dir, 90, jiff::Timestamp::now()).unwrap(), Came::Replaced);
    let new = copy(dir);
    let read = |at: &Path, name: &str| fs::read_to_string(at.join(name)).unwrap();
    assert_eq!(read(old.path(), "ca.crt"), read(new.path(), "ca.crt"));
    assert_ne!(read(old.path(), "server.crt"), read(new.path(), "server.crt"));
    for gate in [&old, &new] {
        serve(&rig, gate.path());
        for server in [&old, &new] {
            assert!(ask(&rig, server.path()).unwrap());
        }
    }
    // A key that belongs to another authority signs nothing.
    let other = made(&Plan { keep_ca_key: true, ..Plan::default() });
    fs::copy(other.path().join("ca.key"), dir.join("ca.key")).unwrap();
    let said = begin(dir, 90, jiff::Timestamp::now()).unwrap_err().to_string();
    assert!(said.contains("ca.key is not the key of ca.crt"), "{said}");
}

#[test]
fn steps_out_of_order_change_nothing_and_a_step_may_be_done_again() {
    let dir = made(&Plan::default());
    let dir = dir.path();
    let now = jiff::Timestamp::now();
    let state = |dir: &Path| CERTIFICATES.map(|name| fs::read(dir.join(name)).unwrap());
    let refused = |came: Result<Came, Failure>, words: &str| {
        let said = came.unwrap_err().to_string();
        assert!(said.contains(words) && said.contains("next:"), "{said}");
    };
    let before = state(dir);
    refused(switch(dir), "no renewal is under way");
    refused(finish(dir), "no renewal is under way");
    assert_eq!(state(dir), before);
    begin(dir, 365, now).unwrap();
    let overlap = state(dir);
    refused(finish(dir), "is not the new one yet");
    // Begun again, as after a kill: the same authority, not a third one.
    begin(dir, 365, now).unwrap();
    assert_eq!(state(dir), overlap);
    // Killed before `ca.crt` was written: the new certificates would be trusted by nobody.
    fs::write(dir.join("ca.crt"), &before[0]).unwrap();
    refused(switch(dir), "is not in ca.crt yet");
    begin(dir, 365, now).unwrap();
    switch(dir).unwrap();
    let switched = state(dir);
    // Killed between two files.
    fs::write(dir.join("client.crt"), &before[3]).unwrap();
    refused(finish(dir), "client.crt is not the new one yet");
    switch(dir).unwrap();
    assert_eq!(state(dir), switched);
    refused(begin(dir, 365, now), "has its new certificates already");
    finish(dir).unwrap();
    refused(finish(dir), "no renewal is under way");
    let left: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn names_modes_and_what_repeats_certificates_go_along() {
    use std::os::unix::fs::PermissionsExt as _;
    let bundle = base64::engine::general_purpose::STANDARD;
    for (mode, hooks) in [
        (Mode::Webhook, ["webhooks/validating.yaml", "webhooks/mutating.yaml"]),
        (
            Mode::StaticWebhook,
            ["validating-webhooks/cleanbill.yaml", "mutating-webhooks/cleanbill.yaml"],
        ),
    ] {
        let hosts = ["gate.example", "10.0.0.7", "fd00::7"].map(str::to_owned).to_vec();
        let image = Some("registry.example/cleanbill:1".to_owned());
        let plan = Plan { mode, hosts, image, client_name: "the-api".into(), ..Plan::default() };
        let dir = made(&plan);
        let dir = dir.path();
        let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
        fs::set_permissions(dir.join("server.key"), fs::Permissions::from_mode(0o640)).unwrap();
        let edited = format!("{}# ours\n", read(hooks[0]));
        fs::write(dir.join(hooks[0]), &edited).unwrap();
        let follows = || {
            let ca = bundle.encode(read("ca.crt"));
            for hook in hooks {
                let text = read(hook);
                let bundles: Vec<_> =
                    text.lines().filter_map(|l| l.trim().strip_prefix("caBundle: ")).collect();
                assert!(!bundles.is_empty() && bundles.iter().all(|b| *b == ca), "{hook}");
            }
            assert!(read(hooks[0]).ends_with("# ours\n"));
            if mode == Mode::Webhook {
                let secret: serde_json::Value =
                    serde_saphyr::from_str(&read("cluster/21-certificates.yaml")).unwrap();
                for name in ["ca.crt", "server.crt", "server.key"] {
                    assert_eq!(secret["stringData"][name], read(name));
                }
                assert_eq!(secret["metadata"]["namespace"], "cleanbill");
            }
        };
        let names = |certificate: &str| {
            let out = std::process::Command::new("openssl")
                .args(["x509", "-noout", "-subject", "-ext", "subjectAltName", "-in"])
                .arg(dir.join(certificate))
                .output();
            out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()).ok()
        };
        let before = ["server.crt", "client.crt"].map(names);
        begin(dir, 365, jiff::Timestamp::now()).unwrap();
        follows();
        switch(dir).unwrap();
        follows();
        finish(dir).unwrap();
        follows();
        assert_eq!(["server.crt", "client.crt"].map(names), before);
        let mode = dir.join("server.key").metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o640);
    }
}
