//! When two names mean one package: each ecosystem's rule, so that feeds and images are looked
//! up by the same text. A rule may only join names that the ecosystem itself holds to be one. And
//! which ecosystems of rpm packages speak of sources, whose names are not those of packages.

use std::borrow::Cow;

use super::Ecosystem;

impl Ecosystem {
    /// The name as the ecosystem compares names.
    pub fn package_name(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::PyPI => python(name),
            // nuget.org, Packagist, GitHub and the Marketplace find names in any case.
            Self::NuGet | Self::Packagist | Self::GitHubActions | Self::VsCode => lower(name),
            Self::SwiftUrl => address(name),
            Self::Alpine
            | Self::Debian
            | Self::Ubuntu
            | Self::AlmaLinux
            | Self::Alpaquita
            | Self::AmazonLinux
            | Self::AzureLinux
            | Self::BellSoft
            | Self::Chainguard
            | Self::CleanStart
            | Self::DockerHardened
            | Self::Echo
            | Self::FreeBSD
            | Self::Mageia
            | Self::MinimOs
            | Self::OpenEuler
            | Self::OpenSuse
            | Self::OracleLinux
            | Self::PhotonOs
            | Self::RedHat
            | Self::RedHatLightwell
            | Self::RockyLinux
            | Self::Root
            | Self::Suse
            | Self::TuxCare
            | Self::Wolfi
            | Self::Bitnami
            | Self::Npm
            | Self::Go
            | Self::CratesIo
            | Self::Bioconductor
            | Self::ConanCenter
            | Self::Cran
            | Self::Ghc
            | Self::Hackage
            | Self::Hex
            | Self::Julia
            | Self::Kubernetes
            | Self::Maven
            | Self::Opam
            | Self::Pub
            | Self::RubyGems
            | Self::Android
            | Self::Linux
            | Self::OssFuzz => Cow::Borrowed(name),
        }
    }
}

impl Ecosystem {
    /// Whether OSV's entries of it name the source that rpm packages are built from, and not the
    /// packages (the schema's "Defined ecosystems"; for AlmaLinux it says so too, and the entries
    /// name packages).
    pub fn osv_names_sources(self) -> bool {
        matches!(
            self,
            Self::AzureLinux
                | Self::Mageia
                | Self::OpenEuler
                | Self::OpenSuse
                | Self::RockyLinux
                | Self::Suse
        )
    }

    /// Whether some feed of it names the source that rpm packages are built from, so that each is
    /// looked up by its source too.
    pub fn names_sources(self) -> bool {
        self.osv_names_sources() || matches!(self, Self::PhotonOs | Self::RedHat)
    }
}

/// Lower case, with every run of `-`, `_` and `.` one hyphen (PEP 503, "Normalized Names").
fn python(name: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    Cow::Owned(out)
}

fn lower(name: &str) -> Cow<'_, str> {
    Cow::Owned(name.to_ascii_lowercase())
}

/// Where a repository is, as Swift's package manager compares it: without the way to get there
/// (`https://`), without `.git`, in lower case.
fn address(name: &str) -> Cow<'_, str> {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    let name = name.trim_end_matches('/');
    lower(name.strip_suffix(".git").unwrap_or(name))
}
