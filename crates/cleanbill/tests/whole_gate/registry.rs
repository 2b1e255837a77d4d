//! A registry on loopback that can be told to misbehave, and small images for it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cleanbill::quickstart::elf;
use cleanbill::quickstart::examples::digest;
use cleanbill::quickstart::tar::Tar;
use serde_json::json;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// How long a registry that stalls does so, unless it is told to go on.
const STALL: Duration = Duration::from_secs(120);

/// An image: its name by digest, and its bytes by digest.
#[derive(Clone)]
pub struct Image {
    repository: String,
    manifest: Vec<u8>,
    blobs: BTreeMap<String, Arc<Vec<u8>>>,
}

/// A layer as it is stored, and the digest of its tar.
pub struct Layer {
    pub stored: Vec<u8>,
    pub diff_id: String,
    /// What its media type ends with.
    pub form: &'static str,
}

impl Layer {
    /// Stored as it is.
    pub fn plain(tar: Vec<u8>) -> Self {
        Self { diff_id: digest(&tar).to_string(), stored: tar, form: "tar" }
    }
}

impl Image {
    /// An image of these layers.
    pub fn new(repository: &str, layers: Vec<Layer>) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|l| l.diff_id.clone()).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = config.to_string().into_bytes();
        let described = |kind: &str, bytes: &[u8]| {
            let media_type = format!("application/vnd.oci.image.{kind}");
            json!({"mediaType": media_type, "digest": digest(bytes).to_string(), "size": bytes.len()})
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": described("config.v1+json", &config),
            "layers": layers
                .iter()
                .map(|l| described(&format!("layer.v1.{}", l.form), &l.stored))
                .collect::<Vec<_>>(),
        });
        let all = layers.into_iter().map(|l| l.stored).chain([config]);
        let blobs = all.map(|b| (digest(&b).to_string(), Arc::new(b))).collect();
        let manifest = manifest.to_string().into_bytes();
        Self { repository: repository.into(), manifest, blobs }
    }

    /// Two layers with one small Go program each, without known flaws. The name is in the bytes.
    pub fn clean(repository: &str) -> Self {
        let layer = |n: usize, version: &str| {
            let modules = format!(
                "path\tcleanbill.example/{repository}{n}\nmod\tcleanbill.example/{repository}{n}\tv1.0.0\t\n\
                 dep\tgolang.org/x/{version}\t\nbuild\t-compiler=gc\n"
            );
            let program = elf::go_program("go1.27.2", &modules);
            Layer::plain(Tar::default().file(&format!("program{n}"), 0o755, &program).finish())
        };
        Self::new(repository, vec![layer(1, "sys\tv0.48.0"), layer(2, "text\tv0.42.0")])
    }

    pub fn digest(&self) -> String {
        digest(&self.manifest).to_string()
    }
}

/// What the registry does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    Nothing,
    /// Hangs up before a request is answered.
    HangsUp,
    /// Says nothing.
    StallsInHead,
    /// Says half of a manifest.
    StallsInManifest,
    /// Says half of the last layer.
    StallsInLayer,
    /// 429, with this header.
    TooMany(&'static str),
    /// 500.
    Fails,
    /// Redirects what is no manifest to here.
    Redirects(&'static str),
    /// A manifest that was not asked for.
    OtherManifest,
    /// A manifest that was asked for, and a header that says another digest.
    OtherHeader,
    /// A layer with one bit of it changed.
    OtherLayer,
    /// Another configuration, of the right length.
    OtherConfig,
    /// A layer that ends early, again and again.
    HalfLayer,
}

/// Credentials that it wants.
#[derive(Clone, Default)]
pub struct Login {
    /// `Basic …` of who may have a token, or, without a realm, images.
    pub basic: String,
    /// Where tokens are given; none: basic login.
    pub realm: Option<String>,
    /// The token that is given and then wanted.
    pub token: String,
}

#[derive(Default)]
struct State {
    images: Mutex<Vec<Image>>,
    fault: Mutex<Fault>,
    login: Mutex<Option<Login>>,
    asked: Mutex<Vec<String>>,
    over: AtomicBool,
}

/// A registry that runs until it is dropped.
pub struct Registry {
    pub port: u16,
    state: Arc<State>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    pub fn start() -> Self {
        Self::start_at(0)
    }

    /// At a port where nobody listens.
    pub fn start_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.over.load(SeqCst) {
                    return;
                }
                let state = Arc::clone(&shared);
                std::thread::spawn(move || _ = serve(&stream, &state));
            }
        });
        Self { port, state }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The key of `cleanbill.yaml` that lets it be reached.
    pub fn key(&self) -> String {
        reached(&self.host(), "")
    }

    /// Has this image from now on; gives its name by digest.
    pub fn push(&self, image: &Image) -> String {
        lock(&self.state.images).push(image.clone());
        format!("{}/{}@{}", self.host(), image.repository, image.digest())
    }

    /// An image as nobody has asked about before.
    pub fn clean(&self, repository: &str) -> String {
        self.push(&Image::clean(repository))
    }

    pub fn fault(&self, fault: Fault) {
        *lock(&self.state.fault) = fault;
    }

    pub fn login(&self, login: Login) {
        *lock(&self.state.login) = Some(login);
    }

    /// Method, path and authorization of every request.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.state.asked).clone()
    }

    /// Waits until something with these words was asked.
    pub fn wait_for(&self, words: &str) {
        let end = Instant::now() + super::rig::PATIENCE;
        while !self.asked().iter().any(|line| line.contains(words)) {
            assert!(Instant::now() < end, "nobody asked for {words}: {:?}", self.asked());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.state.over.store(true, SeqCst);
        self.fault(Fault::HangsUp);
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// The key `registries` for a host that is spoken to in the clear on loopback.
pub fn reached(host: &str, more: &str) -> String {
    format!("registries:\n- {{host: \"{host}\", plain_http: true, private: true{more}}}\n")
}

/// One request, one answer, one connection.
fn serve(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(STALL))?;
    let mut lines = BufReader::new(stream.take(64 << 10)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut authorization = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("authorization: ") {
            let at = line.len() - value.len();
            line[at..].clone_into(&mut authorization);
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    lock(&state.asked).push(format!("{path} {authorization}"));
    let fault = *lock(&state.fault);
    let mut out = stream;
    match fault {
        Fault::HangsUp => return Ok(()),
        Fault::StallsInHead => {
            out.write_all(b"HTTP/1.1 200 OK\r\nContent-Le")?;
            stall(state);
            return Ok(());
        }
        Fault::TooMany(header) => return plain(out, "429 Too Many Requests", header, b"slower"),
        Fault::Fails => return plain(out, "500 Internal Server Error", "", b"10.9.8.7 is down"),
        Fault::Redirects(to) if path.contains("/blobs/") => {
            return plain(out, "307 Temporary Redirect", &format!("Location: {to}"), b"");
        }
        Fault::Redirects(_) | Fault::Nothing => {}
        Fault::StallsInManifest | Fault::StallsInLayer | Fault::HalfLayer => {}
        Fault::OtherManifest | Fault::OtherHeader | Fault::OtherLayer | Fault::OtherConfig => {}
    }
    if let Some(login) = lock(&state.login).clone()
        && let Some(refusal) = login.refuse(&path, &authorization)
    {
        return refusal.write(out);
    }
    let Some((body, kind, is_last)) = state.find(&path, fault) else {
        return plain(out, "404 Not Found", "", b"");
    };
    let manifest = kind == MANIFEST;
    let mut header = format!("Content-Type: {kind}");
    if manifest && fault == Fault::OtherHeader {
        header += &format!("\r\nDocker-Content-Digest: {}", digest(b"another"));
    }
    let half = (fault == Fault::StallsInManifest && manifest)
        || (matches!(fault, Fault::StallsInLayer | Fault::HalfLayer) && is_last);
    if !half {
        return plain(out, "200 OK", &header, &body);
    }
    let length = body.len();
    write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{header}\r\nConnection: close\r\n\r\n"
    )?;
    out.write_all(&body[..length / 2])?;
    if fault != Fault::HalfLayer {
        stall(state);
    }
    Ok(())
}

/// Waits until the fault is gone.
fn stall(state: &State) {
    let (fault, end) = (*lock(&state.fault), Instant::now() + STALL);
    while *lock(&state.fault) == fault && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn plain(mut out: &TcpStream, status: &str, header: &str, body: &[u8]) -> std::io::Result<()> {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    write!(
        out,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{header}Connection: close\r\n\r\n"
    )?;
    out.write_all(body)
}

impl State {
    /// The bytes at a path, what they are, and whether they are an image's last layer.
    fn find(&self, path: &str, fault: Fault) -> Option<(Vec<u8>, &'static str, bool)> {
        let images = lock(&self.images);
        let path = path.strip_prefix("/v2/")?;
        for image in images.iter() {
            let Some(rest) = path.strip_prefix(&format!("{}/", image.repository)) else { continue };
            if let Some(name) = rest.strip_prefix("manifests/") {
                if name != image.digest() && name.contains(':') {
                    continue;
                }
                let mut body = image.manifest.clone();
                if fault == Fault::OtherManifest {
                    body.push(b' ');
                }
                return Some((body, MANIFEST, false));
            }
            let name = rest.strip_prefix("blobs/")?;
            let Some(blob) = image.blobs.get(name) else { continue };
            let mut body = blob.as_ref().clone();
            let text = String::from_utf8_lossy(&image.manifest).into_owned();
            let is_last = text.rfind("sha256:").is_some_and(|at| text[at..].starts_with(name));
            let is_config = body.starts_with(b"{");
            if (is_last && fault == Fault::OtherLayer) || (is_config && fault == Fault::OtherConfig)
            {
                // Within a value, so that it stays what it is by its form.
                let at = if is_config { body.len() - 10 } else { body.len() / 2 };
                body[at] ^= 1;
            }
            return Some((body, "application/octet-stream", is_last));
        }
        None
    }
}

/// What is answered to whoever does not log in well.
struct Refusal(&'static str, String, String);

impl Refusal {
    fn write(&self, out: &TcpStream) -> std::io::Result<()> {
        plain(out, self.0, &self.1, self.2.as_bytes())
    }
}

impl Login {
    fn refuse(&self, path: &str, authorization: &str) -> Option<Refusal> {
        let none = String::new;
        if path.starts_with("/token") {
            let body = json!({"token": self.token, "expires_in": 300}).to_string();
            return Some(match authorization == self.basic {
                true => Refusal("200 OK", none(), body),
                false => Refusal("401 Unauthorized", none(), none()),
            });
        }
        let (wanted, challenge) = match &self.realm {
            Some(realm) => (
                format!("Bearer {}", self.token),
                format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"r\""),
            ),
            None => (self.basic.clone(), "WWW-Authenticate: Basic realm=\"r\"".to_owned()),
        };
        (authorization != wanted).then(|| Refusal("401 Unauthorized", challenge, none()))
    }
}
