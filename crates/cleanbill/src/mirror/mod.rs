//! Snapshots in registries: any registry is a mirror. One artifact holds one snapshot file as its
//! one layer, and may hold who says so.
//!
//! [`push`] puts one there, [`pull`] brings one here, [`statement`] is what is signed of it, and
//! [`trivy`] finds the artifact by which Trivy's database is published. What becomes of the bytes is
//! decided in `cleanbill-advisory`, which knows no registries.

use std::io::{self, Read};
use std::time::Duration;

use cleanbill_core::digest::Digest;
use cleanbill_oci::artifact::Artifact;
use cleanbill_oci::content::Descriptor;
use cleanbill_oci::limits::Limits;

use crate::failure::{Failure, Result};

pub mod pull;
pub mod push;
pub mod statement;
pub mod trivy;

/// The type of the artifact.
pub const ARTIFACT: &str = "application/vnd.cleanbill.snapshot.v1";
/// The media type of its layer: a snapshot file as it is, which is compressed within.
pub const LAYER: &str = "application/vnd.cleanbill.snapshot.layer.v1";
/// The annotation of the manifest that holds the signed statement, a DSSE envelope.
pub const SIGNATURE: &str = "vnd.cleanbill.snapshot.signature";
/// What tools such as `oras pull` call the layer's file.
const TITLE: &str = "cleanbill.cbdb";

/// The longest that one artifact may take unless told otherwise: snapshots are larger than layers.
pub const TIME: Duration = Duration::from_secs(3600);

/// The bounds on an artifact.
pub fn limits(time: Option<Duration>) -> Limits {
    Limits { time: time.unwrap_or(TIME), ..Limits::default() }
}

/// The one layer of an artifact, which has to be of this media type.
fn only_layer<'a>(artifact: &'a Artifact, media_type: &str, what: &str) -> Result<&'a Descriptor> {
    match artifact.layers.as_slice() {
        [layer] if layer.media_type == media_type => Ok(layer),
        layers => {
            let of = |l: &Descriptor| l.media_type.chars().take(80).collect::<String>();
            let types: Vec<String> = layers.iter().take(4).map(of).collect();
            Err(Failure::new(format!(
                "it is no {what}: its manifest has {} layers ({}), where one of {media_type} is \
                 expected",
                layers.len(),
                types.join(", ")
            )))
        }
    }
}

/// Opens the rest of a layer behind what is here of it.
fn rest(artifact: &Artifact, layer: &Descriptor, here: &mut dyn Read) -> io::Result<Box<dyn Read>> {
    use cleanbill_oci::error::ErrorKind::{
        DigestMismatch, Forbidden, Io, Malformed, NotFound, OverLimit, Unauthorized,
    };
    let opened = artifact.open_after(layer, here);
    let opened = opened.map(|reader| Box::new(reader) as Box<dyn Read>);
    opened.map_err(|e| match e.kind() {
        // It is not of this layer, or the registry takes it for that.
        Malformed | DigestMismatch => io::Error::new(io::ErrorKind::InvalidData, e),
        OverLimit | NotFound | Unauthorized | Forbidden | Io => io::Error::other(e),
    })
}

/// A manifest as messages name it.
fn pinned(name: &cleanbill_core::reference::ImageRef, digest: Digest) -> String {
    format!("{name} ({})", digest.short())
}
