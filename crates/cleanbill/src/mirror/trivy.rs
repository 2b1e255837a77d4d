//! Trivy's database as it is published: an artifact whose one layer is `db.tar.gz`. Where it lies is
//! the user's to say; what is in it is read by `cleanbill-advisory`.

use std::io::{self, Read};

use cleanbill_core::reference::{ImageRef, ParseReferenceError};
use cleanbill_oci::artifact::Artifact;
use cleanbill_oci::content::Descriptor;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::registry::Registry;

use super::{only_layer, pinned, rest};
use crate::failure::Result;

/// The media type of its layer.
const LAYER: &str = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip";
/// The tag of a database of the schema that is read, which a name without a tag means.
const TAG: &str = "2";

/// A database that was found.
pub struct Found {
    /// Its manifest as messages name it.
    pub name: String,
    /// The layer, `db.tar.gz`.
    pub layer: Descriptor,
    /// Where the layer is read from.
    artifact: Artifact,
}

impl Found {
    /// Opens its layer behind what is here of it.
    ///
    /// # Errors
    /// When the registry cannot be reached or refuses.
    pub fn rest(&self, here: &mut dyn Read) -> io::Result<Box<dyn Read>> {
        rest(&self.artifact, &self.layer, here)
    }
}

/// The name of a database: as Trivy has it, without a tag the one of the schema.
///
/// # Errors
/// When it is no name.
pub fn name(text: &str) -> std::result::Result<ImageRef, ParseReferenceError> {
    let last = text.rsplit('/').next().unwrap_or_default();
    // A host with a port and nothing behind it is no repository either way.
    let tagged = text.contains('@') || last.contains(':');
    if tagged { text.parse() } else { format!("{text}:{TAG}").parse() }
}

/// Finds it; nothing of the layer is read yet.
///
/// # Errors
/// When it cannot be reached, or is none.
pub fn find(name: &ImageRef, registry: &Registry, limits: &Limits) -> Result<Found> {
    let artifact = Artifact::find(registry, name, limits)?;
    let named = pinned(name, artifact.digest);
    let layer = only_layer(&artifact, LAYER, "database of Trivy");
    let layer = layer.map_err(|e| e.within(&named))?.clone();
    Ok(Found { name: named, layer, artifact })
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_without_a_tag_is_of_the_schema() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let table = [
            ("ghcr.io/aquasecurity/trivy-db", "ghcr.io/aquasecurity/trivy-db:2".to_owned()),
            ("127.0.0.1:5000/trivy-db", "127.0.0.1:5000/trivy-db:2".to_owned()),
            ("127.0.0.1:5000/trivy-db:3", "127.0.0.1:5000/trivy-db:3".to_owned()),
            (&format!("a.example/b@{digest}"), format!("a.example/b@{digest}")),
        ];
        for (text, wanted) in table {
            assert_eq!(name(text).unwrap().to_string(), wanted);
        }
    }
}
