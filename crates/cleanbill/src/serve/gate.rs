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

use cleanbill_core::reference::ImageRef;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use super::access::Access;
use super::admission;
use super::config::Bounds;
use super::http::{budget, failure, is_json, json, text};
use super::judge::{Decided, Judge};
use super::metrics::{Api, Metrics, Outcome};
use super::pull_secrets::{Named, access};
use super::question::Question;
use super::record::{About, Recorder};
use super::review;
use super::wire::{self, Wire};
use crate::failure::{Failure, Result};
use crate::kube::Client;

/// What is said where too much is being answered.
const BUSY: &str = "too many questions at once; try again";
/// How long past its time a judgement, and then its record, is waited for. Twice this is less
/// than the second that a budget leaves of the caller's own time.
const GRACE: Duration = Duration::from_millis(300);
/// How long pull secrets are read for at most.
const SECRETS_TIME: Duration = Duration::from_secs(2);
/// Questions of the large kind that are read at a time.
const READING: usize = 32;

/// What every request needs.
pub struct Gate {
    judge: Arc<Judge>,
    recorder: Recorder,
    metrics: Arc<Metrics>,
    bounds: Bounds,
    busy: Semaphore,
    reading: Semaphore,
    kubernetes: Option<Arc<Client>>,
}

impl Gate {
    /// A gate.
    pub fn new(
        judge: Arc<Judge>,
        recorder: Recorder,
        metrics: Arc<Metrics>,
        bounds: Bounds,
    ) -> Self {
        let (busy, reading) = (Semaphore::new(bounds.requests), Semaphore::new(READING));
        Self { judge, recorder, metrics, bounds, busy, reading, kubernetes: None }
    }

    /// The same, and pods' pull secrets are read with this client.
    #[must_use]
    pub fn reading_secrets(mut self, kubernetes: Option<Client>) -> Self {
        self.kubernetes = kubernetes.map(Arc::new);
        self
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
    ) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
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
        match request.uri().path() {
            wire::VALIDATE => self.admission(request, id, began, until, false).await,
            wire::MUTATE => self.admission(request, id, began, until, true).await,
            _ => self.image_review(request, id, began, until).await,
        }
    }

    async fn image_review(
        self: &Arc<Self>,
        request: Request<Incoming>,
        id: String,
        began: Instant,
        until: Instant,
    ) -> Response<Full<Bytes>> {
        let mut held = Held { id, began, until, wire: Wire::ImageReview, question: None };
        let Ok(_slot) = self.busy.try_acquire() else {
            return self.unjudged(held, BUSY, Outcome::Undecided).await;
        };
        let body = match self.body(request.into_body(), self.bounds.body_bytes).await {
            Ok(body) => body,
            Err(why) => return self.unjudged(held, &why, Outcome::Malformed).await,
        };
        match review::parse(&body, self.bounds.containers) {
            Ok(question) => {
                drop(body);
                held.question = Some(Arc::new(question));
                self.judged(held, until).await
            }
            Err(review::Unreadable::Foreign(why)) => self.foreign(&held, &why),
            Err(review::Unreadable::Malformed(why)) => {
                self.unjudged(held, &why, Outcome::Malformed).await
            }
        }
    }

    /// An `AdmissionReview`. It can be answered only once its `uid` was read, so that comes before
    /// everything else; few bodies at a time, since they may be large.
    async fn admission(
        self: &Arc<Self>,
        request: Request<Incoming>,
        id: String,
        began: Instant,
        until: Instant,
        mutate: bool,
    ) -> Response<Full<Bytes>> {
        let decision = id.clone();
        let (uid, held) = (String::new(), |wire| Held { id, began, until, wire, question: None });
        let reading = tokio::time::timeout_at(until.into(), self.reading.acquire());
        let Ok(Ok(reads)) = reading.await else {
            let held = held(Wire::Admission { uid, mutate, asked: None });
            return self.foreign(&held, BUSY);
        };
        let parsed = match self.body(request.into_body(), self.bounds.admission_bytes).await {
            Ok(body) => admission::parse(&body, self.bounds.containers),
            Err(why) => Err(admission::Unreadable::Malformed { uid: None, why }),
        };
        drop(reads);
        let asked = match parsed {
            Ok(asked) => asked,
            Err(admission::Unreadable::Malformed { uid: Some(uid), why }) => {
                let held = held(Wire::Admission { uid, mutate, asked: None });
                return self.unjudged(held, &why, Outcome::Malformed).await;
            }
            Err(
                admission::Unreadable::Foreign(why)
                | admission::Unreadable::Malformed { uid: None, why },
            ) => {
                let held = held(Wire::Admission { uid, mutate, asked: None });
                return self.foreign(&held, &why);
            }
        };
        let uid = asked.uid.clone();
        if let Some(nothing) = asked.nothing_to_judge() {
            let way = if mutate { Api::Mutate } else { Api::Validate };
            self.metrics.answered(way, Outcome::Allowed, began.elapsed());
            return json(StatusCode::OK, wire::nothing(&uid, nothing, &decision));
        }
        let (images, about) = (asked.images.clone(), asked.asked.clone());
        let mut held = held(Wire::Admission { uid, mutate, asked: Some(Box::new(asked)) });
        held.question = Some(Arc::new(Question { images, asked: about }));
        let Ok(_slot) = self.busy.try_acquire() else {
            return self.unjudged(held, BUSY, Outcome::Undecided).await;
        };
        self.judged(held, until).await
    }

    /// A question that is no question of ours: an answer would not be understood, so it is an
    /// HTTP error. A pod's author has no influence on this.
    fn foreign(&self, held: &Held, why: &str) -> Response<Full<Bytes>> {
        tracing::warn!(decision = held.id, why, "a request that cannot be answered");
        self.metrics.answered(held.wire.way(), Outcome::Malformed, held.began.elapsed());
        text(StatusCode::BAD_REQUEST, why)
    }

    async fn judged(self: &Arc<Self>, held: Held, until: Instant) -> Response<Full<Bytes>> {
        let question = held.question.clone().unwrap_or_default();
        // A task of its own: a panic ends there and not in a broken connection, and a caller who
        // hangs up does not stop what others wait for.
        let (gate, decision) = (Arc::clone(self), held.id.clone());
        let pull_secrets = held.wire.pull_secrets();
        let judged = tokio::spawn(async move {
            let access = gate.access(&question, pull_secrets, until).await;
            gate.judge.answer(question, access, &decision, until).await
        });
        // Whoever holds on to his time keeps within it; what blocks on a disk or a lock does not, and
        // no answer at all lets the pod in where `defaultAllow` is true.
        match tokio::time::timeout_at((until + GRACE).into(), judged).await {
            Ok(Ok(decided)) => self.answer(held, decided).await,
            Err(_) => {
                tracing::error!(decision = held.id, "judging did not end in its time");
                self.unjudged(held, "it took too long; try again", Outcome::Undecided).await
            }
            Ok(Err(e)) => {
                tracing::error!(decision = held.id, error = %e, "judging panicked");
                self.unjudged(held, "an internal error", Outcome::Undecided).await
            }
        }
    }

    /// The logins that the pod itself brings.
    async fn access(
        &self,
        question: &Arc<Question>,
        (secrets, account): (Vec<String>, Option<String>),
        until: Instant,
    ) -> Access {
        // `ImageReview` tells neither secrets nor the service account.
        let (Some(client), true) = (self.kubernetes.clone(), question.asked.pod.is_some()) else {
            return Access::none();
        };
        // A share of the time only: a public image must not wait for a slow API server.
        let until = until.min(Instant::now() + SECRETS_TIME);
        let question = Arc::clone(question);
        let read = tokio::task::spawn_blocking(move || {
            let names = question.images.iter().filter_map(|i| i.parse::<ImageRef>().ok());
            let mut registries: Vec<String> = names.map(|n| n.registry().to_owned()).collect();
            registries.sort();
            registries.dedup();
            let account = account.as_deref();
            let named = Named { secrets: &secrets, account, registries: &registries };
            let namespace = &question.asked.namespace;
            access(named, &|kind, name| client.get(kind, namespace, name, until))
        });
        match tokio::time::timeout_at(until.into(), read).await {
            Ok(Ok(access)) => access,
            // The images may be public: they are looked for without, and this is told with a
            // denial.
            Ok(Err(_)) => Access::none().without("reading the pull secrets ended unexpectedly"),
            Err(_) => Access::none().without("the pull secrets could not be read in time"),
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
            api: held.wire.api(),
            question: held.question.as_deref(),
            took,
            enforced: held.wire.is_enforced(),
        };
        if let Err(e) = self.record(&about, &decided, held.until).await {
            self.metrics.unrecorded.fetch_add(1, Relaxed);
            tracing::error!(decision = held.id, error = %e, "the decision could not be recorded");
            if decided.outcome == Outcome::Allowed {
                // What nobody can show afterwards is not allowed; a denial stands as it is.
                let why = "the decision could not be recorded";
                let question = held.question.as_deref();
                decided = self.judge.unjudged(why, &held.id, Outcome::Undecided, question);
            }
        }
        self.metrics.answered(held.wire.way(), decided.outcome, took);
        match held.wire.say(decided, self.bounds.when_unexamined) {
            Ok(body) => json(StatusCode::OK, body),
            Err(message) => failure(&message),
        }
    }

    /// Records a decision; returns when it is on the disk, unless the policy does not want that.
    async fn record(&self, about: &About<'_>, decided: &Decided, until: Instant) -> Result<()> {
        let Some(entry) = self.recorder.entry(about, decided)? else { return Ok(()) };
        if decided.rules.policy.record_first {
            let late = || Failure::new("it was not written in time");
            let until = until.max(Instant::now()) + GRACE;
            let written = tokio::time::timeout_at(until.into(), entry.write()).await;
            return written.unwrap_or_else(|_| Err(late()));
        }
        let (id, metrics) = (about.id.to_owned(), Arc::clone(&self.metrics));
        tokio::spawn(async move {
            if let Err(e) = entry.write().await {
                metrics.unrecorded.fetch_add(1, Relaxed);
                tracing::error!(decision = id, error = %e, "the decision could not be recorded");
            }
        });
        Ok(())
    }

    /// The body, if it is within the bounds. What is too large is read on for a while and thrown
    /// away, since the API server reads the answer only once it has sent its question.
    async fn body(&self, mut body: Incoming, limit: usize) -> std::result::Result<Vec<u8>, String> {
        let thrown_away = limit.max(1 << 20).saturating_mul(32);
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
    until: Instant,
    wire: Wire,
    question: Option<Arc<Question>>,
}

/// What was allowed is in the record; a line for each would cost more than deciding does, so
/// those lines are written at level debug only.
fn log(held: &Held, decided: &Decided, took: Duration) {
    if decided.outcome == Outcome::Allowed && !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
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
