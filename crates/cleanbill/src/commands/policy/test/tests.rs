//! Cases that pass, cases that fail, and files that are wrong.

use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};

use super::found::Looker;
use super::{differences, read};
use crate::commands::policy::looking::LookingArgs;
use crate::quickstart::examples::{self, Example};
use crate::quickstart::registry::{Hosted, Registry};

mod circumstances;
mod looked_at;
mod mistakes;

const DIGEST: &str = "sha256:0707070707070707070707070707070707070707070707070707070707070707";

#[derive(clap::Parser)]
struct Looking {
    #[command(flatten)]
    how: LookingArgs,
}

fn outcome(text: &str) -> String {
    outcome_in(Path::new(""), &[], text)
}

/// What comes of a file of cases in a folder, with these flags.
fn outcome_in(folder: &Path, flags: &[&str], text: &str) -> String {
    let text = text.replace("DIGEST", DIGEST);
    let now = "2026-06-01T12:00:00Z".parse().unwrap();
    let looking = Looking::parse_from([&["test"], flags].concat());
    let looker = Looker::new(&looking.how);
    match read(&text, "c.yaml", folder, None, now) {
        Err(failure) => failure.to_string(),
        Ok((policy, cases)) => {
            let lines = cases.iter().map(|case| {
                let wrong = differences(case, &policy, &looker).unwrap();
                if wrong.is_empty() { "ok".to_owned() } else { wrong.join("; ") }
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn one(policy: &str, case: &str) -> String {
    outcome(&format!("policy: {{{policy}}}\ncases:\n- {{name: a, {case}}}"))
}

/// Policy, case, what comes of it.
fn hold(table: &[(&str, String, &str)]) {
    for (policy, case, want) in table {
        let want = want.replace("DIGEST", DIGEST);
        assert_eq!(one(policy, case), want, "{policy}\n{case}");
    }
}

/// A folder with an example as `app.tar`, and a registry that has it.
fn hosted(example: &Example) -> (tempfile::TempDir, Registry, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.tar");
    std::fs::write(&path, example.archive()).unwrap();
    std::fs::write(dir.path().join("broken.tar"), "no archive").unwrap();
    let spec = InputSpec::parse(path.to_str().unwrap());
    let limits = Arc::new(Limits::default());
    let image = open_input(&spec, &PlatformChoice::All, &limits).unwrap().images.remove(0);
    let hosted = Hosted::new(example.name, image);
    let name = format!("{}@{}", example.name, hosted.digest());
    let registry = Registry::start(vec![hosted]).unwrap();
    let name = format!("{}/{name}", registry.host());
    (dir, registry, name)
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
        ("", format!("{image}, expect: allowed"), "expected allowed, got undecided; r.example/a@DIGEST was not examined: the case has no evidence"),
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
    hold(table);
}

#[test]
fn the_documented_files_of_cases_use_every_key_and_pass() {
    let docs = include_str!("../../../../../../docs/policy.md");
    let example = |at| docs.split("```yaml\n").nth(at).unwrap().split("```").next().unwrap();
    let (written, looked) = (example(1), example(2));
    let (dir, registry, name) = hosted(&examples::ALL[1]);
    let named = "{image: \"registry.example/app:1.4\"}";
    assert!(looked.contains(named), "{looked}");
    let own = looked.replace(named, &format!("{{image: '{name}'}}"));
    let flags = ["--plain-http", &registry.host()];
    for said in [outcome(written), outcome_in(dir.path(), &flags, &own)] {
        assert!(said.lines().count() > 1 && said.lines().all(|l| l == "ok"), "{said}");
    }
    let all = [
        &super::FILE_KEYS[..],
        &super::case::CASE_KEYS[..],
        &super::case::REQUEST_KEYS[..],
        &super::facts::EVIDENCE_KEYS[..],
        &super::facts::PACKAGE_KEYS[..],
        &super::facts::FLAW_KEYS[..],
        &super::facts::GAP_KEYS[..],
        &super::circumstances::REGISTERED_KEYS[..],
        &super::circumstances::OPINION_KEYS[..],
        &super::circumstances::EARLIER_KEYS[..],
    ];
    for key in all.concat() {
        let there = [written, looked].iter().any(|text| text.contains(&format!("{key}:")));
        assert!(there, "{key}");
    }
}
