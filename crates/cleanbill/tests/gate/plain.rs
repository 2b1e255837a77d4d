//! The plain port: alive, ready, counted; and nothing else.

use cleanbill::serve::examiner::Examiner;

use crate::rig::{Choice, evidence, examiner, good, question, rig};

#[test]
fn ready_is_said_only_when_a_question_could_be_decided() {
    let rig_ready = rig(Choice::default());
    assert_eq!(rig_ready.get("/healthz").status, 200);
    assert_eq!(rig_ready.get("/readyz").status, 200);
    let missing = rig(Choice {
        examiner: Examiner {
            ready: Box::new(|| Err("the snapshot is not there".into())),
            ..examiner(|name, _| Ok(evidence(name)))
        },
        ..Choice::default()
    });
    let reply = missing.get("/readyz");
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("the snapshot is not there"), "{reply:?}");
    assert_eq!(missing.get("/healthz").status, 200, "alive all the same");
    let panics = rig(Choice {
        examiner: Examiner {
            ready: Box::new(|| panic!("no readiness")),
            ..examiner(|name, _| Ok(evidence(name)))
        },
        ..Choice::default()
    });
    assert_eq!(panics.get("/readyz").status, 503);
}

#[test]
fn metrics_count_decisions_and_questions_are_not_answered_here() {
    let rig = rig(Choice::default());
    rig.ask(&question(&[&good()]));
    // The second time from memory.
    rig.ask(&question(&["registry.example/eol:1"]));
    rig.ask(&question(&["registry.example/eol:1"]));
    rig.ask(&question(&["registry.example/lost:1"]));
    rig.ask("{");
    let text = rig.get("/metrics").body;
    for line in [
        "decisions_total{api=\"imagereview\",outcome=\"allowed\"} 1",
        "decisions_total{api=\"imagereview\",outcome=\"denied\"} 2",
        "decisions_total{api=\"imagereview\",outcome=\"undecided\"} 1",
        "decisions_total{api=\"imagereview\",outcome=\"malformed\"} 1",
        "decision_seconds_count{outcome=\"allowed\"} 1",
        "questions_in_flight 0",
        "examinations_total 2",
        "gaps_total{kind=\"end-of-life\"} 2",
        "gaps_total{kind=\"mutable-reference\"} 2",
    ] {
        assert!(text.contains(&format!("cleanbill_{line}\n")), "{line} in {text}");
    }
    assert_eq!(rig.get("/review").status, 404);
}
