//! The same question again, byte for byte: what was put into words for it stands, and costs nothing
//! a second time. It is allowed by what the judge gave for that, which is good for as long as he
//! would say the same: until what he looked at of the time has changed.
//!
//! Only what was allowed is remembered, of images that the question names by digest and whose
//! evidence was in memory. Whatever is another than it was (rules, advisories, evidence that was
//! dropped or has aged, the day) means that nothing is known here, and the question is answered as
//! any other.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::verdict::Allowed;

use super::judge::{Judge, Repeat};
use super::known::{Known, Sealed};
use super::live::Rules;
use super::question::Question;
use super::remembered::Remembered;
use super::review::Template;
use crate::store::{Lent, Matter, Packed};

/// Questions longer than this are not remembered.
const LONGEST: usize = 16 << 10;

/// What was told, and by what.
pub struct Told {
    /// What came of it.
    pub(super) repeat: Repeat,
    /// By which rules.
    pub(super) rules: Arc<Rules>,
    /// What was asked.
    pub(super) question: Arc<Question>,
    /// The answer.
    pub(super) answer: Template,
    /// What is recorded.
    pub(super) matter: Matter,
    /// The set of images that counts as admitted from then on.
    pub(super) admitted: Option<Digest>,
}

/// Evidence for the record, and bytes of it.
type Evidence = (Lent<[Packed]>, usize);

impl AsRef<Matter> for Told {
    fn as_ref(&self) -> &Matter {
        &self.matter
    }
}

/// The evidence that was judged, which is there for as long as it is in memory.
pub(super) struct Basis {
    snapshot: Digest,
    seconds: Range<i64>,
    first: Weak<Sealed>,
    others: Box<[Weak<Sealed>]>,
}

impl Basis {
    /// Of at least one image; `None` where it was not all gathered with the same advisories.
    pub(super) fn of(all: &[Arc<Sealed>]) -> Option<Self> {
        let (first, others) = all.split_first()?;
        let snapshot = first.evidence.snapshot.digest;
        let mut seconds = first.seconds();
        for one in others {
            if one.evidence.snapshot.digest != snapshot {
                return None;
            }
            let Range { start, end } = one.seconds();
            seconds = seconds.start.max(start)..seconds.end.min(end);
        }
        let others = others.iter().map(Arc::downgrade).collect();
        Some(Self { snapshot, seconds, first: Arc::downgrade(first), others })
    }

    /// The evidence, for the record, where all of it is there and believed.
    fn get(&self, known: &Known, snapshot: &Digest, now: Timestamp) -> Option<Evidence> {
        if self.snapshot != *snapshot || !self.seconds.contains(&now.as_second()) {
            return None;
        }
        let one = |weak: &Weak<Sealed>| {
            let sealed = weak.upgrade()?;
            known.touch(&sealed);
            Some(sealed)
        };
        let first = one(&self.first)?;
        let mut bytes = first.packed_bytes;
        if self.others.is_empty() {
            return Some((first, bytes));
        }
        let mut all = first.packed.to_vec();
        for other in &self.others {
            let other = one(other)?;
            bytes += other.packed_bytes;
            all.extend_from_slice(&other.packed);
        }
        Some((Arc::new(all), bytes))
    }

    fn count(&self) -> usize {
        1 + self.others.len()
    }
}

/// The same again, allowed anew.
pub struct Again {
    /// What is told.
    pub told: Arc<Told>,
    /// The spent permit.
    pub proof: Allowed,
    /// The evidence, for the record.
    pub evidence: Lent<[Packed]>,
    /// Bytes of it.
    pub bytes: usize,
    /// The time that the judge was given.
    pub judged_at: Timestamp,
}

/// All that is remembered, within a bound on its bytes.
pub struct Answers(Mutex<Remembered<Arc<Told>>>);

impl Answers {
    /// At most so many bytes.
    pub fn new(most: usize) -> Self {
        Self(Mutex::new(Remembered::new(most)))
    }

    /// Remembers what was told to this question.
    pub fn put(&self, question: &[u8], told: Told) {
        if question.len() <= LONGEST {
            let size = size(question, &told);
            self.lock().put(question.into(), Arc::new(told), size);
        }
    }

    /// Forgets what was told to this question.
    fn forget(&self, question: &[u8]) {
        self.lock().forget(question);
    }

    fn get(&self, question: &[u8]) -> Option<Arc<Told>> {
        self.lock().get(question).map(Arc::clone)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered<Arc<Told>>> {
        // A panic while it was held can only have left a size that is too large.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that it takes, about.
fn size(question: &[u8], told: &Told) -> usize {
    let repeat = &told.repeat;
    let said = (repeat.noted.len() + repeat.leaned.len()) * 1024;
    // The question is held three times: as bytes, as it was read, and within what is recorded.
    3 * question.len()
        + repeat.basis.count() * 256
        + said
        + told.answer.len()
        + told.matter.size()
        + 1024
}

impl Judge {
    /// What was told to this question before, if the judge would say the same of it now.
    pub(super) fn again(&self, question: &[u8]) -> Option<Again> {
        let told = self.answers.get(question)?;
        let again = self.stands(&told);
        if again.is_none() {
            self.answers.forget(question);
        }
        let (proof, (evidence, bytes), judged_at) = again?;
        Some(Again { told, proof, evidence, bytes, judged_at })
    }

    fn stands(&self, told: &Told) -> Option<(Allowed, Evidence, Timestamp)> {
        if !self.rules.look(|rules| Arc::ptr_eq(rules, &told.rules)) {
            return None;
        }
        let Repeat { fingerprint, standing, basis, noted, leaned } = &told.repeat;
        let (snapshot, now) = ((self.examiner.snapshot)()?, (self.examiner.now)());
        let evidence = basis.get(&self.known, &snapshot, now)?;
        let permit = standing.permit(now)?;
        let proof = permit.spend(fingerprint, (self.examiner.now)()).ok()?;
        // What would have to be pinned is not told in this way.
        if !proof.pins().is_empty() {
            return None;
        }
        (0..basis.count()).for_each(|_| self.metrics.remembered(true));
        self.count_gaps(noted.iter().map(|n| &n.reason), leaned);
        self.metrics.repeated.fetch_add(1, Relaxed);
        Some((proof, evidence, now))
    }
}
