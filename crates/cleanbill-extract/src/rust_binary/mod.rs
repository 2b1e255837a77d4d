//! Rust programs that say what they were built from (cargo-auditable's section `.dep-v0`).
//!
//! Where the section is, only the end of the file tells, when its bytes have gone by: so a first
//! reading finds its place, which is [`Facts::part`], and a second reading takes those bytes alone.
//! A program without the section says nothing, and nothing is told of it.

mod audit;
mod finder;
#[cfg(test)]
mod tests;

pub(crate) use audit::crates;
pub(crate) use finder::Finder;

use crate::facts::Part;

/// The most bytes of the section, which is compressed; real ones have a few thousand.
pub(crate) const PART_MAX: u64 = 4 << 20;

/// Reads a whole file that is in memory: the entry point of fuzzing.
pub(crate) fn scan(bytes: &[u8], chunk: usize) -> Option<crate::facts::Facts> {
    let mut finder = Finder::default();
    for chunk in bytes.chunks(chunk.max(1)) {
        finder.data(chunk);
    }
    let Part { from, length } = finder.finish()?;
    let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    bytes.get(at(from)..at(from.saturating_add(length))).map(crates)
}
