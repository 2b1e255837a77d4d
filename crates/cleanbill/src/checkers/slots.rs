//! How many questions one checker works on at a time, and how many may wait for that.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Questions that may wait for one checker; past it they are turned away at once.
const WAITING: usize = 256;

/// The places of one checker.
pub(super) struct Slots(Arc<Places>);

struct Places {
    counts: Mutex<Counts>,
    freed: Condvar,
    parallel: usize,
}

#[derive(Default)]
struct Counts {
    running: usize,
    tickets: usize,
}

/// The right to wait for a turn.
pub(super) struct Ticket(Arc<Places>);

/// A turn, which ends when this is dropped.
pub(super) struct Turn(Arc<Places>);

impl Slots {
    /// At most `parallel` at a time, and at least one.
    pub(super) fn new(parallel: usize) -> Self {
        let (counts, freed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Places { counts, freed, parallel: parallel.max(1) }))
    }

    /// A ticket, unless too many wait already.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        let mut counts = self.0.lock();
        if counts.tickets >= self.0.parallel + WAITING {
            return None;
        }
        counts.tickets += 1;
        Some(Ticket(Arc::clone(&self.0)))
    }
}

impl Ticket {
    /// Waits for a turn until then at most. The ticket is held as long as the turn.
    pub(super) fn turn(&self, until: Instant) -> Option<Turn> {
        let left = until.saturating_duration_since(Instant::now());
        let busy = |counts: &mut Counts| counts.running >= self.0.parallel;
        let (mut counts, _) = self
            .0
            .freed
            .wait_timeout_while(self.0.lock(), left, busy)
            .unwrap_or_else(PoisonError::into_inner);
        if counts.running >= self.0.parallel {
            return None;
        }
        counts.running += 1;
        drop(counts);
        Some(Turn(Arc::clone(&self.0)))
    }
}

impl Places {
    /// The counts hold after a panic too: each change is one step.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = self.0.lock();
        counts.tickets = counts.tickets.saturating_sub(1);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.0.lock();
        counts.running = counts.running.saturating_sub(1);
        drop(counts);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn turns_and_tickets_are_bounded_and_come_back() {
        let slots = Slots::new(2);
        let soon = || Instant::now() + Duration::from_millis(20);
        let tickets: Vec<_> = (0..3).filter_map(|_| slots.ticket()).collect();
        let turns: Vec<_> = tickets.iter().map(|t| t.turn(soon())).collect();
        assert_eq!(turns.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
        drop(turns);
        assert!(tickets[2].turn(soon()).is_some());
        let many: Vec<_> = std::iter::from_fn(|| slots.ticket()).collect();
        assert_eq!(many.len() + tickets.len(), 2 + WAITING);
        drop(many);
        assert!(slots.ticket().is_some());
    }

    #[test]
    fn who_waits_gets_the_turn_that_ends() {
        let slots = Slots::new(1);
        let first = slots.ticket().and_then(|t| t.turn(Instant::now()));
        assert!(first.is_some());
        let second = slots.ticket();
        let waits = std::thread::spawn(move || {
            let until = Instant::now() + Duration::from_secs(20);
            second.is_some_and(|t| t.turn(until).is_some())
        });
        std::thread::sleep(Duration::from_millis(20));
        drop(first);
        assert!(waits.join().unwrap());
    }
}
