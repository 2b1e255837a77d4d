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
        repository: None,
        purl: String::new(),
        layer: None,
        evidence: "proof".into(),
        owner: None,
        changed_from: None,
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

/// A stream's release, a package and its fix, none where that is empty; behind a blank who can have
/// it.
pub(crate) type Affected<'t> = (&'t str, &'t str, &'t str);

/// OSV's zip of an ecosystem: of each erratum or flaw its id, its CVE, and what is affected.
pub(crate) fn osv(ecosystem: &str, entries: &[(&str, &[Affected<'_>])]) -> Feeds {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    for (id, affected) in entries {
        let (id, cves) = id.split_once(' ').unwrap_or((id, id));
        let affected: Vec<String> = affected
            .iter()
            .map(|(release, name, fixed)| {
                let (fixed, specific) = match fixed.split_once(' ') {
                    Some((fixed, who)) => {
                        (fixed, format!(r#","ecosystem_specific":{{"availability":"{who}"}}"#))
                    }
                    None => (*fixed, String::new()),
                };
                let end = match fixed {
                    "" => String::new(),
                    fixed => format!(r#",{{"fixed":"{fixed}"}}"#),
                };
                format!(
                    r#"{{"package":{{"ecosystem":"{ecosystem}:{release}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{end}]}}]{specific}}}"#
                )
            })
            .collect();
        let cves: Vec<String> = cves.split(' ').map(|cve| format!("\"{cve}\"")).collect();
        let json = format!(
            r#"{{"id":"X-{id}","modified":"2026-08-20T00:00:00Z","published":"2026-08-20T00:00:00Z","upstream":[{}],"severity":[{{"type":"Ubuntu","score":"medium"}}],"affected":[{}]}}"#,
            cves.join(","),
            affected.join(",")
        );
        zip.start_file(format!("{id}.json"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(json.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    vec![(format!("osv/{ecosystem}/all.zip"), bytes.into_inner())]
}

/// The same package, whose file is in the list of this package of the distribution.
pub(crate) fn owned(package: Package, owner: &str) -> Package {
    Package { owner: Some(owner.into()), ..package }
}

/// What is found: `package id SEVERITY status [fixes]` of each finding, then `gap subject`.
pub(crate) fn found(feeds: &Feeds, image: Image) -> Vec<String> {
    told(matched(feeds, image.inventory()))
}

/// The same of an image that names the repositories which its packages come from.
pub(crate) fn found_from(feeds: &Feeds, image: Image, repositories: &[&str]) -> Vec<String> {
    let mut inventory = image.inventory();
    if let Some(named) = &mut inventory.distribution {
        named.content_sets = repositories.iter().map(|name| (*name).into()).collect();
    }
    told(matched(feeds, inventory))
}

/// The same of packages of a language, in an image without a distribution.
pub(crate) fn found_alone(feeds: &Feeds, packages: Vec<Package>) -> Vec<String> {
    told(matched(feeds, Inventory { packages, ..Inventory::default() }))
}

fn told(matched: Matched) -> Vec<String> {
    let findings = matched.findings.iter().map(|f| {
        let fixes = f.fixed_versions.join(" ");
        format!("{} {} {} {} [{fixes}]", f.package.name, f.id, f.severity, f.status.as_str())
    });
    let gaps = matched.gaps.iter().map(|g| format!("{} {}", g.kind, g.subject));
    findings.chain(gaps).collect()
}

/// By which range each finding is one.
pub(crate) fn ranges(feeds: &Feeds, image: Image) -> Vec<String> {
    matched(feeds, image.inventory()).findings.into_iter().map(|f| f.why.range.clone()).collect()
}

impl Image {
    fn inventory(self) -> Inventory {
        let (id, version) = self.distribution;
        // Red Hat's advisories are filed under the major release, whatever the minor one.
        let release = version.split('.').next().filter(|_| id == "rhel").unwrap_or(version);
        let distribution = Some(Distribution {
            id: id.into(),
            version: version.into(),
            release: release.into(),
            pretty_name: pretty(id, version),
            evidence: "etc/os-release".into(),
            content_sets: Vec::new(),
        });
        Inventory { distribution, packages: self.packages, ..Inventory::default() }
    }
}

fn matched(feeds: &Feeds, inventory: Inventory) -> Matched {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("feeds");
    let named = inventory.distribution.as_ref();
    let (id, release) = named.map_or(("none", "1"), |d| (&*d.id, &*d.release));
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
    let now = "2026-08-30T12:00:00Z".parse().unwrap();
    match_inventory(&inventory, &snapshot, now, 7).unwrap()
}

/// The name for people.
fn pretty(id: &str, release: &str) -> String {
    match (id, release.split_once('.')) {
        ("sles", Some((major, pack))) if major != "16" => {
            format!("SUSE Linux Enterprise Server {major} SP{pack}")
        }
        ("sles", _) => format!("SUSE Linux Enterprise Server {release}"),
        ("opensuse-tumbleweed", _) => "openSUSE Tumbleweed".to_owned(),
        // A release without a service pack bears no brackets.
        ("openeuler", _) if release == "24.03" => "openEuler 24.03 (LTS-SP1)".to_owned(),
        ("opensuse-leap", _) => format!("openSUSE Leap {release}"),
        _ => id.to_owned(),
    }
}
