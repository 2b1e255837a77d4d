//! The Linux distribution that an image says it is.

use serde::{Deserialize, Serialize};

use crate::package::PackageKind;

/// What os-release and its relatives say, and the release that advisories are looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Distribution {
    /// The `ID` of os-release in lower case, such as `alpine`, `debian`, `ubuntu`.
    pub id: String,
    /// The version as the image writes it, such as `3.9.4`, `12.5`, `22.04`, or empty (sid).
    pub version: String,
    /// The release that advisories and end-of-life dates are filed under: `3.9`, `12`, `22.04`,
    /// `edge`. For Alpine the branch in `etc/apk/repositories` beats os-release.
    pub release: String,
    /// The name for people (`PRETTY_NAME`), or the id.
    pub pretty_name: String,
    /// The file that says so.
    pub evidence: String,
    /// The repositories that its packages come from, where the image names them, as Red Hat's do
    /// (content sets): sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_sets: Vec<String>,
}

/// Distributions whose packages can be read, by their `ID`. Of some nobody's advisories are known, which
/// [`matching`](crate::matching) says.
const KNOWN: [(&str, PackageKind); 22] = [
    ("alpine", PackageKind::Apk),
    ("alpaquita", PackageKind::Apk),
    ("chainguard", PackageKind::Apk),
    ("minimos", PackageKind::Apk),
    ("wolfi", PackageKind::Apk),
    ("debian", PackageKind::Deb),
    ("ubuntu", PackageKind::Deb),
    ("almalinux", PackageKind::Rpm),
    ("amzn", PackageKind::Rpm),
    ("azurelinux", PackageKind::Rpm),
    ("centos", PackageKind::Rpm),
    ("fedora", PackageKind::Rpm),
    ("mageia", PackageKind::Rpm),
    ("mariner", PackageKind::Rpm),
    ("ol", PackageKind::Rpm),
    ("openeuler", PackageKind::Rpm),
    ("opensuse-leap", PackageKind::Rpm),
    ("opensuse-tumbleweed", PackageKind::Rpm),
    ("photon", PackageKind::Rpm),
    ("rhel", PackageKind::Rpm),
    ("rocky", PackageKind::Rpm),
    ("sles", PackageKind::Rpm),
];

/// The kind of a distribution's packages, by its `ID`; `None`: it is not known.
pub fn packages_of(id: &str) -> Option<PackageKind> {
    KNOWN.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind)
}
