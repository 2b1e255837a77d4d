//! One thread that writes decisions, many at a time: whoever records waits until the transaction
//! with his decision is on the disk, and shares its cost with all who came meanwhile.
//!
//! Nothing is acknowledged before its commit. When the queue is full, or the thread is gone,
//! recording fails at once, and the gate denies.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use cleanbill_core::digest::Digest;
use tokio::sync::oneshot;

use super::Store;
use super::checkpoint;
use super::decision::Head;
use super::matter::Matter;
use super::packed::Packed;
use super::turn::Turn;
use super::write::{Entry, Ready, Told, Writer};
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
const ENOUGH: usize = 24;
/// Decisions after which the log is moved into the file: seldom, since the disk is busy meanwhile.
const CHECKPOINT_EVERY: usize = 32_768;

struct Job {
    ready: Ready,
    /// What was written goes back to whoever made it, and is freed there.
    done: oneshot::Sender<(std::result::Result<(), Told>, Ready)>,
}

/// What waits to be written.
#[derive(Default)]
struct Queue {
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
    /// Whoever writes has to be woken.
    asleep: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds it can panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for jobs and takes some of them, in their order; `None`: there will be none. Empty
    /// where none came for a while.
    fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        if waiting.jobs.is_empty() && !waiting.closed {
            waiting.asleep = true;
            let wait =
                self.changed.wait_timeout_while(waiting, IDLE, |w| w.jobs.is_empty() && !w.closed);
            waiting = wait.unwrap_or_else(PoisonError::into_inner).0;
            waiting.asleep = false;
        }
        if waiting.jobs.is_empty() {
            return (!waiting.closed).then(Vec::new);
        }
        let mut bytes = 0_usize;
        let fits = |job: &&Job| {
            let room = bytes < BATCH_BYTES;
            bytes = bytes.saturating_add(job.ready.bytes());
            room
        };
        let count = waiting.jobs.iter().take(BATCH).take_while(fits).count();
        let rest = waiting.jobs.split_off(count);
        Some(std::mem::replace(&mut waiting.jobs, rest))
    }
}

/// Says that nobody takes jobs any more, however the thread ends.
struct Leaving<'q>(&'q Queue);

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

/// The journal of one store. Dropping it writes what is queued and ends the thread.
pub struct Journal {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// Starts the thread that writes, with a connection of its own.
    ///
    /// # Errors
    /// When the store cannot be opened again, or no thread can be had.
    pub fn start(store: &Store) -> Result<Self> {
        Self::of(Writer::open(&store.path, store.keep)?, Arc::clone(&store.turn))
    }

    pub(super) fn of(writer: Writer, turn: Arc<Turn>) -> Result<Self> {
        let queue = Arc::new(Queue::default());
        let (wanted, asked) = std::sync::mpsc::sync_channel(1);
        let (path, turns) = (writer.path().to_owned(), Arc::clone(&turn));
        let none = |e| Failure::new(format!("no thread for the journal: {e}"));
        // It ends when the thread that writes does.
        std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || checkpoint::run(&path, &asked, &turns))
            .map_err(none)?;
        let jobs = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || run(&jobs, writer, &turn, &wanted))
            .map_err(none)?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Records one decision, and returns when it is on the disk. Whoever stops waiting before its
    /// writing has begun takes it back.
    ///
    /// # Errors
    /// When too many wait already, or it could not be written: then it is not recorded.
    pub async fn record(&self, entry: Entry) -> Result<()> {
        self.write(Ready::new(entry)?).await
    }

    /// The same for a decision whose matter is at hand.
    ///
    /// # Errors
    /// As [`Journal::record`].
    pub async fn record_again(
        &self,
        head: Head,
        matter: Arc<Matter>,
        evidence: Arc<[Packed]>,
        admitted: Option<Digest>,
    ) -> Result<()> {
        self.write(Ready::again(head, matter, evidence, admitted)).await
    }

    async fn write(&self, ready: Ready) -> Result<()> {
        let gone = || Failure::new("the journal has ended unexpectedly").next("restart the gate");
        let (done, answer) = oneshot::channel();
        let leads = {
            let mut waiting = self.queue.lock();
            if waiting.gone {
                return Err(gone());
            }
            if waiting.jobs.len() >= QUEUE {
                return Err(Failure::new(format!("{QUEUE} decisions wait to be recorded already")));
            }
            waiting.jobs.push(Job { ready, done });
            if waiting.asleep && waiting.jobs.len() == ENOUGH {
                self.queue.changed.notify_one();
            }
            waiting.asleep && waiting.jobs.len() == 1
        };
        if leads {
            // Whoever comes first wakes the thread once all who can run have run, so that they
            // share a transaction; whoever makes them enough wakes it at once. A worker that does
            // something long meanwhile keeps those few waiting.
            let waking = Waking(&self.queue);
            tokio::task::yield_now().await;
            drop(waking);
        }
        let (told, _ready) = answer.await.map_err(|_| gone())?;
        told.map_err(Failure::from)
    }

    /// Whether nothing more is taken.
    #[cfg(test)]
    pub(super) fn is_full(&self) -> bool {
        self.queue.lock().jobs.len() >= QUEUE
    }

    /// Whether the thread that writes is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn alive(&self) -> Result<()> {
        match &self.thread {
            Some(thread) if !thread.is_finished() => Ok(()),
            _ => Err(Failure::new("the journal has ended unexpectedly").next("restart the gate")),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // If it panicked, those who waited for it have been told.
            _ = thread.join();
        }
    }
}

fn run(
    queue: &Queue,
    mut writer: Writer,
    turn: &Turn,
    checkpoint: &std::sync::mpsc::SyncSender<()>,
) {
    let _leaving = Leaving(queue);
    let mut since_checkpoint = 0_usize;
    while let Some(jobs) = queue.take() {
        if jobs.is_empty() {
            let _held = turn.wait();
            if let Err(e) = writer.idle() {
                tracing::warn!(error = %e, "old decisions could not be forgotten");
            }
            continue;
        }
        // Whoever has stopped waiting was told that it took too long, which is no "allowed".
        let wanted = jobs.into_iter().filter(|job| !job.done.is_closed());
        let (batch, waiting): (Vec<_>, Vec<_>) = wanted.map(|job| (job.ready, job.done)).unzip();
        since_checkpoint += batch.len();
        let told = write(&mut writer, &batch, turn);
        for ((done, ready), told) in waiting.into_iter().zip(batch).zip(told) {
            // Nobody may be there any more: what is written is written.
            _ = done.send((told, ready));
        }
        if since_checkpoint >= CHECKPOINT_EVERY {
            since_checkpoint = 0;
            // If one is asked for already, that will do.
            _ = checkpoint.try_send(());
        }
    }
}

/// Writes a batch, and says of each whether it was written. If the batch as a whole cannot be
/// written, each is tried alone: one that is wrong in itself does not take the others with it.
fn write(writer: &mut Writer, batch: &[Ready], turn: &Turn) -> Vec<std::result::Result<(), Told>> {
    let _held = turn.wait();
    match writer.write(batch) {
        Ok(()) => vec![Ok(()); batch.len()],
        Err(wrong) if wrong.by_entry && batch.len() > 1 => {
            let alone = |one| writer.write(std::slice::from_ref(one));
            batch.iter().map(alone).map(|told| told.map_err(|e| Told::from(e.failure))).collect()
        }
        Err(wrong) => vec![Err(Told::from(wrong.failure)); batch.len()],
    }
}
