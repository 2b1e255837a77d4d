//! CycloneDX VEX: a table of documents, each with what becomes of the finding.

use serde_json::{Value, json};

use super::{DJANGO, check_json};

/// A document about this subject with Django as `d`, Flask as `f` within `d`, `n` without a
/// package URL and `t` twice.
fn document(subject: Value, reference: Value, analysis: Value) -> Value {
    let mut document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "components": [
            {"type": "library", "bom-ref": "d", "name": "django", "purl": DJANGO, "components": [
                {"type": "library", "bom-ref": "f", "name": "flask", "purl": "pkg:pypi/flask"}]},
            {"type": "library", "bom-ref": "n", "name": "django"},
            {"type": "library", "bom-ref": "t", "name": "a", "purl": DJANGO},
            {"type": "library", "bom-ref": "t", "name": "b", "purl": DJANGO},
        ],
        "vulnerabilities": [{"id": "CVE-2021-1", "analysis": analysis, "affects": [reference]}],
    });
    if !subject.is_null() {
        document["metadata"] = json!({"component": subject});
    }
    document
}

fn of(reference: &str) -> Value {
    document(json!(null), json!({"ref": reference}), not())
}

fn not() -> Value {
    json!({"state": "not_affected", "justification": "code_not_reachable"})
}

fn state(analysis: Value) -> Value {
    document(json!(null), json!({"ref": DJANGO}), analysis)
}

fn app(purl: &str) -> Value {
    json!({"type": "container", "bom-ref": "app", "name": "app", "purl": purl})
}

#[test]
fn statements() {
    let hidden = "hidden: not_affected #/vulnerabilities/0 code_not_reachable";
    let mut alias = of(DJANGO);
    alias["vulnerabilities"][0]["id"] = json!("X-1");
    alias["vulnerabilities"][0]["references"] = json!([{"id": "GHSA-aaaa", "source": {}}]);
    let mut plain = of(DJANGO);
    plain["vulnerabilities"][0].as_object_mut().unwrap().remove("analysis");
    let twice = |first: Value, second: Value| {
        let mut document = state(first);
        let mut other = document["vulnerabilities"][0].clone();
        other["analysis"] = second;
        document["vulnerabilities"].as_array_mut().unwrap().push(other);
        document
    };
    let exploitable = |time: &str| json!({"state": "exploitable", "lastUpdated": time});
    let dated = json!({"state": "false_positive", "firstIssued": "2024-01-01T00:00:00Z"});
    check_json(vec![
        (hidden, of(DJANGO)),
        (hidden, of("pkg:pypi/Django")),
        (hidden, of("d")),
        (hidden, alias),
        (hidden, document(app("pkg:oci/app?tag=1"), json!({"ref": "d"}), not())),
        (hidden, document(app("pkg:oci/app"), json!({"ref": "app"}), not())),
        (hidden, document(json!({"name": "app"}), json!({"ref": DJANGO}), not())),
        (
            "hidden: not_affected #/vulnerabilities/0 behind a wall",
            state(json!({"state": "not_affected", "detail": "behind a wall"})),
        ),
        (
            "hidden: not_affected #/vulnerabilities/0 false_positive",
            state(json!({"state": "false_positive"})),
        ),
        ("hidden: fixed #/vulnerabilities/0", state(json!({"state": "resolved"}))),
        ("hidden: fixed #/vulnerabilities/0", state(json!({"state": "resolved_with_pedigree"}))),
        ("counts: affected #/vulnerabilities/0", state(json!({"state": "exploitable"}))),
        ("counts: under_investigation #/vulnerabilities/0", state(json!({"state": "in_triage"}))),
        (
            "counts: affected #/vulnerabilities/1",
            twice(dated.clone(), exploitable("2024-02-01T00:00:00Z")),
        ),
        (
            "hidden: not_affected #/vulnerabilities/0 false_positive",
            twice(dated, exploitable("2023-02-01T00:00:00Z")),
        ),
        ("counts: affected #/vulnerabilities/1", twice(not(), json!({"state": "exploitable"}))),
        ("counts", plain),
        ("counts", of("f")),
        ("counts", of("pkg:pypi/django@3.1")),
        ("counts", document(app("pkg:oci/other"), json!({"ref": "d"}), not())),
        ("counts", document(app("pkg:oci/other"), json!({"ref": "app"}), not())),
        ("counts", document(app("pkg:npm/app"), json!({"ref": "d"}), not())),
    ]);
}

#[test]
fn what_is_malformed_hides_nothing_and_is_told() {
    let at = "counts | #/vulnerabilities/0";
    let reference = |why: &str| format!("{at}/affects/0{why}");
    let mut nothing = of(DJANGO);
    nothing["vulnerabilities"][0]["affects"] = json!([]);
    let mut nameless = of(DJANGO);
    nameless["vulnerabilities"][0].as_object_mut().unwrap().remove("id");
    let table = [
        (
            format!("{at}not_affected without justification or detail"),
            state(json!({"state": "not_affected"})),
        ),
        (
            format!("{at}\"component_not_present\" is no justification"),
            state(json!({"state": "not_affected", "justification": "component_not_present"})),
        ),
        (format!("{at}\"fixed\" is no state"), state(json!({"state": "fixed"}))),
        (format!("{at}\"state\" is a list, not a text"), state(json!({"state": []}))),
        (
            format!("{at}\"lastUpdated\": \"x\" is no time"),
            state(json!({"state": "resolved", "lastUpdated": "x"})),
        ),
        (format!("{at}it names no product"), nothing),
        (format!("{at}the flaw has no id"), nameless),
        (reference("it has no package URL"), of("n")),
        (reference("its ref stands for more than one component"), of("t")),
        (reference("\"x\" is neither a component nor a package URL"), of("x")),
        (reference("\"pkg:pypi\" is no package URL: it has no name"), of("pkg:pypi")),
        (
            reference("urn:cdx:1/1#pkg:pypi/django@3.2: is in another document"),
            of("urn:cdx:1/1#pkg:pypi/django@3.2"),
        ),
        (reference("it has no ref"), document(json!(null), json!({}), not())),
        // Nobody knows whether this subject is the image.
        (
            reference("metadata.component: it has no package URL"),
            document(json!({"name": "app"}), json!({"ref": "d"}), not()),
        ),
        (
            reference("\"versions\" in affects is not understood"),
            document(
                json!(null),
                json!({"ref": DJANGO, "versions": [{"version": "3.2", "status": "affected"}]}),
                not(),
            ),
        ),
    ];
    check_json(table.iter().map(|(e, d)| (e.as_str(), d.clone())).collect());
    let mut old = of(DJANGO);
    old["specVersion"] = json!("1.3");
    check_json(vec![("error: v.json#/specVersion: \"1.3\" is not understood…", old)]);
}
