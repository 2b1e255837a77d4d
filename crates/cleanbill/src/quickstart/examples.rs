//! The two example images, made of facts: names and versions of packages, and nothing of anybody's
//! programs. The same bytes, and so the same digests, on every machine.

use sha2::{Digest as _, Sha256};

use cleanbill_core::digest::Digest;

use crate::quickstart::{elf, tar::Tar};

/// An example.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The file's name and the repository's: `alpine-3.9.0`.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// Whether it passes the policy of the tour.
    pub passes: bool,
    layer: fn() -> Vec<u8>,
}

/// Both, the one that is denied first.
pub const ALL: [Example; 2] = [
    Example {
        name: "alpine-3.9.0",
        about: "the package list of Alpine 3.9.0, January 2019",
        passes: false,
        layer: alpine,
    },
    Example {
        name: "hello-go",
        about: "an otherwise empty image with one small Go program",
        passes: true,
        layer: hello,
    },
];

impl Example {
    /// The image as an OCI layout in a tar: what `--input` reads.
    pub fn archive(&self) -> Vec<u8> {
        let layer = (self.layer)();
        let diff_id = digest(&layer);
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#
        );
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
            descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            descriptor("application/vnd.oci.image.layer.v1.tar", &layer),
        );
        let index = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
            descriptor("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes()),
        );
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", digest(bytes).hex());
        Tar::default()
            .file("oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#)
            .file("index.json", 0o644, index.as_bytes())
            .file(&blob(manifest.as_bytes()), 0o644, manifest.as_bytes())
            .file(&blob(config.as_bytes()), 0o644, config.as_bytes())
            .file(&blob(&layer), 0o644, &layer)
            .finish()
    }
}

/// The SHA-256 of some bytes.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(bytes).into())
}

fn descriptor(media_type: &str, bytes: &[u8]) -> String {
    let (digest, size) = (digest(bytes), bytes.len());
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
}

/// Package, version and source package, as Alpine 3.9.0 installed them.
const PACKAGES: [(&str, &str, &str); 14] = [
    ("musl", "1.1.20-r3", "musl"),
    ("busybox", "1.29.3-r10", "busybox"),
    ("alpine-baselayout", "3.1.0-r3", "alpine-baselayout"),
    ("alpine-keys", "2.1-r1", "alpine-keys"),
    ("libcrypto1.1", "1.1.1a-r1", "openssl"),
    ("libssl1.1", "1.1.1a-r1", "openssl"),
    ("ca-certificates-cacert", "20190108-r0", "ca-certificates"),
    ("libtls-standalone", "2.7.4-r6", "libtls-standalone"),
    ("ssl_client", "1.29.3-r10", "busybox"),
    ("zlib", "1.2.11-r1", "zlib"),
    ("apk-tools", "2.10.3-r1", "apk-tools"),
    ("scanelf", "1.2.3-r0", "pax-utils"),
    ("musl-utils", "1.1.20-r3", "musl"),
    ("libc-utils", "0.7.1-r0", "libc-dev"),
];

fn alpine() -> Vec<u8> {
    let release =
        "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.9.0\nPRETTY_NAME=\"Alpine Linux v3.9\"\n";
    let mirror = "http://dl-cdn.alpinelinux.org/alpine/v3.9";
    let repositories = format!("{mirror}/main\n{mirror}/community\n");
    let installed: String = PACKAGES
        .iter()
        .map(|(name, version, origin)| format!("P:{name}\nV:{version}\nA:x86_64\no:{origin}\n\n"))
        .collect();
    Tar::default()
        .file("etc/os-release", 0o644, release.as_bytes())
        .file("etc/alpine-release", 0o644, b"3.9.0\n")
        .file("etc/apk/repositories", 0o644, repositories.as_bytes())
        .file("lib/apk/db/installed", 0o644, installed.as_bytes())
        .finish()
}

/// Modules of which the feed that is built in knows no flaw.
const MODULES: &str = "\
path\tcleanbill.example/hello
mod\tcleanbill.example/hello\tv1.0.0\t
dep\tgolang.org/x/sys\tv0.48.0\t
dep\tgolang.org/x/text\tv0.42.0\t
build\t-compiler=gc
";

fn hello() -> Vec<u8> {
    Tar::default().file("hello", 0o755, &elf::go_program("go1.27.2", MODULES)).finish()
}

#[cfg(test)]
mod tests {
    use super::ALL;

    /// Everybody's digests are the same, so that words about them can be checked.
    #[test]
    fn the_examples_are_the_same_everywhere() {
        let digests: Vec<_> =
            ALL.iter().map(|e| format!("{} {}", e.name, super::digest(&e.archive()))).collect();
        insta::assert_snapshot!(digests.join("\n"));
        let sizes: usize = ALL.iter().map(|e| e.archive().len()).sum();
        assert!(sizes < 64 << 10, "{sizes}");
    }
}
