//! A decision's images and rules in one form for both outputs: from what the judge says again
//! where that is how it came about, else from the trace that was recorded.

use std::collections::HashSet;

use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{Evidence, FeedUse};
use cleanbill_core::finding::Finding;
use cleanbill_core::gap::Gap;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::policy::Action;
use cleanbill_core::verdict::{Leaned, Reason, Verdict};

use super::grounds::Grounds;
use crate::serve::trace::{Trace, TracedOutcome};
use crate::serve::words;
use crate::store::Decision;

/// How far it came with one image, and what others said.
pub(super) struct Image<'g> {
    /// As the question writes it.
    pub(super) name: String,
    /// The bytes it stood for.
    pub(super) digests: Vec<Digest>,
    /// In a word: `examined`, `registered`, `name-refused`, `no-reference`, `failed` or
    /// `not-recorded`.
    pub(super) came: &'static str,
    /// What there is to say about that.
    pub(super) why: Option<String>,
    /// What was found, where it is still there.
    pub(super) evidence: Vec<&'g Evidence>,
    /// What others said.
    pub(super) opinions: &'g [Opinion],
}

/// A rule that was not met.
pub(super) struct Broken<'g> {
    /// By which image, as the question writes it.
    pub(super) image: &'g str,
    /// Its name.
    pub(super) rule: &'g str,
    /// What came of it.
    pub(super) action: Action,
    /// Why, in words, without what follows.
    pub(super) why: Option<String>,
    /// The flaws that stand against it.
    pub(super) findings: Vec<&'g Finding>,
    /// What was not examined.
    pub(super) gaps: Vec<&'g Gap>,
}

/// The images in the order of the question.
pub(super) fn images<'g>(decision: &'g Decision, grounds: &'g Grounds) -> Vec<Image<'g>> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in &decision.images {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| image(name, decision, grounds)).collect()
}

fn image<'g>(name: &str, decision: &'g Decision, grounds: &'g Grounds) -> Image<'g> {
    let digests =
        decision.images.iter().filter(|(n, _)| n == name).filter_map(|(_, d)| *d).collect();
    let case = grounds.trace.as_ref().and_then(|t| t.cases.iter().find(|c| c.image == *name));
    let (mut came, mut why, mut evidence) = ("not-recorded", None, Vec::new());
    match case.map(|case| &case.outcome) {
        None => {}
        Some(TracedOutcome::Examined(digest)) => {
            came = "examined";
            evidence.extend(grounds.evidence.get(digest));
        }
        Some(TracedOutcome::Registered(all)) => {
            came = "registered";
            let nodes: Vec<&str> = all.iter().map(|(_, node, _)| node.as_str()).collect();
            why = Some(nodes.join(", "));
            let kept = all.iter().filter_map(|(_, _, kept)| kept.as_ref());
            evidence.extend(kept.filter_map(|digest| grounds.evidence.get(digest)));
        }
        Some(TracedOutcome::NameRefused(_)) => came = "name-refused",
        Some(TracedOutcome::NoReference(said)) => {
            (came, why) = ("no-reference", Some(said.clone()));
        }
        Some(TracedOutcome::Failed(said)) => (came, why) = ("failed", Some(said.clone())),
    }
    let opinions = case.map_or(&[][..], |case| &case.opinions);
    Image { name: name.to_owned(), digests, came, why, evidence, opinions }
}

/// The rules that were not met: those that refuse first.
pub(super) fn broken<'g>(decision: &Decision, grounds: &'g Grounds) -> Vec<Broken<'g>> {
    let Some(judged) = grounds.judged.as_ref().filter(|_| grounds.holds(decision)) else {
        let traced = grounds.trace.iter().flat_map(|trace: &Trace| &trace.rules);
        return traced
            .map(|rule| Broken {
                image: &rule.image,
                rule: &rule.rule,
                action: rule.action,
                why: None,
                findings: Vec::new(),
                gaps: Vec::new(),
            })
            .collect();
    };
    let judgement = &judged.judgement;
    let mut all = Vec::new();
    match &judgement.verdict {
        Verdict::Allow(_) => {}
        Verdict::Deny(denial) | Verdict::Undecided(denial) => {
            for (image, reasons) in &denial.refused {
                all.extend(reasons.iter().map(|r| one(image, r, Action::Enforce, grounds)));
            }
        }
    }
    let noted = judgement.noted.iter();
    all.extend(noted.map(|n| one(&n.image, &n.reason, n.action, grounds)));
    all
}

fn one<'g>(image: &'g str, reason: &'g Reason, action: Action, grounds: &Grounds) -> Broken<'g> {
    let (findings, gaps) = reason.rests_on();
    let why = grounds.policy.as_ref().map(|policy| words::short(reason, policy));
    Broken { image, rule: reason.rule(), action, why, findings, gaps }
}

/// What let images in although something spoke against them, each in a line.
pub(super) fn leaned(decision: &Decision, grounds: &Grounds) -> Vec<String> {
    let mut lines = grounds.trace.as_ref().map(|t| t.leaned.clone()).unwrap_or_default();
    if let Some(judged) = grounds.judged.as_ref().filter(|_| grounds.holds(decision)) {
        // The trace has them in the same order, in short.
        for (line, leaned) in lines.iter_mut().zip(&judged.judgement.leaned) {
            if let Some(more) = more(leaned, grounds) {
                *line = format!("{line} ({more})");
            }
        }
    }
    // A flaw is there once for each of its packages.
    let mut seen = HashSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

/// What the trace does not have.
fn more(leaned: &Leaned, grounds: &Grounds) -> Option<String> {
    match leaned {
        Leaned::Exception { id, owner, .. } => {
            let mut exceptions = grounds.policy.iter().flat_map(|policy| &policy.exceptions);
            let found = exceptions.find(|e| e.id == *id && e.owner == *owner)?;
            Some(format!("until {}: {}", found.expires, found.reason))
        }
        Leaned::Gap { gap, .. } => Some(gap.detail.clone()),
        Leaned::Grant { grant, .. } => Some(format!("until {}", grant.expires)),
        Leaned::User { .. } | Leaned::Admitted { .. } => None,
    }
}

/// The feeds that were used, each once.
pub(super) fn feeds(grounds: &Grounds) -> Vec<&FeedUse> {
    let platforms = grounds.evidence.values().flat_map(|e| &e.platforms);
    let mut feeds: Vec<&FeedUse> = platforms.flat_map(|p| &p.feeds).collect();
    feeds.sort();
    feeds.dedup();
    feeds
}
