//! Pushing: what is asked in which order, and what is not sent where.

use std::io::Read;

use cleanbill_oci::artifact::Artifact;
use cleanbill_oci::content::Descriptor;
use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::{Credentials, Pushed, Registry, Secret, Upload};

use crate::server::{Answer, MANIFEST, Request, Server, digest};
use crate::{image, options, real, registry};

const BLOB: &str = "the bytes of a blob";

fn push(registry: &Registry, name: &cleanbill_core::reference::ImageRef) -> Result<Pushed, String> {
    pushed(registry, name).map_err(|(_, said)| said)
}

fn pushed(
    registry: &Registry,
    name: &cleanbill_core::reference::ImageRef,
) -> Result<Pushed, (ErrorKind, String)> {
    let descriptor = Descriptor {
        media_type: "a/b".into(),
        digest: digest(BLOB.as_bytes()),
        size: BLOB.len() as u64,
    };
    let open = || Ok(Box::new(BLOB.as_bytes()) as Box<dyn Read>);
    let uploads = [Upload { descriptor, open: &open }];
    registry.push(name, &uploads, MANIFEST, b"{}").map_err(|e| (e.kind(), e.to_string()))
}

fn status(status: &'static str, headers: &[(&str, &str)]) -> Answer {
    Answer::new(status, headers, b"")
}

/// A registry that has nothing, and takes everything where `place` says.
fn taking(place: &str, request: &Request) -> Answer {
    match request.method.as_str() {
        "HEAD" => status("404 Not Found", &[]),
        "POST" => status("202 Accepted", &[("Location", place)]),
        "PUT" => status("201 Created", &[]),
        other => panic!("{other}"),
    }
}

fn lines(server: &Server) -> Vec<String> {
    let line = |r: &Request| format!("{} {} {}", r.method, r.path, r.body);
    server.requests().iter().map(line).collect()
}

#[test]
fn blobs_that_are_not_there_come_before_the_manifest() {
    let server = Server::start(|request, _| taking("/v2/a/b/blobs/uploads/1?state=x", request));
    let name = image(&server.host(), "a/b:1");
    let done = push(&registry(&[server.host()]), &name).unwrap();
    assert_eq!(done, Pushed { digest: digest(b"{}"), sent: vec![digest(BLOB.as_bytes())] });
    let hash = digest(BLOB.as_bytes());
    let encoded = hash.to_string().replace(':', "%3A");
    assert_eq!(
        lines(&server),
        [
            format!("HEAD /v2/a/b/blobs/{hash} "),
            "POST /v2/a/b/blobs/uploads/ ".to_owned(),
            format!("PUT /v2/a/b/blobs/uploads/1?state=x&digest={encoded} {BLOB}"),
            "PUT /v2/a/b/manifests/1 {}".to_owned(),
        ]
    );
    assert_eq!(server.requests()[3].header("content-type"), Some(MANIFEST));

    let server = Server::start(|request, _| match request.method.as_str() {
        "HEAD" => status("200 OK", &[]),
        _ => status("201 Created", &[]),
    });
    let done = push(&registry(&[server.host()]), &image(&server.host(), "a/b:1")).unwrap();
    assert_eq!((done.sent, server.requests().len()), (vec![], 2));
}

#[test]
fn what_passes_is_tried_again_and_a_refusal_is_an_error() {
    let server = Server::start(|request, before| match before {
        0 | 3 => status("429 Too Many Requests", &[("Retry-After", "0")]),
        _ => taking("/place", request),
    });
    push(&registry(&[server.host()]), &image(&server.host(), "a:1")).unwrap();
    let methods: Vec<_> = server.requests().into_iter().map(|r| r.method).collect();
    assert_eq!(methods, ["HEAD", "HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT"]);

    // (which request, what it is answered, kind, words)
    let lie = format!("sha256:{}", "0".repeat(64));
    let table: Vec<(&str, Answer, ErrorKind, &str)> = vec![
        ("HEAD", status("500 No", &[]), ErrorKind::Io, "after 4 attempts: 127.0.0.1"),
        ("POST", status("405 No", &[]), ErrorKind::Io, "answers 405"),
        ("POST", status("201 Created", &[]), ErrorKind::Io, "answers an upload with 201"),
        ("POST", status("202 Accepted", &[]), ErrorKind::Malformed, "names no valid place"),
        ("POST", status("403 No", &[]), ErrorKind::Unauthorized, "refuses access"),
        ("PUT", status("413 No", &[]), ErrorKind::Io, "answers 413"),
        ("PUT", Answer::redirect("/else"), ErrorKind::Io, "answers an upload with 307"),
        (
            "PUT",
            status("201 Created", &[("Docker-Content-Digest", &lie)]),
            ErrorKind::DigestMismatch,
            "the registry says sha256:000",
        ),
    ];
    for (method, answer, kind, part) in table {
        let server = Server::start(move |request, _| match request.method == method {
            true => answer.clone(),
            false => taking("/place", request),
        });
        let error = pushed(&registry(&[server.host()]), &image(&server.host(), "a:1"));
        let (found, said) = error.unwrap_err();
        assert!(found == kind && said.contains(part), "{method}: {found:?} {said}");
    }

    let server = Server::start(|request, _| taking("/place", request));
    let pinned = image(&server.host(), "a:1").pinned(digest(b""));
    let said = push(&registry(&[server.host()]), &pinned).unwrap_err();
    assert!(said.ends_with("nothing can be pushed to a digest: name a tag"), "{said}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_token_for_pushing_is_asked_for_and_shown_to_the_registry_alone() {
    let realm = Server::start(|_, _| Answer::ok(br#"{"token":"good","expires_in":300}"#));
    let storage = Server::start(|request, _| taking("", request));
    let challenge = format!("Bearer realm=\"{}/token\",service=\"r\"", realm.url());
    let place = format!("{}/place", storage.url().replace("127.0.0.1", "localhost"));
    let server = Server::start(move |request, _| match request.header("authorization") {
        Some("Bearer good") => taking(&place, request),
        _ => status("401 Unauthorized", &[("WWW-Authenticate", &challenge)]),
    });
    let storage_host = storage.host().replace("127.0.0.1", "localhost");
    let hosts = [server.host(), realm.host(), storage_host];
    let registry = Registry::new(options(&hosts)).unwrap();
    push(&registry, &image(&server.host(), "a/b:1")).unwrap();
    assert_eq!(
        realm.paths(),
        ["/token?scope=repository%3Aa%2Fb%3Apull%2Cpush&service=r"],
        "once, and for no more than this"
    );
    let sent = storage.requests();
    assert_eq!((sent.len(), sent[0].method.as_str(), sent[0].body.as_str()), (1, "PUT", BLOB));
    assert_eq!(sent[0].header("authorization"), None);

    // Where plain HTTP is not configured, nothing is sent to such a place.
    let registry = Registry::new(options(&[server.host(), realm.host()])).unwrap();
    let (kind, said) = pushed(&registry, &image(&server.host(), "a/b:1")).unwrap_err();
    assert_eq!(kind, ErrorKind::Forbidden, "{said}");
    assert_eq!(storage.requests().len(), 1);
}

#[test]
fn a_password_is_shown_where_it_is_asked_for() {
    // base64 of `user:hunter2`.
    let server = Server::start(|request, _| match request.header("authorization") {
        Some("Basic dXNlcjpodW50ZXIy") => taking("/place", request),
        _ => status("401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"r\"")]),
    });
    let push_as = |credentials| {
        let mut options = options(&[server.host()]);
        options.credentials = credentials;
        pushed(&Registry::new(options).unwrap(), &image(&server.host(), "a:1"))
    };
    let login = |word| Credentials::none().with_login(&server.host(), "user", Secret::new(word));
    push_as(login("hunter2")).unwrap();
    for wrong in [Credentials::none(), login("wrong")] {
        let (kind, said) = push_as(wrong).unwrap_err();
        assert_eq!(kind, ErrorKind::Unauthorized);
        assert!(said.contains("refuses access") && !said.contains("wrong"), "{said}");
    }
}

#[test]
fn an_artifact_comes_back_from_a_real_registry() {
    if !real::installed(&["docker-registry"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_running, host) = real::start(folder.path(), serde_json::Value::Null);
    let (name, registry) = (image(&host, "team/facts:1"), registry(std::slice::from_ref(&host)));
    // Larger than any buffer on the way.
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let layer =
        Descriptor { media_type: "a/b".into(), digest: digest(&bytes), size: bytes.len() as u64 };
    let config = Descriptor { media_type: "c/d".into(), digest: digest(b"{}"), size: 2 };
    let describe = |d: &Descriptor| serde_json::json!({"mediaType": d.media_type, "digest": d.digest, "size": d.size});
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "e/f",
        "config": describe(&config), "layers": [describe(&layer)],
        "annotations": {"note": "x"},
    });
    let manifest = manifest.to_string();
    let push = || {
        let open = || Ok(Box::new(&bytes[..]) as Box<dyn Read>);
        let empty = || Ok(Box::new(&b"{}"[..]) as Box<dyn Read>);
        let uploads = [
            Upload { descriptor: layer.clone(), open: &open },
            Upload { descriptor: config.clone(), open: &empty },
        ];
        registry.push(&name, &uploads, MANIFEST, manifest.as_bytes()).unwrap()
    };
    let sent = vec![layer.digest, config.digest];
    assert_eq!(push(), Pushed { digest: digest(manifest.as_bytes()), sent });
    assert_eq!(push().sent, []);
    let artifact = Artifact::find(&registry, &name, &Limits::default()).unwrap();
    assert_eq!(artifact.digest, digest(manifest.as_bytes()));
    assert_eq!(artifact.artifact_type, "e/f");
    assert_eq!((&artifact.layers, artifact.annotations["note"].as_str()), (&vec![layer], "x"));
    let mut read = Vec::new();
    artifact.open(&artifact.layers[0]).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == bytes);
}
