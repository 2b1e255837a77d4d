//! What is left out, by the distribution's word or by a caller's files: told, and shown on demand.

use cleanbill_core::matching::LeftTo;
use cleanbill_core::package::PackageKind;
use cleanbill_core::severity::Severity;

use super::sample::{clean, finding, mixed, package};
use super::{all, shown};
use crate::report::{Filter, Format, Look, View, lines};
use crate::vex::{Given, GivenFile, parse_ignore_file, parse_vex};

#[test]
fn what_is_left_to_the_distribution_is_told_and_does_not_count() {
    let site = "usr/lib/python3/dist-packages/Jinja2-3.1.2.dist-info/METADATA";
    let jinja = package(PackageKind::Python, "Jinja2", "3.1.2", site);
    let left = |id, severity| LeftTo {
        owner: "python3-jinja2".into(),
        finding: finding(&jinja, id, severity, &["3.1.3"]),
    };
    let mut report = clean();
    report.left = vec![left("CVE-2024-22195", Severity::High), left("CVE-1", Severity::Low)];
    let said = "Suppressed: 2, by the distribution's advisories 2";
    let hint = "; --show-suppressed lists them";
    let suppressed = |severities| Filter { suppressed: true, severities, ..all() };
    for (filter, says, told) in [
        (all(), format!("{said}{hint}\n"), 0),
        (suppressed(Vec::new()), format!("{said}\n"), 2),
        (suppressed(vec![Severity::Low]), format!("{}\n", said.replace('2', "1")), 1),
    ] {
        let view = View::new(&report, filter.clone());
        assert_eq!(view.findings().count(), 0);
        let summary = lines::summary(&view);
        assert!(summary.contains(&says), "{says}: {summary}");
        let lines = shown(&report, filter.clone(), Format::Lines, Look::plain());
        assert_eq!(lines.matches("SUPPRESSED\t").count(), told, "{lines}");
        let table = shown(&report, filter.clone(), Format::Table, Look::plain());
        let why = "judged as the distribution's package python3-jinja2";
        assert_eq!(table.matches(why).count(), told, "{table}");
        let json: serde_json::Value =
            serde_json::from_str(&shown(&report, filter, Format::Json, Look::plain())).unwrap();
        let results = json["Results"].as_array().unwrap();
        let modified = results.iter().filter_map(|r| r["ExperimentalModifiedFindings"].as_array());
        let modified: Vec<_> = modified.flatten().collect();
        assert_eq!(modified.len(), told);
        let is =
            |m: &&serde_json::Value| m["Statement"] == why && m["Status"] == "left_to_distribution";
        assert!(modified.iter().all(is), "{modified:?}");
    }
}

/// What a caller gave: one finding is left out by each kind of file, one by its status, one was
/// affected after all, and some of it is not understood.
fn given() -> Given {
    let mut given = Given::default();
    let lines = "CVE-2019-1543 exp:2026-12-24\nCVE-2019-1549 exp:2026-01-01\nCVE-1 exp:never\n";
    let statement = |flaw: &str, product: &str, more: &str| {
        format!(
            r#"{{"vulnerability": {{"name": "{flaw}"}}, "products": [{{"@id": "{product}"}}], {more}}}"#
        )
    };
    let statements = [
        statement(
            "CVE-2019-14697",
            "pkg:generic/musl",
            r#""status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
               "impact_statement": "no \u001b[2J floats""#,
        ),
        statement("CVE-2021-35042", "pkg:generic/Django@2.2.0", r#""status": "affected""#),
        statement("CVE-2021-35042", "pkg:generic/Django", r#""status": "not_affected""#),
    ];
    let document = format!(
        r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-11-01T00:00:00Z",
            "statements": [{}]}}"#,
        statements.join(", ")
    );
    let file = parse_ignore_file(".trivyignore", lines.as_bytes(), &mut given.notes).unwrap();
    let document = parse_vex("app.vex.json", document.as_bytes(), &mut given.notes).unwrap();
    given.files = vec![
        GivenFile { name: file.file.clone(), by_default: true },
        GivenFile { name: document.file.clone(), by_default: false },
        GivenFile { name: "other.json".into(), by_default: false },
    ];
    given.rules.ignore_files.push(file);
    given.rules.documents.push(document);
    given.rules.only_fixed = true;
    given
}

#[test]
fn what_is_left_out_is_told_and_shown_on_demand() {
    let (report, given) = (mixed(), given());
    let rulings = given.rule(&report.evidence, &report.subject(), report.created_at);
    let view = |suppressed| {
        let filter = Filter { suppressed, packages: false, ..Filter::default() };
        View::ruled(&report, filter, &given, &rulings)
    };
    let shown =
        |format: Format, suppressed| format.write(&view(suppressed), Look::plain()).unwrap();
    insta::assert_snapshot!("suppressed-table", shown(Format::Table, true));
    insta::assert_snapshot!("suppressed-lines", shown(Format::Lines, true));
    insta::assert_snapshot!("suppressed-json", shown(Format::Json, true));
    insta::assert_snapshot!("suppressed-summary", lines::summary(&view(false)));
    for format in Format::ALL {
        let text = shown(format, false);
        assert!(!text.contains("no \\u{1b}[2J floats"), "{format}: {text}");
        let gaps = |text: &str| text.matches("as of 2020-06-01, 2366 days old").count();
        assert_eq!((gaps(&text), gaps(&shown(format, true))), (1, 1), "{format}: {text}");
    }
    // What severities leave out is counted there and not here.
    let filter = Filter { severities: vec![Severity::Critical], ..Filter::default() };
    let said = lines::summary(&View::ruled(&report, filter, &given, &rulings));
    assert!(said.contains("Not shown, by severity: 4\nSuppressed: 1, by"), "{said}");
}
