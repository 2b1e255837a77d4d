//! The reports that the tests write: one with some of everything, one with nothing wrong.

use std::path::PathBuf;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::distribution::Distribution;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::evidence::{FeedUse, ImageFacts, PlatformEvidence, SnapshotId};
use cleanbill_core::finding::{Diagnosis, Finding, Status, Why};
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::{LayerId, Package, PackageKind, SourcePackage};
use cleanbill_core::severity::Severity;

use crate::report::{ImageMetadata, LayerMetadata, ScanReport, SnapshotUse};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn digest(byte: u8) -> Digest {
    Digest::Sha256([byte; 32])
}

pub(super) fn package(kind: PackageKind, name: &str, version: &str, evidence: &str) -> Package {
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

pub(super) fn finding(package: &Package, id: &str, severity: Severity, fixed: &[&str]) -> Finding {
    Finding::new(
        package.clone(),
        Diagnosis {
            id: id.into(),
            aliases: vec!["GHSA-xxxx".into()],
            errata: vec![],
            severity,
            cvss: (severity != Severity::Unknown)
                .then(|| "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H".into()),
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
pub(super) fn mixed() -> ScanReport {
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
pub(super) fn clean() -> ScanReport {
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
