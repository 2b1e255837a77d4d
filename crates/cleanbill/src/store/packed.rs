//! Evidence as it is kept: its canonical JSON, compressed, under the digest of what is within.

use std::sync::Arc;

use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::VALUE_MAX;
use crate::failure::{Failure, Result};

/// Evidence that can be recorded. Cheap to pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    digest: Digest,
    bytes: Arc<[u8]>,
}

impl Packed {
    /// Packs JSON.
    ///
    /// # Errors
    /// When it is too large to be kept, or cannot be compressed.
    pub fn new(json: &[u8]) -> Result<Self> {
        let digest = digest(json);
        if json.len() > VALUE_MAX {
            return Err(Failure::new(format!("the evidence {digest} has {} bytes", json.len())));
        }
        let bytes = zstd::bulk::compress(json, 3)
            .map_err(|e| Failure::new(format!("the evidence {digest} cannot be packed: {e}")))?;
        Ok(Self { digest, bytes: bytes.into() })
    }

    /// The digest of the JSON.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Bytes that it takes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never: nothing is packed into nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The JSON again.
    #[cfg(test)]
    pub(super) fn json(&self) -> Result<Vec<u8>> {
        unpack(&self.digest, &self.bytes).map_err(Failure::new)
    }

    /// As it is written. Looked at once more, since it may have been held for long.
    pub(super) fn whole(&self) -> std::result::Result<&[u8], String> {
        unpack(&self.digest, &self.bytes).map(|_| &*self.bytes)
    }

    /// Bytes that are said to be what they are not.
    #[cfg(test)]
    pub(super) fn said_to_be(digest: Digest, json: &[u8]) -> Self {
        Self { digest, ..Self::new(json).unwrap() }
    }
}

/// What was packed, if it is what its digest says.
pub(super) fn unpack(wanted: &Digest, bytes: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let json = zstd::bulk::decompress(bytes, VALUE_MAX)
        .map_err(|e| format!("the evidence {wanted} is damaged: {e}"))?;
    if digest(&json) == *wanted {
        Ok(json)
    } else {
        Err(format!("the evidence {wanted} is something else"))
    }
}

fn digest(json: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(json).into())
}
