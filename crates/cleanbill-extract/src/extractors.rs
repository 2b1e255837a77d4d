//! The one list of what is looked for. To add an ecosystem: a file that defines an
//! [`Extractor`], a line here, a member of [`Wanted`].

use serde::{Deserialize, Serialize};

use crate::checksums::Sums;
use crate::facts::Facts;
use crate::{
    apk, bitnami, content_manifest, dpkg, go_binary, node, os_release, passwd, python, rpm,
    rust_binary, yum,
};

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// os-release and its older relatives.
    Release,
    /// Alpine's list of repositories.
    ApkRepositories,
    /// apk's database of installed packages.
    ApkInstalled,
    /// dpkg's database of packages.
    DpkgStatus,
    /// One package's part of it, as distroless images have them.
    DpkgStatusD,
    /// The list of files of one package of dpkg.
    DpkgFiles,
    /// rpm's database in SQLite.
    RpmSqlite,
    /// What belongs to that database and is not in it.
    RpmSqliteLog,
    /// rpm's database in its own format.
    RpmNdb,
    /// rpm's database in Berkeley DB.
    RpmBerkeley,
    /// The list of packages of images without rpm's database.
    RpmManifest,
    /// The repository that yum installed a package from.
    YumRepository,
    /// The repositories that packages of Red Hat's images come from.
    ContentManifest,
    /// The names of users.
    Passwd,
    /// Metadata of an installed Python distribution.
    PythonMetadata,
    /// The manifest of a Node package.
    NodePackage,
    /// A Go program, known by its content alone.
    GoProgram,
    /// A Rust program, known by its content alone.
    RustProgram,
    /// What Bitnami says of an application that it packaged.
    BitnamiDocument,
    /// Any file that a package may have brought, for its checksums alone.
    Checksums,
}

impl Wanted {
    /// Every kind of file.
    pub const ALL: &'static [Self] = &[
        Self::Release,
        Self::ApkRepositories,
        Self::ApkInstalled,
        Self::DpkgStatus,
        Self::DpkgStatusD,
        Self::DpkgFiles,
        Self::RpmSqlite,
        Self::RpmSqliteLog,
        Self::RpmNdb,
        Self::RpmBerkeley,
        Self::RpmManifest,
        Self::YumRepository,
        Self::ContentManifest,
        Self::Passwd,
        Self::PythonMetadata,
        Self::NodePackage,
        Self::GoProgram,
        Self::RustProgram,
        Self::BitnamiDocument,
        Self::Checksums,
    ];

    /// The word that stands for it in keys and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::ApkRepositories => "apk-repositories",
            Self::ApkInstalled => "apk-installed",
            Self::DpkgStatus => "dpkg-status",
            Self::DpkgStatusD => "dpkg-status-d",
            Self::DpkgFiles => "dpkg-files",
            Self::RpmSqlite => "rpm-sqlite",
            Self::RpmSqliteLog => "rpm-sqlite-log",
            Self::RpmNdb => "rpm-ndb",
            Self::RpmBerkeley => "rpm-berkeley",
            Self::RpmManifest => "rpm-manifest",
            Self::YumRepository => "yum-repository",
            Self::ContentManifest => "content-manifest",
            Self::Passwd => "passwd",
            Self::PythonMetadata => "python-metadata",
            Self::NodePackage => "node-package",
            Self::GoProgram => "go-program",
            Self::RustProgram => "rust-program",
            Self::BitnamiDocument => "bitnami-document",
            Self::Checksums => "checksums",
        }
    }

    /// Whether such files count where they are asked for only, rather than wherever they are.
    pub(crate) fn has_place(self) -> bool {
        match self {
            Self::Release
            | Self::ApkRepositories
            | Self::ApkInstalled
            | Self::DpkgStatus
            | Self::DpkgStatusD
            | Self::DpkgFiles
            | Self::RpmSqlite
            | Self::RpmSqliteLog
            | Self::RpmNdb
            | Self::RpmBerkeley
            | Self::RpmManifest
            | Self::YumRepository
            | Self::ContentManifest
            | Self::Passwd
            | Self::Checksums => true,
            Self::PythonMetadata
            | Self::NodePackage
            | Self::GoProgram
            | Self::RustProgram
            | Self::BitnamiDocument => false,
        }
    }
}

/// One kind of file: which paths are of it, and how its content is read.
pub(crate) struct Extractor {
    pub(crate) wanted: Wanted,
    /// Whether a path (as a layer lists it) is of this kind.
    pub(crate) wants: fn(&str) -> bool,
    /// Reads the whole content; the path is the name by which it is wanted.
    pub(crate) read: fn(&str, &[u8]) -> Facts,
}

/// Every extractor that reads whole files, chosen by name. All other files are looked at by
/// [`program`](crate::program), which goes by content; [`checksums`](crate::checksums) are taken beside either.
pub(crate) const EXTRACTORS: &[Extractor] = &[
    os_release::RELEASE,
    apk::REPOSITORIES,
    apk::INSTALLED,
    dpkg::STATUS,
    dpkg::STATUS_D_FILE,
    dpkg::FILES,
    rpm::SQLITE,
    rpm::SQLITE_LOG,
    rpm::NDB,
    rpm::BERKELEY,
    rpm::MANIFEST,
    yum::REPOSITORY,
    content_manifest::MANIFEST,
    passwd::PASSWD,
    python::METADATA,
    node::PACKAGE,
    bitnami::DOCUMENT,
];

/// What a file of this path would be read as, or `None`.
pub(crate) fn wanted(path: &str) -> Option<Wanted> {
    EXTRACTORS.iter().find(|e| (e.wants)(path)).map(|e| e.wanted)
}

/// Reads a file's content as what it is wanted as.
pub(crate) fn read(wanted: Wanted, named: &str, bytes: &[u8]) -> Facts {
    if wanted == Wanted::GoProgram {
        return go_binary::scan(bytes, 16 << 20, usize::MAX).unwrap_or_default();
    }
    if wanted == Wanted::RustProgram {
        return rust_binary::scan(bytes, usize::MAX).unwrap_or_default();
    }
    if wanted == Wanted::Checksums {
        return Facts { sums: Some(Sums::of(bytes)), ..Facts::default() };
    }
    EXTRACTORS
        .iter()
        .find(|e| e.wanted == wanted)
        .map(|e| (e.read)(named, bytes))
        .unwrap_or_default()
}

/// Parses a file's content and says how many packages it claims and how many of its parts could
/// not be understood: the entry point of fuzzing.
pub fn parse(wanted: Wanted, named: &str, bytes: &[u8]) -> (usize, usize) {
    let facts = read(wanted, named, bytes);
    (facts.claims.len(), facts.problems.len())
}
