//! A server on loopback that plays the publishers, and plays them badly.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cleanbill_advisory::Told;
use cleanbill_advisory::update::{Bounds, Plan, Sources};
use cleanbill_core::ecosystem::Ecosystem;

use super::osv_zip;

/// Notes the lines of what is told.
pub fn line(told: Told<'_>, lines: &mut Vec<String>) {
    if let Told::Line(line) = told {
        lines.push(line.to_owned());
    }
}

/// A text, packed.
pub fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// How the next request for a file is answered; when none is left, properly.
#[derive(Clone, Debug)]
pub enum Trick {
    Status(u16),
    /// 429, with a header line.
    Busy(&'static str),
    /// Promises everything and hangs up after so many bytes.
    BreakOff(usize),
    /// Another body than the file.
    Body(Vec<u8>),
    /// Sends another range than was asked for.
    WrongRange,
    /// Sends less of the range than was asked for, and says so.
    ShortRange,
    /// Sends the range without what was said of the file before.
    Bare,
    /// Sends the range of the file that there is, whichever was asked for.
    AnyRange,
    /// A body without a length that does not end.
    Endless,
    /// The file, whose second half comes half a second later.
    Slow,
}

#[derive(Default)]
struct Played {
    /// Path to ETag and content.
    files: BTreeMap<String, (String, Vec<u8>)>,
    tricks: BTreeMap<String, Vec<Trick>>,
    /// Path, and the headers that matter, of each request.
    log: Vec<String>,
}

pub struct Server {
    publisher: Arc<Mutex<Played>>,
    pub base: String,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let publisher = Arc::new(Mutex::new(Played::default()));
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

    pub fn put(&self, path: &str, etag: &str, body: Vec<u8>) {
        let mut publisher = self.publisher.lock().unwrap();
        publisher.files.insert(path.to_owned(), (etag.to_owned(), body));
    }

    /// What is below one path is below another too.
    pub fn also_at(&self, from: &str, to: &str) {
        let mut publisher = self.publisher.lock().unwrap();
        let there = |(path, file): (&String, &(String, Vec<u8>))| {
            path.strip_prefix(from).map(|rest| (format!("{to}{rest}"), file.clone()))
        };
        let copies: Vec<_> = publisher.files.iter().filter_map(there).collect();
        publisher.files.extend(copies);
    }

    pub fn trick(&self, path: &str, tricks: &[Trick]) {
        let reversed = tricks.iter().rev().cloned().collect();
        self.publisher.lock().unwrap().tricks.insert(path.to_owned(), reversed);
    }

    /// The requests for one file since the last call.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let log = std::mem::take(&mut self.publisher.lock().unwrap().log);
        log.into_iter().filter_map(|l| l.strip_prefix(path).map(|l| l.trim().to_owned())).collect()
    }

    pub fn plan(&self, folder: &Path) -> Plan {
        Plan {
            sources: Sources::mirror(&self.base).unwrap(),
            ecosystems: vec![Ecosystem::PyPI],
            publishers: Vec::new(),
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
            agent: None,
            stands_in: None,
        }
    }
}

fn answer(mut stream: TcpStream, publisher: &Mutex<Played>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    // As every server does: the name of a file may have a space.
    let path = head.split(' ').nth(1).unwrap().replace("%20", " ");
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
    let any = matches!(trick, Some(Trick::AnyRange));
    let from = range
        .filter(|_| any || condition.as_deref() == Some(&etag))
        .and_then(|r| r.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    match (trick, from) {
        (Some(Trick::Status(status)), _) => {
            write!(
                stream,
                "HTTP/1.1 {status} Trick\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        (Some(Trick::Busy(line)), _) => {
            write!(
                stream,
                "HTTP/1.1 429 Trick\r\nDate: Sat, 22 Aug 2026 12:00:00 GMT\r\n{line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        }
        (Some(Trick::BreakOff(after)), None) => {
            write!(stream, "{}", full(body.len()))?;
            stream.write_all(&body[..after])
        }
        (Some(Trick::Slow), None) => {
            write!(stream, "{}", full(body.len()))?;
            let (first, second) = body.split_at(body.len() / 2);
            stream.write_all(first)?;
            std::thread::sleep(Duration::from_millis(500));
            stream.write_all(second)
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
            let end = body.len() - usize::from(matches!(trick, Some(Trick::ShortRange)));
            let said = match trick {
                Some(Trick::Bare) => "Connection: close".to_owned(),
                _ => format!("ETag: {etag}\r\n{dated}"),
            };
            write!(
                stream,
                "HTTP/1.1 206 Partial\r\n{said}\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}\r\n\r\n",
                end - 1,
                body.len(),
                end - start
            )?;
            stream.write_all(&body[start..end])
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
