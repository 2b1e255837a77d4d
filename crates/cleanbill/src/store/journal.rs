//! One thread that writes decisions, many at a time: whoever records waits until the transaction
//! with his decision is on the disk, and shares its cost with all who came meanwhile.
//!
//! Nothing is acknowledged before its commit. When the queue is full, or the thread is gone,
//! recording fails at once, and the gate denies.

use std::sync::Arc;
use std::thread::JoinHandle;

use cleanbill_core::digest::Digest;
use tokio::sync::oneshot;

use super::Store;
use super::checkpoint;
use super::decision::Head;
use super::matter::{Lent, Matter};
use super::packed::Packed;
use super::queue::{Job, Pace, Queue, gone};
use super::turn::Turn;
use super::write::{Entry, Ready, Told, Writer};
use crate::failure::{Failure, Result};

/// Decisions after which the log is moved into the file: seldom, since the disk is busy meanwhile.
const CHECKPOINT_EVERY: usize = 32_768;

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

    /// The same for a decision whose matter is at hand, wherever it is kept, and evidence of so many
    /// bytes.
    ///
    /// # Errors
    /// As [`Journal::record`].
    pub async fn record_again(
        &self,
        head: Head,
        matter: Lent<Matter>,
        evidence: Lent<[Packed]>,
        bytes: usize,
        admitted: Option<Digest>,
    ) -> Result<()> {
        self.write(Ready::again(head, matter, evidence, bytes, admitted)).await
    }

    async fn write(&self, ready: Ready) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.queue.add(Job { ready, done }).await?;
        let (told, _ready) = answer.await.map_err(|_| gone())?;
        told.map_err(Failure::from)
    }

    /// Whether nothing more is taken.
    #[cfg(test)]
    pub(super) fn is_full(&self) -> bool {
        self.queue.is_full()
    }

    /// Whether the thread that writes is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn alive(&self) -> Result<()> {
        match &self.thread {
            Some(thread) if !thread.is_finished() => Ok(()),
            _ => Err(gone()),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue.close();
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
    let _leaving = queue.leaving();
    let (mut since_checkpoint, mut pace) = (0_usize, Pace::default());
    while let Some(jobs) = queue.take(&mut pace) {
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
