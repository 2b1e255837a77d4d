//! From a question to an answer: names first, then examination, then the one judge.
//!
//! Whatever goes wrong on the way is an [`Outcome::Failed`] of that image, which the judge reads
//! as "undecided". Only its permit, spent on this very question, makes an answer "allowed".

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::Policy;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Case, Denial, Outcome, Verdict, decide, refuse_by_name};

use super::config::Work;
use super::examiner::{Deadline, Examined, Examiner, Failed};
use super::flights::{Flights, NoResult};
use super::metrics::{self, Metrics};
use super::review::{Answer, Note, Notes, Question};
use super::tags::Tags;
use super::words;

/// Everything an answer depends on.
pub struct Judge {
    examiner: Arc<Examiner>,
    policy: Arc<Policy>,
    policy_digest: Digest,
    work: Work,
    names: Arc<Flights<ImageRef, Result<Digest, Failed>>>,
    images: Arc<Flights<ImageRef, Examined>>,
    tags: Tags,
    metrics: Arc<Metrics>,
}

/// An answer, and what is recorded about it.
pub struct Decided {
    /// What the API server gets.
    pub answer: Answer,
    /// In one word.
    pub outcome: metrics::Outcome,
    /// The digests that were examined.
    pub digests: Vec<Digest>,
    /// The advisories that were used, where any image was examined.
    pub snapshot: Option<Digest>,
    /// The evidence of all images that were examined, as canonical JSON.
    pub evidence: Vec<u8>,
}

impl Judge {
    /// A judge by this policy.
    pub fn new(
        examiner: Arc<Examiner>,
        policy: Arc<Policy>,
        policy_digest: Digest,
        work: Work,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            names: Flights::new(work.parallel_lookups, work.waiting),
            images: Flights::new(work.parallel_examinations, work.waiting),
            tags: Tags::new(work.tag_ttl),
            examiner,
            policy,
            policy_digest,
            work,
            metrics,
        }
    }

    /// The policy's digest.
    pub fn policy_digest(&self) -> Digest {
        self.policy_digest
    }

    /// Examinations that run or wait.
    pub fn waiting(&self) -> usize {
        self.images.count()
    }

    /// Answers a question by `until` at the latest.
    pub async fn answer(
        self: &Arc<Self>,
        question: &Question,
        id: &str,
        until: Instant,
    ) -> Decided {
        let request = question.request();
        let cases = self.cases(&request.images, id, until).await;
        let examined = || {
            cases.iter().filter_map(|case| match &case.outcome {
                Outcome::Examined(evidence) => Some(evidence),
                Outcome::Registered(_)
                | Outcome::NameRefused(_)
                | Outcome::NoReference(_)
                | Outcome::Failed(_) => None,
            })
        };
        let snapshot = examined().map(|e| e.snapshot.digest).next();
        let evidence = serde_json::to_vec(&examined().collect::<Vec<_>>()).unwrap_or_default();
        let seen: Vec<Digest> = examined().map(|e| e.resolved).collect();
        let decided = |outcome, digests: Vec<Digest>, answer| Decided {
            answer,
            outcome,
            digests,
            snapshot,
            evidence,
        };
        match decide(&request, &cases, &self.policy, Timestamp::now()).verdict {
            Verdict::Allow(permit) => {
                match permit.spend(&question.fingerprint(), Timestamp::now()) {
                    Ok(proof) => {
                        let outcome = metrics::Outcome::Allowed;
                        let digests: Vec<Digest> = proof.images().iter().map(|(_, d)| *d).collect();
                        let notes = self.notes(id, outcome, &digests, snapshot);
                        decided(outcome, digests, Answer::allowed(&proof, notes))
                    }
                    Err(why) => {
                        let outcome = metrics::Outcome::Undecided;
                        let notes = self.notes(id, outcome, &seen, snapshot);
                        let answer = Answer::refused(words::unjudged(why, id), notes);
                        decided(outcome, seen, answer)
                    }
                }
            }
            Verdict::Deny(denial) => {
                let answer = self.refusal(&denial, id, metrics::Outcome::Denied, &seen, snapshot);
                decided(metrics::Outcome::Denied, seen, answer)
            }
            Verdict::Undecided(denial) => {
                let outcome = metrics::Outcome::Undecided;
                let answer = self.refusal(&denial, id, outcome, &seen, snapshot);
                decided(outcome, seen, answer)
            }
        }
    }

    fn refusal(
        &self,
        denial: &Denial,
        id: &str,
        outcome: metrics::Outcome,
        digests: &[Digest],
        snapshot: Option<Digest>,
    ) -> Answer {
        let notes = self.notes(id, outcome, digests, snapshot);
        Answer::refused(words::denial(denial, &self.policy, id), notes)
    }

    /// The audit annotations of an answer.
    pub fn notes(
        &self,
        id: &str,
        outcome: metrics::Outcome,
        digests: &[Digest],
        snapshot: Option<Digest>,
    ) -> Notes {
        let mut notes = Notes::default()
            .with(Note::DecisionId, id)
            .with(Note::Outcome, outcome.as_str())
            .with(Note::Policy, format!("{}@{}", self.policy.name, self.policy_digest));
        if !digests.is_empty() {
            let listed: Vec<String> = digests.iter().map(ToString::to_string).collect();
            notes = notes.with(Note::Digests, listed.join(","));
        }
        match snapshot {
            Some(digest) => notes.with(Note::Snapshot, digest.to_string()),
            None => notes,
        }
    }

    /// One case for every distinct image. What a name alone decides is decided first: when it
    /// refuses one image, the pod is refused, and nothing is contacted for the others either.
    async fn cases(self: &Arc<Self>, images: &[String], id: &str, until: Instant) -> Vec<Case> {
        let mut distinct: Vec<&String> = Vec::new();
        for image in images {
            if !distinct.contains(&image) {
                distinct.push(image);
            }
        }
        let named: Vec<(&String, Result<ImageRef, Box<Outcome>>)> =
            distinct.into_iter().map(|image| (image, self.by_name(image))).collect();
        let contact = named.iter().all(|(_, name)| name.is_ok());
        let mut examinations = tokio::task::JoinSet::new();
        let mut cases = Vec::new();
        for (image, name) in named {
            match name {
                Err(outcome) => cases.push(Case::new(image.clone(), *outcome)),
                Ok(_) if !contact => {
                    let why = "not looked at, since another image is refused by its name alone";
                    cases.push(Case::new(image.clone(), Outcome::Failed(why.into())));
                }
                Ok(reference) => {
                    let (judge, image, id) = (Arc::clone(self), image.clone(), id.to_owned());
                    examinations.spawn(async move {
                        let outcome = match judge.examine(&reference, until).await {
                            Ok(evidence) => Outcome::Examined(Arc::new(evidence)),
                            Err(failed) => {
                                tracing::warn!(
                                    decision = id,
                                    image,
                                    detail = failed.detail,
                                    "an image could not be examined"
                                );
                                Outcome::Failed(failed.shown)
                            }
                        };
                        Case::new(image, outcome)
                    });
                }
            }
        }
        while let Some(done) = examinations.join_next().await {
            // A case that panicked is missing, which the judge reads as "not examined".
            match done {
                Ok(case) => cases.push(case),
                Err(e) => tracing::error!(decision = id, error = %e, "an examination panicked"),
            }
        }
        cases
    }

    fn by_name(&self, image: &str) -> Result<ImageRef, Box<Outcome>> {
        let reference: ImageRef =
            image.parse().map_err(|e| Box::new(Outcome::NoReference(format!("{e}"))))?;
        match refuse_by_name(&reference, &self.policy) {
            Some(_) => Err(Box::new(Outcome::NameRefused(reference))),
            None => Ok(reference),
        }
    }

    async fn examine(&self, asked: &ImageRef, until: Instant) -> Examined {
        let digest = match asked.digest() {
            Some(digest) => *digest,
            None => self.resolve(asked, until).await?,
        };
        // One flight per digest *and* repository: a digest alone would show a private image's
        // findings to whoever names that digest at a registry of his own.
        let pinned = asked.pinned(digest);
        let (examiner, key, time) = (self.examiner.clone(), pinned.clone(), self.work.examination);
        let metrics = self.metrics.clone();
        let landed = self.images.wait(key_of(&pinned)?, until, move || {
            metrics.scans.fetch_add(1, Relaxed);
            let examined = (examiner.examine)(&key, Deadline::after(time));
            match &examined {
                Ok(evidence) => {
                    let platforms = evidence.platforms.iter().flat_map(|p| &p.gaps);
                    evidence.gaps.iter().chain(platforms).for_each(|g| metrics.gaps(g.kind, 1));
                }
                Err(_) => {
                    metrics.scans_failed.fetch_add(1, Relaxed);
                }
            }
            examined
        });
        let mut evidence = landed.await.map_err(|e| self.no_result(e))??;
        if evidence.resolved != digest {
            return Err(Failed::new(
                "the evidence is about another image",
                format!("asked for {pinned}, examined {}", evidence.resolved),
            ));
        }
        // The flight may have been begun under another tag of the same image.
        evidence.reference = asked.clone();
        Ok(evidence)
    }

    async fn resolve(&self, asked: &ImageRef, until: Instant) -> Result<Digest, Failed> {
        if let Some(digest) = self.tags.get(asked) {
            return Ok(digest);
        }
        let (examiner, name, time) = (self.examiner.clone(), asked.clone(), self.work.examination);
        let digest = self
            .names
            .wait(asked.clone(), until, move || (examiner.resolve)(&name, Deadline::after(time)))
            .await
            .map_err(|e| self.no_result(e))??;
        self.tags.put(asked, digest);
        Ok(digest)
    }

    fn no_result(&self, why: NoResult) -> Failed {
        match why {
            NoResult::Late => Failed::new("it is still being examined; try again", "late"),
            NoResult::Full => Failed::new("too many images are being examined; try again", "full"),
            NoResult::Lost => {
                self.metrics.scans_failed.fetch_add(1, Relaxed);
                Failed::new("its examination ended unexpectedly; try again", "panicked or stopped")
            }
        }
    }
}

/// The same for every tag of one digest in one repository.
fn key_of(pinned: &ImageRef) -> Result<ImageRef, Failed> {
    let digest = pinned.digest().map_or_else(String::new, ToString::to_string);
    format!("{}@{digest}", pinned.name())
        .parse()
        .map_err(|e| Failed::new("its name cannot be read", format!("{e}")))
}
