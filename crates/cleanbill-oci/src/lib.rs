//! A reference, archive, layout or folder → a digest-pinned image whose layers are hashed while
//! they are read.
//!
//! Whatever the source, the result is one [`image::PinnedImage`]: a manifest digest, a checked
//! configuration, and layers that can be opened as streams of tar entries. Every blob is hashed
//! while it is read, as stored and uncompressed; a mismatch is an error that names both digests.
//! Nothing is unpacked to disk. What is no image is an [`artifact`]. Everything here treats its input as hostile: see [`limits`].
//!
//! This crate must not know packages, advisories or policy.

pub mod artifact;
mod blob;
pub mod content;
pub mod error;
pub mod hash;
pub mod image;
pub mod json;
pub mod layer;
pub mod limits;
pub mod manifest;
pub mod media_type;
pub mod registry;
pub mod source;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use error::{Error, Result};
