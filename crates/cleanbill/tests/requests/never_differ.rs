//! On the same facts the interfaces never differ: made-up policies, images and questions, each
//! asked as an `ImageReview`, of the validating and of the mutating webhook.
//!
//! The mutating webhook's answer differs in one thing, which is why it is also held against a
//! policy that accepts moving names: what it pins does not move.

use std::sync::Arc;

use base64::Engine as _;
use cleanbill::serve::examiner::{Examiner, Failed};
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{Evidence, FeedUse, SnapshotId};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::policy::{AcceptedGap, Policy};
use cleanbill_core::reference::ImageRef;
use cleanbill_core::verdict::Registered;
use cleanbill_trust::breakglass::ANNOTATION;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ask;
use crate::made_up::{Fact, Facts, Found, Question, digest, facts, policy, question, row};
use crate::rig::{self, Choice, Reply, Rig};
use crate::row::Row;
use crate::world;

fn evidence(name: &ImageRef, found: &Found) -> Evidence {
    let resolved = *name.digest().unwrap();
    let about = |kind: &GapKind| Gap::new(*kind, "x/y", "it was made up");
    let arm = found.arm.then(|| "linux/arm64".parse().unwrap());
    let mut platform = world::platform(arm, resolved);
    for (id, severity, fixed, exploited) in &found.flaws {
        let mut flaw = world::flaw(id, *severity, "libssl", if *fixed { "2-1" } else { "" });
        flaw.known_exploited = *exploited;
        platform.packages.push((*flaw.package).clone());
        platform.findings.push(flaw);
    }
    platform.gaps = found.gaps.1.iter().map(about).collect();
    platform.config.runs_as_root = found.root.clone();
    platform.config.created = platform.config.created.filter(|_| found.dated);
    if !found.fresh {
        platform.feeds[0].as_of = world::at("2026-08-01T00:00:00Z");
    }
    let known_exploited = Some(FeedUse { feed: "kev".into(), as_of: world::at(world::FEED) });
    Evidence {
        reference: name.clone(),
        resolved,
        platforms: vec![platform],
        gaps: found.gaps.0.iter().map(about).collect(),
        snapshot: SnapshotId {
            digest: world::SNAPSHOT,
            starter: false,
            known_exploited,
            epss: None,
        },
    }
}

fn examiner(facts: &Facts, question: &Question) -> Examiner {
    let (resolving, examining, registered) = (facts.clone(), facts.clone(), facts.clone());
    let (admitted, now) = (question.admitted, world::NOW.parse().unwrap());
    let earlier = "2026-08-30T06:00:00Z".parse().unwrap();
    Examiner {
        resolve: Box::new(move |name, _, _| match resolving.by_repository.get(&*name.name()) {
            Some(Fact::Lost) | None => Err(Failed::new("it cannot be reached", "lost")),
            Some(Fact::Broken | Fact::Swapped | Fact::Found(_)) => Ok(digest(&name.name())),
        }),
        snapshot: Box::new(|| Some(world::SNAPSHOT)),
        registered: Box::new(move |name| {
            let each = registered.registered.iter().map(|(digest, examined)| {
                let named: ImageRef = format!("{}@{digest}", name.name()).parse().unwrap();
                let fact = registered.by_repository.get(&*name.name());
                let found = match fact {
                    Some(Fact::Found(found)) if *examined => Some(evidence(&named, found)),
                    Some(_) | None => None,
                };
                Registered { digest: *digest, node: "n".into(), evidence: found.map(Arc::new) }
            });
            Ok(each.collect())
        }),
        admitted: Box::new(move |_, _| admitted.then(|| (earlier, "e".repeat(20)))),
        now: Box::new(move || now),
        id: Box::new(|| Ok(ask::ID.into())),
        ..rig::examiner(move |name, _| match examining.by_repository.get(&*name.name()) {
            Some(Fact::Found(found)) => Ok(evidence(name, found)),
            Some(Fact::Swapped) => {
                let other = format!("{}@{}", name.name(), Digest::Sha256([9; 32]));
                Ok(rig::evidence(&other.parse().unwrap()))
            }
            Some(Fact::Lost | Fact::Broken) | None => Err(Failed::new("it cannot be read", "no")),
        })
    }
}

fn gate(policy: &Policy, facts: &Facts, question: &Question) -> Rig {
    let examiner = examiner(facts, question);
    rig::rig(Choice { examiner, policy: policy.clone(), ..Choice::default() })
}

/// The question as the API server puts it: of the annotations it tells an `ImageReview` only some.
fn rows(question: &Question) -> (Row, Row) {
    let mut annotations = question.annotations.clone();
    if let Some(repositories) = &question.token {
        let digests: Vec<Digest> = repositories.iter().map(|r| digest(r)).collect();
        let time =
            ("2026-08-30T11:00:00Z".parse().unwrap(), "2026-08-30T13:00:00Z".parse().unwrap());
        let token = ask::issued(question.namespace, &digests, time, &world::KEYS[0]);
        annotations.insert(ANNOTATION.into(), token);
    }
    let whole = Row {
        images: question.images.iter().map(|image| format!("={image}")).collect(),
        namespace: question.namespace.into(),
        annotations,
        ..row()
    };
    let mut told = whole.clone();
    told.annotations.retain(|key, _| key.contains(".image-policy.k8s.io/"));
    (told, whole)
}

/// What is compared: whether it is allowed, the reasons, the audit annotations.
#[derive(Debug, PartialEq)]
struct Said {
    allowed: bool,
    why: String,
    notes: Value,
}

impl Said {
    /// The same without the policy's digest, for answers under two policies.
    fn whatever_the_policy(mut self) -> Self {
        self.notes.as_object_mut().unwrap().remove("policy");
        self
    }
}

fn send(gate: &Rig, path: &str, body: &str) -> Reply {
    let reply = gate.send(Some(&gate.client), path, body.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

fn reviewed(gate: &Rig, row: &Row) -> Said {
    let mut status = send(gate, "/review", &ask::image_review(row)).json()["status"].take();
    Said {
        allowed: status["allowed"] == true,
        why: status["reason"].as_str().unwrap_or_default().to_owned(),
        notes: status["auditAnnotations"].take(),
    }
}

/// And the warnings and the patch, where an `ImageReview` has no place for them.
fn admitted(gate: &Rig, path: &str, row: &Row) -> (Said, Value, Vec<Value>) {
    let mut response = send(gate, path, &ask::admission_review(row)).json()["response"].take();
    let patch = response["patch"].as_str().map_or_else(Vec::new, |patch| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    });
    let said = Said {
        allowed: response["allowed"] == true,
        why: response["status"]["message"].as_str().unwrap_or_default().to_owned(),
        notes: response["auditAnnotations"].take(),
    };
    (said, response["warnings"].take(), patch)
}

/// The values that a patch of pins for this question has.
fn pins(question: &Question) -> Vec<Value> {
    let by_tag = |image: &&String| {
        let name = image.parse::<ImageRef>();
        name.is_ok_and(|n| n.digest().is_none() && n.name() != "docker.io/library/own")
    };
    let pinned = |image: &String| {
        let name: ImageRef = image.parse().unwrap();
        json!(format!("{}@{}", name, digest(&name.name())))
    };
    question.images.iter().filter(by_tag).map(pinned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_interfaces_never_differ_on_the_same_facts(
        policy in policy(),
        facts in facts(),
        question in question(),
    ) {
        let (told, whole) = rows(&question);
        let first = gate(&policy, &facts, &question);
        let by_review = reviewed(&first, &told);
        let (validated, warnings, patch) = admitted(&first, "/validate", &whole);
        prop_assert_eq!(&by_review, &validated);
        prop_assert!(patch.is_empty());

        let (mutated, more, patch) = admitted(&first, "/mutate", &whole);
        let wanted = if mutated.allowed { pins(&question) } else { Vec::new() };
        let replaced = patch.iter().filter(|s| s["op"] == "replace").map(|s| s["value"].clone());
        prop_assert_eq!(replaced.collect::<Vec<_>>(), wanted);
        if pins(&question).is_empty() {
            prop_assert_eq!((&mutated, &more), (&validated, &warnings));
            return Ok(());
        }
        // What is pinned does not move, and that is the whole difference.
        let mut accepting = policy;
        accepting.accepted_gaps.push(AcceptedGap::everywhere(GapKind::MutableReference));
        let second = gate(&accepting, &facts, &question);
        let (validated, warnings, _) = admitted(&second, "/validate", &whole);
        let same = (mutated.whatever_the_policy(), more);
        prop_assert_eq!(same, (validated.whatever_the_policy(), warnings));
    }
}
