//! The media types of images and layers, OCI's and Docker's, as closed sets.
//!
//! It knows names only; nothing here looks at bytes.

use cleanbill_core::gap::GapKind;

/// What a manifest document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// An OCI image index or a Docker manifest list.
    Index,
    /// An OCI image manifest or a Docker manifest of schema 2.
    Manifest,
    /// A Docker manifest of schema 1, which nothing may rely on any more.
    Schema1,
}

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker manifest, version 2, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// OCI image configuration.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Docker image configuration.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// An uncompressed layer as Docker names it.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// An uncompressed layer as OCI names it.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The document of a media type; parameters after `;` do not count.
pub fn document(media_type: &str) -> Option<Document> {
    match essence(media_type).as_str() {
        OCI_INDEX | DOCKER_LIST => Some(Document::Index),
        OCI_MANIFEST | DOCKER_MANIFEST => Some(Document::Manifest),
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => Some(Document::Schema1),
        _ => None,
    }
}

/// A media type without parameters, in lower case (RFC 9110: types are case-insensitive).
pub fn essence(media_type: &str) -> String {
    let (essence, _) = media_type.split_once(';').unwrap_or((media_type, ""));
    essence.trim().to_ascii_lowercase()
}

/// How a layer is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

impl Compression {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "no compression",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// What a layer's media type says of it: how to read it, or why it will not be read.
pub fn layer(media_type: &str) -> Result<Compression, GapKind> {
    const BASES: &[(&str, bool)] = &[
        (OCI_LAYER, true),
        (DOCKER_LAYER, true),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", false),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar", false),
    ];
    let essence = essence(media_type);
    if essence.split('+').skip(1).any(|suffix| suffix == "encrypted") {
        return Err(GapKind::EncryptedLayer);
    }
    let known = BASES.iter().find_map(|(base, here)| Some((essence.strip_prefix(base)?, *here)));
    let compression = match known {
        Some(("", _)) => Compression::None,
        Some(("+gzip" | ".gzip", _)) => Compression::Gzip,
        Some(("+zstd" | ".zstd", _)) => Compression::Zstd,
        Some(_) | None => return Err(GapKind::UnknownLayerType),
    };
    match known {
        Some((_, true)) => Ok(compression),
        Some((_, false)) | None => Err(GapKind::ForeignLayer),
    }
}

#[cfg(test)]
mod tests {
    use cleanbill_core::gap::GapKind;

    use super::{Compression, layer};

    #[test]
    fn layers_are_readable_by_their_media_type_or_a_gap() {
        let table: &[(&str, Result<Compression, GapKind>)] = &[
            ("application/vnd.oci.image.layer.v1.tar", Ok(Compression::None)),
            ("application/vnd.oci.image.layer.v1.tar+gzip", Ok(Compression::Gzip)),
            ("application/vnd.oci.image.layer.v1.tar+zstd", Ok(Compression::Zstd)),
            ("application/vnd.docker.image.rootfs.diff.tar", Ok(Compression::None)),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", Ok(Compression::Gzip)),
            ("application/vnd.docker.image.rootfs.diff.tar.zstd", Ok(Compression::Zstd)),
            ("Application/vnd.oci.image.layer.v1.tar; x=y", Ok(Compression::None)),
            (
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                Err(GapKind::ForeignLayer),
            ),
            (
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                Err(GapKind::ForeignLayer),
            ),
            ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", Err(GapKind::EncryptedLayer)),
            ("application/vnd.oci.image.layer.v1.tar+xz", Err(GapKind::UnknownLayerType)),
            ("application/vnd.in-toto+json", Err(GapKind::UnknownLayerType)),
            ("", Err(GapKind::UnknownLayerType)),
        ];
        for (media_type, expected) in table {
            assert_eq!(layer(media_type), *expected, "{media_type}");
        }
    }
}
