//! Short ways to write advisories, packages and inventories.

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Feed, Range, RangeEnd};
use cleanbill_core::distribution::Distribution;
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{Matched, MemoryAdvisories, match_inventory};
use cleanbill_core::package::{Package, PackageKind};

pub(crate) const NOW: &str = "2026-08-30T12:00:00Z";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `id: ranges; versions`, ranges such as `0..1.2` (fixed), `1..=2` (last affected), `1..<2`
/// (no fix is named), `3..`.
pub(crate) fn advisory(text: &str) -> Advisory {
    let (ids, rest) = text.split_once(": ").unwrap();
    let (ranges, versions) = rest.split_once(';').unwrap_or((rest, ""));
    let mut ids = ids.split('=').map(str::to_owned);
    let range = |text: &str| {
        let (from, to) = text.split_once("..").unwrap();
        Range {
            introduced: (from != "0").then(|| from.to_owned()),
            end: match (to, to.split_at_checked(1)) {
                ("", _) => RangeEnd::Open,
                (_, Some(("=", last))) => RangeEnd::LastAffected(last.to_owned()),
                (_, Some(("<", end))) => RangeEnd::Before(end.to_owned()),
                (fixed, _) => RangeEnd::Fixed(fixed.to_owned()),
            },
        }
    };
    Advisory {
        id: ids.next().unwrap(),
        aliases: ids.collect(),
        ranges: ranges.split_whitespace().map(range).collect(),
        versions: versions.split_whitespace().map(str::to_owned).collect(),
        ..Advisory::default()
    }
}

pub(crate) fn package(kind: PackageKind, name: &str, version: &str) -> Package {
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
        evidence: format!("proof/of/{name}"),
        owner: None,
        changed_from: None,
    }
}

pub(crate) fn feed(id: &str, streams: &[&str]) -> Feed {
    Feed {
        id: id.into(),
        as_of: Some(time("2026-08-28T00:00:00Z")),
        licence: "CC0".into(),
        advisories: 1,
        not_understood: 0,
        streams: streams.iter().map(|s| s.parse().unwrap()).collect(),
    }
}

pub(crate) fn distribution(id: &str, version: &str, release: &str) -> Option<Distribution> {
    Some(Distribution {
        id: id.into(),
        version: version.into(),
        release: release.into(),
        pretty_name: id.into(),
        evidence: "etc/os-release".into(),
        content_sets: Vec::new(),
    })
}

/// Every language and one release of each distribution are covered.
pub(crate) fn memory() -> MemoryAdvisories {
    MemoryAdvisories {
        feeds: vec![
            feed("alpine-secdb", &["Alpine:v3.9", "Alpine:edge"]),
            feed("osv:Debian", &["Debian:12"]),
            feed("osv:Ubuntu", &["Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS", "Ubuntu:24.10"]),
            feed("osv:AlmaLinux", &["AlmaLinux:9"]),
            feed("osv:Rocky Linux", &["Rocky Linux:9"]),
            feed("osv:PyPI", &["PyPI"]),
            feed("osv:npm", &["npm"]),
            feed("osv:Go", &["Go"]),
        ],
        ..MemoryAdvisories::default()
    }
}

pub(crate) fn run(inventory: &Inventory, advisories: &MemoryAdvisories) -> Matched {
    let Ok(matched) = match_inventory(inventory, advisories, time(NOW), 7);
    matched
}

pub(crate) fn gaps(matched: &Matched) -> Vec<String> {
    matched.gaps.iter().map(|g| format!("{} {}", g.kind, g.subject)).collect()
}

/// The distribution an operating-system package of this kind stands in here.
pub(crate) fn home(kind: PackageKind) -> Option<Distribution> {
    let homes = [
        (PackageKind::Apk, ("alpine", "3.9.4", "3.9")),
        (PackageKind::Deb, ("debian", "12.5", "12")),
        (PackageKind::Rpm, ("almalinux", "9.4", "9")),
    ];
    let (_, (id, version, release)) = homes.into_iter().find(|(of, _)| *of == kind)?;
    distribution(id, version, release)
}

pub(crate) fn stream(kind: PackageKind) -> Stream {
    let homes = [
        (PackageKind::Apk, "Alpine:v3.9"),
        (PackageKind::Deb, "Debian:12"),
        (PackageKind::Rpm, "AlmaLinux:9"),
    ];
    match kind.ecosystem() {
        Some(ecosystem) => Stream::of(ecosystem),
        None => homes.into_iter().find(|(of, _)| *of == kind).unwrap().1.parse().unwrap(),
    }
}

/// Notes that this release is known, and no end of its support announced.
pub fn supported(memory: &mut MemoryAdvisories, release: Option<&Distribution>) {
    if let Some(Distribution { id, release, .. }) = release {
        memory.end_of_life.insert((id.clone(), release.clone()), None);
    }
}
