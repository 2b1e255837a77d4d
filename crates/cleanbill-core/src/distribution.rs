//! The Linux distribution that an image says it is.

use serde::{Deserialize, Serialize};

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
