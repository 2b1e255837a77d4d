//! Files that are no image archive, or one that is damaged or contradicts itself.

use cleanbill_oci::testing::{ImageBuilder, TarBuilder, gzip, sha256, zstd};

use crate::program::{Want, check};

const NEITHER: &str = "a tar, but not an image archive: it has neither manifest.json nor \
    oci-layout and index.json (for a root filesystem, unpack it: cleanbill rootfs DIR)";
const SPOOLED: &str = "more than 1048576 bytes spooled from standard input or a compressed \
    archive (raise with --limit spool-bytes=N)";
const MANIFEST: &str = "manifest.json: more than 4194304 bytes of a manifest, index or \
    configuration (raise with --limit manifest-bytes=N)";

#[test]
fn what_is_no_archive_says_what_it_is() {
    let docker = ImageBuilder::new("linux/amd64")
        .layer(TarBuilder::new().file("a", "1").build())
        .docker_archive("x:1");
    let cut = |mut bytes: Vec<u8>, by: usize| {
        bytes.truncate(bytes.len() - by);
        bytes
    };
    let not = |what: &str| {
        format!(
            "not an image archive: {what} (expected a docker archive or an OCI layout, as a tar, \
             plain or with gzip or zstd)"
        )
    };
    let tar = |json: &str| TarBuilder::new().file("manifest.json", json).build();
    let hex = "a".repeat(64);
    let misnamed = TarBuilder::new()
        .file(&format!("{hex}.json"), "{}")
        .file("manifest.json", format!(r#"[{{"Config":"{hex}.json","Layers":[]}}]"#))
        .build();
    let twice = TarBuilder::new().file("manifest.json", "[]").file("manifest.json", "[1]").build();
    let out = TarBuilder::new().symlink("manifest.json", "/etc/passwd").build();
    let up = TarBuilder::new().symlink("manifest.json", "../../etc/passwd").build();
    let circle = TarBuilder::new().symlink("manifest.json", "a").symlink("a", "manifest.json");
    let nowhere = TarBuilder::new().hardlink("manifest.json", "a").build();
    let climbs = TarBuilder::new().file("../manifest.json", "[]").build();
    let rootfs = TarBuilder::new().file("etc/os-release", "").build();
    // The two blocks of zeros.
    let end = docker.len() - 1024;
    let deep = "[".repeat(10_000);
    let spaces = " ".repeat(100 << 20);
    let table: Vec<(&str, Vec<u8>, &str, String)> = vec![
        ("empty", vec![], "", not("it is empty")),
        ("text", b"hello".to_vec(), "", not("it looks like text")),
        ("noise", b"\x01\x02\x03".repeat(400), "", not("it has no tar header")),
        ("a zip file", b"PK\x03\x04".repeat(200), "", not("it looks like a zip file")),
        ("gzip of text", gzip(b"hello"), "", not("it looks like text")),
        ("an empty tar", TarBuilder::new().build(), "", "an empty tar, not an image archive".into()),
        ("a root filesystem", rootfs, "", NEITHER.into()),
        ("cut", cut(docker.clone(), 3000), "", "the tar is cut off".into()),
        ("truncated gzip", cut(gzip(&docker), 20), "", "the gzip data is cut off".into()),
        ("truncated zstd", cut(zstd(&docker), 20), "", "the zstd data is cut off".into()),
        ("zeros in gzip", gzip(&vec![0; 4 << 20]), "--limit spool-bytes=1M", SPOOLED.into()),
        ("entries", docker.clone(), "--limit entries=2", "more than 2 entries of a layer (raise with --limit entries=N)".into()),
        ("traversal", climbs, "", "tar entry at byte 0: path traversal: \"..\" in \"../manifest.json\"".into()),
        ("absolute symlink", out, "", "manifest.json: a link out of the archive".into()),
        ("`..` symlink", up, "", "manifest.json: a link out of the archive".into()),
        ("circle of symlinks", circle.build(), "", "manifest.json: too many links".into()),
        ("hard link to nowhere", nowhere, "", NEITHER.into()),
        ("an entry twice", twice, "", "manifest.json: it is in the archive twice".into()),
        ("data after the end", [docker.clone(), docker.clone()].concat(), "", format!("tar entry at byte {end}: data after the tar's end, at byte {}", docker.len())),
        ("a manifest of 100 MB", tar(&spaces), "", MANIFEST.into()),
        ("depth 10,000", tar(&deep), "", "manifest.json: nested deeper than 64 at line 1 column 65".into()),
        ("duplicate keys", tar(r#"[{"Config":"c","Config":"d"}]"#), "", "manifest.json: the key \"Config\" stands twice at line 1 column 23".into()),
        ("keys that differ in case", tar(r#"[{"Config":"c","config":"d"}]"#), "", "manifest.json: the key \"config\" differs from \"Config\" only in case at line 1 column 23".into()),
        ("a configuration of another digest", misnamed, "", format!("image configuration {hex}.json: the digest should be sha256:{hex} but the bytes have {}", sha256(b"{}"))),
    ];
    for (name, bytes, flags, message) in &table {
        check(name, bytes, flags, &Want::Error(format!("x: {message}")));
    }
}
