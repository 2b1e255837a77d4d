//! Every step of the way failing in every manner, one after the other and not by chance: no
//! answer is "allowed" but from complete evidence, every answer comes in time, and when the fault
//! is gone the same question is allowed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cleanbill::serve::config::{Bounds, Unexamined};
use cleanbill::serve::examiner::{Examiner, Failed};
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, NamePattern, Policy};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::Registered;
use serde_json::json;

use crate::rig::{Choice, Rig, digest_of, evidence, question, rig};

/// The steps that are not the gate's own: all functions of [`Examiner`] that decide anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Resolve,
    Examine,
    Snapshot,
    Registered,
    Admitted,
    Now,
    Id,
}

const STEPS: [Step; 7] = [
    Step::Resolve,
    Step::Examine,
    Step::Snapshot,
    Step::Registered,
    Step::Admitted,
    Step::Now,
    Step::Id,
];

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error,
    Panic,
    Hang,
    /// It answers, about other bytes (a time: later at every look).
    OtherBytes,
    /// It answers, about another repository (a time: of long ago).
    OtherName,
    /// It answers with nothing in it.
    Empty,
}

const FAULTS: [Fault; 6] =
    [Fault::Error, Fault::Panic, Fault::Hang, Fault::OtherBytes, Fault::OtherName, Fault::Empty];

/// What must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Refused,
    /// The step is not needed for complete evidence, so the answer may be either.
    Either,
}

fn wanted(step: Step, fault: Fault) -> Wanted {
    match (step, fault) {
        // Without its digest evidence in memory is passed over, and gathered anew.
        (Step::Snapshot, Fault::Error | Fault::Hang | Fault::OtherBytes) => Wanted::Either,
        (Step::Snapshot, Fault::OtherName | Fault::Empty) => Wanted::Either,
        // Nothing tells a wrong clock from a right one, as long as it goes on evenly.
        (Step::Now, Fault::Error | Fault::Hang | Fault::OtherName | Fault::Empty) => Wanted::Either,
        // An id is an id.
        (Step::Id, Fault::Hang | Fault::OtherBytes | Fault::OtherName | Fault::Empty) => {
            Wanted::Either
        }
        // Another digest for a tag is what the tag stands for.
        (Step::Resolve, Fault::OtherBytes | Fault::OtherName | Fault::Empty) => Wanted::Either,
        (Step::Snapshot | Step::Now | Step::Id, Fault::Panic)
        | (Step::Now, Fault::OtherBytes)
        | (Step::Id, Fault::Error)
        | (Step::Resolve, Fault::Error | Fault::Panic | Fault::Hang)
        | (Step::Examine | Step::Registered | Step::Admitted, _) => Wanted::Refused,
    }
}

type Plan = Arc<Mutex<Option<(Step, Fault)>>>;

const HANG: Duration = Duration::from_millis(1200);

/// The fault that is planned for a step, after what it does to everybody.
fn meet(plan: &Plan, step: Step) -> Option<Fault> {
    let fault = plan.lock().unwrap().filter(|(s, _)| *s == step).map(|(_, fault)| fault)?;
    match fault {
        Fault::Panic => panic!("planned"),
        Fault::Hang => {
            std::thread::sleep(HANG);
            None
        }
        Fault::Error | Fault::OtherBytes | Fault::OtherName | Fault::Empty => Some(fault),
    }
}

fn failing(plan: &Plan) -> Examiner {
    let other = Digest::Sha256([9; 32]);
    let p = || Arc::clone(plan);
    let (resolve, examine, snapshot, registered) = (p(), p(), p(), p());
    let (admitted, now, id) = (p(), p(), p());
    let jumps = Mutex::new(0_i64);
    Examiner {
        resolve: Box::new(move |name, _, _| match meet(&resolve, Step::Resolve) {
            Some(Fault::Error) => Err(Failed::new("it cannot be reached", "planned")),
            _ => Ok(digest_of(&name.to_string())),
        }),
        examine: Box::new(move |name, _, _| {
            let mut found = evidence(name);
            match meet(&examine, Step::Examine) {
                Some(Fault::Error) => return Err(Failed::new("it cannot be read", "planned")),
                Some(Fault::OtherBytes) => found.resolved = other,
                Some(Fault::OtherName) => {
                    found.reference = format!("registry.example/x@{other}").parse().unwrap();
                }
                Some(Fault::Empty) => found.platforms.clear(),
                Some(Fault::Panic | Fault::Hang) | None => {}
            }
            Ok(found)
        }),
        snapshot: Box::new(move || match meet(&snapshot, Step::Snapshot) {
            Some(Fault::Error | Fault::Empty) => None,
            Some(_) => Some(other),
            None => Some(Digest::Sha256([2; 32])),
        }),
        registered: Box::new(move |name| {
            let digest = digest_of("local");
            let pinned: ImageRef = format!("{}@{digest}", name.name()).parse().unwrap();
            let mut found = evidence(&pinned);
            match meet(&registered, Step::Registered) {
                Some(Fault::Error) => return Err(Failed::new("it cannot be read", "planned")),
                Some(Fault::Empty) => return Ok(Vec::new()),
                Some(Fault::OtherBytes) => found.resolved = other,
                Some(Fault::OtherName) => {
                    found.reference = format!("registry.example/x@{digest}").parse().unwrap();
                }
                Some(Fault::Panic | Fault::Hang) | None => {}
            }
            let evidence = Some(Arc::new(found));
            Ok(vec![Registered { digest, node: "n".into(), evidence }])
        }),
        // Only a refused question is looked up; what it says here is never good enough.
        admitted: Box::new(move |_, _| {
            let years = jiff::SignedDuration::from_hours(24 * 3650);
            match meet(&admitted, Step::Admitted) {
                Some(Fault::OtherBytes) => Some((jiff::Timestamp::now() + years, "later".into())),
                Some(Fault::OtherName) => Some((jiff::Timestamp::now() - years, "long ago".into())),
                _ => None,
            }
        }),
        now: Box::new(move || {
            let years = jiff::SignedDuration::from_hours(24 * 3650);
            let mut jumps = jumps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match meet(&now, Step::Now) {
                Some(Fault::OtherBytes) => {
                    *jumps += 60;
                    jiff::Timestamp::now() + jiff::SignedDuration::from_secs(*jumps)
                }
                Some(_) => jiff::Timestamp::now() - years,
                None => jiff::Timestamp::now(),
            }
        }),
        id: Box::new(move || match meet(&id, Step::Id) {
            Some(Fault::Error) => Err("planned".into()),
            _ => cleanbill::serve::id::new().map_err(|e| e.to_string()),
        }),
        ready: Box::new(|| Ok(())),
        advisories: None,
    }
}

/// Asks one of the two interfaces, and says whether it was allowed. No answer is a refusal.
fn allowed(rig: &Rig, path: &str, images: &[&str]) -> bool {
    let body = match path {
        "/" => question(images),
        _ => {
            let containers: Vec<_> = (0..)
                .zip(images)
                .map(|(n, image)| json!({ "name": format!("c{n}"), "image": image }))
                .collect();
            json!({
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {
                    "uid": "u", "operation": "CREATE", "namespace": "default",
                    "kind": { "group": "", "version": "v1", "kind": "Pod" },
                    "resource": { "group": "", "version": "v1", "resource": "pods" },
                    "userInfo": { "username": "bob" },
                    "object": { "metadata": {}, "spec": { "containers": containers } },
                },
            })
            .to_string()
        }
    };
    let Some(reply) = rig.send(Some(&rig.client), path, body.as_bytes()).ok() else { return false };
    let answer: serde_json::Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let said = if path == "/" { &answer["status"] } else { &answer["response"] };
    reply.status == 200 && said["allowed"] == true
}

fn check(path: &'static str, when_unexamined: Unexamined) {
    let plan = Plan::default();
    let policy = Policy {
        accepted_gaps: vec![AcceptedGap::everywhere(GapKind::MutableReference)],
        local_images: vec![NamePattern::try_from("docker.io/library/local".to_owned()).unwrap()],
        keep_admitted: Some(3600),
        ..Policy::default()
    };
    let budget = Duration::from_millis(600);
    let rig = rig(Choice {
        examiner: failing(&plan),
        policy,
        bounds: Bounds { budget, when_unexamined, ..Bounds::default() },
        ..Choice::default()
    });
    let mut refused = 0;
    for (at, step) in STEPS.into_iter().enumerate() {
        for (n, fault) in FAULTS.into_iter().enumerate() {
            let case = format!("{path} {when_unexamined:?} {step:?} {fault:?}");
            // Images that nobody has asked about before: nothing is remembered of them.
            let fresh = format!("registry.example/app-{at}-{n}:1");
            let eol = format!("registry.example/{at}-{n}-eol:1");
            let mut images = vec![fresh.as_str(), "local:1"];
            if step == Step::Admitted {
                images = vec![eol.as_str()];
            }
            *plan.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((step, fault));
            let began = Instant::now();
            let got = allowed(&rig, path, &images);
            assert!(began.elapsed() < Duration::from_secs(20), "{case}");
            if wanted(step, fault) == Wanted::Refused {
                assert!(!got, "{case}: allowed");
                refused += 1;
            }
            *plan.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
            let good = [fresh.as_str(), "local:1"];
            let recovered = (0..50).any(|_| {
                let again = allowed(&rig, path, &good);
                if !again {
                    std::thread::sleep(Duration::from_millis(100));
                }
                again
            });
            assert!(recovered, "{case}: it does not recover");
        }
    }
    assert!(refused >= 24, "{refused}");
}

#[test]
fn every_step_that_fails_in_every_manner_refuses_and_recovers() {
    std::thread::scope(|scope| {
        for path in ["/", "/validate"] {
            for when in [Unexamined::Deny, Unexamined::Fail] {
                scope.spawn(move || check(path, when));
            }
        }
    });
}
