//! The licence of what stands in each ecosystem's zip, as their publishers state it
//! (<https://google.github.io/osv.dev/data/> and the publishers' own pages). Where none is known
//! to be stated, that is said; nothing is guessed.

use cleanbill_core::ecosystem::Ecosystem;

/// The licence for people.
pub(super) fn licence(ecosystem: Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Alpine => "as published by Alpine Linux (no licence stated)",
        Ecosystem::Debian => "MIT (Debian security tracker)",
        Ecosystem::Ubuntu => "CC-BY-SA-4.0",
        Ecosystem::AlmaLinux => "MIT",
        Ecosystem::Bitnami | Ecosystem::Cran | Ecosystem::Bioconductor => "Apache-2.0",
        Ecosystem::RockyLinux => "BSD (Rocky Linux)",
        // The GitHub Advisory Database, and the databases that it and OSV take together with it.
        Ecosystem::PyPI
        | Ecosystem::Npm
        | Ecosystem::Go
        | Ecosystem::GitHubActions
        | Ecosystem::Hex
        | Ecosystem::Maven
        | Ecosystem::NuGet
        | Ecosystem::Packagist
        | Ecosystem::Pub
        | Ecosystem::RubyGems
        | Ecosystem::SwiftUrl
        | Ecosystem::RedHat
        | Ecosystem::Suse
        | Ecosystem::OpenSuse
        | Ecosystem::OssFuzz => "CC-BY-4.0",
        Ecosystem::CratesIo | Ecosystem::Hackage | Ecosystem::Ghc | Ecosystem::Opam => "CC0-1.0",
        Ecosystem::Chainguard | Ecosystem::Wolfi => {
            "as published by Chainguard: not for commercial use, no derivatives"
        }
        Ecosystem::Alpaquita
        | Ecosystem::AmazonLinux
        | Ecosystem::Android
        | Ecosystem::AzureLinux
        | Ecosystem::BellSoft
        | Ecosystem::CleanStart
        | Ecosystem::ConanCenter
        | Ecosystem::DockerHardened
        | Ecosystem::Echo
        | Ecosystem::FreeBSD
        | Ecosystem::Julia
        | Ecosystem::Kubernetes
        | Ecosystem::Linux
        | Ecosystem::Mageia
        | Ecosystem::MinimOs
        | Ecosystem::OpenEuler
        | Ecosystem::OracleLinux
        | Ecosystem::PhotonOs
        | Ecosystem::RedHatLightwell
        | Ecosystem::Root
        | Ecosystem::TuxCare
        | Ecosystem::VsCode => "as published (its licence is not known here)",
    }
}
