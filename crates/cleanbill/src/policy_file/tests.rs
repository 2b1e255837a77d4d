//! The policy file, as tables: what it means, and every problem with its place.

use cleanbill_core::gap::GapKind;
use cleanbill_core::policy::{Action, Policy};
use cleanbill_core::severity::Severity;

use super::{Problem, Profile, SECTIONS, fuzz_policy, parse};

mod mistakes;
mod warnings;

const FULL: &str = include_str!("../../../../docs/policy-example.yaml");

#[test]
fn the_documented_example_uses_every_key_and_loads() {
    let policy = parse(FULL, "p.yaml").unwrap();
    for (section, keys) in SECTIONS {
        for key in keys {
            let there = FULL.lines().any(|l| l.contains(&format!("{key}:")));
            assert!(there, "no {key} of {section} in the example");
        }
    }
    let lists = (policy.accepted_gaps.len(), policy.exceptions.len(), policy.rules.len());
    assert_eq!((policy.name.as_str(), lists), ("production", (2, 1, 8)));
    assert_eq!(policy.rules.iter().filter(|r| r.action == Action::Warn).count(), 1);
    let locals: Vec<String> = policy.local_images.iter().map(ToString::to_string).collect();
    assert_eq!(locals, ["docker.io/library/morc-api", "docker.io/team/*"]);
    assert_eq!(policy.keep_admitted, Some(7 * 86_400));
    assert_eq!(policy.break_glass.keys.len(), 1);
    assert_eq!(policy.checkers.len(), 1);
    insta::assert_debug_snapshot!(policy);
}

#[test]
fn a_key_that_is_not_there_has_the_default() {
    assert_eq!(parse("{}", "p"), Ok(Policy::default()));
    let table: &[(&str, Option<Severity>)] = &[
        ("any", None),
        ("none", Some(Severity::Unknown)),
        ("Low", Some(Severity::Low)),
        ("CRITICAL", Some(Severity::Critical)),
    ];
    for (word, severity) in table {
        let policy = parse(&format!("highest_severity: {word}"), "p").unwrap();
        assert_eq!(policy, Policy { highest_severity: *severity, ..Policy::default() });
    }
}

/// All problems of a text, one a line.
fn problems(text: &str) -> String {
    let list: Vec<String> =
        parse(text, "p").expect_err(text).iter().map(Problem::to_string).collect();
    list.join("\n")
}

#[test]
fn every_problem_is_told_with_its_place_and_a_hint() {
    let table: &[(&str, &str)] = &[
        (
            "digest_requird: true",
            "p:1:1: unknown key \"digest_requird\" (did you mean \"digest_required\"?)",
        ),
        (
            "quux: 1",
            "p:1:1: unknown key \"quux\" (the keys are name, profile, action, allowed, local_images, digest_required, highest_severity, unrated_as, only_fixable, accept_gaps, exceptions, max_feed_age, rules, record, already_admitted, break_glass, checkers)",
        ),
        (
            "signed_by: x",
            "p:1:1: \"signed_by\" is not there yet (this version cannot check it, so it does not pretend to: remove it)",
        ),
        ("name: a\nname: b", "p:2:1: \"name\" is there twice (keep one of them)"),
        (
            "name: 1.10",
            "p:1:7: \"name\" is a number, not a text (put quotes around it if you mean \"1.1\")",
        ),
        ("name:", "p:1:5: \"name\" is nothing, not a text (give it a value, or remove the key)"),
        ("name: ''", "p:1:7: \"name\" is empty (write what it is)"),
        (
            "digest_required: yes",
            "p:1:18: \"digest_required\" is a text, not true or false (write true or false)",
        ),
        (
            "only_fixable: \"true\"",
            "p:1:15: \"only_fixable\" is a text, not true or false (write true or false)",
        ),
        (
            "allowed: []",
            "p:1:10: \"allowed\" is an empty list (name the repositories, or remove the key to allow all)",
        ),
        ("allowed: nginx", "p:1:10: \"allowed\" is a text, not a list (write a list)"),
        (
            "allowed: [nginx]",
            "p:1:11: \"nginx\" names no repositories (write the registry in full and end with /* for everything below, such as docker.io/library/* or registry.example/team/app)",
        ),
        (
            "highest_severity: hihg",
            "p:1:19: \"highest_severity\" is no severity (one of none, low, medium, high, critical, any)",
        ),
        (
            "highest_severity: [low]",
            "p:1:19: \"highest_severity\" is no severity (one of none, low, medium, high, critical, any)",
        ),
        (
            "unrated_as: unknown",
            "p:1:13: \"unrated_as\" is no severity (one of low, medium, high, critical)",
        ),
        (
            "accept_gaps:\n- stale-fed",
            "p:2:3: unknown kind of gap \"stale-fed\" (did you mean \"stale-feed\"?)",
        ),
        (
            "max_feed_age: 7",
            "p:1:15: \"max_feed_age\" is no number of days (write it as 7d; at most 3650d)",
        ),
        (
            "max_feed_age: -1d",
            "p:1:15: \"max_feed_age\" is no number of days (write it as 7d; at most 3650d)",
        ),
        (
            "max_feed_age: d",
            "p:1:15: \"max_feed_age\" is no number of days (write it as 7d; at most 3650d)",
        ),
        (
            "max_feed_age: 4294967296d",
            "p:1:15: \"max_feed_age\" is no number of days (write it as 7d; at most 3650d)",
        ),
        (
            "exceptions:\n- id: CVE-1\n  reason: r\n  owner: o\n  expires: 2026-02-30",
            "p:5:12: \"2026-02-30\" is no date (write YYYY-MM-DD, the last day on which it holds)",
        ),
        (
            "exceptions:\n- id: CVE-1\n  reason: r\n  owner: o\n  expires: 2026-02-20T01:00",
            "p:5:12: \"2026-02-20T01:00\" is no date (write YYYY-MM-DD, the last day on which it holds)",
        ),
        (
            "exceptions: [CVE-1]",
            "p:1:14: an exception is a text, not a mapping (write KEY: VALUE; the keys are id, package, reason, owner, expires, scope)",
        ),
        (
            "- a",
            "p:1:1: the policy is a list, not a mapping (write KEY: VALUE; the keys are name, profile, action, allowed, local_images, digest_required, highest_severity, unrated_as, only_fixable, accept_gaps, exceptions, max_feed_age, rules, record, already_admitted, break_glass, checkers)",
        ),
    ];
    for (text, want) in table {
        assert_eq!(problems(text), *want, "{text}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "nam: x\nallowed: []\nexceptions:\n- id: CVE-1\n  until: 2026-01-01\nkev: deny\n";
    let places: Vec<_> = parse(text, "p").unwrap_err().iter().map(|p| (p.line, p.column)).collect();
    assert_eq!(places, [(1, 1), (2, 10), (4, 3), (4, 3), (4, 3), (5, 3), (6, 1)]);
    let missing = problems("exceptions: [{}]");
    for key in ["id", "reason", "owner", "expires"] {
        assert!(missing.contains(&format!("the exception has no \"{key}\"")), "{missing}");
    }
}

#[test]
fn what_is_no_policy_at_all_is_one_problem() {
    let large = format!("name: {}", "x".repeat(super::MAX_BYTES));
    let deep = format!("name: {}{}", "[".repeat(2000), "]".repeat(2000));
    let table: &[&str] = &[
        "",
        "# nothing",
        "name: [",
        "a: &x 1\nb: *x",
        "name: a\n---\nname: b",
        "\u{0}",
        "<<: {name: x}",
        &large,
        &deep,
    ];
    for text in table {
        let told = parse(text, "p").expect_err(&text.chars().take(40).collect::<String>());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].line >= 1 && told[0].to_string().len() < 500, "{}", told[0]);
    }
}

#[test]
fn no_bytes_make_it_panic_and_no_broken_line_is_a_policy() {
    // Every cut and every changed byte of the example: a cheap neighbourhood of real policies.
    for at in 0..FULL.len() {
        let _ = fuzz_policy(&FULL.as_bytes()[..at]);
        for byte in [0, b':', b'[', 0xff] {
            let mut bytes = FULL.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = fuzz_policy(&bytes);
        }
    }
}

#[test]
fn the_documentation_has_a_table_with_every_key_profile_and_kind_of_gap_and_no_others() {
    let text = include_str!("../../../../docs/policy.md");
    let table = |heading: &str| -> Vec<&str> {
        let from = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
        let section = text[from + 4..].split("\n## ").next().unwrap();
        section.lines().filter_map(|l| l.strip_prefix("| `")?.split('`').next()).collect()
    };
    for (section, keys) in SECTIONS {
        assert_eq!(table(&format!("Keys of {section}")), keys, "{section}");
    }
    assert_eq!(table("Profiles"), Profile::ALL.map(Profile::as_str));
    assert_eq!(table("Gaps"), GapKind::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>());
}
