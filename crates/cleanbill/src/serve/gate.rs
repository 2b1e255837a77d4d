//! One HTTP request: read within bounds, judged on its own task, answered, recorded.
//!
//! Where a pod's author could be the cause (a huge or odd pod, a slow registry, a full queue) the
//! answer is a denial and never an HTTP error: an HTTP error lets the pod in where the API server
//! is configured with `defaultAllow: true`. `Retry-After` is never sent, since the API server
//! would repeat the call up to fifty times.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use super::access::Access;
use super::config::{Bounds, Unexamined};
use super::http::{budget, failure, is_json, json, text};
use super::judge::{Decided, Judge};
use super::metrics::{Metrics, Outcome};
use super::question::Question;
use super::record::{About, Recorder};
use super::review::{self, Answer, Unreadable};
use crate::store::Api;

/// What every request needs.
pub struct Gate {
    judge: Arc<Judge>,
    recorder: Recorder,
    metrics: Arc<Metrics>,
    bounds: Bounds,
    busy: Semaphore,
}

impl Gate {
    /// A gate.
    pub fn new(
        judge: Arc<Judge>,
        recorder: Recorder,
        metrics: Arc<Metrics>,
        bounds: Bounds,
    ) -> Self {
        let busy = Semaphore::new(bounds.requests);
        Self { judge, recorder, metrics, bounds, busy }
    }

    /// Its counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Answers one request.
    ///
    /// # Errors
    /// Never: the type is what hyper asks for.
    pub async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let began = Instant::now();
        if request.method() != Method::POST {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only POST is answered");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return Ok(response);
        }
        let json = request.headers().get(CONTENT_TYPE).is_some_and(is_json);
        if !json {
            return Ok(text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "only application/json is read"));
        }
        self.metrics.in_flight.fetch_add(1, Relaxed);
        let response = self.review(request, began).await;
        self.metrics.in_flight.fetch_sub(1, Relaxed);
        Ok(response)
    }

    async fn review(
        self: &Arc<Self>,
        request: Request<Incoming>,
        began: Instant,
    ) -> Response<Full<Bytes>> {
        let id = match self.judge.new_id() {
            Ok(id) => id,
            Err(why) => return text(StatusCode::INTERNAL_SERVER_ERROR, &why),
        };
        let until = began + budget(request.uri().query(), self.bounds.budget);
        let mut held = Held { id, began, question: None };
        let Ok(_slot) = self.busy.try_acquire() else {
            let why = "too many questions at once; try again";
            return self.unjudged(held, why, Outcome::Undecided).await;
        };
        let body = match self.body(request.into_body()).await {
            Ok(body) => body,
            Err(why) => return self.unjudged(held, &why, Outcome::Malformed).await,
        };
        let question = match review::parse(&body, self.bounds.containers) {
            Ok(question) => Arc::new(question),
            Err(Unreadable::Foreign(why)) => {
                tracing::warn!(decision = held.id, why, "a request that is no ImageReview");
                self.metrics.decided(Outcome::Malformed, began.elapsed());
                return text(StatusCode::BAD_REQUEST, &why);
            }
            Err(Unreadable::Malformed(why)) => {
                return self.unjudged(held, &why, Outcome::Malformed).await;
            }
        };
        held.question = Some(Arc::clone(&question));
        let access = Access::none();
        // A task of its own: a panic ends there and not in a broken connection, and a caller who
        // hangs up does not stop what others wait for.
        let (judge, decision) = (self.judge.clone(), held.id.clone());
        let judged =
            tokio::spawn(async move { judge.answer(question, access, &decision, until).await });
        match judged.await {
            Ok(decided) => self.answer(held, decided).await,
            Err(e) => {
                tracing::error!(decision = held.id, error = %e, "judging panicked");
                self.unjudged(held, "an internal error", Outcome::Undecided).await
            }
        }
    }

    /// A denial of a question that did not reach the judge, or did not come back from him.
    async fn unjudged(&self, held: Held, why: &str, outcome: Outcome) -> Response<Full<Bytes>> {
        let decided = self.judge.unjudged(why, &held.id, outcome, held.question.as_deref());
        self.answer(held, decided).await
    }

    /// Records a decision, then says it.
    async fn answer(&self, held: Held, mut decided: Decided) -> Response<Full<Bytes>> {
        let took = held.began.elapsed();
        log(&held, &decided, took);
        let about = About {
            id: &held.id,
            api: Api::ImageReview,
            question: held.question.as_deref(),
            took,
            enforced: true,
        };
        if let Err(e) = self.recorder.record(&about, &decided).await {
            self.metrics.unrecorded.fetch_add(1, Relaxed);
            tracing::error!(decision = held.id, error = %e, "the decision could not be recorded");
            if decided.outcome == Outcome::Allowed {
                // What nobody can show afterwards is not allowed; a denial stands as it is.
                let why = "the decision could not be recorded";
                let question = held.question.as_deref();
                decided = self.judge.unjudged(why, &held.id, Outcome::Undecided, question);
            }
        }
        self.metrics.decided(decided.outcome, took);
        self.say(decided)
    }

    fn say(&self, decided: Decided) -> Response<Full<Bytes>> {
        let Decided { outcome, proof, message, notes, .. } = decided;
        let answer = match (outcome, proof) {
            (Outcome::Allowed, Some(proof)) => Answer::allowed(&proof, notes),
            (Outcome::Undecided, _) if self.bounds.when_unexamined == Unexamined::Fail => {
                return failure(&message);
            }
            (Outcome::Allowed | Outcome::Denied | Outcome::Undecided | Outcome::Malformed, _) => {
                Answer::refused(message, notes)
            }
        };
        json(StatusCode::OK, answer.body())
    }

    /// The body, if it is within the bounds. What is too large is read on for a while and thrown
    /// away, since the API server reads the answer only once it has sent its question.
    async fn body(&self, mut body: Incoming) -> Result<Vec<u8>, String> {
        let limit = self.bounds.body_bytes;
        let thrown_away = limit.saturating_mul(32);
        let read = async {
            let (mut kept, mut seen) = (Vec::new(), 0_usize);
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| "the question broke off".to_owned())?;
                let Some(data) = frame.data_ref() else { continue };
                seen = seen.saturating_add(data.len());
                if seen <= limit {
                    kept.extend_from_slice(data);
                } else if seen > thrown_away {
                    break;
                }
            }
            match seen {
                _ if seen <= limit => Ok(kept),
                _ => Err(format!("the question is larger than {limit} bytes")),
            }
        };
        match tokio::time::timeout(self.bounds.body_time, read).await {
            Ok(read) => read,
            Err(_) => Err("the question did not arrive in time".into()),
        }
    }
}

/// One request on its way.
struct Held {
    id: String,
    began: Instant,
    question: Option<Arc<Question>>,
}

fn log(held: &Held, decided: &Decided, took: Duration) {
    let question = held.question.as_deref();
    tracing::info!(
        decision = held.id,
        outcome = decided.outcome.as_str(),
        namespace = question.map(|q| q.asked.namespace.as_str()),
        images = ?decided.images.iter().take(20).map(|(image, _)| image).collect::<Vec<_>>(),
        digests = ?decided.images.iter().take(20).filter_map(|(_, d)| *d).collect::<Vec<_>>(),
        took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        reason = decided.message,
        "decided"
    );
}
