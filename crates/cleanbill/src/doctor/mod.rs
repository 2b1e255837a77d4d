//! `doctor`: what stands between an API server and its gate, found and explained, with the fix.
//!
//! [`view`] gathers everything once; the checks of [`CHECKS`], the one visible list, only judge
//! it, in the order of cause, so that the first error is the one to begin with. A check whose
//! ground an earlier one found broken says that it was not looked at: never "ok" for that.
//! Nothing is written, no secret is shown, and no question is asked unless an image is named.

mod admission;
mod behaviour;
mod certificates;
mod cluster;
pub mod found;
mod gate;
mod kubeconfig;
mod manifest;
mod network;
pub mod report;
pub mod view;

use std::path::PathBuf;

use cleanbill_core::Timestamp;

use found::{Judged, NotLooked, Outcome};
pub use report::{Checked, Report};
use view::View;
use view::server::Server;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Input {
    /// Stands for the node's `/`; `None`: no node's files are here.
    pub root: Option<PathBuf>,
    /// Copies of kube-apiserver manifests, in place of the node's folder.
    pub manifests: Vec<PathBuf>,
    /// The admission configuration, in place of where the flag leads.
    pub admission_config: Option<PathBuf>,
    /// The gate's `cleanbill.yaml`.
    pub gate_config: Option<PathBuf>,
    /// A kubeconfig of a running cluster.
    pub kubeconfig: Option<PathBuf>,
    /// A copy of the API server's metrics.
    pub metrics: Option<PathBuf>,
    /// An audit policy, in place of where the flag leads.
    pub audit_policy: Option<PathBuf>,
    /// An audit log, in place of where the flag leads.
    pub audit_log: Option<PathBuf>,
    /// What of the network is touched.
    pub network: Network,
    /// Ask the webhook about this image.
    pub ask: Option<String>,
    /// The time.
    pub now: Timestamp,
}

impl Input {
    /// Nothing yet.
    pub fn nothing(now: Timestamp) -> Self {
        Self {
            root: None,
            manifests: Vec::new(),
            admission_config: None,
            gate_config: None,
            kubeconfig: None,
            metrics: None,
            audit_policy: None,
            audit_log: None,
            network: Network::Untouched,
            ask: None,
            now,
        }
    }
}

/// Where we stand on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nobody is called.
    Untouched,
    /// On the node: what we reach, the API server reaches.
    OnNode,
    /// On another machine, from which the webhook may look otherwise.
    Elsewhere,
}

/// One check.
pub struct Check {
    /// Its name for scripts; it never changes.
    pub id: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// How it is made.
    pub run: Run,
}

/// How a check is made.
pub enum Run {
    /// Once.
    Once(fn(&View) -> Judged),
    /// For each API server.
    Each(fn(&View, &Server) -> Judged),
}

/// Every check, the earliest cause first. To add one is to add a line in its group's list; to
/// add a group is to add a file and a line here.
pub const CHECKS: &[&[Check]] = &[
    manifest::CHECKS,
    admission::CHECKS,
    kubeconfig::CHECKS,
    gate::CHECKS,
    certificates::CHECKS,
    network::CHECKS,
    behaviour::CHECKS,
    cluster::CHECKS,
];

/// Looks, and makes every check.
pub fn examine(input: &Input) -> Report {
    judge(&View::of(input))
}

/// Makes every check on what was gathered.
pub fn judge(view: &View) -> Report {
    let mut checked = Vec::new();
    for check in CHECKS.iter().copied().flatten() {
        match check.run {
            Run::Once(run) => checked.push(Checked::of(check, None, run(view))),
            Run::Each(_) if view.servers.is_empty() => {
                let none = NotLooked("no API server was found".to_owned());
                checked.push(Checked::of(check, None, Err(none)));
            }
            Run::Each(run) => checked.extend(view.servers.iter().map(|server| {
                let about = (view.servers.len() > 1).then(|| server.name.clone());
                Checked::of(check, about, run(view, server))
            })),
        }
    }
    Report { at: view.now, checked }
}

impl Report {
    /// How many checks came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.checked.iter().filter(|c| c.outcome == outcome).count()
    }
}

/// A name that was probably meant: the nearest of these that is not the word itself.
fn meant<'w>(word: &str, wanted: &[&'w str], most: usize) -> Option<&'w str> {
    let lower = word.to_ascii_lowercase();
    wanted
        .iter()
        .filter(|w| **w != word)
        .map(|w| (view::distance(&lower, &w.to_ascii_lowercase()), *w))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, w)| w)
}
