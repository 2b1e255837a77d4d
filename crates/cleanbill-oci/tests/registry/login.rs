//! Who is told which secret.

use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::registry::{Credentials, Registry, RegistryOptions, Secret};

use crate::server::{Answer, Request, Server};
use crate::{image, options};

const BODY: &[u8] = b"{}";
/// base64 of `user:hunter2`.
const PAIR: &str = "Basic dXNlcjpodW50ZXIy";

fn unauthorized(challenge: &str) -> Answer {
    let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
    Answer::new("401 Unauthorized", &[("WWW-Authenticate", challenge)], body)
}

/// A registry that wants a bearer token of this realm.
fn bearer(realm: String) -> Server {
    Server::start(move |request: &Request, _| match request.header("authorization") {
        Some("Bearer good") => Answer::manifest(BODY),
        _ => unauthorized(&format!(
            "Bearer realm=\"{realm}/token\",service=\"the registry\",scope=\"repository:*:push\""
        )),
    })
}

/// A realm that gives its token to everybody, or only to who has the password.
fn realm(anonymous: bool) -> Server {
    Server::start(move |request, _| match request.header("authorization") {
        Some(pair) if pair != PAIR => unauthorized("Basic"),
        None if !anonymous => unauthorized("Basic"),
        _ => Answer::ok(br#"{"token":"good","expires_in":300}"#),
    })
}

fn with_login(mut options: RegistryOptions, host: &str) -> RegistryOptions {
    options.credentials = Credentials::none().with_login(host, "user", Secret::new("hunter2"));
    options
}

#[test]
fn an_anonymous_token_is_asked_for_once() {
    let realm = realm(true);
    let server = bearer(realm.url());
    let registry = Registry::new(options(&[server.host(), realm.host()])).unwrap();
    registry.root(&image(&server.host(), "a/b:1")).unwrap();
    registry.root(&image(&server.host(), "a/b:2")).unwrap();
    assert_eq!(realm.paths(), ["/token?scope=repository%3Aa%2Fb%3Apull&service=the%20registry"]);
    assert_eq!(
        server.paths(),
        ["/v2/a/b/manifests/1", "/v2/a/b/manifests/1", "/v2/a/b/manifests/2"]
    );
    // A token is for one repository.
    registry.root(&image(&server.host(), "a/c:1")).unwrap();
    assert_eq!(realm.requests().len(), 2);
}

#[test]
fn a_token_is_used_only_while_it_lives() {
    let realm = Server::start(|_, _| Answer::ok(br#"{"token":"good","expires_in":5.05}"#));
    let server = bearer(realm.url());
    let registry = Registry::new(options(&[server.host(), realm.host()])).unwrap();
    registry.root(&image(&server.host(), "a:1")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    registry.root(&image(&server.host(), "a:1")).unwrap();
    assert_eq!(realm.requests().len(), 2);
}

#[test]
fn a_challenge_of_another_host_is_not_answered() {
    let realm = realm(true);
    let challenge = format!("Bearer realm=\"{}/token\"", realm.url());
    let cdn = Server::start(move |_, _| unauthorized(&challenge));
    let to = format!("{}/blob", cdn.url());
    let server = Server::start(move |_, _| Answer::redirect(&to));
    let login = with_login(options(&[server.host(), cdn.host(), realm.host()]), &server.host());
    let error = Registry::new(login).unwrap().root(&image(&server.host(), "a:1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!((server.requests().len(), cdn.requests().len(), realm.connections()), (1, 1, 0));
}

#[test]
fn a_password_goes_to_the_registrys_own_realm_only() {
    let own = realm(false);
    let server = bearer(own.url());
    let hosts = [server.host(), own.host()];
    let registry = Registry::new(with_login(options(&hosts), &server.host())).unwrap();
    registry.root(&image(&server.host(), "a:1")).unwrap();
    assert_eq!(own.requests()[0].header("authorization"), Some(PAIR));

    // Another host (a name for the same address): anonymous, unless it is listed.
    let foreign = realm(false);
    let foreign_host = foreign.host().replace("127.0.0.1", "localhost");
    let server = bearer(format!("http://{foreign_host}"));
    let hosts = [server.host(), foreign_host.clone()];
    let mut options = with_login(options(&hosts), &server.host());
    let error = Registry::new(options.clone()).unwrap().root(&image(&server.host(), "a:1"));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("list it for the registry (realms)"), "{error}");
    assert!(foreign.requests().iter().all(|r| r.header("authorization").is_none()));
    options.realms.insert(server.host(), vec![foreign_host]);
    Registry::new(options).unwrap().root(&image(&server.host(), "a:1")).unwrap();
    assert_eq!(foreign.requests().last().unwrap().header("authorization"), Some(PAIR));
}

#[test]
fn basic_login_is_answered_where_it_is_configured() {
    let start = || {
        Server::start(|request, _| match request.header("authorization") {
            Some(PAIR) => Answer::manifest(BODY),
            _ => unauthorized("Basic realm=\"x\""),
        })
    };
    let server = start();
    let login = with_login(options(&[server.host()]), &server.host());
    let registry = Registry::new(login).unwrap();
    registry.root(&image(&server.host(), "a:1")).unwrap();
    registry.root(&image(&server.host(), "a:1")).unwrap();
    assert_eq!(server.requests().len(), 3);

    // A login for one registry is not sent to another.
    let other = start();
    let login = with_login(options(&[other.host()]), &server.host());
    let error = Registry::new(login).unwrap().root(&image(&other.host(), "a:1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(
        error.to_string().replace(&other.host(), "HOST"),
        "HOST/a:1: registry HOST refuses access: it asks for a user name and password: check \
         the name; if it is private, log in with docker login HOST, or give --username and \
         --password"
    );
    assert!(other.requests().iter().all(|r| r.header("authorization").is_none()));
}

#[test]
fn a_redirect_to_another_host_gets_no_secret() {
    let cdn = Server::start(|_, _| Answer::manifest(BODY));
    let to = format!("{}/signed?x=1", cdn.url());
    let server = Server::start(move |request, _| match request.header("authorization") {
        Some(PAIR) => Answer::redirect(&to),
        _ => unauthorized("Basic"),
    });
    let login = with_login(options(&[server.host(), cdn.host()]), &server.host());
    Registry::new(login).unwrap().root(&image(&server.host(), "a:1")).unwrap();
    assert_eq!(cdn.paths(), ["/signed?x=1"]);
    assert_eq!(cdn.requests()[0].header("authorization"), None);
}

#[test]
fn a_refresh_token_is_exchanged() {
    let realm = Server::start(|request, _| {
        assert_eq!(request.method, "POST");
        let want = "scope=repository%3Aa%3Apull&service=the%20registry&grant_type=refresh_token\
                    &client_id=cleanbill&refresh_token=s%2Fcret";
        assert_eq!(request.body, want);
        Answer::ok(br#"{"access_token":"good"}"#)
    });
    let server = bearer(realm.url());
    let config = format!(r#"{{"auths":{{"{}":{{"identitytoken":"s/cret"}}}}}}"#, server.host());
    let mut options = options(&[server.host(), realm.host()]);
    options.credentials = cleanbill_oci::registry::parse_docker_config(config.as_bytes()).unwrap();
    Registry::new(options).unwrap().root(&image(&server.host(), "a:1")).unwrap();
}

#[test]
fn a_login_that_a_helper_keeps_is_named() {
    let server = Server::start(|_, _| unauthorized("Basic"));
    let mut options = options(&[server.host()]);
    let config = br#"{"credsStore": "desktop"}"#;
    options.credentials = cleanbill_oci::registry::parse_docker_config(config).unwrap();
    let error = Registry::new(options).unwrap().root(&image(&server.host(), "a:1")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("credential helper \"desktop\", and helpers are not run"), "{text}");
}

#[test]
fn hostile_challenges_end() {
    let table = [
        ("Bearer realm=\"file:///etc/passwd\"", ErrorKind::Malformed),
        ("Bearer realm=\"http://user:x@127.0.0.1/\"", ErrorKind::Malformed),
        ("Bearer realm=\"http://127.0.0.1:9/\"", ErrorKind::Forbidden),
        ("Bearer realm=\"", ErrorKind::Malformed),
        ("Negotiate", ErrorKind::Unauthorized),
        ("", ErrorKind::Unauthorized),
    ];
    for (challenge, kind) in table {
        let server = Server::start(move |_, _| unauthorized(challenge));
        let login = with_login(options(&[server.host()]), &server.host());
        let error = Registry::new(login).unwrap().root(&image(&server.host(), "a:1"));
        let error = error.unwrap_err();
        assert_eq!(error.kind(), kind, "{challenge:?}: {error}");
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(server.requests().len(), 1);
    }
    // A token that never helps, and an endless answer instead of a token.
    let table: [(Vec<u8>, ErrorKind); 3] = [
        (br#"{"token":"bad"}"#.to_vec(), ErrorKind::Unauthorized),
        (vec![b' '; 300 << 10], ErrorKind::Malformed),
        (b"{\"token\":\"a\\nb\"}".to_vec(), ErrorKind::Malformed),
    ];
    for (answer, kind) in table {
        let realm = Server::start(move |_, _| Answer::ok(&answer));
        let server = bearer(realm.url());
        let options = options(&[server.host(), realm.host()]);
        let error = Registry::new(options).unwrap().root(&image(&server.host(), "a:1"));
        assert_eq!(error.unwrap_err().kind(), kind);
        assert!(server.requests().len() <= 2);
    }
}

#[test]
fn logins_of_one_pod_are_good_for_nobody_else() {
    let server = Server::start(|request, _| match request.header("authorization") {
        Some(PAIR) => Answer::manifest(BODY),
        _ => unauthorized("Basic realm=\"x\""),
    });
    let mut options = options(&[server.host()]);
    options.tag_ttl = std::time::Duration::from_secs(60);
    let own = Registry::new(options).unwrap();
    let name = image(&server.host(), "a:1");
    let login =
        |host: &str, password| Credentials::none().with_login(host, "user", Secret::new(password));
    let refused = |registry: &Registry| registry.root(&name).unwrap_err().kind();
    assert_eq!(refused(&own), ErrorKind::Unauthorized);
    let pods = own.with_credentials(&login(&server.host(), "hunter2"));
    assert!(pods.root(&name).is_ok());
    // Neither the tag nor the header that was accepted is remembered for others.
    assert_eq!(refused(&own), ErrorKind::Unauthorized);
    let wrong = login(&server.host(), "wrong");
    assert_eq!(refused(&pods.with_credentials(&wrong)), ErrorKind::Unauthorized);
    // Where the pod has no login, the gate's own serves.
    let elsewhere = pods.with_credentials(&login("other.example", "x"));
    assert!(elsewhere.root(&name).is_ok());
}
