//! All that a caller gave to leave findings out, read, with where it came from. Must not judge:
//! the core does.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::evidence::PlatformEvidence;
use cleanbill_core::suppression::{Rules, Ruling, Subject, suppress};

use super::Notes;

/// What a caller gave.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What it means.
    pub rules: Rules,
    /// The files, in the order in which they are asked.
    pub files: Vec<GivenFile>,
    /// What of them could not be understood, and so leaves nothing out.
    pub notes: Notes,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenFile {
    /// Its name as it was given.
    pub name: Arc<str>,
    /// Whether nobody named it: it was in the current folder.
    pub by_default: bool,
}

impl Given {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.rules.statuses.is_empty() && !self.rules.only_fixed
    }

    /// What becomes of each finding of an image.
    pub fn rule<'g>(
        &'g self,
        evidence: &PlatformEvidence,
        subject: &Subject,
        now: Timestamp,
    ) -> Vec<Ruling<'g>> {
        suppress(&evidence.findings, &self.rules, subject, &evidence.packages, now)
    }
}
