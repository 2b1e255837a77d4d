//! One HTTP request: read within bounds, judged on its own task, answered, recorded.
//!
//! Where a pod's author could be the cause (a huge or odd pod, a slow registry, a full queue) the
//! answer is a denial and never an HTTP error: an HTTP error lets the pod in where the API server
//! is configured with `defaultAllow: true`. `Retry-After` is never sent, since the API server
//! would repeat the call up to fifty times.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::{Duration, Instant};

use cleanbill_core::reference::ImageRef;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use super::access::Access;
use super::admission::{self, uid::FRONT};
use super::answering::Held;
use super::aside::{SHORT, aside};
use super::config::Bounds;
use super::http::{budget, is_json, json, text};
use super::id;
use super::judge::Judge;
use super::metrics::{Api, Metrics, Outcome};
use super::pull_secrets::{Named, access};
use super::question::Question;
use super::record::Recorder;
use super::review;
use super::seats::Seats;
use super::wire::{self, Wire};
use crate::kube::Reader;

/// What is said where too much is being answered.
const BUSY: &str = "too many questions at once; try again";
/// What is said where a decision cannot be given an id.
const NO_ID: &str = "the gate could give its decision no id; try again";
/// How long past its time a judgement, and then its record, is waited for. Twice this is less
/// than the second that a budget leaves of the caller's own time.
pub(super) const GRACE: Duration = Duration::from_millis(300);
/// How long pull secrets are read for at most.
const SECRETS_TIME: Duration = Duration::from_secs(2);
/// Questions of the large kind that are read at a time at most, and what their bodies may take
/// together: the larger one may be, the fewer are read.
const READING: usize = 32;
const READING_BYTES: usize = 256 << 20;

/// What every request needs.
pub struct Gate {
    pub(super) judge: Arc<Judge>,
    pub(super) recorder: Recorder,
    pub(super) metrics: Arc<Metrics>,
    pub(super) bounds: Bounds,
    busy: Seats,
    reading: Semaphore,
    kubernetes: Option<Arc<Reader>>,
}

impl Gate {
    /// A gate.
    pub fn new(
        judge: Arc<Judge>,
        recorder: Recorder,
        metrics: Arc<Metrics>,
        bounds: Bounds,
    ) -> Self {
        let reading = (READING_BYTES / bounds.admission_bytes.max(1)).clamp(1, READING);
        let (busy, reading) = (Seats::new(bounds.requests), Semaphore::new(reading));
        Self { judge, recorder, metrics, bounds, busy, reading, kubernetes: None }
    }

    /// The same, and pods' pull secrets are read there.
    #[must_use]
    pub fn reading_secrets(mut self, kubernetes: Option<Reader>) -> Self {
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
        let webhook = matches!(request.uri().path(), wire::VALIDATE | wire::MUTATE);
        let mut review = std::pin::pin!(self.review(request, began));
        // A connection that breaks off is no answer, and no answer lets the pod in where
        // `defaultAllow` is true.
        let caught = poll_fn(|context| {
            let polled = catch_unwind(AssertUnwindSafe(|| review.as_mut().poll(context)));
            polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
        });
        let response = caught.await.unwrap_or_else(|| self.panicked(webhook, began));
        self.metrics.in_flight.fetch_sub(1, Relaxed);
        Ok(response)
    }

    async fn review(
        self: &Arc<Self>,
        request: Request<Incoming>,
        began: Instant,
    ) -> Response<Full<Bytes>> {
        let id = self.judge.new_id().unwrap_or_else(|why| {
            let id = id::makeshift();
            tracing::error!(decision = id, why, "no id can be had: this will be denied");
            id
        });
        let until = began + budget(request.uri().query(), self.bounds.budget);
        match request.uri().path() {
            // What is large is put aside, so that the usual way has little to carry.
            wire::VALIDATE => Box::pin(self.admission(request, id, began, until, false)).await,
            wire::MUTATE => Box::pin(self.admission(request, id, began, until, true)).await,
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
        let mut held = Held::new(id, began, until, Wire::ImageReview);
        let Some(_seat) = self.busy.take() else {
            return Box::pin(self.unjudged(held, BUSY, Outcome::Undecided)).await;
        };
        let body = match self.body(request.into_body(), self.bounds.body_bytes).await {
            Ok(body) => body,
            Err(Unread { why, .. }) => {
                return Box::pin(self.unjudged(held, &why, Outcome::Malformed)).await;
            }
        };
        if let Some(response) = self.answered_again(&body, &held).await {
            return response;
        }
        let parse = || review::parse(&body, self.bounds.containers);
        match aside(body.len() > SHORT, parse) {
            Ok(question) => {
                held.question = Some(Arc::new(question));
                held.body = body;
                Box::pin(self.judged(held, until)).await
            }
            Err(review::Unreadable::Foreign(why)) => self.foreign(&held, &why),
            Err(review::Unreadable::Malformed(why)) => {
                Box::pin(self.unjudged(held, &why, Outcome::Malformed)).await
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
        let (uid, held) = (String::new(), |wire| Held::new(id, began, until, wire));
        let reading = tokio::time::timeout_at(until.into(), self.reading.acquire());
        let Ok(Ok(reads)) = reading.await else {
            let held = held(Wire::Admission { uid, mutate, asked: None });
            return self.foreign(&held, BUSY);
        };
        let parsed = match self.body(request.into_body(), self.bounds.admission_bytes).await {
            Ok(body) => {
                let parse = || admission::parse(&body, self.bounds.containers);
                aside(body.len() > SHORT, parse)
            }
            Err(Unread { why, front }) => {
                Err(admission::Unreadable::Malformed { uid: admission::early_uid(&front), why })
            }
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
            return json(StatusCode::OK, wire::nothing(&uid, nothing));
        }
        let question = Arc::new(asked.question(mutate));
        let mut held = held(Wire::Admission { uid, mutate, asked: Some(Box::new(asked)) });
        held.question = Some(question);
        let Some(_seat) = self.busy.take() else {
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
        if id::is_makeshift(&held.id) {
            return self.unjudged(held, NO_ID, Outcome::Undecided).await;
        }
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
        let (Some(reader), true) = (self.kubernetes.clone(), question.asked.pod.is_some()) else {
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
            access(named, &|kind, name| reader.get(kind, namespace, name, until))
        });
        match tokio::time::timeout_at(until.into(), read).await {
            Ok(Ok(access)) => access,
            // The images may be public: they are looked for without, and this is told with a
            // denial.
            Ok(Err(_)) => Access::none().without("reading the pull secrets ended unexpectedly"),
            Err(_) => Access::none().without("the pull secrets could not be read in time"),
        }
    }

    /// The body, if it is within the bounds. What is too large is read on for a while and thrown
    /// away, since the API server reads the answer only once it has sent its question.
    async fn body(&self, mut body: Incoming, limit: usize) -> std::result::Result<Bytes, Unread> {
        let thrown_away = limit.max(1 << 20).saturating_mul(32);
        // Most come in one piece, which need not be copied.
        let (mut one, mut many, mut seen) = (Bytes::new(), Vec::new(), 0_usize);
        let read = async {
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|_| "the question broke off".to_owned())?;
                let Ok(mut data) = frame.into_data() else { continue };
                let room = limit.saturating_sub(seen);
                seen = seen.saturating_add(data.len());
                data.truncate(room);
                if one.is_empty() && many.is_empty() {
                    one = data;
                } else {
                    many.extend_from_slice(&std::mem::take(&mut one));
                    many.extend_from_slice(&data);
                }
                if seen > thrown_away {
                    break;
                }
            }
            match seen {
                _ if seen <= limit => Ok(()),
                _ => Err(format!("the question is larger than {limit} bytes")),
            }
        };
        let mut read = std::pin::pin!(read);
        // Most is there already, and needs no time limit.
        let read = match poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await {
            Poll::Ready(read) => read,
            Poll::Pending => tokio::time::timeout(self.bounds.body_time, read)
                .await
                .unwrap_or_else(|_| Err("the question did not arrive in time".to_owned())),
        };
        let kept = if many.is_empty() { one } else { many.into() };
        match read {
            Ok(()) => Ok(kept),
            Err(why) => Err(Unread { why, front: kept.slice(..kept.len().min(FRONT)) }),
        }
    }
}

/// A body that was not read whole.
struct Unread {
    why: String,
    /// What came of it first.
    front: Bytes,
}
