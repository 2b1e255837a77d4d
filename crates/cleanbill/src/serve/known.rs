//! Evidence that is at hand: what was gathered with today's advisories, in memory, within bounds.
//!
//! It is believed for an hour at most and only on the day it was gathered (ends of life come at
//! midnight), and never under other advisories than those of now. Most of what is in evidence is
//! packages without a flaw, which few policies look at: they are held only for those that do. The
//! bound counts bytes as they are in memory, roughly; past it the least recently used goes.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;

use crate::failure::{Failure, Result};
use crate::store::Packed;

/// Seconds for which evidence is believed.
const HOLDS: i64 = 3600;
const DAY: i64 = 86_400;
/// Bytes in memory for each byte of its JSON, about: texts of a few bytes each.
const UNPACKED: usize = 2;
/// Bytes of what stands around one image's evidence, about.
const AROUND: usize = 1024;

/// Evidence with what it is recorded as.
pub struct Sealed {
    /// The evidence, for the judge.
    pub evidence: Arc<Evidence>,
    /// Whether all packages are in it: else only those that have a flaw.
    pub whole: bool,
    /// All of it, for the record: one.
    pub packed: Arc<[Packed]>,
    /// Bytes of that.
    pub packed_bytes: usize,
    /// The digest of its JSON, by which decisions refer to it.
    pub digest: Digest,
    /// The date of the oldest feed that was used and has one; where none has, that of the oldest
    /// list which the snapshot brings for all packages alike (known exploited flaws, EPSS).
    pub oldest_feed: Option<Timestamp>,
    gathered: Timestamp,
    size: usize,
    used: AtomicU64,
}

impl Sealed {
    /// Seals evidence that was gathered now.
    ///
    /// # Errors
    /// When it is too large to be recorded.
    pub fn new(evidence: Arc<Evidence>, now: Timestamp) -> Result<Self> {
        let json = serde_json::to_vec(&*evidence)
            .map_err(|e| Failure::new(format!("evidence cannot be written: {e}")))?;
        let packed = Packed::new(&json)?;
        let digest = packed.digest();
        let feeds = evidence.platforms.iter().flat_map(|p| &p.feeds);
        let lists = evidence.snapshot.known_exploited.iter().chain(&evidence.snapshot.epss);
        let oldest_feed =
            feeds.filter_map(|f| f.as_of).min().or_else(|| lists.filter_map(|f| f.as_of).min());
        Ok(Self {
            oldest_feed,
            gathered: now,
            size: packed.len() + json.len() * UNPACKED + AROUND,
            packed_bytes: packed.len(),
            whole: true,
            packed: Arc::new([packed]),
            digest,
            used: AtomicU64::new(0),
            evidence,
        })
    }

    /// The same without what a policy does not look at.
    #[must_use]
    pub fn for_policy(self: Arc<Self>, policy: &Policy) -> Arc<Self> {
        if policy.reads_packages() {
            return self;
        }
        let mut evidence = Evidence::clone(&self.evidence);
        for platform in &mut evidence.platforms {
            platform.packages = Vec::new();
        }
        // Written only to know how long it is.
        let length = serde_json::to_vec(&evidence).map_or(usize::MAX / 4, |json| json.len());
        Arc::new(Self {
            evidence: Arc::new(evidence),
            whole: false,
            packed: Arc::clone(&self.packed),
            digest: self.digest,
            oldest_feed: self.oldest_feed,
            gathered: self.gathered,
            size: self.packed_bytes + length * UNPACKED + AROUND,
            packed_bytes: self.packed_bytes,
            used: AtomicU64::new(0),
        })
    }

    /// Whether it may be used now, under these advisories and this policy.
    pub fn holds(&self, snapshot: &Digest, policy: &Policy, now: Timestamp) -> bool {
        self.evidence.snapshot.digest == *snapshot
            && self.seconds().contains(&now.as_second())
            && (self.whole || !policy.reads_packages())
    }

    /// The seconds in which it is believed: an hour, but not past midnight.
    pub fn seconds(&self) -> Range<i64> {
        let from = self.gathered.as_second();
        let midnight = from - from.rem_euclid(DAY) + DAY;
        from..midnight.min(from + HOLDS)
    }
}

impl AsRef<[Packed]> for Sealed {
    fn as_ref(&self) -> &[Packed] {
        &self.packed
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

    /// What is known of this image, if it was gathered with these advisories, is fresh, and has
    /// all that the policy looks at.
    pub fn get(
        &self,
        key: &Key,
        snapshot: &Digest,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Arc<Sealed>> {
        let held = self.lock();
        let sealed = held.by_key.get(key).filter(|s| s.holds(snapshot, policy, now))?;
        self.touch(sealed);
        Some(Arc::clone(sealed))
    }

    /// It was used. The clock moves when something new comes: until then, what was used needs no
    /// order.
    pub fn touch(&self, sealed: &Sealed) {
        let now = self.clock.load(Relaxed);
        if sealed.used.load(Relaxed) != now {
            sealed.used.store(now, Relaxed);
        }
    }

    /// Keeps what was just gathered.
    pub fn put(&self, key: Key, sealed: Arc<Sealed>) {
        if sealed.size > self.most / 4 {
            return;
        }
        self.clock.fetch_add(1, Relaxed);
        self.touch(&sealed);
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
    use cleanbill_core::glob::Glob;
    use cleanbill_core::policy::{Action, Condition, PackageFilter, Rule, Scope};

    const SNAPSHOT: Digest = Digest::Sha256([3; 32]);

    fn sealed(name: &str, at: &str) -> (Key, Arc<Sealed>) {
        let reference: ImageRef = name.parse().unwrap();
        let evidence = Evidence {
            reference: reference.clone(),
            resolved: Digest::Sha256([7; 32]),
            platforms: Vec::new(),
            gaps: Vec::new(),
            snapshot: SnapshotId {
                digest: SNAPSHOT,
                starter: false,
                known_exploited: None,
                epss: None,
            },
        };
        ((reference, None), Arc::new(Sealed::new(Arc::new(evidence), at.parse().unwrap()).unwrap()))
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
            let got = known.get(key, &snapshot, &Policy::default(), now.parse().unwrap()).is_some();
            assert_eq!(got, there, "{key:?} {now}");
        }
    }

    #[test]
    fn evidence_without_packages_is_not_for_policies_that_read_them() {
        let at = "2026-08-30T12:00:00Z";
        let refuse = Condition {
            packages: vec![PackageFilter { name: Glob::new("bash"), kind: None, versions: vec![] }],
            ..Condition::default()
        };
        let (name, scope, action) = ("no bash".into(), Scope::default(), Action::Audit);
        let rules = vec![Rule { name, scope, refuse, action, message: None }];
        let reads = Policy { rules, ..Policy::default() };
        let plain = Policy::default();
        for (kept_for, asked_by, there) in [
            (&plain, &plain, true),
            (&plain, &reads, false),
            (&reads, &reads, true),
            (&reads, &plain, true),
        ] {
            let known = Known::new(1 << 20);
            let (key, whole) = sealed("a", at);
            let kept = Arc::clone(&whole).for_policy(kept_for);
            assert_eq!((kept.whole, kept.digest), (kept_for.reads_packages(), whole.digest));
            assert_eq!(kept.packed, whole.packed);
            known.put(key.clone(), kept);
            let got = known.get(&key, &SNAPSHOT, asked_by, at.parse().unwrap()).is_some();
            assert_eq!(got, there);
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
            assert!(
                known.get(&first, &SNAPSHOT, &Policy::default(), at.parse().unwrap()).is_some(),
                "{n}"
            );
            assert!(known.size().1 <= size * 40, "{:?}", known.size());
        }
        assert!(known.size().0 >= 30, "{:?}", known.size());
    }
}
