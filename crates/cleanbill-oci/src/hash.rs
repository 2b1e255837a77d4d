//! Hashing while reading, with the CPU's instructions where it has them (`sha2` looks itself).
//!
//! It computes digests and compares nothing: who reads decides what a difference means.

use cleanbill_core::digest::Digest;
use sha2::{Digest as _, Sha256, Sha512};

/// A digest in the making, of the algorithm that an expected digest names.
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// An empty hasher of the algorithm of `expected`.
    pub(crate) fn like(expected: &Digest) -> Self {
        match expected {
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
            Digest::Sha512(_) => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(h) => Digest::Sha256(h.finalize().into()),
            Self::Sha512(h) => Digest::Sha512(h.finalize().into()),
        }
    }
}

/// The SHA-256 digest of these bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::Sha256(Sha256::digest(bytes).into())
}
