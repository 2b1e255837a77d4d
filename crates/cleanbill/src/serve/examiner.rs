//! What the gate needs of the rest of the program: from a name to a digest, from a digest to
//! evidence, and whether both could be done now.
//!
//! A struct of functions rather than a trait: there is one real examiner (`assess`), and tests
//! give slow, failing and panicking ones.

use std::time::{Duration, Instant};

use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::reference::ImageRef;

/// The moment at which an examination has to give up.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(time: Duration) -> Self {
        let now = Instant::now();
        // A time beyond the clock's range is as good as a day.
        Self(now.checked_add(time).unwrap_or(now + Duration::from_secs(86_400)))
    }

    /// The moment itself.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left; zero when it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Why an image could not be examined: what the asker is told, and what is logged, are two things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// For whoever made the pod: generic, without addresses or a server's words.
    pub shown: String,
    /// For the log: everything but secrets.
    pub detail: String,
}

impl Failed {
    /// A failure.
    pub fn new(shown: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { shown: shown.into(), detail: detail.into() }
    }
}

/// What comes of an examination.
pub type Examined = Result<Evidence, Failed>;

/// From a name to the digest it stands for now.
pub type Resolve = Box<dyn Fn(&ImageRef, Deadline) -> Result<Digest, Failed> + Send + Sync>;
/// From a name with a digest to evidence about that digest, on all platforms configured.
pub type Examine = Box<dyn Fn(&ImageRef, Deadline) -> Examined + Send + Sync>;
/// Whether the advisories open; the error is shown by `/readyz`.
pub type Ready = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The three together. All are called on threads that may block.
pub struct Examiner {
    /// Called for names without a digest only.
    pub resolve: Resolve,
    /// Called with names that have a digest only.
    pub examine: Examine,
    /// Called by the readiness probe.
    pub ready: Ready,
}
