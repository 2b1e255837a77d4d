//! The worlds that packages and advisories live in, named as OSV names them: one table that says
//! of each how its versions are ordered and what may follow its name. It may not guess: where
//! versions have no order that somebody defined, there is none here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::version::Scheme;

mod names;
mod stream;

pub use stream::Stream;

/// What may follow an ecosystem's name after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// Nothing: there is one stream of advisories.
    Nothing,
    /// The release of a distribution, or the product: each has advisories of its own.
    Release,
    /// The address of a repository of packages, where it is not the usual one.
    Repository,
    /// The ecosystem, with its own suffix, whose packages are rebuilt.
    Ecosystem,
}

/// Makes the enum and what is said of each member from rows `Member = name, order, suffix;`.
macro_rules! ecosystems {
    ($($(#[$doc:meta])+ $member:ident = $name:literal, $scheme:expr, $suffix:expr;)+) => {
        /// An ecosystem of the OSV schema ("Defined ecosystems", 1.7.5), or one that a
        /// distribution's own feed fills.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum Ecosystem {
            $($(#[$doc])+ $member,)+
        }

        impl Ecosystem {
            /// Every ecosystem.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$member),+];

            /// The name as OSV writes it, which is also the folder of its `all.zip`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $name,)+ }
            }

            /// The order of its versions, or `None` where none is defined or known here:
            /// advisories of such an ecosystem are kept in the snapshot, and nothing can be
            /// matched against them. What is rebuilt for others is asked by [`Stream::scheme`].
            pub const fn scheme(self) -> Option<Scheme> {
                match self { $(Self::$member => $scheme,)+ }
            }

            /// What may follow its name.
            pub const fn suffix(self) -> Suffix {
                match self { $(Self::$member => $suffix,)+ }
            }
        }
    };
}

// Distributions and images first, then languages, then what has no order.
ecosystems! {
    /// Alpine Linux; releases are written `v3.19`.
    Alpine = "Alpine", Some(Scheme::Apk), Suffix::Release;
    /// Debian; releases are written `12`.
    Debian = "Debian", Some(Scheme::Deb), Suffix::Release;
    /// Ubuntu; releases are written `22.04` or `22.04:LTS`; Pro streams have `Pro` in them.
    Ubuntu = "Ubuntu", Some(Scheme::Deb), Suffix::Release;
    /// AlmaLinux; releases are written `9`.
    AlmaLinux = "AlmaLinux", Some(Scheme::Rpm), Suffix::Release;
    /// BellSoft's Alpaquita Linux; releases are written `23`, `stream`.
    Alpaquita = "Alpaquita", Some(Scheme::Apk), Suffix::Release;
    /// Amazon Linux, whose own feed fills it (OSV has none); releases are written `2`, `2023`.
    AmazonLinux = "Amazon Linux", Some(Scheme::Rpm), Suffix::Release;
    /// Azure Linux (CBL-Mariner); releases are written `3`.
    AzureLinux = "Azure Linux", Some(Scheme::Rpm), Suffix::Release;
    /// BellSoft's hardened images; releases are written `23`, `stream`.
    BellSoft = "BellSoft Hardened Containers", Some(Scheme::Apk), Suffix::Release;
    /// Chainguard's images, which have no releases.
    Chainguard = "Chainguard", Some(Scheme::Apk), Suffix::Nothing;
    /// CleanStart's images, which have no releases.
    CleanStart = "CleanStart", Some(Scheme::Apk), Suffix::Nothing;
    /// Docker's hardened images.
    DockerHardened = "Docker Hardened Images", Some(Scheme::Semver), Suffix::Nothing;
    /// Echo's rebuilds: of Debian where nothing follows, else of the ecosystem that follows.
    Echo = "Echo", Some(Scheme::Deb), Suffix::Ecosystem;
    /// FreeBSD: `ports`, `base`, `kernel`, each with a release or none.
    FreeBSD = "FreeBSD", None, Suffix::Release;
    /// Mageia; releases are written `9`.
    Mageia = "Mageia", Some(Scheme::Rpm), Suffix::Release;
    /// MinimOS, which has no releases.
    MinimOs = "MinimOS", Some(Scheme::Apk), Suffix::Nothing;
    /// openEuler; releases are written `24.03-LTS-SP1`.
    OpenEuler = "openEuler", Some(Scheme::Rpm), Suffix::Release;
    /// openSUSE; releases are written as in `PRETTY_NAME` (`Leap 15.6`).
    OpenSuse = "openSUSE", Some(Scheme::Rpm), Suffix::Release;
    /// Oracle Linux, whose own feed fills it (OSV has none); releases are written `9`.
    OracleLinux = "Oracle Linux", Some(Scheme::Rpm), Suffix::Release;
    /// Photon OS; releases are written `5.0`.
    PhotonOs = "Photon OS", Some(Scheme::Rpm), Suffix::Release;
    /// Red Hat's products by the end of their CPE (`enterprise_linux:9::baseos`).
    RedHat = "Red Hat", Some(Scheme::Rpm), Suffix::Release;
    /// Red Hat's rebuilds of libraries of the ecosystem that follows (`Red Hat Lightwell:Maven`).
    RedHatLightwell = "Red Hat Lightwell", None, Suffix::Ecosystem;
    /// Rocky Linux; releases are written `9`.
    RockyLinux = "Rocky Linux", Some(Scheme::Rpm), Suffix::Release;
    /// Root's rebuilds of the ecosystem that follows (`Root:Alpine:3.18`, `Root:PyPI`).
    Root = "Root", None, Suffix::Ecosystem;
    /// SUSE; releases are written as in `PRETTY_NAME` (`Linux Enterprise Server 15 SP5`).
    Suse = "SUSE", Some(Scheme::Rpm), Suffix::Release;
    /// TuxCare's rebuilds of the ecosystem that follows (`TuxCare:Alpine:v3.16`).
    TuxCare = "TuxCare", None, Suffix::Ecosystem;
    /// Wolfi, which has no releases.
    Wolfi = "Wolfi", Some(Scheme::Apk), Suffix::Nothing;
    /// Bitnami's packaged applications.
    Bitnami = "Bitnami", Some(Scheme::Bitnami), Suffix::Nothing;
    /// Python packages.
    PyPI = "PyPI", Some(Scheme::Pep440), Suffix::Nothing;
    /// Node packages.
    Npm = "npm", Some(Scheme::Semver), Suffix::Nothing;
    /// Go modules, with `stdlib` and `toolchain` for the language's own.
    Go = "Go", Some(Scheme::Go), Suffix::Nothing;
    /// Rust crates.
    CratesIo = "crates.io", Some(Scheme::Semver), Suffix::Nothing;
    /// R packages of Bioconductor.
    Bioconductor = "Bioconductor", Some(Scheme::Numbers), Suffix::Nothing;
    /// C and C++ packages of Conan. A recipe chooses what its version means, so there is no order.
    ConanCenter = "ConanCenter", None, Suffix::Nothing;
    /// R packages of CRAN.
    Cran = "CRAN", Some(Scheme::Numbers), Suffix::Nothing;
    /// The Glasgow Haskell Compiler.
    Ghc = "GHC", Some(Scheme::Semver), Suffix::Nothing;
    /// Actions, `owner/repository`. Their versions are whatever tags they have.
    GitHubActions = "GitHub Actions", None, Suffix::Nothing;
    /// Haskell packages.
    Hackage = "Hackage", Some(Scheme::Numbers), Suffix::Nothing;
    /// Erlang and Elixir packages.
    Hex = "Hex", Some(Scheme::Semver), Suffix::Nothing;
    /// Julia packages.
    Julia = "Julia", Some(Scheme::SemverBuild), Suffix::Nothing;
    /// Kubernetes itself, by its Go modules.
    Kubernetes = "Kubernetes", Some(Scheme::Semver), Suffix::Nothing;
    /// Java packages, `group:artifact`.
    Maven = "Maven", Some(Scheme::Maven), Suffix::Repository;
    /// .NET packages.
    NuGet = "NuGet", Some(Scheme::NuGet), Suffix::Nothing;
    /// OCaml packages.
    Opam = "opam", Some(Scheme::Opam), Suffix::Nothing;
    /// PHP packages, `vendor/name`.
    Packagist = "Packagist", Some(Scheme::Composer), Suffix::Repository;
    /// Dart packages.
    Pub = "Pub", Some(Scheme::SemverBuild), Suffix::Nothing;
    /// Ruby gems.
    RubyGems = "RubyGems", Some(Scheme::Gem), Suffix::Nothing;
    /// Swift packages by the address of their repository.
    SwiftUrl = "SwiftURL", Some(Scheme::Semver), Suffix::Nothing;
    /// Extensions of Visual Studio Code, `publisher.name`.
    VsCode = "VSCode", Some(Scheme::Semver), Suffix::Repository;
    /// Android's projects, whose versions are releases with dates of patches.
    Android = "Android", None, Suffix::Nothing;
    /// The Linux kernel as its makers release it.
    Linux = "Linux", None, Suffix::Nothing;
    /// Projects that OSS-Fuzz tests, by commits.
    OssFuzz = "OSS-Fuzz", None, Suffix::Nothing;
}

impl Ecosystem {
    /// The ecosystem of this name, as OSV writes it.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == name)
    }

    /// Whether its advisories are published per release of a distribution.
    pub fn has_releases(self) -> bool {
        match self.suffix() {
            Suffix::Release => true,
            Suffix::Nothing | Suffix::Repository | Suffix::Ecosystem => false,
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
