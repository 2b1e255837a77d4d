//! A run in words: what kubectl prints first, then what the API server did.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Done, Report, Started, Step};
use crate::apiserver::image_policy::go;
use crate::apiserver::plugin::{Course, End};
use crate::apiserver::pod::{Operation, Pod};

/// The whole text.
pub fn text(report: &Report, explain: bool) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    match (&report.refused, &report.started) {
        (Some(refused), _) => {
            let version = report.version;
            _ = writeln!(out, "kube-apiserver {version} does not start:\n  {}", refused.words);
            if let Some(line) = refused.line {
                _ = writeln!(out, "  (line {line} of the file)");
            }
        }
        (None, Some(started)) => start(report, started, &mut out),
        (None, None) => {}
    }
    for (at, done) in report.done.iter().enumerate() {
        step(at + 1, done, explain, report, &mut out);
    }
    out
}

fn start(report: &Report, started: &Started, out: &mut String) {
    let policy = &started.policy;
    let ttl = |time: Duration| if time.is_zero() { "off".to_owned() } else { shown(time) };
    _ = writeln!(
        out,
        "kube-apiserver {} starts, and asks {}\n  allowTTL {}, denyTTL {}, retryBackoff {}, \
         defaultAllow {}",
        report.version,
        started.address,
        ttl(policy.allow_ttl),
        ttl(policy.deny_ttl),
        ttl(policy.retry_backoff),
        policy.default_allow,
    );
    if let Some(proxy) = &started.proxy {
        _ = writeln!(out, "  through the proxy {proxy}");
    }
    for note in &started.notes {
        _ = writeln!(out, "  note: {note}");
    }
}

fn step(number: usize, done: &Done, explain: bool, report: &Report, out: &mut String) {
    match (&done.step, &done.course) {
        (Step::Wait(time), _) => _ = writeln!(out, "\n{number}  {} pass", shown(*time)),
        (Step::Restart, _) => {
            _ = writeln!(
                out,
                "\n{number}  kube-apiserver starts anew, and has forgotten its answers"
            );
        }
        (Step::Write { operation, pod, source }, Some(course)) => {
            let of = pod.made_for.as_ref().map(|of| format!(" of {of}")).unwrap_or_default();
            let operation_name = operation.as_str();
            _ = writeln!(
                out,
                "\n{number}  {operation_name} pod {}{of} in {} ({source})",
                pod.name, pod.namespace
            );
            for line in kubectl(*operation, pod, source, &course.end).lines() {
                _ = writeln!(out, "   {line}");
            }
            _ = writeln!(out, "   {}", asked(course));
            if explain {
                for line in explained(*operation, pod, course, report) {
                    _ = writeln!(out, "   - {line}");
                }
            }
        }
        (Step::Write { .. }, None) => {}
    }
}

/// What kubectl prints.
pub fn kubectl(operation: Operation, pod: &Pod, source: &str, end: &End) -> String {
    let made = match operation {
        Operation::Create => "created",
        Operation::Update => "replaced",
        Operation::Ephemeral => "ephemeral container added",
    };
    let (reason, words) = match end {
        End::NotAsked(_) | End::Allowed | End::FailedOpen(_) => {
            return format!("pod/{} {made}", pod.name);
        }
        End::Denied(words) | End::FailedClosed(words) => ("Forbidden", words),
        End::TimedOut(words) => ("Timeout", words),
    };
    if pod.made_for.is_some() {
        // Nobody's kubectl waits for it: the controller writes an event.
        return format!("Warning  FailedCreate  Error creating: {words}");
    }
    let when = match operation {
        Operation::Create => format!("error when creating \"{source}\": "),
        Operation::Update => format!("error when replacing \"{source}\": "),
        Operation::Ephemeral => String::new(),
    };
    format!("Error from server ({reason}): {when}{words}")
}

/// Who was asked, how often, how long it took, what is kept.
fn asked(course: &Course) -> String {
    if let End::NotAsked(why) = course.end {
        return format!("not asked: {why}");
    }
    if let Some(hit) = &course.hit {
        let answer = if hit.status.allowed { "allowed" } else { "denied" };
        return format!(
            "not asked: the answer of {} ago ({answer}) is kept for {} more",
            shown(hit.age),
            shown(hit.left)
        );
    }
    let times = match course.calls.len() {
        1 => "asked once".to_owned(),
        many => format!("asked {many} times"),
    };
    let took = format!("{times} {}", waited(course));
    let end = match &course.end {
        End::Allowed => "allowed",
        End::Denied(_) => "denied",
        End::FailedOpen(why) => return format!("{took}; FAILED OPEN, nothing is kept: {why}"),
        End::FailedClosed(_) => return format!("{took}; the webhook failed, nothing is kept"),
        End::TimedOut(_) => return format!("{took}; the API server gave up, nothing is kept"),
        End::NotAsked(why) => why,
    };
    match course.kept {
        Some(time) => format!("{took}; {end}, kept for {}", shown(time)),
        None => format!("{took}; {end}, not kept"),
    }
}

/// How long it took. Waits have a jitter of up to a fifth.
fn waited(course: &Course) -> String {
    let waits: Duration = course.waits.iter().sum();
    let calls: Duration = course.calls.iter().map(|call| call.took).sum();
    if waits.is_zero() && course.took <= calls + Duration::from_millis(50) {
        return format!("in {}", shown(calls));
    }
    let most = course.took + waits.mul_f64(0.1);
    format!("in {} to {}", shown(course.took.saturating_sub(waits.mul_f64(0.1))), shown(most))
}

fn explained(operation: Operation, pod: &Pod, course: &Course, report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(question) = &course.question {
        lines.push(format!("the question: {}", question.trim_end()));
    }
    match operation {
        Operation::Create => {}
        Operation::Update => lines.push(
            "every update of a pod asks again, also one of a label or a finalizer".to_owned(),
        ),
        Operation::Ephemeral => {
            lines.push("only ephemeral containers are asked about, those there already too".into());
        }
    }
    if operation != Operation::Ephemeral && !pod.ephemeral_containers.is_empty() {
        lines.push("its ephemeral containers are not asked about here".into());
    }
    for volume in &pod.volumes {
        lines.push(format!("the image volume {volume} is never asked about"));
    }
    let near = pod.annotations.keys().filter(|key| {
        key.contains("image-policy.k8s.io") && !key.contains(".image-policy.k8s.io/")
    });
    for key in near {
        lines.push(format!(
            "the annotation {key} is not sent: its key lacks \".image-policy.k8s.io/\""
        ));
    }
    for (at, call) in course.calls.iter().enumerate() {
        let number = at + 1;
        let (at, took) = (shown(call.at), shown(call.took));
        lines.push(format!("call {number} after {at}: {} ({took})", call.came));
    }
    let Some(started) = &report.started else { return lines };
    let ttl = match &course.end {
        End::Allowed => Some(("allowTTL", started.policy.allow_ttl)),
        End::Denied(_) => Some(("denyTTL", started.policy.deny_ttl)),
        End::NotAsked(_) | End::FailedOpen(_) | End::FailedClosed(_) | End::TimedOut(_) => None,
    };
    match (&course.hit, ttl) {
        (Some(_), _) => lines.push(
            "the same images in the same order, annotations and namespace: the same question"
                .into(),
        ),
        (None, Some((name, time))) if time.is_zero() => {
            lines.push(format!("{name} is off: the next write asks again"));
        }
        (None, Some((name, time))) => {
            let time = shown(time);
            lines.push(format!("{name} is {time}: until then the same question is not asked again, whatever changes"));
        }
        (None, None) => match &course.end {
            End::FailedOpen(_) => lines.push(
                "defaultAllow is true: the only trace is the audit annotation, at audit level \
                 Metadata or above"
                    .into(),
            ),
            End::FailedClosed(_) => {
                lines.push("defaultAllow is false: a failure is a refusal, and never kept".into());
            }
            End::TimedOut(_) => lines.push("a write may take 34s, whatever is configured".into()),
            End::NotAsked(_) | End::Allowed | End::Denied(_) => {}
        },
    }
    for (key, value) in &course.audit {
        lines.push(format!("audit: {key}: {value}"));
    }
    for key in &course.audit_lost {
        lines.push(format!("the audit annotation {key} is thrown away: its key is no valid name"));
    }
    lines
}

/// A time for people: whole seconds as Go prints them, less than that in milliseconds.
fn shown(time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let rounded = match millis {
        0 if !time.is_zero() => 1,
        0..10_000 => millis,
        _ => millis / 1000 * 1000,
    };
    go(i64::try_from(rounded.saturating_mul(1_000_000)).unwrap_or(i64::MAX))
}
