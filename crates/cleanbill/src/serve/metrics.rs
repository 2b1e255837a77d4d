//! Counters of the gate, in Prometheus' text format (version 0.0.4).

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cleanbill_core::gap::GapKind;

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A permit was spent.
    Allowed,
    /// At least one image was refused by a rule.
    Denied,
    /// At least one image could not be examined in time, or at all.
    Undecided,
    /// The question could not be read.
    Malformed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Allowed, Self::Denied, Self::Undecided, Self::Malformed];

    /// The word in metrics, logs and audit annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Undecided => "undecided",
            Self::Malformed => "malformed",
        }
    }
}

/// Upper bounds of the histogram's buckets, in milliseconds.
const BOUNDS: [u64; 11] = [1, 5, 10, 50, 100, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/// All counters; cheap to update from any thread.
#[derive(Default)]
pub struct Metrics {
    decisions: [AtomicU64; 4],
    buckets: [AtomicU64; 11],
    duration_count: AtomicU64,
    duration_micros: AtomicU64,
    /// Questions being answered.
    pub in_flight: AtomicU64,
    /// Examinations begun.
    pub scans: AtomicU64,
    /// Examinations that failed or panicked.
    pub scans_failed: AtomicU64,
    /// Handshakes that failed or were refused.
    pub handshakes_refused: AtomicU64,
    /// Decisions that could not be recorded.
    pub unrecorded: AtomicU64,
    gaps: [AtomicU64; 32],
}

impl Metrics {
    /// Counts a decision.
    pub fn decided(&self, outcome: Outcome, took: Duration) {
        for (counter, known) in self.decisions.iter().zip(Outcome::ALL) {
            if known == outcome {
                counter.fetch_add(1, Relaxed);
            }
        }
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS) {
            if millis <= bound {
                bucket.fetch_add(1, Relaxed);
            }
        }
        self.duration_count.fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.duration_micros.fetch_add(micros, Relaxed);
    }

    /// Counts gaps of one kind that an examination met.
    pub fn gaps(&self, kind: GapKind, count: u64) {
        for (counter, known) in self.gaps.iter().zip(GapKind::ALL) {
            if *known == kind {
                counter.fetch_add(count, Relaxed);
            }
        }
    }

    /// Everything as text. `waiting` is the number of examinations that run or wait to run.
    pub fn text(&self, waiting: usize) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, lines: &[(String, String)]| {
            // Writing to a String cannot fail.
            _ = writeln!(out, "# HELP cleanbill_{name} {help}\n# TYPE cleanbill_{name} {kind}");
            for (suffix, value) in lines {
                _ = writeln!(out, "cleanbill_{name}{suffix} {value}");
            }
        };
        let get = |c: &AtomicU64| c.load(Relaxed).to_string();
        let one = |value: String| vec![(String::new(), value)];
        let decisions: Vec<_> = self
            .decisions
            .iter()
            .zip(Outcome::ALL)
            .map(|(c, o)| (format!("{{outcome=\"{}\"}}", o.as_str()), get(c)))
            .collect();
        family("decisions_total", "counter", "Questions answered.", &decisions);
        let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let mut histogram: Vec<_> = self
            .buckets
            .iter()
            .zip(BOUNDS)
            .map(|(c, ms)| (format!("_bucket{{le=\"{}\"}}", ms as f64 / 1000.0), get(c)))
            .collect();
        histogram.push(("_bucket{le=\"+Inf\"}".into(), get(&self.duration_count)));
        histogram.push(("_sum".into(), seconds(self.duration_micros.load(Relaxed))));
        histogram.push(("_count".into(), get(&self.duration_count)));
        family("decision_seconds", "histogram", "Time from question to answer.", &histogram);
        family("questions_in_flight", "gauge", "Being answered.", &one(get(&self.in_flight)));
        family("examinations_open", "gauge", "Running or waiting.", &one(waiting.to_string()));
        family("examinations_total", "counter", "Examinations begun.", &one(get(&self.scans)));
        let failed = one(get(&self.scans_failed));
        family("examinations_failed_total", "counter", "Failed or panicked.", &failed);
        let refused = one(get(&self.handshakes_refused));
        family("handshakes_refused_total", "counter", "TLS handshakes that failed.", &refused);
        let unrecorded = one(get(&self.unrecorded));
        family("decisions_unrecorded_total", "counter", "Could not be recorded.", &unrecorded);
        let gaps: Vec<_> = self
            .gaps
            .iter()
            .zip(GapKind::ALL)
            .map(|(c, k)| (format!("{{kind=\"{k}\"}}"), get(c)))
            .collect();
        family("gaps_total", "counter", "What examinations could not examine.", &gaps);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_gap_has_a_counter() {
        let metrics = Metrics::default();
        for kind in GapKind::ALL {
            metrics.gaps(*kind, 3);
            assert!(metrics.text(0).contains(&format!("gaps_total{{kind=\"{kind}\"}} 3\n")));
        }
    }

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        metrics.decided(Outcome::Denied, Duration::from_millis(7));
        metrics.decided(Outcome::Allowed, Duration::from_secs(60));
        let text = metrics.text(2);
        for line in [
            "decisions_total{outcome=\"denied\"} 1",
            "decision_seconds_bucket{le=\"0.005\"} 0",
            "decision_seconds_bucket{le=\"0.01\"} 1",
            "decision_seconds_bucket{le=\"30\"} 1",
            "decision_seconds_bucket{le=\"+Inf\"} 2",
            "decision_seconds_sum 60.007000",
            "examinations_open 2",
        ] {
            assert!(text.contains(&format!("cleanbill_{line}\n")), "{line} in {text}");
        }
    }
}
