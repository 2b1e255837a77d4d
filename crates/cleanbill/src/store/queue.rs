//! Decisions that wait to be written, and how many of them are worth a transaction.
//!
//! A transaction costs a sync of the disk, however many decisions it has. Whoever asks alone must
//! not wait for others; where many ask, each transaction that starts too early takes time from all.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::write::{Ready, Told};
use crate::failure::{Failure, Result};

/// Decisions that wait to be written.
const QUEUE: usize = 4096;
/// Decisions of one transaction.
const BATCH: usize = 256;
/// Bytes of evidence of one transaction, after which no more is added.
const BATCH_BYTES: usize = 16 << 20;
/// After this long without a decision it is looked what is to be forgotten.
const IDLE: Duration = Duration::from_secs(60);
/// So many that wait are worth a transaction, whoever else may still be on his way.
const ENOUGH: usize = 32;
/// So long those who wait are kept waiting for others, where many ask.
const PATIENCE: Duration = Duration::from_millis(1);
/// So many that came during one transaction show that many ask.
const CROWD: usize = 2;
/// For so many transactions nobody waits for more than came in time.
const HUMBLE: u32 = 64;

/// One decision and who waits for it.
pub(super) struct Job {
    pub(super) ready: Ready,
    /// What was written goes back to whoever made it, and is freed there.
    pub(super) done: oneshot::Sender<(std::result::Result<(), Told>, Ready)>,
}

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// Nothing more will come.
    closed: bool,
    /// Nobody takes what comes.
    gone: bool,
    /// Whoever writes sleeps until so many wait.
    asleep_until: Option<usize>,
}

/// How many are worth a transaction: one where few ask, more and more of them where many do, as
/// long as they come in time.
#[derive(Default)]
pub(super) struct Pace {
    wanted: usize,
    humble: u32,
}

impl Pace {
    /// How many to wait for, when so many came while others were written.
    fn wanted(&mut self, came: usize) -> usize {
        if came < CROWD {
            self.wanted = (self.wanted / 2).max(1);
        } else if self.humble > 0 {
            self.humble -= 1;
        } else {
            self.wanted = (self.wanted + 1).min(ENOUGH);
        }
        self.wanted
    }

    /// Only so many came in time. Some fewer leave the others their time to come while those are
    /// written.
    fn missed(&mut self, had: usize) {
        self.wanted = (had * 3 / 4).max(1);
        self.humble = HUMBLE;
    }
}

/// Says that nobody takes jobs any more, however the thread ends.
pub(super) struct Leaving<'q>(&'q Queue);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.gone = true;
        // Those who wait see that their end was dropped.
        waiting.jobs.clear();
    }
}

/// Wakes whoever writes, also where it is broken off.
struct Waking<'q>(&'q Queue);

impl Drop for Waking<'_> {
    fn drop(&mut self) {
        self.0.changed.notify_one();
    }
}

/// What is said where nobody writes any more.
pub(super) fn gone() -> Failure {
    Failure::new("the journal has ended unexpectedly").next("restart the gate")
}

impl Queue {
    /// One more; returns once whoever writes will see it.
    ///
    /// # Errors
    /// When too many wait already, or nobody writes any more.
    pub(super) async fn add(&self, job: Job) -> Result<()> {
        let leads = {
            let mut waiting = self.lock();
            if waiting.gone {
                return Err(gone());
            }
            if waiting.jobs.len() >= QUEUE {
                return Err(Failure::new(format!("{QUEUE} decisions wait to be recorded already")));
            }
            waiting.jobs.push(job);
            let count = waiting.jobs.len();
            let until = waiting.asleep_until;
            if count == ENOUGH && until.is_some() || count > 1 && until == Some(count) {
                self.changed.notify_one();
            }
            count == 1 && until == Some(1)
        };
        if leads {
            // Whoever comes first wakes the thread once all who can run have run, so that they
            // share a transaction; whoever makes them enough wakes it at once. A worker that does
            // something long meanwhile keeps those few waiting.
            let waking = Waking(self);
            tokio::task::yield_now().await;
            drop(waking);
        }
        Ok(())
    }

    /// Waits for jobs and takes some of them, in their order; `None`: there will be none. Empty
    /// where none came for a while.
    pub(super) fn take(&self, pace: &mut Pace) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        let wanted = pace.wanted(waiting.jobs.len());
        if wanted > 1 && waiting.jobs.len() < wanted && !waiting.closed {
            waiting = self.sleep(waiting, wanted, PATIENCE);
            if waiting.jobs.len() < wanted {
                pace.missed(waiting.jobs.len());
            }
        }
        if waiting.jobs.is_empty() && !waiting.closed {
            waiting = self.sleep(waiting, 1, IDLE);
        }
        if waiting.jobs.is_empty() {
            return (!waiting.closed).then(Vec::new);
        }
        let mut bytes = 0_usize;
        let fits = |job: &&Job| {
            let room = bytes < BATCH_BYTES;
            bytes = bytes.saturating_add(job.ready.bytes);
            room
        };
        let count = waiting.jobs.iter().take(BATCH).take_while(fits).count();
        let rest = waiting.jobs.split_off(count);
        Some(std::mem::replace(&mut waiting.jobs, rest))
    }

    fn sleep<'q>(
        &'q self,
        mut waiting: MutexGuard<'q, Waiting>,
        until: usize,
        most: Duration,
    ) -> MutexGuard<'q, Waiting> {
        waiting.asleep_until = Some(until);
        let wait = |w: &mut Waiting| w.jobs.len() < until && !w.closed;
        let slept = self.changed.wait_timeout_while(waiting, most, wait);
        let mut waiting = slept.unwrap_or_else(PoisonError::into_inner).0;
        waiting.asleep_until = None;
        waiting
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// For whoever takes jobs, to be dropped when he ends.
    pub(super) fn leaving(&self) -> Leaving<'_> {
        Leaving(self)
    }

    /// Whether nothing more is taken.
    #[cfg(test)]
    pub(super) fn is_full(&self) -> bool {
        self.lock().jobs.len() >= QUEUE
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds it can panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, HUMBLE, Pace};

    /// How many each transaction takes, where so many askers ask again as soon as they are told
    /// and some always come while others are written.
    fn rounds(pace: &mut Pace, askers: usize, rounds: usize) -> Vec<usize> {
        let took = |_| {
            let came = askers.min(CAME);
            let wanted = pace.wanted(came);
            if wanted > askers {
                pace.missed(askers);
            }
            wanted.min(askers)
        };
        (0..rounds).map(took).collect()
    }

    const CAME: usize = 6;

    #[test]
    fn whoever_asks_alone_never_waits_for_others() {
        for askers in [0, 1] {
            let took = rounds(&mut Pace::default(), askers, 1000);
            assert!(took.iter().all(|n| *n <= 1), "{askers}: {took:?}");
        }
    }

    #[test]
    fn where_many_ask_transactions_grow_to_the_bound() {
        let took = rounds(&mut Pace::default(), 64, 100);
        assert_eq!(took.last(), Some(&ENOUGH));
        // And they are soon small again when few ask.
        let mut pace = Pace { wanted: ENOUGH, humble: 0 };
        assert_eq!([16, 8, 4, 2, 1, 1], [(); 6].map(|()| pace.wanted(1)));
    }

    #[test]
    fn those_who_do_not_come_are_seldom_waited_for() {
        for askers in 2..ENOUGH {
            let mut pace = Pace::default();
            let mut missed = 0;
            for _ in 0..10_000 {
                if pace.wanted(askers.min(CAME)) > askers {
                    pace.missed(askers);
                    missed += 1;
                }
            }
            assert!(missed <= 10_000 / HUMBLE as usize + 1, "{askers}: {missed}");
        }
    }
}
