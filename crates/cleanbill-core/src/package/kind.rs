//! What kinds of packages there are: one table, which says of each how it is called and where its
//! advisories are. Which file an image has it in is the extractors' matter.

use serde::{Deserialize, Serialize};

use crate::ecosystem::Ecosystem;
use crate::version::Scheme;

/// Makes the enum and what is said of each member from rows `Member = word, order, ecosystem;`.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $member:ident = $word:literal, $scheme:expr, $ecosystem:expr;)+) => {
        /// What kind of package it is, by the tool that installed or built it.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "lowercase")]
        pub enum PackageKind {
            $($(#[$doc])+ $member,)+
        }

        impl PackageKind {
            /// Every kind, operating-system kinds first.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$member),+];

            /// The word for it in policies, cases and stored evidence.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }

            /// How versions of this kind are ordered.
            pub const fn scheme(self) -> Scheme {
                match self { $(Self::$member => $scheme,)+ }
            }

            /// Whose advisories speak of it whatever the image is; `None` for packages of an
            /// operating system, where the distribution says it.
            pub const fn ecosystem(self) -> Option<Ecosystem> {
                match self { $(Self::$member => $ecosystem,)+ }
            }
        }
    };
}

// The order is that of reports: what is stored and shown sorts by it.
kinds! {
    /// Alpine's apk.
    Apk = "apk", Scheme::Apk, None;
    /// Debian's and Ubuntu's dpkg.
    Deb = "deb", Scheme::Deb, None;
    /// rpm, of Red Hat's, SUSE's and their relatives' distributions.
    Rpm = "rpm", Scheme::Rpm, None;
    /// An installed Python distribution (dist-info or egg-info).
    Python = "python", Scheme::Pep440, Some(Ecosystem::PyPI);
    /// An installed Node package (`package.json` with name and version).
    Npm = "npm", Scheme::Semver, Some(Ecosystem::Npm);
    /// A module compiled into a Go program, `stdlib` included.
    Go = "go", Scheme::Go, Some(Ecosystem::Go);
    /// A crate compiled into a Rust program.
    Cargo = "cargo", Scheme::Semver, Some(Ecosystem::CratesIo);
    /// A Java archive, named `group:artifact`.
    Maven = "maven", Scheme::Maven, Some(Ecosystem::Maven);
    /// A Ruby gem.
    Gem = "gem", Scheme::Gem, Some(Ecosystem::RubyGems);
    /// A .NET package.
    NuGet = "nuget", Scheme::NuGet, Some(Ecosystem::NuGet);
    /// A PHP package of Composer, named `vendor/name`.
    Composer = "composer", Scheme::Composer, Some(Ecosystem::Packagist);
    /// An Erlang or Elixir package.
    Hex = "hex", Scheme::Semver, Some(Ecosystem::Hex);
    /// A Dart package.
    Pub = "pub", Scheme::SemverBuild, Some(Ecosystem::Pub);
    /// A Swift package, named by the address of its repository.
    Swift = "swift", Scheme::Semver, Some(Ecosystem::SwiftUrl);
    /// An application that Bitnami packaged.
    Bitnami = "bitnami", Scheme::Bitnami, Some(Ecosystem::Bitnami);
}

impl PackageKind {
    /// Whether it belongs to the distribution rather than to a language or a vendor.
    pub const fn is_os(self) -> bool {
        self.ecosystem().is_none()
    }

    /// The kind of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it is part of a program, and was compiled with all that is told with it of that file.
    pub const fn is_compiled_in(self) -> bool {
        matches!(self, Self::Go | Self::Cargo)
    }
}

#[cfg(test)]
mod tests {
    use super::PackageKind;

    #[test]
    fn words_and_orders_are_those_of_the_ecosystem() {
        for kind in PackageKind::ALL {
            assert_eq!(PackageKind::named(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            if let Some(ecosystem) = kind.ecosystem() {
                assert_eq!(ecosystem.scheme(), Some(kind.scheme()), "{kind:?}");
            }
        }
    }
}
