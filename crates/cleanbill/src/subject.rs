//! What a command is asked to look at, opened: an archive or a registry's image, pinned to a
//! digest, by whichever source it comes from.
//!
//! Must not read layers ([`crate::examine`]) or judge ([`crate::assess`]).

use std::path::PathBuf;
use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::reference::ImageRef;
use cleanbill_oci::image::{PinnedImage, PlatformChoice};
use cleanbill_oci::source::{InputKind, InputSpec, open_input};

use crate::commands::source::{Source, Wanted};
use crate::failure::{Failure, Result};
use crate::store::{Owner, Store};
use crate::trouble::Trouble;

/// An image, or several platforms of one, ready to be read.
pub struct Subject {
    /// What the user called it.
    pub name: String,
    /// The name it was fetched by, for an image of a registry.
    pub reference: Option<ImageRef>,
    /// The names an archive gives itself; nobody vouches for them.
    pub repo_tags: Vec<String>,
    /// The digest of its index or manifest.
    pub resolved: Digest,
    /// Its images, at least one.
    pub images: Vec<PinnedImage>,
    /// Whether its blobs have digests of their own (in a docker archive they have not).
    pub has_blobs: bool,
}

/// Opens what a source names, for these platforms.
///
/// # Errors
/// When it cannot be reached or read, or has nothing for them.
pub fn open(source: &Source, choice: &PlatformChoice) -> std::result::Result<Subject, Trouble> {
    let limits = Arc::new(source.limits.clone());
    match &source.wanted {
        Wanted::Input(path) => {
            let opened = open_input(&InputSpec::parse(path), choice, &limits)?;
            Ok(Subject {
                name: opened.name,
                reference: None,
                repo_tags: opened.repo_tags,
                resolved: opened.root_digest,
                images: opened.images,
                has_blobs: match opened.kind {
                    InputKind::DockerArchive => false,
                    InputKind::OciLayout => true,
                },
            })
        }
        Wanted::Registry(reference) => {
            let registry = source.access.registry(reference.registry(), &source.limits)?;
            let root = registry.root(reference)?;
            let resolved = root.descriptor.digest;
            let images =
                cleanbill_oci::image::resolve(root.content, root.descriptor, choice, &limits)?;
            Ok(Subject {
                name: reference.to_string(),
                reference: Some(reference.clone()),
                repo_tags: Vec::new(),
                resolved,
                images,
                has_blobs: true,
            })
        }
        Wanted::Rootfs(path) => {
            let why = format!("{}: a root filesystem folder is no image", path.display());
            Err(Failure::new(why).next("scan it with cleanbill rootfs").into())
        }
    }
}

/// Where a user's own evidence is kept between commands: `$XDG_CACHE_HOME/cleanbill` or
/// `~/.cache/cleanbill`; nowhere, if there is no home. The gate never reads it.
///
/// # Errors
/// When the store is there and cannot be used.
pub fn own_store() -> Result<Option<Arc<Store>>> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let Some(dir) = cache.map(|c| c.join("cleanbill")) else { return Ok(None) };
    let store = Store::open(&dir, Owner::Cli)?;
    // A little of what is too much with every command: nobody should wait for it.
    store.make_room()?;
    Ok(Some(Arc::new(store)))
}
