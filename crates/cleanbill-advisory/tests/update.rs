//! Updates against a server on loopback that plays the publishers, and plays them badly.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cleanbill_advisory::update::{Bounds, Plan, Sources, update};
use cleanbill_advisory::{ErrorKind, Snapshot};
use cleanbill_core::advisory::Advisories;
use cleanbill_core::ecosystem::{Ecosystem, Stream};

/// How the next request for a file is answered; when none is left, properly.
#[derive(Clone, Debug)]
enum Trick {
    Status(u16),
    /// Promises everything and hangs up after so many bytes.
    BreakOff(usize),
    /// Another body than the file.
    Body(Vec<u8>),
    /// Ignores the range that was asked for.
    WrongRange,
    /// A body without a length that does not end.
    Endless,
}

#[derive(Default)]
struct Publisher {
    /// Path to ETag and content.
    files: BTreeMap<String, (String, Vec<u8>)>,
    tricks: BTreeMap<String, Vec<Trick>>,
    /// Path, and the headers that matter, of each request.
    log: Vec<String>,
}

struct Server {
    publisher: Arc<Mutex<Publisher>>,
    base: String,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let publisher = Arc::new(Mutex::new(Publisher::default()));
        let shared = Arc::clone(&publisher);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up early is part of the play.
                _ = answer(stream.unwrap(), &shared);
            }
        });
        let server = Self { publisher, base };
        server.put("/PyPI/all.zip", "\"p1\"", osv_zip("PYSEC-1", "1.2"));
        let kev = r#"{"dateReleased":"2026-08-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-44228"}]}"#;
        server.put("/kev/known_exploited_vulnerabilities.json", "\"k1\"", kev.into());
        for product in [
            "alpine-linux",
            "debian",
            "ubuntu",
            "almalinux",
            "rocky-linux",
            "rhel",
            "amazon-linux",
            "oracle-linux",
            "fedora",
            "centos",
            "centos-stream",
            "opensuse",
            "sles",
            "photon",
        ] {
            let cycles = r#"[{"cycle":"3.19","eol":"2025-11-01"},{"cycle":9,"eol":false}]"#;
            server.put(&format!("/eol/{product}.json"), "\"e1\"", cycles.into());
        }
        server
    }

    fn put(&self, path: &str, etag: &str, body: Vec<u8>) {
        let mut publisher = self.publisher.lock().unwrap();
        publisher.files.insert(path.to_owned(), (etag.to_owned(), body));
    }

    fn trick(&self, path: &str, tricks: &[Trick]) {
        let reversed = tricks.iter().rev().cloned().collect();
        self.publisher.lock().unwrap().tricks.insert(path.to_owned(), reversed);
    }

    /// The requests for one file since the last call.
    fn asked(&self, path: &str) -> Vec<String> {
        let log = std::mem::take(&mut self.publisher.lock().unwrap().log);
        log.into_iter().filter_map(|l| l.strip_prefix(path).map(|l| l.trim().to_owned())).collect()
    }

    fn plan(&self, folder: &Path) -> Plan {
        Plan {
            sources: Sources::mirror(&self.base).unwrap(),
            ecosystems: vec![Ecosystem::PyPI],
            folder: folder.to_owned(),
            out: folder.join("cleanbill.cbdb"),
            now: "2026-08-22T12:00:00Z".parse().unwrap(),
            bounds: Bounds {
                retries: 3,
                backoff: Duration::from_millis(1),
                silence: Duration::from_secs(5),
                download_bytes: 1 << 20,
                ..Bounds::default()
            },
        }
    }
}

fn answer(mut stream: TcpStream, publisher: &Mutex<Publisher>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let header = |name: &str| {
        head.lines().find_map(|l| {
            let (n, v) = l.split_once(": ")?;
            n.eq_ignore_ascii_case(name).then(|| v.to_owned())
        })
    };
    let (range, condition, known) = (header("range"), header("if-range"), header("if-none-match"));
    let (file, trick) = {
        let mut publisher = publisher.lock().unwrap();
        let sent = [("range", &range), ("if-range", &condition), ("if-none-match", &known)];
        let sent = sent.iter().filter_map(|(n, v)| Some(format!("{n}={}", v.as_ref()?)));
        let line = format!("{path} {}", sent.collect::<Vec<_>>().join(" "));
        publisher.log.push(line);
        let trick = publisher.tricks.get_mut(&path).and_then(Vec::pop);
        (publisher.files.get(&path).cloned(), trick)
    };
    let Some((etag, body)) = file else {
        return write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    };
    let dated = "Last-Modified: Sat, 01 Aug 2026 00:00:00 GMT\r\nConnection: close";
    let full = |length: usize| {
        format!("HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {length}\r\n{dated}\r\n\r\n")
    };
    let from = range
        .filter(|_| condition.as_deref() == Some(&etag))
        .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    match (trick, from) {
        (Some(Trick::Status(status)), _) => {
            write!(
                stream,
                "HTTP/1.1 {status} Trick\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        (Some(Trick::BreakOff(after)), None) => {
            write!(stream, "{}", full(body.len()))?;
            stream.write_all(&body[..after])
        }
        (Some(Trick::Body(other)), _) => {
            write!(stream, "{}", full(other.len()))?;
            stream.write_all(&other)
        }
        (Some(Trick::Endless), _) => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
        (trick, Some(from)) => {
            let wrong = usize::from(matches!(trick, Some(Trick::WrongRange)));
            let start = from - wrong;
            write!(
                stream,
                "HTTP/1.1 206 Partial\r\nETag: {etag}\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}\r\n{dated}\r\n\r\n",
                body.len() - 1,
                body.len(),
                body.len() - start
            )?;
            stream.write_all(&body[start..])
        }
        (_, None) if known.as_deref() == Some(&etag) => {
            write!(stream, "HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n{dated}\r\n\r\n")
        }
        (_, None) => {
            write!(stream, "{}", full(body.len()))?;
            stream.write_all(&body)
        }
    }
}

/// A zip with one stored entry, made by hand: local header, central directory, end.
fn osv_zip(id: &str, fixed: &str) -> Vec<u8> {
    let json = format!(
        r#"{{"id":"{id}","affected":[{{"package":{{"ecosystem":"PyPI","name":"Some_Package"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    );
    zip_of(&[("a.json", json.as_bytes())])
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut out);
    for (name, body) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap();
    out.into_inner()
}

fn fixed_in(out: &Path) -> BTreeSet<String> {
    let snapshot = Snapshot::open(out).unwrap();
    let found = snapshot.lookup(&Stream::of(Ecosystem::PyPI), "some-package").unwrap();
    found.iter().map(|a| format!("{} {:?}", a.id, a.ranges[0].end)).collect()
}

#[test]
fn what_has_not_changed_is_not_fetched_again() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let plan = server.plan(dir.path());
    let mut said = Vec::new();
    let first = update(&plan, &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!(server.asked("/PyPI/all.zip"), [""]);
    assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());

    // Dates: the entry has none, so the server's counts; the table's is the day of the check.
    let snapshot = Snapshot::open(&plan.out).unwrap();
    let dates: Vec<_> = snapshot
        .feeds()
        .iter()
        .map(|f| format!("{} {}", f.id, f.as_of.unwrap().strftime("%F")))
        .collect();
    assert_eq!(dates, ["eol 2026-08-22", "kev 2026-08-01", "osv:PyPI 2026-08-01"]);
    assert!(snapshot.flaw("CVE-2021-44228").unwrap().exploited);
    let life = |release| snapshot.release_life("alpine", release).unwrap().unwrap().end_of_life;
    assert_eq!(life("3.19"), Some(cleanbill_core::Date::constant(2025, 11, 1)));
    assert_eq!(life("9"), None);

    said.clear();
    let second = update(&plan, &mut |line| said.push(line.to_owned())).unwrap();
    assert_eq!(second.digest, first.digest);
    assert_eq!(server.asked("/PyPI/all.zip"), ["if-none-match=\"p1\""]);
    assert_eq!(said[0], "osv/PyPI/all.zip: unchanged");

    // A change is fetched, and the snapshot before is kept.
    server.put("/PyPI/all.zip", "\"p2\"", osv_zip("PYSEC-1", "1.3"));
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.3\")".to_owned()].into());
    let previous = dir.path().join("cleanbill.cbdb.previous");
    assert_eq!(fixed_in(&previous), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
}

#[test]
fn what_breaks_off_goes_on_and_what_fails_once_is_tried_again() {
    use Trick::{BreakOff, Status, WrongRange};
    let resumed = "range=bytes=100- if-range=\"p1\"";
    let table: &[(&[Trick], &[&str])] = &[
        (&[Status(500), Status(429)], &["", "", ""]),
        (&[BreakOff(100)], &["", resumed]),
        (&[BreakOff(100), Status(503)], &["", resumed, resumed]),
        (&[BreakOff(100), Status(416)], &["", resumed, ""]),
        (&[BreakOff(100), WrongRange], &["", resumed, ""]),
        (&[BreakOff(0)], &["", ""]),
    ];
    for (tricks, asked) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.trick("/PyPI/all.zip", tricks);
        let plan = server.plan(dir.path());
        update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("{tricks:?}: {e}"));
        assert_eq!(server.asked("/PyPI/all.zip"), *asked, "{tricks:?}");
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
    }
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_from_its_start() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let plan = server.plan(dir.path());
    let feed = dir.path().join("feeds/osv/PyPI");
    std::fs::create_dir_all(&feed).unwrap();
    std::fs::write(feed.join("all.zip.part"), [0; 50]).unwrap();
    std::fs::write(feed.join("all.zip.part.etag"), "\"p0\"").unwrap();
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(server.asked("/PyPI/all.zip"), ["range=bytes=50- if-range=\"p0\""]);
    assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
}

#[test]
fn what_fails_says_so_and_leaves_the_snapshot_alone() {
    use Trick::{Body, Endless, Status};
    let url = "BASE/PyPI/all.zip";
    let broken = b"PK\x05\x06 but no zip".to_vec();
    let no_osv = zip_of(&[("a.json", b"{}")]);
    let bomb = zip_of(&[("a.json", &vec![b' '; 70 << 20])]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let table: Vec<(Vec<Trick>, ErrorKind, String)> = vec![
        (vec![Status(404)], ErrorKind::Network, format!("{url}: the server said 404 Not Found")),
        (
            vec![Status(302)],
            ErrorKind::Network,
            format!("{url}: the server said 302 Found"),
        ),
        (
            vec![Status(500); 4],
            ErrorKind::Network,
            format!("{url}: given up after 4 tries: the server said 500 Internal Server Error"),
        ),
        (vec![Body(broken)], ErrorKind::Malformed, format!("{url}: no readable zip: ")),
        (vec![Body(vec![])], ErrorKind::Malformed, format!("{url}: no readable zip: ")),
        (vec![Body(vec![0; 2 << 20])], ErrorKind::OverLimit, format!("{url}: larger than 1048576 bytes")),
        (vec![Endless], ErrorKind::OverLimit, format!("{url}: larger than 1048576 bytes")),
        (
            vec![Body(no_osv)],
            ErrorKind::Malformed,
            "FOLDER/feeds/osv/PyPI/all.zip: osv:PyPI: 1 of 1 entries could not be understood, more than 5 %; the first: \"a.json\": no OSV document: missing field `id` at line 1 column 2".to_owned(),
        ),
        (
            vec![Body(bomb)],
            ErrorKind::OverLimit,
            "FOLDER/feeds/osv/PyPI/all.zip: entry \"a.json\": larger than 67108864 bytes".to_owned(),
        ),
    ];
    for (tricks, kind, wanted) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        let plan = server.plan(dir.path());
        update(&plan, &mut |_| ()).unwrap();
        let before = std::fs::read(&plan.out).unwrap();
        server.put("/PyPI/all.zip", "\"p2\"", osv_zip("PYSEC-1", "1.3"));
        server.trick("/PyPI/all.zip", &tricks);
        let error = update(&plan, &mut |_| ()).unwrap_err();
        let said = error
            .to_string()
            .replace(&server.base, "BASE")
            .replace(&dir.path().display().to_string(), "FOLDER");
        assert!(said.starts_with(&wanted), "{said}\n{wanted}");
        assert_eq!(error.kind(), kind, "{said}");
        assert_eq!(std::fs::read(&plan.out).unwrap(), before);
        // And the next one is none the worse for it.
        update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("after {said}: {e}"));
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.3\")".to_owned()].into());
    }
}
