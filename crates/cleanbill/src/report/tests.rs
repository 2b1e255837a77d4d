//! What people read, as snapshots, and the JSON's shape against what Trivy 0.76 wrote.

use std::path::PathBuf;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::distribution::Distribution;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{FeedUse, ImageFacts, PlatformEvidence, SnapshotId};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::LeftTo;
use cleanbill_core::package::{LayerId, Package, PackageKind, SourcePackage};
use cleanbill_core::severity::Severity;

use crate::vex::{Given, GivenFile, parse_ignore_file, parse_vex};
use serde_json::json;

use super::{Filter, Format, ImageMetadata, LayerMetadata, Look, ScanReport, SnapshotUse, View};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest::Sha256([byte; 32])
}

fn package(kind: PackageKind, name: &str, version: &str, evidence: &str) -> Package {
    let os = kind.is_os();
    Package {
        kind,
        name: name.into(),
        version: version.into(),
        source: os.then(|| SourcePackage { name: name.into(), version: version.into() }),
        arch: os.then(|| "x86_64".into()),
        vendor: None,
        module: None,
        repository: None,
        purl: format!("pkg:generic/{name}@{version}"),
        layer: Some(LayerId { diff_id: digest(1), blob: digest(2) }),
        evidence: evidence.into(),
        owner: None,
        changed_from: None,
    }
}

fn finding(package: &Package, id: &str, severity: Severity, fixed: &[&str]) -> Finding {
    Finding::new(
        package.clone(),
        Diagnosis {
            id: id.into(),
            aliases: vec!["GHSA-xxxx".into()],
            errata: vec![],
            severity,
            cvss: (severity != Severity::Unknown).then(|| "CVSS:3.1/AV:N".into()),
            status: if fixed.is_empty() { Status::Affected } else { Status::Fixed },
            fixed_versions: fixed.iter().map(ToString::to_string).collect(),
            known_exploited: id == "CVE-2019-14697",
            rated_by: if severity == Severity::Unknown { "" } else { "alpine-secdb" }.into(),
            ratings: Vec::new(),
            epss: None,
            published: Some(time("2019-08-06T00:00:00Z")),
            modified: None,
            why: Why {
                feed: "alpine-secdb".into(),
                stream: Stream::release(Ecosystem::Alpine, "v3.9"),
                looked_up: package.name.clone(),
                compared: package.version.clone(),
                range: "< 1.1.20-r5".into(),
            },
        },
    )
}

/// An Alpine image past its end of life with some of everything.
fn mixed() -> ScanReport {
    let musl = package(PackageKind::Apk, "musl", "1.1.20-r3", "lib/apk/db/installed");
    let ssl = package(PackageKind::Apk, "libssl1.1", "1.1.1a-r1", "lib/apk/db/installed");
    let site = "usr/lib/python3.8/site-packages/Django-2.2.0.dist-info/METADATA";
    let django = package(PackageKind::Python, "Django", "2.2.0", site);
    let lodash =
        package(PackageKind::Npm, "lodash", "4.17.4", "usr/lib/node_modules/lodash/package.json");
    let go = package(PackageKind::Go, "golang.org/x/net", "v0.1.0", "usr/local/bin/app");
    let evil = package(PackageKind::Npm, "e\u{1b}[2Jvil\n", "1.0.0", "a/package.json");
    let findings = vec![
        finding(&musl, "CVE-2019-14697", Severity::Critical, &["1.1.20-r5"]),
        finding(&ssl, "CVE-2019-1543", Severity::High, &["1.1.1b-r1"]),
        finding(&ssl, "CVE-2019-1549", Severity::Unknown, &["1.1.1d-r0"]),
        finding(&django, "CVE-2021-35042", Severity::Medium, &["2.2.24", "3.1.13", "3.2.5"]),
        finding(&go, "GO-2023-1571", Severity::High, &[]),
    ];
    let gaps = vec![
        Gap::new(GapKind::EndOfLife, "Alpine Linux v3.9", "no longer supported since 2020-11-01"),
        Gap::new(GapKind::NoAdvisorySource, "npm", "no feed in the snapshot covers it"),
        Gap::new(GapKind::StaleFeed, "alpine-secdb", "as of 2020-06-01, 2366 days old"),
        Gap::new(GapKind::UnreadableDatabase, "opt/x/package.json", "line 3: \u{1b}[31mexpected ,"),
        Gap::new(GapKind::OverLimit, "opt/model.bin", "larger than file-bytes (64 MiB)"),
    ];
    let distribution = Distribution {
        id: "alpine".into(),
        version: "3.9.6".into(),
        release: "3.9".into(),
        pretty_name: "Alpine Linux v3.9".into(),
        evidence: "etc/os-release".into(),
        content_sets: Vec::new(),
    };
    let mut packages = vec![musl, ssl, django, lodash, go, evil];
    packages.sort();
    ScanReport {
        artifact_name: "mix.tar".into(),
        created_at: time("2026-11-23T12:00:00Z"),
        image: Some(ImageMetadata {
            reference: None,
            repo_tags: vec!["example:1".into()],
            repo_digests: vec![],
            image_id: digest(3),
            resolved: digest(4),
            config: br#"{"architecture":"amd64","os":"linux"}"#.as_slice().into(),
            layers: vec![LayerMetadata { diff_id: digest(1), blob: None, size: Some(30720) }],
        }),
        evidence: PlatformEvidence {
            platform: Some("linux/amd64".parse().unwrap()),
            digest: digest(4),
            distribution: Some(distribution.clone()),
            config: ImageFacts::default(),
            packages: packages.clone(),
            findings,
            gaps: gaps.clone(),
            feeds: vec![
                FeedUse { feed: "alpine-secdb".into(), as_of: Some(time("2020-06-01T00:00:00Z")) },
                FeedUse { feed: "osv:Go".into(), as_of: Some(time("2026-11-22T11:00:00Z")) },
                FeedUse { feed: "osv:PyPI".into(), as_of: None },
            ],
        },
        left: Vec::new(),
        inventory: Inventory {
            distribution: Some(distribution),
            config: ImageFacts::default(),
            packages,
            gaps,
        },
        snapshot: SnapshotUse {
            id: SnapshotId { digest: digest(5), starter: true, known_exploited: None, epss: None },
            file: None,
        },
    }
}

/// A folder with one Go program, nothing wrong, fresh advisories.
fn clean() -> ScanReport {
    let mut report = mixed();
    report.artifact_name = "./rootfs".into();
    report.image = None;
    report.inventory.distribution = None;
    report.inventory.gaps.clear();
    report.inventory.packages.retain(|p| p.kind == PackageKind::Go);
    report.inventory.packages.iter_mut().for_each(|p| p.layer = None);
    report.evidence.distribution = None;
    report.evidence.packages.clone_from(&report.inventory.packages);
    report.evidence.findings.clear();
    report.evidence.gaps.clear();
    report.evidence.feeds.retain(|f| f.feed == "osv:Go");
    let id = SnapshotId { digest: digest(5), starter: false, known_exploited: None, epss: None };
    report.snapshot = SnapshotUse { id, file: Some(PathBuf::from("/var/lib/db.snapshot")) };
    report
}

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
        let summary = super::lines::summary(&view);
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

#[test]
fn json_of_trivys_schema() {
    insta::assert_snapshot!("json", shown(&mixed(), all(), Format::Json, Look::plain()));
    insta::assert_snapshot!("json-clean", shown(&clean(), all(), Format::Json, Look::plain()));
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
    insta::assert_snapshot!("suppressed-summary", super::lines::summary(&view(false)));
    for format in Format::ALL {
        let text = shown(format, false);
        assert!(!text.contains("no \\u{1b}[2J floats"), "{format}: {text}");
        let gaps = |text: &str| text.matches("as of 2020-06-01, 2366 days old").count();
        assert_eq!((gaps(&text), gaps(&shown(format, true))), (1, 1), "{format}: {text}");
    }
    // What severities leave out is counted there and not here.
    let filter = Filter { severities: vec![Severity::Critical], ..Filter::default() };
    let said = super::lines::summary(&View::ruled(&report, filter, &given, &rulings));
    assert!(said.contains("Not shown, by severity: 4\nSuppressed: 1, by"), "{said}");
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
