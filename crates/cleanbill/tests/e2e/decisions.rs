//! The gate decides on real images from a real registry, and only the API server may ask.

use crate::clients::{Authority, Client, FUTURE, NOW, PAST};
use crate::gate::Gate;
use crate::registry::Registry;
use crate::{images, parts};

#[test]
fn a_registrys_images_are_decided_over_mutual_tls() {
    if !parts::there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start();
    let alpine = registry.push(&images::alpine(folder.path()), "alpine");
    let Some(debian) = images::debian(folder.path()) else { return };
    let debian = registry.push(&debian, "team/debian");
    let mut gate = Gate::start(folder.path(), &registry.host);

    let said = gate.ask(&[&alpine]);
    assert!(said.allowed, "{said:?}");
    let said = gate.ask(&[&debian]);
    assert!(!said.allowed && said.reason.contains("no-advisory-source"), "{said:?}");
    assert!(said.reason.contains("Debian:12"), "{said:?}");
    let said = gate.ask(&[&alpine, &debian]);
    assert!(!said.allowed, "one refused image refuses the pod: {said:?}");
    let by_tag = format!("{}/alpine:1", registry.host);
    assert!(gate.ask(&[&by_tag]).allowed, "the policy accepts tags");
    let lost = format!("{}/team/lost:1", registry.host);
    assert!(!gate.ask(&[&lost]).allowed, "what is not there is not allowed");

    for version in [&["--http1.1"][..], &["--http2"], &["--tls-max", "1.2"], &["--tlsv1.3"]] {
        let reply = gate.ask_as(Some(&gate.client), version, &[&alpine]);
        assert_eq!(reply.status, Some(200), "{version:?}: {reply:?}");
    }

    // Evidence outlives the process: the same digest is decided without its layers being read.
    gate.close();
    gate.open();
    assert!(gate.ask(&[&alpine]).allowed, "after a restart");
}

#[test]
fn hosts_that_a_pods_author_chose_are_not_reached() {
    if !parts::there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start();
    let other = Registry::start();
    let alpine = other.push(&images::alpine(folder.path()), "alpine");
    let gate = Gate::start(folder.path(), &registry.host);
    // The second registry runs and has the image, but nobody named it in the configuration.
    for image in [alpine.as_str(), "169.254.169.254/latest/meta-data:1", "10.0.0.1/x:1"] {
        let said = gate.ask(&[image]);
        assert!(!said.allowed, "{image}: {said:?}");
        assert!(!said.reason.contains("refused)"), "no detail of the network: {said:?}");
    }
}

#[test]
fn only_the_api_server_is_let_in() {
    if !parts::there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::start(folder.path(), "127.0.0.1:1");
    let right = &gate.authority;
    let wrong = Authority::new(&folder.path().join("wrong"));
    let name = "kube-apiserver";
    let server =
        Client { certificate: gate.folder.join("server.crt"), key: gate.folder.join("server.key") };
    let table: Vec<(&str, Option<Client>, bool)> = vec![
        ("the client that setup made", Some(gate.client.clone()), true),
        ("the same by OpenSSL", Some(right.sign("good", name, "clientAuth", NOW)), true),
        ("no certificate", None, false),
        ("another authority", Some(wrong.sign("forged", name, "clientAuth", NOW)), false),
        ("an expired one", Some(right.sign("past", name, "clientAuth", PAST)), false),
        ("one of tomorrow", Some(right.sign("future", name, "clientAuth", FUTURE)), false),
        ("the server's own", Some(server), false),
        ("a server's of the right name", Some(right.sign("srv", name, "serverAuth", NOW)), false),
        ("another name", Some(right.sign("kubelet", "kubelet", "clientAuth", NOW)), false),
    ];
    for (what, client, good) in &table {
        for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
            let reply = gate.ask_as(client.as_ref(), version, &["127.0.0.1:1/x:1"]);
            assert_eq!(reply.status.is_some(), *good, "{what}, {version:?}: {reply:?}");
            assert!(reply.body.is_empty() != *good, "{what}, {version:?}: {reply:?}");
            assert!(*good || reply.complaint.contains("curl: ("), "{what}: {reply:?}");
            assert!(!reply.body.contains("\"allowed\":true"), "{what}: {reply:?}");
        }
    }
}

#[test]
fn what_was_warmed_needs_no_registry() {
    if !parts::there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::start();
    let alpine = registry.push(&images::alpine(folder.path()), "alpine");
    let mut gate = Gate::start(folder.path(), &registry.host);
    let config = gate.folder.join("cleanbill.yaml");
    let tag = format!("{}/alpine:1", registry.host);
    let lost = format!("{}/lost:1", registry.host);
    let warm = |images: &[&str]| {
        parts::cleanbill().arg("warm").arg("-c").arg(&config).args(images).output().unwrap()
    };
    // While the gate runs: they share the store.
    let done = warm(&[&tag]);
    assert_eq!(String::from_utf8_lossy(&done.stdout), format!("examined  {tag}\n"), "{done:?}");
    assert!(done.status.success());
    let failed = warm(&[&lost, &alpine]);
    assert_eq!(failed.status.code(), Some(2), "{failed:?}");
    drop(registry);
    let said = gate.ask(&[&alpine]);
    assert!(said.allowed, "its registry is not needed any more: {said:?}");
    assert!(!gate.ask(&[&tag]).allowed, "what a tag stands for now, nobody can say");
    gate.close();
}
