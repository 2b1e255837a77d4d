//! Cases that pass, cases that fail, and files that are wrong.

use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use cleanbill_oci::image::PlatformChoice;
use cleanbill_oci::limits::Limits;
use cleanbill_oci::source::{InputSpec, open_input};
use cleanbill_trust::SigningKey;
use cleanbill_trust::breakglass::{Terms, issue};

use super::found::Looker;
use super::{differences, read};
use crate::commands::policy::looking::LookingArgs;
use crate::quickstart::examples::{self, Example};
use crate::quickstart::registry::{Hosted, Registry};

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

/// Policy, case, what comes of it.
fn hold(table: &[(&str, String, &str)]) {
    for (policy, case, want) in table {
        let want = want.replace("DIGEST", DIGEST);
        assert_eq!(one(policy, case), want, "{policy}\n{case}");
    }
}

#[test]
fn opinions_count_as_the_policy_says() {
    let case = |said: &str, expect: &str| {
        format!(
            "request: {{images: ['r.example/a@DIGEST']}}, evidence: {{}}, opinions: {{{said}}}, expect: {expect}"
        )
    };
    let (all, any) =
        ("checkers: [{names: [x, y], require: all}]", "checkers: [{names: [x, y], require: any}]");
    let table: &[(&str, String, &str)] = &[
        (all, case("x: allow, y: allow", "allowed"), "ok"),
        (all, case("x: allow, y: deny", "denied, rules: [checkers]"), "ok"),
        (all, case("x: allow, y: {deny: not ours}", "denied, rules: [checkers]"), "ok"),
        (all, case("x: allow, y: gap", "denied, rules: [accept_gaps]"), "ok"),
        (all, case("x: allow, y: {gap: too late}", "denied, rules: [accept_gaps]"), "ok"),
        // Who is not in the case was not asked, which is a gap too.
        (all, case("x: allow", "denied, rules: [accept_gaps]"), "ok"),
        (any, case("x: {deny: no}, y: allow", "allowed"), "ok"),
        (any, case("x: deny, y: gap", "denied, rules: [accept_gaps, checkers]"), "ok"),
        ("", case("x: deny", "allowed"), "ok"),
        // What they allow is never enough, and about what was not examined nobody is asked.
        (
            any,
            "request: {images: ['r.example/a@DIGEST']}, opinions: {x: allow}, expect: undecided"
                .into(),
            "ok",
        ),
    ];
    hold(table);
}

#[test]
fn local_images_are_what_is_registered() {
    let case = |registered: &str, expect: &str| {
        format!("request: {{images: ['morc:1']}}, registered: [{registered}], expect: {expect}")
    };
    let local = "local_images: [morc]";
    let critical = "{flaws: [{id: CVE-1, severity: critical}]}";
    let good = "{name: 'morc:1', node: n1, evidence: {}}";
    let table: &[(&str, String, &str)] = &[
        (local, case(good, "allowed"), "ok"),
        (local, case("", "denied, rules: [local_images]"), "ok"),
        (
            local,
            "request: {images: ['morc:1']}, expect: denied, rules: [local_images]".into(),
            "ok",
        ),
        (local, "request: {images: ['morc:1']}, evidence: {}, expect: allowed".into(), "ok"),
        (local, case("{name: 'morc:2', evidence: {}}", "denied, rules: [local_images]"), "ok"),
        (local, case("{name: 'morc:1'}", "denied, rules: [accept_gaps]"), "ok"),
        (
            "local_images: [morc], accept_gaps: [unexamined-registration]",
            case("{name: 'morc:1'}", "allowed"),
            "ok",
        ),
        (
            local,
            case(
                &format!("{good}, {{name: 'morc:1', node: n2, evidence: {critical}}}"),
                "denied, rules: [highest_severity]",
            ),
            "ok",
        ),
        // The one with the digest that is asked for counts, and no other.
        (
            local,
            format!(
                "request: {{images: ['morc:1@DIGEST']}}, registered: [{{name: 'morc:1', digest: DIGEST, evidence: {{}}}}, {{name: 'morc:1', evidence: {critical}}}], expect: allowed"
            ),
            "ok",
        ),
        (
            local,
            format!(
                "request: {{images: ['morc:1@DIGEST']}}, registered: [{good}], expect: denied, rules: [local_images]"
            ),
            "ok",
        ),
        // Without local_images a registration means nothing.
        ("", case(good, "undecided"), "ok"),
    ];
    hold(table);
}

#[test]
fn the_glass_is_broken_by_tokens_users_and_groups() {
    let [own, other] = [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()];
    let digests = [DIGEST.parse().unwrap()];
    let span = ("2026-06-01T10:00:00Z".parse().unwrap(), "2026-06-01T14:00:00Z".parse().unwrap());
    let terms = Terms::new("default", &digests, "anna", "incident 7", span).unwrap();
    let token = issue(&terms, &own).unwrap();
    let pem = |key: &SigningKey| format!("[\"{}\"]", key.public().to_pem().replace('\n', "\\n"));
    let (own, other) = (pem(&own), pem(&other));
    let glass = format!("break_glass: {{keys: {own}}}");
    let evidence = "evidence: {flaws: [{id: CVE-1, severity: critical}]}";
    let with = |more: &str, rest: &str| {
        format!("request: {{images: ['r.example/a@DIGEST'], {more}}}, {evidence}, {rest}")
    };
    let said = |expect: &str| with(&format!("token: {token}"), expect);
    let refused = "expected allowed, got denied by highest_severity; the token was not accepted: the token was not signed by a key that is accepted here";
    let table: &[(&str, String, &str)] = &[
        (&glass, said("expect: allowed"), "ok"),
        (
            &glass,
            with(
                &format!("annotations: {{breakglass.image-policy.k8s.io/token: {token}}}"),
                "expect: allowed",
            ),
            "ok",
        ),
        ("", said(&format!("token_keys: {own}, expect: allowed")), "ok"),
        ("", said("expect: denied"), "ok"),
        ("", said(&format!("token_keys: {other}, expect: allowed")), refused),
        (&glass, said("now: 2026-06-01T13:59:59Z, expect: allowed"), "ok"),
        (
            &glass,
            said("now: 2026-06-01T14:00:00Z, expect: denied, rules: [highest_severity]"),
            "ok",
        ),
        (&glass, with(&format!("namespace: shop, token: {token}"), "expect: denied"), "ok"),
        (&glass, with("token: cbg1.x.y", "expect: denied"), "ok"),
        ("break_glass: {users: [anna]}", with("user: anna", "expect: allowed"), "ok"),
        ("break_glass: {users: [anna]}", with("user: bert", "expect: denied"), "ok"),
        ("break_glass: {users: [anna]}", with("", "expect: denied"), "ok"),
        (
            "break_glass: {groups: [on-call]}",
            with("groups: [dev, on-call]", "expect: allowed"),
            "ok",
        ),
        (
            "break_glass: {groups: [on-call]}",
            with("labels: {group: on-call}", "expect: denied"),
            "ok",
        ),
    ];
    hold(table);
}

#[test]
fn an_earlier_admission_counts_as_the_policy_says() {
    let case = |earlier: &str, expect: &str| {
        format!(
            "request: {{images: ['r.example/a@DIGEST']}}, evidence: {{flaws: [{{id: CVE-1, severity: critical}}]}}, earlier: {{{earlier}}}, expect: {expect}"
        )
    };
    let keep = "already_admitted: keep 7d";
    let other = DIGEST.replace('7', "8");
    let table: &[(&str, String, &str)] = &[
        (keep, case("at: 2026-05-26", "allowed"), "ok"),
        (keep, case("at: 2026-05-25T12:00:00Z", "allowed"), "ok"),
        (keep, case("at: 2026-05-25T11:59:59Z", "denied, rules: [highest_severity]"), "ok"),
        (keep, case("at: 2026-06-02", "denied"), "ok"),
        ("", case("at: 2026-05-31", "denied"), "ok"),
        (keep, case("at: 2026-05-31, images: {'r.example/a@DIGEST': 'DIGEST'}", "allowed"), "ok"),
        (keep, case(&format!("at: 2026-05-31, images: {{'r.example/a@DIGEST': '{other}'}}"), "denied"), "ok"),
        (keep, "request: {images: ['r.example/a@DIGEST']}, earlier: {at: 2026-05-31}, expect: undecided".into(), "ok"),
    ];
    hold(table);
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
fn images_are_looked_at_where_a_case_names_them() {
    let [old, good] = &examples::ALL;
    let accept = "accept_gaps: [stale-feed, mutable-reference]";
    let local = "local_images: [app], accept_gaps: [stale-feed]";
    // (example, policy, case with HOSTED for its name in the registry, what comes of it)
    let table: &[(&Example, &str, &str, &str)] = &[
        (
            good,
            accept,
            "request: {images: ['r.example/a:1']}, evidence: {input: app.tar}, expect: allowed",
            "ok",
        ),
        (
            good,
            accept,
            "request: {images: ['HOSTED']}, evidence: {image: 'HOSTED'}, expect: allowed",
            "ok",
        ),
        (
            old,
            accept,
            "request: {images: ['HOSTED']}, evidence: {image: 'HOSTED'}, expect: denied, rules: [accept_gaps, highest_severity]",
            "ok",
        ),
        (
            old,
            accept,
            "request: {images: ['r.example/a:1']}, evidence: {input: app.tar}, expect: denied, rules: [accept_gaps, highest_severity]",
            "ok",
        ),
        // At that time its release was supported, and its flaws are flaws all the same.
        (
            old,
            accept,
            "request: {images: ['r.example/a:1']}, now: 2019-06-01, evidence: {input: app.tar}, expect: denied, rules: [highest_severity]",
            "ok",
        ),
        // The name asks for other bytes.
        (
            good,
            accept,
            "request: {images: ['r.example/a@DIGEST']}, evidence: {input: app.tar}, expect: denied, rules: [request]",
            "ok",
        ),
        (
            good,
            local,
            "request: {images: ['app:1']}, evidence: {input: app.tar}, expect: allowed",
            "ok",
        ),
        (
            good,
            local,
            "request: {images: ['app:1']}, registered: [{name: 'app:1', evidence: {input: app.tar}}], expect: allowed",
            "ok",
        ),
        (
            good,
            local,
            "request: {images: ['app:1']}, registered: [{name: 'app:1', digest: DIGEST, evidence: {input: app.tar}}], expect: denied, rules: [request]",
            "ok",
        ),
        // Refused by its name, it is not contacted.
        (
            good,
            "allowed: [b.example/*]",
            "request: {images: ['r.example/a:1']}, evidence: {image: '127.0.0.1:1/a:1'}, expect: denied, rules: [allowed]",
            "ok",
        ),
        (
            good,
            accept,
            "request: {images: ['r.example/a:1']}, evidence: {input: broken.tar}, expect: undecided",
            "ok",
        ),
        (
            good,
            accept,
            "request: {images: ['r.example/a:1']}, evidence: {input: broken.tar}, expect: allowed",
            "expected allowed, got undecided; r.example/a:1 was not examined: ",
        ),
        (
            good,
            accept,
            "request: {images: ['r.example/a:1']}, evidence: {image: '127.0.0.1:1/a:1'}, expect: undecided",
            "ok",
        ),
    ];
    for (example, policy, case, want) in table {
        let (dir, registry, name) = hosted(example);
        let case = case.replace("HOSTED", &name);
        let text = format!("policy: {{{policy}}}\ncases:\n- {{name: a, {case}}}");
        let said = outcome_in(dir.path(), &["--plain-http", &registry.host()], &text);
        assert!(
            if *want == "ok" { said == "ok" } else { said.starts_with(want) },
            "{text}\n{said}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_of_cases_is_told() {
    let case = |more: &str| {
        format!(
            "policy: {{}}\ncases:\n- {{name: a, request: {{images: [x]}}, expect: denied, {more}}}"
        )
    };
    let request = |more: &str| {
        format!(
            "policy: {{}}\ncases: [{{name: a, request: {{images: [x], {more}}}, expect: denied}}]"
        )
    };
    let table: &[(String, &str)] = &[
        ("cases: []".into(), "c.yaml names no policy"),
        (
            "policy: {nam: x}\ncases: []".into(),
            "c.yaml:1:10: unknown key \"nam\" (did you mean \"name\"?)",
        ),
        ("policy: {}\ncases: [{}]".into(), "the case has no \"name\""),
        (
            "policy: {}\ncases: [{name: a, request: {images: [x]}, expect: deny}]".into(),
            "c.yaml:2:51: \"expect\" cannot be \"deny\" (one of allowed, denied, undecided)",
        ),
        (
            "policy: {}\ncases: [{name: a, request: {image: x}, expect: denied}]".into(),
            "unknown key \"image\" (did you mean \"images\"?)",
        ),
        (case("evidence: {flaw: []}"), "unknown key \"flaw\" (did you mean \"flaws\"?)"),
        (case("evidence: {flaws: [{severity: high}]}"), "the flaw has no \"id\""),
        (case("now: noon"), "\"now\" is no time"),
        ("policy: gone.yaml\ncases: []".into(), "the policy gone.yaml cannot be read"),
        (request("token: [x]"), "c.yaml:2:49: \"token\" is a list, not a text (write a text)"),
        (
            case("evidence: {input: gone.tar}"),
            "c.yaml:3:71: there is no gone.tar (name an archive or layout; the path is relative to the file of cases)",
        ),
        (case("evidence: {input: '-'}"), "c.yaml:3:71: \"input\" cannot be standard input"),
        (case("evidence: {input: {}}"), "\"input\" is a mapping, not a text"),
        (case("evidence: {image: 'A b'}"), "(write it as [REGISTRY/]REPOSITORY[:TAG][@DIGEST])"),
        (
            case("evidence: {image: a, input: gone.tar}"),
            "c.yaml:3:81: \"image\" and \"input\" are both there (keep one of them)",
        ),
        (
            case("evidence: {image: a, flaws: []}"),
            "c.yaml:3:81: \"flaws\" stands beside an image that is looked at (what is found in the image counts: remove one of them)",
        ),
        (case("evidence: {image: a, imag: b}"), "unknown key \"imag\" (did you mean \"image\"?)"),
        (case("opinions: [x]"), "\"opinions\" is a list, not a mapping of checkers"),
        (
            case("opinions: {x: alow}"),
            "c.yaml:3:67: \"x\" cannot be \"alow\" (did you mean \"allow\"?)",
        ),
        (case("opinions: {x: allow, x: deny}"), "\"x\" is there twice (keep one of them)"),
        (
            case("opinions: {x: {deny: a, gap: b}}"),
            "c.yaml:3:67: an opinion is one thing (write allow, {deny: ITS WORDS} or {gap: WHY})",
        ),
        (case("opinions: {x: {dny: a}}"), "unknown key \"dny\" (did you mean \"deny\"?)"),
        (
            case("registered: [{node: n}]"),
            "c.yaml:3:66: the registration has no \"name\" (say under which name",
        ),
        (case("registered: [{name: 'a@DIGEST'}]"), "(write it as pods do, without a digest)"),
        (
            case("registered: [{name: a, digest: x}]"),
            "c.yaml:3:84: \"digest\" is no digest (write sha256: and 64 digits from 0 to f)",
        ),
        (case("registered: [{name: a, evidence: {flaw: []}}]"), "unknown key \"flaw\""),
        (
            case("token_keys: [x]"),
            "c.yaml:3:66: \"token_keys\" has what is no Ed25519 public key in PEM (paste the .pub file",
        ),
        (
            case("earlier: {}"),
            "\"earlier\" has no \"at\" (say when they were allowed, such as at: 2026-06-01)",
        ),
        (case("earlier: {at: noon}"), "c.yaml:3:67: \"at\" is no time"),
        (
            case("earlier: {at: 2026-01-01, images: [a]}"),
            "\"images\" is a list, not a mapping of images to digests",
        ),
        (case("earlier: {at: 2026-01-01, images: {a: b}}"), "\"a\" is no digest"),
    ];
    let told = table.iter().map(|(text, want)| (text, want, outcome(text)));
    let wrong: Vec<_> = told.filter(|(_, want, told)| !told.contains(*want)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
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
