//! The answer for programs; described in `docs/output.md`.

use cleanbill_core::finding::Why;
use cleanbill_core::gap::Gap;
use cleanbill_core::matching::{Because, Elsewhere, Explained, LookedInto, NotAffected, Outcome};
use cleanbill_core::suppression::NotMeant;
use serde_json::{Value, json};

use super::{OfPackage, Told, layer, not_meant, word};
use crate::commands::explain::json::{epss, finding, gap};
use crate::report::suppressed::Said;

/// All of it.
pub(super) fn value(told: &Told) -> Value {
    let (report, explanation) = (&told.report, &told.explanation);
    let known = &explanation.known;
    let ratings = known
        .ratings
        .iter()
        .map(|r| json!({"source": r.source, "severity": r.severity.to_string(), "cvss": r.cvss}));
    json!({
        "id": told.id,
        "image": report.artifact_name,
        "platform": report.evidence.platform.as_ref().map(ToString::to_string),
        "digest": report.evidence.digest,
        "answer": word(told),
        "packages": explanation.packages.iter().zip(&told.said).map(|(one, said)| package(told, one, said)).collect::<Vec<_>>(),
        "lookedInto": explanation.streams.iter().map(stream).collect::<Vec<_>>(),
        "elsewhere": explanation.elsewhere.iter().map(elsewhere).collect::<Vec<_>>(),
        "known": {
            "ratings": ratings.collect::<Vec<_>>(),
            "epss": known.epss.map(epss),
            "exploited": known.exploited,
        },
        "notUnderstood": told.notes.kept().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "gaps": explanation.gaps.iter().map(|one| with_acceptance(told, one)).collect::<Vec<_>>(),
        "snapshot": report.snapshot.id.digest,
    })
}

fn with_acceptance(told: &Told, one: &Gap) -> Value {
    let concerns = told.explanation.packages.iter().any(|p| p.outcome.gap() == Some(one));
    let mut value = gap(one);
    if let Value::Object(fields) = &mut value {
        let accepted = told.accepted.contains(&one.kind) && !concerns;
        fields.insert("accepted".to_owned(), json!(accepted));
    }
    value
}

fn package(told: &Told, one: &Explained, of: &OfPackage) -> Value {
    let package = &one.package;
    let source = package.source.as_ref();
    json!({
        "id": one.id,
        "package": package.name,
        "version": package.version,
        "arch": package.arch,
        "purl": package.purl,
        "file": package.evidence,
        "layer": package.layer.map(|layer| layer.diff_id),
        "layerPlace": layer(told, package).map(|(at, _)| at),
        "source": source.map(|source| json!({"name": source.name, "version": source.version})),
        "changedFrom": package.changed_from,
        "outcome": outcome(&one.outcome),
        "leftOutBy": of.out.as_ref().map(said),
        "saidToo": of.though.as_ref().map(said),
        "moreNotMeant": of.more,
        "notMeant": of.asides.iter().map(aside).collect::<Vec<_>>(),
    })
}

fn said(one: &Said) -> Value {
    let Said { status, statement, source, place, time } = one;
    let time = time.as_ref().map(|(_, time)| time);
    json!({"status": status, "statement": statement, "file": source, "place": place, "time": time})
}

fn aside((one, why): &(Said, NotMeant)) -> Value {
    json!({"why": not_meant(*why), "said": said(one)})
}

fn outcome(outcome_: &Outcome) -> Value {
    match outcome_ {
        Outcome::Affected(f) => {
            json!({"is": "affected", "status": f.status.as_str(), "finding": finding(f)})
        }
        Outcome::NotAffected(reasons) => {
            let reasons: Vec<Value> = reasons.iter().map(reason).collect();
            json!({"is": "not-affected", "because": reasons})
        }
        Outcome::Unreadable(one) => json!({"is": "unreadable", "gap": gap(one)}),
        Outcome::NotCompared(one) => json!({"is": "not-compared", "gap": gap(one)}),
        Outcome::LeftToDistribution { owner, otherwise } => {
            json!({"is": "left-to-distribution", "owner": owner, "otherwise": outcome(otherwise)})
        }
    }
}

fn reason(reason: &NotAffected) -> Value {
    let (kind, version) = match &reason.because {
        Because::SaidSo => ("said-so", None),
        Because::Fixed(version) => ("fixed", Some(version)),
        Because::AfterLast(version) => ("after-last", Some(version)),
        Because::NotBelow(version) => ("not-below", Some(version)),
        Because::BeforeFirst(version) => ("before-first", Some(version)),
        Because::NotListed(_) => ("not-listed", None),
        Because::NothingNamed => ("nothing-named", None),
        Because::NoKernel => ("no-kernel", None),
        Because::OtherFlavour(version) => ("other-flavour", Some(version)),
        Because::OtherPackages { .. } => ("other-packages", None),
    };
    let (arches, module) = match &reason.because {
        Because::OtherPackages { arches, module } => (Some(arches), module.as_ref()),
        Because::SaidSo
        | Because::Fixed(_)
        | Because::AfterLast(_)
        | Because::NotBelow(_)
        | Because::BeforeFirst(_)
        | Because::NotListed(_)
        | Because::NothingNamed
        | Because::NoKernel
        | Because::OtherFlavour(_) => (None, None),
    };
    let Why { feed, stream, looked_up, compared, range } = &reason.why;
    json!({
        "advisory": reason.id,
        "why": kind,
        "version": version,
        "arches": arches,
        "module": module,
        "feed": feed,
        "stream": stream.to_string(),
        "lookedUp": looked_up,
        "compared": compared,
        "range": Some(range).filter(|range| !range.is_empty()),
    })
}

fn elsewhere(one: &Elsewhere) -> Value {
    let streams: Vec<String> = one.streams.iter().map(ToString::to_string).collect();
    json!({"name": one.name, "streams": streams})
}

fn stream(one: &LookedInto) -> Value {
    let feed = one.feed.as_ref();
    json!({
        "stream": one.stream.to_string(),
        "feed": feed.map(|feed| &feed.feed),
        "asOf": feed.and_then(|feed| feed.as_of),
        "names": one.names,
    })
}
