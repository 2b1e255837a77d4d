//! What an operator demands of an image, already valid: the raw YAML form lives in the binary.
//!
//! Must not read a clock or the network; expiry is judged against the time that is passed in.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Status};
use crate::gap::GapKind;
use crate::reference::ImageRef;
use crate::severity::Severity;
use crate::{Date, Timestamp};

/// A policy. The default demands the most that can be demanded without naming registries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name, shown in every decision.
    pub name: String,
    /// The registries and repositories that images may come from; `None`: any.
    pub allowed: Option<Vec<NamePattern>>,
    /// Whether images must be named by digest. Where not, a tag is a `mutable-reference` gap.
    pub digest_required: bool,
    /// The highest severity that may run; `None`: any severity may.
    pub highest_severity: Option<Severity>,
    /// What a flaw counts as that nobody rated. Never harmless unless said so.
    pub unrated_as: Severity,
    /// Whether only flaws with a known fix count.
    pub only_fixable: bool,
    /// Gaps that do not stand in the way, by kind.
    pub accepted_gaps: Vec<GapKind>,
    /// Flaws that somebody answers for, for a time.
    pub exceptions: Vec<Exception>,
    /// How old a feed may be, in days, before its use is a `stale-feed` gap.
    pub max_feed_age_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".into(),
            allowed: None,
            digest_required: false,
            highest_severity: Some(Severity::Medium),
            unrated_as: Severity::Critical,
            only_fixable: false,
            accepted_gaps: Vec::new(),
            exceptions: Vec::new(),
            max_feed_age_days: 7,
        }
    }
}

impl Policy {
    /// The severity this policy counts a finding as.
    pub fn counts_as(&self, finding: &Finding) -> Severity {
        if finding.severity == Severity::Unknown { self.unrated_as } else { finding.severity }
    }

    /// Whether the finding stands in the way: above the highest severity allowed, fixable if
    /// only fixable ones count, and under no exception that is still in force.
    pub fn refuses(&self, finding: &Finding, now: Timestamp) -> bool {
        self.highest_severity.is_some_and(|highest| self.counts_as(finding) > highest)
            && (!self.only_fixable || finding.status == Status::Fixed)
            && !self.exceptions.iter().any(|e| e.covers(finding, now))
    }

    /// Whether gaps of this kind are accepted.
    pub fn accepts(&self, kind: GapKind) -> bool {
        self.accepted_gaps.contains(&kind)
    }
}

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
}

impl Exception {
    /// Whether it covers this finding at this time.
    pub fn covers(&self, finding: &Finding, now: Timestamp) -> bool {
        let same = |id: &String| id.eq_ignore_ascii_case(&self.id);
        let named = same(&finding.id) || finding.aliases.iter().any(same);
        let package = self.package.as_ref().is_none_or(|p| {
            *p == finding.package.name || p.as_str() == finding.package.source_name()
        });
        named && package && today(now) <= self.expires
    }
}

/// The UTC day of a time.
pub fn today(now: Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(now).date()
}

/// Which names are meant: one repository (`registry.example/team/app`) or all below a prefix
/// (`registry.example/*`, `registry.example/team/*`). Never a tag or digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    text: String,
    exact: bool,
}

impl NamePattern {
    /// Whether the name is meant.
    pub fn matches(&self, reference: &ImageRef) -> bool {
        let name = reference.name();
        if self.exact { name == self.text } else { name.starts_with(&self.text) }
    }
}

impl TryFrom<String> for NamePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (head, exact) = match text.strip_suffix("/*") {
            Some(head) => (head, false),
            None => (text.as_str(), true),
        };
        // Two components, since a single one below docker.io would be completed with library/.
        let complete = if exact { text.clone() } else { format!("{head}/x/x") };
        let parsed: ImageRef = complete.parse().map_err(|_| hint(&text))?;
        if parsed.name() != complete {
            return Err(hint(&text));
        }
        Ok(Self { text: if exact { text } else { format!("{head}/") }, exact })
    }
}

fn hint(text: &str) -> String {
    format!(
        "{text:?} names no repositories: write the registry in full and end with /* for everything below, such as docker.io/library/* or registry.example/team/app"
    )
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        if pattern.exact { pattern.text } else { format!("{}*", pattern.text) }
    }
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.text, if self.exact { "" } else { "*" })
    }
}
