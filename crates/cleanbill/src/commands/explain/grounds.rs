//! What a decision rests on, as far as it is still there: policy, evidence, advisories, and what
//! the judge and the matcher say to them again.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use cleanbill_advisory::Snapshot;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::policy::Policy;
use serde_json::Value;

use crate::failure::Result;
use crate::rejudge::{Again, Rejudge, Rejudged, rematch};
use crate::serve::question::Question;
use crate::serve::trace::Trace;
use crate::store::{Decision, Noted, Store};

/// All of it.
pub(super) struct Grounds {
    /// The policy.
    pub(super) policy: Option<Policy>,
    /// Its name, also where the rest of it cannot be understood.
    pub(super) policy_name: Option<String>,
    /// What was asked.
    pub(super) question: Option<Question>,
    /// How it came about, as it was recorded.
    pub(super) trace: Option<Trace>,
    /// The evidence that is there.
    pub(super) evidence: BTreeMap<Digest, Evidence>,
    /// What the store knows of the advisories.
    pub(super) advisories: Option<Noted>,
    /// What the judge says again.
    pub(super) judged: Option<Rejudged>,
    /// What comes out then.
    pub(super) replayed: Option<&'static str>,
    /// What matching says again to each piece of evidence.
    pub(super) rematched: Vec<Rematched>,
    /// What is not there, or cannot be done again.
    pub(super) gaps: Vec<Missing>,
}

/// What matching says to kept evidence, with the advisories of then.
pub(super) struct Rematched {
    /// The evidence.
    pub(super) evidence: Digest,
    /// The image it is about.
    pub(super) image: String,
    /// Findings that are the same.
    pub(super) same: usize,
    /// Findings and gaps that only one of the two has: in the evidence, and matched now.
    pub(super) only_then: Vec<String>,
    /// The same, only now.
    pub(super) only_now: Vec<String>,
}

impl Rematched {
    /// Whether it says the same.
    pub(super) fn is_same(&self) -> bool {
        self.only_then.is_empty() && self.only_now.is_empty()
    }
}

/// Something that a decision rests on and that is not there, or cannot be understood.
pub(super) struct Missing {
    /// In a sentence.
    pub(super) what: String,
    /// What can be done about it.
    pub(super) next: &'static str,
}

const FORGOTTEN: &str = "it was forgotten, or never recorded: decisions.keep and decisions.count \
    say for how long things are kept";
const DAMAGED: &str = "compare with a copy of the store; nobody but the gate may write into it";
const NO_COPY: &str = "name a copy of your own to match with: cleanbill replay --snapshot FILE";
const VERSION: &str = "read it with the version of cleanbill that recorded it";

impl Grounds {
    /// Looks for what the decision refers to, and asks again.
    ///
    /// # Errors
    /// When the store cannot be read, or what it has is damaged.
    pub(super) fn of(store: &Store, decision: &Decision) -> Result<Self> {
        let mut gaps = Vec::new();
        let mut gap = |what: String, next| gaps.push(Missing { what, next });
        let mut rejudge = Rejudge::new(store);
        let policy = match rejudge.policy(&decision.policy) {
            Ok(policy) => policy,
            Err(e) => {
                gap(e.to_string(), VERSION);
                None
            }
        };
        let policy_text = store.policy(&decision.policy)?;
        if policy_text.is_none() {
            gap(format!("the policy {} is not kept", decision.policy), FORGOTTEN);
        }
        let policy_name = policy_text
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .and_then(|value| value.get("name")?.as_str().map(str::to_owned));
        let mut evidence: BTreeMap<Digest, Evidence> = BTreeMap::new();
        for digest in &decision.evidence {
            match store.evidence(digest)?.map(|json| serde_json::from_slice(&json)) {
                Some(Ok(found)) => drop(evidence.insert(*digest, found)),
                Some(Err(_)) => {
                    gap(format!("the evidence {digest} is of another version"), VERSION)
                }
                None => gap(format!("the evidence {digest} is not kept"), FORGOTTEN),
            }
        }
        let mut again = (None, None);
        if let Some(policy) = &policy {
            match rejudge.judgement(decision, policy)? {
                Ok(judged) => match judged.summary(decision) {
                    Again::Judged { outcome, .. } => again = (Some(judged), Some(outcome)),
                    Again::Gap(why) => gap(format!("it cannot be judged again: {why}"), UNKNOWN),
                },
                Err(why) => gap(format!("it cannot be judged again: {why}"), UNKNOWN),
            }
        }
        if decision.engine.is_empty() {
            gap("it is of before trace, versions and latency were recorded".into(), UNKNOWN);
        }
        let mut rematched = Vec::new();
        let mut open: BTreeMap<Digest, Option<Snapshot>> = BTreeMap::new();
        for (digest, found) in &evidence {
            let advisories = found.snapshot.digest;
            if let Entry::Vacant(vacant) = open.entry(advisories) {
                let snapshot = match store.open_snapshot(&advisories)? {
                    Ok(snapshot) => Some(snapshot),
                    Err(why) => {
                        let what = format!(
                            "it cannot be matched again: the advisories {advisories} are not kept: {why}"
                        );
                        gap(what, NO_COPY);
                        None
                    }
                };
                vacant.insert(snapshot);
            }
            if let Some(Some(snapshot)) = open.get(&advisories) {
                match again_with(digest, found, snapshot, decision) {
                    Ok(one) => rematched.push(one),
                    Err(e) => gap(format!("it cannot be matched again: {e}"), DAMAGED),
                }
            }
        }
        let read = |text: &str| serde_json::from_str(text).ok();
        let advisories = decision.snapshot.map(|digest| store.snapshot(&digest)).transpose()?;
        if let (Some(None), Some(digest), true) =
            (&advisories, decision.snapshot, evidence.is_empty())
        {
            gap(format!("where the advisories {digest} are was not noted"), NO_COPY);
        }
        let (judged, replayed) = again;
        Ok(Self {
            policy,
            policy_name,
            question: decision.question.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            trace: read(&decision.trace),
            evidence,
            advisories: advisories.flatten(),
            judged,
            replayed,
            rematched,
            gaps,
        })
    }

    /// Whether what the judge says again is how the decision came about.
    pub(super) fn holds(&self, decision: &Decision) -> bool {
        self.replayed == Some(decision.outcome.as_str())
    }
}

const UNKNOWN: &str = "only what stands above is known of it";

/// Matches evidence again at the time of then.
fn again_with(
    digest: &Digest,
    evidence: &Evidence,
    snapshot: &Snapshot,
    decision: &Decision,
) -> Result<Rematched> {
    let mut now = evidence.clone();
    rematch(&mut now, snapshot, decision.judged_at)?;
    let (then, now) = (said(evidence), said(&now));
    let less = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
    Ok(Rematched {
        evidence: *digest,
        image: evidence.reference.to_string(),
        same: evidence.platforms.iter().map(|p| p.findings.len()).sum(),
        only_then: less(&then, &now),
        only_now: less(&now, &then),
    })
}

/// All that evidence says against an image, a text each.
fn said(evidence: &Evidence) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for platform in &evidence.platforms {
        let on = platform.platform.as_ref().map(ToString::to_string).unwrap_or_default();
        for f in &platform.findings {
            let of = format!("{} in {} {}", f.id, f.package.name, f.package.version);
            let fixed = f.fixed_versions.join(" or ");
            let kev = if f.known_exploited { ", known to be exploited" } else { "" };
            all.insert(format!(
                "{of} ({}{kev}; fixed in {fixed}; {}; {on}; {})",
                f.severity, f.why.range, f.package.evidence
            ));
        }
        all.extend(platform.gaps.iter().map(|gap| format!("{gap} ({on})")));
    }
    all
}
