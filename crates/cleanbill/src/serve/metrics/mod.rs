//! What the gate counts. [`families`] lists what is shown of it, in Prometheus' text format.
//!
//! Counters only, cheap to update from any thread; nothing here names an image, a namespace or a
//! user, since whoever asks the plain port is not verified.

mod families;
#[cfg(test)]
mod tests;
mod text;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cleanbill_core::Timestamp;
use cleanbill_core::gap::GapKind;

pub use families::{FAMILIES, Family, Kind};
pub use text::Now;

use super::reloads::Reloads;

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A permit was spent.
    Allowed,
    /// At least one image was refused by a rule.
    Denied,
    /// At least one image could not be examined in time, or at all.
    Undecided,
    /// The question could not be read.
    Malformed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Allowed, Self::Denied, Self::Undecided, Self::Malformed];

    /// The word in metrics, logs and audit annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Undecided => "undecided",
            Self::Malformed => "malformed",
        }
    }
}

/// By which interface a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `imagepolicy.k8s.io/v1alpha1`.
    ImageReview,
    /// `admission.k8s.io/v1`, answered without changing anything.
    Validate,
    /// The same, answered with digests.
    Mutate,
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ImageReview, Self::Validate, Self::Mutate];

    /// The word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImageReview => "imagereview",
            Self::Validate => "validate",
            Self::Mutate => "mutate",
        }
    }
}

/// How the glass was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakGlass {
    /// By a signed token that covered the image.
    Token,
    /// By a user whom the policy names.
    User,
    /// By a member of a group that it names.
    Group,
    /// By a token that was not accepted.
    Refused,
}

impl BreakGlass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Token, Self::User, Self::Group, Self::Refused];

    /// The word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::User => "user",
            Self::Group => "group",
            Self::Refused => "refused",
        }
    }
}

/// Upper bounds of the buckets of answers, in milliseconds.
const ANSWERS: [u64; 11] = [1, 5, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 30_000];
/// Upper bounds of the buckets of examinations, in milliseconds.
const SCANS: [u64; 11] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000];

/// A histogram of times. Each time is counted in one bucket; they are added up when shown, so
/// that what is shown is cumulative whatever happens meanwhile.
#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; 12],
    micros: AtomicU64,
}

impl Histogram {
    fn add(&self, bounds: &[u64; 11], took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = bounds.iter().position(|ms| micros <= ms.saturating_mul(1000)).unwrap_or(11);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(micros, Relaxed);
    }
}

/// All counters.
#[derive(Debug)]
pub struct Metrics {
    answers: [[AtomicU64; 4]; 3],
    answer_times: [Histogram; 4],
    scan_times: Histogram,
    remembered: [AtomicU64; 2],
    break_glass: [AtomicU64; 4],
    gaps: [AtomicU64; 32],
    expiry: [AtomicI64; 2],
    began: Timestamp,
    /// Questions being answered.
    pub in_flight: AtomicU64,
    /// Examinations begun.
    pub scans: AtomicU64,
    /// Examinations that failed or panicked.
    pub scans_failed: AtomicU64,
    /// Handshakes that failed or were refused.
    pub handshakes_refused: AtomicU64,
    /// Questions that were asked before and told the same again.
    pub repeated: AtomicU64,
    /// Decisions that could not be recorded.
    pub unrecorded: AtomicU64,
    /// What became of reloads.
    pub reloads: Reloads,
    changed: [AtomicU64; 3],
    /// When known images were last judged again (milliseconds since 1970; 0: never), and how long
    /// that took (milliseconds).
    again: [AtomicU64; 2],
}

/// What may come of an image that is judged again.
const CHANGED_TO: [&str; 3] = ["allowed", "denied", "undecided"];

/// More kinds of gaps than there are counters would go uncounted.
const _: () = assert!(GapKind::ALL.len() <= 32);

impl Default for Metrics {
    fn default() -> Self {
        Self {
            answers: Default::default(),
            answer_times: Default::default(),
            scan_times: Histogram::default(),
            remembered: Default::default(),
            break_glass: Default::default(),
            gaps: Default::default(),
            expiry: Default::default(),
            began: Timestamp::now(),
            in_flight: AtomicU64::new(0),
            scans: AtomicU64::new(0),
            scans_failed: AtomicU64::new(0),
            handshakes_refused: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            unrecorded: AtomicU64::new(0),
            reloads: Reloads::default(),
            changed: Default::default(),
            again: Default::default(),
        }
    }
}

/// Adds to the counter that stands at the place of `which` in `all`.
fn count<T: PartialEq>(counters: &[AtomicU64], all: &[T], which: &T, n: u64) {
    let found = counters.iter().zip(all).find(|(_, known)| *known == which);
    if let Some((counter, _)) = found {
        counter.fetch_add(n, Relaxed);
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, api: Api, outcome: Outcome, took: Duration) {
        if let Some((answers, _)) = self.answers.iter().zip(Api::ALL).find(|(_, a)| *a == api) {
            count(answers, &Outcome::ALL, &outcome, 1);
        }
        let times = self.answer_times.iter().zip(Outcome::ALL).find(|(_, o)| *o == outcome);
        if let Some((times, _)) = times {
            times.add(&ANSWERS, took);
        }
    }

    /// Counts a look for evidence in memory: found, or not.
    pub fn remembered(&self, hit: bool) {
        count(&self.remembered, &[true, false], &hit, 1);
    }

    /// Counts the end of an examination, however it ended.
    pub fn scanned(&self, took: Duration) {
        self.scan_times.add(&SCANS, took);
    }

    /// Counts a broken glass.
    pub fn broke_glass(&self, how: BreakGlass) {
        count(&self.break_glass, &BreakGlass::ALL, &how, 1);
    }

    /// Counts gaps of one kind that decisions met.
    pub fn gaps(&self, kind: GapKind, n: u64) {
        count(&self.gaps, GapKind::ALL, &kind, n);
    }

    /// When the certificates that are in use end (server, clients' authority), in seconds since
    /// 1970; `None` is not shown.
    pub fn certificates(&self, ends: [Option<i64>; 2]) {
        for (known, end) in self.expiry.iter().zip(ends) {
            known.store(end.unwrap_or(0), Relaxed);
        }
    }

    /// Counts a known image whose outcome new advisories changed to this.
    pub fn image_changed(&self, to: &'static str) {
        count(&self.changed, &CHANGED_TO, &to, 1);
    }

    /// All known images were judged again.
    pub fn looked_again(&self, at: Timestamp, took: Duration) {
        let numbers = [u64::try_from(at.as_millisecond()).ok(), took.as_millis().try_into().ok()];
        for (known, number) in self.again.iter().zip(numbers) {
            known.store(number.unwrap_or(u64::MAX), Relaxed);
        }
    }

    /// Everything as text.
    pub fn text(&self, now: &Now) -> String {
        text::text(self, now)
    }
}
