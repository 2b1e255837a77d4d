//! What gets past rules: break-glass, earlier admissions, registrations; and what never does.

use std::sync::Arc;

use cleanbill_core::asked::{Asked, Pod};
use cleanbill_core::digest::Digest;
use cleanbill_core::finding::Status;
use cleanbill_core::gap::GapKind;
use cleanbill_core::grant::Grant;
use cleanbill_core::opinion::Opinion;
use cleanbill_core::policy::{
    AcceptedGap, Agreement, BreakGlass, IssuerKey, NamePattern, Policy, Require, Scope,
};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{
    Case, Earlier, Leaned, Outcome, Registered, Request, Verdict, decide,
};
use jiff::SignedDuration;

use super::support::{DIGEST, OTHER, QUESTION, evidence, finding, now, pinned};
use super::{examined, shown};

const KEY: Digest = Digest::Sha256([5; 32]);

pub(crate) fn grant() -> Grant {
    Grant {
        id: "token".into(),
        key_id: KEY,
        namespace: "prod".into(),
        digests: vec![DIGEST],
        person: "anna".into(),
        reason: "INC-7".into(),
        not_before: now() - SignedDuration::from_hours(1),
        expires: now() + SignedDuration::from_hours(1),
    }
}

pub(crate) fn glass() -> Policy {
    let keys = vec![IssuerKey { id: KEY, pem: String::new() }];
    let (users, groups) = (vec!["eve".into()], vec!["oncall".into()]);
    Policy { break_glass: BreakGlass { keys, users, groups }, ..Policy::default() }
}

pub(crate) fn asked(user: &str, group: &str) -> Asked {
    let pod = Pod { user: user.into(), groups: vec![group.into()], ..Pod::default() };
    Asked { namespace: "prod".into(), pod: Some(pod), ..Asked::default() }
}

pub(crate) fn bad(image: &str) -> Case {
    let flaw = finding("CVE-1", Severity::Critical, Status::Fixed);
    examined(image, evidence(image, vec![flaw], Vec::new()))
}

fn failed(image: &str) -> Case {
    Case::new(image, Outcome::Failed("no registry".into()))
}

#[test]
fn break_glass_is_for_bytes_namespace_time_and_key() {
    let a = pinned("a");
    let nobody = || asked("bob", "dev");
    let tags = |policy: Policy| {
        let accepted_gaps = vec![AcceptedGap::everywhere(GapKind::MutableReference)];
        Policy { accepted_gaps, ..policy }
    };
    type Row = (&'static str, Case, Option<Grant>, Asked, Policy, &'static str);
    let table: Vec<Row> = vec![
        ("none", bad(&a), None, nobody(), glass(), "deny highest_severity"),
        ("good", bad(&a), Some(grant()), nobody(), glass(), "allow"),
        ("not read, but named by digest", failed(&a), Some(grant()), nobody(), glass(), "allow"),
        ("nobody knows the bytes", failed("a:1"), Some(grant()), nobody(), glass(), "undecided"),
        (
            "a tag may move",
            bad("a:1"),
            Some(grant()),
            nobody(),
            glass(),
            "deny highest_severity,accept_gaps",
        ),
        ("a tag that may", bad("a:1"), Some(grant()), nobody(), tags(glass()), "allow"),
        (
            "another namespace",
            bad(&a),
            Some(Grant { namespace: "dev".into(), ..grant() }),
            nobody(),
            glass(),
            "deny highest_severity",
        ),
        (
            "another digest",
            bad(&a),
            Some(Grant { digests: vec![OTHER], ..grant() }),
            nobody(),
            glass(),
            "deny highest_severity",
        ),
        (
            "expired",
            bad(&a),
            Some(Grant { expires: now(), ..grant() }),
            nobody(),
            glass(),
            "deny highest_severity",
        ),
        (
            "a key that the policy does not name",
            bad(&a),
            Some(Grant { key_id: OTHER, ..grant() }),
            nobody(),
            glass(),
            "deny highest_severity",
        ),
        (
            "no glass to break",
            bad(&a),
            Some(grant()),
            nobody(),
            Policy::default(),
            "deny highest_severity",
        ),
        ("a user", bad(&a), None, asked("eve", "dev"), glass(), "allow"),
        ("a group", failed(&a), None, asked("bob", "oncall"), glass(), "allow"),
        ("nobody knows whose bytes", failed("a:1"), None, asked("eve", "x"), glass(), "undecided"),
        (
            "no image name at all",
            Case::new("A B", Outcome::NoReference("no name".into())),
            None,
            asked("eve", "dev"),
            glass(),
            "deny image-name",
        ),
        (
            "evidence about something else",
            examined(&a, evidence(&pinned("b"), Vec::new(), Vec::new())),
            Some(grant()),
            asked("eve", "dev"),
            glass(),
            "deny request",
        ),
    ];
    for (what, case, grant, asked, policy, want) in table {
        let mut request = Request::new(QUESTION, vec![case.image.clone()]);
        request.asked = asked;
        request.grants.extend(grant);
        let judgement = decide(&request, std::slice::from_ref(&case), &policy, now());
        assert_eq!(shown(&judgement.verdict), want, "{what}");
        let broken = judgement
            .leaned
            .iter()
            .any(|l| matches!(l, Leaned::Grant { .. } | Leaned::User { .. }));
        assert_eq!(broken, want == "allow", "{what}: every use is told");
    }
}

#[test]
fn an_earlier_admission_stands_for_the_same_bytes_for_a_while() {
    let (a, b) = (pinned("a"), pinned("b"));
    let earlier = |images: &[(&str, Digest)], hours: i64| Earlier {
        decision: "before".into(),
        at: now() - SignedDuration::from_hours(hours),
        images: images.iter().map(|(i, d)| ((*i).to_owned(), *d)).collect(),
    };
    let good = |image: &str| examined(image, evidence(image, Vec::new(), Vec::new()));
    let keep = Policy { keep_admitted: Some(86_400), ..Policy::default() };
    let plain = Policy::default();
    let both: &[(&str, Digest)] = &[(&a, DIGEST), (&b, DIGEST)];
    let table: Vec<(&str, Vec<Case>, Earlier, &Policy, &str)> = vec![
        ("kept", vec![bad(&a), good(&b)], earlier(both, 1), &keep, "allow"),
        ("any order", vec![good(&b), bad(&a)], earlier(both, 1), &keep, "allow"),
        ("judged", vec![bad(&a), good(&b)], earlier(both, 1), &plain, "deny highest_severity"),
        ("too long ago", vec![bad(&a)], earlier(&both[..1], 25), &keep, "deny highest_severity"),
        ("in the future", vec![bad(&a)], earlier(&both[..1], -1), &keep, "deny highest_severity"),
        (
            "more images",
            vec![bad(&a), good(&b)],
            earlier(&both[..1], 1),
            &keep,
            "deny highest_severity",
        ),
        ("fewer images", vec![bad(&a)], earlier(both, 1), &keep, "deny highest_severity"),
        ("other bytes", vec![bad(&a)], earlier(&[(&a, OTHER)], 1), &keep, "deny highest_severity"),
        ("what was not looked at", vec![failed(&a)], earlier(&both[..1], 1), &keep, "undecided"),
    ];
    for (what, cases, earlier, policy, want) in table {
        let images = cases.iter().map(|c| c.image.clone()).collect();
        let request = Request { earlier: Some(earlier), ..Request::new(QUESTION, images) };
        let judgement = decide(&request, &cases, policy, now());
        assert_eq!(shown(&judgement.verdict), want, "{what}");
    }
}

#[test]
fn names_that_no_registry_has_are_decided_by_registrations_alone() {
    let name = "morc-api:0.1-5";
    let pattern = NamePattern::try_from("docker.io/library/morc-api".to_owned()).unwrap();
    let local = Policy { local_images: vec![pattern], digest_required: true, ..Policy::default() };
    let registered = |digest, findings| {
        let mut evidence = evidence(name, findings, Vec::new());
        evidence.resolved = digest;
        Registered { digest, node: "node-1".into(), evidence: Some(Arc::new(evidence)) }
    };
    let plain = Policy::default();
    let flaw = || vec![finding("CVE-1", Severity::Critical, Status::Fixed)];
    let clean = || registered(DIGEST, Vec::new());
    let unexamined = Registered { evidence: None, ..clean() };
    let swapped = Registered { digest: OTHER, ..clean() };
    let from_registry = || examined(name, evidence(name, Vec::new(), Vec::new()));
    let all = |all| Case::new(name, Outcome::Registered(all));
    let table: Vec<(&str, Case, &Policy, &str)> = vec![
        ("registered", all(vec![clean()]), &local, "allow"),
        ("on two nodes", all(vec![clean(), registered(OTHER, Vec::new())]), &local, "allow"),
        ("nothing", all(vec![]), &local, "deny local_images"),
        (
            "one node's is bad",
            all(vec![clean(), registered(OTHER, flaw())]),
            &local,
            "deny highest_severity",
        ),
        ("not examined", all(vec![unexamined]), &local, "deny accept_gaps"),
        ("evidence of other bytes", all(vec![swapped]), &local, "deny request"),
        ("a stranger's image", from_registry(), &local, "deny request"),
        ("registered, but not local", all(vec![clean()]), &plain, "deny request"),
    ];
    for (what, case, policy, want) in table {
        let request = Request::new(QUESTION, vec![name.into()]);
        let judgement = decide(&request, &[case], policy, now());
        assert_eq!(shown(&judgement.verdict), want, "{what}");
    }
}

#[test]
fn opinions_are_combined_as_the_policy_says() {
    let yes = |name: &str| Opinion::agrees(name);
    let no = |name: &str| Opinion::disagrees(name, "not ours");
    let silent = |name: &str| Opinion::silent(name, "no answer in time");
    type Row = (Require, Vec<Opinion>, bool, &'static str);
    let table: Vec<Row> = vec![
        (Require::All, vec![yes("a"), yes("b")], false, "allow"),
        (Require::All, vec![yes("a"), no("b")], false, "deny checkers"),
        (Require::All, vec![yes("a"), silent("b")], false, "deny accept_gaps"),
        (Require::All, vec![yes("a"), silent("b")], true, "allow"),
        (Require::All, vec![no("a"), silent("b")], true, "deny checkers"),
        (Require::All, vec![yes("a")], false, "deny accept_gaps"),
        (Require::All, vec![], false, "deny accept_gaps"),
        (Require::All, vec![yes("c"), yes("d")], false, "deny accept_gaps"),
        (Require::Any, vec![yes("a"), no("b")], false, "allow"),
        (Require::Any, vec![silent("a"), yes("b")], false, "allow"),
        (Require::Any, vec![no("a"), no("b")], false, "deny checkers,checkers"),
        (Require::Any, vec![no("a"), silent("b")], false, "deny checkers,accept_gaps"),
        (Require::Any, vec![silent("a"), silent("b")], false, "deny accept_gaps"),
    ];
    let image = pinned("a");
    for (require, opinions, accepted, want) in table {
        let names = vec!["a".into(), "b".into()];
        let mut policy = Policy {
            checkers: vec![Agreement { names, require, scope: Scope::default() }],
            ..Policy::default()
        };
        if accepted {
            policy.accepted_gaps.push(AcceptedGap::everywhere(GapKind::CheckerSilent));
        }
        let case = Case {
            opinions: opinions.clone(),
            ..examined(&image, evidence(&image, Vec::new(), Vec::new()))
        };
        let request = Request::new(QUESTION, vec![image.clone()]);
        let judgement = decide(&request, &[case], &policy, now());
        assert_eq!(shown(&judgement.verdict), want, "{require:?} {opinions:?}");
    }
    // Agreement takes one obstacle away and no other.
    let case = Case { opinions: vec![yes("a"), yes("b")], ..bad(&image) };
    let request = Request::new(QUESTION, vec![image]);
    assert!(!matches!(
        decide(&request, &[case], &Policy::default(), now()).verdict,
        Verdict::Allow(_)
    ));
}
