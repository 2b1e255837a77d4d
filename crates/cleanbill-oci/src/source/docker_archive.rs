//! What `docker save`, `podman save` and `skopeo copy … docker-archive:` write: a tar with
//! `manifest.json`, configurations and layers.
//!
//! The old layout names layers by path and states no digest of a manifest; an image's digest is
//! then its configuration's (Docker's image id), and a layer's expected digest is its diff id.
//! Since Docker 25 the archive is an OCI layout as well. Where both lists are there, the OCI one
//! is read, because it has manifest digests, and both must name an image in common.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::gap::GapKind;
use serde::Deserialize;

use super::archive::{Archive, Bundle, Part};
use super::{Found, Select, one_of, tag_matches};
use crate::blob::{Clock, mismatch};
use crate::content::{Content, Descriptor, Role};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{Hasher, sha256};
use crate::image::{PinnedImage, PlatformChoice};
use crate::json::{Rules, parse_strict};
use crate::layer::sniff;
use crate::media_type::{self, Compression, DOCKER_LAYER};

/// The list of images.
pub(crate) const MANIFEST: &str = "manifest.json";

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags")]
    repo_tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
    /// By diff id; Docker writes it for layers that lie elsewhere.
    #[serde(rename = "LayerSources")]
    layer_sources: Option<BTreeMap<Digest, Source>>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    #[serde(default)]
    size: u64,
    digest: Digest,
}

/// Opens the archive's image, or the chosen one of several.
pub(crate) fn open(
    bundle: Bundle,
    select: Option<&Select>,
    choice: &PlatformChoice,
    clock: &Clock,
) -> Result<Found> {
    let items = items(&bundle, clock)?;
    if super::oci_layout::recognises(&bundle)? {
        let configs = items.iter().filter_map(|i| digest_in(&i.config)).collect::<Vec<_>>();
        let found = super::oci_layout::open(bundle, select, choice, clock)?;
        if !found.images.iter().any(|image| configs.contains(&image.config_digest)) {
            return Err(Error::new(
                ErrorKind::Malformed,
                "manifest.json and index.json name different images, so tools disagree about what \
                 is in the archive",
            ));
        }
        return Ok(found);
    }
    let Bundle::Tar(archive) = bundle else {
        return Err(Error::new(
            ErrorKind::Malformed,
            "an unpacked docker archive: give the archive itself",
        ));
    };
    let item = pick(items, select)?;
    let what = format!("image configuration {}", item.config);
    let config = Bundle::Tar(archive);
    let bytes = config.small(&item.config, clock)?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("{what}: it is not in the archive"))
    })?;
    let Bundle::Tar(archive) = config else {
        return Err(Error::new(ErrorKind::Malformed, what));
    };
    let digest = sha256(&bytes);
    if let Some(named) = digest_in(&item.config)
        && named != digest
    {
        return Err(mismatch(&what, &named, &digest));
    }
    let mut layers = Layers { archive, parts: HashMap::new() };
    let paths = item.layers.unwrap_or_default();
    let parsed = crate::manifest::parse_config(&bytes, &what, &clock.limits)?;
    let mut blobs = Vec::with_capacity(paths.len());
    for (at, path) in paths.iter().enumerate() {
        let Some(diff_id) = parsed.diff_ids.get(at) else { break };
        let source = item.layer_sources.as_ref().and_then(|s| s.get(diff_id));
        blobs.push(layers.find(path, diff_id, source)?);
    }
    // A length that differs is told by `assemble`, with both numbers.
    let short = blobs.len() < paths.len();
    if short {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "{what}: it has {} diff_ids, but the image has {} layers",
                parsed.diff_ids.len(),
                paths.len()
            ),
        ));
    }
    let repo_tags = item.repo_tags.unwrap_or_default();
    let content: Arc<dyn Content> = Arc::new(layers);
    let image = PinnedImage::assemble(
        content,
        digest,
        (digest, bytes),
        |_| Ok(blobs),
        None,
        clock.clone(),
    )?;
    super::check_platform(&image, choice)?;
    Ok(Found { images: vec![image], root: digest, repo_tags })
}

/// Reads `manifest.json`.
fn items(bundle: &Bundle, clock: &Clock) -> Result<Vec<Item>> {
    let bytes = bundle.small(MANIFEST, clock)?.unwrap_or_default();
    let rules = Rules {
        what: MANIFEST,
        limit: clock.limits.manifest_bytes,
        fields: &["Config", "RepoTags", "Layers", "LayerSources", "mediaType", "size", "digest"],
        maps: &["LayerSources", "annotations"],
    };
    parse_strict(&bytes, &rules)
}

/// The one image, or the chosen one.
fn pick(items: Vec<Item>, select: Option<&Select>) -> Result<Item> {
    let names: Vec<String> = items
        .iter()
        .map(|i| match i.repo_tags.as_deref() {
            Some([first, ..]) => first.clone(),
            Some([]) | None => digest_in(&i.config).map_or(i.config.clone(), |d| d.to_string()),
        })
        .collect();
    let chosen = |item: &Item| match select {
        None => true,
        Some(Select::Tag(tag)) => {
            item.repo_tags.iter().flatten().any(|name| tag_matches(tag, name))
        }
        Some(Select::Digest(digest)) => digest_in(&item.config) == Some(*digest),
    };
    one_of(items.into_iter().filter(chosen).collect(), &names, select)
}

/// The digest that a path promises: `<hex>.json`, `blobs/sha256/<hex>`.
fn digest_in(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".json").unwrap_or(name);
    format!("sha256:{stem}").parse().ok()
}

/// Layers by digest and size, at their places in the archive.
struct Layers {
    archive: Archive,
    parts: HashMap<(Digest, u64), Part>,
}

impl Layers {
    /// Finds a layer's file and says what it must be.
    fn find(
        &mut self,
        path: &str,
        diff_id: &Digest,
        source: Option<&Source>,
    ) -> Result<Descriptor> {
        let failed = |e| Error::new(ErrorKind::Io, format!("{path}: reading failed")).because(e);
        let Some(part) = self.archive.find(path)? else {
            // Only a foreign layer may be missing; it becomes a gap by its media type.
            return match source {
                Some(s) if media_type::layer(&s.media_type) == Err(GapKind::ForeignLayer) => {
                    Ok(Descriptor {
                        media_type: s.media_type.clone(),
                        digest: s.digest,
                        size: s.size,
                    })
                }
                Some(_) | None => Err(Error::new(
                    ErrorKind::NotFound,
                    format!("layer {path}: it is not in the archive"),
                )),
            };
        };
        let mut head = Vec::new();
        self.archive.section(part).take(4).read_to_end(&mut head).map_err(failed)?;
        let (suffix, digest) = match sniff(&head) {
            Compression::None => ("", *diff_id),
            compression @ (Compression::Gzip | Compression::Zstd) => {
                let suffix = if compression == Compression::Gzip { ".gzip" } else { ".zstd" };
                // `docker load` takes compressed layers too. Nothing promises their digest but
                // perhaps their name, so it is taken here; the diff id is what is checked.
                let digest = match digest_in(path) {
                    Some(named) if path.starts_with("blobs/") => named,
                    Some(_) | None => self.hash(part, diff_id).map_err(failed)?,
                };
                (suffix, digest)
            }
        };
        self.parts.insert((digest, part.size), part);
        Ok(Descriptor { media_type: format!("{DOCKER_LAYER}{suffix}"), digest, size: part.size })
    }

    fn hash(&self, part: Part, like: &Digest) -> std::io::Result<Digest> {
        let (mut reader, mut hasher) = (self.archive.section(part), Hasher::like(like));
        let mut buffer = vec![0; 128 << 10];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(hasher.finish()),
                n => hasher.update(buffer.get(..n).unwrap_or_default()),
            }
        }
    }
}

impl Content for Layers {
    fn open(&self, _: Role, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        match self.parts.get(&(descriptor.digest, descriptor.size)) {
            Some(part) => Ok(Box::new(self.archive.section(*part))),
            None => Err(Error::new(
                ErrorKind::NotFound,
                format!("{} is not in the archive", descriptor.digest),
            )),
        }
    }
}
