//! The rule on resolved addresses, as the gate uses it: who names a host must not reach what
//! only this machine can reach.

use cleanbill_core::reference::ImageRef;
use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::registry::{AddressRule, Registry, RegistryOptions, Secret, public_message};

use crate::server::{Answer, Server};
use crate::{image, options};

const BODY: &[u8] = b"{}";

/// Options under which these hosts only may lie anywhere.
fn guarded(plain: &[String], private: &[&str]) -> RegistryOptions {
    let mut options = options(plain);
    let private_hosts = private.iter().map(|&host| host.to_owned()).collect();
    options.addresses = AddressRule::Guarded { private_hosts };
    options
}

#[test]
fn a_name_that_points_here_is_not_contacted() {
    let server = Server::start(|_, _| Answer::manifest(BODY));
    let port = server.host().split(':').next_back().unwrap().to_owned();
    let names = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "224.0.0.1",
    ];
    for name in names {
        for host in [format!("{name}:{port}"), name.to_owned()] {
            // Without a dot or a port it is no host but part of Docker Hub.
            let Ok(image) = format!("{host}/a:1").parse::<ImageRef>() else { continue };
            if image.registry() != host {
                continue;
            }
            // With TLS and without: the rule comes first.
            for plain in [vec![], vec![host.clone()]] {
                let registry = Registry::new(guarded(&plain, &[])).unwrap();
                let error = registry.root(&image).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Forbidden, "{host}: {error}");
                let public = public_message(&error);
                assert_eq!(public, "the image could not be read from its registry");
            }
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_listed_host_may_lie_anywhere_at_its_port_only() {
    let listed = Server::start(|_, _| Answer::manifest(BODY));
    let other = Server::start(|_, _| Answer::manifest(BODY));
    let options = guarded(&[listed.host(), other.host()], &[&listed.host()]);
    let registry = Registry::new(options).unwrap();
    registry.root(&image(&listed.host(), "a:1")).unwrap();
    let error = registry.root(&image(&other.host(), "a:1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(
        error.to_string().replace(&other.host(), "HOST"),
        "HOST/a:1: HOST lies at a loopback address, where only registries may lie that the \
         policy names"
    );
    assert_eq!(other.connections(), 0);
}

#[test]
fn a_redirect_or_realm_that_points_here_is_not_followed() {
    let inner = Server::start(|_, _| Answer::manifest(BODY));
    let by_name = inner.url().replace("127.0.0.1", "localhost");
    let challenge = |realm: &str| {
        let header = format!("Bearer realm=\"{realm}\"");
        Answer::new("401 Unauthorized", &[("WWW-Authenticate", &header)], b"")
    };
    let table = [
        Answer::redirect(&format!("{}/secret", inner.url())),
        Answer::redirect(&format!("{by_name}/secret")),
        Answer::redirect("https://169.254.169.254/latest/meta-data/"),
        Answer::redirect("https://[fd00:ec2::254]/latest/meta-data/"),
        Answer::redirect("http://169.254.169.254/latest/meta-data/"),
        challenge(&format!("{}/token", inner.url())),
        challenge("https://169.254.169.254/token"),
        challenge("http://169.254.169.254/token"),
    ];
    for answer in table {
        let shown = format!("{answer:?}");
        let server = Server::start(move |_, _| answer.clone());
        let plain = [server.host(), inner.host(), inner.host().replace("127.0.0.1", "localhost")];
        let registry = Registry::new(guarded(&plain, &[&server.host()])).unwrap();
        let error = registry.root(&image(&server.host(), "a:1")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{shown}: {error}");
    }
    assert_eq!(inner.connections(), 0);
}

/// An HTTP proxy that refuses, but remembers what it was asked for.
fn proxy() -> Server {
    Server::start(|_, _| Answer::new("403 Forbidden", &[], b""))
}

#[test]
fn behind_a_proxy_names_are_still_resolved_and_judged_here() {
    let proxy = proxy();
    let server = Server::start(|_, _| Answer::manifest(BODY));
    let by_name = server.host().replace("127.0.0.1", "localhost");
    let mut options = guarded(&[by_name.clone(), server.host(), proxy.host()], &[&by_name]);
    options.proxy = Some(Secret::new(proxy.url()));
    let registry = Registry::new(options).unwrap();
    registry.root(&image(&by_name, "a:1")).unwrap_err();
    let asked = proxy.requests();
    assert_eq!((asked[0].method.as_str(), asked[0].path.contains("localhost")), ("CONNECT", false));
    // Neither what is not listed, nor the proxy itself, may be named as a registry.
    for host in [server.host(), proxy.host()] {
        let error = registry.root(&image(&host, "a:1")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    }
    assert_eq!(proxy.requests().len(), asked.len());
    assert_eq!(server.connections(), 0);
}

#[test]
fn malformed_options_are_errors() {
    let mut bad = guarded(&[], &[]);
    bad.proxy = Some(Secret::new("http://user:hunter2@bad host/"));
    let error = Registry::new(bad).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(Registry::new(guarded(&[], &["https://a.example/"])).is_err());
    assert!(Registry::new(guarded(&["a b".to_owned()], &[])).is_err());
    let mut bad = guarded(&[], &[]);
    bad.realms.insert("a.example".to_owned(), vec!["https://auth.example/".to_owned()]);
    let error = Registry::new(bad).unwrap_err();
    assert_eq!(error.to_string(), "realms: \"https://auth.example/\" is not host or host:port");
}
