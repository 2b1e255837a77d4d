//! Packages of dpkg and apk that somebody else than the distribution published.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::{Package, PackageKind};

use crate::support::{advisory, distribution, gaps, memory, package, run, supported};

const DOCKER: &str = "Docker <support@docker.com>";
const DEBIAN: &str = "Debian Javascript Maintainers <pkg@lists.alioth.debian.org>";
const UBUNTU: &str = "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>";

/// What is found of a package that this one maintains, by its distribution's advisory.
fn check(id: &str, version: &str, maintainer: Option<&str>, is_own: bool) {
    let (release, kind, stream) = match id {
        "alpine" => ("3.9", PackageKind::Apk, "Alpine:v3.9"),
        "debian" => ("12", PackageKind::Deb, "Debian:12"),
        _ => ("22.04", PackageKind::Deb, "Ubuntu:22.04:LTS"),
    };
    let range = if id == "alpine" { "CVE-1: 0..2-r1" } else { "CVE-1: 0..2-1" };
    let mut memory = memory();
    memory.add(stream.parse().unwrap(), "a", advisory(range));
    let named = distribution(id, release, release);
    supported(&mut memory, named.as_ref());
    let one = Package { vendor: maintainer.map(str::to_owned), ..package(kind, "a", version) };
    let inventory = Inventory { distribution: named, packages: vec![one], ..Inventory::default() };
    let matched = run(&inventory, &memory);
    let found = matched.findings.iter().map(|f| f.id.clone());
    let got: Vec<String> = found.chain(gaps(&matched)).collect();
    let gap = format!("no-advisory-source a {version}");
    let want = if is_own { "CVE-1" } else { &gap };
    assert_eq!(got, [want], "{id} {version} {maintainer:?}");
}

#[test]
fn a_package_that_another_published_is_a_gap() {
    check("debian", "1-1", Some(DEBIAN), true);
    check("debian", "1-1", Some("Marco d'Itri <md@linux.it>"), true);
    check("debian", "1-1", None, true);
    check("debian", "1-1", Some(DOCKER), false);
    check("debian", "1-1.pgdg120+2", Some(DEBIAN), false);
    check("debian", "1-1nodesource1", None, false);
    check("ubuntu", "1-1", Some(UBUNTU), true);
    check("ubuntu", "1-1", None, true);
    check("ubuntu", "1-1", Some(DEBIAN), false);
    check("ubuntu", "1-1", Some(DOCKER), false);
    check("alpine", "1-r1", Some("Natanael Copa <ncopa@alpinelinux.org>"), true);
    check("alpine", "1-r1", Some("NGINX Packaging <nginx-packaging@f5.com>"), false);
}

#[test]
fn nothing_is_left_to_a_package_that_another_published() {
    for (maintainer, findings) in [(DEBIAN, 0), ("N <n@nodesource.com>", 1)] {
        let mut memory = memory();
        memory.add("Debian:12".parse().unwrap(), "nodejs", advisory("CVE-2: 0..18-1"));
        memory.add("npm".parse().unwrap(), "tar", advisory("CVE-1: 0..9.0.0"));
        let owner = package(PackageKind::Deb, "nodejs", "20-1");
        let owner = Package { vendor: Some(maintainer.into()), ..owner };
        let tar = package(PackageKind::Npm, "tar", "6.0.0");
        let tar = Package { owner: Some("nodejs".into()), ..tar };
        let inventory = Inventory {
            distribution: distribution("debian", "12", "12"),
            packages: vec![owner, tar],
            ..Inventory::default()
        };
        assert_eq!(run(&inventory, &memory).findings.len(), findings, "{maintainer}");
    }
}
