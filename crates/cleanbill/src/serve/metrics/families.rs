//! The one list of what is shown: name, kind, help, and where the numbers come from.
//!
//! `docs/metrics.md` has the same list, which a test compares.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cleanbill_core::gap::GapKind;

use super::text::{Now, Sample, plain, sample};
use super::{ANSWERS, Api, BreakGlass, CHANGED_TO, Histogram, Metrics, Outcome, SCANS};
use crate::serve::reloads::What;

/// What a family's numbers are, in the format's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, but for a restart.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Times in buckets.
    Histogram,
}

impl Kind {
    /// The word in `# TYPE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// All series of one name.
pub struct Family {
    /// Its whole name.
    pub name: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// What they mean.
    pub help: &'static str,
    pub(super) samples: fn(&Metrics, &Now) -> Vec<Sample>,
}

macro_rules! families {
    ($($kind:ident $name:literal $help:literal $samples:expr;)+) => {
        /// Everything that is shown, in this order.
        pub const FAMILIES: &[Family] = &[$(Family {
            name: $name,
            kind: Kind::$kind,
            help: $help,
            samples: $samples,
        }),+];
    };
}

families! {
    Counter "cleanbill_decisions_total" "Questions answered, by interface and outcome." |m, _| answers(m);
    Histogram "cleanbill_decision_seconds" "Time from question to answer, by outcome." |m, _| answer_times(m);
    Gauge "cleanbill_questions_in_flight" "Questions being answered." |m, _| one(&m.in_flight);
    Counter "cleanbill_evidence_lookups_total" "Looks for evidence in memory: hit or miss." |m, _| {
        labelled("result", ["hit", "miss"].into_iter().zip(&m.remembered))
    };
    Counter "cleanbill_decisions_repeated_total" "Questions that were asked before and told the same, since the judge would say it again." |m, _| one(&m.repeated);
    Gauge "cleanbill_examinations_running" "Examinations that run." |_, now| plain(now.running as f64);
    Gauge "cleanbill_examinations_waiting" "Examinations that wait for a turn or for memory." |_, now| plain(now.waiting as f64);
    Gauge "cleanbill_examination_memory_bytes" "Memory promised to examinations that run." |_, now| plain(now.memory as f64);
    Counter "cleanbill_examinations_total" "Examinations begun." |m, _| one(&m.scans);
    Counter "cleanbill_examinations_failed_total" "Examinations that failed or panicked." |m, _| one(&m.scans_failed);
    Histogram "cleanbill_examination_seconds" "Time of one examination, however it ended." |m, _| {
        histogram(&m.scan_times, &SCANS, &[])
    };
    Counter "cleanbill_gaps_total" "Gaps that decisions met, refused for or accepted, by kind." |m, _| {
        labelled("kind", GapKind::ALL.iter().map(ToString::to_string).zip(&m.gaps))
    };
    Counter "cleanbill_break_glass_total" "Break-glass used (token, user, group), or refused." |m, _| {
        labelled("kind", BreakGlass::ALL.map(BreakGlass::as_str).into_iter().zip(&m.break_glass))
    };
    Counter "cleanbill_decisions_unrecorded_total" "Decisions that could not be recorded, and so did not allow." |m, _| one(&m.unrecorded);
    Counter "cleanbill_handshakes_refused_total" "TLS handshakes that failed or were refused." |m, _| one(&m.handshakes_refused);
    Counter "cleanbill_reloads_total" "New versions taken while running, by what." |m, _| reloads(m, |(taken, _, _)| taken);
    Counter "cleanbill_reload_failures_total" "New versions refused, the old one staying in force, by what." |m, _| reloads(m, |(_, refused, _)| refused);
    Gauge "cleanbill_reload_failing" "1 while the newest version is a refused one, by what." |m, _| reloads(m, |(_, _, failing)| u64::from(failing));
    Counter "cleanbill_images_changed_total" "Known images whose outcome new advisories changed, by what it became." |m, _| {
        labelled("to", CHANGED_TO.into_iter().zip(&m.changed))
    };
    Gauge "cleanbill_rejudged_timestamp_seconds" "When known images were last judged again by new advisories; not shown before." |m, _| again(m, 0);
    Gauge "cleanbill_rejudged_seconds" "How long that took." |m, _| again(m, 1);
    Gauge "cleanbill_certificate_expiry_timestamp_seconds" "When the server's certificate and the clients' authority end." |m, _| expiry(m);
    Gauge "cleanbill_snapshot_age_seconds" "Age of the newest facts in the advisories in use." |_, now| age(now);
    Gauge "cleanbill_snapshot_info" "The advisories in use, by digest; 1." |_, now| info(now);
    Gauge "cleanbill_feed_timestamp_seconds" "How new each feed of the advisories is; feeds without a date are not shown." |_, now| feeds(now);
    Gauge "process_start_time_seconds" "When the gate was started." |m, _| plain(m.began.as_millisecond() as f64 / 1000.0);
    Gauge "cleanbill_build_info" "The program's version; 1." |_, _| {
        let engine = cleanbill_extract::ENGINE.to_string();
        vec![sample("", &[("version", env!("CARGO_PKG_VERSION")), ("engine", &engine)], 1.0)]
    };
}

fn get(counter: &AtomicU64) -> f64 {
    counter.load(Relaxed) as f64
}

fn one(counter: &AtomicU64) -> Vec<Sample> {
    plain(get(counter))
}

fn labelled<'c, L: AsRef<str>>(
    label: &'static str,
    counters: impl Iterator<Item = (L, &'c AtomicU64)>,
) -> Vec<Sample> {
    counters.map(|(value, c)| sample("", &[(label, value.as_ref())], get(c))).collect()
}

fn answers(m: &Metrics) -> Vec<Sample> {
    let of = |(api, counters): (Api, &'_ [AtomicU64; 4])| {
        let by = |(o, c): (Outcome, &AtomicU64)| {
            sample("", &[("api", api.as_str()), ("outcome", o.as_str())], get(c))
        };
        Outcome::ALL.into_iter().zip(counters).map(by).collect::<Vec<_>>()
    };
    Api::ALL.into_iter().zip(&m.answers).flat_map(of).collect()
}

fn answer_times(m: &Metrics) -> Vec<Sample> {
    let of = |(o, h): (Outcome, &Histogram)| histogram(h, &ANSWERS, &[("outcome", o.as_str())]);
    Outcome::ALL.into_iter().zip(&m.answer_times).flat_map(of).collect()
}

fn histogram(h: &Histogram, bounds: &[u64; 11], labels: &[(&str, &str)]) -> Vec<Sample> {
    let mut lines = Vec::new();
    let mut sum = 0.0;
    let bounds = bounds.iter().map(|ms| (*ms as f64 / 1000.0).to_string());
    for (bound, bucket) in bounds.chain(["+Inf".to_owned()]).zip(&h.buckets) {
        sum += get(bucket);
        let all: Vec<(&str, &str)> = labels.iter().copied().chain([("le", &*bound)]).collect();
        lines.push(sample("_bucket", &all, sum));
    }
    lines.push(sample("_sum", labels, get(&h.micros) / 1e6));
    lines.push(sample("_count", labels, sum));
    lines
}

fn reloads(m: &Metrics, of: fn((u64, u64, bool)) -> u64) -> Vec<Sample> {
    let by = |what: What| sample("", &[("what", what.as_str())], of(m.reloads.get(what)) as f64);
    What::ALL.into_iter().map(by).collect()
}

fn again(m: &Metrics, which: usize) -> Vec<Sample> {
    let [at, _] = &m.again;
    match (get(at) > 0.0, m.again.get(which)) {
        (true, Some(number)) => plain(get(number) / 1000.0),
        (true, None) | (false, _) => Vec::new(),
    }
}

fn expiry(m: &Metrics) -> Vec<Sample> {
    let known = ["server", "client_ca"].into_iter().zip(&m.expiry);
    known
        .map(|(name, at)| (name, at.load(Relaxed)))
        .filter(|(_, at)| *at != 0)
        .map(|(name, at)| sample("", &[("certificate", name)], at as f64))
        .collect()
}

fn age(now: &Now) -> Vec<Sample> {
    let newest = now.advisories.iter().flat_map(|s| s.feeds()).filter_map(|f| f.as_of).max();
    newest.map_or(Vec::new(), |at| plain((now.at.as_second() - at.as_second()) as f64))
}

fn info(now: &Now) -> Vec<Sample> {
    let of = |s: &cleanbill_advisory::Snapshot| {
        let starter = s.is_starter().to_string();
        sample("", &[("digest", &s.digest().to_string()), ("starter", &starter)], 1.0)
    };
    now.advisories.iter().map(|s| of(s)).collect()
}

fn feeds(now: &Now) -> Vec<Sample> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for feed in now.advisories.iter().flat_map(|s| s.feeds()) {
        // Two feeds of one id would be one series twice.
        if let Some(at) = feed.as_of
            && !seen.contains(&&feed.id)
        {
            seen.push(&feed.id);
            lines.push(sample("", &[("feed", &feed.id)], at.as_second() as f64));
        }
    }
    lines
}
