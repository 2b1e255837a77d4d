//! An OCI image layout (image specification, image-layout.md), as a folder or in a tar.

use std::io::{Cursor, Read};
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use serde::Deserialize;

use super::archive::Bundle;
use super::{Found, Select, one_of, tag_matches};
use crate::blob::Clock;
use crate::content::{Content, Descriptor, Role};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::sha256;
use crate::image::{PlatformChoice, resolve_within};
use crate::json::{Rules, parse_strict};
use crate::manifest::{Child, Manifest, parse_manifest};
use crate::media_type::OCI_INDEX;

/// The list of images.
pub(crate) const INDEX: &str = "index.json";
/// The mark of a layout.
pub(crate) const MARK: &str = "oci-layout";
/// Annotations that name an image, the more complete name first.
const NAMES: &[&str] = &["io.containerd.image.name", "org.opencontainers.image.ref.name"];

#[derive(Deserialize)]
struct Mark {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

/// Whether it is a layout.
pub(crate) fn recognises(bundle: &Bundle) -> Result<bool> {
    Ok(bundle.open(MARK)?.is_some() && bundle.open(INDEX)?.is_some())
}

/// Opens the layout's image, or the chosen one of several.
pub(crate) fn open(
    bundle: Bundle,
    select: Option<&Select>,
    choice: &PlatformChoice,
    clock: &Clock,
) -> Result<Found> {
    let mark = bundle.small(MARK, clock)?.unwrap_or_default();
    let rules = Rules { what: MARK, limit: 4096, fields: &["imageLayoutVersion"], maps: &[] };
    let mark: Mark = parse_strict(&mark, &rules)?;
    if mark.version != "1.0.0" {
        let why = format!("oci-layout: version {:?} is not known, only 1.0.0", mark.version);
        return Err(Error::new(ErrorKind::Malformed, why));
    }
    let bytes = bundle.small(INDEX, clock)?.unwrap_or_default();
    let Manifest::Index(children) = parse_manifest(&bytes, OCI_INDEX, INDEX, &clock.limits)? else {
        return Err(Error::new(ErrorKind::Malformed, "index.json: not an index"));
    };
    let index = Descriptor {
        media_type: OCI_INDEX.into(),
        digest: sha256(&bytes),
        size: bytes.len() as u64,
    };
    let layout = Layout { bundle, index: index.digest, bytes };
    let (root, repo_tags) = match select {
        // One image for several platforms, listed at the top: the list itself is its index.
        None if children.len() > 1 && same_image(&children) => {
            (index, children.first().map(names).unwrap_or_default())
        }
        _ => layout.pick(children, select)?,
    };
    let digest = root.digest;
    let images = resolve_within(Arc::new(layout), root, choice, clock.clone())?;
    Ok(Found { images, root: digest, repo_tags })
}

/// Whether all children are one image for different platforms.
fn same_image(children: &[Child]) -> bool {
    let first = children.first().map(names);
    children.iter().all(|c| c.platform.is_some() && Some(names(c)) == first)
}

/// The names of an image, best first.
fn names(child: &Child) -> Vec<String> {
    let mut names: Vec<String> =
        NAMES.iter().filter_map(|key| child.annotations.get(*key).cloned()).collect();
    names.dedup();
    names
}

/// A layout's blobs; `index.json` itself can be asked for by its digest too.
struct Layout {
    bundle: Bundle,
    index: Digest,
    bytes: Vec<u8>,
}

impl Layout {
    fn pick(
        &self,
        children: Vec<Child>,
        select: Option<&Select>,
    ) -> Result<(Descriptor, Vec<String>)> {
        let offered: Vec<String> = children
            .iter()
            .map(|c| names(c).into_iter().next().unwrap_or_else(|| c.descriptor.digest.to_string()))
            .collect();
        let found: Vec<Child> = children
            .into_iter()
            .filter(|child| match select {
                None => true,
                Some(Select::Tag(tag)) => names(child).iter().any(|name| tag_matches(tag, name)),
                Some(Select::Digest(digest)) => child.descriptor.digest == *digest,
            })
            .collect();
        if let (Some(Select::Digest(digest)), []) = (select, found.as_slice())
            && let Some((_, size)) = self.bundle.open(&path_of(digest))?
        {
            // A child of an index further down: its own mediaType has to say what it is.
            let descriptor = Descriptor { media_type: String::new(), digest: *digest, size };
            return Ok((descriptor, Vec::new()));
        }
        let child = one_of(found, &offered, select)?;
        let names = names(&child);
        Ok((child.descriptor, names))
    }
}

fn path_of(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

impl Content for Layout {
    fn open(&self, _: Role, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        if descriptor.digest == self.index {
            return Ok(Box::new(Cursor::new(self.bytes.clone())));
        }
        match self.bundle.open(&path_of(&descriptor.digest))? {
            Some((reader, _)) => Ok(reader),
            None => Err(Error::new(
                ErrorKind::NotFound,
                format!("{} is not in the layout", descriptor.digest),
            )),
        }
    }
}
