//! A run as JSON (described in `docs/simulate.md`).

use std::time::Duration;

use serde_json::{Value, json};

use super::text::kubectl;
use super::{Done, Overall, Report, Step};
use crate::apiserver::plugin::{Course, End};

/// The version of this form.
const SCHEMA: u32 = 1;

/// The whole run.
pub fn value(report: &Report) -> Value {
    let started = report.started.as_ref().map(|started| {
        let policy = &started.policy;
        json!({
            "server": started.address,
            "proxy": started.proxy,
            "allowTTLSeconds": policy.allow_ttl.as_secs_f64(),
            "denyTTLSeconds": policy.deny_ttl.as_secs_f64(),
            "retryBackoffSeconds": policy.retry_backoff.as_secs_f64(),
            "defaultAllow": policy.default_allow,
            "ignored": policy.ignored.iter().map(|(key, _)| key).collect::<Vec<_>>(),
            "notes": started.notes,
        })
    });
    let overall = match report.overall() {
        Overall::Allowed => "allowed",
        Overall::Refused => "refused",
        Overall::FailedOpen => "failed-open",
    };
    json!({
        "schema": SCHEMA,
        "kubernetes": report.version.to_string(),
        "starts": report.refused.is_none(),
        "error": report.refused.as_ref().map(|refused| &refused.words),
        "line": report.refused.as_ref().and_then(|refused| refused.line),
        "config": started,
        "steps": report.done.iter().map(step).collect::<Vec<_>>(),
        "overall": overall,
    })
}

fn step(done: &Done) -> Value {
    match (&done.step, &done.course) {
        (Step::Wait(time), _) => json!({ "step": "wait", "seconds": time.as_secs_f64() }),
        (Step::Restart, _) => json!({ "step": "restart" }),
        (Step::Write { operation, pod, source }, course) => {
            let said = course.as_ref().map(|c| kubectl(*operation, pod, source, &c.end));
            json!({
                "step": operation.as_str(),
                "source": source,
                "pod": pod.name,
                "namespace": pod.namespace,
                "madeFor": pod.made_for,
                "kubectl": said,
                "course": course.as_ref().map(one),
            })
        }
    }
}

fn one(course: &Course) -> Value {
    let seconds = |time: Duration| time.as_secs_f64();
    let (outcome, code, message) = match &course.end {
        End::NotAsked(why) => ("not-asked", None, (*why).to_owned()),
        End::Allowed => ("allowed", None, String::new()),
        End::Denied(words) => ("denied", Some(403), words.clone()),
        End::FailedOpen(words) => ("failed-open", None, words.clone()),
        End::FailedClosed(words) => ("failed-closed", Some(403), words.clone()),
        End::TimedOut(words) => ("timed-out", Some(504), words.clone()),
    };
    let calls: Vec<Value> = course
        .calls
        .iter()
        .map(|call| {
            json!({
                "atSeconds": seconds(call.at),
                "tookSeconds": seconds(call.took),
                "came": call.came,
            })
        })
        .collect();
    json!({
        "outcome": outcome,
        "code": code,
        "message": message,
        "question": course.question.as_ref().map(|q| q.trim_end()),
        "cached": course.hit.as_ref().map(|hit| json!({
            "allowed": hit.status.allowed,
            "ageSeconds": seconds(hit.age),
            "leftSeconds": seconds(hit.left),
        })),
        "calls": calls,
        "callCount": course.calls.len(),
        "waitsSeconds": course.waits.iter().map(|wait| seconds(*wait)).collect::<Vec<_>>(),
        "tookSeconds": seconds(course.took),
        "keptSeconds": course.kept.map(seconds),
        "auditAnnotations": course.audit.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "auditAnnotationsLost": course.audit_lost,
    })
}
