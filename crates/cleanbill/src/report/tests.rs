//! What people read, as snapshots, and the JSON's shape against what Trivy 0.76 wrote.

use cleanbill_core::gap::GapKind;
use cleanbill_core::package::PackageKind;
use cleanbill_core::severity::Severity;
use serde_json::json;

use super::{Filter, Format, Look, ScanReport, View};
use sample::{clean, digest, finding, mixed, package};

mod left_out;
mod sample;

fn shown(report: &ScanReport, filter: Filter, format: Format, look: Look) -> String {
    format.write(&View::new(report, filter), look).unwrap()
}

fn all() -> Filter {
    Filter { packages: true, ..Filter::default() }
}

#[test]
fn tables() {
    let narrow = Look { colour: false, width: Some(80) };
    let high = Filter { severities: vec![Severity::High, Severity::Critical], ..all() };
    let table = [
        ("table", shown(&mixed(), all(), Format::Table, Look::plain())),
        ("table-narrow", shown(&mixed(), all(), Format::Table, narrow)),
        ("table-high", shown(&mixed(), high, Format::Table, Look::plain())),
        ("table-clean", shown(&clean(), all(), Format::Table, Look::plain())),
    ];
    for (name, text) in table {
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn a_table_keeps_to_the_terminals_width() {
    for width in [72, 80, 100, 132] {
        let look = Look { colour: false, width: Some(width) };
        let text = shown(&mixed(), all(), Format::Table, look);
        // The legend and totals are ours; all that grows with the image must fit.
        let ours = |l: &str| l.starts_with("- '") || l.starts_with("Total: ");
        let too_long = |l: &&str| l.chars().count() > width && !ours(l);
        assert_eq!(text.lines().find(too_long), None, "at {width}");
    }
}

#[test]
fn colour_only_where_it_is_wanted() {
    let coloured = shown(&mixed(), all(), Format::Table, Look { colour: true, width: None });
    assert!(coloured.contains("\u{1b}[1;31mCRITICAL"));
    assert!(!shown(&mixed(), all(), Format::Table, Look::plain()).contains('\u{1b}'));
}

#[test]
fn lines_for_a_pipe() {
    insta::assert_snapshot!("lines", shown(&mixed(), all(), Format::Lines, Look::plain()));
    insta::assert_snapshot!("lines-summary", super::lines::summary(&View::new(&mixed(), all())));
    let high = Filter { severities: vec![Severity::Critical], ..all() };
    let text = shown(&mixed(), high, Format::Lines, Look::plain());
    assert!(text.contains("CVE-2019-14697") && !text.contains("GO-2023-1571"), "{text}");
    assert_eq!(text.matches("GAP\t").count(), 5, "a filter never hides a gap: {text}");
}

#[test]
fn nothing_of_an_image_steers_a_terminal() {
    let look = Look::plain();
    for format in Format::ALL {
        let text = shown(&mixed(), all(), format, look);
        let ours = |c: char| matches!(c, '\n' | '\t' | ' '..='~' | '─'..='╿');
        assert_eq!(text.chars().find(|c| !ours(*c)), None, "{format}");
    }
}

#[test]
fn verdicts() {
    use super::verdict::{Said, write};
    use cleanbill_core::evidence::Evidence;
    use cleanbill_core::policy::{AcceptedGap, Policy};
    use cleanbill_core::verdict::{Denial, Reason};

    let mixed = mixed();
    let image = "registry.example/app:1";
    let evidence = Evidence {
        reference: image.parse().unwrap(),
        resolved: digest(6),
        platforms: vec![mixed.evidence.clone()],
        gaps: vec![],
        snapshot: mixed.snapshot.id.clone(),
    };
    let policy = Policy {
        accepted_gaps: vec![AcceptedGap::everywhere(GapKind::StaleFeed)],
        ..Policy::default()
    };
    let severe =
        Reason::Severity { highest: Severity::Medium, findings: mixed.evidence.findings.clone() };
    let gaps = Reason::Gaps(mixed.evidence.gaps.clone());
    let allowed = vec!["docker.io/library/*".to_owned().try_into().unwrap()];
    let denial = |reasons: Vec<Reason>| Denial {
        refused: vec![(image.into(), reasons)],
        ..Denial::default()
    };
    let examined = denial(vec![severe, gaps, Reason::DigestRequired]);
    let named = denial(vec![Reason::NameNotAllowed { allowed }]);
    let lost = Denial { undecided: vec![(image.into(), "no answer".into())], ..Denial::default() };
    let said = "What kubectl shows. Decision x.";
    let table = [
        ("allowed", write(image, &policy, Some(&evidence), Said::Allowed)),
        ("denied", write(image, &policy, Some(&evidence), Said::Denied(&examined, said))),
        ("denied-by-name", write(image, &policy, None, Said::Denied(&named, said))),
        ("undecided", write(image, &policy, None, Said::Undecided(&lost, said))),
    ];
    let all: Vec<String> = table.iter().map(|(n, text)| format!("== {n}\n{text}")).collect();
    insta::assert_snapshot!("verdicts", all.join("\n"));
}

#[test]
fn json_of_trivys_schema() {
    insta::assert_snapshot!("json", shown(&mixed(), all(), Format::Json, Look::plain()));
    insta::assert_snapshot!("json-clean", shown(&clean(), all(), Format::Json, Look::plain()));
}

/// Ids that other tools key on: computed by Trivy 0.76 for an archive with this image id and tag.
#[test]
fn ids_are_trivys() {
    let mut report = mixed();
    let image = report.image.as_mut().unwrap();
    image.image_id =
        "sha256:2f4089025bcc329e071dc32dcb62e16de63c6af7f9dbc6a1d6d7ba73f80e9d16".parse().unwrap();
    let django = report.inventory.packages.iter().find(|p| p.name == "Django").unwrap().clone();
    report.evidence.findings = vec![finding(&django, "CVE-2019-12308", Severity::Medium, &["2"])];
    let text = shown(&report, all(), Format::Json, Look::plain());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json["ArtifactID"],
        "sha256:0aadd01d0347c098e0e802f01addbd4dc9d314c9356cd59ceea98ccad1914762"
    );
    let python = json["Results"].as_array().unwrap().iter().find(|r| r["Target"] == "Python");
    assert_eq!(
        python.unwrap()["Vulnerabilities"][0]["Fingerprint"],
        "sha256:d8399ace3fa88903ea7901106b6f8bd140481686c3575e2cd3883b165a7c9fb3"
    );
}

#[test]
fn versions_are_taken_apart_and_packages_named_as_trivy_does() {
    use PackageKind::{Apk, Deb, Npm, Python, Rpm};
    let table = [
        (Deb, "5.2.15-2+b13", json!({"Version": "5.2.15", "Release": "2+b13"}), "a@5.2.15-2+b13"),
        (
            Deb,
            "1:2.38-1-5",
            json!({"Version": "2.38-1", "Release": "5", "Epoch": 1}),
            "a@1:2.38-1-5",
        ),
        (Deb, "2024a", json!({"Version": "2024a"}), "a@2024a"),
        (
            Rpm,
            "1:3.0.7-27.el9",
            json!({"Version": "3.0.7", "Release": "27.el9", "Epoch": 1}),
            "a@3.0.7-27.el9.x86_64",
        ),
        (Apk, "1.2.3-r4", json!({"Version": "1.2.3-r4"}), "a@1.2.3-r4"),
        (Npm, "1.0.0-rc.1", json!({"Version": "1.0.0-rc.1"}), "a@1.0.0-rc.1"),
        (Python, "1.0", json!({"Version": "1.0"}), ""),
    ];
    for (kind, text, expected, id) in table {
        let mut out = serde_json::Map::new();
        super::json::version(&mut out, "", kind, text);
        assert_eq!(serde_json::Value::from(out), expected, "{text}");
        let got = super::json::ids::package_id(&package(kind, "a", text, "x"));
        assert_eq!(got.unwrap_or_default(), id, "{text}");
    }
}
