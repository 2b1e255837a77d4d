//! Who works next: so many at a time, and among those who wait each owner in turn, so that one
//! who asks for a hundred things does not make another wait for all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Turns to work.
pub struct Turns {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    /// Owners in the order of their next turn; none without somebody who waits.
    waiting: VecDeque<(String, VecDeque<oneshot::Sender<Turn>>)>,
}

/// A turn; it ends when this is dropped.
pub struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// At most so many at a time, but at least one.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), state: Mutex::default() })
    }

    /// How many have a turn.
    pub fn running(&self) -> usize {
        self.lock().running
    }

    /// Waits for a turn of `owner`'s.
    pub async fn next(self: &Arc<Self>, owner: &str) -> Turn {
        let turn = {
            let mut state = self.lock();
            if state.running < self.most {
                state.running += 1;
                return Turn(Some(Arc::clone(self)));
            }
            let (give, turn) = oneshot::channel();
            match state.waiting.iter_mut().find(|(known, _)| known == owner) {
                Some((_, queue)) => queue.push_back(give),
                None => state.waiting.push_back((owner.to_owned(), VecDeque::from([give]))),
            }
            turn
        };
        // The sender is kept until it gives the turn: nothing drops it but the end of all.
        turn.await.unwrap_or(Turn(None))
    }

    /// Gives an ended turn to whoever is next.
    fn pass_on(self: &Arc<Self>) {
        while let Some(give) = self.take_next() {
            match give.send(Turn(Some(Arc::clone(self)))) {
                Ok(()) => return,
                // Nobody waits there any more. The turn is still to be given.
                Err(mut turn) => turn.0 = None,
            }
        }
    }

    fn take_next(&self) -> Option<oneshot::Sender<Turn>> {
        let mut state = self.lock();
        let Some((owner, mut queue)) = state.waiting.pop_front() else {
            state.running = state.running.saturating_sub(1);
            return None;
        };
        let give = queue.pop_front();
        if !queue.is_empty() {
            state.waiting.push_back((owner, queue));
        }
        give
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn owners_take_turns_and_no_turn_is_lost() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let turns = Turns::new(1);
            let first = turns.next("first").await;
            let order = Arc::new(Mutex::new(Vec::new()));
            let mut tasks = Vec::new();
            for (at, owner) in ["a", "a", "a", "a", "b", "c", "b"].into_iter().enumerate() {
                let (turns, order) = (turns.clone(), order.clone());
                tasks.push(tokio::spawn(async move {
                    let _turn = turns.next(owner).await;
                    order.lock().unwrap().push(format!("{owner}{at}"));
                    tokio::task::yield_now().await;
                }));
                tokio::task::yield_now().await;
            }
            // Somebody who gave up takes no turn away.
            tasks.remove(1).abort();
            tokio::task::yield_now().await;
            drop(first);
            for task in tasks {
                tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
            }
            assert_eq!(order.lock().unwrap().join(" "), "a0 b4 c5 b6 a2 a3");
            assert_eq!(turns.running(), 0);
        });
    }
}
