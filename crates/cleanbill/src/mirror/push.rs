//! A snapshot → an artifact in a registry. It is read whole first, so that no damage is passed on.

use std::io::{self, Cursor, Read};

use cleanbill_advisory::Snapshot;
use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::artifact::{EMPTY, EMPTY_BYTES};
use cleanbill_oci::content::Descriptor;
use cleanbill_oci::hash::sha256;
use cleanbill_oci::media_type::OCI_MANIFEST;
use cleanbill_oci::registry::{Registry, Upload};
use cleanbill_trust::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ARTIFACT, LAYER, SIGNATURE, TITLE, statement};
use crate::failure::{Failure, Result};
use crate::snapshot_choice::failed;

/// What was pushed.
pub struct Pushed {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// Whether the snapshot had to be sent; else the registry had it already.
    pub sent: bool,
}

/// Puts a snapshot under a tag, signed where there is a key.
///
/// # Errors
/// When it is damaged, or the registry cannot be reached or refuses. The tag means what it did.
pub fn push(
    snapshot: &Snapshot,
    name: &ImageRef,
    registry: &Registry,
    key: Option<&SigningKey>,
) -> Result<Pushed> {
    let whole = snapshot.contents();
    whole.map_err(|e| failed(&e).next("make it again: cleanbill db update"))?;
    let layer = layer(snapshot)?;
    let config = Descriptor { media_type: EMPTY.into(), digest: sha256(EMPTY_BYTES), size: 2 };
    let signature = key.map(|key| statement::sign(&layer, snapshot.digest(), key)).transpose()?;
    let manifest = manifest(&layer, &config, signature.as_deref()).to_string();
    let pieces = || Ok(Box::new(Pieces::of(snapshot)) as Box<dyn Read>);
    let empty = || Ok(Box::new(EMPTY_BYTES) as Box<dyn Read>);
    let digest = layer.digest;
    let uploads =
        [Upload { descriptor: config, open: &empty }, Upload { descriptor: layer, open: &pieces }];
    let pushed = registry.push(name, &uploads, OCI_MANIFEST, manifest.as_bytes());
    let pushed = pushed.map_err(|e| Failure::from(e).next("mend that and push it again"))?;
    Ok(Pushed { manifest: pushed.digest, sent: pushed.sent.contains(&digest) })
}

/// The layer that the snapshot's file is.
fn layer(snapshot: &Snapshot) -> Result<Descriptor> {
    let mut hasher = Sha256::new();
    for piece in snapshot.pieces() {
        hasher.update(piece.map_err(|e| failed(&e))?);
    }
    let digest = Digest::Sha256(hasher.finalize().into());
    Ok(Descriptor { media_type: LAYER.into(), digest, size: snapshot.size() })
}

/// The same snapshot and key give the same manifest.
fn manifest(layer: &Descriptor, config: &Descriptor, signature: Option<&str>) -> Value {
    let describe =
        |d: &Descriptor| json!({"mediaType": d.media_type, "digest": d.digest, "size": d.size});
    let mut described = describe(layer);
    described["annotations"] = json!({"org.opencontainers.image.title": TITLE});
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT,
        "config": describe(config),
        "layers": [described],
    });
    if let Some(signature) = signature {
        manifest["annotations"] = json!({SIGNATURE: signature});
    }
    manifest
}

/// The file of a snapshot as it was opened, whatever stands under its name by now.
struct Pieces<I> {
    pieces: I,
    piece: Cursor<Vec<u8>>,
}

impl Pieces<()> {
    fn of(snapshot: &Snapshot) -> impl Read {
        Pieces { pieces: snapshot.pieces(), piece: Cursor::default() }
    }
}

impl<I: Iterator<Item = cleanbill_advisory::Result<Vec<u8>>>> Read for Pieces<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.piece.read(buffer)? {
                0 if buffer.is_empty() => return Ok(0),
                0 => match self.pieces.next() {
                    Some(piece) => self.piece = Cursor::new(piece.map_err(io::Error::other)?),
                    None => return Ok(0),
                },
                read => return Ok(read),
            }
        }
    }
}
