//! OpenVEX: a table of documents, each with what becomes of the finding.

use serde_json::{Value, json};

use super::{DJANGO, check_json};

fn document(statements: &[Value]) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/1",
        "author": "us", "timestamp": "2024-01-01T00:00:00Z", "version": 1,
        "statements": statements,
    })
}

/// A statement about CVE-2021-1 in Django, with some keys replaced (`null`: taken away).
fn with(changes: Value) -> Value {
    let mut statement = json!({
        "vulnerability": {"name": "CVE-2021-1"},
        "products": [{"@id": DJANGO}],
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
    });
    let (Some(to), Value::Object(from)) = (statement.as_object_mut(), changes) else { panic!() };
    for (key, value) in from {
        if value.is_null() {
            to.remove(&key)
        } else {
            to.insert(key, value)
        };
    }
    statement
}

fn one(changes: Value) -> Value {
    document(&[with(changes)])
}

#[test]
fn statements() {
    let hidden = "hidden: not_affected #/statements/0 vulnerable_code_not_present";
    let image = |sub: Value| json!([{"@id": "pkg:oci/app?repository_url=registry.example/team/app", "subcomponents": sub}]);
    let affected = json!({"status": "affected", "justification": null,
                          "timestamp": "2024-02-01T00:00:00+01:00"});
    check_json(vec![
        (hidden, one(json!({}))),
        (hidden, one(json!({"products": [{"@id": "x", "identifiers": {"purl": DJANGO}}]}))),
        (hidden, one(json!({"products": [{"@id": "pkg:pypi/flask"}, {"@id": "pkg:pypi/Django"}]}))),
        (hidden, one(json!({"vulnerability": {"name": "GHSA-aaaa"}}))),
        (hidden, one(json!({"vulnerability": {"name": "X-1", "aliases": ["CVE-2021-1"]}}))),
        (hidden, one(json!({"products": [{"@id": "pkg:oci/app?tag=1"}]}))),
        (hidden, one(json!({"products": image(json!([{"@id": DJANGO}]))}))),
        (
            hidden,
            document(&[with(json!({})), with(json!({"status": "x"}))])
                .as_object()
                .map(|d| {
                    let mut d = d.clone();
                    d["statements"] = json!([with(json!({}))]);
                    d.into()
                })
                .unwrap(),
        ),
        (
            "hidden: not_affected #/statements/0 vulnerable_code_not_present: gone",
            one(json!({"impact_statement": "gone"})),
        ),
        (
            "hidden: not_affected #/statements/0 not used",
            one(json!({"justification": null, "impact_statement": "not used"})),
        ),
        ("hidden: fixed #/statements/0", one(json!({"status": "fixed", "justification": null}))),
        ("counts: affected #/statements/1", document(&[with(json!({})), with(affected.clone())])),
        ("counts: affected #/statements/0", document(&[with(affected), with(json!({}))])),
        (
            "counts: under_investigation #/statements/0",
            one(json!({"status": "under_investigation", "justification": null})),
        ),
    ]);
}

#[test]
fn what_is_about_something_else() {
    let image = "pkg:oci/app";
    check_json(vec![
        ("counts", document(&[])),
        ("counts", one(json!({"vulnerability": {"name": "CVE-2021-10"}}))),
        ("counts", one(json!({"products": [{"@id": "pkg:pypi/flask"}]}))),
        ("counts", one(json!({"products": [{"@id": "pkg:pypi/django@3.2.1"}]}))),
        ("counts", one(json!({"products": [{"@id": "pkg:oci/other"}]}))),
        ("counts", one(json!({"products": [{"@id": "pkg:oci/app?tag=2"}]}))),
        (
            "counts",
            one(
                json!({"products": [{"@id": image, "subcomponents": [{"@id": "pkg:pypi/flask"}]}]}),
            ),
        ),
        (
            "counts",
            one(
                json!({"products": [{"@id": DJANGO, "subcomponents": [{"@id": "pkg:pypi/flask"}]}]}),
            ),
        ),
        // The identifier counts, not the name beside it.
        (
            "counts",
            one(json!({"products": [{"@id": DJANGO, "identifiers": {"purl": "pkg:pypi/x"}}]})),
        ),
    ]);
}

#[test]
fn what_is_malformed_hides_nothing_and_is_told() {
    let at = "counts | #/statements/0";
    let product = "counts | #/statements/0/products/0";
    let row = |place: &str, why: &str, changes: Value| (format!("{place}{why}"), one(changes));
    let sub = |sub: Value| json!({"products": [{"@id": "pkg:oci/app", "subcomponents": sub}]});
    let table = [
        row(
            at,
            "not_affected without justification or impact statement",
            json!({"justification": null}),
        ),
        row(
            at,
            "not_affected without justification or impact statement",
            json!({"justification": null, "impact_statement": " "}),
        ),
        row(at, "\"because\" is no justification", json!({"justification": "because"})),
        row(
            at,
            "\"code_not_reachable\" is no justification",
            json!({"justification": "code_not_reachable"}),
        ),
        row(at, "\"justification\" is a list, not a text", json!({"justification": []})),
        row(at, "\"NOT_AFFECTED\" is no status", json!({"status": "NOT_AFFECTED"})),
        row(at, "it has no status", json!({"status": null})),
        row(at, "it names no product", json!({"products": null})),
        row(at, "it names no product", json!({"products": []})),
        row(at, "\"products\" is a text, not a list", json!({"products": DJANGO})),
        row(product, "it is a text, not an object", json!({"products": [DJANGO]})),
        row(
            product,
            "it has no package URL",
            json!({"products": [{"@id": "https://example.org/app"}]}),
        ),
        row(product, "it has no package URL", json!({"products": [{"hashes": {"sha-256": "00"}}]})),
        row(
            product,
            "\"pkg:pypi\" is no package URL: it has no name",
            json!({"products": [{"@id": "pkg:pypi"}]}),
        ),
        // A subcomponent that is not understood must not make the statement one about everything.
        row(product, "a subcomponent: it has no package URL", sub(json!([{"@id": "django"}]))),
        row(product, "a subcomponent: it is a text, not an object", sub(json!([DJANGO]))),
        row(product, "\"subcomponents\" is an object, not a list", sub(json!({}))),
        row(
            at,
            "\"vulnerability\" is no object with a name",
            json!({"vulnerability": "CVE-2021-1"}),
        ),
        row(at, "the vulnerability has no name", json!({"vulnerability": {"@id": "CVE-2021-1"}})),
        row(at, "\"\" is no id of a flaw", json!({"vulnerability": {"name": ""}})),
        row(
            at,
            "\"aliases\" holds a number, not texts only",
            json!({"vulnerability": {"name": "X", "aliases": ["CVE-2021-1", 7]}}),
        ),
        row(at, "\"timestamp\": \"yesterday\" is no time", json!({"timestamp": "yesterday"})),
    ];
    check_json(table.iter().map(|(e, d)| (e.as_str(), d.clone())).collect());
    let two = document(&[json!(7), with(json!({}))]);
    let told =
        "hidden: not_affected #/statements/1 vulnerable_code_not_present | #/statements/0\"…";
    check_json(vec![(told, two)]);
}

#[test]
fn what_is_no_document_is_an_error() {
    let mut documents = Vec::new();
    for (key, value, expected) in [
        (
            "@context",
            json!("https://openvex.dev/ns"),
            "error: v.json#/@context: \"https://openvex.dev/ns\" is not understood…",
        ),
        ("@context", json!("https://openvex.dev/ns/v0.3.0"), "error: v.json#/@context: …"),
        (
            "@context",
            json!("https://example.org"),
            "error: v.json: is no VEX document of a known format…",
        ),
        ("timestamp", json!("now"), "error: v.json#/timestamp: \"timestamp\": \"now\" is no time…"),
        ("timestamp", json!(7), "error: v.json#/timestamp: \"timestamp\" is a number…"),
        (
            "statements",
            json!({}),
            "error: v.json#/statements: \"statements\" is an object, not a list…",
        ),
    ] {
        let mut document = one(json!({}));
        document[key] = value;
        documents.push((expected, document));
    }
    check_json(documents);
}
