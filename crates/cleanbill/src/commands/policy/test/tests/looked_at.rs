//! Images that a case names and that are looked at: archives, and what a registry has.

use super::{hosted, outcome_in};
use crate::quickstart::examples::{self, Example};

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
