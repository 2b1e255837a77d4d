//! The end of a request: the decision is recorded, then said.
//!
//! "Allowed" is said by a spent permit only, and only once the decision is on the disk, unless the
//! policy gives that up.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};

use super::again::Told;
use super::gate::{GRACE, Gate};
use super::http::{failure, json, text};
use super::id;
use super::judge::Decided;
use super::live::Rules;
use super::metrics::{self, Outcome};
use super::notes::{Note, Notes};
use super::question::Question;
use super::record::{About, Unwritten};
use super::review::{self, Template};
use super::wire::Wire;
use super::words;
use crate::failure::{Failure, Result};

/// What is said where a decision could not be recorded.
const UNRECORDED: &str = "the decision could not be recorded";

impl Gate {
    /// A denial of a question that did not reach the judge, or did not come back from him.
    pub(super) async fn unjudged(
        &self,
        held: Held,
        why: &str,
        outcome: Outcome,
    ) -> Response<Full<Bytes>> {
        let decided = self.judge.unjudged(why, &held.id, outcome, held.question.as_deref());
        self.answer(held, decided).await
    }

    /// Records a decision, then says it.
    pub(super) async fn answer(&self, held: Held, mut decided: Decided) -> Response<Full<Bytes>> {
        let took = held.began.elapsed();
        log(&held, &decided, took);
        let about = About {
            id: &held.id,
            api: held.wire.api(),
            question: held.question.as_deref(),
            took,
            enforced: held.wire.is_enforced(),
        };
        let entry = self.recorder.entry(&about, &decided);
        let remembered = entry.as_ref().ok().and_then(Option::as_ref);
        let remembered = remembered.map(|entry| (entry.matter(), entry.admitted()));
        let mut repeat = decided.repeat.take();
        let rules = Arc::clone(&decided.rules);
        let recorded = match entry {
            Ok(entry) => self.recorded(entry, &held, took, &rules).await,
            Err(e) => Err(e),
        };
        if let Err(e) = recorded {
            self.unrecorded(&held.id, &e);
            repeat = None;
            if decided.outcome == Outcome::Allowed {
                // What nobody can show afterwards is not allowed; a denial stands as it is.
                let question = held.question.as_deref();
                decided = self.judge.unjudged(UNRECORDED, &held.id, Outcome::Undecided, question);
            }
        }
        self.metrics.answered(held.wire.way(), decided.outcome, took);
        let body = match held.wire.say(decided, self.bounds.when_unexamined) {
            Ok(body) => body,
            Err(message) => return failure(&message),
        };
        if let (Some(repeat), Some((matter, admitted))) = (repeat, remembered)
            && let Some(answer) = Template::of(&body, &held.id)
        {
            let (repeat, question) = (*repeat, held.question.unwrap_or_default());
            let matter = (*matter).as_ref().clone();
            let told = Told { repeat, rules, question, answer, matter, admitted };
            self.judge.answers.put(&held.body, told);
        }
        json(StatusCode::OK, body)
    }

    /// The answer to a question that was asked before, if it is the same now.
    pub(super) async fn answered_again(
        &self,
        question: &[u8],
        held: &Held,
    ) -> Option<Response<Full<Bytes>>> {
        // Each is to be seen in the log at that level; and only a denial may have a makeshift id.
        if tracing::enabled!(tracing::Level::DEBUG) || id::is_makeshift(&held.id) {
            return None;
        }
        let again = self.judge.again(question)?;
        let body = again.told.answer.allowed(&again.proof, &held.id)?;
        let took = held.began.elapsed();
        let told = Arc::clone(&again.told);
        let entry = self.recorder.again(&held.id, again, took);
        if let Err(e) = self.recorded(entry, held, took, &told.rules).await {
            self.unrecorded(&held.id, &e);
            let question = Some(&*told.question);
            let decided = self.judge.unjudged(UNRECORDED, &held.id, Outcome::Undecided, question);
            self.metrics.answered(held.wire.way(), decided.outcome, took);
            return Some(match held.wire.say(decided, self.bounds.when_unexamined) {
                Ok(body) => json(StatusCode::OK, body),
                Err(message) => failure(&message),
            });
        }
        self.metrics.answered(held.wire.way(), Outcome::Allowed, took);
        Some(json(StatusCode::OK, body))
    }

    /// What is said where answering itself panicked. It is in no record: what has just panicked is
    /// not asked again.
    pub(super) fn panicked(&self, webhook: bool, began: Instant) -> Response<Full<Bytes>> {
        let id = id::makeshift();
        tracing::error!(decision = id, "answering panicked");
        let way = if webhook { metrics::Api::Validate } else { metrics::Api::ImageReview };
        self.metrics.answered(way, Outcome::Undecided, began.elapsed());
        let why = words::unjudged("an internal error", &id);
        if webhook {
            // Its uid is not known here, so that `failurePolicy` decides.
            return text(StatusCode::INTERNAL_SERVER_ERROR, &why);
        }
        let notes = Notes::default()
            .with(Note::DecisionId, id)
            .with(Note::Outcome, Outcome::Undecided.as_str());
        json(StatusCode::OK, review::Answer::refused(why, notes).body())
    }

    fn unrecorded(&self, id: &str, why: &Failure) {
        self.metrics.unrecorded.fetch_add(1, Relaxed);
        tracing::error!(decision = id, error = %why, "the decision could not be recorded");
    }

    /// Writes a decision that took so long; returns when it is on the disk, unless the policy does
    /// not want that.
    async fn recorded(
        &self,
        entry: Option<Unwritten>,
        held: &Held,
        took: Duration,
        rules: &Rules,
    ) -> Result<()> {
        let Some(entry) = entry else { return Ok(()) };
        if rules.policy.record_first {
            let late = || Failure::new("it was not written in time");
            let until = held.until.max(held.began + took) + GRACE;
            let written = tokio::time::timeout_at(until.into(), self.recorder.write(entry)).await;
            return written.unwrap_or_else(|_| Err(late()));
        }
        let (id, metrics) = (held.id.clone(), Arc::clone(&self.metrics));
        let recorder = self.recorder.clone();
        tokio::spawn(async move {
            if let Err(e) = recorder.write(entry).await {
                metrics.unrecorded.fetch_add(1, Relaxed);
                tracing::error!(decision = id, error = %e, "the decision could not be recorded");
            }
        });
        Ok(())
    }
}

/// One request on its way.
pub(super) struct Held {
    pub(super) id: String,
    pub(super) began: Instant,
    pub(super) until: Instant,
    pub(super) wire: Wire,
    pub(super) question: Option<Arc<Question>>,
    /// The question's bytes, where the same may be asked again.
    pub(super) body: Bytes,
}

impl Held {
    pub(super) fn new(id: String, began: Instant, until: Instant, wire: Wire) -> Self {
        Self { id, began, until, wire, question: None, body: Bytes::new() }
    }
}

/// What was allowed is in the record; a line for each would cost more than deciding does, so
/// those lines are written at level debug only.
fn log(held: &Held, decided: &Decided, took: Duration) {
    if decided.outcome == Outcome::Allowed && !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let question = held.question.as_deref();
    let first = || decided.images.iter().take(20);
    let images: Vec<&str> = first().map(|(image, _)| image.as_str()).collect();
    let digests: Vec<String> = first().filter_map(|(_, d)| Some(d.as_ref()?.to_string())).collect();
    tracing::info!(
        decision = held.id,
        outcome = decided.outcome.as_str(),
        namespace = question.map(|q| q.asked.namespace.as_str()),
        images = images.join(","),
        digests = digests.join(","),
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        reason = decided.message,
        "decided"
    );
}
