//! Everything that can go wrong with a checker, as one table: each ends as a gap of the kind
//! `checker-silent` within its time, and leaves no process behind.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cleanbill::checkers::{CheckerConfig, Checkers, ClientFiles, Endpoint, KindConfig};
use cleanbill_core::gap::GapKind;
use cleanbill_core::opinion::Answer;

use super::rig::{IMAGE, ask, asked, checker, endpoint, processes, program, script};
use super::servers::{drips, keys, listens, request, response, says, server, tls};

fn check(name: &str, kind: KindConfig, wanted: &str) {
    // Time is only short for those that use all of it, so that a busy machine does not matter.
    let stalls = wanted.contains("in time") || wanted.contains("holds its output");
    let timeout = Duration::from_secs(if stalls { 1 } else { 10 });
    let began = Instant::now();
    let opinion = ask(CheckerConfig { timeout, ..checker(kind) }, &asked("default"));
    let took = began.elapsed();
    let Answer::Silent { gap } = &opinion.answer else { panic!("{name}: {opinion:?}") };
    assert_eq!(gap.kind, GapKind::CheckerSilent, "{name}");
    assert_eq!((gap.subject.as_str(), opinion.checker.as_str()), ("c", "c"), "{name}");
    assert!(gap.detail.contains(wanted), "{name}: {gap} for {wanted}");
    assert!(!gap.detail.contains("127.0.0.1") && !gap.detail.contains("/bin"), "{name}: {gap}");
    assert!(took < timeout + Duration::from_secs(5), "{name} took {took:?}");
    // What was killed may take a moment to leave the list.
    let gone = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        processes(&marker(name)).is_empty()
    });
    assert!(gone, "{name} left {:?}", processes(&marker(name)));
}

/// What the command lines of a row's processes have in them.
fn marker(name: &str) -> String {
    let number = name.bytes().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(b.into()));
    format!("9000.{}", number % 1_000_000_007)
}

/// Checks all rows at the same time.
fn check_all(rows: Vec<(&str, KindConfig, &str)>) {
    assert!(!rows.is_empty());
    std::thread::scope(|scope| {
        for (name, kind, wanted) in rows {
            scope.spawn(move || check(name, kind, wanted));
        }
    });
}

fn good(allowed: &str) -> String {
    format!(
        r#"{{"apiVersion":"cleanbill.checker/v1","kind":"Answer","image":"{IMAGE}",{allowed}}}"#
    )
}

#[test]
fn a_program_that_fails_is_silent_and_gone() {
    let yes = good(r#""allowed":true"#);
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    let table: &[(&str, &str, &str)] = &[
        ("hangs", "sleep MARK", "in time"),
        ("hangs after its answer", "echo 'YES'; sleep MARK", "in time"),
        ("closes its output and hangs", "echo 'YES'; exec >&- 2>&-; sleep MARK", "in time"),
        ("does not listen and hangs", "exec <&-; sleep MARK", "in time"),
        ("ignores signals", "trap '' TERM INT HUP; while :; do sleep MARK; done", "in time"),
        ("spins", "while :; do :; done", "in time"),
        ("drips", "while :; do printf ' '; sleep 0.05; done", "in time"),
        ("fails", "echo 'YES'; exit 1", "exit code 1"),
        ("is not found by the shell", "no-such-program-MARK", "exit code 127"),
        ("is killed", "echo 'YES'; kill -9 $$", "signal 9"),
        ("says nothing", "cat >/dev/null", "is empty"),
        ("says nonsense", "echo '<html>'", "no valid JSON"),
        ("says it twice", "echo 'YES'; echo 'YES'", "no valid JSON"),
        ("has a key twice", r#"printf '%s\n' '{"a":1,"a":2}'"#, "no valid JSON"),
        ("speaks another version", "echo 'YES' | sed s,/v1,/v2,", "another \"apiVersion\""),
        ("does not say", "echo 'YES' | sed s/allowed/perhaps/", "whether it is \"allowed\""),
        ("speaks of another image", "echo 'YES' | sed s/team/meat/", "another image"),
        ("repeats the question", "cat", "another \"kind\""),
        ("answers 1 GB", "head -c 1073741824 /dev/zero", "larger than 1 MiB"),
        ("answers without end", "yes", "larger than 1 MiB"),
        ("floods standard error", "yes >&2", "standard error"),
        (
            "floods standard error, then answers",
            "yes | head -c 2000000 >&2; echo 'YES'",
            "standard error",
        ),
        ("leaves a child with its output", "sleep MARK & echo 'YES'", "holds its output open"),
        ("leaves a child and fails", "sleep MARK >/dev/null 2>&1 & exit 3", "exit code 3"),
        (
            "uses too much memory",
            "cat >/dev/null; dd if=/dev/zero of=/dev/null bs=512M count=1",
            "exit code",
        ),
    ];
    let mut rows: Vec<(&str, KindConfig, &str)> = table
        .iter()
        .map(|(name, text, wanted)| {
            let text = text.replace("MARK", &marker(name)).replace("YES", &yes);
            let mut kind = script(&text, &marker(name));
            if let (KindConfig::Program(program), true) = (&mut kind, name.contains("memory")) {
                program.memory_bytes = 64 << 20;
            }
            (*name, kind, *wanted)
        })
        .collect();
    rows.push(("is not there", program(&["/no/such/program"]), "is not there"));
    rows.push(("may not be run", program(&[plain.to_str().unwrap()]), "may not be run"));
    rows.push(("is a folder", program(&["/etc"]), "may not be run"));
    check_all(rows);
}

#[test]
fn a_server_that_fails_is_silent() {
    let yes = || response("200 OK", &good(r#""allowed":true"#));
    // A port that was free a moment ago may be another test's by now; nobody listens on this one.
    let refused = "127.0.0.1:1".to_owned();
    let elsewhere = says(yes());
    let redirect = |status: &str| {
        format!("HTTP/1.1 {status}\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n")
    };
    let status = |status: &str| says(response(status, &good(r#""allowed":true"#)));
    let body = |body: String| says(response("200 OK", &body));
    let table: Vec<(&str, String, &str)> = vec![
        ("refuses the connection", refused, "was refused"),
        ("hangs", server(listens), "in time"),
        ("drips its head", drips(yes()), "in time"),
        ("drips its body", drips_body(&good(r#""allowed":true"#)), "in time"),
        ("hangs up", server(drop), "connection to it failed"),
        ("hangs up after the question", server(|mut s| drop(request(&mut s))), "failed"),
        ("hangs up in the middle", says(yes()[..120].to_owned()), "failed"),
        ("speaks no HTTP", says("220 mail.example ESMTP\r\n".into()), "not answer in HTTP"),
        ("answers 500", status("500 Internal Server Error"), "status 500"),
        ("answers 503", status("503 Service Unavailable"), "status 503"),
        ("answers 401", status("401 Unauthorized"), "status 401"),
        ("answers 201", status("201 Created"), "status 201"),
        ("redirects (302)", says(redirect("302 Found")), "status 302"),
        ("redirects (307)", says(redirect("307 Temporary Redirect")), "status 307"),
        ("says nothing", body(String::new()), "is empty"),
        ("says nonsense", body("<html>".into()), "no valid JSON"),
        ("has a key twice", body(good(r#""allowed":false,"allowed":true"#)), "no valid JSON"),
        ("speaks another version", body(good(r#""allowed":true"#).replace("/v1", "/v0")), "apiV"),
        ("does not say", body(good(r#""reason":"ok""#)), "whether it is \"allowed\""),
        (
            "has a large head",
            says(format!("HTTP/1.1 200 OK\r\nA: {}", "a".repeat(1 << 20))),
            "too large",
        ),
    ];
    let http = |address: &str| KindConfig::Http(endpoint(&format!("http://{address}/check")));
    let rows = table.iter().map(|(name, address, wanted)| (*name, http(address), *wanted));
    check_all(rows.collect());
}

/// Answers its head at once and its body one byte every 50 ms.
fn drips_body(body: &str) -> String {
    let words = response("200 OK", body);
    let at = words.len() - body.len();
    server(move |mut stream| {
        request(&mut stream);
        _ = stream.write_all(&words.as_bytes()[..at]);
        for byte in words.as_bytes()[at..].chunks(1) {
            std::thread::sleep(Duration::from_millis(50));
            if stream.write_all(byte).is_err() {
                return;
            }
        }
    })
}

#[test]
fn an_answer_of_a_gigabyte_is_cut_and_not_read() {
    for head in ["Content-Length: 1073741824", "Connection: close", "Transfer-Encoding: chunked"] {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let address = server(move |mut stream| {
            request(&mut stream);
            _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes());
            let chunked = head.contains("chunked");
            let part = match chunked {
                true => format!("10000\r\n{}\r\n", " ".repeat(1 << 16)),
                false => " ".repeat(1 << 16),
            };
            while count.load(Ordering::SeqCst) < 1 << 30 {
                if stream.write_all(part.as_bytes()).is_err() {
                    return;
                }
                count.fetch_add(1 << 16, Ordering::SeqCst);
            }
        });
        let url = endpoint(&format!("http://{address}/"));
        check(head, KindConfig::Http(url), "larger than 1 MiB");
        let sent = sent.load(Ordering::SeqCst);
        // What lies in the sockets' buffers was sent and not read.
        assert!(sent < 32 << 20, "{head}: {sent} bytes were sent");
    }
}

#[test]
fn a_server_that_is_not_the_one_is_silent() {
    let (ours, theirs) = (keys(), keys());
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = file("ca", &ours.authority.certificate());
    let client = |name: &str, keys: &super::servers::Keys| ClientFiles {
        cert: file(&format!("{name}.crt"), &keys.client.certificate),
        key: file(&format!("{name}.key"), &keys.client.key),
    };
    let yes = response("200 OK", r#"{"status":{"allowed":true}}"#);
    let at = |address: String| endpoint(&format!("https://{address}/review"));
    let with_ca = |address: String| Endpoint { ca: Some(ca.clone()), ..at(address) };
    let words = yes.clone();
    let plain = server(move |mut stream| {
        _ = stream.write_all(words.as_bytes());
        listens(stream);
    });
    let rows: Vec<(&str, Endpoint)> = vec![
        ("has another authority", with_ca(tls(&theirs, false, yes.clone()))),
        ("has a private authority", at(tls(&ours, false, yes.clone()))),
        ("has another name", {
            let address = tls(&ours, false, yes.clone());
            with_ca(address.replace("127.0.0.1", "127.0.0.2"))
        }),
        ("wants a certificate", with_ca(tls(&ours, true, yes.clone()))),
        (
            "wants another certificate",
            Endpoint {
                client: Some(client("theirs", &theirs)),
                ..with_ca(tls(&ours, true, yes.clone()))
            },
        ),
        ("speaks no TLS", with_ca(plain)),
        ("stalls in the handshake", with_ca(server(listens))),
    ];
    let wanted = |name: &str| match name {
        "stalls in the handshake" => "in time",
        // The listener is on another address.
        "has another name" => "refused",
        _ => "failed",
    };
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, endpoint)| (name, KindConfig::ImageReview(endpoint), wanted(name)))
        .collect();
    check_all(rows);

    // And with the right files all is well.
    let right = Endpoint { client: Some(client("ours", &ours)), ..with_ca(tls(&ours, true, yes)) };
    let opinion = ask(checker(KindConfig::ImageReview(right)), &asked("default"));
    assert_eq!(opinion.answer, Answer::Agrees);
}

#[test]
fn renewed_certificates_are_used_and_broken_ones_are_not() {
    let (ours, theirs) = (keys(), keys());
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.crt");
    let write = |text: &str| std::fs::write(&ca, text).unwrap();
    let open = |address: &str| {
        let at = endpoint(&format!("https://{address}/"));
        let kind = KindConfig::ImageReview(Endpoint { ca: Some(ca.clone()), ..at });
        Checkers::open(&[checker(kind)])
    };
    let address = tls(&ours, false, response("200 OK", r#"{"status":{"allowed":true}}"#));
    write("no certificate");
    let error = open(&address).err().unwrap().to_string();
    assert!(error.contains("checker c: the authority"), "{error}");

    write(&theirs.authority.certificate());
    let checkers = open(&address).unwrap();
    let agrees = || {
        let until = Instant::now() + Duration::from_secs(10);
        checkers.ask(&["c"], &asked("default"), until).remove(0).answer == Answer::Agrees
    };
    assert!(!agrees());
    write(&ours.authority.certificate());
    assert!(agrees(), "the new one is used");
    write("half of a certif");
    assert!(agrees(), "the one before is kept");
    write(&theirs.authority.certificate());
    assert!(!agrees(), "and given up for the next good one");
}
