//! Sparse files of every form: their holes, and lists of parts that are wrong.

use super::check;
use crate::testing::{TarBuilder, checksum, header};

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
