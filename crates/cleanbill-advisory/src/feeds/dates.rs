//! How old a feed is by the dates in it. A date of the future is none: what bears it stays, since its
//! facts are facts, but it must not make a feed look fresh for ever.

use cleanbill_core::Timestamp;

use crate::gather::Gathered;
use crate::limits::Limits;

/// The dates of a feed's entries.
pub(super) struct Dates {
    latest: Timestamp,
    newest: Option<Timestamp>,
    /// How many are of the future.
    later: u64,
}

impl Dates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { latest: limits.latest, newest: None, later: 0 }
    }

    /// The same date, if it is believed.
    pub(super) fn see(&mut self, date: Option<Timestamp>) -> Option<Timestamp> {
        let believed = date.filter(|date| *date <= self.latest);
        self.later += u64::from(date.is_some() && believed.is_none());
        self.newest = self.newest.max(believed);
        believed
    }

    /// The newest of them; what is of the future is told.
    pub(super) fn newest(self, feed: &str, into: &mut Gathered) -> Option<Timestamp> {
        if self.later > 0 {
            let count = self.later;
            into.ignored.push(format!("{feed}: {count} dates that are of the future"));
        }
        self.newest
    }
}
