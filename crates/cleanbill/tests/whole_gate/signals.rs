//! SIGTERM and SIGINT on the real process: what is held is answered, then it ends with code 0.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::registry::{Fault, Registry};
use crate::rig::{Choice, Gate};

#[test]
fn told_to_end_it_answers_what_is_held_first() {
    for signal in ["TERM", "INT"] {
        let registry = Registry::start();
        let keys = format!("{}limits: {{drain: 1s, budget: 25s}}\n", registry.key());
        let mut gate = Gate::start(Choice { keys, ..Choice::default() });
        let (image, known) = (registry.clean("app"), registry.clean("known"));
        assert!(gate.ask(&[&known]).allowed);
        registry.fault(Fault::StallsInLayer);
        let id = std::thread::scope(|scope| {
            let held: Vec<_> = (0..4).map(|_| scope.spawn(|| gate.ask(&[&image]))).collect();
            registry.wait_for("app/blobs/");
            std::thread::sleep(Duration::from_millis(300));
            gate.signal(signal);
            gate.until("it says so", |gate| gate.get("/readyz").status == 503);
            assert!(gate.get("/readyz").body.contains("stopping"));
            assert!(gate.ask(&[&known]).allowed, "while it drains it answers");
            // Past the drain nobody new is let in.
            let end = Instant::now() + Duration::from_secs(30);
            while TcpStream::connect(gate.address()).is_ok() {
                assert!(Instant::now() < end);
                std::thread::sleep(Duration::from_millis(50));
            }
            registry.fault(Fault::Nothing);
            let answers: Vec<_> = held.into_iter().map(|h| h.join().unwrap()).collect();
            assert!(answers.iter().all(|a| a.allowed), "{answers:?}");
            answers[0].id().to_owned()
        });
        let status = gate.ended();
        assert_eq!(status.code(), Some(0), "{signal}\n{}", gate.log());
        assert_eq!(gate.recorded(&id).unwrap().outcome, "allowed");
    }
}

#[test]
fn what_never_ends_does_not_keep_it() {
    let registry = Registry::start();
    let keys = format!("{}limits: {{budget: 3s}}\n", registry.key());
    let mut gate = Gate::start(Choice { keys, ..Choice::default() });
    let image = registry.clean("app");
    registry.fault(Fault::StallsInLayer);
    let answer = std::thread::scope(|scope| {
        let held = scope.spawn(|| gate.ask(&[&image]));
        registry.wait_for("app/blobs/");
        gate.signal("TERM");
        held.join().unwrap()
    });
    assert!(answer.reason.contains("it is being examined"), "{answer:?}");
    let began = Instant::now();
    assert_eq!(gate.ended().code(), Some(0), "{}", gate.log());
    // Nobody waits for the examination, which has minutes left.
    assert!(began.elapsed() < Duration::from_secs(20));
    registry.fault(Fault::Nothing);
    gate.open();
    assert!(gate.ask(&[&image]).allowed);
}
