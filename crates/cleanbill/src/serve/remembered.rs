//! What is remembered under bytes, within a bound: what nobody asks for is forgotten first.
//!
//! Who asks moves nothing: with many keys in use, moving each to the front would cost more than
//! what it is asked for.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Values with their sizes. Hashed in a quick way: the seed is of this process alone, and nobody
/// who asks sees an order or, beyond the noise, a time.
pub(super) struct Remembered<V> {
    by_key: HashMap<Box<[u8]>, Kept<V>, RandomState>,
    size: usize,
    most: usize,
}

struct Kept<V> {
    value: V,
    size: usize,
    /// Asked for since it was last looked what is to be forgotten.
    used: bool,
}

impl<V> Remembered<V> {
    /// Nothing yet, and at most so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { by_key: HashMap::default(), size: 0, most }
    }

    /// What is remembered under this key.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<&V> {
        let kept = self.by_key.get_mut(key)?;
        kept.used = true;
        Some(&kept.value)
    }

    /// Remembers a value that takes so many bytes, its key included, unless that is a large part
    /// of all that is remembered.
    pub(super) fn put(&mut self, key: Box<[u8]>, value: V, size: usize) {
        if size > self.most / 32 {
            return;
        }
        self.size = self.size.saturating_add(size);
        if let Some(before) = self.by_key.insert(key, Kept { value, size, used: false }) {
            self.size = self.size.saturating_sub(before.size);
        }
        if self.size > self.most {
            self.shrink(self.most / 4 * 3);
        }
    }

    /// Forgets what is remembered under this key.
    pub(super) fn forget(&mut self, key: &[u8]) {
        if let Some(gone) = self.by_key.remove(key) {
            self.size = self.size.saturating_sub(gone.size);
        }
    }

    /// Forgets down to so many bytes: what nobody asked for since the last time, then, where that
    /// is not enough, anything. A quarter at a time, so that many pay for looking through all.
    fn shrink(&mut self, to: usize) {
        let Self { by_key, size, .. } = self;
        for all in [false, true] {
            by_key.retain(|_, kept| {
                let stays = *size <= to || (std::mem::take(&mut kept.used) && !all);
                if !stays {
                    *size = size.saturating_sub(kept.size);
                }
                stays
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Box<[u8]> {
        n.to_string().into_bytes().into()
    }

    #[test]
    fn what_is_asked_for_stays_and_the_bound_holds() {
        let mut all = Remembered::new(1000);
        all.put(key(0), 0, 10);
        for n in 1..10_000 {
            assert_eq!(all.get(&key(0)), Some(&0), "{n}");
            all.put(key(n), n, 10);
            assert!(all.size <= 1000 && all.by_key.len() * 10 == all.size, "{n}: {}", all.size);
        }
        assert!(all.by_key.len() > 70, "{}", all.by_key.len());
    }

    #[test]
    fn all_of_it_can_be_in_use() {
        let mut all = Remembered::new(1000);
        for round in 0..3 {
            for n in 0..100 {
                if round == 0 {
                    all.put(key(n), n, 10);
                }
                assert_eq!(all.get(&key(n)), Some(&n), "{round}");
            }
        }
        all.put(key(100), 100, 10);
        assert!(all.size <= 1000 && all.by_key.len() >= 74, "{}", all.size);
    }

    #[test]
    fn what_takes_another_place_or_is_forgotten_counts_no_more() {
        let mut all = Remembered::new(1000);
        all.put(key(1), "a", 30);
        all.put(key(1), "b", 20);
        assert_eq!(all.get(&key(1)), Some(&"b"));
        assert_eq!(all.size, 20);
        all.put(key(2), "too large", 32);
        assert_eq!(all.get(&key(2)), None);
        all.forget(&key(1));
        all.forget(&key(1));
        assert_eq!(all.get(&key(1)), None);
        assert_eq!(all.size, 0);
    }
}
