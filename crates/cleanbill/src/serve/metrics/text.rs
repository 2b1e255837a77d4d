//! Prometheus' text format, version 0.0.4.

use std::fmt::Write as _;
use std::sync::Arc;

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;

use super::Metrics;
use super::families::FAMILIES;

/// What is not counted but looked at when somebody asks.
pub struct Now {
    /// The time.
    pub at: Timestamp,
    /// Examinations that run.
    pub running: usize,
    /// Examinations that wait.
    pub waiting: usize,
    /// Bytes promised to those that run.
    pub memory: u64,
    /// The advisories in use.
    pub advisories: Option<Arc<Snapshot>>,
}

/// One line.
pub(super) struct Sample {
    suffix: &'static str,
    labels: String,
    value: f64,
}

/// One line without labels.
pub(super) fn plain(value: f64) -> Vec<Sample> {
    vec![sample("", &[], value)]
}

/// One line.
pub(super) fn sample(suffix: &'static str, labels: &[(&str, &str)], value: f64) -> Sample {
    let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{}\"", label(v))).collect();
    let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
    Sample { suffix, labels, value }
}

/// A label's value: the format escapes these three and nothing else.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

pub(super) fn text(metrics: &Metrics, now: &Now) -> String {
    let mut out = String::new();
    for family in FAMILIES {
        let (name, kind, help) = (family.name, family.kind.as_str(), family.help);
        // Writing to a String cannot fail.
        _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for line in (family.samples)(metrics, now) {
            _ = writeln!(out, "{name}{}", shown(&line));
        }
    }
    out
}

/// All of a line but the family's name.
pub(super) fn shown(line: &Sample) -> String {
    format!("{}{} {}", line.suffix, line.labels, line.value)
}
