//! The one list of what is looked for. To add an ecosystem: a file that defines an
//! [`Extractor`], a line here, a member of [`Wanted`].

use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::{apk, content_manifest, dpkg, go_binary, node, os_release, passwd, python, rpm};

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
        Self::ContentManifest,
        Self::Passwd,
        Self::PythonMetadata,
        Self::NodePackage,
        Self::GoProgram,
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
            Self::ContentManifest => "content-manifest",
            Self::Passwd => "passwd",
            Self::PythonMetadata => "python-metadata",
            Self::NodePackage => "node-package",
            Self::GoProgram => "go-program",
        }
    }

    /// Whether such files count in certain places only, rather than wherever they are.
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
            | Self::ContentManifest
            | Self::Passwd => true,
            Self::PythonMetadata | Self::NodePackage | Self::GoProgram => false,
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
/// [`go_binary`], which goes by content.
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
    content_manifest::MANIFEST,
    passwd::PASSWD,
    python::METADATA,
    node::PACKAGE,
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
