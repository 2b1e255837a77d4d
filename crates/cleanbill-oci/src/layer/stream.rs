//! A layer's uncompressed bytes as a tape that only runs forward, hashed and bounded as it runs.
//!
//! One large buffer; callers get slices of it. An uncompressed blob is hashed here once for both
//! of its digests.

use cleanbill_core::digest::Digest;

use super::decode::Decoder;
use super::tar::Tape;
use crate::blob::{Clock, Raw, uncarry};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Hasher;
use crate::limits::Limit;
use crate::media_type::Compression;

/// Bytes read and hashed at once: small enough for the second-level cache, and whole blocks.
const BUFFER: usize = 256 << 10;
/// Uncompressed bytes from which on the compression ratio is held against a layer.
const RATIO_FROM: u64 = 64 << 20;

/// The tape over a decoder.
pub(crate) struct Stream {
    decoder: Decoder,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes that came before the buffer's first.
    base: u64,
    diff: Hasher,
    /// A second hasher for an uncompressed blob whose digest is of another algorithm.
    blob: Option<Hasher>,
    failed: bool,
    clock: Clock,
}

/// What a stream's bytes turned out to be.
pub(crate) struct Totals {
    pub(crate) blob: Digest,
    pub(crate) diff_id: Digest,
    pub(crate) stored: u64,
    pub(crate) unpacked: u64,
}

impl Stream {
    pub(crate) fn new(decoder: Decoder, blob: &Digest, diff_id: &Digest, clock: Clock) -> Self {
        let plain = decoder.compression() == Compression::None;
        let other = plain && blob.algorithm() != diff_id.algorithm();
        Self {
            decoder,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            at: 0,
            end: 0,
            base: 0,
            diff: Hasher::like(diff_id),
            blob: other.then(|| Hasher::like(blob)),
            failed: false,
            clock,
        }
    }

    /// Reads the next buffer; it stays empty at the end.
    fn refill(&mut self) -> Result<()> {
        self.base = self.base.saturating_add(self.end as u64);
        (self.at, self.end) = (0, 0);
        self.clock.check()?;
        self.end = match self.decoder.fill(&mut self.buffer) {
            Ok(end) => end,
            Err(e) => {
                self.failed = true;
                return Err(e);
            }
        };
        let fresh = self.buffer.get(..self.end).unwrap_or_default();
        self.diff.update(fresh);
        if let Some(blob) = &mut self.blob {
            blob.update(fresh);
        }
        let unpacked = self.base.saturating_add(self.end as u64);
        let limits = &self.clock.limits;
        if unpacked > limits.layer_bytes {
            return Err(limits.over(Limit::LayerBytes));
        }
        let stored = self.decoder.raw().map_or(0, |r| r.taken());
        if unpacked > RATIO_FROM && unpacked > stored.saturating_mul(limits.ratio) {
            return Err(limits.over(Limit::Ratio));
        }
        Ok(())
    }

    fn ready(&mut self) -> Result<&[u8]> {
        if self.at == self.end {
            self.refill()?;
        }
        Ok(self.buffer.get(self.at..self.end).unwrap_or_default())
    }

    /// Runs to the end and tells what it was.
    pub(crate) fn finish(mut self) -> Result<Totals> {
        while !self.ready()?.is_empty() {
            self.at = self.end;
        }
        let stored = self.decoder.raw().map_or(0, |r| r.taken());
        let by_raw = self.decoder.raw().and_then(Raw::digest);
        let diff_id = self.diff.finish();
        let blob = by_raw.or_else(|| self.blob.map(Hasher::finish)).unwrap_or(diff_id);
        Ok(Totals { blob, diff_id, stored, unpacked: self.base })
    }

    /// The digest of the whole blob as it is stored, whatever it decompresses to: to tell a
    /// damaged blob from one that was made so.
    ///
    /// # Errors
    /// When the blob cannot be read to its end.
    pub(crate) fn blob_digest(&mut self) -> Result<Digest> {
        let failed = || Error::new(ErrorKind::Io, "its digest cannot be told");
        let plain = self.decoder.compression() == Compression::None;
        let raw = self.decoder.raw().ok_or_else(failed)?;
        let mut rest = vec![0; 64 << 10];
        loop {
            let n = std::io::Read::read(raw, &mut rest).map_err(uncarry)?;
            if n == 0 {
                break;
            }
            if plain {
                let fresh = rest.get(..n).unwrap_or_default();
                self.diff.update(fresh);
                if let Some(blob) = &mut self.blob {
                    blob.update(fresh);
                }
            }
        }
        if !plain {
            return raw.digest().ok_or_else(failed);
        }
        let hasher = match self.blob.take() {
            Some(hasher) => hasher,
            None => std::mem::replace(&mut self.diff, Hasher::like(&Digest::Sha256([0; 32]))),
        };
        Ok(hasher.finish())
    }
}

impl Tape for Stream {
    fn position(&self) -> u64 {
        self.base.saturating_add(self.at as u64)
    }

    fn chunk(&mut self, most: u64) -> Result<&[u8]> {
        if self.at == self.end {
            self.refill()?;
        }
        let n = (self.end - self.at).min(usize::try_from(most).unwrap_or(usize::MAX));
        let from = self.at;
        self.at += n;
        Ok(self.buffer.get(from..from + n).unwrap_or_default())
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn at_end(&mut self) -> Result<bool> {
        Ok(self.ready()?.is_empty())
    }

    fn skip(&mut self, mut bytes: u64) -> Result<()> {
        while bytes > 0 {
            let n = self.chunk(bytes)?.len() as u64;
            if n == 0 {
                return Err(Error::new(ErrorKind::Malformed, super::tar::CUT_OFF));
            }
            bytes -= n;
        }
        Ok(())
    }
}
