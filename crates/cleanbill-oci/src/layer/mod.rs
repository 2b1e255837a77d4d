//! One layer as a stream of tar entries, hashed while it is read.
//!
//! Pull: [`LayerReader::next_entry`], for the files that are wanted
//! [`LayerReader::read_chunk`], and at the end [`LayerReader::finish`], without which nothing
//! that was read may be believed: only there are the digests known. No layer and no file is held
//! whole. Whiteouts are reported, not applied.

mod decode;
mod stream;
pub(crate) mod tar;

use cleanbill_core::digest::Digest;
use cleanbill_core::layer::Entry;

pub(crate) use self::decode::{Decoder, sniff};
use self::stream::Stream;
use self::tar::TarReader;
use crate::blob::{Clock, Raw, mismatch};
use crate::content::{Content, Role};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Hasher;
use crate::image::{Layer, LayerForm};
use crate::media_type::Compression;

/// What a layer's bytes were, checked against what they had to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerDigests {
    /// The digest of the blob as it is stored.
    pub blob: Digest,
    /// The digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Bytes as stored.
    pub stored: u64,
    /// Bytes uncompressed.
    pub unpacked: u64,
}

/// Reads one layer from front to back.
pub struct LayerReader {
    what: String,
    layer: Layer,
    tar: TarReader<Stream>,
}

impl LayerReader {
    pub(crate) fn open(content: &dyn Content, layer: &Layer, clock: Clock) -> Result<Self> {
        let what = format!("layer {}", layer.blob.digest);
        let compression = match &layer.form {
            LayerForm::Tar(compression) => *compression,
            LayerForm::Unreadable(gap) => {
                return Err(Error::new(ErrorKind::Malformed, format!("{what}: {}", gap.detail)));
            }
        };
        let stored = content.open(Role::Blob, &layer.blob).map_err(|e| e.within(&what))?;
        // What is stored plain is hashed by the stream, once for both digests.
        let hasher = (compression != Compression::None).then(|| Hasher::like(&layer.blob.digest));
        let raw = Raw::new(stored, layer.blob.size, hasher, clock.clone());
        let decoder = Decoder::new(raw, Some(compression)).map_err(|e| e.within(&what))?;
        let stream = Stream::new(decoder, &layer.blob.digest, &layer.diff_id, clock.clone());
        Ok(Self { what, layer: layer.clone(), tar: TarReader::new(stream, clock.limits) })
    }

    /// The next entry, or `None` after the last. Entries come in the tar's order; of several for
    /// one path the later counts, which is for whoever merges to apply.
    ///
    /// # Errors
    /// When the layer is damaged, malformed, over a limit ([`ErrorKind::OverLimit`], which a
    /// caller turns into a gap) or its store fails. Nothing more can be read after an error.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        match self.tar.next_entry() {
            Ok(entry) => Ok(entry),
            Err(e) => Err(self.blame(e)),
        }
    }

    /// More of the current file's content, in pieces of at most 256 KiB, or `None` after its
    /// end. Holes of sparse files come as zeros. What is not read is skipped (and hashed) by
    /// the next call of [`LayerReader::next_entry`].
    ///
    /// # Errors
    /// As [`LayerReader::next_entry`].
    pub fn read_chunk(&mut self) -> Result<Option<&[u8]>> {
        // Asked first and borrowed after: the error's path needs the reader again.
        if let Err(e) = self.tar.prepare_chunk() {
            return Err(self.blame(e));
        }
        self.tar.read_chunk()
    }

    /// Reads to the end what is left, entries included, and checks size and both digests.
    ///
    /// # Errors
    /// As [`LayerReader::next_entry`]; [`ErrorKind::DigestMismatch`] names both digests.
    pub fn finish(mut self) -> Result<LayerDigests> {
        while self.next_entry()?.is_some() {}
        let Self { what, layer, tar } = self;
        let totals = tar.into_tape().finish().map_err(|e| e.within(&what))?;
        if totals.stored != layer.blob.size {
            let why =
                format!("{what}: {} bytes, but {} are stated", totals.stored, layer.blob.size);
            return Err(Error::new(ErrorKind::Malformed, why));
        }
        if totals.blob != layer.blob.digest {
            return Err(mismatch(&what, &layer.blob.digest, &totals.blob));
        }
        if totals.diff_id != layer.diff_id {
            let what = format!("{what}, uncompressed");
            return Err(mismatch(&what, &layer.diff_id, &totals.diff_id));
        }
        Ok(LayerDigests {
            blob: totals.blob,
            diff_id: totals.diff_id,
            stored: totals.stored,
            unpacked: totals.unpacked,
        })
    }

    /// Bytes do not parse, or pass a limit: because they are not the ones that were promised, or
    /// because they were made so? The blob is read to its end to tell.
    fn blame(&mut self, error: Error) -> Error {
        let error = match error.kind() {
            ErrorKind::Malformed | ErrorKind::OverLimit => {
                match self.tar.tape_mut().blob_digest() {
                    Ok(found) if found != self.layer.blob.digest => {
                        return mismatch(&self.what, &self.layer.blob.digest, &found)
                            .because(error);
                    }
                    // Past a limit is a gap for the caller, so it is said only of bytes that are
                    // the promised ones: a store could send a bomb to hide a layer.
                    Err(reading) if error.kind() == ErrorKind::OverLimit => reading,
                    Ok(_) | Err(_) => error,
                }
            }
            ErrorKind::DigestMismatch
            | ErrorKind::NotFound
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
            | ErrorKind::Io => error,
        };
        error.within(&self.what)
    }
}

/// Everything a fuzzer should reach here: any bytes as a layer, plain or compressed.
pub fn fuzz(bytes: &[u8]) {
    use std::sync::Arc;

    use crate::content::Descriptor;
    use crate::limits::Limits;

    struct One(Vec<u8>);
    impl Content for One {
        fn open(&self, _: Role, _: &Descriptor) -> Result<Box<dyn std::io::Read + Send>> {
            Ok(Box::new(std::io::Cursor::new(self.0.clone())))
        }
    }
    let media_type = match sniff(bytes) {
        Compression::None => "application/vnd.oci.image.layer.v1.tar",
        Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
        Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
    };
    let digest = crate::hash::sha256(bytes);
    let blob = Descriptor { media_type: media_type.into(), digest, size: bytes.len() as u64 };
    let limits = Limits { layer_bytes: 16 << 20, ..Limits::default() };
    let clock = Clock::start(&Arc::new(limits));
    let one = One(bytes.to_vec());
    let Ok(mut reader) = LayerReader::open(&one, &Layer::new(blob, digest), clock) else { return };
    while let Ok(Some(_)) = reader.next_entry() {
        while let Ok(Some(_)) = reader.read_chunk() {}
    }
    let _ = reader.finish();
}

#[cfg(test)]
mod tests;
