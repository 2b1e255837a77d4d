//! Audit annotations: what the API server's audit log keeps of an answer.

use std::collections::BTreeMap;

/// Audit annotations. The keys are valid qualified names without a prefix (the API server adds
/// its own); any other key it would drop.
#[derive(Clone, Debug, Default)]
pub struct Notes(BTreeMap<&'static str, String>);

impl Notes {
    /// The annotations as they are sent.
    pub fn into_map(self) -> BTreeMap<&'static str, String> {
        self.0
    }

    /// Adds a note, at most 2 KiB of it.
    #[must_use]
    pub fn with(mut self, key: Note, value: impl Into<String>) -> Self {
        let mut value: String = value.into();
        if value.len() > 2048 {
            let end = (0..=2040).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
            value.truncate(end);
            value.push('…');
        }
        self.0.insert(key.as_str(), value);
        self
    }
}

/// What is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The decision's id.
    DecisionId,
    /// `allowed`, `denied`, `undecided` or `malformed`.
    Outcome,
    /// The digests judged.
    Digests,
    /// The policy's name and digest.
    Policy,
    /// The digest of the advisories used.
    Snapshot,
    /// The date of the oldest feed that was used, of those that have one.
    SnapshotDate,
    /// Rules that were not met and did not deny.
    Noted,
    /// Break-glass, or an earlier admission.
    LetInBy,
}

impl Note {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::DecisionId,
        Self::Outcome,
        Self::Digests,
        Self::Policy,
        Self::Snapshot,
        Self::SnapshotDate,
        Self::Noted,
        Self::LetInBy,
    ];

    /// The key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DecisionId => "decision-id",
            Self::Outcome => "outcome",
            Self::Digests => "digests",
            Self::Policy => "policy",
            Self::Snapshot => "snapshot",
            Self::SnapshotDate => "snapshot-date",
            Self::Noted => "noted",
            Self::LetInBy => "let-in-by",
        }
    }
}
