//! Many inventories by one matcher: what it remembers changes no answer.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{Matcher, match_inventory};
use cleanbill_core::package::{Package, PackageKind, SourcePackage};

use crate::support::{NOW, advisory, distribution, memory, package, time};

#[test]
fn what_a_matcher_remembers_changes_no_answer() {
    let mut memory = memory();
    for (stream, text) in [
        ("Alpine:v3.9", "CVE-1: 0..2-r0"),
        ("Alpine:edge", "CVE-1: 0..3-r0"),
        ("Debian:12", "CVE-2: 0.."),
        ("PyPI", "CVE-3: 0..2"),
        ("PyPI", "CVE-4: what..3"),
    ] {
        let mut one = advisory(text);
        // Of a release's end of life its own advisories' dates tell, and no other image's.
        one.published = (stream == "Debian:12").then(|| time("2026-08-20T00:00:00Z"));
        memory.add(stream.parse().unwrap(), "pkg", one);
    }
    let ended = Some(cleanbill_core::Date::constant(2026, 8, 1));
    for (id, release) in [("alpine", "3.9"), ("debian", "12")] {
        memory.end_of_life.insert((id.into(), release.into()), ended);
    }
    let with = |kind, name: &str, version: &str, change: fn(&mut Package)| {
        let mut one = package(kind, name, version);
        change(&mut one);
        one
    };
    let packages = [
        with(PackageKind::Apk, "pkg", "1-r0", |_| ()),
        with(PackageKind::Apk, "pkg", "2-r0", |_| ()),
        with(PackageKind::Apk, "pkg", "1-r0", |p| p.evidence = "elsewhere".into()),
        with(PackageKind::Apk, "pkg-doc", "1-r0", |p| {
            p.source = Some(SourcePackage { name: "pkg".into(), version: "1-r0".into() });
        }),
        with(PackageKind::Deb, "pkg", "1-1", |_| ()),
        with(PackageKind::Deb, "other", "1-1", |_| ()),
        with(PackageKind::Python, "pkg", "1", |_| ()),
        with(PackageKind::Python, "pkg", "1", |p| p.owner = Some("pkg".into())),
        with(PackageKind::Python, "pkg", "x", |_| ()),
    ];
    let releases = [
        None,
        distribution("alpine", "3.9.4", "3.9"),
        distribution("alpine", "edge", "edge"),
        distribution("debian", "12.5", "12"),
    ];
    let mut matcher = Matcher::new(&memory);
    let mut different = std::collections::BTreeSet::new();
    for some in 0..1_u32 << packages.len() {
        for distribution in &releases {
            let chosen = packages.iter().enumerate().filter(|(at, _)| some & (1 << at) != 0);
            let packages = chosen.map(|(_, package)| package.clone()).collect();
            let distribution = distribution.clone();
            let inventory = Inventory { packages, distribution, ..Inventory::default() };
            let Ok(alone) = match_inventory(&inventory, &memory, time(NOW), 7);
            let Ok(together) = matcher.inventory(&inventory, time(NOW), 7);
            assert_eq!(alone, together, "{inventory:?}");
            different.insert(format!("{alone:?}"));
        }
    }
    assert!(different.len() > 100, "the inventories should differ: {}", different.len());
}
