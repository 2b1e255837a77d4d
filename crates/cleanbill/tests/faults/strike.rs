//! The check: with the fault nobody is let in and the answer comes in time; without it, somebody.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::path::{BUDGET, Struck, gate};
use crate::points::{Fault, Point};
use crate::rig::{Reply, digest_of};

/// How much later than its budget an answer may come: two graces, and a slow machine.
const LATE: Duration = Duration::from_millis(1500);

/// A question that goes by this point, about an image that nobody has asked about.
fn question(point: Point, way: &str) -> Value {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let n = NEXT.fetch_add(1, SeqCst);
    let by_digest =
        |name: &str| format!("registry.example/{name}{n}@{}", digest_of(&format!("{n}")));
    let (image, namespace) = match point {
        Point::Secrets => (by_digest("private"), "default"),
        Point::Resolve => (format!("registry.example/app{n}:1"), "default"),
        Point::Registered => (format!("local/app{n}:1"), "default"),
        Point::Admitted => (by_digest("flawed"), "keeps"),
        Point::Checker => (by_digest("app"), "asks-others"),
        Point::Id
        | Point::Body
        | Point::Parse
        | Point::Clock
        | Point::Spend
        | Point::Snapshot
        | Point::Examine
        | Point::Record => (by_digest("app"), "default"),
    };
    let containers = json!([{ "name": "c", "image": image }]);
    if way == "/review" {
        return json!({
            "apiVersion": "imagepolicy.k8s.io/v1alpha1", "kind": "ImageReview",
            "spec": { "containers": containers, "namespace": namespace },
        });
    }
    let secrets: &[Value] =
        if point == Point::Secrets { &[json!({ "name": "login" })] } else { &[] };
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "namespace": namespace,
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "userInfo": { "username": "bob" },
            "object": { "metadata": {}, "spec": { "containers": containers, "imagePullSecrets": secrets } },
        },
    })
}

/// Asks something new; a broken connection is no answer.
fn ask(struck: &Struck, point: Point, fault: Option<Fault>, way: &str) -> Option<Reply> {
    put(struck, point, fault, way, &question(point, way).to_string())
}

fn put(
    struck: &Struck,
    point: Point,
    fault: Option<Fault>,
    way: &str,
    body: &str,
) -> Option<Reply> {
    let target = format!("{way}?timeout=30s");
    let client = Some(&struck.rig.client);
    let sent = match (point, fault) {
        (Point::Parse, Some(_)) => &body[..body.len() - 1],
        (Point::Body, Some(Fault::Wrong(_))) => &body[..body.len() / 2],
        _ => body,
    };
    let (Point::Body, Some(Fault::Error | Fault::Hang)) = (point, fault) else {
        return struck.rig.send(client, &target, sent.as_bytes()).ok();
    };
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        body.len(),
        &body[..body.len() / 2]
    );
    let mut stream = struck.rig.connect(client, &[&rustls::version::TLS13]).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.flush().unwrap();
    if fault == Some(Fault::Error) {
        stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut raw = Vec::new();
    _ = std::io::Read::read_to_end(&mut stream, &mut raw);
    Reply::parse(&raw)
}

/// The decision's id, if the API server would let the pod in by this answer.
fn allowed(reply: Option<&Reply>) -> Option<String> {
    let reply = reply?;
    let body: Value = serde_json::from_str(&reply.body).ok()?;
    let answer = body.get("status").filter(|_| body["kind"] == "ImageReview");
    let answer = answer.or_else(|| body.get("response"))?;
    let yes = (200..=206).contains(&reply.status) && answer["allowed"] == true;
    yes.then(|| answer["auditAnnotations"]["decision-id"].as_str().unwrap_or("none").to_owned())
}

/// Strikes one point with one fault by one way.
fn strike(struck: &Struck, point: Point, fault: Fault, way: &str) -> Result<(), String> {
    let name = format!("{point:?} {fault:?} {way}");
    let body = question(point, way).to_string();
    struck_by(struck, point, fault, way, &body).map_err(|why| format!("{name}: {why}"))?;
    recovers(struck, point, way).map_err(|why| format!("{name}: {why}"))?;
    if way != "/review" || !is_on_the_short_way(point, fault) {
        return Ok(());
    }
    // The same once more where the question was asked before, and would be told the same again.
    let name = format!("{name}, again");
    let body = question(point, way).to_string();
    for _ in 0..3 {
        if allowed(put(struck, point, None, way, &body).as_ref()).is_none() {
            return Err(format!("{name}: it was not allowed to begin with"));
        }
    }
    struck_by(struck, point, fault, way, &body).map_err(|why| format!("{name}: {why}"))?;
    let recovered = allowed(put(struck, point, None, way, &body).as_ref());
    let recovered = recovered.is_some_and(|id| struck.recorded(&id));
    if recovered { Ok(()) } else { Err(format!("{name}: it does not recover")) }
}

/// What is struck where a question is told the same again. The digest of the advisories is read
/// there, from memory: it does not hang.
fn is_on_the_short_way(point: Point, fault: Fault) -> bool {
    match point {
        Point::Id | Point::Clock | Point::Spend | Point::Record => true,
        Point::Snapshot => fault != Fault::Hang,
        Point::Body
        | Point::Parse
        | Point::Secrets
        | Point::Resolve
        | Point::Examine
        | Point::Registered
        | Point::Admitted
        | Point::Checker => false,
    }
}

/// One question while a fault is armed.
fn struck_by(
    struck: &Struck,
    point: Point,
    fault: Fault,
    way: &str,
    body: &str,
) -> Result<(), String> {
    let held = struck.arm(point, fault);
    let began = Instant::now();
    let reply = put(struck, point, Some(fault), way, body);
    let took = began.elapsed();
    struck.disarm(held);
    if allowed(reply.as_ref()).is_some() {
        return Err(format!("allowed by {reply:?}"));
    }
    if took > BUDGET + LATE {
        return Err(format!("answered after {took:?}: {reply:?}"));
    }
    let told = reply.as_ref().map_or("", |reply| &reply.body);
    if told.contains("unsaid") || told.contains("armed") {
        return Err(format!("it tells what is for the log: {told}"));
    }
    // No answer at all would let the pod in with `defaultAllow: true`.
    let unanswered = reply.as_ref().is_none_or(|reply| reply.status != 200);
    if fault == Fault::Panic && way == "/review" && unanswered {
        return Err(format!("a panic is not answered by a denial: {reply:?}"));
    }
    Ok(())
}

/// The fault is gone: what still hangs may end first.
fn recovers(struck: &Struck, point: Point, way: &str) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let reply = ask(struck, point, None, way);
        match allowed(reply.as_ref()) {
            Some(id) if struck.recorded(&id) => return Ok(()),
            Some(id) => return Err(format!("{id} was allowed and not recorded")),
            None if began.elapsed() > Duration::from_secs(10) => {
                return Err(format!("it does not recover: {reply:?}"));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

#[test]
fn no_fault_at_any_point_ends_in_allowed_and_all_recover() {
    let (next, wrong, struck) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(point) = Point::ALL.get(next.fetch_add(1, SeqCst)) {
                    let gate = gate();
                    for way in point.ways() {
                        // Without a fault this question is allowed: the faults below matter.
                        let before = recovers(&gate, *point, way);
                        wrong.lock().unwrap().extend(before.err());
                        for fault in point.faults() {
                            let done = strike(&gate, *point, *fault, way);
                            wrong.lock().unwrap().extend(done.err());
                            struck.fetch_add(1, SeqCst);
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} faults", struck.into_inner());
}
