//! Artifacts: what lies in a registry under a manifest and is no image (OCI image specification
//! 1.1, "Guidelines for Artifact Usage"). A name → a manifest pinned by the digest of its bytes, and
//! its layers as readers that fail unless they end with the promised size and digest.
//!
//! It must not know what an artifact is for: types are names here.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use serde::Deserialize;

use crate::blob::{Clock, Raw, read_document, uncarry};
use crate::content::{Content, Descriptor, Role};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Hasher;
use crate::json::{Rules, parse_strict};
use crate::limits::Limits;
use crate::manifest::{MANIFEST_FIELDS, Manifest, parse_manifest};
use crate::registry::Registry;

/// The media type of a configuration that says nothing.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The bytes of a configuration that says nothing.
pub const EMPTY_BYTES: &[u8] = b"{}";

/// An artifact: its manifest, read and pinned; nothing of its layers yet.
pub struct Artifact {
    /// The digest of the manifest's bytes.
    pub digest: Digest,
    /// What it says it is: `artifactType`, else the media type of its configuration.
    pub artifact_type: String,
    /// Its layers, in order.
    pub layers: Vec<Descriptor>,
    /// What its manifest says besides. Nobody vouches for it.
    pub annotations: BTreeMap<String, String>,
    /// `registry/repository@digest`, for messages.
    name: String,
    content: Arc<dyn Content>,
    clock: Clock,
}

#[derive(Deserialize)]
struct Besides {
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Artifact {
    /// Reads the manifest that a name means, whole and within `limits`, whose time begins now and
    /// is that of the layers too.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses, there is nothing of that name, it is an
    /// index, or a manifest that is malformed, over a limit or of another digest.
    pub fn find(registry: &Registry, name: &ImageRef, limits: &Limits) -> Result<Self> {
        let clock = Clock::start(&Arc::new(limits.clone()));
        let root = registry.root(name)?;
        let digest = root.descriptor.digest;
        let name = format!("{}@{}", name.name(), digest.short());
        let what = format!("the manifest of {name}");
        let bytes = read_document(&*root.content, Role::Manifest, &root.descriptor, &what, &clock)?;
        let parsed = parse(&bytes, &root.descriptor.media_type, &what, limits)?;
        let Parsed { artifact_type, layers, annotations } = parsed;
        let content = root.content;
        Ok(Self { digest, artifact_type, layers, annotations, name, content, clock })
    }

    /// Opens a layer. Its reader gives exactly the promised bytes, or an error: at the latest where
    /// they end, so nothing that was read counts before the end was.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn open(&self, layer: &Descriptor) -> Result<impl Read + Send + use<>> {
        self.open_after(layer, &mut io::empty())
    }

    /// Opens what comes behind the beginning of a layer that is here already, from an earlier try:
    /// `here` is read to its end first, and counts for size and digest as if it came from the
    /// registry, which is asked for the rest alone. An error of the reader is of the kind
    /// [`io::ErrorKind::InvalidData`] where beginning and rest are not the promised bytes.
    ///
    /// # Errors
    /// When `here` cannot be read or is longer than the layer, or the registry cannot be reached.
    pub fn open_after(
        &self,
        layer: &Descriptor,
        here: &mut dyn Read,
    ) -> Result<impl Read + Send + use<>> {
        let name = format!("{} of {}", layer.digest.short(), self.name);
        let hasher = Some(Hasher::like(&layer.digest));
        let mut raw = Raw::new(Box::new(io::empty()), layer.size, hasher, self.clock.clone());
        raw.begin(here).map_err(|e| uncarry(e).within(&name))?;
        if raw.taken() < layer.size || layer.size == 0 {
            raw.go_on(self.content.open_from(Role::Blob, layer, raw.taken())?);
        }
        Ok(Checked { raw, descriptor: layer.clone(), name, ended: false })
    }
}

/// What a manifest says.
struct Parsed {
    artifact_type: String,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

fn parse(bytes: &[u8], stated: &str, what: &str, limits: &Limits) -> Result<Parsed> {
    let (config, layers) = match parse_manifest(bytes, stated, what, limits)? {
        Manifest::Image { config, layers } => (config, layers),
        Manifest::Index(_) => {
            let why = format!("{what}: it is an index, where the manifest of one is expected");
            return Err(Error::new(ErrorKind::Malformed, why));
        }
    };
    let limit = limits.manifest_bytes;
    let rules = Rules { what, limit, fields: MANIFEST_FIELDS, maps: &["annotations"] };
    let Besides { artifact_type, annotations } = parse_strict(bytes, &rules)?;
    let artifact_type = artifact_type.unwrap_or(config.media_type);
    Ok(Parsed { artifact_type, layers, annotations })
}

/// Any bytes as a manifest, for fuzzing: must not panic, and must end.
pub(crate) fn fuzz(bytes: &[u8]) {
    drop(parse(bytes, "", "manifest", &Limits::default()));
}

/// The bytes of a layer, which are checked where they end.
struct Checked {
    raw: Raw,
    descriptor: Descriptor,
    name: String,
    ended: bool,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let n = self.raw.read(buffer)?;
        if n == 0 {
            let checked = self.raw.check(&self.descriptor);
            let wrong = |e: Error| e.within(&self.name);
            checked.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, wrong(e)))?;
            self.ended = true;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::sync::Arc;

    use cleanbill_core::digest::Digest;

    use super::{Artifact, BTreeMap, Clock, Descriptor, Limits};
    use crate::hash::sha256;
    use crate::testing::MemoryContent;

    #[test]
    fn a_layer_ends_well_only_with_its_size_and_digest() {
        let bytes = b"what was promised".to_vec();
        let (size, digest) = (bytes.len() as u64, sha256(&bytes));
        let other = Digest::Sha256([7; 32]);
        let table = [
            ("as promised", size, digest, None),
            ("too long", size - 1, digest, Some("more than the 16 bytes that are stated")),
            ("too short", size + 1, digest, Some("17 bytes, but 18 are stated")),
            ("other bytes", size, other, Some("its bytes: the digest should be sha256:0707")),
        ];
        for (case, size, digest, wrong) in table {
            let mut content = MemoryContent::default();
            let layer = Descriptor { size, ..content.add_as(digest, "a/b", bytes.clone()) };
            let artifact = Artifact {
                digest: other,
                artifact_type: String::new(),
                layers: vec![layer.clone()],
                annotations: BTreeMap::new(),
                name: "registry.example/a@x".into(),
                content: Arc::new(content),
                clock: Clock::start(&Arc::new(Limits::default())),
            };
            let mut read = Vec::new();
            let result = artifact.open(&layer).unwrap().read_to_end(&mut read);
            match wrong {
                None => assert_eq!((result.unwrap() as u64, &read), (size, &bytes), "{case}"),
                Some(part) => {
                    let wrong = result.unwrap_err();
                    assert_eq!(wrong.kind(), std::io::ErrorKind::InvalidData, "{case}");
                    assert!(wrong.to_string().contains(part), "{case}: {wrong}");
                }
            }
            // A beginning that is here already counts, and is handed out by nobody.
            for begin in [&bytes[..5], &bytes[..]] {
                let mut rest = Vec::new();
                let result = artifact.open_after(&layer, &mut &*begin);
                let result = result.map(|mut reader| reader.read_to_end(&mut rest));
                let good = matches!(result, Ok(Ok(_)));
                assert_eq!(good, wrong.is_none(), "{case} after {}", begin.len());
                assert!(!good || [begin, &rest].concat() == bytes, "{case}");
            }
            let altered = artifact.open_after(&layer, &mut &b"was what"[..]);
            let altered = altered.unwrap().read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(altered.kind(), std::io::ErrorKind::InvalidData, "{case}");
        }
    }
}
