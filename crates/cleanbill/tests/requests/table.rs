//! The check: every part of every answer is compared.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use cleanbill::serve::live::Rules;
use serde_json::{Map, Value, json};

use crate::ask::{self, ID};
use crate::rig::Reply;
use crate::row::{self, Row, Want};
use crate::world;

/// What the row wants, as the HTTP status and body.
fn wanted(row: &Row) -> (u16, Value) {
    let Want { outcome, reason, .. } = &row.want;
    let reason = row::text(reason);
    if outcome == "foreign" {
        return (400, json!(format!("{reason}\n")));
    }
    let message = if outcome == "allowed" {
        assert!(reason.is_empty(), "{}: an allowed row has no reason", row.row);
        String::new()
    } else {
        assert!(!reason.is_empty(), "{}: a denial has a reason", row.row);
        format!("{reason} Decision {ID}.")
    };
    if row.fail && outcome == "undecided" {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": "Forbidden", "code": 403,
        });
        return (403, status);
    }
    let mut status = json!({
        "allowed": outcome == "allowed",
        "auditAnnotations": notes(row),
    });
    if !message.is_empty() {
        status["reason"] = json!(message);
    }
    let answer = json!({
        "apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview", "status": status,
    });
    (200, answer)
}

fn notes(row: &Row) -> Map<String, Value> {
    let want = &row.want;
    let rules = Rules::new(ask::policy(row), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut notes = Map::new();
    let mut note = |key: &str, value: String| notes.insert(key.into(), value.into());
    note("decision-id", ID.into());
    note("outcome", want.outcome.clone());
    note("policy", rules.name());
    let digests: Vec<String> = want.digests.iter().map(|i| world::digest(i).to_string()).collect();
    if !digests.is_empty() {
        note("digests", digests.join(","));
    }
    if want.examined.unwrap_or(!digests.is_empty()) {
        note("snapshot", world::SNAPSHOT.to_string());
        if !want.undated {
            note("snapshot-date", want.snapshot_date.clone().unwrap_or_else(|| world::FEED.into()));
        }
    }
    if let Some(noted) = &want.noted {
        note("noted", row::text(noted));
    }
    if let Some(let_in_by) = &want.let_in_by {
        note("let-in-by", row::text(let_in_by));
    }
    notes
}

/// What came back, in the same form.
fn got(reply: &Reply) -> (u16, Value) {
    let body = serde_json::from_str(&reply.body).unwrap_or_else(|_| json!(reply.body));
    (reply.status, body)
}

fn check(row: &Row) -> Result<(), String> {
    let reply = ask::ask(row);
    let (wanted, got) = (wanted(row), got(&reply));
    if reply.head.contains("retry-after") {
        return Err(format!("{}: Retry-After", row.row));
    }
    if reply.body.contains("secret") {
        return Err(format!("{}: it tells a secret: {}", row.row, reply.body));
    }
    // What the API server makes of it.
    if reply.allowed() != (row.want.outcome == "allowed") {
        return Err(format!("{}: allowed is {}: {got:?}", row.row, reply.allowed()));
    }
    if wanted == got {
        return Ok(());
    }
    let lines = |(status, body): &(u16, Value)| {
        let body = serde_json::to_string_pretty(body).unwrap();
        std::iter::once(format!("HTTP {status}")).chain(body.lines().map(str::to_owned)).collect()
    };
    let (wanted, got): (Vec<String>, Vec<String>) = (lines(&wanted), lines(&got));
    let only = |a: &[String], b: &[String]| {
        a.iter().filter(|line| !b.contains(line)).cloned().collect::<Vec<_>>().join("\n")
    };
    let (missing, more) = (only(&wanted, &got), only(&got, &wanted));
    Err(format!("== {}\nwanted\n{missing}\ngot\n{more}", row.row))
}

#[test]
fn every_row_gets_exactly_its_answer() {
    let rows = row::all();
    let names: BTreeSet<&str> = rows.iter().map(|r| r.row.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, SeqCst)) {
                    let checked = std::panic::catch_unwind(|| check(row));
                    let checked = checked.unwrap_or_else(|_| Err(format!("{}: panicked", row.row)));
                    wrong.lock().unwrap().extend(checked.err());
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    println!("{} rows", rows.len());
}
