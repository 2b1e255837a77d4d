//! Whose turn it is to write: first come, first served, among the connections of one process.
//!
//! SQLite lets whoever asks at the right moment write, and makes the others ask again later; under
//! load the journal, which asks all the time, would keep everybody else out.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue of those who want to write.
#[derive(Default)]
pub(super) struct Turn {
    /// The next ticket, and the one being served.
    tickets: Mutex<(u64, u64)>,
    changed: Condvar,
}

/// The right to write, until it is dropped.
pub(super) struct Held<'a>(&'a Turn);

impl Turn {
    /// Waits for one's turn.
    pub(super) fn wait(&self) -> Held<'_> {
        let mut tickets = self.lock();
        let mine = tickets.0;
        tickets.0 = tickets.0.wrapping_add(1);
        while tickets.1 != mine {
            tickets = self.changed.wait(tickets).unwrap_or_else(PoisonError::into_inner);
        }
        Held(self)
    }

    fn lock(&self) -> MutexGuard<'_, (u64, u64)> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut tickets = self.0.lock();
        tickets.1 = tickets.1.wrapping_add(1);
        if tickets.1 != tickets.0 {
            self.0.changed.notify_all();
        }
    }
}
