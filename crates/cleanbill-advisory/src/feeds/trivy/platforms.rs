//! The top-level buckets of the database: which stream each one's advisories belong to.
//!
//! A bucket is named for a distribution and its release (`alpine 3.19`, `Red Hat`) or for a
//! language and who speaks of it (`pip::GitHub Security Advisory pip`). Buckets that describe the
//! database itself are no platforms. What is none of all that is counted and named, not dropped.

use cleanbill_core::ecosystem::{Ecosystem, Stream};

/// What a top-level bucket holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Advisories of a distribution's release.
    Release(Stream),
    /// Advisories of a language's packages; versions are in constraints.
    Language(Ecosystem),
    /// Red Hat's, whose streams stand in each entry.
    RedHat,
    /// What the database says of itself, or of flaws whatever the package: read elsewhere.
    Itself,
    /// Nothing that is known here; why.
    Unknown(&'static str),
}

/// Names of releases: `{}` stands for a version of digits and dots.
const RELEASES: &[(&str, &str)] = &[
    ("alpine {}", "Alpine:v{}"),
    ("alpine edge", "Alpine:edge"),
    ("debian {}", "Debian:{}"),
    ("ubuntu {}", "Ubuntu:{}"),
    // What a subscription brings, as OSV names it.
    ("ubuntu {}-ESM", "Ubuntu:Pro:{}:LTS"),
    ("alma {}", "AlmaLinux:{}"),
    ("rocky {}", "Rocky Linux:{}"),
    ("amazon linux {}", "Amazon Linux:{}"),
    ("Oracle Linux {}", "Oracle Linux:{}"),
    ("Photon OS {}", "Photon OS:{}"),
    ("Azure Linux {}.0", "Azure Linux:{}"),
    ("CBL-Mariner {}.0", "Azure Linux:{}"),
    ("openSUSE Leap Micro {}", "openSUSE:Leap Micro {}"),
    ("openSUSE Leap {}", "openSUSE:Leap {}"),
    ("openSUSE Tumbleweed", "openSUSE:Tumbleweed"),
    ("SUSE Linux Enterprise Micro {}", "SUSE:Linux Enterprise Micro {}"),
    ("SUSE Linux Enterprise {}", "SUSE:Linux Enterprise Server {}"),
    ("wolfi", "Wolfi"),
    ("chainguard", "Chainguard"),
    ("minimos", "MinimOS"),
    ("echo", "Echo"),
];

/// What stands before `::`, and the ecosystem as OSV names it.
const LANGUAGES: &[(&str, &str)] = &[
    ("bitnami", "Bitnami"),
    ("cargo", "crates.io"),
    ("composer", "Packagist"),
    ("conan", "ConanCenter"),
    ("erlang", "Hex"),
    ("go", "Go"),
    ("julia", "Julia"),
    ("k8s", "Kubernetes"),
    ("maven", "Maven"),
    ("npm", "npm"),
    ("nuget", "NuGet"),
    ("pip", "PyPI"),
    ("pub", "Pub"),
    ("rubygems", "RubyGems"),
    ("swift", "SwiftURL"),
];

/// Buckets that are no platforms.
pub(super) const DATA_SOURCES: &str = "data-source";
pub(super) const FLAWS: &str = "vulnerability";
pub(super) const RED_HAT: &str = "Red Hat";
pub(super) const RED_HAT_CPES: &str = "Red Hat CPE";

const NO_MATCHING: &str = "packages of it are not matched here";

/// What the bucket of this name holds.
pub(super) fn holds(bucket: &str) -> Holds {
    match bucket {
        DATA_SOURCES | FLAWS | RED_HAT_CPES => return Holds::Itself,
        RED_HAT => return Holds::RedHat,
        _ => {}
    }
    if bucket.starts_with("seal ")
        || bucket.starts_with("rootio ")
        || bucket.starts_with("root.io ")
    {
        return Holds::Unknown("it speaks of packages that a vendor has replaced");
    }
    if let Some((language, _)) = bucket.split_once("::") {
        let named = LANGUAGES.iter().find(|(prefix, _)| *prefix == language).map(|(_, e)| *e);
        let known = named.and_then(Ecosystem::named);
        return known.map_or(Holds::Unknown(NO_MATCHING), Holds::Language);
    }
    RELEASES
        .iter()
        .find_map(|(pattern, stream)| {
            let release = release(pattern, bucket)?;
            // SUSE's service packs are behind a dot here, and are `SP5` everywhere else.
            let release = match release.split_once('.') {
                Some((release, pack)) if stream.starts_with("SUSE:Linux Enterprise Server") => {
                    format!("{release} SP{pack}")
                }
                Some(_) | None => release.to_owned(),
            };
            Some(stream.replace("{}", &release))
        })
        .and_then(|stream| stream.parse().ok())
        .map_or(Holds::Unknown(NO_MATCHING), Holds::Release)
}

/// Whether an ecosystem's advisories come from a bucket that is named for a distribution.
pub(super) fn is_distribution(ecosystem: Ecosystem) -> bool {
    !LANGUAGES.iter().any(|(_, name)| *name == ecosystem.as_str())
}

/// Whether the packages of a distribution's buckets are named by the source that they are built
/// from.
pub(super) fn names_sources(ecosystem: Ecosystem) -> bool {
    matches!(ecosystem, Ecosystem::AzureLinux | Ecosystem::PhotonOs)
}

/// What stands where the pattern has `{}`; nothing where it has none and is the name itself.
fn release<'b>(pattern: &str, bucket: &'b str) -> Option<&'b str> {
    let Some((prefix, suffix)) = pattern.split_once("{}") else {
        return (pattern == bucket).then_some("");
    };
    let version = bucket.strip_prefix(prefix)?.strip_suffix(suffix)?;
    let good = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    good.then_some(version)
}

impl Holds {
    /// The one stream of all that it holds.
    pub(super) fn stream(&self) -> Option<Stream> {
        match self {
            Self::Release(stream) => Some(stream.clone()),
            Self::Language(ecosystem) => Some(Stream::of(*ecosystem)),
            Self::RedHat | Self::Itself | Self::Unknown(_) => None,
        }
    }
}
