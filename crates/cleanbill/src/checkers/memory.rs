//! Answers that are remembered for a short time, where the configuration says so. Silence is
//! never remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Asked, Said};

/// Answers that are kept at a time.
const MOST: usize = 1024;
/// The largest question whose answer is kept, in bytes of what the pod's author wrote.
const QUESTION: usize = 8 << 10;

/// What one checker said lately.
pub(super) struct Memory {
    time: Duration,
    kept: Mutex<HashMap<Asked, (Said, Instant)>>,
}

impl Memory {
    /// Remembers for so long; zero: not at all.
    pub(super) fn new(time: Duration) -> Self {
        Self { time, kept: Mutex::default() }
    }

    /// What it said to the same question within the time.
    pub(super) fn recall(&self, asked: &Asked) -> Option<Said> {
        if self.time.is_zero() {
            return None;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, since) = kept.get(asked)?;
        (since.elapsed() < self.time).then(|| said.clone())
    }

    /// Remembers, if there is room.
    pub(super) fn keep(&self, asked: Asked, said: Said) {
        if self.time.is_zero() || size(&asked) > QUESTION {
            return;
        }
        let said = match said {
            Said::Agrees => Said::Agrees,
            Said::Disagrees(reason) => Said::Disagrees(cleanbill_core::opinion::one_line(&reason)),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, (_, since)| since.elapsed() < self.time);
        }
        if kept.len() < MOST {
            kept.insert(asked, (said, Instant::now()));
        }
    }
}

fn size(asked: &Asked) -> usize {
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>()
    };
    let context = asked.context.as_ref().map_or(0, |c| {
        let groups: usize = c.groups.iter().map(String::len).sum();
        c.user.len() + c.service_account.len() + groups + pairs(&c.labels)
    });
    asked.namespace.len() + pairs(&asked.annotations) + context
}
