//! One flight: whoever asks for what is already being worked on waits for that work.
//!
//! The work belongs to nobody who waits: it goes on when they give up, and its end, a panic
//! included, is told to all who still wait.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, watch};

/// Works in progress by key: at most `parallel` run, at most `most` run or wait to run.
pub struct Flights<K, V> {
    open: Mutex<HashMap<K, watch::Receiver<Option<V>>>>,
    running: Semaphore,
    most: usize,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResult {
    /// The time is up; the work goes on.
    Late,
    /// Too much is being worked on; this was not begun.
    Full,
    /// The work ended without a result: it panicked, or the program is stopping.
    Lost,
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// No flights yet.
    pub fn new(parallel: usize, most: usize) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::new(HashMap::new()),
            running: Semaphore::new(parallel.max(1)),
            most,
        })
    }

    /// How many are being worked on or wait.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// The result for `key`, of a flight under way or of a new one that does `work` on a thread
    /// that may block. Waits until `until` at most.
    ///
    /// # Errors
    /// See [`NoResult`].
    pub async fn wait<F>(self: &Arc<Self>, key: K, until: Instant, work: F) -> Result<V, NoResult>
    where
        F: FnOnce() -> V + Send + 'static,
    {
        let mut landed = self.board(key, work)?;
        let value = tokio::time::timeout_at(until.into(), landed.wait_for(Option::is_some))
            .await
            .map_err(|_| NoResult::Late)?
            .map_err(|_| NoResult::Lost)?;
        value.clone().ok_or(NoResult::Lost)
    }

    fn board<F>(self: &Arc<Self>, key: K, work: F) -> Result<watch::Receiver<Option<V>>, NoResult>
    where
        F: FnOnce() -> V + Send + 'static,
    {
        let mut open = self.lock();
        if let Some(under_way) = open.get(&key) {
            return Ok(under_way.clone());
        }
        if open.len() >= self.most {
            return Err(NoResult::Full);
        }
        let (tell, landed) = watch::channel(None);
        open.insert(key.clone(), landed.clone());
        drop(open);
        let flights = Arc::clone(self);
        tokio::spawn(async move {
            // Dropped last, on every way out: nobody can board a flight that has ended.
            let _ended = Ended { flights: &flights, key };
            let Ok(_slot) = flights.running.acquire().await else { return };
            if let Ok(value) = tokio::task::spawn_blocking(work).await {
                tell.send_replace(Some(value));
            }
        });
        Ok(landed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, watch::Receiver<Option<V>>>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ended<'f, K: Clone + Eq + Hash + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    flights: &'f Arc<Flights<K, V>>,
    key: K,
}

impl<K, V> Drop for Ended<'_, K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
    }
}
