//! Registries that fail in every manner: what is said, what is recorded, and that the same
//! question is allowed once they are well again, without a restart.

use std::time::{Duration, Instant};

use cleanbill_oci::testing::free_port;

use crate::registry::{Fault, Registry, reached};
use crate::rig::{Choice, Gate};

/// Short, so that a test of what is late does not take long.
const LIMITS: &str = "limits: {budget: 2s, examination_time: 6s}\n";

const UNREAD: &str = "the image could not be read from its registry";
const LATE: &str = "it is being examined; try again in a moment";
const LIED: &str = "the image's content does not have its digest";

/// A repository's name, what is wrong, and the words of which some must be said.
type Row = (&'static str, Fault, &'static [&'static str]);

#[test]
fn a_registry_that_fails_ends_in_a_denial_and_is_asked_again() {
    let table: [Row; 13] = [
        ("hangs-up", Fault::HangsUp, &[UNREAD]),
        ("stalls-in-head", Fault::StallsInHead, &[LATE]),
        ("stalls-in-manifest", Fault::StallsInManifest, &[LATE]),
        ("stalls-in-layer", Fault::StallsInLayer, &[LATE]),
        ("fails", Fault::Fails, &[UNREAD]),
        // Without a time it is tried four times within a second or two; with a short one as well.
        ("too-many", Fault::TooMany(""), &[UNREAD, LATE]),
        ("too-many-soon", Fault::TooMany("Retry-After: 0"), &[UNREAD]),
        // Later than there is time for: told at once.
        ("too-many-later", Fault::TooMany("Retry-After: 25"), &[UNREAD]),
        ("too-many-much-later", Fault::TooMany("Retry-After: 3600"), &[UNREAD]),
        ("other-manifest", Fault::OtherManifest, &[LIED]),
        ("other-header", Fault::OtherHeader, &[LIED]),
        ("other-layer", Fault::OtherLayer, &[LIED]),
        ("other-config", Fault::OtherConfig, &[LIED]),
    ];
    std::thread::scope(|scope| {
        for part in table.chunks(7) {
            for when in ["deny", "fail"] {
                scope.spawn(move || check(part, when));
            }
        }
    });
}

fn check(table: &[Row], when: &str) {
    let registry = Registry::start();
    let keys = format!("{}{LIMITS}when_unexamined: {when}\n", registry.key());
    let gate = Gate::start(Choice { keys, ..Choice::default() });
    let mut recorded = 0;
    for (name, fault, wanted) in table {
        let case = format!("{name} ({when})");
        let image = registry.clean(name);
        registry.fault(*fault);
        let began = Instant::now();
        let answer = gate.ask(&[&image]);
        let took = began.elapsed();
        assert!(!answer.allowed, "{case}: {answer:?}");
        let said = wanted.iter().any(|words| answer.reason.contains(words));
        assert!(said, "{case}: {answer:?}");
        assert!(took < Duration::from_secs(20), "{case}: {took:?}");
        assert_eq!(answer.status, if when == "fail" { 403 } else { 200 }, "{case}");
        // Neither where the registry is nor what it said is told to whoever made the pod.
        for told in ["10.9.8.7", "slower", "attempts"] {
            assert!(!answer.reason.contains(told), "{case}: {answer:?}");
        }
        recorded += 1;
        let kept = gate.recorded(answer.id()).unwrap_or_else(|| panic!("{case}"));
        assert_eq!((kept.outcome.as_str(), kept.evidence.len()), ("undecided", 0), "{case}");
        registry.fault(Fault::Nothing);
        recorded += recovers(&gate, &image);
    }
    assert_eq!(gate.count(1000), recorded, "every answer is recorded once");
}

/// Asks until it is allowed: what began while the fault lasted may have to end first. Says how
/// often.
fn recovers(gate: &Gate, image: &str) -> usize {
    for asked in 1..=60 {
        let answer = gate.ask(&[image]);
        if answer.allowed {
            assert_eq!(gate.recorded(answer.id()).unwrap().outcome, "allowed");
            return asked;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("{image} is never allowed\n{}", gate.log());
}

#[test]
fn a_registry_that_is_down_is_found_again_when_it_is_up() {
    let port = free_port();
    let keys = format!("{}{LIMITS}", reached(&format!("127.0.0.1:{port}"), ""));
    let gate = Gate::start(Choice { keys, ..Choice::default() });
    let image = crate::registry::Image::clean("app");
    let name = format!("127.0.0.1:{port}/app@{}", image.digest());
    for name in [&name, &format!("127.0.0.1:{port}/app:1")] {
        let answer = gate.ask(&[name]);
        assert!(!answer.allowed && answer.reason.contains(UNREAD), "{answer:?}");
        assert_eq!(gate.recorded(answer.id()).unwrap().outcome, "undecided");
    }
    let registry = Registry::start_at(port);
    assert_eq!(registry.push(&image), name);
    recovers(&gate, &name);
    recovers(&gate, &format!("127.0.0.1:{port}/app:1"));
    // And down once more: what is known needs no registry, a tag does.
    drop(registry);
    assert!(gate.ask(&[&name]).allowed);
    let answer = gate.ask(&[&format!("127.0.0.1:{port}/app:1")]);
    assert!(!answer.allowed && answer.reason.contains(UNREAD), "{answer:?}");
}

#[test]
fn a_layer_that_always_breaks_off_is_never_believed() {
    let registry = Registry::start();
    let keys = format!("{}{LIMITS}", registry.key());
    let gate = Gate::start(Choice { keys, ..Choice::default() });
    let image = registry.clean("half");
    registry.fault(Fault::HalfLayer);
    let answer = gate.ask(&[&image]);
    assert!(!answer.allowed, "{answer:?}");
    registry.fault(Fault::Nothing);
    recovers(&gate, &image);
}
