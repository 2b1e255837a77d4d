//! Which digest a tag stood for, remembered as long as the operator allows (by default not).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cleanbill_core::digest::Digest;

use super::known::Key;

/// Tags that are remembered at a time; past that all are forgotten.
const MOST: usize = 10_000;

/// The memory.
pub struct Tags {
    ttl: Duration,
    known: Mutex<HashMap<Key, (Digest, Instant)>>,
}

impl Tags {
    /// Remembers for `ttl`; zero: not at all.
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, known: Mutex::new(HashMap::new()) }
    }

    /// The digest, if it was learnt less than the allowed time ago.
    pub fn get(&self, name: &Key) -> Option<Digest> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|(_, at)| at.elapsed() < self.ttl).map(|(digest, _)| *digest)
    }

    /// Remembers what was just learnt.
    pub fn put(&self, name: &Key, digest: Digest) {
        if self.ttl.is_zero() {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name.clone(), (digest, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_remembered_longer_than_allowed() {
        let name: Key = ("nginx:1".parse().unwrap(), None);
        let digest = Digest::Sha256([7; 32]);
        for (ttl, wait, known) in [(0, 0, false), (60_000, 0, true), (5, 20, false)] {
            let tags = Tags::new(Duration::from_millis(ttl));
            tags.put(&name, digest);
            std::thread::sleep(Duration::from_millis(wait));
            assert_eq!(tags.get(&name), known.then_some(digest), "{ttl} ms, after {wait} ms");
        }
    }
}
