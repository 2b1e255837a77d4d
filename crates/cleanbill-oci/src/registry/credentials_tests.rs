//! Docker's configuration as it is read, and which login is for what.

use proptest::prelude::*;

use super::{Credential, Credentials, Secret, parse_docker_config};

#[test]
fn every_form_of_key_and_entry_is_read() {
    // "dXNlcjpwYXNz" is user:pass.
    let config = br#"{
        "auths": {
            "https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNz"},
            "ghcr.io": {"username": "gh", "password": "secret"},
            "ghcr.io/team": {"username": "team", "password": "secret"},
            "localhost:5000": {"auth": "dTpwOnE"},
            "https://quay.example/v2/": {"auth": "dTpwOnE="},
            "helper.example": {},
            "azure.example": {"auth": "PHRva2VuPjo=", "identitytoken": "refresh"},
            "token.example": {"registrytoken": "as it is"}
        },
        "credHelpers": {"gcr.io": "gcloud"},
        "HttpHeaders": {"User-Agent": "x"}
    }"#;
    let all = parse_docker_config(config).unwrap();
    let basic = |username: &str, password: &str| {
        Some(Credential::Basic { username: username.to_owned(), password: Secret::new(password) })
    };
    let table = [
        ("docker.io", "library/nginx", basic("user", "pass")),
        ("registry-1.docker.io", "a/b", basic("user", "pass")),
        ("ghcr.io", "other/app", basic("gh", "secret")),
        ("ghcr.io", "team/app", basic("team", "secret")),
        ("ghcr.io", "teamwork/app", basic("gh", "secret")),
        ("GHCR.io", "x", basic("gh", "secret")),
        ("localhost:5000", "x", basic("u", "p:q")),
        ("localhost", "x", None),
        ("localhost:5001", "x", None),
        ("quay.example", "x", basic("u", "p:q")),
        ("helper.example", "x", None),
        ("azure.example", "x", Some(Credential::Identity(Secret::new("refresh")))),
        ("token.example", "x", Some(Credential::Token(Secret::new("as it is")))),
        ("sub.ghcr.io", "x", None),
        ("io", "x", None),
    ];
    for (registry, repository, want) in table {
        assert_eq!(all.find(registry, repository), want.as_ref(), "{registry}/{repository}");
    }
    assert_eq!(all.helper("gcr.io"), Some("gcloud"));
    assert_eq!(all.helper("ghcr.io"), None);
    let login = all.with_login("ghcr.io", "flag", Secret::new("given"));
    assert_eq!(login.find("ghcr.io", "team/app"), basic("flag", "given").as_ref());
}

#[test]
fn the_first_of_two_outranks_the_second_wherever_it_has_a_login() {
    let login = |key: &str, user: &str| Credentials::none().with_login(key, user, Secret::new("x"));
    let first = login("a.example", "first").or(&login("b.example/team", "first"));
    let second = login("a.example/team", "second")
        .or(&login("b.example", "second"))
        .or(&login("c.example", "second"));
    let both = first.or(&second);
    let table = [
        ("a.example", "team/app", Some("first")),
        ("a.example", "app", Some("first")),
        ("b.example", "team/app", Some("first")),
        ("b.example", "app", Some("second")),
        ("c.example", "app", Some("second")),
        ("d.example", "app", None),
    ];
    for (registry, repository, user) in table {
        let got = both.find(registry, repository).map(|c| match c {
            Credential::Basic { username, .. } => username.as_str(),
            Credential::Identity(_) | Credential::Token(_) => "?",
        });
        assert_eq!(got, user, "{registry}/{repository}");
    }
}

#[test]
fn logins_for_one_image_are_tried_in_the_kubelets_order() {
    let login = |key: &str, user: &str| Credentials::none().with_login(key, user, Secret::new("x"));
    let first = login("a.example", "1").or(&login("b.example/team", "1"));
    let second = login("a.example/team", "2").or(&login("b.example", "2"));
    let third = login("a.example", "3").or(&login("a.example/other", "3"));
    let all = [&first, &second, &third, &first];
    let table: [(&str, &[(&str, &str)]); 6] = [
        (
            "a.example/team/app:1",
            &[("a.example/team", "2"), ("a.example", "1"), ("a.example", "3")],
        ),
        ("a.example/app", &[("a.example", "1"), ("a.example", "3")]),
        ("a.example/teamwork", &[("a.example", "1"), ("a.example", "3")]),
        ("b.example/team/x", &[("b.example/team", "1"), ("b.example", "2")]),
        ("c.example/x", &[]),
        ("x", &[]),
    ];
    for (image, want) in table {
        let want: Vec<_> = want.iter().map(|(key, user)| login(key, user)).collect();
        assert_eq!(Credentials::in_turn(all, &image.parse().unwrap()), want, "{image}");
    }
}

#[test]
fn no_secret_is_shown() {
    let table: &[&[u8]] = &[
        br#"{"auths": {"a": {"auth": "hunter2:"}}}"#,
        br#"{"auths": {"a": {"auth": {"hunter2": 1}}}}"#,
        br#"{"auths": {"a": "hunter2"}}"#,
        br#"{"auths": "hunter2"}"#,
        b"hunter2",
    ];
    for bytes in table {
        let error = parse_docker_config(bytes).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let all = Credentials::none().with_login("a", "user", Secret::new("hunter2"));
    assert!(!format!("{all:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn the_parser_never_panics(bytes: Vec<u8>, text in ".{0,200}") {
        let _ = parse_docker_config(&bytes);
        let _ = parse_docker_config(text.as_bytes());
        let _ = parse_docker_config(
            serde_json::json!({"auths": {&text: {"auth": &text}}}).to_string().as_bytes(),
        );
    }
}
