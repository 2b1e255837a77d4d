//! The same question again, byte for byte: what was put into words for it stands, and costs nothing
//! a second time. The judge is asked all the same, by the evidence and the time of now; only where
//! he says exactly what he said before is the same told again.
//!
//! Only what was allowed is remembered, of images that the question names by digest and whose
//! evidence was in memory. Whatever is another than it was (rules, advisories, evidence that was
//! dropped or has aged, another judgement, a panic) means that nothing is known here, and the
//! question is answered as any other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::verdict::{
    Allowed, Case, Judgement, Leaned, Noted, Outcome, Request, Verdict, decide,
};

use super::judge::Judge;
use super::known::Sealed;
use super::live::Rules;
use super::remembered::Remembered;
use super::review::Template;
use crate::store::{Matter, Packed};

/// Questions longer than this are not remembered.
const LONGEST: usize = 16 << 10;

/// What was told, and by what.
pub struct Told {
    /// What was judged.
    pub request: Request,
    /// By which rules.
    pub rules: Arc<Rules>,
    /// Each image as the question writes it, with its evidence.
    pub images: Vec<(String, Weak<Sealed>)>,
    /// What was noted besides.
    pub noted: Vec<Noted>,
    /// What let it pass although something spoke against it.
    pub leaned: Vec<Leaned>,
    /// The answer.
    pub answer: Template,
    /// What is recorded.
    pub matter: Arc<Matter>,
    /// The set of images that counts as admitted from then on.
    pub admitted: Option<Digest>,
}

/// The same again, allowed anew.
pub struct Again {
    /// What is told.
    pub told: Arc<Told>,
    /// The spent permit.
    pub proof: Allowed,
    /// The evidence, for the record.
    pub evidence: Arc<[Packed]>,
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
    let images: usize = told.images.iter().map(|(image, _)| 2 * image.len() + 64).sum();
    let said = (told.noted.len() + told.leaned.len()) * 1024;
    // The question is held three times: as bytes, to be judged, and within what is recorded.
    2 * question.len() + images + said + told.answer.len() + told.matter.size() + 1024
}

impl Judge {
    /// What was told to this question before, if the judge says the same of it now.
    pub(super) fn again(&self, question: &[u8]) -> Option<Again> {
        let told = self.answers.get(question)?;
        let again = catch_unwind(AssertUnwindSafe(|| self.judged_again(&told)));
        // After a panic the question is answered in the usual way, which deals with it.
        let again = again.ok().flatten();
        if again.is_none() {
            self.answers.forget(question);
        }
        let (proof, sealed, judged_at) = again?;
        let evidence = match sealed.as_slice() {
            [one] => Arc::clone(&one.packed),
            several => several.iter().flat_map(|s| s.packed.iter().cloned()).collect(),
        };
        Some(Again { told, proof, evidence, judged_at })
    }

    fn judged_again(&self, told: &Told) -> Option<(Allowed, Vec<Arc<Sealed>>, Timestamp)> {
        if !Arc::ptr_eq(&self.rules.get(), &told.rules) {
            return None;
        }
        let policy = &told.rules.policy;
        let (snapshot, now) = ((self.examiner.snapshot)()?, (self.examiner.now)());
        let mut cases = Vec::with_capacity(told.images.len());
        let mut sealed = Vec::with_capacity(told.images.len());
        for (image, evidence) in &told.images {
            let evidence = evidence.upgrade().filter(|s| s.holds(&snapshot, policy, now))?;
            self.known.touch(&evidence);
            let outcome = Outcome::Examined(Arc::clone(&evidence.evidence));
            cases.push(Case::new(image.as_str(), outcome));
            sealed.push(evidence);
        }
        let Judgement { verdict, noted, leaned } = decide(&told.request, &cases, policy, now);
        if noted != told.noted || leaned != told.leaned {
            return None;
        }
        match verdict {
            Verdict::Allow(permit) => {
                let proof = permit.spend(&told.request.fingerprint, (self.examiner.now)()).ok()?;
                // What would have to be pinned is not told in this way.
                told.images.iter().for_each(|_| self.metrics.remembered(true));
                self.count_gaps(told.noted.iter().map(|n| &n.reason), &told.leaned);
                self.metrics.repeated.fetch_add(1, Relaxed);
                proof.pins().is_empty().then_some((proof, sealed, now))
            }
            Verdict::Deny(_) | Verdict::Undecided(_) => None,
        }
    }
}
