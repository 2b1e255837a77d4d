//! Pull secrets → logins: a table of what a namespace holds and what comes of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill::kube::Unread;
use cleanbill::serve::pull_secrets::{Named, access, of_secret};
use proptest::prelude::*;
use serde_json::{Value, json};

fn secret(kind: &str, key: &str, config: &Value) -> Value {
    json!({"kind": "Secret", "type": kind, "data": {key: STANDARD.encode(config.to_string())}})
}

pub fn json_secret(host: &str, password: &str) -> Value {
    let login = json!({"username": "u", "password": password});
    secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", &json!({"auths": {host: login}}))
}

/// What the namespace answers.
fn get(kind: &str, name: &str) -> Result<Vec<u8>, Unread> {
    let object = match (kind, name) {
        ("secrets", "a") => json_secret("a.example", "hunter2"),
        ("secrets", "b") => json_secret("b.example", "hunter2"),
        ("secrets", "a-again") => json_secret("a.example", "other"),
        ("secrets", "old") => secret(
            "kubernetes.io/dockercfg",
            ".dockercfg",
            &json!({"https://a.example/v1/": {"auth": STANDARD.encode("u:hunter2")}}),
        ),
        ("secrets", "stars") => json_secret("*.example", "hunter2"),
        ("secrets", "tls") => json!({"type": "kubernetes.io/tls", "data": {}}),
        ("secrets", "odd") => {
            json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "hunter2"}})
        }
        ("secrets", "secret") => return Err(Unread::Forbidden),
        ("secrets", "slow") => return Err(Unread::Failed("10.0.0.1 is slow".into())),
        ("serviceaccounts", "builder") => json!({"imagePullSecrets": [{"name": "a"}, {}]}),
        ("serviceaccounts", "plain") => json!({"imagePullSecrets": null}),
        ("serviceaccounts", "odd") => json!({"imagePullSecrets": 7}),
        _ => return Err(Unread::Absent),
    };
    Ok(object.to_string().into_bytes())
}

/// Secrets, account → hosts with a login, what is told of what was not read.
type Row<'a> = (&'a [&'a str], Option<&'a str>, &'a [&'a str], &'a [&'a str]);

#[test]
fn logins_are_those_of_the_secrets_named() {
    let table: [Row<'_>; 13] = [
        (&[], None, &[], &[]),
        (&["a"], None, &["a.example"], &[]),
        (&["a", "b"], None, &["a.example", "b.example"], &[]),
        (&["a", "a-again"], None, &["a.example"], &[]),
        (&["old"], None, &["a.example"], &[]),
        (&["stars"], None, &["a.example", "c.example"], &[]),
        (
            &["a", "none"],
            None,
            &["a.example"],
            &["pull secret \"none\": there is none of that name"],
        ),
        (&["secret"], None, &[], &["pull secret \"secret\": the gate may not read it"]),
        (&["slow"], None, &[], &["pull secret \"slow\": it could not be read now"]),
        (
            &["tls", "odd"],
            None,
            &[],
            &[
                "pull secret \"tls\": it is no registry login",
                "pull secret \"odd\": it is no registry login",
            ],
        ),
        (&["b"], Some("builder"), &["b.example"], &[]),
        (&[], Some("builder"), &["a.example"], &[]),
        (&[], Some("plain"), &[], &[]),
    ];
    for (secrets, account, hosts, unread) in table {
        let secrets: Vec<String> = secrets.iter().map(|s| (*s).to_owned()).collect();
        let registries = ["a.example".to_owned(), "c.example".to_owned(), "d.other".to_owned()];
        let named = Named { secrets: &secrets, account, registries: &registries };
        let got = access(named, &get);
        for host in ["a.example", "b.example", "c.example", "d.other"] {
            let image = format!("{host}/x").parse().unwrap();
            let wanted = hosts.contains(&host);
            assert_eq!(got.id(&image).is_some(), wanted, "{secrets:?} {host}");
            assert_eq!(!got.logins(&image).is_empty(), wanted, "{secrets:?} {host}");
        }
        assert_eq!(got.unread(), unread, "{secrets:?} {account:?}");
        assert!(!format!("{got:?}").contains("hunter2"));
    }
    let of =
        |account| access(Named { secrets: &[], account: Some(account), registries: &[] }, &get);
    assert_eq!(of("odd").unread(), ["service account \"odd\": it is malformed"]);
    assert_eq!(of("none").unread(), ["service account \"none\": there is none of that name"]);
    let many: Vec<String> = (0..40).map(|n| format!("x{n}")).collect();
    let got = access(Named { secrets: &many, account: None, registries: &[] }, &get);
    assert_eq!(got.unread().len(), 21);
}

proptest! {
    #[test]
    fn the_parser_never_panics(bytes: Vec<u8>, inner in ".{0,100}", host in "[a-z.*:/]{0,30}") {
        let registries = ["a.example".to_owned()];
        let _ = of_secret(&bytes, &registries);
        let odd = json!({"type": "kubernetes.io/dockercfg", "data": {".dockercfg": STANDARD.encode(inner)}});
        let _ = of_secret(odd.to_string().as_bytes(), &registries);
        let _ = of_secret(json_secret(&host, "x").to_string().as_bytes(), &registries);
    }
}
