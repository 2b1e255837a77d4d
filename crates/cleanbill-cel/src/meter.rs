//! What an evaluation may cost, and how much of that is left.

use crate::fault::Fault;

/// A cost: one unit is about one step, or sixteen bytes looked at or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub u64);

impl Cost {
    /// What one rule may cost where nothing else is said.
    pub const DEFAULT: Self = Self(1_000_000);
}

impl Default for Cost {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Counts down.
pub(crate) struct Meter {
    left: u64,
}

impl Meter {
    pub fn new(limit: Cost) -> Self {
        Self { left: limit.0 }
    }

    /// Takes this many steps.
    pub fn steps(&mut self, n: usize) -> Result<(), Fault> {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        match self.left.checked_sub(n) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Fault::Cost)
            }
        }
    }

    /// Takes what looking at or writing this many bytes costs.
    pub fn bytes(&mut self, n: usize) -> Result<(), Fault> {
        self.steps(n / 16 + 1)
    }

    pub fn left(&self) -> u64 {
        self.left
    }
}
