//! A flaw that a package of the image has, and why we say so.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::advisory::{Epss, Rating};
use crate::ecosystem::Stream;
use crate::package::Package;
use crate::severity::Severity;

/// Where a flaw stands for this package, in Trivy's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A version with a fix exists.
    Fixed,
    /// Affected, and no fix is known.
    Affected,
    /// Affected, and the vendor will not fix it.
    WillNotFix,
    /// Affected, and the vendor puts the fix off.
    FixDeferred,
    /// Affected, and no fixes are made for this release any more.
    EndOfLife,
    /// Perhaps affected: the vendor has not found out yet.
    UnderInvestigation,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Fixed,
        Self::Affected,
        Self::WillNotFix,
        Self::FixDeferred,
        Self::EndOfLife,
        Self::UnderInvestigation,
    ];

    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::WillNotFix => "will_not_fix",
            Self::FixDeferred => "fix_deferred",
            Self::EndOfLife => "end_of_life",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

/// Why the flaw applies: enough to check it by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The feed that says so.
    pub feed: String,
    /// The stream of advisories it was looked up in.
    pub stream: Stream,
    /// The package name it was looked up by (the source package for distributions).
    pub looked_up: String,
    /// The version that was compared.
    pub compared: String,
    /// The range or listed version that holds it, for people: `>= 1.2, < 1.4`.
    pub range: String,
}

/// One flaw of one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The flaw's id: a CVE where one is known.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// Errata it came in.
    pub errata: Vec<String>,
    /// The package.
    pub package: Package,
    /// The severity: the advisory's own, else GitHub's for its ids, NVD's, or the highest of any.
    pub severity: Severity,
    /// Who gave the severity: the feed of the advisory, or the source of a [`Rating`]; empty
    /// where nobody did.
    #[serde(default)]
    pub rated_by: String,
    /// The CVSS vector behind the severity, where there is one.
    pub cvss: Option<String>,
    /// All ratings of the flaw by others than the advisory, sorted by source.
    #[serde(default)]
    pub ratings: Vec<Rating>,
    /// How likely it is to be exploited, where that is known.
    #[serde(default)]
    pub epss: Option<Epss>,
    /// Whether a fix exists, and what the vendor says where none does.
    pub status: Status,
    /// The versions with a fix, lowest first; the first that is above the installed version on
    /// its own branch is the one to take.
    pub fixed_versions: Vec<String>,
    /// Whether it is known to be exploited (CISA KEV).
    pub known_exploited: bool,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// Why it applies.
    pub why: Why,
}
