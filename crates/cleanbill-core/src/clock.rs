//! The time of one judgement, which knows how closely it was looked at.
//!
//! Nearly all that a policy says of time is about days: ages, expiries, ends of life. What was
//! judged by the day alone would be judged alike all day; what looked at the instant would not.
//! So nobody here is handed the time itself.

use std::cell::Cell;

use crate::policy::today;
use crate::{Date, Timestamp};

/// A time that is looked at through it alone.
pub(crate) struct Clock {
    now: Timestamp,
    today: Date,
    exactly: Cell<bool>,
}

impl Clock {
    /// It is this late.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, today: today(now), exactly: Cell::new(false) }
    }

    /// The day, in UTC.
    pub(crate) fn today(&self) -> Date {
        self.today
    }

    /// The instant; what asks for it hangs on more than the day.
    pub(crate) fn now(&self) -> Timestamp {
        self.exactly.set(true);
        self.now
    }

    /// The day, if nothing hung on more than that.
    pub(crate) fn day_alone(&self) -> Option<Date> {
        (!self.exactly.get()).then_some(self.today)
    }
}
