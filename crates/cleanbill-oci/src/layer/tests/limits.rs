//! Layers past a limit: which is told of the image's own bytes only, never of a store's doing.

use std::io::Read;
use std::sync::Arc;

use super::{read, read_from, small};
use crate::blob::Clock;
use crate::content::{Content, Descriptor, Role};
use crate::error::{ErrorKind, Result};
use crate::image::Layer;
use crate::layer::LayerReader;
use crate::limits::Limits;
use crate::media_type::OCI_LAYER;
use crate::testing::{MemoryContent, TarBuilder, gzip, header, sha256, zstd};

#[test]
fn bombs_are_over_a_limit() {
    let zeros = vec![0; 80 << 20];
    let tar =
        TarBuilder::new().raw(header(b'0', b"zeros", b"", zeros.len() as u64)).raw(&zeros).build();
    for (suffix, blob) in [("+gzip", gzip(&tar)), ("+zstd", zstd(&tar))] {
        let e = read(suffix, &blob, sha256(&tar), small()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::OverLimit);
        let why =
            "more than 200 uncompressed bytes of one compressed byte (raise with --limit ratio=N)";
        assert_eq!(e.to_string(), format!("layer {}: {why}", sha256(&blob)));
    }
    let limits = Limits { layer_bytes: 1 << 20, ..small() };
    let e = read("", &tar, sha256(&tar), limits).unwrap_err();
    let why = "more than 1048576 uncompressed bytes of a layer (raise with --limit layer-bytes=N)";
    assert_eq!(e.to_string(), format!("layer {}: {why}", sha256(&tar)));
}

#[test]
fn a_store_can_make_no_gap_by_being_slow_or_sending_a_bomb() {
    let tar = TarBuilder::new().file("a", "1").build();
    let limits = Limits { time: std::time::Duration::ZERO, ..small() };
    let e = read("", &tar, sha256(&tar), limits).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Io);
    let why = "more than 0 seconds for one image (raise with --timeout)";
    assert_eq!(e.to_string(), format!("layer {}: {why}", sha256(&tar)));
    // Other bytes than the promised ones, which pass a limit.
    let promised = sha256(&tar);
    // More than is decompressed at once, so that the limit is passed before all is read.
    let many = (0..600).fold(TarBuilder::new(), |t, n| t.file(&n.to_string(), "")).build();
    for (suffix, bomb) in [("", many.clone()), ("+gzip", gzip(&many)), ("+zstd", zstd(&many))] {
        let mut content = MemoryContent::default();
        let blob = content.add_as(promised, &format!("{OCI_LAYER}{suffix}"), bomb.clone());
        let e = read_from(&content, blob.clone(), promised, small()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::DigestMismatch, "{e}");
        let why = format!(
            "the digest should be {promised} but the bytes have {}: more than 20 entries of a \
             layer (raise with --limit entries=N)",
            sha256(&bomb)
        );
        assert_eq!(e.to_string(), format!("layer {promised}: {why}"));
        // A limit is passed, and then the promised bytes cannot be read to their end.
        let broken = Broken(bomb.clone());
        let layer = Layer::new(Descriptor { size: 1 << 30, ..blob }, promised);
        let clock = Clock::start(&Arc::new(small()));
        let mut reader = LayerReader::open(&broken, &layer, clock).unwrap();
        let e = std::iter::from_fn(|| reader.next_entry().transpose()).find_map(Result::err);
        let e = e.unwrap();
        assert_eq!(e.kind(), ErrorKind::Io, "{e}");
        assert_eq!(e.to_string(), format!("layer {promised}: reading failed: the line is cut"));
    }
}

/// A store whose bytes end in a failure.
struct Broken(Vec<u8>);

impl Content for Broken {
    fn open(&self, _: Role, _: &Descriptor) -> Result<Box<dyn Read + Send>> {
        struct Cut;
        impl Read for Cut {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the line is cut"))
            }
        }
        Ok(Box::new(std::io::Cursor::new(self.0.clone()).chain(Cut)))
    }
}

/// The real sizes, for the nightly tier: 10 GB of zeros in 10 MB, and a million entries.
#[test]
#[ignore = "takes a minute; the same with lower limits runs always"]
fn bombs_of_real_size_are_over_a_limit() {
    let member = gzip(&vec![0; 64 << 20]);
    let mut zeros = gzip(&header(b'0', b"zeros", b"", 10 << 30));
    (0..160).for_each(|_| zeros.extend_from_slice(&member));
    assert!(zeros.len() < 12 << 20);
    let e = read("+gzip", &zeros, sha256(b""), Limits::default()).unwrap_err();
    assert!(e.to_string().ends_with("(raise with --limit ratio=N)"), "{e}");
    let mut tar = Vec::with_capacity(600 << 20);
    (0..=1_000_000)
        .for_each(|n| tar.extend_from_slice(&header(b'0', n.to_string().as_bytes(), b"", 0)));
    let e = read("", &tar, sha256(&tar), Limits::default()).unwrap_err();
    let why = "more than 1000000 entries of a layer (raise with --limit entries=N)";
    assert_eq!(e.to_string(), format!("layer {}: {why}", sha256(&tar)));
}
