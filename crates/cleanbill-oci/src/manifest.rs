//! Manifests, indexes and configurations: OCI image specification 1.1 and Docker's schema 2.
//!
//! Pure: bytes to values. A document whose parts contradict each other is an error, never a
//! choice (CVE-2021-41190: one document that is a manifest to one reader and an index to
//! another). URLs of foreign layers are not even kept.

use std::collections::BTreeMap;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::image::USER_MAX;
use cleanbill_core::platform::Platform;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::content::Descriptor;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{Rules, parse_strict};
use crate::limits::{Limit, Limits};
use crate::media_type::{self, Document};

/// A document that a manifest digest can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// An index or manifest list: one child for each platform.
    Index(Vec<Child>),
    /// The manifest of one image.
    Image {
        /// Its configuration.
        config: Descriptor,
        /// Its layers, lowest first.
        layers: Vec<Descriptor>,
    },
}

/// One child of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// What it is.
    pub descriptor: Descriptor,
    /// What it was built for, by the index.
    pub platform: Option<Platform>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What we need of an image's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The platform, where it names both parts.
    pub platform: Option<Platform>,
    /// The digests of the uncompressed layers, lowest first.
    pub diff_ids: Vec<Digest>,
    /// The user that containers run as, as it is written; `None`: absent or empty.
    pub user: Option<String>,
    /// When it was built; `None`: it does not say so in a way that can be read.
    pub created: Option<Timestamp>,
}

pub(crate) const MANIFEST_FIELDS: &[&str] = &[
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "digest",
    "size",
    "urls",
    "data",
    "platform",
    "architecture",
    "os",
    "variant",
    "fsLayers",
];
const CONFIG_FIELDS: &[&str] =
    &["architecture", "os", "variant", "rootfs", "diff_ids", "created", "config", "User"];
/// Objects of configurations with free keys.
const CONFIG_MAPS: &[&str] = &["Labels", "ExposedPorts", "Volumes", "annotations"];

#[derive(Deserialize)]
struct RawManifest {
    #[serde(rename = "schemaVersion")]
    schema_version: Option<u64>,
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
    #[serde(rename = "fsLayers")]
    fs_layers: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawDescriptor {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    digest: Digest,
    size: u64,
    platform: Option<RawPlatform>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RawPlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(default)]
    os: Option<String>,
    #[serde(default)]
    architecture: Option<String>,
    variant: Option<String>,
    rootfs: Option<RawRootfs>,
    config: Option<RawRuntime>,
    #[serde(default)]
    created: serde_json::Value,
}

#[derive(Deserialize)]
struct RawRuntime {
    #[serde(rename = "User")]
    user: Option<String>,
}

#[derive(Deserialize)]
struct RawRootfs {
    diff_ids: Option<Vec<Digest>>,
}

impl From<RawDescriptor> for Descriptor {
    fn from(raw: RawDescriptor) -> Self {
        Self { media_type: raw.media_type, digest: raw.digest, size: raw.size }
    }
}

fn platform(os: String, architecture: String, variant: Option<String>) -> Option<Platform> {
    (!os.is_empty() && !architecture.is_empty()).then(|| Platform {
        os,
        architecture,
        variant: variant.filter(|v| !v.is_empty()),
    })
}

/// Reads a manifest or an index. `stated` is the media type that whoever pointed here gave: the
/// parent's descriptor, or the registry's `Content-Type`. It may be empty or generic
/// (`application/json`); otherwise what the document says of itself must agree.
///
/// # Errors
/// When it is malformed, of schema 1 or an unknown type, contradicts itself or `stated`, or has
/// more children or layers than the limits allow.
pub fn parse_manifest(bytes: &[u8], stated: &str, what: &str, limits: &Limits) -> Result<Manifest> {
    let rules = Rules {
        what,
        limit: limits.manifest_bytes,
        fields: MANIFEST_FIELDS,
        maps: &["annotations"],
    };
    let raw: RawManifest = parse_strict(bytes, &rules)?;
    let wrong = |why: String| Error::new(ErrorKind::Malformed, format!("{what}: {why}"));
    let kind = kind(&raw, stated).map_err(wrong)?;
    if raw.manifests.is_some() && (raw.layers.is_some() || raw.config.is_some()) {
        return Err(wrong(
            "it has both `manifests` and `layers` or `config`, so readers disagree about what it is"
                .into(),
        ));
    }
    match kind {
        Document::Schema1 => Err(wrong(SCHEMA1.into())),
        Document::Index => {
            let Some(children) = raw.manifests else {
                return Err(wrong("it is an index and has no `manifests`".into()));
            };
            if children.len() > limits.index_children {
                return Err(limits.over(Limit::IndexChildren).within(what));
            }
            Ok(Manifest::Index(children.into_iter().map(child).collect()))
        }
        Document::Manifest => {
            let Some(config) = raw.config else {
                return Err(wrong("it is an image manifest and has no `config`".into()));
            };
            let layers = raw.layers.unwrap_or_default();
            if layers.len() > limits.layers {
                return Err(limits.over(Limit::Layers).within(what));
            }
            Ok(Manifest::Image {
                config: config.into(),
                layers: layers.into_iter().map(Into::into).collect(),
            })
        }
    }
}

const SCHEMA1: &str = "it is a Docker manifest of schema 1, which is not supported: push the \
                       image again with a current tool";

/// What the document is, by itself and by who pointed at it, which must agree.
fn kind(raw: &RawManifest, stated: &str) -> std::result::Result<Document, String> {
    let stated = media_type::essence(stated);
    let generic = matches!(
        stated.as_str(),
        "" | "application/json" | "application/octet-stream" | "text/plain"
    );
    if raw.schema_version == Some(1) || raw.fs_layers.is_some() {
        return Ok(Document::Schema1);
    }
    let own = raw.media_type.as_deref().map(media_type::essence).filter(|m| !m.is_empty());
    if let Some(own) = &own
        && !generic
        && *own != stated
    {
        return Err(format!("its mediaType is {own:?}, but it is stated to be {stated:?}"));
    }
    let shown = match own {
        Some(own) => own,
        None if generic => return Err("nothing says what media type it has".into()),
        None => stated,
    };
    let kind = media_type::document(&shown)
        .ok_or_else(|| format!("{shown:?} is no media type of an image manifest or index"))?;
    if raw.schema_version != Some(2) && kind != Document::Schema1 {
        return Err("its schemaVersion is not 2".into());
    }
    Ok(kind)
}

fn child(mut raw: RawDescriptor) -> Child {
    let platform = raw.platform.take().and_then(|p| platform(p.os, p.architecture, p.variant));
    let annotations = raw.annotations.take().unwrap_or_default();
    Child { descriptor: raw.into(), platform, annotations }
}

/// Reads an image's configuration.
///
/// # Errors
/// When it is malformed, has more layers than the limits allow or a user longer than
/// [`USER_MAX`].
pub fn parse_config(bytes: &[u8], what: &str, limits: &Limits) -> Result<Config> {
    let rules =
        Rules { what, limit: limits.manifest_bytes, fields: CONFIG_FIELDS, maps: CONFIG_MAPS };
    let raw: RawConfig = parse_strict(bytes, &rules)?;
    let diff_ids = raw.rootfs.and_then(|r| r.diff_ids).unwrap_or_default();
    if diff_ids.len() > limits.layers {
        return Err(limits.over(Limit::Layers).within(what));
    }
    let platform =
        platform(raw.os.unwrap_or_default(), raw.architecture.unwrap_or_default(), raw.variant);
    let user = raw.config.and_then(|c| c.user).filter(|u| !u.is_empty());
    if let Some(user) = &user
        && user.len() > USER_MAX
    {
        let why = format!("its user has {} bytes, more than {USER_MAX}", user.len());
        return Err(Error::new(ErrorKind::Malformed, format!("{what}: {why}")));
    }
    let created = raw.created.as_str().and_then(created);
    Ok(Config { platform, diff_ids, user, created })
}

/// A date in RFC 3339. Go's zero time is how tools write that they do not say.
fn created(text: &str) -> Option<Timestamp> {
    if text.len() > 64 || text == "0001-01-01T00:00:00Z" {
        return None;
    }
    text.parse().ok()
}

/// Everything a fuzzer should reach here.
pub fn fuzz(bytes: &[u8]) {
    let limits = Limits::default();
    let _ = parse_manifest(bytes, "", "manifest", &limits);
    let _ = parse_manifest(bytes, media_type::OCI_INDEX, "index", &limits);
    let _ = parse_config(bytes, "configuration", &limits);
    crate::artifact::fuzz(bytes);
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
