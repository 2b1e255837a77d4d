//! Version orders, one file a scheme, all of one shape: `parse` a text or say why not, then
//! compare. A version that does not parse is never equal, lower or higher: it is an error that
//! the matcher turns into a gap, the same way for every scheme.
//!
//! Versions come from images and feeds, so they are hostile: texts are at most [`MAX_LENGTH`]
//! bytes long, and runs of digits are compared as digits, however long, without overflow.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

mod apk;
mod bitnami;
mod composer;
mod deb;
mod gem;
mod go;
mod maven;
mod nuget;
mod number;
mod numbers;
mod opam;
mod pep440;
mod rpm;
mod semver;
mod semver_build;

/// The longest text that is read as a version, in bytes (npm's own limit).
pub const MAX_LENGTH: usize = 256;

/// How versions of an ecosystem are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scheme {
    /// Alpine's apk-tools.
    Apk,
    /// Debian's dpkg (deb-version(7)).
    Deb,
    /// rpm's `[epoch:]version[-release]`.
    Rpm,
    /// Python's PEP 440.
    Pep440,
    /// Semantic Versioning 2.0.0 as npm reads it.
    Semver,
    /// Semantic Versioning whose build metadata counts: Pub's and Julia's.
    SemverBuild,
    /// Go modules: semver with `v`, `+incompatible`, pseudo-versions, and toolchains (`go1.22rc1`).
    Go,
    /// Maven's `ComparableVersion`.
    Maven,
    /// NuGet: semver of up to four numbers, without case.
    NuGet,
    /// RubyGems' `Gem::Version`.
    Gem,
    /// Composer, for Packagist.
    Composer,
    /// Bitnami: semver with revisions.
    Bitnami,
    /// Numbers and nothing else: CRAN's, Bioconductor's and Hackage's.
    Numbers,
    /// opam: Debian's without epochs.
    Opam,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 14] = [
        Self::Apk,
        Self::Deb,
        Self::Rpm,
        Self::Pep440,
        Self::Semver,
        Self::SemverBuild,
        Self::Go,
        Self::Maven,
        Self::NuGet,
        Self::Gem,
        Self::Composer,
        Self::Bitnami,
        Self::Numbers,
        Self::Opam,
    ];

    /// The name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "Debian",
            Self::Rpm => "rpm",
            Self::Pep440 => "PEP 440",
            Self::Semver => "semver",
            Self::SemverBuild => "semver with builds",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::NuGet => "NuGet",
            Self::Gem => "RubyGems",
            Self::Composer => "Composer",
            Self::Bitnami => "Bitnami",
            Self::Numbers => "number",
            Self::Opam => "opam",
        }
    }

    /// Compares two versions.
    ///
    /// # Errors
    /// When either is no version under this scheme. To compare one version with many, use
    /// [`Version::parse`] once.
    pub fn compare(self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(Version::parse(self, a)?.cmp(&Version::parse(self, b)?))
    }
}

/// Why a text is no version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionError {
    scheme: Scheme,
    text: String,
    why: &'static str,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is no {} version: {}", self.text, self.scheme.as_str(), self.why)
    }
}

impl std::error::Error for VersionError {}

/// A parsed version. Equal versions may be written differently (`1.0` and `1.0.0` in PEP 440).
///
/// Versions of different schemes have an order too, so that the order is total; it means nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Parsed);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parsed {
    Apk(apk::Apk),
    Deb(deb::Deb),
    Rpm(rpm::Rpm),
    Pep440(pep440::Pep440),
    Semver(semver::Semver),
    SemverBuild(semver_build::SemverBuild),
    Go(semver::Semver),
    Maven(maven::Maven),
    NuGet(nuget::NuGet),
    Gem(gem::Gem),
    Composer(composer::Composer),
    Bitnami(bitnami::Bitnami),
    Numbers(numbers::Numbers),
    Opam(opam::Opam),
}

impl Version {
    /// Reads a version; white space around it does not count.
    ///
    /// # Errors
    /// When the text is no version under the scheme, or longer than [`MAX_LENGTH`] bytes.
    pub fn parse(scheme: Scheme, text: &str) -> Result<Self, VersionError> {
        let wrong = |why| VersionError {
            scheme,
            text: text.chars().take(80).flat_map(char::escape_debug).collect(),
            why,
        };
        if text.len() > MAX_LENGTH {
            return Err(wrong("it is longer than 256 bytes"));
        }
        let text = text.trim();
        let parsed = match scheme {
            Scheme::Apk => apk::parse(text).map(Parsed::Apk),
            Scheme::Deb => deb::parse(text).map(Parsed::Deb),
            Scheme::Rpm => rpm::parse(text).map(Parsed::Rpm),
            Scheme::Pep440 => pep440::parse(text).map(Parsed::Pep440),
            Scheme::Semver => semver::parse(text).map(Parsed::Semver),
            Scheme::SemverBuild => semver_build::parse(text).map(Parsed::SemverBuild),
            Scheme::Go => go::parse(text).map(Parsed::Go),
            Scheme::Maven => maven::parse(text).map(Parsed::Maven),
            Scheme::NuGet => nuget::parse(text).map(Parsed::NuGet),
            Scheme::Gem => gem::parse(text).map(Parsed::Gem),
            Scheme::Composer => composer::parse(text).map(Parsed::Composer),
            Scheme::Bitnami => bitnami::parse(text).map(Parsed::Bitnami),
            Scheme::Numbers => numbers::parse(text).map(Parsed::Numbers),
            Scheme::Opam => opam::parse(text).map(Parsed::Opam),
        };
        parsed.map(Self).map_err(wrong)
    }

    /// Whether an advisory that names a version, as affected or as the last affected one, means
    /// this one: they are equal, or differ in nothing but a part that the named one does not
    /// have, and so leaves open.
    ///
    /// What a version may leave open is the scheme's: the local part in PEP 440, the revision in
    /// Bitnami's, the release in rpm's. The order knows nothing of it: there what has such a part
    /// is above what has none.
    pub fn is_meant_by(&self, named: &Self) -> bool {
        match (&self.0, &named.0) {
            (Parsed::Pep440(own), Parsed::Pep440(named)) => own.is_meant_by(named),
            (Parsed::Bitnami(own), Parsed::Bitnami(named)) => own.is_meant_by(named),
            (Parsed::Rpm(own), Parsed::Rpm(named)) => own.is_meant_by(named),
            (own, named) => own == named,
        }
    }

    /// Whether it is at most the last one of a range: not above it, or [meant by](Self::is_meant_by)
    /// it.
    pub fn is_up_to(&self, last: &Self) -> bool {
        self <= last || self.is_meant_by(last)
    }
}

/// Reads bytes as a version under every scheme and compares it with itself: the entry for
/// fuzzing. True when all that parsed equal themselves.
pub fn fuzz_versions(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (a, b) = text.split_once('\n').unwrap_or((&text, &text));
    Scheme::ALL.into_iter().all(|scheme| {
        match (Version::parse(scheme, a), Version::parse(scheme, b)) {
            (Ok(a), Ok(b)) => a.cmp(&b) == b.cmp(&a).reverse() && a == a.clone(),
            _ => true,
        }
    })
}
