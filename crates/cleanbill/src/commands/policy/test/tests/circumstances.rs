//! What stands beside an image: checkers' opinions, registrations, broken glass, earlier admissions.

use cleanbill_trust::SigningKey;
use cleanbill_trust::breakglass::{Terms, issue};

use super::{DIGEST, hold};

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
