//! Layers, good and bad, with the exact message of each; here the entries of good ones.

use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::layer::EntryKind;

use super::LayerReader;
use crate::blob::Clock;
use crate::content::Descriptor;
use crate::error::Result;
use crate::image::Layer;
use crate::limits::Limits;
use crate::media_type::OCI_LAYER;
use crate::testing::{MemoryContent, TarBuilder, checksum, header, sha256};

mod limits;
mod malformed;
mod sparse;
mod whole;

/// Reads a blob as a layer with right digests; lists `path kind size content`.
fn read(suffix: &str, blob: &[u8], diff_id: Digest, limits: Limits) -> Result<Vec<String>> {
    let mut content = MemoryContent::default();
    let blob = content.add(&format!("{OCI_LAYER}{suffix}"), blob.to_vec());
    read_from(&content, blob, diff_id, limits)
}

fn read_from(
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

fn small() -> Limits {
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
