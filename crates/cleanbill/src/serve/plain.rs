//! The plain HTTP port for probes and metrics: `/healthz`, `/readyz`, `/metrics`, nothing else.
//!
//! It gives away no image names and no decisions, since nobody who asks it is verified.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cleanbill_core::Timestamp;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;

use super::config::{Bounds, SCAN_WORST};
use super::examiner::Examiner;
use super::judge::Judge;
use super::metrics::{Metrics, Now};
use super::record::Recorder;
use super::reloads::What;
use super::server::{self, Running};
use crate::failure::Result;

/// What the port tells about.
pub struct Status {
    /// Whether advisories open.
    pub examiner: Arc<Examiner>,
    /// Whether decisions can be written.
    pub recorder: Recorder,
    /// How many examinations wait.
    pub judge: Arc<Judge>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Whether the gate was told to stop.
    pub draining: Arc<AtomicBool>,
}

impl Status {
    /// What is in force although newer files are there: no reason to send nobody here, and one
    /// to look into the log.
    fn refused(&self) -> String {
        let told =
            |what: What| format!("not reloaded, the old stays in force: {}\n", what.as_str());
        self.metrics.reloads.failing().into_iter().map(told).collect()
    }

    fn metrics(&self) -> String {
        let (open, running) = (self.judge.images.count(), self.judge.images.running());
        self.metrics.text(&Now {
            at: Timestamp::now(),
            running,
            waiting: open.saturating_sub(running),
            memory: running as u64 * SCAN_WORST,
            advisories: self.examiner.advisories.as_ref().and_then(|a| a.in_use()),
        })
    }

    /// Whether a question could be decided now, with what is to be told all the same; else what
    /// is in the way, a line each.
    async fn ready(self: &Arc<Self>) -> std::result::Result<String, String> {
        let status = Arc::clone(self);
        let probe = tokio::task::spawn_blocking(move || {
            let mut wrong = Vec::new();
            if let Err(e) = (status.examiner.ready)() {
                wrong.push(format!("advisories: {e}"));
            }
            if let Err(e) = status.recorder.ready() {
                wrong.push(format!("store: {e}"));
            }
            if wrong.is_empty() { Ok(status.refused()) } else { Err(wrong.join("\n")) }
        });
        probe.await.unwrap_or_else(|e| Err(format!("the probe panicked: {e}")))
    }

    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Ok(answer(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n".into()));
        }
        Ok(match request.uri().path() {
            "/healthz" => answer(StatusCode::OK, "ok\n".into()),
            "/readyz" => match self.ready().await {
                _ if self.draining.load(Relaxed) => {
                    answer(StatusCode::SERVICE_UNAVAILABLE, "not ready\nstopping\n".into())
                }
                Ok(told) => answer(StatusCode::OK, format!("ok\n{told}")),
                Err(why) => answer(StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{why}\n")),
            },
            "/metrics" => answer(StatusCode::OK, self.metrics()),
            _ => answer(
                StatusCode::NOT_FOUND,
                "there are /healthz, /readyz and /metrics; questions go to the TLS port\n".into(),
            ),
        })
    }
}

fn answer(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// Serves the port until told to stop.
///
/// # Errors
/// When the listener has no address any more.
pub fn serve(listener: TcpListener, status: Arc<Status>, bounds: Bounds) -> Result<Running> {
    server::run(listener, bounds, move |stream, stop| {
        let status = status.clone();
        server::http(stream, bounds, stop, move |request| status.clone().handle(request))
    })
}
