//! A registry on loopback that keeps what it is given, and plays tricks when it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cleanbill_core::digest::Digest;
use cleanbill_oci::hash::sha256;
use serde_json::{Value, json};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Trick {
    /// A status, and how many seconds to wait.
    Status(u16, Option<&'static str>),
    /// The connection ends without an answer.
    Reset,
    /// The whole is promised, and half of it sent.
    Half,
    /// Other bytes.
    Other(Vec<u8>),
    /// The right answer, whose bytes come so much later than its head.
    Slow(Duration),
    /// The right answer, whose second half comes so much later than its first.
    Stall(Duration),
    /// All of it, whatever range was asked for.
    Whole,
    /// Another range than was asked for.
    WrongRange,
}

#[derive(Default)]
struct Kept {
    blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and tag or digest.
    manifests: BTreeMap<String, Vec<u8>>,
    /// By path: what is no registry's, such as feeds.
    files: BTreeMap<String, Vec<u8>>,
    /// The part of the path that it is played on, and how often yet.
    tricks: Vec<(&'static str, Trick, usize)>,
    log: Vec<String>,
}

/// A running registry. Its threads end with the test process.
pub struct Registry {
    /// `127.0.0.1:PORT`.
    pub host: String,
    kept: Arc<Mutex<Kept>>,
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A client that hangs up early is part of the play.
                std::thread::spawn(move || _ = answer(stream, &shared));
            }
        });
        Self { host, kept }
    }

    /// Plays a trick on GETs whose path has this in it, so many times.
    pub fn trick(&self, path: &'static str, trick: Trick, times: usize) {
        self.kept.lock().unwrap().tricks.push((path, trick, times));
    }

    pub fn no_tricks(&self) {
        self.kept.lock().unwrap().tricks.clear();
    }

    /// `METHOD kind` of the requests since the last call: manifests, blobs, uploads; with `FROM-` where
    /// a range was asked for, and of feeds those alone.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.kept.lock().unwrap().log)
    }

    /// Keeps a blob; returns its descriptor.
    pub fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        self.kept.lock().unwrap().blobs.insert(digest.to_string(), bytes.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Keeps a manifest under `repository:tag`.
    pub fn manifest(&self, name: &str, manifest: &Value) -> Digest {
        let bytes = manifest.to_string().into_bytes();
        let digest = sha256(&bytes);
        let mut kept = self.kept.lock().unwrap();
        let (repository, _) = name.split_once(':').unwrap();
        kept.manifests.insert(format!("{repository}:{digest}"), bytes.clone());
        kept.manifests.insert(name.to_owned(), bytes);
        digest
    }

    /// An artifact of one layer.
    pub fn artifact(&self, name: &str, artifact_type: &str, layer: Value) -> Digest {
        let config = self.blob("application/vnd.oci.empty.v1+json", b"{}");
        self.manifest(name, &artifact(artifact_type, config, layer))
    }

    /// Keeps a file under a path that is no registry's.
    pub fn file(&self, path: &str, bytes: &[u8]) {
        self.kept.lock().unwrap().files.insert(path.to_owned(), bytes.to_vec());
    }

    /// The file under a path that is no registry's.
    pub fn get_file(&self, path: &str) -> Vec<u8> {
        self.kept.lock().unwrap().files[path].clone()
    }

    pub fn no_files(&self) {
        self.kept.lock().unwrap().files.clear();
    }

    /// The manifest under `repository:tag`.
    pub fn get(&self, name: &str) -> Value {
        serde_json::from_slice(&self.kept.lock().unwrap().manifests[name]).unwrap()
    }
}

fn artifact(artifact_type: &str, config: Value, layer: Value) -> Value {
    json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
        "config": config, "layers": [layer],
    })
}

fn answer(mut stream: TcpStream, kept: &Mutex<Kept>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let (mut length, mut from, mut line) = (0, None::<usize>, String::new());
    while reader.read_line(&mut line)? > 2 {
        let lower = line.trim_end().to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length: ") {
            length = text.parse().unwrap();
        }
        if let Some(text) = lower.strip_prefix("range: bytes=") {
            from = Some(text.trim_end_matches('-').parse().unwrap());
        }
        line.clear();
    }
    let ranged = from.map_or_else(String::new, |from| format!(" {from}-"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = path.replace("%3A", ":");
    if !path.starts_with("/v2/") {
        let mut kept = kept.lock().unwrap();
        if from.is_some() {
            kept.log.push(format!("{method} {path}{ranged}"));
        }
        let trick = kept.trick(&path);
        let file = kept.files.get(&path).cloned();
        drop(kept);
        let status = if file.is_some() { 200 } else { 404 };
        let bytes = file.unwrap_or_default();
        let dated = "Last-Modified: Wed, 02 Sep 2026 00:00:00 GMT";
        let more = format!("{dated}\r\nETag: \"{}\"\r\n", sha256(&bytes).short());
        return send(&mut stream, (status, more, bytes), from, trick);
    }
    let (repository, rest) = ["/manifests/", "/blobs/"]
        .iter()
        .find_map(|part| {
            let (before, after) = path.strip_prefix("/v2/")?.split_once(part)?;
            Some((before.to_owned(), format!("{part}{after}")))
        })
        .unwrap();
    let mut kept = kept.lock().unwrap();
    let kind = rest.split('/').nth(1).unwrap();
    kept.log.push(format!("{method} {kind}{ranged}"));
    let trick = if method == "GET" { kept.trick(&rest) } else { None };
    let answer = match (method.as_str(), rest.rsplit('/').next().unwrap()) {
        ("POST", _) => (202, format!("Location: {}1\r\n", path), Vec::new()),
        ("PUT", tag) if kind == "manifests" => {
            let digest = sha256(&body);
            kept.manifests.insert(format!("{repository}:{digest}"), body.clone());
            kept.manifests.insert(format!("{repository}:{tag}"), body);
            (201, format!("Docker-Content-Digest: {digest}\r\n"), Vec::new())
        }
        ("PUT", last) => {
            let digest = last.rsplit_once("digest=").unwrap().1.to_owned();
            assert_eq!(digest, sha256(&body).to_string());
            kept.blobs.insert(digest, body);
            (201, String::new(), Vec::new())
        }
        (_, name) => {
            let found = match kind {
                "manifests" => kept.manifests.get(&format!("{repository}:{name}")),
                _ => kept.blobs.get(name),
            };
            match found {
                Some(bytes) if kind == "manifests" => {
                    (200, format!("Content-Type: {MANIFEST}\r\n"), bytes.clone())
                }
                Some(bytes) => (200, String::new(), bytes.clone()),
                None => (404, String::new(), Vec::new()),
            }
        }
    };
    drop(kept);
    if method == "HEAD" {
        return stream.write_all(head(&answer, answer.2.len()).as_bytes());
    }
    send(&mut stream, answer, from, trick)
}

/// A status, header lines and a body.
type Answer = (u16, String, Vec<u8>);

fn head((status, more, _): &Answer, length: usize) -> String {
    format!("HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n")
}

/// Sends an answer, from the byte on that was asked for, as the trick has it.
fn send(
    stream: &mut TcpStream,
    mut answer: Answer,
    from: Option<usize>,
    trick: Option<Trick>,
) -> std::io::Result<()> {
    let whole = matches!(trick, Some(Trick::Whole | Trick::Other(_)));
    if let Some(from) = from.filter(|from| answer.0 == 200 && !whole && *from < answer.2.len()) {
        let wrong = usize::from(matches!(trick, Some(Trick::WrongRange)));
        let (first, size) = (from - wrong, answer.2.len());
        let range = format!("Content-Range: bytes {first}-{}/{size}\r\n", size - 1);
        answer = (206, answer.1 + &range, answer.2[first..].to_vec());
    }
    match &trick {
        Some(Trick::Status(status, wait)) => {
            let wait = wait.map_or_else(String::new, |s| format!("Retry-After: {s}\r\n"));
            return stream.write_all(head(&(*status, wait, Vec::new()), 0).as_bytes());
        }
        Some(Trick::Reset) => return Ok(()),
        Some(Trick::Other(other)) => {
            answer = (200, format!("Content-Type: {MANIFEST}\r\n"), other.clone());
        }
        _ => {}
    }
    stream.write_all(head(&answer, answer.2.len()).as_bytes())?;
    let (first, second) = answer.2.split_at(match trick {
        Some(Trick::Half | Trick::Stall(_)) => answer.2.len() / 2,
        _ => 0,
    });
    stream.write_all(first)?;
    stream.flush()?;
    match trick {
        Some(Trick::Half) => return Ok(()),
        Some(Trick::Slow(time) | Trick::Stall(time)) => std::thread::sleep(time),
        _ => {}
    }
    stream.write_all(second)
}

impl Kept {
    /// The trick that is played on a path now.
    fn trick(&mut self, path: &str) -> Option<Trick> {
        let found = self.tricks.iter_mut().find(|(at, _, times)| *times > 0 && path.contains(at));
        found.map(|(_, trick, times)| {
            *times -= 1;
            trick.clone()
        })
    }
}
