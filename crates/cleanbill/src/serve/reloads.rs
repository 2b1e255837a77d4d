//! What became of reloads: counted, and the last refusal kept until it is mended.
//!
//! Tells that something failed and never what stands in a file: the probe is asked by anybody.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What can be replaced while the gate runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `cleanbill.yaml` itself: where the others are.
    Configuration,
    /// The server's certificate and key, the clients' authority and names.
    Certificates,
    /// How registries are reached, with their passwords and authorities.
    Registries,
    /// Who else is asked.
    Checkers,
    /// The policy, and with it the checkers.
    Policy,
    /// The snapshot of advisories.
    Advisories,
}

impl What {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 6] = [
        Self::Configuration,
        Self::Certificates,
        Self::Registries,
        Self::Checkers,
        Self::Policy,
        Self::Advisories,
    ];

    /// The word in metrics, logs and the readiness probe.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Certificates => "certificates",
            Self::Registries => "registries",
            Self::Checkers => "checkers",
            Self::Policy => "policy",
            Self::Advisories => "advisories",
        }
    }
}

/// Counters of one kind.
#[derive(Debug, Default)]
struct Counted {
    taken: AtomicU64,
    refused: AtomicU64,
    failing: AtomicBool,
}

/// Counters of all kinds.
#[derive(Debug, Default)]
pub struct Reloads([Counted; 6]);

impl Reloads {
    fn of(&self, what: What) -> impl Iterator<Item = &Counted> {
        self.0.iter().zip(What::ALL).filter(move |(_, known)| *known == what).map(|(c, _)| c)
    }

    /// A new one was taken.
    pub fn took(&self, what: What) {
        self.of(what).for_each(|c| {
            c.taken.fetch_add(1, Relaxed);
        });
        self.mended(what);
    }

    /// A new one was refused; the old one stays.
    pub fn refused(&self, what: What) {
        self.of(what).for_each(|c| {
            c.refused.fetch_add(1, Relaxed);
            c.failing.store(true, Relaxed);
        });
    }

    /// What stands in the files is what is in force.
    pub fn mended(&self, what: What) {
        self.of(what).for_each(|c| {
            c.failing.store(false, Relaxed);
        });
    }

    /// How many were taken, how many refused, and whether the newest is refused.
    pub fn get(&self, what: What) -> (u64, u64, bool) {
        self.of(what).fold((0, 0, false), |_, c| {
            let failing = c.failing.load(Relaxed);
            (c.taken.load(Relaxed), c.refused.load(Relaxed), failing)
        })
    }

    /// The kinds of which the newest is refused.
    pub fn failing(&self) -> Vec<What> {
        What::ALL.into_iter().filter(|what| self.get(*what).2).collect()
    }
}
