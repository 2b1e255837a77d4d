//! Layers: paths and links that climb or circle, bombs, tars that readers disagree about, and
//! package databases that are damaged.

use cleanbill_oci::testing::{ImageBuilder, MemoryContent, TarBuilder, gzip, header, sha256, zstd};

use crate::program::{Want, check, layout};

const INSTALLED: &str = "lib/apk/db/installed";
const ALPINE: &str = "ID=alpine\nVERSION_ID=3.9.4\nPRETTY_NAME=\"Alpine Linux v3.9\"\n";
const MUSL: &str = "P:musl\nV:1.1.20-r3\nA:x86_64\no:musl\n\n";
const MENDED: &str = "P:musl\nV:1.1.20-r5\nA:x86_64\no:musl\n\n";
const FINDING: &[[&str; 3]] = &[["musl", "CVE-2019-14697", "1.1.20-r3"]];
const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image whose one layer is this tar.
fn image(tar: &[u8]) -> Vec<u8> {
    stored("", tar.to_vec(), tar)
}

/// An image whose one layer is this blob of this compression.
fn stored(suffix: &str, blob: Vec<u8>, tar: &[u8]) -> Vec<u8> {
    let mut content = MemoryContent::default();
    let image =
        ImageBuilder::new("linux/amd64").blob(&format!("{PLAIN}{suffix}"), blob, sha256(tar));
    let root = image.store(&mut content);
    layout(&content, root)
}

fn alpine() -> TarBuilder {
    TarBuilder::new().file("etc/os-release", ALPINE)
}

fn gap(kind: &str, subject: &str, detail: &str) -> [String; 3] {
    [kind.into(), subject.into(), detail.into()]
}

fn empty() -> [String; 3] {
    let detail = "has no package in it, although etc/os-release says Alpine Linux v3.9";
    gap("unreadable-database", INSTALLED, detail)
}

/// The gaps of a database that a link hides.
fn hidden(detail: &str) -> Want {
    Want::Gaps(vec![empty(), gap("unresolved-link", INSTALLED, detail)])
}

#[test]
fn links_lead_nowhere_but_inside() {
    let link = |target: &str| alpine().symlink(INSTALLED, target).build();
    let table: Vec<(&str, Vec<u8>, Want)> = vec![
        (
            "a database as it should be",
            alpine().file(INSTALLED, MUSL).build(),
            Want::Findings(FINDING),
        ),
        // This machine has the target; the image has not.
        ("absolute symlink out", link("/etc/passwd"), hidden("is a link to nowhere")),
        (
            "`..` symlink out",
            link("../../../../../../../../etc/passwd"),
            hidden("is a link to nowhere"),
        ),
        (
            "absolute symlink inside",
            alpine().file("opt/db", MUSL).symlink(INSTALLED, "/opt/db").build(),
            Want::Findings(FINDING),
        ),
        (
            "`..` symlink past the root, inside",
            alpine().file("opt/db", MUSL).symlink(INSTALLED, "../../../../../../opt/db").build(),
            Want::Findings(FINDING),
        ),
        (
            "symlink to itself",
            link("installed"),
            hidden("leads through more than 40 links, or in a circle"),
        ),
        (
            "circle of symlinks",
            alpine().symlink(INSTALLED, "/a").symlink("a", "/b").symlink("b", "a").build(),
            hidden("leads through more than 40 links, or in a circle"),
        ),
        (
            "circle of folders",
            alpine().symlink("lib/apk", "apk").build(),
            hidden("leads through more than 40 links, or in a circle"),
        ),
        (
            "hard link to nowhere",
            alpine().hardlink(INSTALLED, "opt/none").build(),
            hidden("is a hard link to nothing"),
        ),
    ];
    for (name, tar, want) in &table {
        check(name, &image(tar), "", want);
    }
}

#[test]
fn tars_that_readers_disagree_about_are_errors() {
    let good = alpine().file(INSTALLED, MENDED);
    let end = good.clone().unended().len();
    let climbs = TarBuilder::new().file("../../etc/cron.d/x", "").build();
    let link_climbs = TarBuilder::new().hardlink("a", "../../etc/shadow").build();
    let more = good.clone().raw([0; 1024]).file(INSTALLED, MUSL).build();
    let half = good.clone().raw([0; 512]).file(INSTALLED, MUSL).build();
    let cut = good.clone().raw([1; 100]).unended();
    let table = [
        (
            "traversal",
            climbs,
            "tar entry at byte 0: path traversal: \"..\" in \"../../etc/cron.d/x\"".to_owned(),
        ),
        (
            "hard link out",
            link_climbs,
            "tar entry at byte 0: path traversal: \"..\" in \"../../etc/shadow\"".into(),
        ),
        (
            "data after the end",
            more,
            format!("tar entry at byte {end}: data after the tar's end, at byte {}", end + 1024),
        ),
        (
            "data after one block of zeros",
            half,
            format!("tar entry at byte {end}: one block of zeros and then more data"),
        ),
        ("cut off", cut, format!("tar entry at byte {end}: the tar is cut off")),
        (
            "no tar",
            b"hello world ".repeat(100),
            "tar entry at byte 0: the header's checksum is no number".into(),
        ),
    ];
    for (name, tar, message) in &table {
        let message = format!("layer {}: {message}", sha256(tar));
        check(name, &image(tar), "", &Want::Error(message));
    }
    // Of duplicate entries the later counts, as it does where images run.
    let later = alpine().file(INSTALLED, MENDED).file(INSTALLED, MUSL).build();
    check("duplicate, the later is bad", &image(&later), "", &Want::Findings(FINDING));
    let earlier = alpine().file(INSTALLED, MUSL).file(INSTALLED, MENDED).build();
    check("duplicate, the earlier is bad", &image(&earlier), "", &Want::Findings(&[]));
}

#[test]
fn compressed_layers_are_whole_and_what_they_are_called() {
    let tar = alpine().file(INSTALLED, MUSL).build();
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 9].to_vec();
    let table = [
        ("gzip", "+gzip", gzip(&tar), None),
        ("zstd", "+zstd", zstd(&tar), None),
        ("truncated gzip", "+gzip", cut(gzip(&tar)), Some("the gzip data is cut off")),
        ("truncated zstd", "+zstd", cut(zstd(&tar)), Some("the zstd data is cut off")),
        (
            "called gzip, is plain",
            "+gzip",
            tar.clone(),
            Some("its media type says gzip, but its bytes have no compression"),
        ),
        (
            "called plain, is gzip",
            "",
            gzip(&tar),
            Some("its media type says no compression, but its bytes have gzip"),
        ),
        (
            "something after gzip",
            "+gzip",
            [gzip(&tar), b"junk".to_vec()].concat(),
            Some("there is something after the end of the gzip data"),
        ),
    ];
    for (name, suffix, blob, message) in table {
        let digest = sha256(&blob);
        let want = match message {
            Some(message) => Want::Error(format!("layer {digest}: {message}")),
            None => Want::Findings(FINDING),
        };
        check(name, &stored(suffix, blob, &tar), "", &want);
    }
}

/// The same as 10 GB of zeros in 10 MB and a million entries, with limits to match.
#[test]
fn bombs_are_gaps_that_name_the_limit() {
    let zeros = vec![0; 4 << 20];
    let zeros = alpine().raw(header(b'0', b"zeros", b"", zeros.len() as u64)).raw(&zeros).build();
    let entries = (0..1000).fold(alpine(), |t, n| t.file(&n.to_string(), "")).build();
    let deep = alpine().file(&("d/".repeat(9) + "f"), "").build();
    let large = alpine().file(INSTALLED, MUSL.repeat(3)).build();
    let over = |blob: &[u8], why: &str| {
        Want::Gaps(vec![gap("over-limit", &format!("layer {}", sha256(blob)), why)])
    };
    let gz = gzip(&zeros);
    assert!(gz.len() < 8 << 10, "{}", gz.len());
    let want = over(
        &gz,
        "more than 1048576 uncompressed bytes of a layer (raise with --limit layer-bytes=N)",
    );
    check("zeros in gzip", &stored("+gzip", gz, &zeros), "--limit layer-bytes=1M", &want);
    let zst = zstd(&zeros);
    let want = over(
        &zst,
        "more than 1048576 uncompressed bytes of a layer (raise with --limit layer-bytes=N)",
    );
    check("zeros in zstd", &stored("+zstd", zst, &zeros), "--limit layer-bytes=1M", &want);
    let want = over(&entries, "more than 1000 entries of a layer (raise with --limit entries=N)");
    check("entries", &image(&entries), "--limit entries=1000", &want);
    let want = over(&deep, "more than 8 components of a path (raise with --limit path-depth=N)");
    check("a deep path", &image(&deep), "--limit path-depth=8", &want);
    let want = gap("over-limit", INSTALLED, "108 bytes, more than the 100 of a file's limit");
    check(
        "a large file",
        &image(&large),
        "--limit file-bytes=100",
        &Want::Gaps(vec![empty(), want]),
    );
}

#[test]
fn damaged_databases_are_told_with_their_place() {
    let apk = |text: &str| image(&alpine().file(INSTALLED, text).build());
    let nameless = "the package at line 6 has no name (P:)";
    let table: [(&str, String, &[&str]); 5] = [
        (
            "no version",
            format!("P:bad\nA:x86_64\n\n{MENDED}"),
            &["the package at line 1, bad, has no version (V:)"],
        ),
        ("no name", format!("{MENDED}V:1\nA:x86_64\n\n"), &[nameless]),
        (
            "no field",
            format!("{MENDED}nonsense\n\n"),
            &["line 6 is no field of a package", nameless],
        ),
        ("cut off", format!("{MENDED}P:a\nV:1"), &["ends inside line 7"]),
        (
            "two names",
            format!("{MENDED}P:a\nV:1\nP:b\n\n"),
            &[
                "line 8 begins a package inside another",
                "the package at line 8, b, has no version (V:)",
            ],
        ),
    ];
    for (name, text, details) in table {
        let gaps = details.iter().map(|d| gap("unreadable-database", INSTALLED, d)).collect();
        check(name, &apk(&text), "", &Want::Gaps(gaps));
    }
    let want = gap(
        "unparseable-version",
        "musl one",
        "\"one\" is no apk version: it does not begin with a digit, so it could not be compared \
         with 2 advisories",
    );
    check("no version to compare", &apk("P:musl\nV:one\n\n"), "", &Want::Gaps(vec![want]));
    check("empty", &apk(""), "", &Want::Gaps(vec![empty()]));
}

#[test]
fn what_is_not_recognised_is_told() {
    let nix = "ID=nixos\nVERSION_ID=24.05\nPRETTY_NAME=\"NixOS 24.05\"\n";
    let fedora = "ID=fedora\nVERSION_ID=40\nPRETTY_NAME=\"Fedora Linux 40\"\n";
    let table = [
        (
            "unknown distribution",
            TarBuilder::new().file("etc/os-release", nix).build(),
            vec![
                gap(
                    "unknown-distribution",
                    "NixOS 24.05",
                    "named by etc/os-release, and not one we know",
                ),
                gap(
                    "unknown-distribution",
                    "nixos 24.05",
                    "we know of no advisories for this distribution",
                ),
            ],
        ),
        (
            "a distribution by rpm without its database",
            TarBuilder::new().file("etc/os-release", fedora).build(),
            vec![
                gap(
                    "unknown-distribution",
                    "fedora 40",
                    "we know of no advisories for this distribution",
                ),
                gap(
                    "unreadable-database",
                    "var/lib/rpm",
                    "has no package in it, although etc/os-release says Fedora Linux 40",
                ),
            ],
        ),
        (
            "packages of no distribution",
            TarBuilder::new().file(INSTALLED, MENDED).build(),
            vec![
                gap(
                    "unknown-distribution",
                    "apk",
                    "1 apk packages, and no file says of which distribution",
                ),
                gap(
                    "unknown-distribution",
                    INSTALLED,
                    "has packages, but no file names the distribution that they are of",
                ),
            ],
        ),
        (
            "nothing known",
            TarBuilder::new().file("bin/x", "x").build(),
            vec![gap(
                "nothing-recognised",
                "image",
                "1 files, no package and no distribution recognised",
            )],
        ),
    ];
    for (name, tar, gaps) in table {
        check(name, &image(&tar), "", &Want::Gaps(gaps));
    }
}
