//! The same question again: told the same while the judge would say the same, recorded each time; and told otherwise as
//! soon as anything is otherwise.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use cleanbill::serve::live::Rules;
use cleanbill::serve::record::Recorder;
use cleanbill::store::{Owner, Store, Wanted};
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{AcceptedGap, Action, Condition, Expression, Policy, Rule, Scope};
use jiff::SignedDuration;

use super::rig::{Choice, Rig, evidence, examiner, good, question, rig};

/// What the gate's examiner says, and can be moved under it.
struct World {
    rig: Rig,
    store: Arc<Store>,
    /// Seconds by which its clock is ahead.
    ahead: Arc<AtomicI64>,
    advisories: Arc<Mutex<Digest>>,
    examined: Arc<AtomicUsize>,
    dir: tempfile::TempDir,
}

fn world() -> World {
    world_of(Policy::default())
}

/// Under this policy, which accepts ends of life besides.
fn world_of(policy: Policy) -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("state"), Owner::Gate).unwrap());
    let (ahead, examined) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicUsize::new(0)));
    let advisories = Arc::new(Mutex::new(Digest::Sha256([2; 32])));
    let (counted, newest) = (Arc::clone(&examined), Arc::clone(&advisories));
    let mut examiner = examiner(move |name, _| {
        counted.fetch_add(1, SeqCst);
        let mut found = evidence(name);
        found.snapshot.digest = *newest.lock().unwrap();
        Ok(found)
    });
    // Noon, so that an hour more is the same day.
    let noon: Timestamp = "2026-10-01T12:00:00Z".parse().unwrap();
    let (moved, newest) = (Arc::clone(&ahead), Arc::clone(&advisories));
    examiner.now = Box::new(move || noon + SignedDuration::from_secs(moved.load(SeqCst)));
    examiner.snapshot = Box::new(move || Some(*newest.lock().unwrap()));
    let gaps = vec![AcceptedGap::everywhere(GapKind::EndOfLife)];
    let rig = rig(Choice {
        examiner,
        policy: Policy { accepted_gaps: gaps, ..policy },
        recorder: Recorder::into(Arc::clone(&store)).unwrap(),
        ..Choice::default()
    });
    World { rig, store, ahead, advisories, examined, dir }
}

impl World {
    /// Whether it is allowed, how often the image was examined, and whether it was told in the
    /// words of before.
    fn ask(&self, body: &str) -> (bool, usize, bool) {
        let repeated = || self.rig.handles().metrics.repeated.load(SeqCst);
        let (examined, before) = (self.examined.load(SeqCst), repeated());
        let allowed = self.rig.ask(body).allowed();
        (allowed, self.examined.load(SeqCst) - examined, repeated() > before)
    }
}

#[test]
fn the_same_is_told_and_each_time_recorded() {
    let world = world();
    let eol = good().replace("good", "eol");
    // One that leans on an accepted gap, one of two images, and one that is not allowed.
    for (images, repeats) in [
        (vec![good()], true),
        (vec![eol], true),
        (vec![good(), good().replace("good", "other")], true),
        // By a tag, so that somebody has to be asked each time.
        (vec!["registry.example/good:1".to_owned()], false),
        (vec!["not an image".to_owned()], false),
    ] {
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        let body = question(&images);
        let known = world.store.decisions(&Wanted::default(), 99).unwrap().len();
        let mut replies = Vec::new();
        for n in 0..5 {
            let before = world.rig.handles().metrics.repeated.load(SeqCst);
            replies.push(world.rig.ask(&body));
            let repeated = world.rig.handles().metrics.repeated.load(SeqCst) - before;
            // The first is examined, the second found in memory, the third told again.
            assert_eq!(repeated, u64::from(repeats && n >= 2), "{images:?} {n}");
        }
        let decisions = world.store.decisions(&Wanted::default(), 99).unwrap().split_off(known);
        let ids: Vec<&str> = decisions.iter().map(|(_, d)| d.id.as_str()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 5, "{ids:?}");
        let without = |text: &str, id: &str| text.replace(id, "ID");
        for ((_, decision), reply) in decisions.iter().zip(&replies) {
            assert!(reply.body.contains(&decision.id), "{reply:?}");
            assert_eq!(without(&reply.body, &decision.id), without(&replies[0].body, ids[0]));
            let mut same = decisions[0].1.clone();
            same.reason = without(&same.reason, ids[0]);
            let mut this = decision.clone();
            this.reason = without(&this.reason, &decision.id);
            (same.id, same.time) = (this.id.clone(), this.time);
            (same.latency_us, same.judged_at) = (this.latency_us, this.judged_at);
            assert_eq!(this, same);
            assert!(!this.evidence.is_empty() || !repeats);
        }
    }
}

#[test]
fn what_is_otherwise_is_told_otherwise() {
    let body = question(&[&good().replace("good", "eol")]);
    let ready = || {
        let world = world();
        assert_eq!(world.ask(&body), (true, 1, false));
        assert_eq!(world.ask(&body), (true, 0, false));
        assert_eq!(world.ask(&body), (true, 0, true));
        world
    };

    // Rules that are stricter hold for the next question; the same ones loaded anew change nothing.
    let world = ready();
    let rules = |policy| Rules::new(policy, Timestamp::now()).unwrap();
    let gaps = vec![AcceptedGap::everywhere(GapKind::EndOfLife)];
    let same = || Policy { accepted_gaps: gaps.clone(), ..Policy::default() };
    world.rig.handles().rules.replace(rules(same()));
    assert_eq!(world.ask(&body), (true, 0, false));
    assert_eq!(world.ask(&body), (true, 0, true));
    world.rig.handles().rules.replace(rules(Policy::default()));
    assert_eq!(world.ask(&body), (false, 0, false));
    assert_eq!(world.ask(&body), (false, 0, false));

    // Other advisories: matched anew.
    let world = ready();
    *world.advisories.lock().unwrap() = Digest::Sha256([3; 32]);
    assert_eq!(world.ask(&body), (true, 1, false));

    // Evidence is believed for an hour, and not before it was gathered.
    for (ahead, examined) in [(3_599, 0), (3_600, 1), (-1, 1), (12 * 3_600, 1)] {
        let world = ready();
        world.ahead.store(ahead, SeqCst);
        let (allowed, again, repeated) = world.ask(&body);
        assert_eq!((allowed, again, repeated), (true, examined, examined == 0), "{ahead}");
    }

    // What cannot be recorded is not allowed, also the hundredth time.
    let world = ready();
    let file = world.dir.path().join("state").join(Owner::Gate.file_name());
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute("DROP TABLE blocks", []).unwrap();
    let reply = world.rig.ask(&body);
    assert!(!reply.allowed() && reply.reason().contains("could not be recorded"), "{reply:?}");
}

/// A policy that refuses where this expression is true.
fn says(source: &str) -> Policy {
    let refuse =
        Condition { expression: Some(Expression::new(source).unwrap()), ..Condition::default() };
    let (name, scope, action) = ("r".into(), Scope::default(), Action::Enforce);
    let rules = vec![Rule { name, scope, refuse, action, message: None }];
    Policy { rules, ..Policy::default() }
}

#[test]
fn what_hangs_on_the_instant_is_judged_each_time() {
    let body = question(&[&good()]);
    for (source, repeats, later) in [
        ("now > timestamp('2026-10-01T12:30:00Z')", false, false),
        ("image.repository == 'other' && now > timestamp('2026-10-01T12:30:00Z')", true, true),
        ("image.repository == 'other'", true, true),
    ] {
        let world = world_of(says(source));
        assert_eq!(world.ask(&body), (true, 1, false), "{source}");
        assert_eq!(world.ask(&body), (true, 0, false), "{source}");
        assert_eq!(world.ask(&body), (true, 0, repeats), "{source}");
        assert_eq!(world.ask(&body), (true, 0, repeats), "{source}");
        world.ahead.store(1_801, SeqCst);
        assert_eq!(world.ask(&body), (later, 0, repeats), "{source}");
    }
}
