//! Files of the running gate that are half written, corrupted or gone: the old ones stay in force,
//! the log, the probe and the metric say so, and a whole new one is taken.

use std::fs;
use std::time::Duration;

use crate::checker::policy_in_force;
use crate::registry::Registry;
use crate::rig::{Choice, Gate, POLICY, run};

const STARTER: &[u8] = include_bytes!("../../../cleanbill-advisory/data/starter.cbdb");

/// How a file is broken.
type Break = fn(&[u8]) -> Option<Vec<u8>>;

const GONE: Break = |_| None;
const EMPTY: Break = |_| Some(Vec::new());
const HALF: Break = |whole| Some(whole[..whole.len() / 2].to_vec());
/// One bit in the middle of what it says.
const BIT: Break = |whole| {
    let mut bytes = whole.to_vec();
    let at = bytes.len() / 2;
    bytes[at] ^= 2;
    Some(bytes)
};
const ZEROS: Break = |whole| Some(vec![0; whole.len()]);

#[test]
fn broken_files_leave_the_old_ones_in_force_and_whole_ones_are_taken() {
    let table: [(&str, &str, &[Break]); 6] = [
        ("policy.yaml", "policy", &[GONE, EMPTY, HALF, ZEROS]),
        ("server.crt", "certificates", &[GONE, EMPTY, HALF, BIT, ZEROS]),
        ("server.key", "certificates", &[GONE, EMPTY, HALF, BIT]),
        ("ca.crt", "certificates", &[GONE, EMPTY, HALF, ZEROS]),
        ("advisories", "advisories", &[GONE, EMPTY, HALF, BIT, ZEROS]),
        ("cleanbill.yaml", "configuration", &[GONE, EMPTY, HALF, ZEROS]),
    ];
    let registry = Registry::start();
    let gate = Gate::start(Choice {
        keys: format!("{}db: advisories\n", registry.key()),
        // A key that half of the file does not close.
        policy: format!("{POLICY}local_images: [\"morc-api\", \"morc-web\"]\n"),
        files: vec![("advisories", STARTER.to_vec())],
        ..Choice::default()
    });
    let image = registry.clean("app");
    let first = gate.ask(&[&image]);
    assert!(first.allowed, "{first:?}");
    for (name, what, breaks) in table {
        let whole = fs::read(gate.path(name)).unwrap();
        let failing = format!("reload_failing{{what=\"{what}\"}} ");
        let failures = format!("reload_failures_total{{what=\"{what}\"}}");
        for (n, broken) in breaks.iter().enumerate() {
            let case = format!("{name}, {n}");
            let before = gate.metric(&failures);
            match broken(&whole) {
                // Renamed, as a snapshot has to be.
                Some(bytes) => gate.swap(name, bytes),
                None => fs::remove_file(gate.path(name)).unwrap(),
            }
            gate.signal("HUP");
            gate.until(&case, |gate| gate.metric(&failures) > before);
            assert!(gate.counted(&format!("{failing}1")), "{case}");
            let ready = gate.get("/readyz");
            assert_eq!(ready.status, 200, "{case}: {ready:?}");
            let told = format!("not reloaded, the old stays in force: {what}\n");
            assert!(ready.body.contains(&told), "{case}: {ready:?}");
            assert!(gate.log().contains("not reloaded: the old one stays in force"), "{case}");
            let answer = gate.ask(&[&image]);
            assert!(answer.allowed, "{case}: {answer:?}");
            for note in ["policy", "snapshot"] {
                assert_eq!(answer.note(note), first.note(note), "{case}");
            }
        }
        gate.swap(name, &whole);
        gate.signal("HUP");
        gate.until(name, |gate| gate.counted(&format!("{failing}0")));
        assert_eq!(gate.get("/readyz").body, "ok\n", "{name}");
        assert!(gate.ask(&[&image]).allowed, "{name}");
    }
    // And after all that new ones are taken, each whole.
    gate.swap("policy.yaml", POLICY.replace("whole", "new"));
    gate.signal("HUP");
    gate.until("a new policy", |gate| policy_in_force(gate, &image) == "new");
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&cleanbill_advisory::Gathered::default(), &mut bytes).unwrap();
    gate.swap("advisories", &bytes);
    gate.signal("HUP");
    // Nobody's advisories cover Go any more: known images are judged by that at once.
    gate.until("new advisories", |gate| !gate.ask(&[&image]).allowed);
    let answer = gate.ask(&[&image]);
    assert!(answer.reason.contains("not examined (rule `accept_gaps`)"), "{answer:?}");
    assert_ne!(answer.note("snapshot"), first.note("snapshot"));
}

#[test]
fn without_a_signal_files_are_looked_at_and_half_written_ones_are_waited_for() {
    let registry = Registry::start();
    let gate = Gate::start(Choice { keys: registry.key(), ..Choice::default() });
    let image = registry.clean("app");
    // Caught in the middle of being written, and whole before it is looked at twice.
    gate.write("policy.yaml", "name: second\nhighest_sev");
    std::thread::sleep(Duration::from_millis(500));
    gate.write("policy.yaml", POLICY.replace("whole", "second"));
    gate.until("the second", |gate| policy_in_force(gate, &image) == "second");
    assert!(gate.counted("reload_failures_total{what=\"policy\"} 0"), "{}", gate.log());
    assert!(gate.counted("reload_failing{what=\"policy\"} 0"));
    // Broken for good.
    gate.write("policy.yaml", "name: third\nhighest_sev");
    gate.until("refused", |gate| gate.counted("reload_failing{what=\"policy\"} 1"));
    assert_eq!(policy_in_force(&gate, &image), "second");
    std::thread::sleep(Duration::from_secs(5));
    assert!(gate.counted("reload_failures_total{what=\"policy\"} 1"), "told once");
    gate.write("policy.yaml", POLICY.replace("whole", "third"));
    gate.until("the third", |gate| policy_in_force(gate, &image) == "third");
    // Certificates of the same authority, made anew.
    let taken = |gate: &Gate| gate.counted("reloads_total{what=\"certificates\"} 1");
    // A policy is in force a moment before it is counted.
    gate.until("both counted", |gate| gate.counted("reloads_total{what=\"policy\"} 2"));
    assert!(!taken(&gate));
    let other = tempfile::tempdir().unwrap();
    run(crate::rig::cleanbill().arg("setup").arg(other.path()).arg("--force"));
    for name in ["ca.crt", "server.crt", "server.key"] {
        gate.swap(name, fs::read(other.path().join(name)).unwrap());
    }
    gate.until("new certificates", taken);
    assert!(gate.try_ask(&[&image]).is_err(), "clients of the authority before are refused");
}
