//! What may only tighten: rules, and whatever the pod's author writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use cleanbill_core::asked::{Asked, Pod};
use cleanbill_core::evidence::Evidence;
use cleanbill_core::finding::Status;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::glob::Glob;
use cleanbill_core::image::RunsAs;
use cleanbill_core::policy::{
    AcceptedGap, Action, Condition, Exception, Expression, FlawFilter, PackageFilter, Policy, Rule,
    Scope,
};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Case, Outcome, Request, Verdict, decide};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::support::{QUESTION, evidence, finding, now, pinned};

const KEYS: [&str; 3] = ["tier", "team", "x.image-policy.k8s.io/y"];
const VALUES: [&str; 3] = ["a", "b", "ab"];
const EXPRESSIONS: [&str; 9] = [
    "has(request.labels.tier) && request.labels.tier == 'a'",
    "'team' in request.labels",
    "'team' in request.labels && request.labels['team'].startsWith('a') || image.pinned",
    "request.labels.exists(k, k == 'tier')",
    "'x.image-policy.k8s.io/y' in request.annotations",
    "findings.exists(f, f.severity_rank > 2 && 'team' in request.labels)",
    "findings.exists(f, f.known_exploited)",
    "config.runs_as_root",
    "packages.size() > 0 && 'tier' in request.annotations",
];

fn globs(values: &'static [&'static str]) -> impl Strategy<Value = Vec<Glob>> {
    subsequence(values, 0..=1).prop_map(|v| v.into_iter().map(Glob::new).collect())
}

fn labels() -> impl Strategy<Value = BTreeMap<String, Option<Glob>>> {
    let value = proptest::option::of(select(&["a", "b", "a*"][..]).prop_map(Glob::new));
    proptest::collection::btree_map(select(&KEYS[..]).prop_map(String::from), value, 0..2)
}

/// Where something holds that permits.
fn permitting_scope() -> impl Strategy<Value = Scope> {
    let globs =
        (globs(&["prod", "dev*"]), globs(&["prod", "q*"]), globs(&["anna", "b*"]), globs(&["dev"]));
    globs.prop_map(|(namespaces, not_namespaces, users, groups)| Scope {
        namespaces,
        not_namespaces,
        users,
        groups,
        ..Scope::default()
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    let accounts = globs(&["prod/builder", "*/default"]);
    (permitting_scope(), labels(), accounts).prop_map(|(scope, labels, service_accounts)| Scope {
        labels,
        service_accounts,
        ..scope
    })
}

fn kinds() -> impl Strategy<Value = Vec<GapKind>> {
    subsequence(
        vec![GapKind::StaleFeed, GapKind::UnknownImageFact, GapKind::NoAdvisorySource],
        0..=3,
    )
}

fn condition() -> impl Strategy<Value = Condition> {
    let flaws = (
        select(&Severity::ALL[..]),
        any::<bool>(),
        0..2_usize,
        proptest::option::of(any::<bool>()),
        proptest::option::of(1..100_000_u32),
    )
        .prop_map(|(severity, known_exploited, count, fixable, epss)| FlawFilter {
            at_least: Some(severity),
            known_exploited,
            count,
            fixable,
            epss,
            ..FlawFilter::default()
        });
    let packages = globs(&["libssl*", "bash"]).prop_map(|names| {
        let filter = |name| PackageFilter { name, kind: None, versions: Vec::new() };
        names.into_iter().map(filter).collect()
    });
    let expression = proptest::option::of(select(&EXPRESSIONS[..]));
    let facts = (any::<bool>(), proptest::option::of(1..400_u32), any::<bool>());
    (any::<bool>(), proptest::option::of(flaws), packages, facts, kinds(), expression).prop_map(
        |(always, flaws, packages, (runs_as_root, older_than_days, end_of_life), gaps, source)| {
            let expression = source.map(|s| Expression::new(s).unwrap());
            Condition {
                always,
                flaws,
                packages,
                runs_as_root,
                older_than_days,
                end_of_life,
                gaps,
                expression,
            }
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    (scope(), condition(), select(&Action::ALL[..])).prop_map(|(scope, refuse, action)| Rule {
        name: "r".into(),
        scope,
        refuse,
        action,
        message: None,
    })
}

pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    let exception = (permitting_scope(), any::<bool>()).prop_map(|(scope, first)| Exception {
        id: if first { "CVE-1" } else { "CVE-2" }.into(),
        package: None,
        reason: "r".into(),
        owner: "o".into(),
        expires: "2026-12-31".parse().unwrap(),
        scope,
    });
    let gap = (select(GapKind::ALL), permitting_scope()).prop_map(|(kind, scope)| AcceptedGap {
        kind,
        subject: None,
        scope,
    });
    let highest = proptest::option::of(select(&Severity::ALL[..]));
    let lists = (
        proptest::collection::vec(exception, 0..2),
        proptest::collection::vec(gap, 0..4),
        proptest::collection::vec(rule(), 0..3),
    );
    (lists, highest, any::<bool>(), any::<bool>(), select(&Action::ALL[..])).prop_map(
        |((exceptions, accepted_gaps, rules), highest_severity, only_fixable, all, action)| {
            let everything = GapKind::ALL.iter().filter(|_| all).copied();
            let everything = everything.map(AcceptedGap::everywhere);
            let accepted_gaps = accepted_gaps.into_iter().chain(everything).collect();
            Policy {
                highest_severity,
                only_fixable,
                action,
                exceptions,
                accepted_gaps,
                rules,
                ..Policy::default()
            }
        },
    )
}

pub(crate) fn found() -> impl Strategy<Value = Evidence> {
    let findings = proptest::collection::vec(
        (select(&["CVE-1", "CVE-2"][..]), select(&Severity::ALL[..]), any::<bool>()),
        0..3,
    );
    let root = select(vec![RunsAs::Root, RunsAs::NotRoot(7), RunsAs::default()]);
    let stale = any::<bool>();
    (findings, root, stale, any::<bool>()).prop_map(|(findings, root, stale, dated)| {
        let finding = |(id, severity, fixed)| {
            finding(id, severity, if fixed { Status::Fixed } else { Status::Affected })
        };
        let findings: Vec<_> = findings.into_iter().map(finding).collect();
        let gap = Gap::new(GapKind::StaleFeed, "osv:Debian", "old");
        let gaps = if stale { vec![gap] } else { Vec::new() };
        let packages = findings.iter().map(|f| (*f.package).clone()).collect::<Vec<_>>();
        let mut evidence = evidence(&pinned("a"), findings, gaps);
        for platform in &mut evidence.platforms {
            platform.packages.clone_from(&packages);
            platform.config.runs_as_root = root.clone();
            platform.config.created = dated.then(|| "2026-01-01T00:00:00Z".parse().unwrap());
        }
        evidence
    })
}

fn written() -> impl Strategy<Value = BTreeMap<String, String>> {
    let text = |list: &'static [&'static str]| select(list).prop_map(String::from);
    proptest::collection::btree_map(text(&KEYS), text(&VALUES), 0..3)
}

/// A pod whose author wrote nothing, or `None`: an `ImageReview`.
pub(crate) fn asked() -> impl Strategy<Value = Asked> {
    let pod = (select(&["anna", "bo"][..]), any::<bool>()).prop_map(|(user, dev)| Pod {
        user: user.into(),
        groups: if dev { vec!["dev".into()] } else { Vec::new() },
        labels: BTreeMap::new(),
        service_account: "default".into(),
    });
    (select(&["prod", "dev-1", "qa"][..]), proptest::option::of(pod)).prop_map(
        |(namespace, pod)| Asked { namespace: namespace.into(), annotations: BTreeMap::new(), pod },
    )
}

fn allowed(asked: &Asked, evidence: &Evidence, policy: &Policy) -> bool {
    let image = pinned("a");
    let request = Request { asked: asked.clone(), ..Request::new(QUESTION, vec![image.clone()]) };
    let case = Case::new(image, Outcome::Examined(Arc::new(evidence.clone())));
    matches!(decide(&request, &[case], policy, now()).verdict, Verdict::Allow(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_rule_more_never_lets_anything_in(
        policy in policy(), evidence in found(), asked in asked(), rule in rule(), at in 0..4_usize,
    ) {
        let mut more = policy.clone();
        more.rules.insert(at.min(policy.rules.len()), rule);
        let (before, after) = (allowed(&asked, &evidence, &policy), allowed(&asked, &evidence, &more));
        prop_assert!(before || !after, "{more:#?}");
    }

    #[test]
    fn what_the_author_writes_never_lets_anything_in(
        policy in policy(), evidence in found(), asked in asked(),
        labels in written(), annotations in written(),
    ) {
        let mut wrote = Asked { annotations, ..asked.clone() };
        if let Some(pod) = &mut wrote.pod {
            pod.labels = labels;
        }
        let (before, after) = (allowed(&asked, &evidence, &policy), allowed(&wrote, &evidence, &policy));
        prop_assert!(before || !after, "{policy:#?} {wrote:?}");
    }

    #[test]
    fn telling_less_never_lets_anything_in(
        policy in policy(), evidence in found(), asked in asked(), labels in written(),
    ) {
        let mut told = asked.clone();
        if let Some(pod) = &mut told.pod {
            pod.labels = labels;
        }
        let untold = Asked { pod: None, ..told.clone() };
        let (before, after) = (allowed(&told, &evidence, &policy), allowed(&untold, &evidence, &policy));
        prop_assert!(before || !after, "{policy:#?} {told:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What the gate holds in memory is without packages, where this says that nobody looks.
    #[test]
    fn packages_that_no_rule_reads_change_nothing(
        policy in policy(), evidence in found(), asked in asked(),
    ) {
        let mut without = evidence.clone();
        without.platforms.iter_mut().for_each(|p| p.packages.clear());
        let image = pinned("a");
        let request = Request { asked, ..Request::new(QUESTION, vec![image.clone()]) };
        let judged = |evidence: &Evidence| {
            let case = Case::new(image.clone(), Outcome::Examined(Arc::new(evidence.clone())));
            format!("{:?}", decide(&request, &[case], &policy, now()))
        };
        let same = judged(&evidence) == judged(&without);
        prop_assert!(same || policy.reads_packages(), "{policy:#?}");
    }
}

#[test]
fn what_reads_packages_is_known() {
    let rule = |refuse| Policy {
        rules: vec![Rule {
            name: "r".into(),
            scope: Scope::default(),
            refuse,
            action: Action::Audit,
            message: None,
        }],
        ..Policy::default()
    };
    let says = |source| Condition {
        expression: Some(Expression::new(source).unwrap()),
        ..Condition::default()
    };
    let filter = PackageFilter { name: Glob::new("bash"), kind: None, versions: Vec::new() };
    let of_flaws = FlawFilter { packages: vec![Glob::new("bash")], ..FlawFilter::default() };
    for (policy, reads) in [
        (Policy::default(), false),
        (rule(Condition { flaws: Some(of_flaws), ..Condition::default() }), false),
        (rule(Condition { packages: vec![filter], ..Condition::default() }), true),
        (rule(says("findings.exists(f, f.package.name == 'bash')")), false),
        (rule(says("packages.size() > 7")), true),
    ] {
        assert_eq!(policy.reads_packages(), reads, "{policy:#?}");
    }
}

#[test]
fn the_policies_above_do_both() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0; 2];
    for _ in 0..300 {
        let tree = (policy(), found(), asked()).new_tree(&mut runner).unwrap();
        let (policy, evidence, asked) = tree.current();
        counts[usize::from(allowed(&asked, &evidence, &policy))] += 1;
    }
    assert!(counts.iter().all(|n| *n > 20), "{counts:?}");
}
