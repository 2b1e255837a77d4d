//! A registry of a few images for the length of a tour, on loopback only: just enough of the
//! distribution API to pull from (`/v2/`, manifests by tag or digest, blobs).
//!
//! It must not be reachable from elsewhere, writes nothing, and hands out only what it was given.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cleanbill_core::digest::Digest;
use cleanbill_oci::content::{Descriptor, Role};
use cleanbill_oci::image::PinnedImage;

use crate::failure::{Failure, Result};
use crate::quickstart::examples::digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A request line and its headers fit into this; ours are far smaller.
const REQUEST_BYTES: u64 = 16 << 10;
const PATIENCE: Duration = Duration::from_secs(30);

/// An image under a name.
pub struct Hosted {
    repository: String,
    manifest: Vec<u8>,
    image: PinnedImage,
}

impl Hosted {
    /// The image under this repository's name, with a manifest made for it.
    pub fn new(repository: impl Into<String>, image: PinnedImage) -> Self {
        let layers: Vec<_> = image.layers.iter().map(|l| described(&l.blob)).collect();
        let config = Descriptor {
            media_type: CONFIG.into(),
            digest: image.config_digest,
            size: image.config.len() as u64,
        };
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(&config),
            "layers": layers,
        });
        Self { repository: repository.into(), manifest: manifest.to_string().into_bytes(), image }
    }

    /// The digest that it is pulled by.
    pub fn digest(&self) -> Digest {
        digest(&self.manifest)
    }
}

fn described(d: &Descriptor) -> serde_json::Value {
    serde_json::json!({"mediaType": d.media_type, "digest": d.digest.to_string(), "size": d.size})
}

/// A registry that runs until it is dropped.
pub struct Registry {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    /// Starts one on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub fn start(images: Vec<Hosted>) -> Result<Self> {
        let no = |e| Failure::new(format!("cannot start a registry on 127.0.0.1: {e}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(no)?;
        let address = listener.local_addr().map_err(no)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (images, stopped) = (Arc::new(images), stop.clone());
        let serve = move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let images = images.clone();
                // A client that hangs up is the client's business.
                std::thread::spawn(move || _ = answer(&stream, &images));
            }
        };
        let thread =
            std::thread::Builder::new().name("registry".into()).spawn(serve).map_err(no)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// `127.0.0.1:PORT`, as it stands in image names.
    pub fn host(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// What is answered: a body of a known length, or that there is nothing.
enum Found {
    Bytes { media_type: String, digest: Digest, size: u64, body: Box<dyn Read + Send> },
    Hello,
    Nothing,
}

/// One request, one answer, one connection.
fn answer(stream: &TcpStream, images: &[Hosted]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream.take(REQUEST_BYTES)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let head = method == "HEAD";
    let found = match method {
        "GET" | "HEAD" => find(path, images),
        _ => Found::Nothing,
    };
    let mut out = stream;
    match found {
        Found::Hello => write!(
            out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
            if head { "" } else { "{}" }
        ),
        Found::Nothing => {
            write!(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Found::Bytes { media_type, digest, size, mut body } => {
            write!(
                out,
                "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {size}\r\nDocker-Content-Digest: {digest}\r\nConnection: close\r\n\r\n"
            )?;
            if !head {
                std::io::copy(&mut body, &mut out)?;
            }
            Ok(())
        }
    }
}

fn find(path: &str, images: &[Hosted]) -> Found {
    let Some(path) = path.split('?').next().and_then(|p| p.strip_prefix("/v2/")) else {
        return Found::Nothing;
    };
    if path.is_empty() {
        return Found::Hello;
    }
    for hosted in images {
        let Some(rest) = path.strip_prefix(&hosted.repository).and_then(|r| r.strip_prefix('/'))
        else {
            continue;
        };
        if let Some(reference) = rest.strip_prefix("manifests/") {
            let own = hosted.digest();
            if reference.parse() == Ok(own) || reference == "latest" {
                return bytes(MANIFEST, own, hosted.manifest.clone());
            }
        } else if let Some(Ok(wanted)) = rest.strip_prefix("blobs/").map(str::parse::<Digest>) {
            return blob(hosted, wanted);
        }
    }
    Found::Nothing
}

fn blob(hosted: &Hosted, wanted: Digest) -> Found {
    let image = &hosted.image;
    if wanted == image.config_digest {
        return bytes("application/octet-stream", wanted, image.config.to_vec());
    }
    let Some(layer) = image.layers.iter().find(|l| l.blob.digest == wanted) else {
        return Found::Nothing;
    };
    match image.content.open(Role::Blob, &layer.blob) {
        Ok(body) => Found::Bytes {
            media_type: "application/octet-stream".into(),
            digest: wanted,
            size: layer.blob.size,
            body,
        },
        Err(_) => Found::Nothing,
    }
}

fn bytes(media_type: &str, digest: Digest, bytes: Vec<u8>) -> Found {
    let size = bytes.len() as u64;
    Found::Bytes {
        media_type: media_type.into(),
        digest,
        size,
        body: Box::new(std::io::Cursor::new(bytes)),
    }
}
