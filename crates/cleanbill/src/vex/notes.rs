//! What is told of entries that leave nothing out because they cannot be understood. Bounded: of
//! more than [`KEPT_MAX`] the number is told. Must not decide anything.

use std::fmt;
use std::sync::Arc;

use cleanbill_core::suppression::Place;

/// The most notes that are kept.
pub const KEPT_MAX: usize = 100;

/// One entry that leaves nothing out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file, as it was given.
    pub file: Arc<str>,
    /// Where in it.
    pub place: Place,
    /// Why, in one sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}: {}", self.file, self.place, self.message)
    }
}

/// All notes of all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    kept: Vec<Note>,
    count: usize,
    file: Arc<str>,
}

impl Notes {
    /// Notes from now on are about this file.
    pub(super) fn of_file(&mut self, file: &Arc<str>) {
        self.file = Arc::clone(file);
    }

    /// Tells of an entry.
    pub(super) fn tell(&mut self, place: Place, message: impl Into<String>) {
        self.count += 1;
        if self.kept.len() < KEPT_MAX {
            let (file, message) = (Arc::clone(&self.file), message.into());
            self.kept.push(Note { file, place, message });
        }
    }

    /// The notes that were kept, in the order of the files.
    pub fn kept(&self) -> &[Note] {
        &self.kept
    }

    /// How many there are, those that were not kept included.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// The beginning of what somebody wrote, fit for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}
