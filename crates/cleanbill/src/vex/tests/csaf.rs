//! CSAF VEX: a table of documents, each with what becomes of the finding.

use serde_json::{Value, json};

use super::{DJANGO, check_json};

fn product(id: &str, purl: &str) -> Value {
    json!({"name": id, "product_id": id, "product_identification_helper": {"purl": purl}})
}

/// A document with the products D (Django), F (Flask), I (the image), N (without a package URL),
/// some of them deep in branches, DI (Django in the image), FI, and DN (Django in what has none).
fn document(flaw: Value) -> Value {
    let within = |id: &str, part: &str, whole: &str| {
        json!({"category": "default_component_of", "product_reference": part,
               "relates_to_product_reference": whole,
               "full_product_name": {"name": id, "product_id": id}})
    };
    json!({
        "document": {"category": "csaf_vex", "csaf_version": "2.0", "title": "t"},
        "product_tree": {
            "branches": [{"category": "vendor", "name": "v", "branches": [
                {"category": "product_name", "name": "p", "branches": [
                    {"category": "product_version", "name": "1", "product": product("D", DJANGO)}]},
                {"category": "product_version", "name": "2", "product": product("F", "pkg:pypi/flask")},
            ]}],
            "full_product_names": [
                product("I", "pkg:oci/app?repository_url=registry.example/team/app"),
                {"name": "N", "product_id": "N"},
                product("B", "django"),
                product("T", DJANGO), product("T", DJANGO),
            ],
            "relationships": [within("DI", "D", "I"), within("FI", "F", "I"), within("DN", "D", "N"),
                              within("DII", "DI", "I"), within("DX", "D", "X")],
            "product_groups": [{"group_id": "G", "product_ids": ["D", "F"]}],
        },
        "vulnerabilities": [flaw],
    })
}

/// CVE-2021-1 with the status of products, and more.
fn flaw(status: Value, more: Value) -> Value {
    let mut flaw = json!({"cve": "CVE-2021-1", "product_status": status});
    if let (Some(to), Value::Object(from)) = (flaw.as_object_mut(), more) {
        to.extend(from);
    }
    document(flaw)
}

fn not(id: &str, more: Value) -> Value {
    flaw(json!({"known_not_affected": [id]}), more)
}

fn impact() -> Value {
    json!({"threats": [{"category": "impact", "details": "not reached"}]})
}

#[test]
fn statements() {
    let at = "hidden: not_affected #/vulnerabilities/0/product_status/known_not_affected/0";
    let words = format!("{at} not reached");
    let flag = |ids: Value| {
        let mut flag = json!({"label": "vulnerable_code_not_present"});
        flag.as_object_mut().unwrap().extend(ids.as_object().unwrap().clone());
        json!({"flags": [flag]})
    };
    let code = format!("{at} vulnerable_code_not_present");
    let both = json!({"flags": [{"label": "component_not_present", "product_ids": ["D"]}],
                      "threats": [{"category": "impact", "details": "gone", "product_ids": ["D"]}]});
    let other = json!({"cve": null, "ids": [{"system_name": "GitHub", "text": "GHSA-aaaa"}]});
    let other = other.as_object().unwrap().iter().filter(|(_, v)| !v.is_null());
    let other: Value =
        other.map(|(k, v)| (k.clone(), v.clone())).collect::<serde_json::Map<_, _>>().into();
    let mut by_alias = document(json!({"product_status": {"fixed": ["D"]}}));
    by_alias["vulnerabilities"][0]["ids"] = other["ids"].clone();
    check_json(vec![
        (&words, not("D", impact())),
        (&words, not("I", impact())),
        (&words, not("DI", impact())),
        (&code, not("D", flag(json!({"product_ids": ["F", "D"]})))),
        (&code, not("D", flag(json!({"group_ids": ["G"]})))),
        (&format!("{at} component_not_present: gone"), not("D", both)),
        (
            "hidden: fixed #/vulnerabilities/0/product_status/fixed/0",
            flaw(json!({"fixed": ["D"]}), json!({})),
        ),
        (
            "hidden: fixed #/vulnerabilities/0/product_status/first_fixed/0",
            flaw(json!({"first_fixed": ["D"]}), json!({})),
        ),
        ("hidden: fixed #/vulnerabilities/0/product_status/fixed/0", by_alias),
        (
            "counts: affected #/vulnerabilities/0/product_status/known_affected/0",
            flaw(json!({"known_affected": ["D"]}), json!({})),
        ),
        (
            "counts: under_investigation #/vulnerabilities/0/product_status/under_investigation/0",
            flaw(json!({"under_investigation": ["D"]}), json!({})),
        ),
        // A contradiction counts as the worse.
        (
            "counts: affected #/vulnerabilities/0/product_status/known_affected/0",
            flaw(json!({"known_not_affected": ["D"], "known_affected": ["D"]}), impact()),
        ),
        (
            "counts: affected #/vulnerabilities/0/product_status/last_affected/0",
            flaw(json!({"fixed": ["I"], "last_affected": ["D"]}), json!({})),
        ),
        ("counts", flaw(json!({"recommended": ["D"]}), json!({}))),
        ("counts", not("F", impact())),
        ("counts", not("FI", impact())),
        ("counts", flaw(json!({}), json!({}))),
    ]);
}

#[test]
fn what_is_malformed_hides_nothing_and_is_told() {
    let at = "counts | #/vulnerabilities/0";
    let of = |id: &str, why: &str| {
        format!("{at}/product_status/known_not_affected/0product \"{id}\": {why}")
    };
    let flags = |flag: Value| json!({"flags": [flag]});
    let table = [
        (of("D", "known_not_affected without a flag or an impact"), not("D", json!({}))),
        (
            of("D", "known_not_affected without a flag or an impact"),
            not("D", json!({"threats": [{"category": "exploit_status", "details": "x"}]})),
        ),
        (
            of("D", "known_not_affected without a flag or an impact"),
            not(
                "D",
                json!({"threats": [{"category": "impact", "details": "x", "product_ids": ["F"]}]}),
            ),
        ),
        // A flag says what it is about.
        (
            of("D", "known_not_affected without a flag or an impact"),
            not("D", flags(json!({"label": "component_not_present"}))),
        ),
        (
            format!("{at}/flags/0\"because\" is no justification"),
            not("D", flags(json!({"label": "because", "product_ids": ["D"]}))),
        ),
        (format!("{at}/flags/0it has no label"), not("D", flags(json!({"product_ids": ["D"]})))),
        (of("N", "it has no package URL"), not("N", impact())),
        (of("B", "\"django\" is no package URL: it does not begin with pkg:"), not("B", impact())),
        (of("X", "it is not in the product_tree"), not("X", impact())),
        (of("T", "its id stands for more than one product"), not("T", impact())),
        (of("DN", "its relates_to_product_reference: it has no package URL"), not("DN", impact())),
        (
            of("DX", "its relates_to_product_reference is no product with a place of its own"),
            not("DX", impact()),
        ),
        (
            of("DII", "its product_reference is no product with a place of its own"),
            not("DII", impact()),
        ),
        (
            format!("{at}\"known_not_affected\" is a text, not a list"),
            flaw(json!({"known_not_affected": "D"}), impact()),
        ),
        (format!("{at}the flaw has no id"), document(json!({"product_status": {"fixed": ["D"]}}))),
        (format!("{at}\"CVE 2021\" is no id of a flaw"), document(json!({"cve": "CVE 2021"}))),
    ];
    check_json(table.iter().map(|(e, d)| (e.as_str(), d.clone())).collect());
}

#[test]
fn what_is_no_document_is_an_error() {
    let mut documents = Vec::new();
    for (pointer, value, expected) in [
        (
            "/document/category",
            json!("csaf_security_advisory"),
            "error: v.json#/document/category: \"csaf_security_advisory\" is not csaf_vex…",
        ),
        (
            "/document/csaf_version",
            json!("1.2"),
            "error: v.json#/document/csaf_version: \"1.2\" is not 2.0…",
        ),
        (
            "/document/csaf_version",
            json!(2.0),
            "error: v.json#/document/csaf_version: \"csaf_version\" is a number…",
        ),
        (
            "/product_tree/branches",
            json!({}),
            "error: v.json#/product_tree: \"branches\" is an object…",
        ),
        ("/vulnerabilities", json!("x"), "error: v.json#: \"vulnerabilities\" is a text…"),
    ] {
        let mut document = not("D", impact());
        *document.pointer_mut(pointer).unwrap() = value;
        documents.push((expected, document));
    }
    check_json(documents);
}
