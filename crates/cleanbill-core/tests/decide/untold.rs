//! What nobody told, or told in other words, never passes a rule that is enforced.

use cleanbill_core::evidence::{Evidence, RunsAs};
use cleanbill_core::finding::{Finding, Status};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::opinion::Opinion;
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::policy::{
    AcceptedGap, Action, Condition, Exception, Expression, FlawFilter, NamePattern, PackageFilter,
    Policy, Rule, Scope,
};
use cleanbill_core::severity::Severity;
use cleanbill_core::verdict::{Case, Outcome, Registered, Request, decide};

use super::support::{DIGEST, QUESTION, evidence, finding, now, pinned};
use super::{examined, shown};

fn rule(refuse: Condition) -> Rule {
    let (name, scope) = ("rule".to_owned(), Scope::default());
    Rule { name, scope, refuse, action: Action::Enforce, message: None }
}

fn accepting(kind: GapKind, policy: Policy) -> Policy {
    Policy { accepted_gaps: vec![AcceptedGap::everywhere(kind)], ..policy }
}

fn old() -> Condition {
    Condition { older_than_days: Some(90), ..Condition::default() }
}

fn check(what: &str, case: Case, policy: &Policy, want: &str) {
    let request = Request::new(QUESTION, vec![case.image.clone()]);
    let judgement = decide(&request, &[case], policy, now());
    assert_eq!(shown(&judgement.verdict), want, "{what}");
}

#[test]
fn a_registration_without_evidence_meets_every_rule() {
    let name = "morc-api:1";
    let always = || Condition { always: true, ..Condition::default() };
    let gaps = |kind| Condition { gaps: vec![kind], ..Condition::default() };
    let expression = Expression::new("false").unwrap();
    let cel = || Condition { expression: Some(expression.clone()), ..Condition::default() };
    let root = || Condition { runs_as_root: true, ..Condition::default() };
    let both = || Condition { always: true, ..root() };
    let observed = |c: Condition| Rule { action: Action::Warn, ..rule(c) };
    let (yes, no) = (true, false);
    // rules, whether the gap is accepted, what the policy does, outcome
    let table: Vec<(&str, Vec<Rule>, bool, Action, &str)> = vec![
        ("no rule", vec![], yes, Action::Enforce, "allow"),
        ("no rule, nothing accepted", vec![], no, Action::Enforce, "deny accept_gaps"),
        ("no rule, observed", vec![], no, Action::Audit, "allow"),
        ("always", vec![rule(always())], yes, Action::Enforce, "deny rule"),
        ("always, observed", vec![rule(always())], no, Action::Audit, "deny rule"),
        (
            "its gap",
            vec![rule(gaps(GapKind::UnexaminedRegistration))],
            yes,
            Action::Enforce,
            "deny rule",
        ),
        ("an expression has no value", vec![rule(cel())], yes, Action::Enforce, "deny rule"),
        ("what was accepted as unknown", vec![rule(root())], yes, Action::Enforce, "allow"),
        ("what nobody accepted", vec![rule(root())], no, Action::Audit, "deny accept_gaps"),
        ("one part is unknown", vec![rule(both())], no, Action::Audit, "deny accept_gaps"),
        ("a rule that warns", vec![observed(always())], yes, Action::Enforce, "allow"),
    ];
    for (what, rules, accepted, action, want) in table {
        let pattern = NamePattern::completed("morc-api").unwrap();
        let mut policy = Policy { local_images: vec![pattern], rules, action, ..Policy::default() };
        if accepted {
            policy = accepting(GapKind::UnexaminedRegistration, policy);
        }
        let one = Registered { digest: DIGEST, node: "w1".into(), evidence: None };
        check(what, Case::new(name, Outcome::Registered(vec![one])), &policy, want);
    }
}

#[test]
fn a_rule_that_is_enforced_is_enforced_where_the_rest_is_observed() {
    let image = pinned("a");
    let observe =
        |refuse| Policy { action: Action::Audit, rules: vec![rule(refuse)], ..Policy::default() };
    let with = |change: fn(&mut Evidence)| {
        let mut found = evidence(&image, Vec::new(), Vec::new());
        change(&mut found);
        examined(&image, found)
    };
    let dated = |found: &mut Evidence, day: &str| {
        found.platforms[0].config.created = Some(day.parse().unwrap());
    };
    let mut day = evidence(&image, Vec::new(), Vec::new());
    dated(&mut day, "2026-08-01T00:00:00Z");
    check("new", examined(&image, day.clone()), &observe(old()), "allow");
    dated(&mut day, "2026-01-01T00:00:00Z");
    check("old", examined(&image, day.clone()), &observe(old()), "deny rule");
    check("no date", with(|_| {}), &observe(old()), "deny accept_gaps");
    dated(&mut day, "2099-01-01T00:00:00Z");
    check("a date to come", examined(&image, day.clone()), &observe(old()), "deny accept_gaps");
    let accepted = accepting(GapKind::UnknownImageFact, observe(old()));
    check("accepted", examined(&image, day), &accepted, "allow");
    let root = || observe(Condition { runs_as_root: true, ..Condition::default() });
    let app = |found: &mut Evidence| {
        found.platforms[0].config.runs_as_root = RunsAs::Unknown("who is app?".into());
    };
    check("an unknown user", with(app), &root(), "deny accept_gaps");
}

#[test]
fn a_rule_on_gaps_sees_what_checkers_and_images_do_not_tell() {
    let image = pinned("a");
    let on = |kind| Policy {
        rules: vec![rule(Condition { gaps: vec![kind], ..Condition::default() })],
        ..Policy::default()
    };
    let mut known = evidence(&image, Vec::new(), Vec::new());
    known.platforms[0].config.runs_as_root = RunsAs::NotRoot(1000);
    known.platforms[0].config.created = Some(now());
    let silent = Opinion::silent("ours", "it hung");
    let asked = || Case { opinions: vec![silent.clone()], ..examined(&image, known.clone()) };
    check("silence", asked(), &on(GapKind::CheckerSilent), "deny rule");
    check("all is known", asked(), &on(GapKind::UnknownImageFact), "allow");
    known.platforms[0].config.created = None;
    let undated = examined(&image, known.clone());
    check("no date", undated, &on(GapKind::UnknownImageFact), "deny rule");
}

#[test]
fn what_permits_on_one_platform_does_not_where_none_is_known() {
    let image = pinned("a");
    let arm = || Scope { platforms: vec!["linux/arm64".parse().unwrap()], ..Scope::default() };
    let gap = Gap::new(GapKind::StaleFeed, "old", "too old");
    let flaw = || finding("CVE-1", Severity::Critical, Status::Fixed);
    let exception = Exception {
        id: "CVE-1".into(),
        package: None,
        reason: "r".into(),
        owner: "o".into(),
        expires: "2030-01-01".parse().unwrap(),
        scope: arm(),
    };
    let accepted = AcceptedGap { kind: GapKind::StaleFeed, subject: None, scope: arm() };
    let policy =
        Policy { accepted_gaps: vec![accepted], exceptions: vec![exception], ..Policy::default() };
    let on = |platform: Option<&str>, findings: Vec<Finding>, gaps: Vec<Gap>| {
        let mut found = evidence(&image, findings, gaps);
        found.platforms[0].platform = platform.map(|p| p.parse().unwrap());
        examined(&image, found)
    };
    let gaps = || vec![gap.clone()];
    check("gap there", on(Some("linux/arm64"), vec![], gaps()), &policy, "allow");
    check("gap elsewhere", on(Some("linux/amd64"), vec![], gaps()), &policy, "deny accept_gaps");
    check("gap nowhere", on(None, vec![], gaps()), &policy, "deny accept_gaps");
    check("flaw there", on(Some("linux/arm64"), vec![flaw()], vec![]), &policy, "allow");
    check("flaw nowhere", on(None, vec![flaw()], vec![]), &policy, "deny highest_severity");
    // What refuses there refuses where nobody knows, too.
    let always = Condition { always: true, ..Condition::default() };
    let refusing =
        Policy { rules: vec![Rule { scope: arm(), ..rule(always) }], ..Policy::default() };
    check("refused nowhere", on(None, vec![], vec![]), &refusing, "deny rule");
}

#[test]
fn names_are_compared_as_registries_and_ecosystems_do() {
    let scope = |registry: &str| Scope { registries: vec![registry.into()], ..Scope::default() };
    let below = |pattern: &str| Scope {
        repositories: vec![NamePattern::try_from(pattern.to_owned()).unwrap()],
        ..Scope::default()
    };
    let always = || Condition { always: true, ..Condition::default() };
    for (name, scope, want) in [
        ("ghcr.io/bad/x", scope("ghcr.io"), "deny rule"),
        ("GHCR.io/bad/x", scope("ghcr.io"), "deny rule"),
        ("ghcr.io:443/bad/x", scope("ghcr.io"), "deny rule"),
        ("ghcr.io:0443/bad/x", scope("GHCR.io:443"), "deny rule"),
        ("ghcr.io:8443/bad/x", scope("ghcr.io"), "allow"),
        ("GHCR.io:443/bad/x", below("ghcr.io/bad/*"), "deny rule"),
        ("ghcr.io/bad/x", below("ghcr.io/bad/x"), "deny rule"),
        ("ghcr.io/bad/xy", below("ghcr.io/bad/x"), "allow"),
        ("ghcr.io/badly/x", below("ghcr.io/bad/*"), "allow"),
        ("LOCALHOST:05000/x", below("localhost:5000/*"), "deny rule"),
        ("[0::1]:5000/x", below("[::1]:5000/*"), "deny rule"),
    ] {
        let rules = vec![Rule { scope, ..rule(always()) }];
        let image = pinned(name);
        let case = examined(&image, evidence(&image, Vec::new(), Vec::new()));
        check(name, case, &Policy { rules, ..Policy::default() }, want);
    }
    let filter = |name: &str| PackageFilter {
        name: cleanbill_core::glob::Glob::new(name),
        kind: None,
        versions: Vec::new(),
    };
    for (kind, name, wanted, want) in [
        (PackageKind::Python, "PyYAML", "pyyaml", "deny rule"),
        (PackageKind::Python, "evil.Pkg", "evil-pkg", "deny rule"),
        (PackageKind::Python, "evil__pkg", "Evil.*", "deny rule"),
        (PackageKind::Python, "evilpkg", "evil-pkg", "allow"),
        (PackageKind::NuGet, "Newtonsoft.Json", "newtonsoft.json", "deny rule"),
        (PackageKind::Npm, "Evil", "evil", "allow"),
    ] {
        let image = pinned("a");
        let mut found = evidence(&image, Vec::new(), Vec::new());
        let package = finding("CVE-1", Severity::Low, Status::Fixed).package;
        let package = Package { kind, name: name.into(), source: None, ..Package::clone(&package) };
        found.platforms[0].packages = vec![package];
        let refuse = Condition { packages: vec![filter(wanted)], ..Condition::default() };
        let policy = Policy { rules: vec![rule(refuse)], ..Policy::default() };
        check(wanted, examined(&image, found), &policy, want);
    }
}

#[test]
fn a_vector_of_another_cvss_does_not_say_and_a_fix_is_old_on_its_day() {
    let high = |metric: &str| FlawFilter {
        cvss: vec![(metric.into(), vec!["H".into()])],
        ..FlawFilter::default()
    };
    let aged = FlawFilter { fix_older_than_days: Some(30), ..FlawFilter::default() };
    let dated = |day: &str| Some(format!("{day}T18:00:00Z").parse().unwrap());
    for (vector, published, filter, want) in [
        (Some("CVSS:3.1/AV:N/C:H"), None, high("C"), "deny rule"),
        (Some("CVSS:3.1/AV:N/C:L"), None, high("C"), "allow"),
        (Some("AV:N/AC:L/Au:N/C:C/I:C/A:C"), None, high("C"), "deny rule"),
        (None, None, high("C"), "deny rule"),
        (None, dated("2026-08-01"), aged.clone(), "allow"),
        (None, dated("2026-07-31"), aged, "deny rule"),
    ] {
        let image = pinned("a");
        let mut flaw = finding("CVE-1", Severity::Low, Status::Fixed);
        flaw.cvss = vector.map(str::to_owned);
        flaw.published = published;
        let refuse = Condition { flaws: Some(filter), ..Condition::default() };
        let policy = Policy { rules: vec![rule(refuse)], ..Policy::default() };
        let case = examined(&image, evidence(&image, vec![flaw], Vec::new()));
        check(&format!("{vector:?} {published:?}"), case, &policy, want);
    }
}
