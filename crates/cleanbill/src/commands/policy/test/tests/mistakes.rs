//! Every mistake in a file of cases, with its place and a hint.

use super::outcome;

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
