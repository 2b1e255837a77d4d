//! The steps from question to answer, and how each can fail.
//!
//! Both are closed sets: a step that is added to [`Point`] does not compile without its faults. The
//! fields of `Examiner` are all of what the gate asks of the rest of the program; `path` fills in
//! every one of them.

use Fault::{Error, Hang, Panic, Wrong};

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The decision's id is made up.
    Id,
    /// The body arrives.
    Body,
    /// The body is read.
    Parse,
    /// The judge looks at the clock.
    Clock,
    /// The permit is spent.
    Spend,
    /// The pod's pull secrets are read from the cluster.
    Secrets,
    /// The digest of the advisories is asked for.
    Snapshot,
    /// From a tag to a digest.
    Resolve,
    /// From a digest to evidence.
    Examine,
    /// What is registered is looked up.
    Registered,
    /// An earlier admission is looked up.
    Admitted,
    /// Somebody else is asked.
    Checker,
    /// The decision is written.
    Record,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It says that it failed.
    Error,
    /// It panics (a program: it dies by a signal).
    Panic,
    /// It does not come back in time.
    Hang,
    /// It gives something else than it was asked for.
    Wrong(&'static str),
}

impl Point {
    pub const ALL: [Self; 13] = [
        Self::Id,
        Self::Body,
        Self::Parse,
        Self::Clock,
        Self::Spend,
        Self::Secrets,
        Self::Snapshot,
        Self::Resolve,
        Self::Examine,
        Self::Registered,
        Self::Admitted,
        Self::Checker,
        Self::Record,
    ];

    /// The faults that this step can have. What is missing cannot happen, and why is said.
    pub fn faults(self) -> &'static [Fault] {
        match self {
            // The same id again: the record takes it once. Once a machine is up, its random numbers
            // do not block, nor does its clock.
            Self::Id => &[Error, Panic, Wrong("the id of an earlier decision")],
            // Bytes are not lost or changed within TLS; no code of ours runs in between.
            Self::Body => &[Error, Hang, Wrong("half of it")],
            // Pure and bounded; that it does not panic is tested by fuzzing.
            Self::Parse => &[Error],
            // A clock has no errors. A wrong one is told by tables with times in them.
            Self::Clock => &[Panic],
            // A pure function of the clock.
            Self::Spend => &[Wrong("an hour passed since the judgement")],
            // That no bytes make it panic is tested by fuzzing.
            Self::Secrets => &[
                Error,
                Hang,
                Wrong("nothing"),
                Wrong("half of it"),
                Wrong("no login"),
                Wrong("another's login"),
                Wrong("another password"),
            ],
            // Without an answer, or with another, evidence is gathered anew: no fault.
            Self::Snapshot => &[Panic, Hang],
            Self::Resolve => &[Error, Panic, Hang, Wrong("an image with flaws")],
            Self::Examine => &[
                Error,
                Panic,
                Hang,
                Wrong("other bytes"),
                Wrong("no platform"),
                Wrong("another repository"),
                Wrong("half of the image"),
            ],
            Self::Registered => &[
                Error,
                Panic,
                Hang,
                Wrong("nothing"),
                Wrong("other bytes"),
                Wrong("no platform"),
                Wrong("another repository"),
                Wrong("never examined"),
            ],
            Self::Admitted => &[Error, Panic, Hang, Wrong("long ago"), Wrong("in the future")],
            Self::Checker => &[
                Error,
                Panic,
                Hang,
                Wrong("nonsense"),
                Wrong("another image"),
                Wrong("nothing"),
                Wrong("1 GB"),
            ],
            // A journal that panics takes its store with it: see the store's own tests.
            Self::Record => &[Error, Hang],
        }
    }

    /// Which interfaces go by it.
    pub fn ways(self) -> &'static [&'static str] {
        match self {
            // `ImageReview` tells no pull secrets.
            Self::Secrets => &["/validate", "/mutate"],
            Self::Id
            | Self::Body
            | Self::Parse
            | Self::Clock
            | Self::Spend
            | Self::Snapshot
            | Self::Resolve
            | Self::Examine
            | Self::Registered
            | Self::Admitted
            | Self::Checker
            | Self::Record => &["/review", "/validate", "/mutate"],
        }
    }
}
