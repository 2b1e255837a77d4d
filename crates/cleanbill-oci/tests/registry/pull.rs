//! Manifests: digests, sizes, media types, refusals, retries, redirects.

use std::io::Read;
use std::time::{Duration, Instant};

use cleanbill_oci::content::{Descriptor, Role};
use cleanbill_oci::error::ErrorKind;
use cleanbill_oci::registry::Registry;

use crate::server::{Answer, MANIFEST, Server, Step, digest};
use crate::{image, options, registry};

const BODY: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;

/// Asks a server that always answers this for `a:1`; gives the error.
fn root_error(answer: Answer, rest: &str) -> (ErrorKind, String) {
    let server = Server::start(move |_, _| answer.clone());
    let error = registry(&[server.host()]).root(&image(&server.host(), rest)).unwrap_err();
    (error.kind(), error.to_string().replace(&server.host(), "HOST"))
}

#[test]
fn a_tag_becomes_a_digest_of_the_bytes() {
    let server = Server::start(|_, _| Answer::manifest(BODY));
    let root = registry(&[server.host()]).root(&image(&server.host(), "a/b:1")).unwrap();
    let want =
        Descriptor { media_type: MANIFEST.into(), digest: digest(BODY), size: BODY.len() as u64 };
    assert_eq!(root.descriptor, want);
    let mut bytes = Vec::new();
    root.content.open(Role::Manifest, &root.descriptor).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, BODY);
    // The root's bytes are not fetched again.
    assert_eq!(server.paths(), ["/v2/a/b/manifests/1"]);
    let accept = server.requests()[0].header("accept").unwrap().to_owned();
    for kind in ["oci.image.index", "oci.image.manifest", "manifest.list", "manifest.v2"] {
        assert!(accept.contains(kind), "{accept}");
    }
}

#[test]
fn the_media_type_is_what_the_registry_states() {
    let table = [
        (
            Some("application/vnd.docker.distribution.manifest.v2+json; charset=utf-8"),
            "application/vnd.docker.distribution.manifest.v2+json",
        ),
        (Some("application/JSON"), "application/json"),
        (None, ""),
    ];
    for (header, want) in table {
        let headers: Vec<_> = header.iter().map(|h| ("Content-Type", *h)).collect();
        let answer = Answer::new("200 OK", &headers, BODY);
        let server = Server::start(move |_, _| answer.clone());
        let root = registry(&[server.host()]).root(&image(&server.host(), "a:1")).unwrap();
        assert_eq!(root.descriptor.media_type, want, "{header:?}");
    }
}

#[test]
fn bytes_must_have_the_digest_of_the_name_and_of_the_registry() {
    let (wrong, right) = (digest(b"else"), digest(BODY));
    let (kind, text) = root_error(Answer::manifest(BODY), &format!("a@{wrong}"));
    assert_eq!(kind, ErrorKind::DigestMismatch);
    assert_eq!(
        text,
        format!("HOST/a@{wrong}: its manifest has digest {right}, and the name says {wrong}")
    );
    let claim = wrong.to_string();
    let answer = Answer::new("200 OK", &[("Docker-Content-Digest", &claim)], BODY);
    let (kind, text) = root_error(answer, "a:1");
    assert_eq!(kind, ErrorKind::DigestMismatch);
    assert_eq!(
        text,
        format!("HOST/a:1: its manifest has digest {right}, and the registry says {wrong}")
    );
    let answer = Answer::new("200 OK", &[("Docker-Content-Digest", "sha256:xyz")], BODY);
    assert_eq!(root_error(answer, "a:1").0, ErrorKind::Malformed);
    let server = Server::start(|_, _| Answer::manifest(BODY));
    let root = registry(&[server.host()]).root(&image(&server.host(), &format!("a:1@{right}")));
    assert_eq!(root.unwrap().descriptor.digest, right);
    assert_eq!(server.paths(), [format!("/v2/a/manifests/{right}")]);
}

#[test]
fn refusals_say_what_and_why() {
    let table = [
        (
            Answer::not_found(),
            ErrorKind::NotFound,
            "HOST/a:1: HOST answers 404 Not Found (MANIFEST_UNKNOWN: manifest unknown): check the \
             name, and the tag or digest",
        ),
        (
            Answer::new("206 Partial Content", &[("Content-Range", "bytes 0-1/2")], b"{}"),
            ErrorKind::Io,
            "HOST/a:1: HOST answers 206 Partial Content",
        ),
        (
            Answer::new("418 I'm a teapot", &[], b"<html>"),
            ErrorKind::Io,
            "HOST/a:1: HOST answers 418 I'm a teapot",
        ),
        (
            Answer::redirect("/again"),
            ErrorKind::Malformed,
            "HOST/a:1: HOST redirects more than 5 times",
        ),
        (
            Answer::redirect("ftp://x/"),
            ErrorKind::Malformed,
            "HOST/a:1: HOST redirects to no valid URL",
        ),
        (
            Answer::redirect("http://127.0.0.1:9/"),
            ErrorKind::Forbidden,
            "HOST/a:1: 127.0.0.1:9 is asked for over plain HTTP, which is not configured",
        ),
        (
            Answer::with_length("200 OK", &[], b"", 5 << 20),
            ErrorKind::OverLimit,
            "HOST/a:1: its manifest: more than 4194304 bytes of a manifest, index or \
             configuration (raise with --limit manifest-bytes=N)",
        ),
        (
            Answer::chunked(&[], &vec![b' '; 5 << 20]),
            ErrorKind::OverLimit,
            "HOST/a:1: its manifest: more than 4194304 bytes of a manifest, index or \
             configuration (raise with --limit manifest-bytes=N)",
        ),
        (
            Answer::new(
                "403 Forbidden",
                &[],
                b"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\\u001b[31mno\"}]}",
            ),
            ErrorKind::Unauthorized,
            "HOST/a:1: registry HOST refuses access: HOST answers 403 Forbidden (DENIED: \
             \\u{1b}[31mno): check the name; if it is private, log in with docker login HOST, or \
             give --username and --password",
        ),
    ];
    for (answer, kind, text) in table {
        assert_eq!(root_error(answer, "a:1"), (kind, text.to_owned()));
    }
}

#[test]
fn passing_failures_are_retried_and_others_are_not() {
    let busy =
        |seconds: &str| Answer::new("429 Too Many Requests", &[("Retry-After", seconds)], b"");
    let down = Answer::new("503 Service Unavailable", &[], b"");
    // What comes first, and how many requests are seen in all.
    let table = [
        (vec![busy("0")], true, 2),
        (vec![down.clone(), busy("0"), down.clone()], true, 4),
        (vec![Answer(vec![])], true, 2),
        (vec![Answer::with_length("200 OK", &[], b"{", 100)], true, 2),
        (vec![down.clone(), down.clone(), down.clone(), down], false, 4),
        (vec![busy("3600")], false, 1),
        (vec![busy("60")], false, 1),
        (vec![Answer::not_found()], false, 1),
        (vec![Answer::new("400 Bad Request", &[], b"")], false, 1),
        (vec![Answer::new("501 Not Implemented", &[], b"")], false, 1),
    ];
    for (first, good, requests) in table {
        let shown = format!("{first:?}");
        let server = Server::start(move |_, before| {
            first.get(before).cloned().unwrap_or_else(|| Answer::manifest(BODY))
        });
        let result = registry(&[server.host()]).root(&image(&server.host(), "a:1"));
        assert_eq!(result.is_ok(), good, "{shown} {result:?}");
        assert_eq!(server.requests().len(), requests, "{shown}");
    }
}

#[test]
fn a_server_that_trickles_ends_with_the_time_for_one_image() {
    let drip = Step::Send(b"X-Drip: 1\r\n".to_vec());
    let mut steps = vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec())];
    for _ in 0..100 {
        steps.extend([drip.clone(), Step::Pause(Duration::from_millis(50))]);
    }
    let server = Server::start(move |_, _| Answer(steps.clone()));
    let began = Instant::now();
    let mut slow = options(&[server.host()]);
    slow.limits.time = Duration::from_millis(400);
    let error = Registry::new(slow).unwrap().root(&image(&server.host(), "a:1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("took longer than the time for one image"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());

    let soon = Instant::now() + Duration::from_millis(200);
    let error = registry(&[server.host()]).until(soon).root(&image(&server.host(), "a:1"));
    assert!(error.unwrap_err().to_string().contains("took longer"));
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::start(|_, _| Answer(vec![Step::Pause(Duration::from_secs(5))]));
    let mut brief = options(&[server.host()]);
    brief.idle = Duration::from_millis(100);
    brief.attempts = 2;
    let error = Registry::new(brief).unwrap().root(&image(&server.host(), "a:1")).unwrap_err();
    let text = error.to_string().replace(&server.host(), "HOST");
    assert_eq!(
        text,
        "HOST/a:1: after 2 attempts: HOST cannot be reached: it does not answer in time"
    );
}

#[test]
fn a_tag_is_remembered_no_longer_than_asked() {
    let ask_twice = |ttl: Duration, rest: &str| {
        let server = Server::start(|_, _| Answer::manifest(BODY));
        let mut options = options(&[server.host()]);
        options.tag_ttl = ttl;
        let registry = Registry::new(options).unwrap();
        let first = registry.root(&image(&server.host(), rest)).unwrap().descriptor;
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(registry.root(&image(&server.host(), rest)).unwrap().descriptor, first);
        server.requests().len()
    };
    assert_eq!(ask_twice(Duration::ZERO, "a:1"), 2);
    assert_eq!(ask_twice(Duration::from_millis(1), "a:1"), 2);
    assert_eq!(ask_twice(Duration::from_secs(60), "a:1"), 1);
}

#[test]
fn a_childs_size_is_its_descriptors() {
    let size = BODY.len() as u64;
    let table = [
        (size, None),
        (size + 1, Some((ErrorKind::Malformed, "bytes, and its descriptor says "))),
        (size - 1, Some((ErrorKind::Malformed, "bytes, and its descriptor says "))),
        (5 << 20, Some((ErrorKind::OverLimit, "more than 4194304 "))),
    ];
    for (size, want) in table {
        let server = Server::start(|_, _| Answer::manifest(BODY));
        let content = registry(&[server.host()]).repository(&image(&server.host(), "a:1")).unwrap();
        let child = Descriptor { media_type: MANIFEST.into(), digest: digest(BODY), size };
        let got = content.open(Role::Manifest, &child).err();
        assert_eq!(got.as_ref().map(|e| e.kind()), want.map(|(kind, _)| kind), "{size}");
        if let (Some(error), Some((_, text))) = (got, want) {
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
