//! How a decision came about, small enough to be kept with each: what became of every image, who
//! said what, and which rules were not met. With the evidence it refers to, the judge gives the
//! same judgement again.

use std::sync::Arc;

use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::grant::Grant;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::policy::Action;
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::{
    Case, Earlier, Judgement, Leaned, Outcome, Reason, Registered, Verdict,
};
use serde::{Deserialize, Serialize};

/// The trace of one decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What became of each image.
    pub cases: Vec<TracedCase>,
    /// Grants of break-glass tokens whose signatures held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// The earlier decision that was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
    /// Rules that were not met, with what came of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<TracedRule>,
    /// What let an image in although something spoke against it, in short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaned: Vec<String>,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedCase {
    /// As the question writes it.
    pub image: String,
    /// How far we came.
    #[serde(flatten)]
    pub outcome: TracedOutcome,
    /// What others said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<Opinion>,
}

/// How far the examination of one image came: evidence by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TracedOutcome {
    /// The digest of its evidence.
    Examined(Digest),
    /// All that was registered: digest, node, evidence.
    Registered(Vec<(Digest, String, Option<Digest>)>),
    /// Refused by its name.
    NameRefused(ImageRef),
    /// No image name.
    NoReference(String),
    /// Not examined, and why.
    Failed(String),
}

/// A rule that one image did not meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedRule {
    /// The image as the question writes it.
    pub image: String,
    /// The rule's name.
    pub rule: String,
    /// What came of it.
    pub action: Action,
}

impl Trace {
    /// The trace of a judgement on these cases. `digest_of` gives the digest by which evidence
    /// is kept.
    pub fn new(
        cases: &[Case],
        grants: Vec<Grant>,
        earlier: Option<Earlier>,
        judgement: &Judgement,
        digest_of: impl Fn(&Arc<Evidence>) -> Option<Digest>,
    ) -> Self {
        let traced = |case: &Case| TracedCase {
            image: case.image.clone(),
            outcome: traced(&case.outcome, &digest_of),
            opinions: case.opinions.clone(),
        };
        let rule = |image: &str, reason: &Reason, action| TracedRule {
            image: image.to_owned(),
            rule: reason.rule().to_owned(),
            action,
        };
        let mut rules: Vec<TracedRule> = Vec::new();
        match &judgement.verdict {
            Verdict::Allow(_) => {}
            Verdict::Deny(denial) | Verdict::Undecided(denial) => {
                for (image, reasons) in &denial.refused {
                    rules.extend(reasons.iter().map(|r| rule(image, r, Action::Enforce)));
                }
            }
        }
        rules.extend(judgement.noted.iter().map(|n| rule(&n.image, &n.reason, n.action)));
        Self {
            cases: cases.iter().map(traced).collect(),
            grants,
            earlier,
            rules,
            leaned: judgement.leaned.iter().map(leaned).collect(),
        }
    }

    /// The cases again, from kept evidence.
    ///
    /// # Errors
    /// The digest of the evidence that is not there any more.
    pub fn cases(
        &self,
        evidence: impl Fn(&Digest) -> Option<Arc<Evidence>>,
    ) -> Result<Vec<Case>, Digest> {
        let find = |digest: &Digest| evidence(digest).ok_or(*digest);
        self.cases
            .iter()
            .map(|case| {
                let outcome = match &case.outcome {
                    TracedOutcome::Examined(digest) => Outcome::Examined(find(digest)?),
                    TracedOutcome::Registered(all) => Outcome::Registered(
                        all.iter()
                            .map(|(digest, node, kept)| {
                                let evidence = kept.as_ref().map(&find).transpose()?;
                                Ok(Registered { digest: *digest, node: node.clone(), evidence })
                            })
                            .collect::<Result<_, Digest>>()?,
                    ),
                    TracedOutcome::NameRefused(name) => Outcome::NameRefused(name.clone()),
                    TracedOutcome::NoReference(why) => Outcome::NoReference(why.clone()),
                    TracedOutcome::Failed(why) => Outcome::Failed(why.clone()),
                };
                let (image, opinions) = (case.image.clone(), case.opinions.clone());
                Ok(Case { image, outcome, opinions })
            })
            .collect()
    }
}

fn traced(
    outcome: &Outcome,
    digest_of: &impl Fn(&Arc<Evidence>) -> Option<Digest>,
) -> TracedOutcome {
    match outcome {
        Outcome::Examined(evidence) => match digest_of(evidence) {
            Some(digest) => TracedOutcome::Examined(digest),
            None => TracedOutcome::Failed("its evidence was not kept".into()),
        },
        Outcome::Registered(all) => TracedOutcome::Registered(
            all.iter()
                .map(|r| (r.digest, r.node.clone(), r.evidence.as_ref().and_then(digest_of)))
                .collect(),
        ),
        Outcome::NameRefused(name) => TracedOutcome::NameRefused(name.clone()),
        Outcome::NoReference(why) => TracedOutcome::NoReference(why.clone()),
        Outcome::Failed(why) => TracedOutcome::Failed(why.clone()),
    }
}

/// What was leaned on, in a line.
fn leaned(leaned: &Leaned) -> String {
    match leaned {
        Leaned::Exception { image, id, owner } => format!("exception {id} by {owner}: {image}"),
        Leaned::Gap { image, gap } => format!("gap {} {}: {image}", gap.kind, gap.subject),
        Leaned::Grant { image, grant, past } => format!(
            "break-glass {} by {} ({}) past {}: {image}",
            grant.id,
            grant.person,
            grant.reason,
            rules(past)
        ),
        Leaned::User { image, user, past } => {
            format!("break-glass user {user} past {}: {image}", rules(past))
        }
        Leaned::Admitted { decision, at, past } => {
            let past: Vec<&Reason> = past.refused.iter().flat_map(|(_, r)| r).collect();
            format!("admitted before by {decision} at {at} past {}", rules(past))
        }
    }
}

fn rules<'r>(reasons: impl IntoIterator<Item = &'r Reason>) -> String {
    let names: Vec<&str> = reasons.into_iter().map(Reason::rule).collect();
    if names.is_empty() { "no examination".into() } else { names.join(", ") }
}
