//! Tars that are wrong, each with its message; and any bytes at all.

use super::check;
use crate::testing::{TarBuilder, checksum, header};

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

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_or_loop(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..3000)) {
        super::super::fuzz(&bytes);
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
        super::super::fuzz(&tar);
    }
}
