//! `kill -9`: in the middle of an examination nothing half-kept is believed afterwards, and in the
//! middle of recording everything that was answered "allowed" is in the record.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use cleanbill::quickstart::tar::Tar;

use crate::registry::{Fault, Image, Layer, Registry};
use crate::rig::{Answer, Choice, Gate};

/// Alpine's packages in one layer and a program in another, so that there is something to find.
fn flawed() -> Image {
    let release = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.9.0\n";
    let packages = "P:musl\nV:1.1.20-r3\nA:x86_64\no:musl\n\nP:libssl1.1\nV:1.1.1a-r1\nA:x86_64\n\
        o:openssl\n\n";
    let system = Tar::default()
        .file("etc/os-release", 0o644, release.as_bytes())
        .file("etc/alpine-release", 0o644, b"3.9.0\n")
        .file("lib/apk/db/installed", 0o644, packages.as_bytes())
        .finish();
    let more = Tar::default().file("etc/motd", 0o644, &[b'x'; 100_000]).finish();
    Image::new("flawed", vec![Layer::plain(system), Layer::plain(more)])
}

/// The words without the decision's id.
fn words(answer: &Answer) -> String {
    answer.reason.replace(answer.id(), "ID")
}

#[test]
fn killed_in_the_middle_of_an_examination_it_begins_anew() {
    let registry = Registry::start();
    let (bad, good) = (registry.push(&flawed()), registry.clean("good"));
    let choice = || Choice { keys: registry.key(), ..Choice::default() };
    let images = [bad.as_str(), good.as_str()];
    let mut fresh = Gate::start(choice());
    let wanted = fresh.ask(&images);
    assert!(!wanted.allowed && wanted.reason.contains("musl"), "{wanted:?}");
    let evidence = fresh.recorded(wanted.id()).unwrap().evidence;
    assert_eq!(evidence.len(), 2);
    fresh.kill();

    let mut gate = Gate::start(choice());
    for round in 0..3 {
        registry.fault(Fault::StallsInLayer);
        let asked = registry.asked().len();
        std::thread::scope(|scope| {
            let held = scope.spawn(|| gate.try_ask(&images));
            // Both are in the middle of their last layer; the layers before are kept already.
            while registry.asked()[asked..].iter().filter(|l| l.contains("/blobs/")).count() < 2 {
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(300));
            gate.signal("KILL");
            assert!(held.join().unwrap().is_err(), "round {round}: no answer is no permission");
        });
        gate.ended();
        registry.fault(Fault::Nothing);
        assert_eq!(gate.count(10), 0, "nothing was decided");
        gate.open();
    }
    let answer = gate.ask(&images);
    assert_eq!(words(&answer), words(&wanted));
    assert_eq!(gate.recorded(answer.id()).unwrap().evidence, evidence, "the same to the byte");
    assert!(gate.ask(&[&good]).allowed);
}

#[test]
fn what_was_answered_allowed_is_recorded_whenever_it_was_killed() {
    let registry = Registry::start();
    let mut gate = Gate::start(Choice { keys: registry.key(), ..Choice::default() });
    let image = registry.clean("app");
    assert!(gate.ask(&[&image]).allowed);
    let (mut all, mut unanswered) = (Vec::new(), 0);
    for round in 0..24 {
        let (answered, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        let broken = std::thread::scope(|scope| {
            let askers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut broken = 0;
                        while !over.load(SeqCst) {
                            match gate.try_ask(&[&image]) {
                                Ok(answer) => answered.lock().unwrap().push(answer),
                                Err(_) => broken += 1,
                            }
                        }
                        broken
                    })
                })
                .collect();
            // Not at the same moment each time.
            std::thread::sleep(Duration::from_millis(150 + 23 * (round % 8)));
            gate.signal("KILL");
            over.store(true, SeqCst);
            askers.into_iter().map(|a| a.join().unwrap()).sum::<usize>()
        });
        gate.ended();
        unanswered += broken;
        all.extend(answered.into_inner().unwrap());
        gate.open();
    }
    assert!(all.len() > 48 && unanswered > 0, "{} answers, {unanswered} broken", all.len());
    for answer in &all {
        assert!(answer.allowed, "{answer:?}");
        let kept = gate.recorded(answer.id()).unwrap_or_else(|| panic!("lost: {answer:?}"));
        assert_eq!((kept.outcome.as_str(), kept.images.len()), ("allowed", 1));
        assert_eq!(kept.images[0].0, image);
    }
    println!("{} answers before {} kills, all recorded", all.len(), 24);
}
