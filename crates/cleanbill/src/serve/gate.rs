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

use super::config::Bounds;
use super::judge::{Decided, Judge};
use super::metrics::{Metrics, Outcome};
use super::record::Recorder;
use super::review::{self, Answer, Question, Unreadable};
use super::{id, words};

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
        let Ok(id) = id::new() else {
            return text(StatusCode::INTERNAL_SERVER_ERROR, "the system gives no random numbers");
        };
        let until = began + budget(request.uri().query(), self.bounds.budget);
        let Ok(_slot) = self.busy.try_acquire() else {
            return self.unjudged("too many questions at once; try again", &id, began, None).await;
        };
        let body = match self.body(request.into_body()).await {
            Ok(body) => body,
            Err(why) => return self.unjudged(&why, &id, began, None).await,
        };
        let question = match review::parse(&body, self.bounds.containers) {
            Ok(question) => question,
            Err(Unreadable::Foreign(why)) => {
                tracing::warn!(decision = id, why, "a request that is no ImageReview");
                self.metrics.decided(Outcome::Malformed, began.elapsed());
                return text(StatusCode::BAD_REQUEST, &why);
            }
            Err(Unreadable::Malformed(why)) => return self.unjudged(&why, &id, began, None).await,
        };
        // A task of its own: a panic ends there and not in a broken connection, and a caller who
        // hangs up does not stop what others wait for.
        let (judge, asked, decision) = (self.judge.clone(), question.clone(), id.clone());
        let judged = tokio::spawn(async move { judge.answer(&asked, &decision, until).await });
        match judged.await {
            Ok(decided) => self.answer(decided, &id, began, Some(question)).await,
            Err(e) => {
                tracing::error!(decision = id, error = %e, "judging panicked");
                self.unjudged("an internal error", &id, began, Some(question)).await
            }
        }
    }

    /// A denial of a question that did not reach the judge.
    async fn unjudged(
        &self,
        why: &str,
        id: &str,
        began: Instant,
        question: Option<Question>,
    ) -> Response<Full<Bytes>> {
        let outcome = if question.is_some() { Outcome::Undecided } else { Outcome::Malformed };
        let notes = self.judge.notes(id, outcome, &[], None);
        let answer = Answer::refused(words::unjudged(why, id), notes);
        let decided =
            Decided { answer, outcome, digests: Vec::new(), snapshot: None, evidence: Vec::new() };
        self.answer(decided, id, began, question).await
    }

    async fn answer(
        &self,
        decided: Decided,
        id: &str,
        began: Instant,
        question: Option<Question>,
    ) -> Response<Full<Bytes>> {
        let mut body = decided.answer.body();
        let mut outcome = decided.outcome;
        let took = began.elapsed();
        tracing::info!(
            decision = id,
            outcome = outcome.as_str(),
            namespace = question.as_ref().map(|q| q.namespace.as_str()),
            images = ?question.as_ref().map(|q| q.images.iter().take(20).collect::<Vec<_>>()),
            digests = ?decided.digests.iter().take(20).collect::<Vec<_>>(),
            took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            reason = decided.answer.reason(),
            "decided"
        );
        let policy = self.judge.policy_digest();
        if let Err(e) = self.recorder.record(id, question, decided, policy).await {
            self.metrics.unrecorded.fetch_add(1, Relaxed);
            tracing::error!(decision = id, error = %e, "the decision could not be recorded");
            if outcome == Outcome::Allowed {
                // What nobody can show afterwards is not allowed; a denial stands as it is.
                outcome = Outcome::Undecided;
                let why = words::unjudged("the decision could not be recorded", id);
                body = Answer::refused(why, self.judge.notes(id, outcome, &[], None)).body();
            }
        }
        self.metrics.decided(outcome, took);
        let mut response = Response::new(Full::new(Bytes::from(body)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
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

fn is_json(value: &HeaderValue) -> bool {
    let kind = value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn text(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{words}\n"))));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// How long an answer may take: the setting, or a second less than the caller says he waits.
fn budget(query: Option<&str>, setting: Duration) -> Duration {
    let asked = query
        .into_iter()
        .flat_map(|q| q.split('&'))
        .find_map(|pair| pair.strip_prefix("timeout="))
        .and_then(go_duration);
    asked.map_or(setting, |d| d.saturating_sub(Duration::from_secs(1)).min(setting))
}

/// A duration as Go writes it: `30s`, `1m30s`, `1.5s`, `500ms`.
fn go_duration(mut text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    while !text.is_empty() {
        let digits = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
        let (number, rest) = text.split_at(digits);
        let unit = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        text = rest;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_the_lesser_of_setting_and_what_the_caller_waits() {
        let table: &[(Option<&str>, u64)] = &[
            (None, 8_000),
            (Some(""), 8_000),
            (Some("timeout=30s"), 8_000),
            (Some("timeout=5s"), 4_000),
            (Some("a=b&timeout=1m0s"), 8_000),
            (Some("timeout=2.5s"), 1_500),
            (Some("timeout=1s"), 0),
            (Some("timeout=500ms"), 0),
            (Some("timeout=0s"), 0),
            (Some("timeout=-5s"), 8_000),
            (Some("timeout=5"), 8_000),
            (Some("timeout=NaNs"), 8_000),
            (Some("timeout=99999999999999999999999h"), 8_000),
        ];
        for (query, millis) in table {
            let got = budget(*query, Duration::from_secs(8));
            assert_eq!(got, Duration::from_millis(*millis), "{query:?}");
        }
    }
}
