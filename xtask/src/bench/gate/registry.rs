//! A registry on loopback that has the tour's example images under every name, so that there is
//! always one more that nobody has asked for.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;

use cleanbill::quickstart::examples::{self, digest};
use cleanbill_core::digest::Digest;

use crate::Result;

/// Its host, and the digests of the images: one that is denied and one that passes.
pub struct Registry {
    host: String,
    digests: Vec<Digest>,
}

impl Registry {
    /// Starts it; it ends with the program.
    ///
    /// # Errors
    /// When no port is to be had.
    pub fn start() -> Result<Self> {
        let (mut blobs, mut digests) = (HashMap::new(), Vec::new());
        for example in examples::ALL {
            for (name, bytes) in files(&example.archive()) {
                if name == "index.json" {
                    let index: serde_json::Value = serde_json::from_slice(&bytes)?;
                    let digest = index.pointer("/manifests/0/digest").and_then(|d| d.as_str());
                    digests.push(digest.ok_or("an example without a manifest")?.parse()?);
                }
                blobs.insert(digest(&bytes), bytes);
            }
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let host = listener.local_addr()?.to_string();
        let blobs = Arc::new(blobs);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let blobs = Arc::clone(&blobs);
                // Who hangs up gets no answer.
                std::thread::spawn(move || _ = answer(&stream, &blobs));
            }
        });
        Ok(Self { host, digests })
    }

    /// As it stands in image names.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Image `n`, each of a repository of its own; every second passes.
    pub fn image(&self, n: usize) -> Option<String> {
        let digest = self.digests.get(n % self.digests.len())?;
        Some(format!("{}/unseen-{n}@{digest}", self.host))
    }
}

/// The files of a tar of short names.
fn files(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(head) = tar.get(at..at + 512) {
        let text = |from, to| {
            let field = head.get(from..to).unwrap_or_default();
            let end = field.iter().position(|b| *b == 0 || *b == b' ').unwrap_or(field.len());
            String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
        };
        let Ok(size) = usize::from_str_radix(&text(124, 136), 8) else { break };
        let body = tar.get(at + 512..at + 512 + size).unwrap_or_default();
        found.push((text(0, 100), body.to_vec()));
        at += 512 + size.div_ceil(512) * 512;
    }
    found
}

fn answer(mut stream: &TcpStream, blobs: &HashMap<Digest, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let wanted = path.rsplit('/').next().and_then(|d| d.parse::<Digest>().ok());
    let found = wanted.and_then(|digest| blobs.get(&digest).map(|bytes| (digest, bytes)));
    let Some((digest, bytes)) = found else {
        let status = if path == "/v2/" { "200 OK" } else { "404 Not Found" };
        let length = "Content-Length: 0\r\nConnection: close";
        return write!(stream, "HTTP/1.1 {status}\r\n{length}\r\n\r\n");
    };
    let kind = match path.contains("/manifests/") {
        true => "application/vnd.oci.image.manifest.v1+json",
        false => "application/octet-stream",
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Docker-Content-Digest: {digest}\r\nConnection: close\r\n\r\n",
        bytes.len()
    )?;
    if !first.starts_with("HEAD ") {
        stream.write_all(bytes)?;
    }
    Ok(())
}
