//! What the gate needs of the rest of the program: from a name to a digest, from a digest to
//! evidence, and whether both could be done now.
//!
//! A struct of functions rather than a trait: there is one real examiner (`assess`), and tests
//! give slow, failing and panicking ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::Registered;

use super::access::Access;

use super::advisories::Advisories;

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

/// From a name to the digest it stands for now, asked for with these credentials.
pub type Resolve =
    Box<dyn Fn(&ImageRef, &Access, Deadline) -> Result<Digest, Failed> + Send + Sync>;
/// From a name with a digest to evidence about that digest, on all platforms configured.
pub type Examine = Box<dyn Fn(&ImageRef, &Access, Deadline) -> Examined + Send + Sync>;
/// The digest of the advisories as they are now; `None`: they do not open.
pub type Snapshot = Box<dyn Fn() -> Option<Digest> + Send + Sync>;
/// What is registered under the name of an image that no registry has.
pub type Registry = Box<dyn Fn(&ImageRef) -> Result<Vec<Registered>, Failed> + Send + Sync>;
/// When these images were last allowed in the namespace, and by which decision.
pub type Admitted =
    Box<dyn Fn(&str, &[(String, Digest)]) -> Option<(Timestamp, String)> + Send + Sync>;
/// The time.
pub type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;
/// A name for a decision that nobody can guess; the error says why there is none.
pub type NewId = Box<dyn Fn() -> Result<String, String> + Send + Sync>;
/// Whether the advisories open; the error is shown by `/readyz`.
pub type Ready = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// All together. They are called on threads that may block, but for `snapshot`, `now` and
/// `id`.
pub struct Examiner {
    /// Called for names without a digest only.
    pub resolve: Resolve,
    /// Called with names that have a digest only.
    pub examine: Examine,
    /// Called for every image; must be quick.
    pub snapshot: Snapshot,
    /// Called for names that no registry is asked for.
    pub registered: Registry,
    /// Called where the policy lets an earlier admission stand.
    pub admitted: Admitted,
    /// Called for every question, more than once.
    pub now: Now,
    /// Called for every question, once.
    pub id: NewId,
    /// Called by the readiness probe.
    pub ready: Ready,
    /// The advisories, where it uses a snapshot: for those who replace it and tell its age.
    pub advisories: Option<Arc<Advisories>>,
}
