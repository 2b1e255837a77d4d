//! Short ways to write feeds, packages and what is found.

use std::io::Write as _;

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::build::{Options, build};
use cleanbill_core::distribution::Distribution;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{Matched, match_inventory};
use cleanbill_core::package::{Package, PackageKind, SourcePackage};

/// Files of feeds, by their path in the folder that a snapshot is built from.
pub(crate) type Feeds = Vec<(String, Vec<u8>)>;

/// An image: `ID` and release of its distribution, and its packages.
pub(crate) struct Image {
    pub(crate) distribution: (&'static str, &'static str),
    pub(crate) packages: Vec<Package>,
}

/// A package by rpm, of the x86_64 architecture.
pub(crate) fn rpm(name: &str, version: &str) -> Package {
    package(PackageKind::Rpm, name, version, "x86_64")
}

pub(crate) fn package(kind: PackageKind, name: &str, version: &str, arch: &str) -> Package {
    Package {
        kind,
        name: name.into(),
        version: version.into(),
        source: None,
        arch: Some(arch.into()),
        vendor: None,
        module: None,
        purl: String::new(),
        layer: None,
        evidence: "proof".into(),
        owner: None,
    }
}

/// The same package, built from this source.
pub(crate) fn of_source(package: Package, name: &str) -> Package {
    let source = SourcePackage { name: name.into(), version: package.version.clone() };
    Package { source: Some(source), ..package }
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// What is found: `package id SEVERITY status [fixes]` of each finding, then `gap subject`.
pub(crate) fn found(feeds: &Feeds, image: Image) -> Vec<String> {
    let matched = matched(feeds, image);
    let findings = matched.findings.iter().map(|f| {
        let fixes = f.fixed_versions.join(" ");
        format!("{} {} {} {} [{fixes}]", f.package.name, f.id, f.severity, f.status.as_str())
    });
    let gaps = matched.gaps.iter().map(|g| format!("{} {}", g.kind, g.subject));
    findings.chain(gaps).collect()
}

/// By which range each finding is one.
pub(crate) fn ranges(feeds: &Feeds, image: Image) -> Vec<String> {
    matched(feeds, image).findings.into_iter().map(|f| f.why.range.clone()).collect()
}

fn matched(feeds: &Feeds, image: Image) -> Matched {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("feeds");
    let (id, release) = image.distribution;
    let lives = format!(
        r#"{{"as_of":"2026-08-29","distributions":{{"{id}":[{{"release":"{release}","end_of_life":false}}]}}}}"#
    );
    for (path, bytes) in feeds.iter().chain([&("eol/distributions.json".into(), lives.into())]) {
        let path = from.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let out = dir.path().join("snapshot");
    let report = build(&from, &out, &Options::default()).unwrap();
    // Every feed is of yesterday, whatever it says: age is another matter.
    let yesterday = "2026-08-29T00:00:00Z".parse().unwrap();
    let as_of = report.feeds.iter().map(|feed| (feed.id.clone(), yesterday)).collect();
    build(&from, &out, &Options { as_of, ..Options::default() }).unwrap();
    let snapshot = Snapshot::open(&out).unwrap();
    let distribution = Some(Distribution {
        id: id.into(),
        version: release.into(),
        release: release.into(),
        pretty_name: id.into(),
        evidence: "etc/os-release".into(),
    });
    let inventory = Inventory { distribution, packages: image.packages, ..Inventory::default() };
    let now = "2026-08-30T12:00:00Z".parse().unwrap();
    match_inventory(&inventory, &snapshot, now, 7).unwrap()
}
