//! A system that gives no random numbers: no decision can have an id that nobody can guess, so
//! none allows, and none ends as an HTTP error, which would let the pod in with `defaultAllow`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use cleanbill::serve::config::{Bounds, Unexamined};

use crate::rig::{Choice, evidence, examiner, good, question, rig};

#[test]
fn without_random_numbers_every_question_is_denied_and_the_next_is_not() {
    let words = "the gate could give its decision no id; try again";
    for when_unexamined in [Unexamined::Deny, Unexamined::Fail] {
        let none = Arc::new(AtomicBool::new(true));
        let failing = Arc::clone(&none);
        let mut examiner = examiner(|name, _| Ok(evidence(name)));
        examiner.id = Box::new(move || match failing.load(SeqCst) {
            true => Err("the system gives no random numbers".into()),
            false => cleanbill::serve::id::new().map_err(|e| e.to_string()),
        });
        let bounds = Bounds { when_unexamined, ..Choice::default().bounds };
        let rig = rig(Choice { examiner, bounds, ..Choice::default() });
        let (first, second) = (rig.ask(&question(&[&good()])), rig.ask(&question(&[&good()])));
        for reply in [&first, &second] {
            assert!(!reply.allowed() && reply.body.contains(words), "{reply:?}");
            let wanted = if when_unexamined == Unexamined::Fail { 403 } else { 200 };
            assert_eq!(reply.status, wanted, "{reply:?}");
            assert!(reply.body.contains("Decision u"), "marked as makeshift: {reply:?}");
        }
        assert_ne!(first.body, second.body, "each has an id of its own");
        let metric = "cleanbill_decisions_total{api=\"imagereview\",outcome=\"undecided\"} 2\n";
        assert!(rig.get("/metrics").body.contains(metric));
        none.store(false, SeqCst);
        assert!(rig.ask(&question(&[&good()])).allowed());
    }
}
