//! An image that is pinned to a digest, and how an index becomes one.

use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::gap::Gap;
use cleanbill_core::platform::Platform;

use crate::content::{Content, Descriptor};
use crate::limits::Limits;

/// One layer of a pinned image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The blob as it is stored.
    pub blob: Descriptor,
    /// The digest the uncompressed tar must have, by the image's configuration.
    pub diff_id: Digest,
}

/// An image of one platform, pinned: its manifest and configuration were read and hashed.
#[derive(Clone)]
pub struct PinnedImage {
    /// The digest of its manifest; an old `docker save` archive has none, and the digest of its
    /// configuration (Docker's image id) stands here.
    pub digest: Digest,
    /// The digest of its configuration.
    pub config_digest: Digest,
    /// The configuration as it was stored, at most [`Limits::manifest_bytes`].
    pub config: Arc<[u8]>,
    /// The platform that the configuration names, where it names one.
    pub platform: Option<Platform>,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
    /// What of the image is known not to be examinable (foreign, encrypted, unknown layers).
    pub gaps: Vec<Gap>,
    /// Where its layers are read from.
    pub content: Arc<dyn Content>,
    /// The bounds it is read within.
    pub limits: Arc<Limits>,
}
