//! Judges a recorded decision again, from what was recorded of it and nothing else.
//!
//! Must not guess: what was not examined then, or is not kept now, makes no answer but a gap.

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{Evidence, PlatformEvidence};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::Matcher;
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::policy::Policy;
use cleanbill_core::verdict::{
    Case, Judgement, Outcome, Reason, Request, Verdict, decide, refuse_by_name,
};

use crate::assess::{judge_many, snapshot_id};
use crate::failure::{Failure, Result};
use crate::serve::question::Question;
use crate::serve::trace::Trace;
use crate::store::{Decision, Store};

/// What comes of judging again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// An answer.
    Judged {
        /// `allowed`, `denied` or `undecided`.
        outcome: &'static str,
        /// The rules that refuse, with the image each; sorted.
        rules: Vec<(String, String)>,
    },
    /// None can be given, and why.
    Gap(String),
}

/// What the judge says again, and to what.
#[derive(Debug)]
pub struct Rejudged {
    /// What he says.
    pub judgement: Judgement,
    /// To what.
    pub cases: Vec<Case>,
}

/// What is said where there was nothing to judge.
const UNEXAMINED: &str = "an image was not examined then";
/// Evidence that is remembered; past it, it is read again.
const REMEMBERED: usize = 256;

/// Judges by one store's record.
pub struct Rejudge<'a> {
    store: &'a Store,
    /// Other advisories than those of then.
    snapshot: Option<&'a Snapshot>,
    /// By digest and, as ends of life depend on it, the day of judging.
    evidence: HashMap<(Digest, i64), Arc<Evidence>>,
}

impl<'a> Rejudge<'a> {
    /// By this record.
    pub fn new(store: &'a Store) -> Self {
        Self { store, snapshot: None, evidence: HashMap::new() }
    }

    /// The same with these advisories in place of those of then.
    #[must_use]
    pub fn against(self, snapshot: Option<&'a Snapshot>) -> Self {
        Self { snapshot, ..self }
    }

    /// The policy by which a decision was made, where it is kept.
    ///
    /// # Errors
    /// When the store cannot be read, or the policy in it not be understood.
    pub fn policy(&self, digest: &Digest) -> Result<Option<Policy>> {
        let Some(text) = self.store.policy(digest)? else { return Ok(None) };
        let policy = serde_json::from_str(&text)
            .map_err(|e| Failure::new(format!("the policy {digest} cannot be understood: {e}")))?;
        Ok(Some(policy))
    }

    /// Judges the decision by this policy, at the time at which it was judged. Where an image was
    /// not examined then, nobody can tell what this policy would have said, and that is a gap.
    ///
    /// # Errors
    /// When the store cannot be read, or what is in it is damaged.
    pub fn judge(&mut self, decision: &Decision, policy: &Policy) -> Result<Again> {
        Ok(match self.judgement(decision, policy)? {
            Ok(again) => match again.summary(decision) {
                Again::Judged { outcome: "undecided", .. } => Again::Gap(UNEXAMINED.into()),
                known @ (Again::Judged { .. } | Again::Gap(_)) => known,
            },
            Err(why) => Again::Gap(why),
        })
    }

    /// The same with all that the judge says; `Err` within: why he cannot be asked.
    ///
    /// # Errors
    /// As [`Rejudge::judge`].
    pub fn judgement(
        &mut self,
        decision: &Decision,
        policy: &Policy,
    ) -> Result<std::result::Result<Rejudged, String>> {
        let (request, cases) = match self.cases(decision)? {
            Ok(known) => known,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(why) = cases.iter().find_map(|case| unknown(case, policy)) {
            return Ok(Err(why));
        }
        let cases: Vec<Case> = cases.into_iter().map(|case| by_name(case, policy)).collect();
        let judgement = decide(&request, &cases, policy, decision.judged_at);
        Ok(Ok(Rejudged { judgement, cases }))
    }

    /// What was asked and what was known then; or why that cannot be had.
    ///
    /// # Errors
    /// When the store cannot be read, or what is in it is damaged.
    pub fn cases(
        &mut self,
        decision: &Decision,
    ) -> Result<std::result::Result<(Request, Vec<Case>), String>> {
        let gap = |why: &str| Ok(Err(why.to_owned()));
        let Some(question) = &decision.question else {
            return gap("the question could not be read");
        };
        if decision.trace.is_empty() {
            return gap("it is of before traces were recorded");
        }
        let Ok(question) = serde_json::from_str::<Question>(question) else {
            return gap("its question is written in another way than this version knows");
        };
        let Ok(trace) = serde_json::from_str::<Trace>(&decision.trace) else {
            return gap("its trace is written in another way than this version knows");
        };
        let day = day(decision.judged_at);
        for digest in &decision.evidence {
            if let Some(why) = self.load(digest, decision.judged_at)? {
                return Ok(Err(why));
            }
        }
        let cases = match trace.cases(|digest| self.evidence.get(&(*digest, day)).cloned()) {
            Ok(cases) => cases,
            Err(digest) => return Ok(Err(format!("the evidence {digest} is not kept"))),
        };
        let request = Request {
            fingerprint: question.fingerprint(),
            images: question.images,
            asked: question.asked,
            grants: trace.grants,
            earlier: trace.earlier,
            pinned: question.pinned,
        };
        Ok(Ok((request, cases)))
    }

    /// Reads evidence, unless it is at hand. Says why it cannot be had.
    fn load(&mut self, digest: &Digest, now: Timestamp) -> Result<Option<String>> {
        let key = (*digest, day(now));
        if self.evidence.contains_key(&key) {
            return Ok(None);
        }
        let Some(json) = self.store.evidence(digest)? else {
            return Ok(Some(format!("the evidence {digest} is not kept")));
        };
        let Ok(mut evidence) = serde_json::from_slice::<Evidence>(&json) else {
            return Ok(Some(format!("the evidence {digest} is of another version")));
        };
        if self.evidence.len() >= REMEMBERED {
            self.evidence.clear();
        }
        if let Some(snapshot) = self.snapshot {
            rematch(&mut evidence, snapshot, now)?;
        }
        self.evidence.insert(key, Arc::new(evidence));
        Ok(None)
    }
}

impl Rejudged {
    /// In short, for a decision that was made so.
    pub fn summary(&self, decision: &Decision) -> Again {
        let named = |refused: &[(String, Vec<Reason>)]| {
            let mut rules: Vec<(String, String)> = refused
                .iter()
                .flat_map(|(image, all)| all.iter().map(|r| (image.clone(), r.rule().to_owned())))
                .collect();
            rules.sort();
            rules.dedup();
            rules
        };
        match &self.judgement.verdict {
            Verdict::Allow(_) => Again::Judged { outcome: "allowed", rules: Vec::new() },
            Verdict::Deny(denial) => {
                Again::Judged { outcome: "denied", rules: named(&denial.refused) }
            }
            Verdict::Undecided(_) if decision.outcome != "undecided" => {
                Again::Gap(UNEXAMINED.into())
            }
            Verdict::Undecided(denial) => {
                Again::Judged { outcome: "undecided", rules: named(&denial.refused) }
            }
        }
    }
}

/// Why a case does not say what this policy would have asked about its image.
pub(crate) fn unknown(case: &Case, policy: &Policy) -> Option<String> {
    let local = case.image.parse().is_ok_and(|reference| policy.is_local(&reference));
    match &case.outcome {
        Outcome::NameRefused(reference) if refuse_by_name(reference, policy).is_none() => {
            Some(format!("{} was refused by its name and not examined", case.image))
        }
        Outcome::Examined(_) if local => {
            Some(format!("no registration was looked up for {}", case.image))
        }
        Outcome::Registered(_) if !local => {
            Some(format!("no registry was asked about {}", case.image))
        }
        Outcome::NameRefused(_)
        | Outcome::Examined(_)
        | Outcome::Registered(_)
        | Outcome::NoReference(_)
        | Outcome::Failed(_) => None,
    }
}

/// What could not be examined then is not even asked for where this policy refuses its name.
fn by_name(case: Case, policy: &Policy) -> Case {
    match (&case.outcome, case.image.parse()) {
        (Outcome::Failed(_), Ok(name)) if refuse_by_name(&name, policy).is_some() => {
            Case { outcome: Outcome::NameRefused(name), ..case }
        }
        _ => case,
    }
}

fn day(time: Timestamp) -> i64 {
    time.as_second().div_euclid(86_400)
}

/// Matches what was found in an image with other advisories. Evidence has the whole inventory in
/// it; gaps of matching are left out of that, as matching gives those that are still there again.
///
/// # Errors
/// When the advisories cannot be read.
pub fn rematch(evidence: &mut Evidence, snapshot: &Snapshot, now: Timestamp) -> Result<()> {
    // How old a feed may be is asked again by the judge.
    rematch_many(evidence, &mut Matcher::new(snapshot), snapshot, now, u32::MAX)
}

/// The same by a matcher of these advisories that knows other images already, with the gaps of
/// feeds that are older than so many days.
///
/// # Errors
/// When the advisories cannot be read.
pub fn rematch_many(
    evidence: &mut Evidence,
    matcher: &mut Matcher<'_, Snapshot>,
    snapshot: &Snapshot,
    now: Timestamp,
    max_feed_age_days: u32,
) -> Result<()> {
    for platform in &mut evidence.platforms {
        let inventory = inventory(platform);
        let matched = judge_many(matcher, platform.digest, &inventory, now, max_feed_age_days)?;
        *platform = PlatformEvidence { platform: platform.platform.clone(), ..matched };
    }
    evidence.snapshot = snapshot_id(snapshot);
    Ok(())
}

/// What was in the image, and what could not be examined of it.
fn inventory(platform: &PlatformEvidence) -> Inventory {
    let packages = &platform.packages;
    Inventory {
        distribution: platform.distribution.clone(),
        config: platform.config.clone(),
        packages: packages.clone(),
        gaps: platform.gaps.iter().filter(|g| !is_of_matching(g, packages)).cloned().collect(),
    }
}

/// Whether a gap is about the advisories, and not about the image.
fn is_of_matching(gap: &Gap, packages: &[Package]) -> bool {
    match gap.kind {
        GapKind::NoAdvisorySource
        | GapKind::EndOfLife
        | GapKind::UnknownEndOfLife
        | GapKind::StaleFeed
        | GapKind::UnparseableVersion
        | GapKind::UnreadableAdvisory => true,
        // Matching names a package and its version, an extractor the file.
        GapKind::UnidentifiedVersion => packages.iter().any(|p| {
            let by_source = matches!(p.kind, PackageKind::Apk | PackageKind::Deb);
            let version = if by_source { p.source_version() } else { &p.version };
            gap.subject == format!("{} {version}", p.name).trim()
        }),
        // Matching finds those of it that are its own again, whatever the advisories are.
        GapKind::UnknownDistribution
        | GapKind::UnreadableDatabase
        | GapKind::NothingRecognised
        | GapKind::OverLimit
        | GapKind::ForeignLayer
        | GapKind::EncryptedLayer
        | GapKind::UnknownLayerType
        | GapKind::UnresolvedLink
        | GapKind::MutableReference
        | GapKind::PlatformNotExamined
        | GapKind::CheckerSilent
        | GapKind::UnknownImageFact
        | GapKind::UnexaminedRegistration => false,
    }
}
