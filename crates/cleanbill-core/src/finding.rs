//! A flaw that a package of the image has, and why we say so.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
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
}

impl Status {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
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
    /// Severity and, if it was computed, the vector.
    pub severity: Severity,
    /// The CVSS vector, where there is one.
    pub cvss: Option<String>,
    /// Whether a fix exists.
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
