//! Where the pod's author could make a rule stop refusing, and where not.

use cleanbill_cel::{Cost, Key, Program, Type, Value};
use proptest::prelude::*;

use crate::{compiled, environment, shown, value};

/// What the author chooses.
pub const THEIRS: &[&str] = &[
    "request.labels",
    "request.annotations",
    "request.account",
    "request.owner",
    "request.privileged",
    "request.groups",
    "request.ports",
    "request.extra",
    "request.notes",
];

/// Rules that the author can only make stricter.
const SOUND: &[&str] = &[
    "image.name == 'nginx'",
    "!(image.name == 'nginx')",
    "'debug' in request.labels",
    "has(request.labels.debug)",
    "has(request.labels)",
    "request.account == 'root'",
    "'root' == request.account",
    "request.account in ['a', 'b']",
    "request.account.startsWith('ci-')",
    "request.account.lowerAscii().trim().matches('^ci')",
    "request.privileged",
    "request.privileged == true",
    "'ops' in request.groups",
    "request.groups.exists(g, g == 'ops' || g.endsWith('x'))",
    "'a' in request.labels && request.labels['a'] == 'x'",
    "request.labels['a'] == 'x' && 'a' in request.labels",
    "has(request.labels.a) && request.labels['a'].contains('x')",
    "'a' in request.labels && request.labels.a in ['x', 'y']",
    "'a' in request.labels && (image.name == 'x' || request.labels.a == 'x')",
    "'a' in request.labels && image.findings.exists(f, f.id == request.labels.a)",
    "request.labels.exists(k, k.startsWith('x/') && request.labels[k] == 'y')",
    "has(request.owner) && request.owner == 'x'",
    "has(request.notes) && has(request.notes.a) && request.notes.a == 'x'",
    "request.groups.exists(g, g in names)",
    "has(request.extra)",
    "image.findings.exists(f, f.id in request.labels && request.labels[f.id] == 'x')",
    "image.findings.all(f, f.id in request.labels)",
    "image.name == 'x' ? 'a' in request.labels : 'b' in request.labels",
    "image.name != 'x' || request.account == 'y'",
];

/// Rules that the author could talk out of refusing, and where.
const LOOSE: &[(&str, &str)] = &[
    ("!('ok' in request.labels)", "1:1: `!` turns"),
    ("request.account != 'root'", "1:17: `!=` turns"),
    ("request.labels['a'] == 'x'", "1:15: the pod's author may leave this out"),
    ("request.labels.a == 'x'", "1:16: the pod's author may leave this out"),
    (
        "'b' in request.labels && request.labels['a'] == 'x'",
        "1:40: the pod's author may leave this out",
    ),
    (
        "'a' in request.labels || request.labels['a'] == 'x'",
        "1:40: the pod's author may leave this out",
    ),
    (
        "'a' in request.annotations && request.labels['a'] == 'x'",
        "1:45: the pod's author may leave this out",
    ),
    ("request.owner == 'x'", "1:9: the pod's author may leave this out"),
    ("request.privileged == false", "1:23: what the pod's author chooses is compared with a bool"),
    (
        "('a' in request.labels) == false",
        "1:28: what the pod's author chooses is compared with a bool",
    ),
    ("('a' in request.labels) == true", "1:6: what the pod's author chooses could"),
    ("request.labels.size() == 0", "1:16: what the pod's author chooses could"),
    ("size(request.labels) > 0", "1:22: what the pod's author chooses could"),
    ("'a' in request.labels ? true : false", "1:5: the pod's author chooses this condition"),
    ("request.groups.all(g, g == 'x')", "1:16: all() becomes false"),
    ("request.groups.exists_one(g, g == 'x')", "1:16: what the pod's author chooses could"),
    ("request.groups.filter(g, g == 'x') == ['x']", "1:16: what the pod's author chooses could"),
    ("request.groups.exists(g, g != 'x')", "1:28: `!=` turns"),
    ("request.groups.exists(g, !(g == 'x'))", "1:26: `!` turns"),
    ("request.groups[0] == 'x'", "1:15: the pod's author may leave this out"),
    ("0 in request.ports && request.ports[0] == 1", "1:36: the pod's author may leave this out"),
    ("request.groups == []", "1:9: what the pod's author chooses could"),
    ("request.labels == {}", "1:9: what the pod's author chooses could"),
    ("request.labels in [{'a': 'b'}]", "1:9: what the pod's author chooses could"),
    ("request.privileged in [false]", "1:20: what the pod's author chooses could"),
    ("request.extra == {}", "1:9: what the pod's author chooses could"),
    ("has(request.notes.a)", "1:13: the pod's author may leave this out"),
    ("'a' in request.notes", "1:16: the pod's author may leave this out"),
    ("has(request.notes) || has(request.notes.a)", "1:35: the pod's author may leave this out"),
    ("request.account == request.labels.a", "1:17: both sides are"),
    ("image.name.contains(request.account)", "1:12: the pod's author chooses what is looked for"),
    ("request.account in request.groups", "1:17: both sides are"),
    ("request.account < 'x'", "1:17: what the pod's author chooses could"),
    ("request.account.size() > 3", "1:24: what the pod's author chooses could"),
    ("request == request", "1:9: both sides are"),
    ("[request].exists(r, 'a' in r.labels)", "1:1: what the pod's author chooses could"),
    ("dyn(request).labels.a == 'x'", "1:1: what the pod's author chooses could"),
    ("image.findings.exists(f, !(f.id in request.labels))", "1:26: `!` turns"),
    ("image.findings.filter(f, f.id in request.labels).size() == 0", "1:50: what the pod's author"),
    ("{'x': 1}[request.account] == 1", "1:1: what the pod's author chooses could"),
    ("names[request.account.size()] == 'x'", "1:1: what the pod's author chooses could"),
];

#[test]
fn rules_that_can_only_become_stricter_pass() {
    for source in SOUND {
        assert_eq!(shown(&compiled(source).loosens_on(THEIRS)), "", "{source}");
    }
}

#[test]
fn rules_that_the_author_could_loosen_are_told() {
    for (source, expected) in LOOSE {
        let told = shown(&compiled(source).loosens_on(THEIRS));
        assert!(told.starts_with(expected), "{source}\n  told: {told}");
        assert_eq!(compiled(source).loosens_on(&["image.nothing"]), [], "{source}");
    }
}

#[test]
fn every_place_is_told() {
    let told = compiled("!has(request.labels.a) ||\n request.account != 'x'").loosens_on(THEIRS);
    let places: Vec<(usize, usize)> = told.iter().map(|m| (m.line, m.column)).collect();
    assert_eq!(places, [(1, 1), (2, 18)]);
}

#[test]
fn references_are_paths_of_names() {
    for (source, expected) in [
        ("request.labels['a'] == image.name", &["image.name", "request.labels"][..]),
        ("has(request.owner)", &["request.owner"]),
        ("request.labels.a.size() > 1", &["request.labels.a"]),
        ("names.exists(n, n in names)", &["names"]),
        ("[1].exists(names, names == 1)", &[]),
        ("any", &["any"]),
        ("1 + 1", &[]),
    ] {
        let found: Vec<String> = compiled(source).references().into_iter().collect();
        assert_eq!(found, expected, "{source}");
    }
}

/// What the author may say, besides nothing.
fn said(labels: &[(String, String)], groups: &[String], privileged: bool, account: &str) -> Value {
    let map = labels.iter().map(|(k, v)| (Key::from(k.as_str()), Value::from(v.as_str())));
    let notes = labels
        .get(1)
        .map(|(k, v)| ("notes", Value::map([(Key::from(k.as_str()), Value::from(v.as_str()))])));
    let owner = labels.first().map(|(k, _)| ("owner", Value::from(k.as_str())));
    let fields = [
        ("labels", Value::map(map)),
        ("annotations", Value::map([])),
        ("account", Value::from(account)),
        ("privileged", Value::Bool(privileged)),
        ("ports", Value::list(groups.iter().map(|g| Value::Int(i64::from(g.as_bytes()[0] % 3))))),
        ("extra", Value::map([])),
        ("groups", Value::list(groups.iter().map(|g| Value::from(g.as_str())))),
    ];
    Value::record("Request", fields.into_iter().chain(owner).chain(notes))
}

fn refuses(program: &Program, request: &Value) -> bool {
    let lookup = |name: &str| match name {
        "request" => Some(request.clone()),
        name => value(name),
    };
    program.run(&lookup, Cost::DEFAULT).map_or(true, |v| v == Value::Bool(true))
}

/// Operands that rules are made of, sound ones and others.
fn rule() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "'a' in request.labels",
        "request.labels['a'] == 'x'",
        "request.labels.a.startsWith('x')",
        "has(request.labels.b)",
        "has(request.owner)",
        "request.owner == 'a'",
        "request.groups.exists(g, g == 'x')",
        "request.groups.all(g, g == 'x')",
        "request.labels.exists(k, request.labels[k] == 'x')",
        "request.labels.exists(k, k in request.groups)",
        "request.labels.size() == 0",
        "request.privileged",
        "image.name == 'nginx'",
        "image.name == 'other'",
        "1 / 0 == 1",
        "image.findings.all(f, f.id in request.labels)",
        "has(request.notes)",
        "has(request.notes.a)",
        "'a' in request.notes",
        "request.notes.a == 'x'",
        "request.groups == []",
        "request.groups[0] == 'x'",
        "request.ports[1] == 1",
        "1 in request.ports",
        "request.labels in [{'a': 'x'}]",
        "request.privileged in [false]",
        "request.privileged == true",
        "1 / request.ports.size() == 1",
    ];
    let leaf = proptest::sample::select(PARTS).prop_map(str::to_owned);
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("names.exists(n, {a})")),
            inner.prop_map(|a| format!("(({a}) == true)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The analysis against the evaluator: a rule that passes and refuses an author who says
    /// nothing refuses whatever they say.
    #[test]
    fn what_passes_cannot_be_loosened(
        source in rule(),
        labels in proptest::collection::vec(("[abA-]", "[xy]"), 0..4),
        groups in proptest::collection::vec("[axy]", 0..3),
        privileged: bool,
    ) {
        let program = Program::compile(&source, &environment(), &Type::Bool).unwrap();
        if program.loosens_on(THEIRS).is_empty() && refuses(&program, &said(&[], &[], false, "default")) {
            let request = said(&labels, &groups, privileged, "default");
            prop_assert!(refuses(&program, &request), "{source}: {request}");
        }
    }
}
