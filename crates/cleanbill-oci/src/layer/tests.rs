//! The table of layers, good and bad, with the exact message of each.

use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::layer::EntryKind;

use super::LayerReader;
use crate::blob::Clock;
use crate::content::Descriptor;
use crate::error::{ErrorKind, Result};
use crate::image::Layer;
use crate::limits::Limits;
use crate::media_type::OCI_LAYER;
use crate::testing::{MemoryContent, TarBuilder, checksum, gzip, header, sha256, zstd};

/// Reads a blob as a layer with right digests; lists `path kind size content`.
pub(super) fn read(
    suffix: &str,
    blob: &[u8],
    diff_id: Digest,
    limits: Limits,
) -> Result<Vec<String>> {
    let mut content = MemoryContent::default();
    let blob = content.add(&format!("{OCI_LAYER}{suffix}"), blob.to_vec());
    read_from(&content, blob, diff_id, limits)
}

pub(super) fn read_from(
    content: &MemoryContent,
    blob: Descriptor,
    diff_id: Digest,
    limits: Limits,
) -> Result<Vec<String>> {
    let clock = Clock::start(&Arc::new(limits));
    let mut reader = LayerReader::open(content, &Layer::new(blob, diff_id), clock)?;
    let mut list = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut text = Vec::new();
        while let Some(chunk) = reader.read_chunk()? {
            text.extend_from_slice(&chunk[..chunk.len().min(4000)]);
            text.truncate(4000);
        }
        let kind = match entry.kind {
            EntryKind::Directory => "dir".to_owned(),
            EntryKind::File => format!("file {} {:?}", entry.size, String::from_utf8_lossy(&text)),
            EntryKind::Symlink(to) => format!("symlink {to}"),
            EntryKind::Hardlink(to) => format!("hardlink {to}"),
            EntryKind::Special => "special".to_owned(),
            EntryKind::Whiteout => "whiteout".to_owned(),
            EntryKind::Opaque => "opaque".to_owned(),
        };
        list.push(format!("{} {kind}", entry.path));
    }
    reader.finish()?;
    Ok(list)
}

pub(super) fn small() -> Limits {
    Limits { entries: 20, pax_bytes: 2048, path_bytes: 600, path_depth: 8, ..Limits::default() }
}

/// The list of a plain tar, or the error without the layer's name.
fn check(name: &str, tar: &[u8], expected: std::result::Result<&[&str], &str>) {
    let got = read("", tar, sha256(tar), small()).map_err(|e| e.to_string());
    let prefix = format!("layer {}: ", sha256(tar));
    let got = got.map_err(|e| e.strip_prefix(&prefix).unwrap_or(&e).to_owned());
    let expected = expected.map(|l| l.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(got, expected.map_err(str::to_owned), "{name}");
}

#[test]
fn entries_come_as_they_stand() {
    let t = TarBuilder::new;
    let long = "d/".repeat(6) + &"x".repeat(150);
    check("empty", &t().build(), Ok(&[]));
    check("no bytes at all", b"", Ok(&[]));
    check("no end", &t().file("a", "1").unended(), Ok(&["a file 1 \"1\""]));
    check("one zero block", &t().file("a", "1").raw([0; 512]).unended(), Ok(&["a file 1 \"1\""]));
    check("zeros after the end", &t().raw([0; 10_240]).build(), Ok(&[]));
    check(
        "kinds",
        &t().dir("./etc")
            .file("/etc/f", "hello")
            .symlink("etc/s", "../../x")
            .symlink("a", "/etc")
            .hardlink("h", "./etc/f")
            .entry(b'3', "null", "", b"")
            .entry(b'6', "pipe", "", b"")
            .entry(0, "olddir/", "", b"")
            .entry(0, "oldfile", "", b"x")
            .entry(b'7', "contiguous", "", b"y")
            .build(),
        Ok(&[
            "etc dir",
            "etc/f file 5 \"hello\"",
            "etc/s symlink ../../x",
            "a symlink /etc",
            "h hardlink etc/f",
            "null special",
            "pipe special",
            "olddir dir",
            "oldfile file 1 \"x\"",
            "contiguous file 1 \"y\"",
        ]),
    );
    check(
        "whiteouts",
        &t().file(".wh.a", "")
            .file("d/.wh.b", "")
            .file("d/.wh..wh..opq", "")
            .file(".wh..wh..opq", "")
            .file(".wh..wh.plnk/1.2", "x")
            .dir(".wh..wh.aufs")
            .file("d/.wh..wh.odd", "")
            .build(),
        Ok(&["a whiteout", "d/b whiteout", "d opaque", " opaque", "d/.wh.odd whiteout"]),
    );
    check(
        "duplicates",
        &t().file("a", "1").file("a", "2").build(),
        Ok(&["a file 1 \"1\"", "a file 1 \"2\""]),
    );
    check("gnu long name", &t().file(&long, "").build(), Ok(&[&format!("{long} file 0 \"\"")]));
    check("gnu long link", &t().symlink("s", &long).build(), Ok(&[&format!("s symlink {long}")]));
    check(
        "pax",
        &t().pax(b'g', &[("comment", "by git")])
            .pax(b'x', &[("path", "real"), ("size", "3"), ("mtime", "1.5")])
            .raw(header(b'0', b"short", b"", 0))
            .content(b"abc")
            .pax(b'x', &[("linkpath", "to")])
            .symlink("s", "")
            .build(),
        Ok(&["real file 3 \"abc\"", "s symlink to"]),
    );
    check(
        "gnu beats pax",
        &t().pax(b'x', &[("path", "pax")])
            .raw(header(b'L', b"", b"", 4))
            .content(b"gnu\0")
            .file("x", "")
            .build(),
        Ok(&["gnu file 0 \"\""]),
    );
    let mut ustar = header(b'0', b"name", b"", 0);
    ustar[257..265].copy_from_slice(b"ustar\x0000");
    ustar[345..348].copy_from_slice(b"a/b");
    check("ustar prefix", &t().raw(checksum(ustar)).build(), Ok(&["a/b/name file 0 \"\""]));
    let mut go = header(b'0', b"name", b"", 0);
    go[345..348].copy_from_slice(b"a/b");
    check("old Go's prefix", &t().raw(checksum(go)).build(), Ok(&["a/b/name file 0 \"\""]));
    let mut big = header(b'0', b"name", b"", 0);
    big[124..136].copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\0\x02");
    check("base 256", &t().raw(checksum(big)).content(b"hi").build(), Ok(&["name file 2 \"hi\""]));
    check(
        "content of a link is not there",
        &t().raw(header(b'1', b"h", b"t", 5)).file("a", "1").build(),
        Ok(&["h hardlink t", "a file 1 \"1\""]),
    );
}

#[test]
fn sparse_files_have_their_holes() {
    let t = TarBuilder::new;
    let holes: &[&str] = &["real file 8 \"\\0\\0ab\\0\\0c\\0\""];
    let name = ("GNU.sparse.name", "real");
    let size = ("GNU.sparse.size", "8");
    check(
        "0.0",
        &t().pax(
            b'x',
            &[
                size,
                ("GNU.sparse.numblocks", "2"),
                ("path", "real"),
                ("GNU.sparse.major", "0"),
                ("GNU.sparse.minor", "0"),
                ("GNU.sparse.offset", "2"),
                ("GNU.sparse.numbytes", "2"),
                ("GNU.sparse.offset", "6"),
                ("GNU.sparse.numbytes", "1"),
            ],
        )
        .file("x", "abc")
        .build(),
        Ok(holes),
    );
    check(
        "0.1",
        &t().pax(b'x', &[size, name, ("GNU.sparse.map", "2,2,6,1")]).file("x", "abc").build(),
        Ok(holes),
    );
    let mut one = b"2\n2\n2\n6\n1\n".to_vec();
    one.resize(512, 0);
    one.extend_from_slice(b"abc");
    let version =
        [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), name, ("GNU.sparse.realsize", "8")];
    check("1.0", &t().pax(b'x', &version).file("x", &one).build(), Ok(holes));
    let mut old = header(b'S', b"real", b"", 3);
    old[386..410].copy_from_slice(b"00000000002\x0000000000002\0");
    old[410..434].copy_from_slice(b"00000000006\x0000000000001\0");
    old[483..495].copy_from_slice(b"00000000010\0");
    check("old GNU", &t().raw(checksum(old)).content(b"abc").build(), Ok(holes));
    let map = "tar entry at byte 0: the list of a sparse file's parts is malformed";
    check(
        "parts overlap",
        &t().pax(b'x', &[size, ("GNU.sparse.map", "2,2,3,1")]).file("x", "abc").build(),
        Err(map),
    );
    check(
        "parts beyond",
        &t().pax(b'x', &[size, ("GNU.sparse.map", "2,2,8,1")]).file("x", "abc").build(),
        Err(map),
    );
    check(
        "too little data",
        &t().pax(b'x', &[size, ("GNU.sparse.map", "0,4")]).file("x", "abc").build(),
        Err(map),
    );
    check(
        "half a pair",
        &t().pax(b'x', &[size, ("GNU.sparse.map", "0")]).file("x", "abc").build(),
        Err(map),
    );
    check(
        "unknown version",
        &t().pax(b'x', &[("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0")])
            .file("x", "abc")
            .build(),
        Err("tar entry at byte 0: a sparse file of an unknown version"),
    );
    check(
        "a hole of exabytes",
        &t().pax(b'x', &[("GNU.sparse.size", "9000000000000000000"), ("GNU.sparse.map", "0,1")])
            .file("x", "a")
            .build(),
        Err(
            "more than 34359738368 uncompressed bytes of a layer (raise with --limit layer-bytes=N)",
        ),
    );
}

#[test]
fn malformed_tars_are_errors() {
    let t = TarBuilder::new;
    let good = t().file("a", "1");
    let dangling = "an extended header without an entry after it";
    let mut wrong = header(b'0', b"a", b"", 0);
    wrong[0] = b'b';
    let mut negative = header(b'0', b"a", b"", 0);
    negative[124] = 0xff;
    let deep = "d/".repeat(9) + "f";
    let table: &[(&str, Vec<u8>, &str)] = &[
        (
            "traversal",
            t().file("../etc/passwd", "").build(),
            "tar entry at byte 0: path traversal: \"..\" in \"../etc/passwd\"",
        ),
        (
            "traversal inside",
            good.clone().file("a/../b", "").build(),
            "tar entry at byte 1024: path traversal: \"..\" in \"a/../b\"",
        ),
        (
            "hard link out",
            t().hardlink("a", "../b").build(),
            "tar entry at byte 0: path traversal: \"..\" in \"../b\"",
        ),
        (
            "NUL",
            t().pax(b'x', &[("path", "a\0b")]).file("x", "").build(),
            "tar entry at byte 0: a record of an extended header is malformed",
        ),
        (
            "data after the end",
            good.clone().raw([0; 1024]).file("b", "2").build(),
            "tar entry at byte 1024: data after the tar's end, at byte 2048",
        ),
        (
            "data after a zero block",
            good.clone().raw([0; 512]).file("b", "2").build(),
            "tar entry at byte 1024: one block of zeros and then more data",
        ),
        (
            "a late byte",
            good.clone().raw([0; 4000]).raw([1]).unended(),
            "tar entry at byte 1024: data after the tar's end, at byte 5024",
        ),
        (
            "cut header",
            good.clone().raw([1; 100]).unended(),
            "tar entry at byte 1024: the tar is cut off",
        ),
        (
            "cut content",
            t().raw(header(b'0', b"a", b"", 1000)).raw([1; 512]).unended(),
            "the tar is cut off",
        ),
        (
            "cut pax",
            t().raw(header(b'x', b"a", b"", 1000)).raw([1; 512]).unended(),
            "tar entry at byte 0: the tar is cut off",
        ),
        (
            "wrong checksum",
            t().raw(wrong).build(),
            "tar entry at byte 0: the header's checksum is wrong",
        ),
        (
            "no tar",
            b"hello world ".repeat(100),
            "tar entry at byte 0: the header's checksum is no number",
        ),
        (
            "negative size",
            t().raw(checksum(negative)).build(),
            "tar entry at byte 0: the header's size is no number",
        ),
        (
            "unknown type",
            t().entry(b'V', "label", "", b"").build(),
            "tar entry at byte 0: \"label\" is of the unknown type 'V'",
        ),
        (
            "pax at the end",
            t().pax(b'x', &[("path", "a")]).build(),
            &format!("tar entry at byte 0: {dangling}"),
        ),
        (
            "pax before global",
            t().pax(b'x', &[("path", "a")]).pax(b'g', &[]).file("x", "").build(),
            &format!("tar entry at byte 0: {dangling}"),
        ),
        (
            "global path",
            t().pax(b'g', &[("path", "a")]).file("x", "").build(),
            "tar entry at byte 0: a global header that sets names, links or sizes, about which readers disagree",
        ),
        (
            "many extended headers",
            (0..9).fold(t(), |t, _| t.pax(b'x', &[])).file("a", "").build(),
            "tar entry at byte 0: too many extended headers before one entry",
        ),
        (
            "whiteout of nothing",
            t().file("d/.wh.", "").build(),
            "tar entry at byte 0: a whiteout of nothing: \"d/.wh.\"",
        ),
        (
            "whiteout of the parent",
            t().file("d/.wh...", "").build(),
            "tar entry at byte 0: a whiteout of nothing: \"d/.wh...\"",
        ),
        (
            "many entries",
            (0..21).fold(t(), |t, n| t.file(&n.to_string(), "")).build(),
            "more than 20 entries of a layer (raise with --limit entries=N)",
        ),
        (
            "deep",
            t().file(&deep, "").build(),
            "more than 8 components of a path (raise with --limit path-depth=N)",
        ),
        (
            "long",
            t().file(&"x".repeat(601), "").build(),
            "more than 600 bytes of a path or link target (raise with --limit path-bytes=N)",
        ),
        (
            "big pax",
            t().pax(b'x', &[("comment", &"x".repeat(3000))]).build(),
            "more than 2048 bytes of an extended header (raise with --limit pax-bytes=N)",
        ),
    ];
    for (name, tar, message) in table {
        check(name, tar, Err(message));
    }
}

#[test]
fn compressed_layers_are_read_whole_or_not_at_all() {
    let tar = TarBuilder::new().file("a", "x".repeat(3000)).file("b", "2").build();
    let (first, second) = tar.split_at(700);
    let list = ["a file 3000", "b file 1"];
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 9].to_vec();
    let table: &[(&str, &str, Vec<u8>, Option<&str>)] = &[
        ("gzip", "+gzip", gzip(&tar), None),
        ("members", "+gzip", [gzip(first), gzip(b""), gzip(second)].concat(), None),
        ("zstd", "+zstd", zstd(&tar), None),
        (
            "frames",
            "+zstd",
            [zstd(first), skippable.clone(), zstd(second), skippable.clone()].concat(),
            None,
        ),
        ("skippable first", "+zstd", [skippable.clone(), zstd(&tar)].concat(), None),
        ("cut gzip", "+gzip", cut(gzip(&tar)), Some("the gzip data is cut off")),
        ("cut zstd", "+zstd", cut(zstd(&tar)), Some("the zstd data is cut off")),
        (
            "garbage after gzip",
            "+gzip",
            [gzip(&tar), b"junk".to_vec()].concat(),
            Some("there is something after the end of the gzip data"),
        ),
        (
            "zeros after gzip",
            "+gzip",
            [gzip(&tar), vec![0; 512]].concat(),
            Some("there is something after the end of the gzip data"),
        ),
        (
            "garbage after zstd",
            "+zstd",
            [zstd(&tar), b"junk".to_vec()].concat(),
            Some("the zstd data is damaged: Unknown frame descriptor"),
        ),
        (
            "plain as gzip",
            "+gzip",
            tar.clone(),
            Some("its media type says gzip, but its bytes have no compression"),
        ),
        (
            "gzip as plain",
            "",
            gzip(&tar),
            Some("its media type says no compression, but its bytes have gzip"),
        ),
        (
            "zstd as gzip",
            "+gzip",
            zstd(&tar),
            Some("its media type says gzip, but its bytes have zstd"),
        ),
    ];
    for (name, suffix, blob, message) in table {
        let got = read(suffix, blob, sha256(&tar), small());
        match (got, message) {
            (Ok(got), None) => {
                assert!(
                    got.iter().zip(list).all(|(g, l)| g.starts_with(l)) && got.len() == 2,
                    "{name}"
                );
            }
            (Err(e), Some(message)) => {
                assert_eq!(e.to_string(), format!("layer {}: {message}", sha256(blob)), "{name}");
                assert_eq!(e.kind(), ErrorKind::Malformed, "{name}");
            }
            (got, _) => panic!("{name}: {got:?}"),
        }
    }
    let mut damaged = gzip(&tar);
    let at = damaged.len() - 8;
    damaged[at] ^= 1;
    let e = read("+gzip", &damaged, sha256(&tar), small()).unwrap_err().to_string();
    assert!(e.contains("the gzip data is damaged: corrupt gzip stream"), "{e}");
}

#[test]
fn digests_and_sizes_are_held_against_the_bytes() {
    let tar = TarBuilder::new().file("a", "1").build();
    let other = sha256(b"other");
    let own = sha256(&tar);
    let wrong = |digest, bytes: &[u8], diff, suffix: &str| {
        let mut content = MemoryContent::default();
        let blob = content.add_as(digest, &format!("{OCI_LAYER}{suffix}"), bytes.to_vec());
        read_from(&content, blob, diff, small()).unwrap_err()
    };
    let e = wrong(other, &tar, other, "");
    assert_eq!(e.kind(), ErrorKind::DigestMismatch);
    assert_eq!(
        e.to_string(),
        format!("layer {other}: the digest should be {other} but the bytes have {own}")
    );
    let e = wrong(own, &tar, other, "");
    assert_eq!(
        e.to_string(),
        format!("layer {own}, uncompressed: the digest should be {other} but the bytes have {own}")
    );
    let packed = gzip(&tar);
    let e = wrong(other, &packed, own, "+gzip");
    assert_eq!(
        e.to_string(),
        format!(
            "layer {other}: the digest should be {other} but the bytes have {}",
            sha256(&packed)
        )
    );
    let e = wrong(sha256(&packed), &packed, other, "+gzip");
    assert_eq!(e.kind(), ErrorKind::DigestMismatch);
    // Damage is told from malice: a blob that does not parse and is not what was promised.
    for (bytes, suffix) in [(b"junk".repeat(300), ""), (packed[..20].to_vec(), "+gzip")] {
        let e = wrong(other, &bytes, own, suffix);
        assert_eq!(e.kind(), ErrorKind::DigestMismatch, "{e}");
        assert!(e.to_string().contains(&sha256(&bytes).to_string()), "{e}");
    }
    // Two algorithms, one pass.
    let sha512: Digest = {
        use sha2::Digest as _;
        Digest::Sha512(sha2::Sha512::digest(&tar).into())
    };
    let mut content = MemoryContent::default();
    let blob = content.add_as(sha512, OCI_LAYER, tar.clone());
    assert_eq!(read_from(&content, blob.clone(), own, small()).unwrap().len(), 1);
    for size in [blob.size - 512, blob.size + 512] {
        let e = read_from(&content, Descriptor { size, ..blob.clone() }, own, small()).unwrap_err();
        let why = if size < blob.size {
            format!("more than the {size} bytes that are stated")
        } else {
            format!("{} bytes, but {size} are stated", blob.size)
        };
        assert_eq!(e.to_string(), format!("layer {sha512}: {why}"));
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_or_loop(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..3000)) {
        super::fuzz(&bytes);
    }

    #[test]
    fn damaged_tars_never_panic_or_loop(
        at in 0_usize..4000, byte in proptest::num::u8::ANY, kind in proptest::num::u8::ANY, cut in 0_usize..5000,
    ) {
        let mut tar = TarBuilder::new().pax(b'x', &[("GNU.sparse.map", "0,1"), ("GNU.sparse.size", "5")])
            .file("a", "1").entry(kind, &"x".repeat(120), "y", b"abc").file("b", "2").build();
        if let Some(slot) = tar.get_mut(at) { *slot = byte; }
        // A right checksum again, so that more than the checksum is tested.
        let start = at / 512 * 512;
        if let Some(block) = tar.get_mut(start..start + 512) {
            let fixed = checksum(<[u8; 512]>::try_from(&*block).unwrap());
            block.copy_from_slice(&fixed);
        }
        tar.truncate(tar.len() - cut.min(tar.len()) / 7);
        super::fuzz(&tar);
    }
}
