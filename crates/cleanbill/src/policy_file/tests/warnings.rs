//! What is valid and yet hardly meant; profiles; and checkers that nobody knows.

use cleanbill_core::Timestamp;
use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{Action, Policy};

use super::super::{Profile, load, parse, unknown_checkers, warnings_of_inline};

const DENIES_NOTHING: &str = "p:2:9: the policy \"x\" cannot deny any image that was examined";

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn warnings(text: &str) -> String {
    let loaded = load(text, "p", now()).unwrap_or_else(|p| panic!("{text}: {p:?}"));
    let lines: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn what_is_hardly_meant_is_a_warning_with_its_place() {
    let exception =
        |day| format!("exceptions:\n- {{id: CVE-1, reason: r, owner: o, expires: {day}}}");
    let rule =
        |scope| format!("rules:\n- {{name: r, refuse: {{always: true}}, scope: {{{scope}}}}}");
    let allowed = |scope| format!("allowed: [a.example/*]\n{}", rule(scope));
    let kinds = GapKind::ALL.iter().map(|kind| kind.as_str());
    let nothing = |entry: &str, highest: &str| {
        let accepted: Vec<String> = kinds.clone().map(|kind| entry.replace("KIND", kind)).collect();
        let accepted = accepted.join(", ");
        format!("name: x\naction: enforce\naccept_gaps: [{accepted}]\nhighest_severity: {highest}")
    };
    let never = |refuse: &str| {
        format!(
            "name: x\naction: audit\nrules: [{{name: r, action: enforce, refuse: {{{refuse}}}}}]"
        )
    };
    let table: &[(String, &str)] = &[
        (String::from("{}"), ""),
        (
            "name: x\naction: audit".into(),
            "p:2:9: the policy \"x\" cannot deny any image that was examined (write action: enforce, or give a rule that action, once you have seen enough)",
        ),
        ("profile: observe".into(), "p:1:1: the policy \"observe\" cannot deny"),
        ("action: warn\nrules: [{name: r, refuse: {always: true}}]".into(), "p:1:9: the policy"),
        ("action: warn\nrules: [{name: r, refuse: {always: true}, action: enforce}]".into(), ""),
        // All that it refuses is let pass, however that is written.
        (nothing("{kind: KIND}", "critical"), DENIES_NOTHING),
        (nothing("{kind: KIND, subject: '*'}", "any"), DENIES_NOTHING),
        (nothing("{kind: KIND, scope: {namespaces: ['*', x]}}", "any"), DENIES_NOTHING),
        (nothing("{kind: KIND, scope: {users: ['*']}}", "any"), ""),
        (nothing("{kind: KIND, subject: 'a*'}", "any"), ""),
        (nothing("{kind: KIND}", "high"), ""),
        (never("always: true"), ""),
        (never("always: true}, scope: {not_namespaces: ['*']"), DENIES_NOTHING),
        (never("cel: 'false'"), DENIES_NOTHING),
        (never("cel: \"image.repository == 'a' && 1 > 2\""), DENIES_NOTHING),
        (never("cel: \"image.repository == 'a'\""), ""),
        (never("gaps: [checker-silent]"), DENIES_NOTHING),
        (never("gaps: [checker-silent, stale-feed]"), ""),
        (never("packages: [{name: a, kind: deb, versions: '>=2, <2'}]"), DENIES_NOTHING),
        (never("packages: [{name: a, kind: deb, versions: '>=2, <=2'}]"), ""),
        (never("packages: [{name: a, kind: deb, versions: '>2, <=1'}]"), DENIES_NOTHING),
        (never("packages: [{name: a, kind: deb, versions: '=1, =2'}]"), DENIES_NOTHING),
        (never("packages: [{name: a, kind: deb, versions: '>2, <1'}, b]"), ""),
        (never("packages: [{name: a, versions: '>2, <1'}]"), DENIES_NOTHING),
        (
            "rules:\n- {name: r, refuse: {gaps: [unexamined-registration]}}".into(),
            "p:2:3: the rule \"r\" never refuses: this policy never comes to such a gap (mend it, or remove it)",
        ),
        (exception("2026-06-01"), ""),
        (
            exception("2026-05-31"),
            "p:2:3: the exception for CVE-1 expired on 2026-05-31 (it no longer counts: remove it, or have its owner renew it)",
        ),
        (exception("2027-06-01"), ""),
        (
            "exceptions:\n- {id: CVE-1, reason: r, owner: o, expires: 2026-07-01}\n- {id: CVE-2, reason: r, owner: nobody-yet, expires: 2026-07-01}".into(),
            "p:3:3: nobody answers for an exception yet (put a person in the place of nobody-yet)",
        ),
        (
            exception("2027-06-30"),
            "p:2:3: the exception for CVE-1 holds until 2027-06-30 (more than a year is hardly an exception: choose a day that somebody will look at again)",
        ),
        (rule("namespaces: [a, b], not_namespaces: [b]"), ""),
        (
            rule("namespaces: [a], not_namespaces: [a]"),
            "p:2:3: the rule \"r\" is never reached: all its namespaces are taken out again (widen its scope, or remove it)",
        ),
        (rule("not_namespaces: ['*']"), "p:2:3: the rule \"r\" is never reached"),
        (
            rule("repositories: [a.example/x], registries: [b.example]"),
            "p:2:3: the rule \"r\" is never reached: its repositories are in none of its registries",
        ),
        (allowed("repositories: [a.example/x/*]"), ""),
        (
            allowed("repositories: [b.example/*]"),
            "p:3:3: the rule \"r\" is never reached: none of its repositories is allowed",
        ),
        (
            allowed("registries: [b.example]"),
            "p:3:3: the rule \"r\" is never reached: none of its registries is allowed",
        ),
        (
            "break_glass: {groups: [system:masters]}".into(),
            "p:1:14: every cluster administrator's every request breaks the glass (name a group of its own instead of system:masters)",
        ),
    ];
    for (text, want) in table {
        let told = warnings(text);
        assert!(told.starts_with(want) && want.is_empty() == told.is_empty(), "{text}\n{told}");
    }
}

#[test]
fn a_policy_within_a_configuration_is_warned_about_at_its_beginning() {
    let policy = Profile::Observe.policy();
    let told = warnings_of_inline(&policy, "cleanbill.yaml", now());
    assert_eq!(told.len(), 1);
    assert!(told[0].to_string().starts_with("cleanbill.yaml:1:1: the policy \"observe\" cannot"));
}

#[test]
fn a_profile_is_where_a_file_begins() {
    for profile in Profile::ALL {
        let beside = if profile == Profile::Airgap { "\nallowed: [a.example/*]" } else { "" };
        let read = parse(&format!("profile: {}{beside}", profile.as_str()), "p").unwrap();
        let allowed = read.allowed.clone();
        assert_eq!(read, Policy { allowed, ..profile.policy() });
        assert_eq!(read.can_deny(), profile != Profile::Observe);
    }
    // What is written takes the profile's place, wherever `profile` stands; rules are added.
    let text = "digest_required: false\nrules:\n- {name: not-root, refuse: {runs_as_root: true}, action: warn}\n- {name: z, refuse: {always: true}}\nprofile: strict";
    let read = parse(text, "p").unwrap();
    let rules: Vec<_> = read.rules.iter().map(|r| (r.name.as_str(), r.action)).collect();
    let wanted =
        [("known-exploited", Action::Enforce), ("not-root", Action::Warn), ("z", Action::Enforce)];
    assert!(!read.digest_required && rules == wanted, "{rules:?}");
    // A rule without an action has the policy's.
    let read = parse("rules: [{name: z, refuse: {always: true}}]\nprofile: observe", "p").unwrap();
    assert_eq!(read.rules[0].action, Action::Audit);
}

#[test]
fn a_checker_that_the_configuration_does_not_have_is_told() {
    let text = "checkers: [{names: [b, a], require: any}, {names: [b, c], require: all}]";
    let policy = parse(text, "p").unwrap();
    assert_eq!(unknown_checkers(&policy, &["a"]), ["b", "c"]);
    assert!(unknown_checkers(&policy, &["a", "b", "c"]).is_empty());
}
