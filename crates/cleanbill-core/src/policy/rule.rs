//! One rule: where it holds, when it refuses, and what comes of that.

use serde::{Deserialize, Serialize};

use super::{Condition, Scope};

/// A rule can only refuse: adding one never lets anything in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, shown to whoever is refused; unique within a policy.
    pub name: String,
    /// Where it holds.
    pub scope: Scope,
    /// When it refuses.
    pub refuse: Condition,
    /// What comes of that.
    pub action: Action,
    /// What to tell whoever is refused, besides what was found.
    pub message: Option<String>,
}

/// What comes of a violated rule.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The image does not run.
    #[default]
    Enforce,
    /// It runs, and whoever asked is told (where the interface has a place for it).
    Warn,
    /// It runs; the record and the audit annotations say so.
    Audit,
}

impl Action {
    /// All three, the strictest first.
    pub const ALL: [Self; 3] = [Self::Enforce, Self::Warn, Self::Audit];

    /// The word in policies and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
            Self::Audit => "audit",
        }
    }
}
