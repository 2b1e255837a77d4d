//! Puts the gate together and sets it going: what `serve`, `quickstart` and tests share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use rustls::ServerConfig;

use super::config::{Bounds, Work};
use super::examiner::Examiner;
use super::gate::Gate;
use super::judge::Judge;
use super::live::{Live, Rules};
use super::metrics::Metrics;
use super::plain::{self, Status};
use super::record::Recorder;
use super::reload::Handles;
use super::server::{self, Running};
use crate::checkers::Checkers;
use crate::failure::Result;
use crate::kube::Reader;

/// Everything that a gate is made of.
pub struct Parts {
    /// Where the API server asks; port 0: any free one.
    pub listen: SocketAddr,
    /// Where probes and metrics are answered, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// From [`super::tls::Material::config`].
    pub tls: ServerConfig,
    /// How images are examined.
    pub examiner: Examiner,
    /// What they must meet.
    pub rules: Rules,
    /// Who else is asked.
    pub checkers: Checkers,
    /// Where pods' pull secrets are read, if anywhere.
    pub kubernetes: Option<Reader>,
    /// Where decisions are recorded.
    pub recorder: Recorder,
    /// Bounds on requests.
    pub bounds: Bounds,
    /// Bounds on examinations.
    pub work: Work,
}

/// A gate that runs.
pub struct Started {
    gate: Running,
    plain: Option<Running>,
    handles: Handles,
    draining: Arc<AtomicBool>,
    drain: Duration,
}

/// Starts a gate. Must be called within a Tokio runtime.
///
/// # Errors
/// When one of the addresses cannot be had.
pub async fn start(parts: Parts) -> Result<Started> {
    let Parts { listen, metrics_listen, tls, examiner, rules, checkers, .. } = parts;
    let Parts { recorder, bounds, work, kubernetes, .. } = parts;
    recorder.policy(&rules.digest, &rules.text)?;
    let listener = server::bind(listen).await?;
    let plain_listener = match metrics_listen {
        Some(address) => Some(server::bind(address).await?),
        None => None,
    };
    let metrics = Arc::new(Metrics::default());
    let examiner = Arc::new(examiner);
    let rules = Arc::new(Live::new(rules.hearing(Arc::new(checkers))));
    let tls = Arc::new(Live::new(tls));
    let handles = Handles {
        tls: tls.clone(),
        rules: rules.clone(),
        examiner: examiner.clone(),
        recorder: recorder.clone(),
        metrics: metrics.clone(),
    };
    let judge = Arc::new(Judge::new(examiner.clone(), rules, work, metrics.clone()));
    let draining = Arc::new(AtomicBool::new(false));
    let status = Status {
        examiner,
        recorder: recorder.clone(),
        judge: judge.clone(),
        metrics: metrics.clone(),
        draining: draining.clone(),
    };
    let gate = Gate::new(judge, recorder, metrics, bounds).reading_secrets(kubernetes);
    let gate = Arc::new(gate);
    let gate = server::serve(listener, tls, gate, bounds)?;
    let plain = plain_listener
        .map(|listener| plain::serve(listener, Arc::new(status), bounds))
        .transpose()?;
    Ok(Started { gate, plain, handles, draining, drain: bounds.drain })
}

impl Started {
    /// Where the API server may ask.
    pub fn address(&self) -> SocketAddr {
        self.gate.address()
    }

    /// Where probes and metrics are answered.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.plain.as_ref().map(Running::address)
    }

    /// The parts that can be replaced while it runs.
    pub fn handles(&self) -> &Handles {
        &self.handles
    }

    /// Accepts no more, lets what is under way finish, and returns when it has. Probes are
    /// answered until the end; readiness is denied from the beginning, and for the time to drain
    /// questions are still taken, so that whoever balances the load can move on.
    pub async fn stop(self) {
        self.draining.store(true, Relaxed);
        tokio::time::sleep(self.drain).await;
        self.gate.stop().await;
        if let Some(plain) = self.plain {
            plain.stop().await;
        }
    }
}
