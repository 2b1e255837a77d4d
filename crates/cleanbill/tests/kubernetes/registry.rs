//! A registry with one image in two repositories: `public/app` for everybody, `private/app` for
//! who has the login, given as it is or exchanged for a token.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_core::digest::Digest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub const USER: &str = "u";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// How a login is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    Basic,
    Token,
}

pub struct Registry {
    pub host: String,
    pub digest: Digest,
    /// The password that it takes at the moment.
    pub password: Arc<Mutex<String>>,
    /// Paths that were asked for, with whether it was with a login or token.
    pub asked: Arc<Mutex<Vec<(String, bool)>>>,
}

struct Image {
    manifest: Vec<u8>,
    blobs: [Vec<u8>; 2],
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(bytes).into())
}

fn image() -> Image {
    // A tar without an entry.
    let layer = vec![0; 1024];
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {"User": "1000"},
        "created": "2026-11-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer).to_string()]},
    });
    let config = config.to_string().into_bytes();
    let described = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": digest(bytes).to_string(), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", &config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    Image { manifest: manifest.to_string().into_bytes(), blobs: [config, layer] }
}

pub fn start(login: Login, password: &str) -> Registry {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let image = Arc::new(image());
    let registry = Registry {
        host: host.clone(),
        digest: digest(&image.manifest),
        password: Arc::new(Mutex::new(password.to_owned())),
        asked: Arc::default(),
    };
    let (password, asked) = (Arc::clone(&registry.password), Arc::clone(&registry.asked));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (image, host) = (Arc::clone(&image), host.clone());
            let (password, asked) = (Arc::clone(&password), Arc::clone(&asked));
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap().take(64 << 10));
                let Some((path, authorization)) = read(&mut reader) else { return };
                asked.lock().unwrap().push((path.clone(), authorization.is_some()));
                let password = password.lock().unwrap().clone();
                let authorization = authorization.as_deref();
                answer(&stream, &image, &host, &path, authorization, login, &password);
            });
        }
    });
    registry
}

/// The path and the authorization of a request.
fn read(reader: &mut dyn std::io::BufRead) -> Option<(String, Option<String>)> {
    let mut lines = reader.lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut authorization = None;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("authorization") {
            authorization = Some(value.trim().to_owned());
        }
    }
    Some((path, authorization))
}

fn answer(
    mut out: &TcpStream,
    image: &Image,
    host: &str,
    path: &str,
    authorization: Option<&str>,
    login: Login,
    password: &str,
) {
    let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{password}")));
    let token = format!("token-for-{password}");
    let mut say = |status: &str, headers: &str, body: &[u8]| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        _ = out.write_all(&[head.as_bytes(), body].concat());
    };
    if path.starts_with("/token") {
        if authorization != Some(basic.as_str()) {
            // As hubs do: an anonymous token, that opens nothing private.
            return say("200 OK", "", json!({"token": "anonymous"}).to_string().as_bytes());
        }
        return say("200 OK", "", json!({ "token": token }).to_string().as_bytes());
    }
    let may = match login {
        Login::Basic => authorization == Some(basic.as_str()),
        Login::Token => authorization == Some(format!("Bearer {token}").as_str()),
    };
    if path.starts_with("/v2/private/") && !may {
        let challenge = match login {
            Login::Basic => "Basic realm=\"r\"".to_owned(),
            Login::Token => format!(
                "Bearer realm=\"http://{host}/token\",service=\"r\",scope=\"repository:private/app:pull\""
            ),
        };
        return say("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), b"{}");
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.contains("/manifests/") && (last == "1" || last == digest(&image.manifest).to_string())
    {
        let headers = format!(
            "Content-Type: {MANIFEST}\r\nDocker-Content-Digest: {}\r\n",
            digest(&image.manifest)
        );
        return say("200 OK", &headers, &image.manifest);
    }
    match image.blobs.iter().find(|blob| digest(blob).to_string() == last) {
        Some(blob) => say("200 OK", "Content-Type: application/octet-stream\r\n", blob),
        None => say("404 Not Found", "", b"{}"),
    }
}
