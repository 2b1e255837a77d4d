//! Which image is meant by a `pkg:oci` URL: what is known for sure about the one at hand.

use crate::digest::Digest;
use crate::purl::PackageUrl;
use crate::reference::ImageRef;

/// What is scanned, as far as statements about images can name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The name by which it was fetched. Names that an archive gives itself do not belong here:
    /// whoever made the archive chose them.
    pub name: Option<ImageRef>,
    /// Digests that were checked against its bytes: of its index, manifest and configuration.
    pub digests: Vec<Digest>,
    /// Its architecture, in Go's names.
    pub architecture: Option<String>,
}

impl Subject {
    /// Whether a URL of the type `oci` names this image.
    ///
    /// With a digest, the digest decides: it is about bytes, wherever they are kept. Without one,
    /// the name, and repository and tag as far as they are given, must be those by which the
    /// image was fetched. An architecture that is given must be the image's. With any other
    /// qualifier nobody knows what is meant, so no image is.
    pub(super) fn is_named_by(&self, purl: &PackageUrl) -> bool {
        let (mut repository, mut tag) = (None, None);
        for (key, value) in purl.qualifiers() {
            match key {
                "repository_url" => repository = Some(value),
                "tag" => tag = Some(value),
                "arch" if self.architecture.as_deref() == Some(value) => {}
                _ => return false,
            }
        }
        if !purl.namespace().is_empty() {
            return false;
        }
        if let Some(version) = purl.version() {
            let digest = version.parse::<Digest>().ok();
            return digest.is_some_and(|d| self.digests.contains(&d));
        }
        let Some(name) = &self.name else { return false };
        let last = name.repository().rsplit('/').next().unwrap_or_default();
        last == purl.name()
            && repository.is_none_or(|url| self.is_at(name, url, last))
            && tag.is_none_or(|tag| name.tag() == Some(tag))
    }

    /// Whether a `repository_url` is this repository, with or without its last part: both are
    /// written.
    fn is_at(&self, name: &ImageRef, url: &str, last: &str) -> bool {
        let url = url.trim_start_matches("https://").trim_end_matches('/').to_lowercase();
        let url = match url.split_once('/') {
            Some(("index.docker.io" | "registry-1.docker.io", rest)) => format!("docker.io/{rest}"),
            Some(_) | None => url,
        };
        let whole = name.name();
        whole == url || whole.strip_suffix(last).and_then(|w| w.strip_suffix('/')) == Some(&*url)
    }
}
