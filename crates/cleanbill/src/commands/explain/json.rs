//! A decision with all it rests on, for programs; described in `docs/output.md`.

use cleanbill_core::advisory::Epss;
use cleanbill_core::evidence::Evidence;
use cleanbill_core::finding::Finding;
use cleanbill_core::gap::Gap;
use cleanbill_core::opinion::{Answer, Opinion};
use serde_json::{Value, json};

use super::facts::{self, Broken, Image};
use super::grounds::{Grounds, Rematched};
use crate::commands::record;
use crate::store::{Decision, Place};

/// The decision as `decisions` has it, and more.
pub(super) fn value(decision: &Decision, grounds: &Grounds) -> Value {
    let mut value = record::value(decision);
    let each = |fields: Vec<Value>| Value::Array(fields);
    let more = [
        ("policyName", json!(grounds.policy_name)),
        ("replayed", json!(grounds.replayed)),
        ("gaps", json!(grounds.gaps.iter().map(|gap| &gap.what).collect::<Vec<_>>())),
        ("cases", each(facts::images(decision, grounds).iter().map(case).collect())),
        ("rules", each(facts::broken(decision, grounds).iter().map(rule).collect())),
        ("letInBy", json!(facts::leaned(decision, grounds))),
        ("advisories", advisories(decision, grounds)),
        ("rematched", each(grounds.rematched.iter().map(rematched).collect())),
    ];
    if let Value::Object(fields) = &mut value {
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    value
}

fn case(image: &Image<'_>) -> Value {
    json!({
        "image": image.name,
        "digests": image.digests,
        "came": image.came,
        "why": image.why,
        "platforms": image.evidence.iter().flat_map(|e| platforms(e)).collect::<Vec<_>>(),
        "opinions": image.opinions.iter().map(opinion).collect::<Vec<_>>(),
    })
}

fn platforms(evidence: &Evidence) -> impl Iterator<Item = Value> {
    evidence.platforms.iter().map(|p| {
        json!({
            "platform": p.platform.as_ref().map(ToString::to_string),
            "digest": p.digest,
            "distribution": p.distribution.as_ref().map(|d| &d.pretty_name),
            "packages": p.packages.len(),
            "findings": p.findings.iter().map(finding).collect::<Vec<_>>(),
            "gaps": p.gaps.iter().map(gap).collect::<Vec<_>>(),
        })
    })
}

fn opinion(opinion: &Opinion) -> Value {
    let (answer, words) = match &opinion.answer {
        Answer::Agrees => ("agrees", None),
        Answer::Disagrees { reason } => ("disagrees", Some(reason)),
        Answer::Silent { gap } => ("silent", Some(&gap.detail)),
    };
    json!({"checker": opinion.checker, "answer": answer, "words": words})
}

fn rule(rule: &Broken<'_>) -> Value {
    json!({
        "image": rule.image,
        "rule": rule.rule,
        "action": rule.action.as_str(),
        "why": rule.why,
        "findings": rule.findings.iter().map(|f| finding(f)).collect::<Vec<_>>(),
        "gaps": rule.gaps.iter().map(|g| gap(g)).collect::<Vec<_>>(),
    })
}

/// A finding, in one form for every command.
pub(in crate::commands) fn finding(f: &Finding) -> Value {
    json!({
        "id": f.id,
        "aliases": f.aliases,
        "severity": f.severity.to_string(),
        "package": f.package.name,
        "version": f.package.version,
        "purl": f.package.purl,
        "fixedVersions": f.fixed_versions,
        "knownExploited": f.known_exploited,
        "feed": f.why.feed,
        "stream": f.why.stream.to_string(),
        "lookedUp": f.why.looked_up,
        "compared": f.why.compared,
        "range": f.why.range,
        "file": f.package.evidence,
        "layer": f.package.layer.map(|layer| layer.diff_id),
    })
}

/// How likely a flaw is to be exploited, in one form for every command.
pub(in crate::commands) fn epss(epss: Epss) -> Value {
    json!({
        "probability": f64::from(epss.probability) / 1e5,
        "percentile": f64::from(epss.percentile) / 1e5,
    })
}

/// A gap, in one form for every command.
pub(in crate::commands) fn gap(gap: &Gap) -> Value {
    json!({
        "kind": gap.kind.as_str(),
        "subject": gap.subject,
        "detail": gap.detail,
        "nextStep": gap.kind.next_step(),
    })
}

fn advisories(decision: &Decision, grounds: &Grounds) -> Value {
    let Some(digest) = decision.snapshot else { return Value::Null };
    let noted = grounds.advisories.as_ref();
    let (place, why) = match noted.map(|noted| &noted.place) {
        Some(Place::File(file)) => (Some("file"), Some(file.display().to_string())),
        Some(Place::Program) => (Some("program"), None),
        Some(Place::Gone(why)) => (None, Some(why.clone())),
        None => (None, Some("it was not noted, or forgotten".to_owned())),
    };
    let feeds = facts::feeds(grounds);
    let feeds: Vec<Value> =
        feeds.into_iter().map(|feed| json!({"feed": feed.feed, "asOf": feed.as_of})).collect();
    json!({
        "digest": digest,
        "from": noted.map(|noted| &noted.from),
        "inForceSince": noted.and_then(|noted| noted.in_force),
        "kept": place,
        "where": why,
        "feeds": feeds,
    })
}

fn rematched(one: &Rematched) -> Value {
    json!({
        "evidence": one.evidence,
        "image": one.image,
        "same": one.is_same(),
        "onlyThen": one.only_then,
        "onlyNow": one.only_now,
    })
}
