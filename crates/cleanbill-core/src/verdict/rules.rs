//! What was found in one image, held against every rule of the policy.

use super::image::Judged;
use super::reason::{Leaned, Noted, Reason};
use super::{Registered, Request};
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::gap::{Gap, GapKind};
use crate::matching::stale_feed;
use crate::opinion::{Answer, Opinion};
use crate::platform::Platform;
use crate::policy::{
    AcceptedGap, Action, Against, Because, Exception, Held, Policy, Require, Rule, Untold, Values,
    untold_facts,
};
use crate::reference::ImageRef;

/// One image of one request under one policy at one time.
pub(super) struct At<'a> {
    pub(super) image: &'a str,
    pub(super) asked: &'a ImageRef,
    pub(super) request: &'a Request,
    pub(super) policy: &'a Policy,
    pub(super) clock: &'a Clock,
    pub(super) opinions: &'a [Opinion],
}

impl At<'_> {
    pub(super) fn examined(&self, evidence: &Evidence, judged: &mut Judged) {
        let mut gaps = Vec::new();
        if self.asked.digest().is_none() {
            if self.policy.digest_required {
                self.built_in(Reason::DigestRequired, judged);
            } else if self.request.pinned.contains(self.image) {
                judged.pin = Some(evidence.resolved);
            } else {
                gaps.push(Gap::new(
                    GapKind::MutableReference,
                    self.asked.to_string(),
                    format!(
                        "the tag was {} when it was judged and may be another image when a node pulls it",
                        evidence.resolved
                    ),
                ));
            }
        }
        self.found(evidence, gaps, judged);
    }

    pub(super) fn registered(&self, all: &[Registered], judged: &mut Judged) {
        let wanted = self.asked.digest();
        let meant = all.iter().filter(|r| wanted.is_none_or(|d| *d == r.digest));
        let mut some = false;
        for registered in meant {
            some = true;
            if !judged.digests.contains(&registered.digest) {
                judged.digests.push(registered.digest);
            }
            match &registered.evidence {
                Some(evidence) if evidence.resolved == registered.digest => {
                    self.found(evidence, Vec::new(), judged);
                }
                Some(_) => judged.reasons.push(Reason::WrongEvidence),
                None => {
                    let detail = format!(
                        "it was registered for node {} without being examined",
                        registered.node
                    );
                    let gap = Gap::new(GapKind::UnexaminedRegistration, self.image, detail);
                    self.unexamined(gap, judged);
                }
            }
        }
        if !some {
            judged.reasons.push(Reason::NotRegistered);
        }
    }

    /// All rules on an image of which nothing is known but its name.
    fn unexamined(&self, gap: Gap, judged: &mut Judged) {
        let (mut broken, mut unknown) = (Vec::new(), Vec::new());
        for (at, rule) in self.policy.rules.iter().enumerate() {
            if self.in_scope(rule, None) {
                let held = rule.refuse.held_blind(&gap);
                Self::held(at, rule.action, held, &mut broken, &mut unknown);
            }
        }
        self.rules(broken, judged);
        // What a rule could not be told is this very gap.
        let action = if unknown.is_empty() { self.policy.action } else { Action::Enforce };
        self.gaps(vec![(None, gap)], action, judged);
        self.opinions(judged);
    }

    /// Puts what one rule comes to where it belongs.
    fn held(
        at: usize,
        action: Action,
        held: Held,
        broken: &mut Vec<(usize, Vec<Because>)>,
        unknown: &mut Vec<Gap>,
    ) {
        match held {
            Held::No => {}
            Held::Yes(because) => broken.push((at, because)),
            // Accepted or not like any other gap; where not, the rule's action is what counts.
            Held::Unknown(gaps) if action == Action::Enforce => unknown.extend(gaps),
            Held::Unknown(gaps) => broken.push((at, vec![Because::Gaps(gaps)])),
        }
    }

    /// All rules on what was found.
    fn found(&self, evidence: &Evidence, mut whole: Vec<Gap>, judged: &mut Judged) {
        if !evidence.reference.same_repository(self.asked) || evidence.platforms.is_empty() {
            judged.reasons.push(Reason::WrongEvidence);
            return;
        }
        if let Some(Reason::NameNotAllowed { allowed }) = self.name_not_allowed() {
            self.built_in(Reason::NameNotAllowed { allowed }, judged);
        }
        whole.extend(evidence.gaps.iter().cloned());
        let exceptions: Vec<&Exception> = self
            .policy
            .exceptions
            .iter()
            .filter(|e| e.scope.holds(self.asked, &self.request.asked, Untold::Fails))
            .collect();
        let mut all_gaps: Vec<(Option<&Platform>, Gap)> =
            whole.iter().map(|g| (None, g.clone())).collect();
        let mut severe: Vec<Finding> = Vec::new();
        let mut broken: Vec<(usize, Vec<Because>)> = Vec::new();
        let mut untold: Vec<(Option<&Platform>, Gap)> = Vec::new();
        let silent: Vec<&Gap> = self.opinions.iter().filter_map(Opinion::gap).collect();
        for platform in &evidence.platforms {
            let on = platform.platform.as_ref();
            // How old a feed may be is this policy's word at this time, whatever the matcher was
            // told when the evidence was gathered.
            let used = |g: &Gap| platform.feeds.iter().any(|f| f.feed == g.subject);
            let judged_anew = |g: &Gap| g.kind == GapKind::StaleFeed && used(g);
            let mut gaps: Vec<Gap> =
                platform.gaps.iter().filter(|g| !judged_anew(g)).cloned().collect();
            let stale = |f| stale_feed(f, self.clock.today(), self.policy.max_feed_age_days);
            gaps.extend(platform.feeds.iter().filter_map(stale));
            let mut findings: Vec<&Finding> = Vec::with_capacity(platform.findings.len());
            for finding in &platform.findings {
                match exceptions.iter().find(|e| e.covers(finding, on, self.clock.today())) {
                    None => findings.push(finding),
                    Some(exception) => judged.leaned.push(Leaned::Exception {
                        image: self.image.to_owned(),
                        id: finding.id.clone(),
                        owner: exception.owner.clone(),
                    }),
                }
            }
            let stands = |f: &&&Finding| self.policy.refuses(f);
            severe.extend(findings.iter().filter(stands).map(|f| (*f).clone()));
            let facts = match self.policy.rules.is_empty() {
                true => Vec::new(),
                false => untold_facts(platform, self.clock.today()),
            };
            let seen = gaps.iter().chain(&whole).chain(&facts).chain(silent.iter().copied());
            let seen: Vec<&Gap> = seen.collect();
            let against = Against {
                policy: self.policy,
                image: self.asked,
                asked: &self.request.asked,
                snapshot: &evidence.snapshot,
                platform,
                findings: &findings,
                gaps: &seen,
                clock: self.clock,
                values: Values::default(),
            };
            let mut unknown = Vec::new();
            for (at, rule) in self.policy.rules.iter().enumerate() {
                if self.in_scope(rule, on) {
                    let held = rule.refuse.held(&against);
                    Self::held(at, rule.action, held, &mut broken, &mut unknown);
                }
            }
            all_gaps.extend(gaps.into_iter().map(|g| (on, g)));
            untold.extend(unknown.into_iter().map(|g| (on, g)));
        }
        if self.policy.action == Action::Enforce {
            // One list for the reader.
            all_gaps.append(&mut untold);
        }
        if let (Some(highest), false) = (self.policy.highest_severity, severe.is_empty()) {
            let findings = self.worst_first(severe);
            self.built_in(Reason::Severity { highest, findings }, judged);
        }
        self.rules(broken, judged);
        self.gaps(all_gaps, self.policy.action, judged);
        self.gaps(untold, Action::Enforce, judged);
        self.opinions(judged);
    }

    fn in_scope(&self, rule: &Rule, on: Option<&Platform>) -> bool {
        rule.scope.includes(on, Untold::Holds)
            && rule.scope.holds(self.asked, &self.request.asked, Untold::Holds)
    }

    /// The rule on names where it only warns, or was not applied before.
    fn name_not_allowed(&self) -> Option<Reason> {
        let allowed = self.policy.allowed.as_ref()?;
        let ok = self.policy.is_local(self.asked) || allowed.iter().any(|p| p.matches(self.asked));
        (!ok).then(|| Reason::NameNotAllowed { allowed: allowed.clone() })
    }

    /// Each broken rule once, with what was found on every platform.
    fn rules(&self, broken: Vec<(usize, Vec<Because>)>, judged: &mut Judged) {
        for (at, rule) in self.policy.rules.iter().enumerate() {
            let mut because: Vec<Because> = Vec::new();
            for (_, more) in broken.iter().filter(|(broken, _)| *broken == at) {
                for one in more {
                    if !because.contains(one) {
                        because.push(one.clone());
                    }
                }
            }
            if because.is_empty() {
                continue;
            }
            let (name, message) = (rule.name.clone(), rule.message.clone());
            self.violated(Reason::Rule { name, message, because }, rule.action, judged);
        }
    }

    /// Gaps that nobody accepts are a reason of this action.
    fn gaps(&self, gaps: Vec<(Option<&Platform>, Gap)>, action: Action, judged: &mut Judged) {
        let accepted: Vec<&AcceptedGap> = self
            .policy
            .accepted_gaps
            .iter()
            .filter(|a| a.scope.holds(self.asked, &self.request.asked, Untold::Fails))
            .collect();
        let (mut open, mut leaned) = (Vec::new(), Vec::new());
        for (on, gap) in gaps {
            let into =
                if accepted.iter().any(|a| a.covers(&gap, on)) { &mut leaned } else { &mut open };
            into.push(gap);
        }
        for list in [&mut open, &mut leaned] {
            list.sort();
            list.dedup();
        }
        let image = || self.image.to_owned();
        judged.leaned.extend(leaned.into_iter().map(|gap| Leaned::Gap { image: image(), gap }));
        if !open.is_empty() {
            self.violated(Reason::Gaps(open), action, judged);
        }
    }

    /// What the policy makes of others' opinions.
    fn opinions(&self, judged: &mut Judged) {
        for agreement in &self.policy.checkers {
            if !agreement.scope.holds(self.asked, &self.request.asked, Untold::Holds) {
                continue;
            }
            let said = |name: &String| self.opinions.iter().find(|o| o.checker == *name);
            let agrees = |name: &String| said(name).is_some_and(|o| o.answer == Answer::Agrees);
            let enough = match agreement.require {
                Require::All => agreement.names.iter().all(agrees),
                Require::Any => agreement.names.iter().any(agrees),
            };
            if enough {
                continue;
            }
            let mut gaps = Vec::new();
            for name in &agreement.names {
                match said(name).map(|o| &o.answer) {
                    Some(Answer::Agrees) => {}
                    Some(Answer::Disagrees { reason }) => {
                        let (name, words) = (name.clone(), reason.clone());
                        self.built_in(Reason::Checker { name, words }, judged);
                    }
                    Some(Answer::Silent { gap }) => gaps.push((None, gap.clone())),
                    None => {
                        let gap = Opinion::silent(name.clone(), "it was not asked");
                        gaps.extend(gap.gap().map(|g| (None, g.clone())));
                    }
                }
            }
            self.gaps(gaps, self.policy.action, judged);
        }
    }

    /// A rule that the keys of the policy make: its action is the policy's.
    fn built_in(&self, reason: Reason, judged: &mut Judged) {
        self.violated(reason, self.policy.action, judged);
    }

    fn violated(&self, reason: Reason, action: Action, judged: &mut Judged) {
        match action {
            Action::Enforce => judged.reasons.push(reason),
            Action::Warn | Action::Audit => {
                judged.noted.push(Noted { image: self.image.to_owned(), action, reason });
            }
        }
    }

    fn worst_first(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        findings.sort_by(|a, b| {
            let rank =
                |f: &Finding| std::cmp::Reverse((self.policy.counts_as(f), f.known_exploited));
            (rank(a), &a.id, &a.package.name).cmp(&(rank(b), &b.id, &b.package.name))
        });
        findings.dedup_by(|a, b| {
            a.id == b.id
                && a.package.name == b.package.name
                && a.package.version == b.package.version
        });
        findings
    }
}
