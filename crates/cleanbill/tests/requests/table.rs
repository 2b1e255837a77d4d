//! The check: every part of every answer is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use base64::Engine as _;
use cleanbill::serve::live::Rules;
use serde_json::{Map, Value, json};

use crate::ask::{self, ID, UID};
use crate::rfc6902::apply;
use crate::rig::{Reply, Rig};
use crate::row::{self, Only, Row, Want};
use crate::verify::{Hook, Made, verify};
use crate::world;

/// The three ways to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ImageReview,
    Validate,
    Mutate,
}

impl Way {
    fn of(row: &Row) -> &'static [Self] {
        match row.only {
            None => &[Self::ImageReview, Self::Validate, Self::Mutate],
            Some(Only::ImageReview) => &[Self::ImageReview],
            Some(Only::Admission) => &[Self::Validate, Self::Mutate],
            Some(Only::Mutate) => &[Self::Mutate],
        }
    }

    fn ask(self, row: &Row, gate: &Rig) -> Reply {
        let (path, body) = match self {
            Self::ImageReview => ("/review", ask::image_review(row)),
            Self::Validate => ("/validate", ask::admission_review(row)),
            Self::Mutate => ("/mutate", ask::admission_review(row)),
        };
        let path = format!("{path}?timeout=30s");
        gate.send(Some(&gate.client), &path, body.as_bytes()).unwrap()
    }

    /// Whether the API server takes a webhook's answer, by its own rules, and its patch applies to
    /// the object.
    fn taken(self, row: &Row, reply: &Reply) -> Result<(), String> {
        let hook = match self {
            Self::Validate => Hook::Validating,
            Self::Mutate => Hook::Mutating,
            Self::ImageReview => return Ok(()),
        };
        if reply.status != 200 {
            return Ok(());
        }
        // A body that is no JSON is broken behind its uid.
        let asked = serde_json::from_str(&ask::admission_review(row));
        let asked: Value = asked.unwrap_or_else(|_| json!({ "request": { "uid": UID } }));
        let made = verify(reply.body.as_bytes(), &asked, hook)?;
        let allowed = row_allows(self.want(row));
        match made {
            Made::Goes(Some(patch)) if allowed => {
                apply(&asked["request"]["object"], &patch).map(|_| ())
            }
            Made::Goes(None) if allowed => Ok(()),
            Made::Refused(403, _) if !allowed => Ok(()),
            Made::Goes(_) | Made::Refused(..) => Err(format!("it is taken as {made:?}")),
        }
    }

    /// What the row wants of this interface.
    fn want(self, row: &Row) -> &Want {
        match (self, &row.mutate) {
            (Self::Mutate, Some(want)) => want,
            (Self::ImageReview | Self::Validate | Self::Mutate, _) => &row.want,
        }
    }

    /// The same, as the HTTP status and body.
    fn wanted(self, row: &Row) -> (u16, Value) {
        let want = self.want(row);
        let Want { outcome, reason, .. } = want;
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
        match self {
            Self::ImageReview => image_review(row, want, &message),
            Self::Validate => (200, admission_review(row, want, &message, false)),
            Self::Mutate => (200, admission_review(row, want, &message, true)),
        }
    }
}

fn row_allows(want: &Want) -> bool {
    want.outcome == "allowed"
}

fn image_review(row: &Row, want: &Want, message: &str) -> (u16, Value) {
    if row.fail && want.outcome == "undecided" {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": "Forbidden", "code": 403,
        });
        return (403, status);
    }
    let allowed = row_allows(want);
    let mut status = json!({ "allowed": allowed, "auditAnnotations": notes(row, want) });
    if !allowed {
        status["reason"] = json!(message);
    }
    let answer = json!({
        "apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview", "status": status,
    });
    (200, answer)
}

fn admission_review(row: &Row, want: &Want, message: &str, mutate: bool) -> Value {
    let allowed = row_allows(want);
    let mut response = json!({
        "uid": UID, "allowed": allowed, "auditAnnotations": notes(row, want),
    });
    if !allowed {
        response["status"] = json!({ "code": 403, "reason": "Forbidden", "message": message });
    }
    let warnings = want.warnings.as_ref().unwrap_or(&row.warnings);
    if !warnings.is_empty() {
        let warnings: Vec<_> = warnings.iter().map(|w| row::text(w)).collect();
        response["warnings"] = json!(warnings);
    }
    let patch = if allowed && mutate { patch(row, want) } else { Vec::new() };
    if !patch.is_empty() {
        response["patchType"] = json!("JSONPatch");
        response["patch"] = json!(patch);
    }
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response,
    })
}

/// Every image by tag is replaced by the same with its digest, behind a test of what it was.
fn patch(row: &Row, want: &Want) -> Vec<Value> {
    let by_default = || {
        let images = row.images.iter().enumerate();
        let tags = images.filter(|(_, i)| i.contains(':') && !i.starts_with('='));
        tags.map(|(n, i)| (format!("/spec/containers/{n}/image"), i.clone())).collect()
    };
    let pinned: BTreeMap<_, _> = want.patch.clone().unwrap_or_else(by_default);
    let steps = pinned.iter().flat_map(|(path, short)| {
        let image = row::image(short);
        let last = image.rsplit('/').next().unwrap();
        let (name, tag) = last.split_once(':').map_or((last, ":latest"), |(name, _)| (name, ""));
        let pinned = format!("{image}{tag}@{}", world::digest(name));
        [
            json!({ "op": "test", "path": path, "value": image }),
            json!({ "op": "replace", "path": path, "value": pinned }),
        ]
    });
    steps.collect()
}

fn notes(row: &Row, want: &Want) -> Map<String, Value> {
    let rules = Rules::new(ask::policy(row), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut notes = Map::new();
    if let Some(why) = &want.nothing {
        notes.insert("outcome".into(), format!("nothing to judge: {why}").into());
        return notes;
    }
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
    let mut body = serde_json::from_str(&reply.body).unwrap_or_else(|_| json!(reply.body));
    if let Some(patch) = body.pointer_mut("/response/patch") {
        let bytes = base64::engine::general_purpose::STANDARD.decode(patch.as_str().unwrap());
        let mut steps: Vec<Value> = serde_json::from_slice(&bytes.unwrap()).unwrap();
        // Of different places, the order says nothing; of one place it stays.
        steps.sort_by_key(|step| step["path"].to_string());
        *patch = json!(steps);
    }
    (reply.status, body)
}

fn check(row: &Row) -> Vec<String> {
    let gate = ask::gate(row);
    Way::of(row).iter().filter_map(|way| check_way(row, *way, &gate).err()).collect()
}

fn check_way(row: &Row, way: Way, gate: &Rig) -> Result<(), String> {
    let reply = way.ask(row, gate);
    let (wanted, got) = (way.wanted(row), got(&reply));
    let name = format!("{} ({way:?})", row.row);
    if reply.head.contains("retry-after") {
        return Err(format!("{name}: Retry-After"));
    }
    if reply.body.contains("secret") {
        return Err(format!("{name}: it tells a secret: {}", reply.body));
    }
    // What the API server makes of it.
    let allowed = match way {
        Way::ImageReview => reply.allowed(),
        Way::Validate | Way::Mutate => got.1.pointer("/response/allowed") == Some(&json!(true)),
    };
    if allowed != (row_allows(way.want(row))) {
        return Err(format!("{name}: allowed is {allowed}: {got:?}"));
    }
    if wanted == got {
        return way.taken(row, &reply).map_err(|e| format!("{name}: {e}"));
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
    Err(format!("== {name}\nwanted\n{missing}\ngot\n{more}"))
}

#[test]
fn every_row_gets_exactly_its_answer() {
    let rows = row::all();
    let names: BTreeSet<&str> = rows.iter().map(|r| r.row.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    // Whatever it is called and wants: the same facts, asked the same way.
    let asked = |row: &Row| {
        let (name, want, mutate) = (String::new(), rows[0].want.clone(), None);
        format!("{:?}", Row { row: name, want, mutate, warnings: Vec::new(), ..row.clone() })
    };
    let mut questions = BTreeMap::new();
    for row in &rows {
        let before = questions.insert(asked(row), &row.row);
        assert!(before.is_none(), "{:?} asks what {before:?} asks", row.row);
    }
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, SeqCst)) {
                    let checked = std::panic::catch_unwind(|| check(row));
                    let checked =
                        checked.unwrap_or_else(|_| vec![format!("{}: panicked", row.row)]);
                    wrong.lock().unwrap().extend(checked);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(rows.len() >= 120, "{} rows", rows.len());
    assert!(wrong.is_empty(), "{} in {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    println!("{} rows", rows.len());
}
