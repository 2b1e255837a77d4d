//! Cases that pass, cases that fail, and files that are wrong.

use std::path::Path;

use super::{differences, read};

const DIGEST: &str = "sha256:0707070707070707070707070707070707070707070707070707070707070707";

fn outcome(text: &str) -> String {
    let text = text.replace("DIGEST", DIGEST);
    let now = "2026-06-01T12:00:00Z".parse().unwrap();
    match read(&text, "c.yaml", Path::new(""), None, now) {
        Err(failure) => failure.to_string(),
        Ok((policy, cases)) => {
            let lines = cases.iter().map(|case| {
                let wrong = differences(case, &policy);
                if wrong.is_empty() { "ok".to_owned() } else { wrong.join("; ") }
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn one(policy: &str, case: &str) -> String {
    outcome(&format!("policy: {{{policy}}}\ncases:\n- {{name: a, {case}}}"))
}

#[test]
fn cases_are_judged_as_the_gate_would() {
    let image = "request: {images: ['r.example/a@DIGEST']}";
    let critical = "flaws: [{id: CVE-1, severity: critical}]";
    let root = "rules: [{name: no-root, refuse: {runs_as_root: true}}]";
    let table: &[(&str, String, &str)] = &[
        ("", format!("{image}, evidence: {{}}, expect: allowed"), "ok"),
        ("", format!("{image}, evidence: {{{critical}}}, expect: denied, rules: [highest_severity]"), "ok"),
        ("", format!("{image}, evidence: {{{critical}}}, expect: allowed"), "expected allowed, got denied by highest_severity"),
        ("", format!("{image}, evidence: {{{critical}}}, expect: denied, rules: [accept_gaps]"), "rules: expected [accept_gaps], got [highest_severity]"),
        ("action: warn", format!("{image}, evidence: {{{critical}}}, expect: allowed, warnings: [highest_severity]"), "ok"),
        ("action: warn", format!("{image}, evidence: {{{critical}}}, expect: allowed, warnings: []"), "warnings: expected [], got [highest_severity]"),
        ("", format!("{image}, expect: undecided"), "ok"),
        ("allowed: [b.example/*]", format!("{image}, expect: denied, rules: [allowed]"), "ok"),
        ("local_images: [r.example/*]", format!("{image}, evidence: {{}}, expect: allowed"), "ok"),
        ("", "request: {images: [nginx]}, evidence: {}, expect: denied, rules: [accept_gaps]".into(), "ok"),
        (root, format!("{image}, evidence: {{}}, expect: denied, rules: [no-root]"), "ok"),
        (root, format!("{image}, evidence: {{user: '7'}}, expect: allowed"), "ok"),
        (root, format!("{image}, evidence: {{user: web}}, expect: denied, rules: [accept_gaps]"), "ok"),
        ("", format!("{image}, evidence: {{gaps: [{{kind: end-of-life}}]}}, expect: denied, rules: [accept_gaps]"), "ok"),
        ("rules: [{name: r, refuse: {cel: \"'x' in request.labels && packages.exists(p, p.name == 'curl')\"}}]",
         "request: {images: ['r.example/a@DIGEST'], labels: {x: y}}, evidence: {packages: [{name: curl, version: '1'}]}, expect: denied, rules: [r]".into(), "ok"),
        ("rules: [{name: r, refuse: {older_than: 30d}}]",
         format!("{image}, now: 2026-03-01, evidence: {{created: 2026-01-01}}, expect: denied, rules: [r]"), "ok"),
    ];
    for (policy, case, want) in table {
        assert_eq!(one(policy, case), *want, "{policy}\n{case}");
    }
}

#[test]
fn what_is_wrong_with_a_file_of_cases_is_told() {
    let table: &[(&str, &str)] = &[
        ("cases: []", "c.yaml names no policy"),
        (
            "policy: {nam: x}\ncases: []",
            "c.yaml:1:10: unknown key \"nam\" (did you mean \"name\"?)",
        ),
        ("policy: {}\ncases: [{}]", "the case has no \"name\""),
        (
            "policy: {}\ncases: [{name: a, request: {images: [x]}, expect: deny}]",
            "c.yaml:2:51: \"expect\" cannot be \"deny\" (one of allowed, denied, undecided)",
        ),
        (
            "policy: {}\ncases: [{name: a, request: {image: x}, expect: denied}]",
            "unknown key \"image\" (did you mean \"images\"?)",
        ),
        (
            "policy: {}\ncases: [{name: a, request: {images: [x]}, expect: denied, evidence: {flaw: []}}]",
            "unknown key \"flaw\" (did you mean \"flaws\"?)",
        ),
        (
            "policy: {}\ncases: [{name: a, request: {images: [x]}, expect: denied, evidence: {flaws: [{severity: high}]}}]",
            "the flaw has no \"id\"",
        ),
        (
            "policy: {}\ncases: [{name: a, request: {images: [x]}, expect: denied, now: noon}]",
            "\"now\" is no time",
        ),
        ("policy: gone.yaml\ncases: []", "the policy gone.yaml cannot be read"),
    ];
    for (text, want) in table {
        let told = outcome(text);
        assert!(told.contains(want), "{text}\n{told}");
    }
}

#[test]
fn the_documented_file_of_cases_uses_every_key_and_passes() {
    let docs = include_str!("../../../../../../docs/policy.md");
    let example = docs.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let said = outcome(example);
    assert!(said.lines().count() > 1 && said.lines().all(|l| l == "ok"), "{said}");
    let all = [
        &super::FILE_KEYS[..],
        &super::case::CASE_KEYS[..],
        &super::case::REQUEST_KEYS[..],
        &super::facts::EVIDENCE_KEYS[..],
        &super::facts::PACKAGE_KEYS[..],
        &super::facts::FLAW_KEYS[..],
        &super::facts::GAP_KEYS[..],
    ];
    for key in all.concat() {
        assert!(example.contains(&format!("{key}:")), "{key}");
    }
}
