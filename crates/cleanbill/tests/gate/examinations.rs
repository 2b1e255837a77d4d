//! Examinations that are slow, fail, panic or answer about something else: never "allowed", and
//! each image is examined once however many ask.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cleanbill::serve::config::{Bounds, Work};
use cleanbill::serve::examiner::{Examined, Failed};
use cleanbill::serve::record::Recorder;
use cleanbill::store::{Owner, Store};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::policy::{AcceptedGap, NamePattern, Policy};

use crate::rig::{Choice, digest_of, evidence, examiner, good, question, rig};

fn budget(millis: u64) -> Bounds {
    Bounds { budget: Duration::from_millis(millis), ..Bounds::default() }
}

#[test]
fn what_goes_wrong_is_undecided_and_its_detail_stays_in_the_log() {
    type Fake = Box<dyn Fn(&cleanbill_core::reference::ImageRef) -> Examined + Send + Sync>;
    let table: Vec<(&str, Fake, &str)> = vec![
        (
            "it fails",
            Box::new(|_| Err(Failed::new("its layers cannot be read", "token=secret at 10.0.0.1"))),
            "its layers cannot be read",
        ),
        ("it panics", Box::new(|_| panic!("secret panic")), "ended unexpectedly"),
        (
            "it is about another digest",
            Box::new(|name| {
                let mut other = evidence(name);
                other.resolved = digest_of("other");
                Ok(other)
            }),
            "about another image",
        ),
        (
            "no platform was judged",
            Box::new(|name| {
                let mut none = evidence(name);
                none.platforms.clear();
                Ok(none)
            }),
            "the evidence is about another image",
        ),
    ];
    for (what, fake, words) in table {
        let rig =
            rig(Choice { examiner: examiner(move |name, _| fake(name)), ..Choice::default() });
        for _ in 0..2 {
            let reply = rig.ask(&question(&[&good()]));
            assert_eq!(reply.status, 200, "{what}");
            assert!(!reply.allowed(), "{what}: {reply:?}");
            assert!(reply.reason().contains(words), "{what}: {}", reply.reason());
            assert!(!reply.body.contains("secret") && !reply.body.contains("10.0.0.1"), "{what}");
        }
    }
}

#[test]
fn a_slow_examination_is_refused_in_time_goes_on_and_is_shared_by_who_asks_again() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = begun.clone();
    let rig = rig(Choice {
        examiner: examiner(move |name, _| {
            count.fetch_add(1, SeqCst);
            std::thread::sleep(Duration::from_millis(1500));
            Ok(evidence(name))
        }),
        bounds: budget(900),
        ..Choice::default()
    });
    let asked = Instant::now();
    let first = rig.ask(&question(&[&good()]));
    assert!(asked.elapsed() < Duration::from_millis(1400), "{:?}", asked.elapsed());
    assert!(!first.allowed() && first.reason().contains("it is being examined; try again"));
    assert_eq!(first.json()["status"]["auditAnnotations"]["outcome"], "undecided");
    let second = rig.ask(&question(&[&good()]));
    assert!(second.allowed(), "{second:?}");
    assert_eq!(begun.load(SeqCst), 1, "the second asker waited for the first one's examination");
}

#[test]
fn the_callers_own_limit_counts() {
    let rig = rig(Choice {
        examiner: examiner(|name, _| {
            std::thread::sleep(Duration::from_secs(3));
            Ok(evidence(name))
        }),
        bounds: budget(10_000),
        ..Choice::default()
    });
    let asked = Instant::now();
    let body = question(&[&good()]);
    let reply = rig.send(Some(&rig.client), "/?timeout=2s", body.as_bytes()).unwrap();
    assert!(!reply.allowed() && asked.elapsed() < Duration::from_millis(1900), "{reply:?}");
}

#[test]
fn many_askers_one_flight() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = seen.clone();
    let rig = rig(Choice {
        examiner: examiner(move |name, _| {
            note.lock().unwrap().push(name.to_string());
            std::thread::sleep(Duration::from_millis(700));
            Ok(evidence(name))
        }),
        policy: Policy {
            accepted_gaps: vec![AcceptedGap::everywhere(GapKind::MutableReference)],
            ..Policy::default()
        },
        ..Choice::default()
    });
    let other = format!("registry.example/other@{}", digest_of("good"));
    let tagged = format!("registry.example/good:v1@{}", digest_of("good"));
    // The same digest in another repository is a flight of its own: see docs/security.md.
    let images = [good(), tagged, other];
    std::thread::scope(|scope| {
        for at in 0..24 {
            let (rig, image) = (&rig, &images[at % 3]);
            scope.spawn(move || assert!(rig.ask(&question(&[image, image])).allowed()));
        }
    });
    let seen = seen.lock().unwrap();
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (2, 2), "{seen:?}");
}

#[test]
fn five_hundred_at_once_for_an_unseen_image_are_one_examination() {
    const ASKERS: usize = 500;
    let rig = rig(Choice {
        examiner: examiner(|name, _| {
            std::thread::sleep(Duration::from_millis(1000));
            Ok(evidence(name))
        }),
        bounds: Bounds { connections: 600, requests: 600, ..budget(25_000) },
        ..Choice::default()
    });
    let body = question(&[&good()]);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let connected = std::sync::Barrier::new(ASKERS);
    std::thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                let mut stream = rig.connect(Some(&rig.client), &[&rustls::version::TLS13]);
                // The handshake comes first, so that all questions arrive together.
                let shaken = stream.as_mut().map(|s| s.conn.complete_io(&mut s.sock).is_ok());
                connected.wait();
                assert!(shaken.unwrap());
                let mut stream = stream.unwrap();
                std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
                let mut raw = Vec::new();
                std::io::Read::read_to_end(&mut stream, &mut raw).unwrap();
                assert!(crate::rig::Reply::parse(&raw).unwrap().allowed());
            });
        }
    });
    let metrics = rig.get("/metrics").body;
    for line in
        ["examinations_total 1", "decisions_total{api=\"imagereview\",outcome=\"allowed\"} 500"]
    {
        assert!(metrics.contains(&format!("cleanbill_{line}\n")), "{line} in {metrics}");
    }
}

#[test]
fn names_that_the_policy_refuses_are_never_contacted() {
    let touched = Arc::new(AtomicUsize::new(0));
    let (a, b) = (touched.clone(), touched.clone());
    let mut examiner = examiner(move |name, _| {
        a.fetch_add(1, SeqCst);
        Ok(evidence(name))
    });
    examiner.resolve = Box::new(move |name, _, _| {
        b.fetch_add(1, SeqCst);
        Ok(digest_of(&name.to_string()))
    });
    let allowed = NamePattern::try_from("registry.example/*".to_owned()).unwrap();
    let policy = Policy { allowed: Some(vec![allowed]), ..Policy::default() };
    let rig = rig(Choice { examiner, policy, ..Choice::default() });
    for images in [
        vec!["evil.example/x:1"],
        vec!["registry.example.evil.example/x:1"],
        vec!["169.254.169.254/latest/meta-data"],
        vec!["127.0.0.1:5000/x", "no reference!"],
    ] {
        let reply = rig.ask(&question(&images));
        assert!(!reply.allowed(), "{images:?}: {reply:?}");
        assert_eq!(reply.json()["status"]["auditAnnotations"]["outcome"], "denied");
    }
    assert_eq!(touched.load(SeqCst), 0);
    // The others are looked at all the same: all reasons stand in one answer.
    let reply = rig.ask(&question(&["registry.example/eol:1", "evil.example/x:1"]));
    let reason = reply.reason();
    assert!(reason.contains("rule `allowed`") && reason.contains("`end-of-life`"), "{reason}");
    assert_eq!(touched.load(SeqCst), 2);
}

#[test]
fn past_the_bounds_on_work_new_images_are_refused() {
    let rig = rig(Choice {
        examiner: examiner(|name, _| {
            std::thread::sleep(Duration::from_millis(1200));
            Ok(evidence(name))
        }),
        bounds: budget(600),
        // Half of four: one namespace leaves the other half to others.
        work: Work { parallel_examinations: 1, waiting: 4, ..Work::default() },
        ..Choice::default()
    });
    let image = |n: usize| format!("registry.example/good@{}", digest_of(&n.to_string()));
    let images: Vec<String> = (0..5).map(image).collect();
    let images: Vec<&str> = images.iter().map(String::as_str).collect();
    let reply = rig.ask(&question(&images));
    assert!(!reply.allowed());
    let reason = reply.reason();
    assert!(reason.contains("it is being examined"), "{reason}");
    assert_eq!(reason.matches("too many images are being examined").count(), 3, "{reason}");
}

#[test]
fn past_the_bound_on_questions_the_answer_is_a_denial() {
    let rig = rig(Choice {
        examiner: examiner(|name, _| {
            std::thread::sleep(Duration::from_millis(800));
            Ok(evidence(name))
        }),
        bounds: Bounds { requests: 1, ..budget(5_000) },
        ..Choice::default()
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(|| rig.ask(&question(&[&good()])));
        std::thread::sleep(Duration::from_millis(300));
        let second = rig.ask(&question(&[&good()]));
        assert!(!second.allowed() && second.reason().contains("too many questions"), "{second:?}");
        assert!(first.join().unwrap().allowed());
    });
}

#[test]
fn told_to_stop_it_answers_what_is_under_way() {
    let rig = rig(Choice {
        examiner: examiner(|name, _| {
            std::thread::sleep(Duration::from_millis(800));
            Ok(evidence(name))
        }),
        ..Choice::default()
    });
    let address = rig.address;
    // The answer is read from a connection that was opened before the end began.
    let body = question(&[&good()]);
    let mut stream = rig.connect(Some(&rig.client), &[&rustls::version::TLS13]).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let stopping = std::thread::spawn(move || rig.stop());
    let mut raw = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut raw).unwrap();
    let reply = crate::rig::Reply::parse(&raw).unwrap();
    assert!(reply.allowed(), "{reply:?}");
    assert!(stopping.join().unwrap() < Duration::from_secs(5));
    std::net::TcpStream::connect(address).unwrap_err();
}

#[test]
fn what_cannot_be_recorded_is_not_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = Arc::new(Store::open(&state, Owner::Gate).unwrap());
    let rig = rig(Choice { recorder: Recorder::into(store).unwrap(), ..Choice::default() });
    assert!(rig.ask(&question(&[&good()])).allowed());
    // Somebody damages the store behind the gate's back.
    let other = rusqlite::Connection::open(state.join(Owner::Gate.file_name())).unwrap();
    other.execute("DROP TABLE blocks", []).unwrap();
    let reply = rig.ask(&question(&[&good()]));
    assert!(!reply.allowed(), "{reply:?}");
    assert!(reply.reason().contains("could not be recorded"), "{reply:?}");
}

/// What takes long to judge is judged aside, and said like anything else, once and again.
#[test]
fn an_image_with_very_many_gaps_is_judged_like_any_other() {
    let accepted = vec![AcceptedGap::everywhere(GapKind::UnparseableVersion)];
    for (accepted_gaps, allowed) in [(Vec::new(), false), (accepted, true)] {
        let examiner = examiner(|name, _| {
            let mut found = evidence(name);
            let gap =
                |n| Gap::new(GapKind::UnparseableVersion, format!("p{n}"), "it has no number");
            found.platforms[0].gaps = (0..5000).map(gap).collect();
            Ok(found)
        });
        let policy = Policy { accepted_gaps, ..Policy::default() };
        let rig = rig(Choice { examiner, policy, ..Choice::default() });
        for _ in 0..3 {
            let reply = rig.ask(&question(&[&good()]));
            assert_eq!(reply.allowed(), allowed, "{reply:?}");
            assert!(reply.body.len() < 10_000, "{}", reply.body.len());
            assert!(allowed || reply.reason().contains("unparseable-version"), "{reply:?}");
        }
    }
}
