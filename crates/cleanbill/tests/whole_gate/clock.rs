//! A clock that is moved while the gate runs: nothing is allowed that the time forbids, nothing
//! waits for ever, and when the clock is right again so are the answers.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::registry::Registry;
use crate::rig::{Choice, Gate};

/// Debian's libfaketime, for programs with threads.
fn library() -> Option<PathBuf> {
    let found = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| {
        let path = entry.ok()?.path().join("faketime/libfaketimeMT.so.1");
        path.exists().then_some(path)
    });
    let found = found.last();
    if found.is_none() {
        let required = std::env::var_os("CLEANBILL_REQUIRE_PARTS").is_some();
        assert!(!required, "required, and not there: faketime");
        println!("skipped: a clock that moves (not there, install it: faketime)");
    }
    found
}

#[test]
fn a_clock_that_jumps_denies_what_is_too_old_and_is_believed_again() {
    let Some(library) = library() else { return };
    let registry = Registry::start();
    let clock = tempfile::NamedTempFile::new().unwrap();
    let set = |to: &str| std::fs::write(clock.path(), format!("{to}\n")).unwrap();
    set("+0");
    let env = vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", clock.path().display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        // As the kernel does when somebody sets the clock.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("NO_FAKE_STAT", "1".to_owned()),
    ];
    let policy = |days: u64| {
        format!("name: clock\nhighest_severity: none\naccept_gaps: []\nmax_feed_age: {days}d\n")
    };
    let keys = registry.key();
    let gate = Gate::start(Choice { keys, env, policy: policy(7), ..Choice::default() });
    let (image, new) = (registry.clean("app"), registry.clean("new"));
    // The advisories in the program are as old as they are; five days more are too much.
    let answer = gate.ask(&[&image]);
    let days = answer.reason.split(" days ago").next().and_then(|t| t.rsplit(' ').next());
    let days: u64 = days.unwrap().parse().unwrap_or_else(|e| panic!("{e}: {answer:?}"));
    let age = gate.metric("snapshot_age_seconds");
    gate.write("policy.yaml", policy(days + 5));
    gate.signal("HUP");
    gate.until("young enough", |gate| gate.ask(&[&image]).allowed);
    let mut answers = vec![gate.ask(&[&image])];

    let waited = Instant::now();
    for days in [10, 300] {
        set(&format!("+{days}d"));
        for image in [&image, &new] {
            let answer = gate.ask(&[image]);
            assert!(!answer.allowed && answer.status == 200, "{answer:?}");
            assert!(answer.reason.contains("`stale-feed`"), "{answer:?}");
            answers.push(answer);
        }
        let moved = gate.metric("snapshot_age_seconds");
        assert!(moved > age + 86_400.0 * f64::from(days - 1), "{moved}: the clock did move");
    }
    // Past the end of certificates, and before their beginning, nobody can ask.
    for to in ["+400d", "-3d", "-3000d"] {
        set(to);
        let refused = gate.metric("handshakes_refused_total");
        assert!(gate.try_ask(&[&image]).is_err(), "{to}");
        assert!(gate.metric("handshakes_refused_total") > refused, "{to}");
        assert_eq!(gate.get("/healthz").status, 200, "{to}");
        set("+0");
        let answer = gate.ask(&[&image]);
        assert!(answer.allowed, "{to}: {answer:?}");
        answers.push(answer);
    }
    // A little back: within the certificates' time, and yet before what was decided.
    set("-120s");
    let answer = gate.ask(&[&new]);
    assert!(answer.allowed, "{answer:?}");
    answers.push(answer);
    assert!(waited.elapsed() < Duration::from_secs(60), "no wait is by that clock");
    for answer in &answers {
        let kept = gate.recorded(answer.id()).unwrap_or_else(|| panic!("lost: {answer:?}"));
        assert_eq!(kept.outcome == "allowed", answer.allowed);
    }
}
