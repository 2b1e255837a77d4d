//! What is known about each image of a question: by its name, by registration, by examination,
//! and by the opinions of others. Whatever goes wrong here is an [`Outcome::Failed`] of that
//! image, which the judge reads as "undecided".

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::policy::Untold;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{Case, Outcome, Registered, refuse_by_name};

use super::access::Access;
use super::examiner::{Deadline, Failed};
use super::flights::NoResult;
use super::judge::Judge;
use super::known::Sealed;
use super::live::Rules;
use super::question::{Pull, Question};
use super::words;
use crate::checkers;
use crate::failure::Failure;

/// A question while its images are looked at.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) question: Arc<Question>,
    pub(super) rules: Arc<Rules>,
    pub(super) access: Access,
    pub(super) id: String,
    pub(super) until: Instant,
}

/// What became known.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) cases: Vec<Case>,
    pub(super) sealed: Vec<Arc<Sealed>>,
    /// The evidence of each image, where all are named by digest and nobody had to be asked.
    pub(super) at_hand: Option<Vec<Arc<Sealed>>>,
}

impl Gathered {
    fn add(&mut self, (case, sealed): (Case, Vec<Arc<Sealed>>)) {
        self.cases.push(case);
        for one in sealed {
            if !self.sealed.iter().any(|s| s.digest == one.digest) {
                self.sealed.push(one);
            }
        }
    }
}

impl Judge {
    /// One case for every distinct image. Names that the policy refuses are never contacted.
    pub(super) async fn gather(self: &Arc<Self>, open: &Open) -> Gathered {
        // By the image's place in the question: the same facts give the same record and answer,
        // whichever is known first.
        let mut known = BTreeMap::new();
        let mut at_hand = Vec::new();
        let mut under_way = tokio::task::JoinSet::new();
        for (place, image) in open.question.distinct().into_iter().enumerate() {
            let reference: ImageRef = match image.parse() {
                Ok(reference) => reference,
                Err(e) => {
                    let outcome = Outcome::NoReference(format!("{e}"));
                    known.insert(place, (Case::new(image, outcome), Vec::new()));
                    continue;
                }
            };
            if refuse_by_name(&reference, &open.rules.policy).is_some() {
                let outcome = Outcome::NameRefused(reference);
                known.insert(place, (Case::new(image, outcome), Vec::new()));
                continue;
            }
            if let Some(sealed) = self.at_hand(&reference, open) {
                if reference.digest().is_some() {
                    at_hand.push(Arc::clone(&sealed));
                }
                known.insert(place, (examined(image, &sealed), vec![sealed]));
                continue;
            }
            let (judge, open, image) = (Arc::clone(self), open.clone(), image.to_owned());
            under_way.spawn(async move { (place, judge.case(image, reference, &open).await) });
        }
        while let Some(done) = under_way.join_next().await {
            // A case that panicked is missing, which the judge reads as "not examined".
            match done {
                Ok((place, case)) => _ = known.insert(place, case),
                Err(e) => tracing::error!(decision = open.id, error = %e, "looking panicked"),
            }
        }
        let at_hand = (at_hand.len() == known.len()).then_some(at_hand);
        let mut gathered = Gathered { at_hand, ..Gathered::default() };
        known.into_values().for_each(|case| gathered.add(case));
        gathered
    }

    /// Evidence that is in memory, where nothing else has to be asked.
    fn at_hand(&self, reference: &ImageRef, open: &Open) -> Option<Arc<Sealed>> {
        if open.rules.policy.is_local(reference) || !names(reference, open).is_empty() {
            return None;
        }
        let digest = reference
            .digest()
            .copied()
            .or_else(|| self.tags.get(&(reference.clone(), open.access.id(reference))))?;
        self.recall(&bare(reference, digest).ok()?, open)
    }

    fn recall(&self, bare: &ImageRef, open: &Open) -> Option<Arc<Sealed>> {
        let snapshot = (self.examiner.snapshot)()?;
        let (key, now) = ((bare.clone(), open.access.id(bare)), (self.examiner.now)());
        let sealed = self.known.get(&key, &snapshot, &open.rules.policy, now)?;
        self.metrics.remembered(true);
        Some(sealed)
    }

    /// One image for which somebody has to be asked.
    async fn case(
        self: Arc<Self>,
        image: String,
        reference: ImageRef,
        open: &Open,
    ) -> (Case, Vec<Arc<Sealed>>) {
        let local = open.rules.policy.is_local(&reference);
        if local && open.question.pulls.get(&image) == Some(&Pull::Always) {
            // What is registered says nothing of what would run.
            return (Case::new(image, Outcome::Failed(words::PULLED.to_owned())), Vec::new());
        }
        let looked = if local {
            self.registered(&reference, open.until).await
        } else {
            self.examined(&reference, open)
                .await
                .map(|sealed| (Outcome::Examined(Arc::clone(&sealed.evidence)), vec![sealed]))
        };
        match looked {
            Ok((outcome, sealed)) => {
                let opinions = self.opinions(&reference, &outcome, open).await;
                (Case { image, outcome, opinions }, sealed)
            }
            Err(mut failed) => {
                for why in open.access.unread() {
                    failed.shown = format!("{}; {why}", failed.shown);
                }
                let (decision, detail) = (&open.id, &failed.detail);
                tracing::warn!(decision, image, detail, "an image could not be examined");
                (Case::new(image, Outcome::Failed(failed.shown)), Vec::new())
            }
        }
    }

    async fn examined(&self, asked: &ImageRef, open: &Open) -> Result<Arc<Sealed>, Failed> {
        let digest = match asked.digest() {
            Some(digest) => *digest,
            None => self.resolve(asked, open).await?,
        };
        // One flight per digest *and* repository *and* credentials: a digest alone would show a
        // private image's findings to whoever names that digest at a registry of his own.
        let bare = bare(asked, digest)?;
        if let Some(sealed) = self.recall(&bare, open) {
            return Ok(sealed);
        }
        self.metrics.remembered(false);
        let (examiner, name, time) = (self.examiner.clone(), bare.clone(), self.work.examination);
        let (metrics, access) = (self.metrics.clone(), open.access.clone());
        let key = (bare.clone(), open.access.id(&bare));
        let owner = &open.question.asked.namespace;
        let landed = self.images.wait_for(key.clone(), owner, open.until, move || {
            metrics.scans.fetch_add(1, Relaxed);
            let began = Instant::now();
            let examined = (examiner.examine)(&name, &access, Deadline::after(time));
            metrics.scanned(began.elapsed());
            if examined.is_err() {
                metrics.scans_failed.fetch_add(1, Relaxed);
            }
            seal(Arc::new(examined?), (examiner.now)())
        });
        let sealed = landed.await.map_err(|e| self.no_result(e))??;
        let found = &sealed.evidence;
        if found.resolved != digest {
            return Err(Failed::new(
                "the evidence is about another image",
                format!("asked for {bare}, examined {}", sealed.evidence.resolved),
            ));
        }
        // The judge refuses what is about something else; held on to, it would refuse for an hour.
        if found.reference.same_repository(&bare) && !found.platforms.is_empty() {
            self.known.put(key, Arc::clone(&sealed).for_policy(&open.rules.policy));
        }
        Ok(sealed)
    }

    async fn resolve(&self, asked: &ImageRef, open: &Open) -> Result<Digest, Failed> {
        let key = (asked.clone(), open.access.id(asked));
        if let Some(digest) = self.tags.get(&key) {
            return Ok(digest);
        }
        let (examiner, name, time) = (self.examiner.clone(), asked.clone(), self.work.examination);
        let access = open.access.clone();
        let look = move || (examiner.resolve)(&name, &access, Deadline::after(time));
        let landed = self.names.wait(key.clone(), open.until, look).await;
        let digest = landed.map_err(|e| self.no_result(e))??;
        self.tags.put(&key, digest);
        Ok(digest)
    }

    /// What is registered under the name of an image that no registry has.
    async fn registered(
        &self,
        reference: &ImageRef,
        until: Instant,
    ) -> Result<(Outcome, Vec<Arc<Sealed>>), Failed> {
        let (examiner, name) = (self.examiner.clone(), reference.clone());
        let read = tokio::task::spawn_blocking(move || (examiner.registered)(&name));
        let Ok(read) = tokio::time::timeout_at(until.into(), read).await else {
            return Err(self.no_result(NoResult::Late));
        };
        let unread = |e: tokio::task::JoinError| {
            Failed::new("its registration could not be read", e.to_string())
        };
        let all = read.map_err(unread)??;
        let (mut registered, mut sealed) = (Vec::new(), Vec::new());
        for Registered { digest, node, evidence } in all {
            if let Some(evidence) = &evidence {
                sealed.push(seal(Arc::clone(evidence), (self.examiner.now)())?);
            }
            registered.push(Registered { digest, node, evidence });
        }
        Ok((Outcome::Registered(registered), sealed))
    }

    /// What those say whom the policy wants to agree. They are told the bytes, so nobody is asked
    /// about an image whose digest is not known, or several of which are.
    async fn opinions(&self, reference: &ImageRef, outcome: &Outcome, open: &Open) -> Vec<Opinion> {
        let names = names(reference, open);
        let digest = match outcome {
            Outcome::Examined(evidence) => Some(evidence.resolved),
            Outcome::Registered(all) => match all.as_slice() {
                [only] => Some(only.digest),
                _ => None,
            },
            Outcome::NameRefused(_) | Outcome::NoReference(_) | Outcome::Failed(_) => None,
        };
        let (Some(digest), false) = (digest, names.is_empty()) else { return Vec::new() };
        let asked = &open.question.asked;
        let context = asked.pod.as_ref().map(|pod| checkers::Context {
            user: pod.user.clone(),
            groups: pod.groups.clone(),
            service_account: pod.service_account.clone(),
            labels: pod.labels.clone(),
        });
        let (namespace, notes) = (&asked.namespace, &asked.annotations);
        let asked = checkers::Asked::new(reference, digest, namespace, notes, context);
        let (all, until) = (Arc::clone(&open.rules.checkers), open.until);
        let ask = move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            all.ask(&names, &asked, until)
        };
        // Should this panic, nobody was asked, which is a gap for each of them.
        tokio::task::spawn_blocking(ask).await.unwrap_or_default()
    }

    fn no_result(&self, why: NoResult) -> Failed {
        match why {
            NoResult::Late => Failed::new("it is being examined; try again in a moment", "late"),
            NoResult::Full => Failed::new("too many images are being examined; try again", "full"),
            NoResult::Lost => {
                self.metrics.scans_failed.fetch_add(1, Relaxed);
                Failed::new("its examination ended unexpectedly; try again", "panicked or stopped")
            }
        }
    }
}

fn seal(evidence: Arc<Evidence>, now: Timestamp) -> Result<Arc<Sealed>, Failed> {
    let unsealed = |e: Failure| Failed::new("what was found cannot be recorded", e.to_string());
    Sealed::new(evidence, now).map(Arc::new).map_err(unsealed)
}

fn examined(image: &str, sealed: &Arc<Sealed>) -> Case {
    Case::new(image, Outcome::Examined(Arc::clone(&sealed.evidence)))
}

/// The checkers that the policy wants to hear about this image, each once.
fn names(reference: &ImageRef, open: &Open) -> Vec<String> {
    let asked = &open.question.asked;
    let mut names: Vec<String> = Vec::new();
    for agreement in &open.rules.policy.checkers {
        if agreement.scope.holds(reference, asked, Untold::Holds) {
            let new = agreement.names.iter().filter(|n| !names.contains(n)).cloned();
            names.extend(new.collect::<Vec<_>>());
        }
    }
    names
}

/// The same for every tag of one digest in one repository.
fn bare(asked: &ImageRef, digest: Digest) -> Result<ImageRef, Failed> {
    format!("{}@{digest}", asked.name())
        .parse()
        .map_err(|e| Failed::new("its name cannot be read", format!("{e}")))
}

/// Each image with the digests it stands for; one line without, where nobody knows.
pub(super) fn digests(cases: &[Case]) -> Vec<(String, Option<Digest>)> {
    let mut all = Vec::with_capacity(cases.len());
    for case in cases {
        let image = || case.image.clone();
        let by_name =
            || case.image.parse::<ImageRef>().ok().and_then(|name| name.digest().copied());
        match &case.outcome {
            Outcome::Examined(evidence) => all.push((image(), Some(evidence.resolved))),
            Outcome::Registered(registered) if !registered.is_empty() => {
                all.extend(registered.iter().map(|r| (image(), Some(r.digest))));
            }
            Outcome::Registered(_)
            | Outcome::NameRefused(_)
            | Outcome::NoReference(_)
            | Outcome::Failed(_) => all.push((image(), by_name())),
        }
    }
    all
}
