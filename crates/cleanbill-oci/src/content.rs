//! Where manifests and blobs come from: what the sources have in common.

use std::io::{self, Read};

use cleanbill_core::digest::Digest;

use crate::Result;
use crate::error::{Error, ErrorKind};

/// A descriptor (OCI image specification, descriptor.md) as far as it is needed to fetch a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type that the parent states.
    pub media_type: String,
    /// The digest the bytes must have.
    pub digest: Digest,
    /// The size the parent states, in bytes.
    pub size: u64,
}

/// What a descriptor is asked for as; registries serve manifests and blobs at different paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A manifest or an index.
    Manifest,
    /// A configuration or a layer.
    Blob,
}

/// A store of manifests and blobs: an archive, a layout, a registry's repository.
///
/// It hands out bytes as they come and checks nothing: hashing, bounding and decoding are done
/// in one place, by whoever reads (see [`crate::image`]), so that no source can forget it.
pub trait Content: Send + Sync {
    /// Opens the bytes that a descriptor names, from their beginning.
    ///
    /// # Errors
    /// When there are none, or they cannot be reached.
    fn open(&self, role: Role, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>>;

    /// The same from the byte `from` on, which is no more than there are. A store that cannot begin
    /// in the middle reads what comes before and leaves it out.
    ///
    /// # Errors
    /// As [`Content::open`].
    fn open_from(
        &self,
        role: Role,
        descriptor: &Descriptor,
        from: u64,
    ) -> Result<Box<dyn Read + Send>> {
        skipped(self.open(role, descriptor)?, from)
    }
}

/// A reader without its first bytes.
pub(crate) fn skipped(mut whole: Box<dyn Read + Send>, bytes: u64) -> Result<Box<dyn Read + Send>> {
    io::copy(&mut (&mut whole).take(bytes), &mut io::sink())
        .map_err(|e| Error::new(ErrorKind::Io, "reading failed").because(e))?;
    Ok(whole)
}
