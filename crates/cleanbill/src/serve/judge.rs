//! From a question to a decision: evidence, others' opinions, then the one judge.
//!
//! Whatever goes wrong on the way is a failure of that image, which the judge reads as
//! "undecided". Only his permit, spent on this very question, makes an answer "allowed".

use std::sync::Arc;
use std::time::Instant;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::policy::{Action, Policy};
use cleanbill_core::verdict::{
    Allowed, Case, Denial, Earlier, Judgement, Leaned, Noted, Reason, Request, Standing, Verdict,
    decide,
};

use super::access::Access;
use super::again::{Answers, Basis};
use super::aside::{aside, is_much};
use super::cases::{Gathered, Open, digests};
use super::config::Work;
use super::examiner::{Examiner, Failed};
use super::flights::Flights;
use super::known::{Key, Known, Sealed};
use super::live::{Live, Rules};
use super::metrics::{self, Metrics};
use super::notes::{Note, Notes};
use super::question::{Pull, Question};
use super::tags::Tags;
use super::token::{grants, unused};
use super::trace::Trace;
use super::words;

/// Everything an answer depends on.
pub struct Judge {
    pub(super) examiner: Arc<Examiner>,
    pub(super) rules: Arc<Live<Rules>>,
    pub(super) work: Work,
    pub(super) names: Arc<Flights<Key, Result<Digest, Failed>>>,
    pub(super) images: Arc<Flights<Key, Result<Arc<Sealed>, Failed>>>,
    pub(super) tags: Tags,
    pub(super) known: Known,
    pub(super) answers: Answers,
    pub(super) metrics: Arc<Metrics>,
}

/// A decision: what is told, and what is recorded.
pub struct Decided {
    /// In one word.
    pub outcome: metrics::Outcome,
    /// The spent permit, where allowed.
    pub proof: Option<Allowed>,
    /// What the user reads; empty where allowed.
    pub message: String,
    /// What else he reads, where the interface has a place for it.
    pub warnings: Vec<String>,
    /// What the audit log gets.
    pub notes: Notes,
    /// The images of the question, each once, with the digest where it became known.
    pub images: Vec<(String, Option<Digest>)>,
    /// The rules it was judged by.
    pub rules: Arc<Rules>,
    /// The advisories that were used, where any image was examined.
    pub snapshot: Option<Digest>,
    /// The evidence.
    pub evidence: Vec<Arc<Sealed>>,
    /// How it came about.
    pub trace: Trace,
    /// The time that the judge was given.
    pub judged_at: Timestamp,
    /// Who broke the glass, as JSON, if somebody did.
    pub break_glass: Option<String>,
    /// The images that may count as admitted from now on: not where they were let in by
    /// break-glass or by an earlier admission.
    pub admitted: Option<Vec<(String, Digest)>>,
    /// What it takes to tell the same again, where that can be.
    pub(super) repeat: Option<Box<Repeat>>,
}

/// What came of a question that can be told the same again.
pub(super) struct Repeat {
    pub(super) fingerprint: Digest,
    pub(super) standing: Standing,
    pub(super) basis: Basis,
    pub(super) noted: Vec<Noted>,
    pub(super) leaned: Vec<Leaned>,
}

impl Judge {
    /// A judge by these rules.
    pub fn new(
        examiner: Arc<Examiner>,
        rules: Arc<Live<Rules>>,
        work: Work,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            names: Flights::new(work.parallel_lookups, work.waiting),
            images: Flights::new(work.examinations_at_a_time(), work.waiting),
            tags: Tags::new(work.tag_ttl),
            // Evidence takes some three times what was told of it.
            known: Known::new(work.known_bytes / 4 * 3),
            answers: Answers::new(usize::try_from(work.known_bytes / 4).unwrap_or(usize::MAX)),
            examiner,
            rules,
            work,
            metrics,
        }
    }

    /// A name for a decision.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn new_id(&self) -> Result<String, String> {
        (self.examiner.id)()
    }

    /// Examinations that run or wait.
    pub fn waiting(&self) -> usize {
        self.images.count()
    }

    /// Decides a question by `until` at the latest.
    pub async fn answer(
        self: &Arc<Self>,
        question: Arc<Question>,
        access: Access,
        id: &str,
        until: Instant,
    ) -> Decided {
        let rules = self.rules.get();
        let open = Open { question, rules, access, id: id.to_owned(), until };
        let gathered = self.gather(&open).await;
        let (grants, token_refused) = grants(&open.question, &open.rules);
        let mut request = Request {
            fingerprint: open.question.fingerprint(),
            images: open.question.images.clone(),
            asked: open.question.asked.clone(),
            grants,
            earlier: None,
            pinned: open.question.pinned.clone(),
        };
        let now = (self.examiner.now)();
        let policy = &open.rules.policy;
        let much = is_much(&gathered.cases);
        let mut judgement = judge(&request, &gathered.cases, policy, now, much);
        if policy.keep_admitted.is_some() && matches!(judgement.verdict, Verdict::Deny(_)) {
            request.earlier = self.earlier(&open, &gathered.cases).await;
            if request.earlier.is_some() {
                judgement = judge(&request, &gathered.cases, policy, now, much);
            }
        }
        aside(much, || self.decided(&open, request, gathered, judgement, token_refused, now))
    }

    /// The earlier decision that allowed exactly these bytes in this namespace.
    async fn earlier(&self, open: &Open, cases: &[Case]) -> Option<Earlier> {
        let mut images = digests(cases)
            .into_iter()
            .map(|(image, digest)| Some((image, digest?)))
            .collect::<Option<Vec<_>>>()?;
        images.sort();
        images.dedup();
        let (examiner, namespace) = (self.examiner.clone(), open.question.asked.namespace.clone());
        let look = move || {
            let found = (examiner.admitted)(&namespace, &images)?;
            Some(Earlier { decision: found.1, at: found.0, images })
        };
        let looked = tokio::task::spawn_blocking(look);
        tokio::time::timeout_at(open.until.into(), looked).await.ok()?.ok()?
    }

    fn decided(
        &self,
        open: &Open,
        request: Request,
        gathered: Gathered,
        judgement: Judgement,
        token_refused: Option<String>,
        now: Timestamp,
    ) -> Decided {
        let Gathered { cases, sealed, at_hand } = gathered;
        let by_address = |evidence: &Arc<_>| {
            sealed.iter().find(|s| Arc::ptr_eq(&s.evidence, evidence)).map(|s| s.digest)
        };
        let (grants, earlier) = (request.grants.clone(), request.earlier.clone());
        let trace = Trace::new(&cases, grants, earlier, &judgement, by_address);
        let policy = &open.rules.policy;
        let token_refused = token_refused.or_else(|| unused(&request, &cases, &judgement, now));
        let Judgement { verdict, noted, leaned, stands } = judgement;
        let refused = match &verdict {
            Verdict::Allow(_) => &[],
            Verdict::Deny(denial) | Verdict::Undecided(denial) => denial.refused.as_slice(),
        };
        let refused = refused.iter().flat_map(|(_, reasons)| reasons);
        self.count_gaps(refused.chain(noted.iter().map(|n| &n.reason)), &leaned);
        let break_glass = words::break_glass(&leaned);
        self.count_broken_glass(&leaned, policy, token_refused.is_some());
        let plain = !leaned.iter().any(|l| match l {
            Leaned::Grant { .. } | Leaned::User { .. } | Leaned::Admitted { .. } => true,
            Leaned::Exception { .. } | Leaned::Gap { .. } => false,
        });
        let mut warnings: Vec<String> = Vec::new();
        for note in noted.iter().filter(|n| n.action == Action::Warn) {
            warnings.push(words::warning(note, policy));
        }
        warnings.extend(words::leaned(&leaned));
        let local = |image: &&str| image.parse().is_ok_and(|name| policy.is_local(&name));
        for image in open.question.distinct().into_iter().filter(local) {
            if open.question.pulls.get(image) == Some(&Pull::IfNotPresent) {
                warnings.push(words::may_be_pulled(image));
            }
        }
        let say =
            |denial: &Denial| words::denial(denial, policy, &open.id, token_refused.as_deref());
        let (outcome, proof, message) = match verdict {
            Verdict::Allow(permit) => {
                match permit.spend(&request.fingerprint, (self.examiner.now)()) {
                    Ok(proof) => (metrics::Outcome::Allowed, Some(proof), String::new()),
                    Err(why) => (metrics::Outcome::Undecided, None, words::unjudged(why, &open.id)),
                }
            }
            Verdict::Deny(denial) => (metrics::Outcome::Denied, None, say(&denial)),
            Verdict::Undecided(denial) => (metrics::Outcome::Undecided, None, say(&denial)),
        };
        let images = digests(&cases);
        let snapshot = sealed.first().map(|s| s.evidence.snapshot.digest);
        // What was allowed since the answer pins it says nothing for the same tag unpinned.
        let counts = |proof: &&Allowed| plain && proof.pins().is_empty();
        let admitted = proof.as_ref().filter(counts).filter(|_| policy.keep_admitted.is_some());
        let mut notes = self.notes(&open.id, outcome, &images, &open.rules);
        if let Some(snapshot) = snapshot {
            notes = notes.with(Note::Snapshot, snapshot.to_string());
        }
        // An image without a date (none of its feeds has one) hides no other's.
        if let Some(oldest) = sealed.iter().filter_map(|s| s.oldest_feed).min() {
            notes = notes.with(Note::SnapshotDate, oldest.to_string());
        }
        if !noted.is_empty() {
            notes = notes.with(Note::Noted, words::noted(&noted));
        }
        if !plain {
            notes = notes.with(Note::LetInBy, words::leaned(&leaned).join("; "));
        }
        let admitted = admitted.map(|proof| proof.images().to_vec());
        // A token is verified each time.
        let same = outcome == metrics::Outcome::Allowed && plain && open.question.token().is_none();
        let repeat = at_hand.filter(|_| same).zip(stands).and_then(|(at_hand, standing)| {
            let (fingerprint, basis) = (request.fingerprint, Basis::of(&at_hand)?);
            Some(Box::new(Repeat { fingerprint, standing, basis, noted, leaned }))
        });
        Decided {
            outcome,
            message,
            warnings,
            notes,
            images,
            snapshot,
            trace,
            judged_at: now,
            break_glass,
            admitted,
            proof,
            repeat,
            evidence: sealed,
            rules: Arc::clone(&open.rules),
        }
    }

    /// Counts the gaps that a decision met.
    pub(super) fn count_gaps<'r>(
        &self,
        reasons: impl Iterator<Item = &'r Reason>,
        leaned: &[Leaned],
    ) {
        let accepted = leaned.iter().filter_map(|leaned| match leaned {
            Leaned::Gap { gap, .. } => Some(gap),
            Leaned::Exception { .. }
            | Leaned::Grant { .. }
            | Leaned::User { .. }
            | Leaned::Admitted { .. } => None,
        });
        let gaps = reasons.flat_map(|reason| reason.rests_on().1).chain(accepted);
        gaps.for_each(|gap| self.metrics.gaps(gap.kind, 1));
    }

    fn count_broken_glass(&self, leaned: &[Leaned], policy: &Policy, refused: bool) {
        use metrics::BreakGlass;
        for leaned in leaned {
            let how = match leaned {
                Leaned::Grant { .. } => BreakGlass::Token,
                Leaned::User { user, .. } if policy.break_glass.users.contains(user) => {
                    BreakGlass::User
                }
                Leaned::User { .. } => BreakGlass::Group,
                Leaned::Exception { .. } | Leaned::Gap { .. } | Leaned::Admitted { .. } => continue,
            };
            self.metrics.broke_glass(how);
        }
        if refused {
            self.metrics.broke_glass(BreakGlass::Refused);
        }
    }

    /// A denial of a question that was not judged.
    pub fn unjudged(
        &self,
        why: &str,
        id: &str,
        outcome: metrics::Outcome,
        question: Option<&Question>,
    ) -> Decided {
        let rules = self.rules.get();
        let distinct = question.map(Question::distinct).unwrap_or_default();
        let images: Vec<_> = distinct.into_iter().map(|image| (image.to_owned(), None)).collect();
        Decided {
            outcome,
            proof: None,
            message: words::unjudged(why, id),
            warnings: Vec::new(),
            notes: self.notes(id, outcome, &images, &rules),
            images,
            rules,
            snapshot: None,
            evidence: Vec::new(),
            trace: Trace::default(),
            judged_at: (self.examiner.now)(),
            break_glass: None,
            admitted: None,
            repeat: None,
        }
    }

    /// The audit annotations that every answer has.
    fn notes(
        &self,
        id: &str,
        outcome: metrics::Outcome,
        images: &[(String, Option<Digest>)],
        rules: &Rules,
    ) -> Notes {
        let mut notes = Notes::default()
            .with(Note::DecisionId, id)
            .with(Note::Outcome, outcome.as_str())
            .with(Note::Policy, format!("{}@{}", rules.policy.name, rules.digest));
        let digests: Vec<String> =
            images.iter().filter_map(|(_, digest)| digest.map(|d| d.to_string())).collect();
        if !digests.is_empty() {
            notes = notes.with(Note::Digests, digests.join(","));
        }
        notes
    }
}

/// Judges, `much` or little. An expression may take as long as its cost limit lets it.
fn judge(
    request: &Request,
    cases: &[Case],
    policy: &Policy,
    now: Timestamp,
    much: bool,
) -> Judgement {
    let expressions = policy.rules.iter().any(|rule| rule.refuse.expression.is_some());
    aside(expressions || much, || decide(request, cases, policy, now))
}
