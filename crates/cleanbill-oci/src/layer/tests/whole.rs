//! Blobs as they are stored: compression, digests and sizes are held against the bytes.

use cleanbill_core::digest::Digest;

use super::{read, read_from, small};
use crate::content::Descriptor;
use crate::error::ErrorKind;
use crate::media_type::OCI_LAYER;
use crate::testing::{MemoryContent, TarBuilder, gzip, sha256, zstd};

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
