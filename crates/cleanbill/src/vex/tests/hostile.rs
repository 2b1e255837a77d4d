//! Files that are made to hurt: they end quickly, in an error or a note, and hide nothing.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::super::{Notes, fuzz, notes, parse_vex};
use super::{DJANGO, read};

const OPENVEX: &str =
    r#""@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2024-01-01T00:00:00Z""#;

#[test]
fn hostile_files() {
    let deep = |n: usize, open: &str, close: &str| format!("{}{}", open.repeat(n), close.repeat(n));
    let long = "x".repeat(1 << 20);
    let vulnerability = |name: &str| json!({"name": name});
    let statement = |name: &str, product: &str| json!({"vulnerability": vulnerability(name), "products": [{"@id": product}], "status": "fixed"});
    let document = |statements: &str| format!("{{{OPENVEX},\"statements\":[{statements}]}}");
    let branches = format!(
        r#"{{"document":{{"csaf_version":"2.0","category":"csaf_vex"}},"product_tree":{}}}"#,
        deep(100, r#"{"branches":["#, "]}")
    );
    let nested = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}]}}"#,
        deep(100, r#"{"components":["#, "]}")
    );
    let groups = {
        let ids: Vec<String> = (0..1000).map(|n| format!("p{n}")).collect();
        let flags = vec![json!({"label": "component_not_present", "group_ids": ["g"]}); 1000];
        json!({"document": {"csaf_version": "2.0", "category": "csaf_vex"},
               "product_tree": {"product_groups": [{"group_id": "g", "product_ids": ids}]},
               "vulnerabilities": [{"cve": "CVE-2021-1", "flags": flags}]})
        .to_string()
    };
    let many = vec![statement("CVE-2021-1", "pkg:pypi/x").to_string(); 100_001].join(",");
    let spam = vec!["7"; 100_000].join(",");
    let double =
        statement("CVE-2021-1", DJANGO).to_string().replacen('{', r#"{"status":"affected","#, 1);
    let cased =
        statement("CVE-2021-1", DJANGO).to_string().replacen('{', r#"{"Status":"affected","#, 1);
    let table: Vec<(&str, &str, Vec<u8>)> = vec![
        ("v.json", "error: v.json: ", Vec::new()),
        ("v.json", "error: v.json: ", vec![0xff; 9]),
        ("v.json", "error: v.json: ", b"{\"a\":\"\xff\"}".to_vec()),
        ("v.json", "error: v.json: nested deeper than 64", deep(100_000, "[", "]").into()),
        ("v.json", "error: v.json: nested deeper than 64", branches.into()),
        ("v.json", "error: v.json: nested deeper than 64", nested.into()),
        ("v.json", "error: v.json: the key \"status\" stands twice", document(&double).into()),
        ("v.json", "error: v.json: ", document(&cased).into()),
        ("v.json", "error: v.json: is no VEX document", b"[]".to_vec()),
        ("v.json", "error: v.json: trailing", b"{} {}".to_vec()),
        ("v.json", "error: v.json#/statements/99999: more than 200000", document(&many).into()),
        ("v.json", "error: v.json#/vulnerabilities/0: more than 200000", groups.into()),
        ("v.json", "counts | #/statements/0", document(&spam).into()),
        (
            "v.json",
            "counts | #/statements/0\"xxx",
            document(&statement(&long, DJANGO).to_string()).into(),
        ),
        (
            "v.json",
            "counts | #/statements/0/products/0",
            document(&statement("CVE-2021-1", &format!("pkg:pypi/{long}")).to_string()).into(),
        ),
        ("i", "counts | :1\"xxx", long.clone().into_bytes()),
        ("i", "counts | :1it is not UTF-8", b"CVE-2021-1\xff\n".to_vec()),
        ("i", "counts", vec![b'\n'; 1 << 20]),
        ("i.yaml", "error: i.yaml: it is not UTF-8", b"vulnerabilities: \xff".to_vec()),
        ("i.yaml", "error: i.yaml:", deep(100_000, "[", "]").into()),
        ("i.yaml", "error: i.yaml:", "- ".repeat(100_000).into()),
        ("i.yaml", "error: i.yaml:", "a: &a [*a, *a]\n".repeat(10).into()),
        (
            "i.yaml",
            "error: i.yaml:",
            format!("vulnerabilities:\n{}", "- id: x\n".repeat(100_000)).into(),
        ),
        (
            "i.yaml",
            "counts | :2",
            format!("vulnerabilities:\n- id: CVE-2021-1\n  paths: ['{}']\n", "{a,b}".repeat(200))
                .into(),
        ),
    ];
    for (name, expected, bytes) in table {
        let began = Instant::now();
        let became = read(name, &bytes);
        assert!(became.starts_with(expected), "{expected} became {:.300}", became);
        assert!(became.len() < 500, "{expected}: {} bytes are told", became.len());
        assert!(began.elapsed() < Duration::from_secs(20), "{expected}: {:?}", began.elapsed());
    }
}

#[test]
fn notes_are_counted_and_kept_within_bounds() {
    let spam = format!("{{{OPENVEX},\"statements\":[{}]}}", vec!["7"; 100_000].join(","));
    let mut told = Notes::default();
    parse_vex("v.json", spam.as_bytes(), &mut told).unwrap();
    assert_eq!((told.count(), told.kept().len()), (100_000, notes::KEPT_MAX));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz(&bytes);
    }

    /// A document whose one value was replaced is an error, or is told, or still says the same.
    #[test]
    fn one_wrong_value_is_never_passed_over(
        at in prop::sample::select(vec![
            "/statements/0/status", "/statements/0/justification", "/statements/0/products",
            "/statements/0/products/0", "/statements/0/products/0/@id", "/statements",
            "/statements/0/vulnerability", "/statements/0/vulnerability/name", "/timestamp",
            "/statements/0/timestamp", "/@context", "/statements/0",
        ]),
        wrong in prop::sample::select(vec![
            json!(null), json!(true), json!(7), json!("?"), json!({}), json!([7]), json!([[]]),
        ]),
    ) {
        let mut document = json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2024-01-01T00:00:00Z",
            "statements": [{
                "vulnerability": {"name": "CVE-2021-1"}, "products": [{"@id": DJANGO}],
                "status": "not_affected", "justification": "component_not_present",
                "timestamp": "2024-01-01T00:00:00Z",
            }],
        });
        // An id may be any word.
        prop_assume!(!(at.ends_with("/name") && wrong == json!("?")));
        *document.pointer_mut(at).unwrap() = wrong;
        let became = read("v.json", document.to_string().as_bytes());
        prop_assert!(became.starts_with("error: ") || became.starts_with("counts | "), "{}", became);
    }
}
