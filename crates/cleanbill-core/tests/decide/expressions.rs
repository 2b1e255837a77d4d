//! Rules in CEL: what they see, and that what has no value refuses.

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanbill_core::asked::{Asked, Pod};
use cleanbill_core::evidence::FeedUse;
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::image::RunsAs;
use cleanbill_core::policy::{Action, Because, Condition, Expression, Policy, Rule, Scope};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Case, Outcome, Reason, Request, Verdict, decide};

use super::support::{QUESTION, evidence, finding, now, pinned};

fn policy(source: &str) -> Policy {
    let expression = Some(Expression::new(source).unwrap_or_else(|m| panic!("{source}: {m:?}")));
    let refuse = Condition { expression, ..Condition::default() };
    let (name, scope, message) = ("r".to_owned(), Scope::default(), None);
    let rules = vec![Rule { name, scope, refuse, action: Action::Enforce, message }];
    let gaps = GapKind::ALL.iter().copied().map(cleanbill_core::policy::AcceptedGap::everywhere);
    let accepted_gaps = gaps.collect();
    Policy { highest_severity: None, rules, accepted_gaps, ..Policy::default() }
}

fn pod() -> Pod {
    let labels = BTreeMap::from([("tier".to_owned(), "backend".to_owned())]);
    let groups = vec!["dev".to_owned()];
    Pod { user: "anna".into(), groups, labels, service_account: "builder".into() }
}

/// Empty where it is allowed, otherwise what the rule says.
fn said(source: &str, pod: Option<Pod>) -> String {
    let mut found = finding("CVE-1", Severity::Unknown, Status::Fixed);
    found.fixed_versions = vec!["3.0-2".into()];
    said_of(source, pod, found, None)
}

/// The same of a finding, with a list of exploited flaws.
fn said_of(source: &str, pod: Option<Pod>, found: Finding, exploited: Option<FeedUse>) -> String {
    let image = pinned("registry.example/team/app:1.2");
    let gap = Gap::new(GapKind::StaleFeed, "osv:Debian", "old");
    let mut evidence = evidence(&image, vec![found.clone()], vec![gap]);
    evidence.snapshot.known_exploited = exploited;
    for platform in &mut evidence.platforms {
        platform.packages = vec![(*found.package).clone()];
        platform.platform = "linux/amd64".parse().ok();
        platform.config.runs_as_root = RunsAs::Root;
        platform.config.created = "2026-01-01T00:00:00Z".parse().ok();
    }
    let annotations =
        BTreeMap::from([("a.image-policy.k8s.io/ticket".to_owned(), "T-1".to_owned())]);
    let asked = Asked { namespace: "prod".into(), annotations, pod };
    let request = Request { asked, ..Request::new(QUESTION, vec![image.clone()]) };
    let cases = [Case::new(image, Outcome::Examined(Arc::new(evidence)))];
    match decide(&request, &cases, &policy(source), now()).verdict {
        Verdict::Allow(_) => String::new(),
        Verdict::Undecided(why) => panic!("{source}: {why:?}"),
        Verdict::Deny(denial) => {
            let [(_, reasons)] = denial.refused.as_slice() else { panic!("{denial:?}") };
            let [Reason::Rule { because, .. }] = reasons.as_slice() else { panic!("{reasons:?}") };
            let [Because::Expression(says)] = because.as_slice() else { panic!("{because:?}") };
            says.clone()
        }
    }
}

#[test]
fn an_expression_sees_what_was_asked_and_found() {
    for holds in [
        "image.registry == 'registry.example' && image.repository == 'team/app'",
        "image.name == 'registry.example/team/app' && image.tag == '1.2' && image.pinned",
        "image.digest.startsWith('sha256:0707')",
        "request.namespace == 'prod' && request.user == 'anna' && 'dev' in request.groups",
        "'tier' in request.labels && request.labels['tier'] == 'backend'",
        "request.service_account == 'builder'",
        "'a.image-policy.k8s.io/ticket' in request.annotations",
        "platform.os == 'linux' && platform.arch == 'amd64' && !has(platform.variant)",
        "config.runs_as_root && config.user == ''",
        "now - config.created > duration('2400h')",
        "!has(distribution.id)",
        "findings.exists(f, f.id == 'CVE-1' && 'GHSA-1' in f.aliases && f.fixable)",
        "findings.exists(f, f.severity == 'critical' && f.severity_rank == 4)",
        "findings.exists(f, f.package.source == 'openssl' && f.fixed_versions == ['3.0-2'])",
        "packages.exists(p, p.name == 'libssl3' && p.kind == 'deb' && p.version == '3.0-1')",
        "gaps.exists(g, g.kind == 'stale-feed' && g.subject == 'osv:Debian' && g.detail == 'old')",
    ] {
        assert_eq!(said(holds, Some(pod())), "its expression holds", "{holds}");
        let not = format!("({holds}) && request.namespace == 'elsewhere'");
        assert_eq!(said(&not, Some(pod())), "", "{not}");
    }
}

#[test]
fn what_has_no_value_refuses() {
    let many = "[1,2,3,4,5,6,7,8,9,0]";
    let costly = format!(
        "{many}.all(a, {many}.all(b, {many}.all(c, {many}.all(d, {many}.all(e, {many}.all(f, {many}.all(g, a+b+c+d+e+f+g < 99999)))))))"
    );
    let table: &[(&str, &str)] = &[
        // Nobody told whether the flaw is exploited: no snapshot with a list.
        ("findings.exists(f, f.known_exploited)", "the field `known_exploited` is absent here"),
        ("1 / findings.size() == 1 && 1 / 0 == 1", "division by zero"),
        (&costly, "cost more than the limit"),
    ];
    for (source, why) in table {
        let said = said(source, Some(pod()));
        assert!(said.starts_with("its expression has no value: ") && said.contains(why), "{said}");
    }
}

#[test]
fn an_old_list_of_exploited_flaws_does_not_clear_one() {
    let exploited = "findings.exists(f, f.known_exploited)";
    let absent = "its expression has no value: ";
    // the list's date, the flaw is in it → what the rule says
    let table: &[(Option<&str>, bool, &str)] = &[
        (Some("2026-08-29T00:00:00Z"), false, ""),
        (Some("2026-08-29T00:00:00Z"), true, "its expression holds"),
        (Some("2026-07-01T00:00:00Z"), false, absent),
        (Some("2026-07-01T00:00:00Z"), true, "its expression holds"),
        (None, false, absent),
    ];
    for (as_of, listed, says) in table {
        let mut found = finding("CVE-1", Severity::High, Status::Fixed);
        found.known_exploited = *listed;
        let as_of = as_of.map(|date| date.parse().unwrap());
        let feed = FeedUse { feed: "kev".into(), as_of };
        let said = said_of(exploited, Some(pod()), found, Some(feed));
        assert!(said.starts_with(says) && said.is_empty() == says.is_empty(), "{as_of:?}: {said}");
    }
}

#[test]
fn what_image_review_does_not_tell_refuses_unless_another_part_fails() {
    for part in [
        "request.user == 'nobody'",
        "'nobody' in request.groups",
        "request.service_account == 'nobody'",
        "'no' in request.labels",
        "has(request.labels.no) && request.labels.no == 'x'",
    ] {
        assert_eq!(said(part, Some(pod())), "", "{part}");
        let untold = said(part, None);
        assert!(untold.contains("is absent here"), "{part}: {untold:?}");
        let other = format!("{part} && image.registry == 'docker.io'");
        assert_eq!(said(&other, None), "", "{other}");
    }
    // Who wants to tell the two apart says so.
    assert_eq!(said("has(request.user) && request.user == 'nobody'", None), "");
}

#[test]
fn mistakes_and_what_loosens_are_told_with_their_places() {
    let table: &[(&str, &str)] = &[
        ("image.nme == 'x'", "1:7: "),
        ("findings.exists(f, f.severity > 3)", "1:"),
        ("findings.size()", "1:"),
        ("!('a' in request.labels)", "1:"),
        ("request.namespace == 'x' &&\n request.service_account != 'x'", "2:"),
        ("!has(request.annotations.a)", "1:"),
    ];
    for (source, place) in table {
        let told = Expression::new(source).expect_err(source);
        assert!(told.iter().any(|m| m.to_string().starts_with(place)), "{source}: {told:?}");
    }
}

#[test]
fn an_expression_survives_being_kept() {
    let policy = policy("image.pinned");
    let json = serde_json::to_string(&policy).unwrap();
    assert!(json.contains("\"expression\":\"image.pinned\""), "{json}");
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    let broken = json.replace("image.pinned", "image.pined");
    assert!(serde_json::from_str::<Policy>(&broken).is_err());
}
