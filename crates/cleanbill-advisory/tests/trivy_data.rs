//! A database of Trivy against the feeds that it was made of, where they are there: every pair of
//! stream and package is compared, and both together find no more than the feeds alone.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cleanbill_advisory::Gathered;
use cleanbill_advisory::build::{Options, gather};
use cleanbill_core::advisory::{Advisory, RangeEnd, State};
use cleanbill_core::distribution::Distribution;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{MemoryAdvisories, match_inventory};
use cleanbill_core::package::{Package, PackageKind};

fn shared() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !path.join("trivy-cache/db/trivy.db").exists() {
        println!("skipped: a database of Trivy ({} is not there)", path.display());
        return None;
    }
    Some(path.to_owned())
}

fn gathered(from: &Path) -> Gathered {
    gather(from, &Options::default()).unwrap()
}

fn ids(a: &Advisory) -> BTreeSet<&str> {
    std::iter::once(&a.id).chain(&a.aliases).map(String::as_str).collect()
}

fn same(a: &Advisory, b: &Advisory) -> bool {
    !ids(a).is_disjoint(&ids(b))
}

/// What is affected, however it is spread over advisories: stretches, versions, "not affected".
fn said<'a>(advisories: impl Iterator<Item = &'a Advisory>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for a in advisories {
        for range in &a.ranges {
            let from = range.introduced.as_deref().unwrap_or("0");
            out.insert(match &range.end {
                RangeEnd::Fixed(v) => format!("[{from}, {v})"),
                RangeEnd::LastAffected(v) => format!("[{from}, {v}]"),
                RangeEnd::Before(v) => format!("[{from}, <{v})"),
                RangeEnd::Open => format!("[{from}, …"),
            });
        }
        out.extend(a.versions.iter().map(|v| format!("={v}")));
        out.extend((a.state != State::Affected).then(|| format!("{:?}", a.state)));
        out.extend(a.unreadable.clone());
    }
    out
}

/// How the two differ for one ecosystem.
#[derive(Debug, Default, PartialEq, Eq)]
struct Differences {
    /// Pairs of stream and package, and flaws in them, of the feeds themselves.
    pairs: u64,
    flaws: u64,
    /// Packages and flaws that only one side has.
    packages_of_feed: u64,
    packages_of_trivy: u64,
    flaws_of_feed: u64,
    flaws_of_trivy: u64,
    /// Flaws of which the database keeps some of the stretches, and those of which it says
    /// anything else.
    fewer: u64,
    other: u64,
}

#[test]
fn the_import_says_what_the_feeds_say() {
    let Some(shared) = shared() else { return };
    let trivy = gathered(&shared.join("trivy-cache/db"));
    let feeds = gathered(&shared);
    let counts: Vec<_> =
        trivy.feeds.iter().map(|f| (f.id.as_str(), f.advisories, f.not_understood)).collect();
    let wanted = [
        ("trivy:alpine", 11869, 0),
        ("trivy:bitnami", 7444, 0),
        ("trivy:govulndb", 6071, 0),
        ("trivy:osv", 3416, 0),
    ];
    assert_eq!(counts, wanted);
    assert_eq!(trivy.ignored, Vec::<String>::new());

    let mut found: BTreeMap<String, Differences> = BTreeMap::new();
    let none = Vec::new();
    let pairs: BTreeSet<_> = trivy.advisories.keys().chain(feeds.advisories.keys()).collect();
    for pair in pairs {
        let ecosystem = pair.0.split(':').next().unwrap();
        let of_feed = feeds.advisories.get(pair).unwrap_or(&none);
        let of_trivy = trivy.advisories.get(pair).unwrap_or(&none);
        let count = found.entry(ecosystem.to_owned()).or_default();
        count.pairs += 1;
        count.packages_of_feed += u64::from(of_trivy.is_empty());
        count.packages_of_trivy += u64::from(of_feed.is_empty());
        if of_feed.is_empty() || of_trivy.is_empty() {
            continue;
        }
        for flaw in of_feed {
            count.flaws += 1;
            let other: Vec<_> = of_trivy.iter().filter(|t| same(flaw, t)).collect();
            if other.is_empty() {
                count.flaws_of_feed += 1;
                continue;
            }
            let feed = said(of_feed.iter().filter(|f| other.iter().any(|t| same(f, t))));
            let trivy = said(other.into_iter());
            match feed == trivy {
                true => {}
                false if trivy.is_subset(&feed) => count.fewer += 1,
                false => {
                    println!("{pair:?} {}: {feed:?} {trivy:?}", flaw.id);
                    count.other += 1;
                }
            }
        }
        let unknown = |t: &&Advisory| !of_feed.iter().any(|f| same(f, t));
        count.flaws_of_trivy += of_trivy.iter().filter(unknown).count() as u64;
    }
    // docs/parity.md says what each difference is.
    let alpine = Differences {
        pairs: 1652,
        flaws: 11876,
        packages_of_feed: 1,
        flaws_of_feed: 18,
        flaws_of_trivy: 4,
        fewer: 124,
        ..Differences::default()
    };
    let equal = |pairs, flaws| Differences { pairs, flaws, ..Differences::default() };
    let wanted = [
        // The database was made without AlmaLinux.
        ("AlmaLinux", Differences { packages_of_feed: 10543, ..equal(10543, 0) }),
        ("Alpine", alpine),
        ("Bitnami", Differences { fewer: 1, other: 6, ..equal(177, 7444) }),
        ("Go", equal(1367, 6116)),
        ("PyPI", Differences { fewer: 30, ..equal(660, 2651) }),
        ("crates.io", equal(572, 769)),
    ];
    let wanted: BTreeMap<_, _> = wanted.into_iter().map(|(e, d)| (e.to_owned(), d)).collect();
    assert_eq!(found, wanted);
}

/// Of all packages at all versions that the feeds name as an end or a beginning, every eighth.
fn packages(feeds: &Gathered, stream: &str, kind: PackageKind) -> Vec<Package> {
    let mut out = BTreeSet::new();
    for ((of, name), advisories) in &feeds.advisories {
        if of != stream {
            continue;
        }
        for range in advisories.iter().flat_map(|a| &a.ranges) {
            let from = range.introduced.as_deref();
            let bounds = from.into_iter().chain(range.end.version());
            out.extend(bounds.map(|v| (name, v.to_owned())));
        }
    }
    out.into_iter().step_by(8).map(|(name, version)| package(kind, name, &version)).collect()
}

fn package(kind: PackageKind, name: &str, version: &str) -> Package {
    Package {
        kind,
        name: name.into(),
        version: version.into(),
        source: None,
        arch: None,
        vendor: None,
        module: None,
        repository: None,
        purl: String::new(),
        layer: None,
        evidence: String::new(),
        owner: None,
        changed_from: None,
    }
}

fn memory(gathered: Gathered) -> MemoryAdvisories {
    let parsed = gathered.advisories.into_iter();
    MemoryAdvisories {
        feeds: gathered.feeds,
        advisories: parsed.map(|((s, name), list)| ((s.parse().unwrap(), name), list)).collect(),
        end_of_life: gathered.lives,
        content_sets: std::collections::BTreeMap::new(),
        flaws: gathered.flaws,
    }
}

#[test]
fn both_together_find_each_flaw_once() {
    let Some(shared) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("osv")).unwrap();
    for (name, target) in [
        ("osv/Go", "osv/Go"),
        ("osv/PyPI", "osv/PyPI"),
        ("alpine-secdb", "alpine-secdb"),
        ("trivy", "trivy-cache/db"),
    ] {
        std::os::unix::fs::symlink(shared.join(target), dir.path().join(name)).unwrap();
    }
    let both = memory(gathered(dir.path()));
    std::fs::remove_file(dir.path().join("trivy")).unwrap();
    let feeds = gathered(dir.path());
    let alone = memory(gathered(dir.path()));
    let now = "2026-08-30T00:00:00Z".parse().unwrap();
    let table = [
        ("Alpine:v3.11", PackageKind::Apk, 500),
        ("Go", PackageKind::Go, 5000),
        ("PyPI", PackageKind::Python, 2000),
    ];
    for (stream, kind, findings) in table {
        let inventory = Inventory {
            distribution: Some(Distribution {
                id: "alpine".into(),
                version: "3.11.0".into(),
                release: "3.11".into(),
                pretty_name: "Alpine".into(),
                evidence: "etc/os-release".into(),
                content_sets: Vec::new(),
            }),
            packages: packages(&feeds, stream, kind),
            ..Inventory::default()
        };
        let [alone, both] = [&alone, &both].map(|snapshot| {
            let found = match_inventory(&inventory, snapshot, now, 10_000).unwrap();
            // A line of Alpine's that names no flaw is a flaw without a name in the database.
            let named = found.findings.into_iter().filter(|f| f.id != "CVE-????-?????");
            let findings = named.map(|f| {
                let package = (f.package.name.clone(), f.package.version.clone());
                let dates = (f.published, f.modified);
                (f.id.clone(), package, f.fixed_versions.clone(), dates)
            });
            findings.collect::<Vec<_>>()
        });
        println!("{stream}: {} packages, {} findings", inventory.packages.len(), alone.len());
        assert!(alone.len() > findings && alone.len() == both.len(), "{stream}: {}", both.len());
        let (alone, both): (BTreeSet<_>, BTreeSet<_>) =
            (alone.into_iter().collect(), both.into_iter().collect());
        let more: Vec<_> = both.difference(&alone).take(5).collect();
        let fewer: Vec<_> = alone.difference(&both).take(5).collect();
        assert!(more.is_empty() && fewer.is_empty(), "{stream}: {more:?} {fewer:?}");
    }
}

/// Trivy 0.76.0 with this database finds the first two, and not the third.
#[test]
fn builds_of_the_last_affected_version_are_found() {
    let Some(shared) = shared() else { return };
    let table = [
        (PackageKind::Python, "py", "1.11.0+cu118", "CVE-2022-42969", true),
        (PackageKind::Python, "py", "1.11.0", "CVE-2022-42969", true),
        (PackageKind::Bitnami, "activemq", "5.15.12-3", "CVE-2020-11998", true),
        (PackageKind::Bitnami, "activemq", "5.15.13-0", "CVE-2020-11998", false),
    ];
    let now = "2026-08-30T00:00:00Z".parse().unwrap();
    for from in [shared.join("trivy-cache/db"), shared] {
        let advisories = memory(gathered(&from));
        for (kind, name, version, id, found) in table {
            let packages = vec![package(kind, name, version)];
            let inventory = Inventory { packages, ..Inventory::default() };
            let Ok(matched) = match_inventory(&inventory, &advisories, now, 10_000);
            let is_found = matched.findings.iter().any(|f| f.id == id);
            assert_eq!(is_found, found, "{name} {version} by {}", from.display());
        }
    }
}
