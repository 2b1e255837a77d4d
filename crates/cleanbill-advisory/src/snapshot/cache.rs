//! Decoded blocks that are kept, within a bound: one image asks for the same few again and again.

use std::collections::HashMap;
use std::sync::Arc;

/// Decoded blocks kept, in bytes: all of the starter, and what one image needs of a large one.
const CACHE_BYTES: usize = 64 << 20;

/// Decoded blocks of one kind, by their numbers.
pub(super) struct Cache<T> {
    blocks: HashMap<usize, Kept<T>>,
    weight: usize,
    clock: u64,
}

/// A block, what it weighs, and when it was last asked for.
struct Kept<T> {
    block: Arc<T>,
    weight: usize,
    used: u64,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { blocks: HashMap::new(), weight: 0, clock: 0 }
    }
}

impl<T> Cache<T> {
    /// The block of this number, if it is kept.
    pub(super) fn get(&mut self, number: usize) -> Option<Arc<T>> {
        self.clock += 1;
        let kept = self.blocks.get_mut(&number)?;
        kept.used = self.clock;
        Some(Arc::clone(&kept.block))
    }

    /// Keeps a block that weighs so much; what was asked for longest ago goes.
    pub(super) fn insert(&mut self, number: usize, block: Arc<T>, weight: usize) {
        self.weight += weight;
        let kept = Kept { block, weight, used: self.clock };
        if let Some(old) = self.blocks.insert(number, kept) {
            self.weight -= old.weight;
        }
        while self.weight > CACHE_BYTES && self.blocks.len() > 1 {
            let oldest = self.blocks.iter().min_by_key(|(_, kept)| kept.used).map(|(n, _)| *n);
            match oldest.and_then(|n| self.blocks.remove(&n)) {
                Some(old) => self.weight -= old.weight,
                None => break,
            }
        }
    }
}
