//! What was *not* examined, as a value that travels to the policy and to every report.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One part of an image, or of the data to judge it by, that could not be examined.
///
/// A gap is not an error (a verdict exists) and not a [`Reason`](crate::verdict::Reason) (nothing
/// was found bad). Whether an image may run in spite of a gap is for the policy to say, and by
/// default no gap is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// What kind it is: the word a policy uses to accept it.
    pub kind: GapKind,
    /// The thing that was not examined: a path, layer digest, package, distribution or feed.
    pub subject: String,
    /// Why not, in one sentence without a full stop, with the position where there is one.
    pub detail: String,
}

impl Gap {
    /// A gap of this kind about this subject.
    pub fn new(kind: GapKind, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, subject: subject.into(), detail: detail.into() }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind, self.subject, self.detail)
    }
}

macro_rules! gap_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal, $next:literal;)+) => {
        /// The kinds of gaps, a closed set. Each has the word by which a policy accepts it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum GapKind {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl GapKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in policies, reports and JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What a person can do about a gap of this kind.
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next),+ }
            }
        }
    };
}

gap_kinds! {
    /// The image names a distribution that we do not know, or has packages of one and no name.
    UnknownDistribution = "unknown-distribution", "ask for support of this distribution, or accept the gap in the policy";
    /// No feed in the snapshot covers this distribution release or ecosystem.
    NoAdvisorySource = "no-advisory-source", "update to a snapshot that has this feed: cleanbill db update --ecosystems LIST";
    /// The distribution's release is past its end of life: nobody looks for flaws in it any more.
    EndOfLife = "end-of-life", "rebuild on a supported release";
    /// Nobody told the snapshot how long this release is supported.
    UnknownEndOfLife = "unknown-end-of-life", "update to a snapshot with end-of-life dates (cleanbill db update); a rolling release has none";
    /// A feed that was used is older than the policy or the command line allows.
    StaleFeed = "stale-feed", "update the snapshot: cleanbill db update";
    /// A package database or manifest is there and could not be read.
    UnreadableDatabase = "unreadable-database", "look at the named file and position; rebuild the image if it is damaged";
    /// A package's version, or an advisory's, does not parse under its ecosystem's scheme.
    UnparseableVersion = "unparseable-version", "check the package by hand";
    /// A program carries no version that could be matched, such as Go's `(devel)`.
    UnidentifiedVersion = "unidentified-version", "build the program from a tagged version";
    /// The image has files but nothing in it was recognised as a package.
    NothingRecognised = "nothing-recognised", "give an SBOM or accept the gap for this image in the policy";
    /// A layer or file is larger, deeper or more compressed than the limits allow.
    OverLimit = "over-limit", "raise the named limit if you trust where the image comes from";
    /// A layer lies elsewhere by its media type (`foreign`, `nondistributable`) and was not read.
    ForeignLayer = "foreign-layer", "push the image with its foreign layers included";
    /// A layer is encrypted.
    EncryptedLayer = "encrypted-layer", "judge the image before it is encrypted";
    /// A layer has a media type that we do not know.
    UnknownLayerType = "unknown-layer-type", "rebuild the image with gzip or zstd layers";
    /// A wanted file is a link whose target could not be examined.
    UnresolvedLink = "unresolved-link", "look at the named link; rebuild the image if it is damaged";
    /// The image was named by a tag alone: what the node pulls later may be something else.
    MutableReference = "mutable-reference", "name the image by digest (name@sha256:…)";
    /// A platform of the image that nodes may select was not examined.
    PlatformNotExamined = "platform-not-examined", "name the platforms your nodes have in the configuration";
    /// An advisory that concerns this package has a part that we could not understand.
    UnreadableAdvisory = "unreadable-advisory", "read the named advisory by hand";
    /// A checker that was to be asked about the image gave no answer, or none that makes sense.
    CheckerSilent = "checker-silent", "look at the named checker and its log; docs/checkers.md says what it must answer";
    /// A rule asks for a fact that the image does not tell, such as its age or its user.
    UnknownImageFact = "unknown-image-fact", "build the image so that it tells (a numeric USER, a build date)";
    /// An image that no registry has was registered without being examined.
    UnexaminedRegistration = "unexamined-registration", "register it with its archive: cleanbill register NAME --input FILE";
}

impl fmt::Display for GapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for GapKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|k| k.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|k| k.as_str()).collect();
            format!("unknown kind of gap {text:?}: one of {}", known.join(", "))
        })
    }
}
