//! Support for tests, here and in the binary: builders of tars and images, good and bad, and ports
//! for servers.
//!
//! Behind `cfg(test)` or the feature `testing`; it must not be part of a release.

use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use cleanbill_core::digest::Digest;

use crate::content::{Content, Descriptor, Role};
use crate::error::{Error, ErrorKind, Result};
pub use crate::hash::sha256;
use crate::media_type::{OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST};

/// Writes tars, entry by entry, without holding anything to be sensible.
#[derive(Clone, Debug, Default)]
pub struct TarBuilder {
    bytes: Vec<u8>,
}

impl TarBuilder {
    /// An empty tar.
    pub fn new() -> Self {
        Self::default()
    }

    /// A regular file.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path, "", content.as_ref())
    }

    /// A directory.
    #[must_use]
    pub fn dir(self, path: &str) -> Self {
        self.entry(b'5', &format!("{}/", path.trim_end_matches('/')), "", b"")
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path, target, b"")
    }

    /// A hard link.
    #[must_use]
    pub fn hardlink(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path, target, b"")
    }

    /// Any entry: type flag, name, link target and content. Names over 100 bytes get GNU's long
    /// name entries.
    #[must_use]
    pub fn entry(mut self, kind: u8, path: &str, link: &str, content: &[u8]) -> Self {
        for (flag, name) in [(b'L', path), (b'K', link)] {
            if name.len() > 100 {
                let long = [name.as_bytes(), b"\0"].concat();
                self =
                    self.raw(header(flag, b"././@LongLink", b"", long.len() as u64)).content(&long);
            }
        }
        self.raw(header(kind, path.as_bytes(), link.as_bytes(), content.len() as u64))
            .content(content)
    }

    /// A PAX header with these records, for the next entry (or global with `g`).
    #[must_use]
    pub fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let mut data = String::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length != rest + length.to_string().len() {
                length += 1;
            }
            data.push_str(&format!("{length} {key}={value}\n"));
        }
        self.raw(header(kind, b"pax", b"", data.len() as u64)).content(data.as_bytes())
    }

    /// Bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    /// Content, filled up to whole blocks.
    #[must_use]
    pub fn content(mut self, content: &[u8]) -> Self {
        self.bytes.extend_from_slice(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// The tar with its two blocks of zeros at the end.
    pub fn build(self) -> Vec<u8> {
        self.raw([0; 1024]).bytes
    }

    /// The tar without an end.
    pub fn unended(self) -> Vec<u8> {
        self.bytes
    }
}

/// A GNU header block with a right checksum.
pub fn header(kind: u8, name: &[u8], link: &[u8], size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    put(&mut block, 0, name.get(..100).unwrap_or(name));
    put(&mut block, 100, b"0000644\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    block[156] = kind;
    put(&mut block, 157, link.get(..100).unwrap_or(link));
    put(&mut block, 257, b"ustar  \0");
    checksum(block)
}

/// The block with its checksum made right.
pub fn checksum(mut block: [u8; 512]) -> [u8; 512] {
    put(&mut block, 148, b"        ");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

fn put(block: &mut [u8; 512], at: usize, bytes: &[u8]) {
    for (slot, byte) in block.iter_mut().skip(at).zip(bytes) {
        *slot = *byte;
    }
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// One zstd frame.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap_or_default()
}

/// Blobs in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryContent {
    blobs: HashMap<Digest, Vec<u8>>,
}

impl MemoryContent {
    /// Adds a blob under its own digest and says how to point at it.
    pub fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let digest = sha256(&bytes);
        self.add_as(digest, media_type, bytes)
    }

    /// Adds a blob under a digest that may be wrong.
    pub fn add_as(&mut self, digest: Digest, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let size = bytes.len() as u64;
        self.blobs.insert(digest, bytes);
        Descriptor { media_type: media_type.into(), digest, size }
    }

    /// All blobs.
    pub fn blobs(&self) -> impl Iterator<Item = (&Digest, &Vec<u8>)> {
        self.blobs.iter()
    }
}

impl Content for MemoryContent {
    fn open(&self, _: Role, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        match self.blobs.get(&descriptor.digest) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => {
                let why = format!("{} is not there", descriptor.digest);
                Err(Error::new(ErrorKind::NotFound, why))
            }
        }
    }
}

/// An image in the making: a platform and layers.
#[derive(Clone, Debug)]
pub struct ImageBuilder {
    platform: String,
    user: String,
    created: String,
    layers: Vec<(String, Vec<u8>, Digest)>,
}

impl ImageBuilder {
    /// An image without layers for `OS/ARCH`.
    pub fn new(platform: &str) -> Self {
        Self {
            platform: platform.into(),
            user: String::new(),
            created: "1970-01-01T00:00:00Z".into(),
            layers: Vec::new(),
        }
    }

    /// Runs as this user; without, as root.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        Self { user: user.into(), ..self }
    }

    /// Was built at this time; without, in 1970.
    #[must_use]
    pub fn created(self, created: &str) -> Self {
        Self { created: created.into(), ..self }
    }

    /// Adds an uncompressed layer.
    #[must_use]
    pub fn layer(self, tar: Vec<u8>) -> Self {
        let digest = sha256(&tar);
        self.blob(OCI_LAYER, tar, digest)
    }

    /// Adds a layer compressed with gzip.
    #[must_use]
    pub fn gzip_layer(self, tar: &[u8]) -> Self {
        self.blob(&format!("{OCI_LAYER}+gzip"), gzip(tar), sha256(tar))
    }

    /// Adds any blob as a layer.
    #[must_use]
    pub fn blob(mut self, media_type: &str, blob: Vec<u8>, diff_id: Digest) -> Self {
        self.layers.push((media_type.into(), blob, diff_id));
        self
    }

    /// The configuration's JSON.
    pub fn config(&self) -> String {
        let (os, architecture) = self.platform.split_once('/').unwrap_or((&self.platform, ""));
        let ids: Vec<String> = self.layers.iter().map(|(_, _, id)| format!("\"{id}\"")).collect();
        let (user, created) = (&self.user, &self.created);
        let user = if user.is_empty() { String::new() } else { format!(r#""User":"{user}""#) };
        format!(
            r#"{{"created":"{created}","os":"{os}","architecture":"{architecture}","config":{{{user}}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            ids.join(",")
        )
    }

    /// Stores configuration, layers and manifest; points at the manifest.
    pub fn store(&self, content: &mut MemoryContent) -> Descriptor {
        let config = content.add(OCI_CONFIG, self.config().into_bytes());
        let layers: Vec<String> = self
            .layers
            .iter()
            .map(|(media_type, blob, _)| describe(&content.add(media_type, blob.clone()), ""))
            .collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{},"layers":[{}]}}"#,
            describe(&config, ""),
            layers.join(",")
        );
        content.add(OCI_MANIFEST, manifest.into_bytes())
    }

    /// A `docker save` archive of the old layout with this name.
    pub fn docker_archive(&self, tag: &str) -> Vec<u8> {
        let config = self.config();
        let name = format!("{}.json", sha256(config.as_bytes()).hex());
        let mut tar = TarBuilder::new().file(&name, &config);
        let mut paths = Vec::new();
        for (at, (_, blob, id)) in self.layers.iter().enumerate() {
            let path = format!("{}{at}/layer.tar", id.hex());
            tar = tar.dir(&format!("{}{at}", id.hex())).file(&path, blob);
            paths.push(format!("\"{path}\""));
        }
        let manifest = format!(
            r#"[{{"Config":"{name}","RepoTags":["{tag}"],"Layers":[{}]}}]"#,
            paths.join(",")
        );
        tar.file("manifest.json", manifest).build()
    }
}

/// A descriptor's JSON, with more members (`,"platform":…`) as they are.
pub fn describe(descriptor: &Descriptor, more: &str) -> String {
    format!(
        r#"{{"mediaType":"{}","digest":"{}","size":{}{more}}}"#,
        descriptor.media_type, descriptor.digest, descriptor.size
    )
}

/// Stores an index of images for `OS/ARCH`, and points at it.
pub fn store_index(content: &mut MemoryContent, children: &[(&str, Descriptor)]) -> Descriptor {
    let children: Vec<String> = children
        .iter()
        .map(|(platform, descriptor)| describe(descriptor, &platform_json(platform)))
        .collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, children.join(","));
    content.add(OCI_INDEX, index.into_bytes())
}

/// `,"platform":{…}` for a descriptor, or nothing for an empty platform.
pub fn platform_json(platform: &str) -> String {
    match platform.split_once('/') {
        Some((os, architecture)) => {
            format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"}}"#)
        }
        None => String::new(),
    }
}

/// An OCI layout as a tar: blobs, and an `index.json` of descriptors with more members.
pub fn oci_layout(content: &MemoryContent, roots: &[(Descriptor, String)]) -> TarBuilder {
    let roots: Vec<String> = roots.iter().map(|(d, more)| describe(d, more)).collect();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, roots.join(","));
    let mut tar = TarBuilder::new()
        .file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)
        .file("index.json", index);
    let mut blobs: Vec<_> = content.blobs().collect();
    blobs.sort();
    for (digest, bytes) in blobs {
        tar = tar.file(&format!("blobs/{}/{}", digest.algorithm(), digest.hex()), bytes);
    }
    tar
}

/// Blobs behind a shared pointer, as [`crate::image::resolve`] takes them.
pub fn shared(content: MemoryContent) -> Arc<dyn Content> {
    Arc::new(content)
}

/// A port of loopback that is free, and that no connection is given by chance before its server
/// listens, or while that is ended for a moment: those come from above 32767 (Linux's
/// `ip_local_port_range`). No two calls of a process give the same within 2000 calls.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 100).unwrap_or_default() * 100;
    loop {
        let port = 20_000 + first + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
