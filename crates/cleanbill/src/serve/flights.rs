//! One flight: whoever asks for what is already being worked on waits for that work.
//!
//! The work belongs to nobody who waits: it goes on when they give up, and its end, a panic
//! included, is told to all who still wait.
//!
//! Past the bound on flights nothing new is begun, and one owner (a namespace) opens at most half
//! of them: whoever floods the gate with names leaves room for others. Among those that wait,
//! owners take turns.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::turns::Turns;

/// Works in progress by key: at most `parallel` run, at most `most` run or wait to run.
pub struct Flights<K, V> {
    open: Mutex<Open<K, V>>,
    turns: Arc<Turns>,
    most: usize,
}

struct Open<K, V> {
    flights: HashMap<K, watch::Receiver<Option<V>>>,
    /// How many each owner opened; no zeros.
    owned: HashMap<String, usize>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResult {
    /// The time is up; the work goes on.
    Late,
    /// Too much is being worked on, in all or for this owner; this was not begun.
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
            open: Mutex::new(Open { flights: HashMap::new(), owned: HashMap::new() }),
            turns: Turns::new(parallel),
            most,
        })
    }

    /// How many are being worked on or wait.
    pub fn count(&self) -> usize {
        self.lock().flights.len()
    }

    /// How many are being worked on.
    pub fn running(&self) -> usize {
        self.turns.running()
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
        self.wait_for(key, "", until, work).await
    }

    /// The same, opened for an owner, who opens at most half of all flights. The empty owner is
    /// nobody, and bound by the whole only.
    ///
    /// # Errors
    /// See [`NoResult`].
    pub async fn wait_for<F>(
        self: &Arc<Self>,
        key: K,
        owner: &str,
        until: Instant,
        work: F,
    ) -> Result<V, NoResult>
    where
        F: FnOnce() -> V + Send + 'static,
    {
        let mut landed = self.board(key, owner, work)?;
        let value = tokio::time::timeout_at(until.into(), landed.wait_for(Option::is_some))
            .await
            .map_err(|_| NoResult::Late)?
            .map_err(|_| NoResult::Lost)?;
        value.clone().ok_or(NoResult::Lost)
    }

    fn board<F>(
        self: &Arc<Self>,
        key: K,
        owner: &str,
        work: F,
    ) -> Result<watch::Receiver<Option<V>>, NoResult>
    where
        F: FnOnce() -> V + Send + 'static,
    {
        let mut open = self.lock();
        if let Some(under_way) = open.flights.get(&key) {
            return Ok(under_way.clone());
        }
        let share = self.most.div_ceil(2);
        let owned = open.owned.get(owner).copied().unwrap_or(0);
        if open.flights.len() >= self.most || (!owner.is_empty() && owned >= share) {
            return Err(NoResult::Full);
        }
        let (tell, landed) = watch::channel(None);
        open.flights.insert(key.clone(), landed.clone());
        open.owned.insert(owner.to_owned(), owned + 1);
        drop(open);
        // Dropped on every way out, even of a task that never ran: nobody can board a flight
        // that has ended.
        let ended = Ended { flights: Arc::clone(self), key, owner: owner.to_owned() };
        tokio::spawn(async move {
            let ended = ended;
            let _turn = ended.flights.turns.next(&ended.owner).await;
            if let Ok(value) = tokio::task::spawn_blocking(work).await {
                tell.send_replace(Some(value));
            }
        });
        Ok(landed)
    }

    fn lock(&self) -> MutexGuard<'_, Open<K, V>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ended<K: Clone + Eq + Hash + Send + Sync + 'static, V: Clone + Send + Sync + 'static> {
    flights: Arc<Flights<K, V>>,
    key: K,
    owner: String,
}

impl<K, V> Drop for Ended<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        let mut open = self.flights.lock();
        open.flights.remove(&self.key);
        let left = open.owned.get(&self.owner).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.owned.remove(&self.owner);
        } else {
            open.owned.insert(self.owner.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_owner_leaves_room_for_others() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let flights = Flights::<u32, u32>::new(1, 4);
            let soon = || Instant::now() + Duration::from_millis(20);
            let (end, wait) = std::sync::mpsc::channel::<()>();
            let held = move || {
                _ = wait.recv();
                0
            };
            assert_eq!(flights.wait_for(0, "greedy", soon(), held).await, Err(NoResult::Late));
            let ask = |key, owner: &'static str| {
                let flights = flights.clone();
                async move { flights.wait_for(key, owner, soon(), move || key).await }
            };
            assert_eq!(ask(1, "greedy").await, Err(NoResult::Late));
            assert_eq!(ask(2, "greedy").await, Err(NoResult::Full), "half of four is two");
            assert_eq!(ask(1, "modest").await, Err(NoResult::Late), "boards what is open");
            assert_eq!(ask(3, "modest").await, Err(NoResult::Late));
            assert_eq!(ask(4, "other").await, Err(NoResult::Late));
            assert_eq!(ask(5, "another").await, Err(NoResult::Full), "all four are open");
            assert_eq!((flights.count(), flights.running()), (4, 1));
            end.send(()).unwrap();
            while flights.count() > 3 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let later = Instant::now() + Duration::from_secs(10);
            assert_eq!(flights.wait_for(9, "greedy", later, || 9).await, Ok(9));
            while flights.count() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(flights.lock().owned.is_empty(), "what has ended is nobody's");
        });
    }
}
