//! One thread that writes decisions, many at a time: whoever records waits until the transaction
//! with his decision is on the disk, and shares its cost with all who came meanwhile.
//!
//! Nothing is acknowledged before its commit. When the queue is full, or the thread is gone,
//! recording fails at once, and the gate denies.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Store;
use super::checkpoint;
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
/// Decisions after which the log is moved into the file.
const CHECKPOINT_EVERY: usize = 8192;

struct Job {
    ready: Ready,
    done: oneshot::Sender<std::result::Result<(), Told>>,
}

/// The journal of one store. Dropping it writes what is queued and ends the thread.
pub struct Journal {
    queue: Option<SyncSender<Job>>,
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
        let (queue, jobs) = sync_channel(QUEUE);
        let (wanted, asked) = sync_channel(1);
        let (path, turns) = (writer.path().to_owned(), Arc::clone(&turn));
        let none = |e| Failure::new(format!("no thread for the journal: {e}"));
        // It ends when the thread that writes does.
        std::thread::Builder::new()
            .name("checkpoint".into())
            .spawn(move || checkpoint::run(&path, &asked, &turns))
            .map_err(none)?;
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || run(&jobs, writer, &turn, &wanted))
            .map_err(none)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Records one decision, and returns when it is on the disk. It is recorded even if the
    /// caller stops waiting.
    ///
    /// # Errors
    /// When too many wait already, or it could not be written: then it is not recorded.
    pub async fn record(&self, entry: Entry) -> Result<()> {
        let gone = || Failure::new("the journal has ended unexpectedly").next("restart the gate");
        let (done, answer) = oneshot::channel();
        let job = Job { ready: Ready::new(entry)?, done };
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        match queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Failure::new(format!("{QUEUE} decisions wait to be recorded already")));
            }
            Err(TrySendError::Disconnected(_)) => return Err(gone()),
        }
        answer.await.map_err(|_| gone())?.map_err(Failure::from)
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
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, those who waited for it have been told.
            _ = thread.join();
        }
    }
}

fn run(jobs: &Receiver<Job>, mut writer: Writer, turn: &Turn, checkpoint: &SyncSender<()>) {
    let mut since_checkpoint = 0_usize;
    loop {
        let first = match jobs.recv_timeout(IDLE) {
            Ok(job) => job,
            Err(RecvTimeoutError::Timeout) => {
                let _held = turn.wait();
                if let Err(e) = writer.idle() {
                    tracing::warn!(error = %e, "old decisions could not be forgotten");
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut bytes = first.ready.bytes();
        let (mut batch, mut waiting) = (vec![first.ready], vec![first.done]);
        while batch.len() < BATCH && bytes < BATCH_BYTES {
            let Ok(job) = jobs.try_recv() else { break };
            bytes = bytes.saturating_add(job.ready.bytes());
            batch.push(job.ready);
            waiting.push(job.done);
        }
        for (done, told) in waiting.into_iter().zip(write(&mut writer, &batch, turn)) {
            // Whoever does not wait any more was told that it took too long.
            _ = done.send(told);
        }
        since_checkpoint += batch.len();
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
