//! Evidence that is at hand: what was gathered with today's advisories, in memory, within bounds.
//!
//! It is believed for an hour at most and only on the day it was gathered (ends of life come at
//! midnight), and never under other advisories than those of now. The bound counts bytes of the
//! evidence's JSON; past it the least recently used goes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::today;
use cleanbill_core::reference::ImageRef;
use sha2::{Digest as _, Sha256};

/// Seconds for which evidence is believed.
const HOLDS: i64 = 3600;

/// Evidence with the digest of its canonical JSON, by which decisions refer to it.
pub struct Sealed {
    /// The evidence.
    pub evidence: Arc<Evidence>,
    /// The digest of its JSON.
    pub digest: Digest,
    /// The age of the oldest feed that was used; `None`: no feed, or one without a date.
    pub oldest_feed: Option<Timestamp>,
    gathered: Timestamp,
    size: usize,
    recorded: AtomicBool,
    used: AtomicU64,
}

impl Sealed {
    /// Seals evidence that was gathered now.
    pub fn new(evidence: Arc<Evidence>, now: Timestamp) -> Self {
        let json = serde_json::to_vec(&*evidence).unwrap_or_default();
        let feeds = evidence.platforms.iter().flat_map(|p| &p.feeds);
        let oldest_feed = feeds.map(|f| f.as_of).min().flatten();
        Self {
            digest: Digest::Sha256(Sha256::digest(&json).into()),
            oldest_feed,
            gathered: now,
            size: json.len(),
            recorded: AtomicBool::new(false),
            used: AtomicU64::new(0),
            evidence,
        }
    }

    /// Its JSON, unless it was recorded already.
    pub fn unrecorded(&self) -> Option<Arc<[u8]>> {
        if self.recorded.load(Relaxed) {
            return None;
        }
        serde_json::to_vec(&*self.evidence).ok().map(Into::into)
    }

    /// It was recorded. Nobody has to write it again while it is held here; after an hour it is
    /// gathered anew, long before the record forgets it.
    pub fn set_recorded(&self) {
        self.recorded.store(true, Relaxed);
    }

    fn holds(&self, snapshot: &Digest, now: Timestamp) -> bool {
        let age = now.as_second().saturating_sub(self.gathered.as_second());
        self.evidence.snapshot.digest == *snapshot
            && (0..HOLDS).contains(&age)
            && today(now) == today(self.gathered)
    }
}

/// An image by digest in one repository, as seen with some credentials (their digest).
pub type Key = (ImageRef, Option<Digest>);

/// All that is at hand.
pub struct Known {
    most: usize,
    clock: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_key: HashMap<Key, Arc<Sealed>>,
    size: usize,
}

impl Known {
    /// Holds at most so many bytes of evidence.
    pub fn new(most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { most, clock: AtomicU64::new(0), held: Mutex::default() }
    }

    /// What is known of this image, if it was gathered with these advisories and is fresh.
    pub fn get(&self, key: &Key, snapshot: &Digest, now: Timestamp) -> Option<Arc<Sealed>> {
        let held = self.lock();
        let sealed = held.by_key.get(key).filter(|s| s.holds(snapshot, now))?;
        sealed.used.store(self.clock.fetch_add(1, Relaxed), Relaxed);
        Some(Arc::clone(sealed))
    }

    /// Keeps what was just gathered.
    pub fn put(&self, key: Key, sealed: Arc<Sealed>) {
        if sealed.size > self.most / 4 {
            return;
        }
        sealed.used.store(self.clock.fetch_add(1, Relaxed), Relaxed);
        let mut held = self.lock();
        held.size += sealed.size;
        if let Some(old) = held.by_key.insert(key, sealed) {
            held.size -= old.size;
        }
        if held.size > self.most {
            held.shrink(self.most / 4 * 3);
        }
    }

    /// How many images are known, and bytes of their evidence.
    pub fn size(&self) -> (usize, usize) {
        let held = self.lock();
        (held.by_key.len(), held.size)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // A panic while it was held can only have left a size that is too large.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Forgets the least recently used down to so many bytes: a quarter at a time, so that the
    /// sorting is paid for by many.
    fn shrink(&mut self, to: usize) {
        let mut by_use: Vec<(u64, Key)> =
            self.by_key.iter().map(|(k, s)| (s.used.load(Relaxed), k.clone())).collect();
        by_use.sort_by_key(|(used, _)| *used);
        for (_, key) in by_use {
            if self.size <= to {
                break;
            }
            if let Some(gone) = self.by_key.remove(&key) {
                self.size -= gone.size;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cleanbill_core::evidence::SnapshotId;

    const SNAPSHOT: Digest = Digest::Sha256([3; 32]);

    fn sealed(name: &str, at: &str) -> (Key, Arc<Sealed>) {
        let reference: ImageRef = name.parse().unwrap();
        let evidence = Evidence {
            reference: reference.clone(),
            resolved: Digest::Sha256([7; 32]),
            platforms: Vec::new(),
            gaps: Vec::new(),
            snapshot: SnapshotId { digest: SNAPSHOT, starter: false, known_exploited: None },
        };
        ((reference, None), Arc::new(Sealed::new(Arc::new(evidence), at.parse().unwrap())))
    }

    #[test]
    fn evidence_is_believed_for_an_hour_of_the_same_day_and_snapshot() {
        let known = Known::new(1 << 20);
        let (key, value) = sealed("a", "2026-08-30T12:00:00Z");
        known.put(key.clone(), value);
        let (late, value) = sealed("b", "2026-08-30T23:30:00Z");
        known.put(late.clone(), value);
        for (key, snapshot, now, there) in [
            (&key, SNAPSHOT, "2026-08-30T12:00:00Z", true),
            (&key, SNAPSHOT, "2026-08-30T12:59:59Z", true),
            (&key, SNAPSHOT, "2026-08-30T13:00:00Z", false),
            (&key, Digest::Sha256([4; 32]), "2026-08-30T12:00:01Z", false),
            // The clock went back: nobody knows how old it is.
            (&key, SNAPSHOT, "2026-08-30T11:59:59Z", false),
            (&late, SNAPSHOT, "2026-08-30T23:59:59Z", true),
            (&late, SNAPSHOT, "2026-08-31T00:00:00Z", false),
            (&(key.0.clone(), Some(SNAPSHOT)), SNAPSHOT, "2026-08-30T12:00:00Z", false),
        ] {
            let got = known.get(key, &snapshot, now.parse().unwrap()).is_some();
            assert_eq!(got, there, "{key:?} {now}");
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let at = "2026-08-30T12:00:00Z";
        let (first, value) = sealed("image-0000", at);
        let size = value.size;
        let known = Known::new(size as u64 * 40);
        known.put(first.clone(), value);
        for n in 1..1000 {
            let (key, value) = sealed(&format!("image-{n:04}"), at);
            known.put(key, value);
            assert!(known.get(&first, &SNAPSHOT, at.parse().unwrap()).is_some(), "{n}");
            assert!(known.size().1 <= size * 40, "{:?}", known.size());
        }
        assert!(known.size().0 >= 30, "{:?}", known.size());
    }
}
