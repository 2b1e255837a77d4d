//! How bad a flaw is, in the five words that Trivy, NVD and most distributions share.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A severity, ordered: `Unknown < Low < Medium < High < Critical`.
///
/// `Unknown` means that no source rated the flaw. It is lowest in the order, as in Trivy, but a
/// policy never takes it for harmless: see [`Policy`](crate::policy::Policy).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Nobody has rated it.
    #[default]
    Unknown,
    /// CVSS 0.1 to 3.9, or a vendor's "low" or "negligible".
    Low,
    /// CVSS 4.0 to 6.9, or a vendor's "medium" or "moderate".
    Medium,
    /// CVSS 7.0 to 8.9, or a vendor's "high" or "important".
    High,
    /// CVSS 9.0 to 10.
    Critical,
}

impl Severity {
    /// All five, lowest first.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The upper-case word that Trivy prints.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The band of a CVSS 3 or 4 base score (CVSS 3.1, section 5). Zero is `Unknown`: a flaw
    /// "without impact" that is published all the same has not been rated.
    pub fn from_score(score: f64) -> Self {
        match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    /// Reads the five words in any case. Vendors' words are mapped by the feeds, not here.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str().eq_ignore_ascii_case(text)).ok_or_else(|| {
            format!("unknown severity {text:?}: one of UNKNOWN, LOW, MEDIUM, HIGH, CRITICAL")
        })
    }
}
