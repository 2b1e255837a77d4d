//! A thread that keeps the store within its bounds, beside everything else.
//!
//! What it does, it does a small piece at a time, so that no decision waits for long.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Store;
use crate::failure::{Failure, Result};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);
/// Between two pieces.
const PAUSE: Duration = Duration::from_millis(20);

/// What a store may take besides its decisions and their evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes of facts (default 4 GiB): about so many, since more come between two looks.
    pub facts: u64,
    /// Bytes of snapshots (default 4 GiB); the one in force is kept, whatever it takes.
    pub snapshots: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { facts: 4 << 30, snapshots: 4 << 30 }
    }
}

/// The thread. Dropping it ends it.
pub struct Caretaker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Caretaker {
    /// Starts it: it looks at once, and then every minute.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(store: Arc<Store>) -> Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("caretaker".into())
            .spawn(move || run(&store, &stopped))
            .map_err(|e| Failure::new(format!("no thread to look after the store: {e}")))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Nothing depends on it having ended well.
            _ = thread.join();
        }
    }
}

fn run(store: &Store, stopped: &Receiver<()>) {
    let wait = |time| stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
    loop {
        if let Err(e) = store.remove_leftovers() {
            tracing::warn!(error = %e, "copies of snapshots that nobody needs could not be removed");
        }
        for step in [Store::mark_used, Store::make_room] {
            loop {
                match step(store) {
                    Ok(false) => break,
                    Ok(true) if wait(PAUSE) => {}
                    Ok(true) => return,
                    Err(e) => {
                        tracing::warn!(error = %e, "facts could not be kept within their bounds");
                        break;
                    }
                }
            }
        }
        if !wait(EVERY) {
            return;
        }
    }
}
