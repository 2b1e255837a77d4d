//! A package as some file inside an image claims it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ecosystem::Ecosystem;
use crate::glob::Glob;

mod kind;

pub use kind::PackageKind;

/// The source package that a binary package was built from; advisories of distributions speak
/// of sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name (apk: origin; dpkg: `Source`; rpm: the first part of `SOURCERPM`).
    pub name: String,
    /// Its version, which may differ from the binary package's. rpm does not write a source's
    /// epoch down: there it is left out, which does not mean that it is 0.
    pub version: String,
}

/// Which layer brought something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayerId {
    /// The digest of the uncompressed tar. For a root filesystem folder there is none.
    pub diff_id: Digest,
    /// The digest of the blob as it is stored, where the source has one of its own.
    pub blob: Digest,
}

/// One package, with what proves that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its kind.
    pub kind: PackageKind,
    /// The name as its database writes it (Python: as written, normalised only for matching).
    pub name: String,
    /// The installed version as written, epoch included (dpkg; rpm writes `epoch:version-release`,
    /// without an epoch of 0). Go modules keep their `v`; `stdlib` is written `v1.22.3`. Never
    /// empty: a package without one is a gap.
    pub version: String,
    /// The source package, where the database names one; otherwise name and version serve.
    pub source: Option<SourcePackage>,
    /// The architecture as the database writes it.
    pub arch: Option<String>,
    /// Who built it, where the database says so: rpm's `VENDOR`, the maintainer of dpkg and apk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The module that it is of (rpm's `MODULARITYLABEL`, `name:stream:version:context`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The repository that it was installed from, where its installer wrote that down (yum,
    /// `amzn2extra-docker`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The package URL (<https://github.com/package-url/purl-spec>).
    pub purl: String,
    /// The layer that brought it; `None` for a root filesystem folder.
    pub layer: Option<LayerId>,
    /// The file that proves it, absolute inside the image without the leading slash.
    pub evidence: String,
    /// For a language package: the operating-system package that lists `evidence` with the
    /// checksum that it has, which is to say that brought it as it is.
    pub owner: Option<String>,
    /// For a language package without an `owner`: the operating-system package that lists
    /// `evidence`, but not with the checksum that it has. Somebody changed or replaced it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_from: Option<String>,
}

impl Package {
    /// Whether a name with `*` in it means this package, by its own name or its source's, as its
    /// ecosystem compares names: `pyyaml` means `PyYAML`.
    pub fn is_named(&self, wanted: &Glob) -> bool {
        let names = [self.name.as_str(), self.source_name()];
        let same = |ecosystem: Ecosystem| match ecosystem.package_name(wanted.as_str()) {
            // There every name stands for itself.
            Cow::Borrowed(_) => false,
            Cow::Owned(wanted) => {
                let wanted = Glob::new(wanted);
                names.iter().any(|name| wanted.matches(&ecosystem.package_name(name)))
            }
        };
        names.iter().any(|name| wanted.matches(name)) || self.kind.ecosystem().is_some_and(same)
    }

    /// The name that advisories of its ecosystem use for the source.
    pub fn source_name(&self) -> &str {
        self.source.as_ref().map_or(&self.name, |s| &s.name)
    }

    /// The version that advisories of its ecosystem compare with.
    pub fn source_version(&self) -> &str {
        self.source.as_ref().map_or(&self.version, |s| &s.version)
    }
}
