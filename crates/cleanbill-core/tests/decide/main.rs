//! The judge: every reason, every permit, and that nothing unexamined is ever allowed.
#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, outside of test functions.

mod expressions;
mod monotone;
mod passing;
mod standing;
mod support;
mod untold;

use std::collections::BTreeSet;
use std::sync::Arc;

use cleanbill_core::evidence::{Evidence, FeedUse};
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::policy::{AcceptedGap, Exception, NamePattern, Policy, Scope};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Case, Outcome, PERMIT_SECONDS, Reason, Request, Verdict, decide};
use proptest::prelude::*;

use support::{DIGEST, OTHER, QUESTION, evidence, finding, now, pinned};

fn examined(image: &str, evidence: Evidence) -> Case {
    Case::new(image, Outcome::Examined(Arc::new(evidence)))
}

fn ask(cases: &[Case], policy: &Policy) -> Verdict {
    let images = cases.iter().map(|c| c.image.clone()).collect();
    decide(&Request::new(QUESTION, images), cases, policy, now()).verdict
}

/// `allow`, or `deny rule,rule…`, or `undecided`.
fn shown(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allow(_) => "allow".into(),
        Verdict::Undecided(_) => "undecided".into(),
        Verdict::Deny(denial) => {
            let reasons = denial.refused.iter().flat_map(|(_, r)| r);
            format!("deny {}", reasons.map(Reason::rule).collect::<Vec<_>>().join(","))
        }
    }
}

/// One pinned image with one finding under a changed policy.
fn check_finding(finding: Finding, change: impl Fn(&mut Policy), want: &str) {
    let image = pinned("a");
    let mut policy = Policy::default();
    change(&mut policy);
    let case = examined(&image, evidence(&image, vec![finding.clone()], Vec::new()));
    assert_eq!(shown(&ask(&[case], &policy)), want, "{policy:?} {finding:?}");
}

#[test]
fn severities_and_fixes() {
    use Severity::{Critical, High, Low, Medium, Unknown};
    // severity, fixed, highest allowed, unrated as, only fixable
    type Row = (Severity, bool, Option<Severity>, Severity, bool, &'static str);
    let table: &[Row] = &[
        (Medium, true, Some(Medium), Critical, false, "allow"),
        (High, true, Some(Medium), Critical, false, "deny highest_severity"),
        (Critical, true, None, Critical, false, "allow"),
        (Unknown, true, Some(Medium), Critical, false, "deny highest_severity"),
        (Unknown, true, Some(Medium), Low, false, "allow"),
        (Unknown, true, Some(Unknown), Low, false, "deny highest_severity"),
        (Low, true, Some(Unknown), Low, false, "deny highest_severity"),
        (Critical, false, Some(Medium), Critical, true, "allow"),
        (Critical, true, Some(Medium), Critical, true, "deny highest_severity"),
    ];
    for (severity, fixed, highest, unrated, only_fixable, want) in table {
        let status = if *fixed { Status::Fixed } else { Status::Affected };
        let change = |policy: &mut Policy| {
            policy.highest_severity = *highest;
            policy.unrated_as = *unrated;
            policy.only_fixable = *only_fixable;
        };
        check_finding(finding("CVE-1", *severity, status), change, want);
    }
}

#[test]
fn exceptions_cover_their_flaw_in_their_package_until_their_day_ends() {
    let table: &[(&str, Option<&str>, &str, bool)] = &[
        ("CVE-1", None, "2026-08-30", true),
        ("cve-1", Some("openssl"), "2027-01-01", true),
        ("GHSA-1", Some("libssl3"), "2027-01-01", true),
        ("CVE-1", Some("zlib"), "2027-01-01", false),
        ("CVE-1", None, "2026-08-29", false),
        ("CVE-2", None, "2027-01-01", false),
        ("ALSA-1", None, "2027-01-01", false),
    ];
    for (id, package, expires, covered) in table {
        let exception = Exception {
            id: (*id).into(),
            package: package.map(Into::into),
            reason: "r".into(),
            owner: "o".into(),
            expires: expires.parse().unwrap(),
            scope: Scope::default(),
        };
        let want = if *covered { "allow" } else { "deny highest_severity" };
        let change = |policy: &mut Policy| policy.exceptions = vec![exception.clone()];
        check_finding(finding("CVE-1", Severity::Critical, Status::Fixed), change, want);
    }
}

#[test]
fn names_gaps_and_evidence() {
    let pattern = |text: &str| NamePattern::try_from(text.to_owned()).unwrap();
    let a = pinned("reg.example/team/a");
    let clean = |image: &str| evidence(image, Vec::new(), Vec::new());
    let gap = |kind| Gap::new(kind, "x", "y");
    let plain = Policy::default();
    let accept = |kinds: &[GapKind]| Policy {
        accepted_gaps: kinds.iter().copied().map(AcceptedGap::everywhere).collect(),
        ..Policy::default()
    };
    let only = |text: &str| Policy { allowed: Some(vec![pattern(text)]), ..Policy::default() };
    let strict = Policy { digest_required: true, ..accept(&[GapKind::MutableReference]) };
    let with = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = clean(&a);
        change(&mut evidence);
        evidence
    };
    let fresh = |as_of: Option<&str>| {
        let as_of = as_of.map(|t| t.parse().unwrap());
        with(&|e| e.platforms[0].feeds = vec![FeedUse { feed: "osv:PyPI".into(), as_of }])
    };
    let table: Vec<(&str, &str, Evidence, Policy, &str)> = vec![
        ("clean", &a, clean(&a), plain.clone(), "allow"),
        (
            "no list",
            &a,
            clean(&a),
            Policy { allowed: Some(Vec::new()), ..plain.clone() },
            "deny allowed",
        ),
        ("below", &a, clean(&a), only("reg.example/team/*"), "allow"),
        ("elsewhere", &a, clean(&a), only("reg.example/tea/*"), "deny allowed"),
        ("exact", &a, clean(&a), only("reg.example/team"), "deny allowed"),
        ("tag", "nginx:1", clean("nginx:1"), plain.clone(), "deny accept_gaps"),
        ("tag taken", "nginx:1", clean("nginx:1"), accept(&[GapKind::MutableReference]), "allow"),
        (
            "other spelling",
            "nginx:1",
            clean("docker.io/library/nginx:1"),
            accept(&[GapKind::MutableReference]),
            "allow",
        ),
        ("digest wanted", "nginx:1", clean("nginx:1"), strict.clone(), "deny digest_required"),
        ("digest given", &a, clean(&a), strict, "allow"),
        (
            "gap",
            &a,
            with(&|e| e.gaps.push(gap(GapKind::EndOfLife))),
            plain.clone(),
            "deny accept_gaps",
        ),
        (
            "platform's gap",
            &a,
            with(&|e| e.platforms[0].gaps.push(gap(GapKind::EndOfLife))),
            plain.clone(),
            "deny accept_gaps",
        ),
        (
            "gap taken",
            &a,
            with(&|e| e.gaps.push(gap(GapKind::EndOfLife))),
            accept(&[GapKind::EndOfLife]),
            "allow",
        ),
        (
            "other gap taken",
            &a,
            with(&|e| e.gaps.push(gap(GapKind::EndOfLife))),
            accept(&[GapKind::StaleFeed]),
            "deny accept_gaps",
        ),
        ("feed fresh", &a, fresh(Some("2026-08-24T00:00:00Z")), plain.clone(), "allow"),
        (
            "feed grew stale since",
            &a,
            fresh(Some("2026-08-20T00:00:00Z")),
            plain.clone(),
            "deny accept_gaps",
        ),
        ("feed undated", &a, fresh(None), plain.clone(), "deny accept_gaps"),
        (
            "about another image",
            &a,
            clean(&pinned("reg.example/team/b")),
            plain.clone(),
            "deny request",
        ),
        ("resolved to another", &a, with(&|e| e.resolved = OTHER), plain.clone(), "deny request"),
        ("about no platform", &a, with(&|e| e.platforms.clear()), plain.clone(), "deny request"),
        (
            "one platform is bad",
            &a,
            with(&|e| {
                let mut second = e.platforms[0].clone();
                second.findings = vec![finding("CVE-1", Severity::High, Status::Fixed)];
                e.platforms.push(second);
            }),
            plain.clone(),
            "deny highest_severity",
        ),
    ];
    for (what, image, evidence, policy, want) in table {
        assert_eq!(shown(&ask(&[examined(image, evidence)], &policy)), want, "{what}");
    }
}

#[test]
fn requests_of_several_images() {
    let (a, b) = (pinned("a"), pinned("b"));
    let good = |image: &str| examined(image, evidence(image, Vec::new(), Vec::new()));
    let bad = |image: &str| {
        let flaw = finding("CVE-1", Severity::High, Status::Fixed);
        examined(image, evidence(image, vec![flaw], Vec::new()))
    };
    let failed = |image: &str| Case::new(image, Outcome::Failed("time".into()));
    let none = Case::new("A B", Outcome::NoReference("no name".into()));
    let refused = |image: &str| Case::new(image, Outcome::NameRefused(image.parse().unwrap()));
    let table: Vec<(Vec<&str>, Vec<Case>, &str)> = vec![
        (vec![], vec![], "deny request"),
        (vec![&a], vec![], "undecided"),
        (vec![&a], vec![good(&b)], "undecided"),
        (vec![&a, &b], vec![good(&a), good(&b)], "allow"),
        (vec![&a, &a], vec![good(&a)], "allow"),
        (vec![&a, &a], vec![bad(&a)], "deny highest_severity"),
        (vec![&a, &b], vec![good(&a)], "undecided"),
        (vec![&a, &b], vec![good(&a), failed(&b)], "undecided"),
        (vec![&a, &b], vec![bad(&a), failed(&b)], "deny highest_severity"),
        (vec![&a, &b], vec![failed(&a), bad(&b)], "deny highest_severity"),
        // What passed never outvotes what failed or was refused, in either order.
        (vec![&a], vec![good(&a), failed(&a)], "undecided"),
        (vec![&a], vec![failed(&a), good(&a)], "undecided"),
        (vec![&a, &a], vec![good(&a), bad(&a)], "deny highest_severity"),
        (vec!["A B"], vec![none], "deny image-name"),
        // Refused by name where the policy refuses no name: still no permit.
        (vec![&a], vec![refused(&a)], "deny request"),
        (vec![&a], vec![good(&a), refused(&a)], "deny request"),
    ];
    for (images, cases, want) in table {
        let images: Vec<String> = images.into_iter().map(Into::into).collect();
        let request = Request::new(QUESTION, images);
        let verdict = decide(&request, &cases, &Policy::default(), now()).verdict;
        assert_eq!(shown(&verdict), want, "{:?} {cases:?}", request.images);
        if let Verdict::Allow(permit) = verdict {
            let allowed = permit.spend(&QUESTION, now()).unwrap();
            let named: BTreeSet<&String> = request.images.iter().collect();
            assert_eq!(allowed.images().len(), named.len());
        }
    }
    // What was refused and what could not be examined are both told, each once.
    let images = vec![a.clone(), b.clone(), b.clone(), a.clone()];
    let request = Request::new(QUESTION, images);
    let cases = [bad(&a), failed(&b)];
    let judgement = decide(&request, &cases, &Policy::default(), now());
    let Verdict::Deny(denial) = judgement.verdict else {
        panic!("not denied");
    };
    assert_eq!((denial.refused.len(), denial.undecided.len()), (1, 1));
}

/// Cases, what will be pinned, policy; the verdict, and what it holds on condition of.
type Pinned<'a> = (Vec<Case>, &'a [&'a str], &'a Policy, &'a str, &'a [&'a str]);

#[test]
fn a_name_that_the_answer_pins_does_not_move_and_the_permit_says_so() {
    let (a, b) = (pinned("a"), "b:1".to_owned());
    let good = |image: &str| examined(image, evidence(image, Vec::new(), Vec::new()));
    let failed = |image: &str| Case::new(image, Outcome::Failed("down".into()));
    let accepting = Policy {
        accepted_gaps: vec![AcceptedGap::everywhere(GapKind::MutableReference)],
        ..Policy::default()
    };
    let strict = Policy { digest_required: true, ..accepting.clone() };
    let plain = Policy::default();
    let table: [Pinned<'_>; 8] = [
        (vec![good(&a), good(&b)], &[], &plain, "deny accept_gaps", &[]),
        (vec![good(&a), good(&b)], &["b:1"], &plain, "allow", &["b:1"]),
        // Another spelling is another name in the object.
        (vec![good(&a), good(&b)], &["docker.io/library/b:1"], &plain, "deny accept_gaps", &[]),
        // Also where a tag would do, so that what was judged is what is pinned.
        (vec![good(&a), good(&b)], &["b:1"], &accepting, "allow", &["b:1"]),
        (vec![good(&a), good(&b)], &[], &accepting, "allow", &[]),
        // What has a digest, or is not asked about, needs no pin.
        (vec![good(&a)], &[&a, "c:1"], &plain, "allow", &[]),
        (vec![good(&b)], &["b:1"], &strict, "deny digest_required", &[]),
        (vec![failed(&b)], &["b:1"], &plain, "undecided", &[]),
    ];
    for (cases, will, policy, want, pins) in table {
        let images = cases.iter().map(|c| c.image.clone()).collect();
        let will = will.iter().map(|i| (*i).to_owned()).collect();
        let request = Request { pinned: will, ..Request::new(QUESTION, images) };
        let verdict = decide(&request, &cases, policy, now()).verdict;
        assert_eq!(shown(&verdict), want, "{request:?}");
        let Verdict::Allow(permit) = verdict else { continue };
        let allowed = permit.spend(&QUESTION, now()).unwrap();
        let held: Vec<_> = pins.iter().map(|i| ((*i).to_owned(), DIGEST)).collect();
        assert_eq!(allowed.pins(), held, "{request:?}");
        assert!(held.iter().all(|pin| allowed.images().contains(pin)));
    }
}

#[test]
fn a_permit_is_good_for_its_question_and_for_a_while() {
    let image = pinned("a");
    let permit = || {
        let case = examined(&image, evidence(&image, Vec::new(), Vec::new()));
        match ask(&[case], &Policy::default()) {
            Verdict::Allow(permit) => permit,
            other @ (Verdict::Deny(_) | Verdict::Undecided(_)) => panic!("{other:?}"),
        }
    };
    let later = |seconds| now() + jiff::SignedDuration::from_secs(seconds);
    assert_eq!(permit().spend(&QUESTION, now()).unwrap().images(), [(image.clone(), DIGEST)]);
    assert!(permit().spend(&QUESTION, later(PERMIT_SECONDS - 1)).is_ok());
    assert!(permit().spend(&QUESTION, later(PERMIT_SECONDS)).is_err());
    assert!(permit().spend(&OTHER, now()).is_err());
}

/// Any outcome for one image, and whether it may be part of a permit under `policy_of`.
fn any_case(image: String) -> impl Strategy<Value = (Case, bool)> {
    (0..6u8, 0..GapKind::ALL.len(), 0..5usize).prop_map(move |(what, kind, severity)| {
        let kind = GapKind::ALL[kind];
        let severity = Severity::ALL[severity];
        let mut evidence = evidence(&image, Vec::new(), Vec::new());
        let mut passes = true;
        match what {
            0 => {
                return (Case::new(image.clone(), Outcome::Failed("x".into())), false);
            }
            1 => {
                evidence.gaps.push(Gap::new(kind, "x", "y"));
                passes = kind == GapKind::StaleFeed;
            }
            2 => {
                evidence.platforms[0].gaps.push(Gap::new(kind, "x", "y"));
                passes = kind == GapKind::StaleFeed;
            }
            3 => {
                evidence.platforms[0].findings.push(finding("CVE-1", severity, Status::Affected));
                passes = (Severity::Low..=Severity::Medium).contains(&severity);
            }
            4 => {
                evidence.resolved = OTHER;
                passes = false;
            }
            _ => {}
        }
        (examined(&image, evidence), passes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_permit_exactly_when_every_image_passes(
        cases in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]).prop_flat_map(|n| any_case(pinned(n))), 1..5),
    ) {
        let policy = Policy {
            accepted_gaps: vec![AcceptedGap::everywhere(GapKind::StaleFeed)],
            ..Policy::default()
        };
        let good = cases.iter().all(|(_, passes)| *passes);
        let cases: Vec<Case> = cases.into_iter().map(|(case, _)| case).collect();
        let allowed = matches!(ask(&cases, &policy), Verdict::Allow(_));
        prop_assert_eq!(allowed, good);
    }
}
