//! What other advisories mean for the images that the gate knows: what was found in each is matched
//! by both snapshots, judged by the same judge at the same time, and compared.
//!
//! Must not fetch, record or decide anything. An image of which nothing is kept is not left out but
//! told as one that could not be judged. Break-glass and earlier admissions are of then, and count
//! for nothing here: each image is judged as for a new pod.

mod differ;
mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::matching::Matcher;
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Case, Judgement, Request, Verdict, decide};

use crate::assess::{Against, Found, judge_found_many};
use crate::failure::{Failure, Result};
use crate::rejudge::{rematch_many, unknown};
use crate::serve::question::Question;
use crate::serve::trace::{Trace, TracedOutcome};
use crate::store::Store;

pub use differ::{Difference, Flaw, Grounds, MOST as MOST_DIFFERENCES};
pub use known::{Known, Place, Record};

/// What is compared, and by what.
#[derive(Clone, Copy)]
pub struct Between<'a> {
    /// The advisories of then.
    pub from: &'a Snapshot,
    /// The advisories of now.
    pub to: &'a Snapshot,
    /// The policy, the same for both.
    pub policy: &'a Policy,
    /// The time, the same for both: only the advisories differ.
    pub now: Timestamp,
}

/// How much of the machine it may take.
#[derive(Clone, Copy)]
pub struct Pace<'a> {
    /// Threads; each remembers what it found out about packages.
    pub threads: usize,
    /// Whether to rest after each image for as long as it took.
    pub gently: bool,
    /// Set: end soon, with what there is.
    pub stop: &'a AtomicBool,
}

/// What came of one namespace's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `allowed`, `denied` or `undecided` by the advisories of then.
    pub was: &'static str,
    /// The same by those of now.
    pub is: &'static str,
    /// What speaks against it now and did not then.
    pub added: Grounds,
    /// What spoke against it then and does not now.
    pub removed: Grounds,
}

/// One image, compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The image.
    pub image: Known,
    /// What came of it in each namespace; or why it could not be judged.
    pub result: Answer,
}

/// What came of one image; or why it could not be judged.
type Answer = std::result::Result<Judged, String>;

/// One image, judged by both.
#[derive(Clone, Debug)]
pub struct Judged {
    /// By namespace.
    pub outcomes: BTreeMap<String, Outcome>,
    /// What the advisories say otherwise of it.
    pub difference: Difference,
}

impl Judged {
    /// Whether an outcome is another in one of the namespaces.
    pub fn changed(&self) -> bool {
        self.outcomes.values().any(|outcome| outcome.was != outcome.is)
    }
}

/// What comes of comparing all of them, in the order of names and digests.
#[derive(Debug, Default)]
pub struct Impact {
    /// The images.
    pub images: Vec<Compared>,
    /// Names of which nothing is known but that they were asked for, and why.
    pub unknown: BTreeMap<String, String>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

/// Compares every image that is known.
///
/// # Errors
/// When the store or the advisories cannot be read: then nothing is said at all.
pub fn compare(
    store: &Store,
    record: Record,
    between: Between<'_>,
    pace: Pace<'_>,
) -> Result<Impact> {
    let Record { images, unknown } = record;
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<Answer>)>> = Mutex::default();
    let work = || {
        let mut by = By::new(between);
        while !pace.stop.load(Relaxed) {
            let at = next.fetch_add(1, Relaxed);
            let Some(image) = images.get(at) else { break };
            let began = Instant::now();
            let result = by.judge(store, image);
            let failed = result.is_err();
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
            if failed {
                // The others would fail alike: it is the store or the advisories.
                next.store(images.len(), Relaxed);
            }
            if pace.gently {
                std::thread::sleep(began.elapsed());
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..pace.threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().all(|thread| thread.join().is_ok())
    })
    .then_some(())
    .ok_or_else(|| Failure::new("matching an image panicked"))?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    let stopped = done.len() < images.len();
    let mut compared = Vec::with_capacity(done.len());
    let mut images = images.into_iter().enumerate();
    for (at, result) in done {
        let result = result?;
        let image = images.find(|(place, _)| *place == at).map(|(_, image)| image);
        compared.extend(image.map(|image| Compared { image, result }));
    }
    Ok(Impact { images: compared, unknown, stopped })
}

/// One thread's matchers.
struct By<'a> {
    between: Between<'a>,
    from: Matcher<'a, Snapshot>,
    to: Matcher<'a, Snapshot>,
}

impl<'a> By<'a> {
    fn new(between: Between<'a>) -> Self {
        let (from, to) = (Matcher::new(between.from), Matcher::new(between.to));
        Self { between, from, to }
    }

    fn judge(&mut self, store: &Store, image: &Known) -> Result<Answer> {
        let Between { from, to, policy, now } = self.between;
        let (mut then, mut today) = match &image.kept {
            None => (BTreeMap::new(), BTreeMap::new()),
            Some(key) => match self.examined_ahead(store, image, key)? {
                Some(both) => both,
                None => return Ok(Err("what was found in it is not kept any more".into())),
            },
        };
        let needed =
            if image.kept.is_some() { BTreeSet::new() } else { needed(&image.case.outcome) };
        for digest in needed {
            let Some(json) = store.evidence(&digest)? else {
                return Ok(Err(format!("what was found in it ({digest}) is not kept any more")));
            };
            let Ok(mut evidence) = serde_json::from_slice::<Evidence>(&json) else {
                return Ok(Err(format!("what was found in it ({digest}) is of another version")));
            };
            let days = policy.max_feed_age_days;
            let mut before = evidence.clone();
            rematch_many(&mut before, &mut self.from, from, now, days)?;
            rematch_many(&mut evidence, &mut self.to, to, now, days)?;
            then.insert(digest, before);
            today.insert(digest, evidence);
        }
        let list = |all: &BTreeMap<Digest, Evidence>| all.values().cloned().collect::<Vec<_>>();
        let difference = Difference::between(&list(&then), &list(&today));
        let (Some(before), Some(after)) = (case(image, then), case(image, today)) else {
            return Ok(Err("what was found in it is not kept any more".into()));
        };
        if let Some(why) = unknown(&after, policy) {
            return Ok(Err(why));
        }
        let mut outcomes = BTreeMap::new();
        for (namespace, place) in &image.places {
            let was = judgement(image, place, &before, policy, now);
            let is = judgement(image, place, &after, policy, now);
            let (had, has) = (Grounds::of(&was), Grounds::of(&is));
            let outcome = Outcome {
                was: word(&was),
                is: word(&is),
                added: has.without(&had),
                removed: had.without(&has),
            };
            outcomes.insert(namespace.clone(), outcome);
        }
        Ok(Ok(Judged { outcomes, difference }))
    }
}

/// Evidence, by the digest that a case refers to it by.
type Kept = BTreeMap<Digest, Evidence>;

impl By<'_> {
    /// The evidence of an image that nobody has asked for, by both.
    fn examined_ahead(
        &mut self,
        store: &Store,
        image: &Known,
        key: &[u8],
    ) -> Result<Option<(Kept, Kept)>> {
        let Some(found) = store.image_at::<Found>(key)? else { return Ok(None) };
        let Ok(reference) = image.name.parse::<ImageRef>() else { return Ok(None) };
        let Between { from, to, policy, now } = self.between;
        let max_feed_age_days = policy.max_feed_age_days;
        let by = |snapshot, matcher: &mut Matcher<'_, Snapshot>| {
            let against = Against { snapshot, now, max_feed_age_days };
            let judged = judge_found_many(&reference, &found, matcher, against);
            let evidence = judged.map_err(|trouble| Failure::new(trouble.to_string()))?;
            Ok::<_, Failure>(Kept::from([(found.resolved, evidence)]))
        };
        Ok(Some((by(from, &mut self.from)?, by(to, &mut self.to)?)))
    }
}

/// The digests of the evidence that an image's case refers to.
fn needed(outcome: &TracedOutcome) -> BTreeSet<Digest> {
    match outcome {
        TracedOutcome::Examined(digest) => BTreeSet::from([*digest]),
        TracedOutcome::Registered(all) => all.iter().filter_map(|(.., kept)| *kept).collect(),
        TracedOutcome::NameRefused(_)
        | TracedOutcome::NoReference(_)
        | TracedOutcome::Failed(_) => BTreeSet::new(),
    }
}

fn case(image: &Known, evidence: BTreeMap<Digest, Evidence>) -> Option<Case> {
    let evidence: BTreeMap<Digest, Arc<Evidence>> =
        evidence.into_iter().map(|(digest, found)| (digest, Arc::new(found))).collect();
    let trace = Trace { cases: vec![image.case.clone()], ..Trace::default() };
    trace.cases(|digest| evidence.get(digest).cloned()).ok()?.pop()
}

/// What the judge says to a new pod of this image alone.
fn judgement(
    image: &Known,
    place: &Place,
    case: &Case,
    policy: &Policy,
    now: Timestamp,
) -> Judgement {
    let pinned = place.pinned.then(|| image.name.clone()).into_iter().collect();
    let (images, asked) = (vec![image.name.clone()], place.asked.clone());
    let question = Question { images, asked, pinned, ..Question::default() };
    let request = Request {
        fingerprint: question.fingerprint(),
        images: question.images,
        asked: question.asked,
        grants: Vec::new(),
        earlier: None,
        pinned: question.pinned,
    };
    decide(&request, std::slice::from_ref(case), policy, now)
}

fn word(judgement: &Judgement) -> &'static str {
    match &judgement.verdict {
        Verdict::Allow(_) => "allowed",
        Verdict::Deny(_) => "denied",
        Verdict::Undecided(_) => "undecided",
    }
}
