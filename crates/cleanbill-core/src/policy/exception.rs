//! What may be there all the same: single flaws under an exception, gaps that are accepted.

use serde::{Deserialize, Serialize};

use super::{Scope, Untold};
use crate::Date;
use crate::finding::Finding;
use crate::gap::{Gap, GapKind};
use crate::glob::Glob;
use crate::platform::Platform;

/// A flaw that may be there all the same: who says so, why, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The flaw, by any of its ids.
    pub id: String,
    /// The package it is limited to (name or source name); `None`: any package.
    pub package: Option<String>,
    /// Why it is acceptable.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day (UTC) on which it holds.
    pub expires: Date,
    /// Where it holds. No part of it may be the pod's author's to choose.
    #[serde(default)]
    pub scope: Scope,
}

impl Exception {
    /// Whether it covers this finding on this platform on this day. Whether its scope holds for
    /// the image is asked once, before.
    pub fn covers(&self, finding: &Finding, platform: Option<&Platform>, day: Date) -> bool {
        let same = |id: &String| id.eq_ignore_ascii_case(&self.id);
        let named = same(&finding.id) || finding.aliases.iter().any(same);
        let package = self.package.as_ref().is_none_or(|p| {
            *p == finding.package.name || p.as_str() == finding.package.source_name()
        });
        named && package && self.scope.includes(platform, Untold::Fails) && day <= self.expires
    }
}

/// Gaps of one kind that do not stand in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedGap {
    /// The kind.
    pub kind: GapKind,
    /// What the gap must be about; `None`: anything.
    #[serde(default)]
    pub subject: Option<Glob>,
    /// Where it holds. No part of it may be the pod's author's to choose.
    #[serde(default)]
    pub scope: Scope,
}

impl AcceptedGap {
    /// Gaps of this kind, everywhere.
    pub fn everywhere(kind: GapKind) -> Self {
        Self { kind, subject: None, scope: Scope::default() }
    }

    /// Whether this gap on this platform is meant. Whether the scope holds for the image is
    /// asked once, before.
    pub fn covers(&self, gap: &Gap, platform: Option<&Platform>) -> bool {
        self.kind == gap.kind
            && self.subject.as_ref().is_none_or(|s| s.matches(&gap.subject))
            && self.scope.includes(platform, Untold::Fails)
    }
}
