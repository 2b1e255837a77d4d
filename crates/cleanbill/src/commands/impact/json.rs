//! The comparison for programs; described in `docs/output.md`.

use cleanbill_advisory::Snapshot;
use serde_json::{Value, json};

use crate::commands::explain::json::{epss, gap};
use crate::impact::{Between, Compared, Difference, Flaw, Grounds, Impact, Outcome};

/// All of it.
pub(super) fn value(impact: &Impact, between: Between<'_>) -> Value {
    let unknown = impact.unknown.iter().map(|(name, why)| json!({"name": name, "why": why}));
    json!({
        "from": snapshot(between.from),
        "to": snapshot(between.to),
        "policy": between.policy.name,
        "judgedAt": between.now,
        "images": impact.images.iter().map(image).collect::<Vec<_>>(),
        "unknown": unknown.collect::<Vec<_>>(),
    })
}

fn snapshot(snapshot: &Snapshot) -> Value {
    let newest = snapshot.feeds().iter().filter_map(|feed| feed.as_of).max();
    json!({"digest": snapshot.digest(), "newest": newest, "starter": snapshot.is_starter()})
}

fn image(one: &Compared) -> Value {
    let known = &one.image;
    let judged = one.result.as_ref().ok();
    let outcomes = judged.iter().flat_map(|judged| &judged.outcomes);
    json!({
        "name": known.name,
        "digests": known.digests,
        "lastAsked": known.last,
        "namespaces": known.places.keys().collect::<Vec<_>>(),
        "moreNamespaces": known.more_places,
        "notJudged": one.result.as_ref().err(),
        "changed": judged.map(|judged| judged.changed()),
        "outcomes": outcomes.map(|(namespace, of)| outcome(namespace, of)).collect::<Vec<_>>(),
        "difference": judged.map(|judged| difference(&judged.difference)),
    })
}

fn outcome(namespace: &str, outcome: &Outcome) -> Value {
    json!({
        "namespace": namespace,
        "was": outcome.was,
        "is": outcome.is,
        "added": grounds(&outcome.added),
        "removed": grounds(&outcome.removed),
    })
}

fn grounds(grounds: &Grounds) -> Value {
    json!({
        "rules": grounds.rules,
        "flaws": grounds.flaws.iter().map(flaw).collect::<Vec<_>>(),
        "gaps": grounds.gaps.iter().map(gap).collect::<Vec<_>>(),
    })
}

fn difference(d: &Difference) -> Value {
    let flaws = |list: &[Flaw]| list.iter().map(flaw).collect::<Vec<_>>();
    let changed = d.changed.iter().map(|(was, is)| json!({"was": flaw(was), "is": flaw(is)}));
    json!({
        "new": flaws(&d.new),
        "gone": flaws(&d.gone),
        "changed": changed.collect::<Vec<_>>(),
        "newGaps": d.new_gaps.iter().map(gap).collect::<Vec<_>>(),
        "goneGaps": d.gone_gaps.iter().map(gap).collect::<Vec<_>>(),
        "more": d.more,
    })
}

fn flaw(flaw: &Flaw) -> Value {
    json!({
        "id": flaw.id,
        "package": flaw.package,
        "version": flaw.version,
        "severity": flaw.severity.to_string(),
        "status": flaw.status.as_str(),
        "fixed": flaw.fixed,
        "knownExploited": flaw.exploited,
        "epss": flaw.epss.map(epss),
        "feed": flaw.feed,
    })
}
