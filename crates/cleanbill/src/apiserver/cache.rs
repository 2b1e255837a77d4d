//! The plug-in's memory of answers: `LRUExpireCache` of apimachinery, 1,024 entries, by a clock
//! that is given.

use std::collections::HashMap;
use std::time::Duration;

use super::answer::Status;

/// How many answers an API server keeps.
pub const ENTRIES: usize = 1024;

/// The memory of one API server process.
#[derive(Default)]
pub struct Cache {
    held: HashMap<String, Held>,
    uses: u64,
}

struct Held {
    status: Status,
    since: Duration,
    until: Duration,
    used: u64,
}

/// What is remembered, and since when and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The answer.
    pub status: Status,
    /// How old it is.
    pub age: Duration,
    /// How long it will still be used.
    pub left: Duration,
}

impl Cache {
    /// Looks a question up at a time.
    pub fn get(&mut self, question: &str, now: Duration) -> Option<Hit> {
        let held = self.held.get_mut(question)?;
        if now > held.until {
            self.held.remove(question);
            return None;
        }
        self.uses += 1;
        held.used = self.uses;
        let (age, left) = (now.saturating_sub(held.since), held.until.saturating_sub(now));
        Some(Hit { status: held.status.clone(), age, left })
    }

    /// Keeps an answer for a while; what was not used for longest makes room.
    pub fn put(&mut self, question: String, status: Status, now: Duration, keep: Duration) {
        self.uses += 1;
        let held = Held { status, since: now, until: now.saturating_add(keep), used: self.uses };
        self.held.insert(question, held);
        if self.held.len() > ENTRIES {
            let oldest = self.held.iter().min_by_key(|(_, held)| held.used);
            if let Some(oldest) = oldest.map(|(question, _)| question.clone()) {
                self.held.remove(&oldest);
            }
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}
