//! An image that is pinned to a digest, and how an index becomes one.
//!
//! Whoever has a store of manifests and blobs ([`Content`]) and a descriptor calls [`resolve`];
//! what comes back was read, bounded and hashed here. This module must not open files or
//! connections itself.

mod choice;

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::Gap;
use cleanbill_core::platform::Platform;

use crate::blob::{Clock, read_document};
use crate::content::{Content, Descriptor, Role};
use crate::error::{Error, ErrorKind, Result};
use crate::layer::LayerReader;
use crate::limits::{Limit, Limits};
use crate::manifest::{Child, Manifest, parse_config, parse_manifest};
use crate::media_type::{self, Compression};
use choice::{Alone, unselectable, wanted};

pub use choice::PlatformChoice;

/// One layer of a pinned image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The blob as it is stored.
    pub blob: Descriptor,
    /// The digest the uncompressed tar must have, by the image's configuration.
    pub diff_id: Digest,
    /// How it can be read, or why it cannot.
    pub form: LayerForm,
}

/// Whether and how a layer can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerForm {
    /// A tar, compressed like this by its media type.
    Tar(Compression),
    /// It keeps its place in the list, and this says why nobody looked into it. The same gap
    /// stands in [`PinnedImage::gaps`].
    Unreadable(Gap),
}

impl Layer {
    /// Judges a layer by its media type.
    pub fn new(blob: Descriptor, diff_id: Digest) -> Self {
        let form = match media_type::layer(&blob.media_type) {
            Ok(compression) => LayerForm::Tar(compression),
            Err(kind) => LayerForm::Unreadable(Gap::new(
                kind,
                format!("layer {}", blob.digest),
                format!("its media type is {:?}", shorten(&blob.media_type)),
            )),
        };
        Self { blob, diff_id, form }
    }

    /// Why it will not be read, if so.
    pub fn gap(&self) -> Option<&Gap> {
        match &self.form {
            LayerForm::Tar(_) => None,
            LayerForm::Unreadable(gap) => Some(gap),
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
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
    /// The platform by which an index offers it, or else the one its configuration names.
    pub platform: Option<Platform>,
    /// The user that its configuration says containers run as; `None`: absent or empty, which
    /// means root.
    pub user: Option<String>,
    /// When its configuration says it was built, if it does.
    pub created: Option<Timestamp>,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
    /// What of the image is known not to be examinable (foreign, encrypted, unknown layers).
    pub gaps: Vec<Gap>,
    /// Where its layers are read from.
    pub content: Arc<dyn Content>,
    /// The bounds it is read within.
    pub limits: Arc<Limits>,
    pub(crate) clock: Clock,
}

impl PinnedImage {
    /// Puts an image together from a configuration whose digest was checked and its layers'
    /// blobs.
    pub(crate) fn assemble(
        content: Arc<dyn Content>,
        digest: Digest,
        config: (Digest, Vec<u8>),
        blobs: impl FnOnce(&[Digest]) -> Result<Vec<Descriptor>>,
        offered: Option<&Platform>,
        clock: Clock,
    ) -> Result<Self> {
        let (config_digest, config) = config;
        let what = format!("image configuration {config_digest}");
        let parsed = parse_config(&config, &what, &clock.limits)?;
        let wrong = |why: String| Error::new(ErrorKind::Malformed, format!("{what}: {why}"));
        let blobs = blobs(&parsed.diff_ids)?;
        if blobs.len() != parsed.diff_ids.len() {
            return Err(wrong(format!(
                "it has {} diff_ids, but the image has {} layers",
                parsed.diff_ids.len(),
                blobs.len()
            )));
        }
        if let (Some(offered), Some(own)) = (offered, &parsed.platform)
            && (offered.os != own.os || offered.architecture != own.architecture)
        {
            return Err(wrong(format!("it is for {own}, but the index offers it for {offered}")));
        }
        let layers: Vec<Layer> =
            blobs.into_iter().zip(parsed.diff_ids).map(|(b, d)| Layer::new(b, d)).collect();
        Ok(Self {
            digest,
            config_digest,
            config: config.into(),
            platform: offered.cloned().or(parsed.platform),
            user: parsed.user,
            created: parsed.created,
            gaps: layers.iter().filter_map(|l| l.gap().cloned()).collect(),
            layers,
            content,
            limits: Arc::clone(&clock.limits),
            clock,
        })
    }

    /// Opens one layer, counted from the lowest. Layers may be read by several threads at once.
    ///
    /// # Errors
    /// When there is no such layer, it is not readable (see [`Layer::gap`]), or its store fails.
    pub fn open_layer(&self, index: usize) -> Result<LayerReader> {
        let layer = self.layers.get(index).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("image {} has no layer {index}", self.digest))
        })?;
        LayerReader::open(self.content.as_ref(), layer, self.clock.clone())
    }
}

/// Indexes inside indexes that are followed.
const NESTING_MAX: usize = 4;

/// Turns a manifest or index into pinned images, at least one, in the index's order.
///
/// An index's children for the platform `unknown/unknown`, as build tools write them for
/// attestations, are passed over: no node can select them. An annotation alone does not hide a
/// child, since runtimes do not look at it. A child's configuration must name the operating
/// system and architecture that the index offers it for.
///
/// # Errors
/// When a document is missing, malformed, over a limit or not what its digest promises, or when
/// there is no image for the wanted platform (the message lists those that there are).
pub fn resolve(
    content: Arc<dyn Content>,
    root: Descriptor,
    choice: &PlatformChoice,
    limits: &Arc<Limits>,
) -> Result<Vec<PinnedImage>> {
    resolve_within(content, root, choice, Clock::start(limits))
}

/// [`resolve`] in a time that has begun.
pub(crate) fn resolve_within(
    content: Arc<dyn Content>,
    root: Descriptor,
    choice: &PlatformChoice,
    clock: Clock,
) -> Result<Vec<PinnedImage>> {
    let mut walk = Walk { content, clock, leaves: Vec::new(), seen: 0 };
    let whole = root.digest;
    walk.expand(Child { descriptor: root, platform: None, annotations: Default::default() }, 0)?;
    walk.choose(&whole, choice)
}

/// A manifest of one image that was found below the root.
struct Leaf {
    digest: Digest,
    platform: Option<Platform>,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// What an index holds: read at once, or known by descriptor and read if chosen.
enum Found {
    Read(Leaf),
    Unread(Child),
}

struct Walk {
    content: Arc<dyn Content>,
    clock: Clock,
    leaves: Vec<Found>,
    seen: usize,
}

impl Walk {
    /// Follows indexes down to manifests.
    fn expand(&mut self, node: Child, depth: usize) -> Result<()> {
        match self.read(&node)? {
            Read::Leaf(leaf) => self.leaves.push(Found::Read(*leaf)),
            Read::Index(children) => {
                let what = format!("image index {}", node.descriptor.digest);
                if depth >= NESTING_MAX {
                    let why = format!("{what}: indexes nested deeper than {NESTING_MAX}");
                    return Err(Error::new(ErrorKind::Malformed, why));
                }
                for child in children {
                    self.seen += 1;
                    if self.seen > self.clock.limits.index_children {
                        return Err(self.clock.limits.over(Limit::IndexChildren).within(what));
                    }
                    if child.platform.as_ref().is_some_and(unselectable) {
                        continue;
                    }
                    match media_type::document(&child.descriptor.media_type) {
                        Some(media_type::Document::Index) => self.expand(child, depth + 1)?,
                        Some(media_type::Document::Manifest | media_type::Document::Schema1)
                        | None => self.leaves.push(Found::Unread(child)),
                    }
                }
            }
        }
        Ok(())
    }

    fn read(&self, node: &Child) -> Result<Read> {
        let Descriptor { media_type, digest, .. } = &node.descriptor;
        let what = format!("image manifest {digest}");
        let content = self.content.as_ref();
        let bytes = read_document(content, Role::Manifest, &node.descriptor, &what, &self.clock)?;
        match parse_manifest(&bytes, media_type, &what, &self.clock.limits)? {
            Manifest::Index(children) => Ok(Read::Index(children)),
            Manifest::Image { config, layers } => Ok(Read::Leaf(Box::new(Leaf {
                digest: *digest,
                platform: node.platform.clone(),
                config,
                layers,
            }))),
        }
    }

    fn choose(self, root: &Digest, choice: &PlatformChoice) -> Result<Vec<PinnedImage>> {
        let alone = match self.leaves.as_slice() {
            [Found::Read(_)] => Alone::WithoutIndex,
            [_] => Alone::InIndex,
            _ => Alone::No,
        };
        let stated = |found: &Found| match found {
            Found::Read(leaf) => leaf.platform.clone(),
            Found::Unread(child) => child.platform.clone(),
        };
        let mut images: Vec<PinnedImage> = Vec::new();
        let mut offered: Vec<String> = Vec::new();
        let mut order: Vec<&Found> = self.leaves.iter().collect();
        if let PlatformChoice::One(wish) | PlatformChoice::Prefer(wish) = choice {
            // A variant named in the wish first, then the index's order; images of which the
            // index says nothing come last, because their configuration has to be read.
            order.sort_by_key(|found| match stated(found) {
                Some(platform) if platform == *wish => 0,
                Some(_) => 1,
                None => 2,
            });
        }
        for found in order {
            let by_index = stated(found);
            offered.extend(by_index.as_ref().map(ToString::to_string));
            if !wanted(choice, by_index.as_ref(), alone) {
                continue;
            }
            let image = self.pin(found)?;
            if by_index.is_none() {
                offered.extend(image.platform.as_ref().map(ToString::to_string));
                if !wanted(choice, image.platform.as_ref(), alone) {
                    continue;
                }
            }
            if !images.iter().any(|i| i.digest == image.digest && i.platform == image.platform) {
                images.push(image);
            }
            if matches!(choice, PlatformChoice::One(_) | PlatformChoice::Prefer(_)) {
                break;
            }
        }
        if !images.is_empty() {
            return Ok(images);
        }
        offered.dedup();
        let there = if offered.is_empty() { "no platform".to_owned() } else { offered.join(", ") };
        let wish = match choice {
            PlatformChoice::One(p) | PlatformChoice::Prefer(p) => p.to_string(),
            PlatformChoice::All => "any platform".to_owned(),
            PlatformChoice::Listed(all) => {
                all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            }
        };
        Err(Error::new(
            ErrorKind::NotFound,
            format!("{root} has no image for {wish}: there is {there} (choose with --platform)"),
        ))
    }

    fn pin(&self, found: &Found) -> Result<PinnedImage> {
        let read;
        let leaf = match found {
            Found::Read(leaf) => leaf,
            Found::Unread(child) => match self.read(child)? {
                Read::Leaf(leaf) => {
                    read = *leaf;
                    &read
                }
                Read::Index(_) => {
                    let digest = child.descriptor.digest;
                    let why =
                        format!("image manifest {digest}: an index, but not stated to be one");
                    return Err(Error::new(ErrorKind::Malformed, why));
                }
            },
        };
        let kind = media_type::essence(&leaf.config.media_type);
        if kind != media_type::OCI_CONFIG && kind != media_type::DOCKER_CONFIG {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!(
                    "image manifest {}: its config is {:?}, so it is no container image",
                    leaf.digest,
                    shorten(&kind)
                ),
            ));
        }
        let what = format!("image configuration {}", leaf.config.digest);
        let content = self.content.as_ref();
        let config = read_document(content, Role::Blob, &leaf.config, &what, &self.clock)?;
        PinnedImage::assemble(
            Arc::clone(&self.content),
            leaf.digest,
            (leaf.config.digest, config),
            |_| Ok(leaf.layers.clone()),
            leaf.platform.as_ref(),
            self.clock.clone(),
        )
    }
}

enum Read {
    Index(Vec<Child>),
    Leaf(Box<Leaf>),
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
