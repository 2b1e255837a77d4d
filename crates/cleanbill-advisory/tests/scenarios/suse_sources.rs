//! openSUSE and SUSE Linux Enterprise, by OSV's zips of them, which name sources.

use cleanbill_core::package::{Package, SourcePackage};
use serde_json::{Value, json};

use super::osv::{affected, entry, with, zip};
use super::support::{Feeds, Image, found, rpm};

/// What SUSE says of a source, with the packages that it names beside it.
fn of(stream: &str, source: &str, fixed: &str, binaries: &[&str]) -> Value {
    let binaries: Vec<Value> = binaries.iter().map(|name| json!({*name: fixed})).collect();
    with(
        affected(stream, source, &format!("introduced 0 fixed {fixed}")),
        "ecosystem_specific",
        json!({"binaries": binaries}),
    )
}

fn update(id: &str, cves: &[&str], affected: &[Value]) -> Value {
    with(entry(id, &[], affected), "upstream", json!(cves))
}

fn usual() -> Feeds {
    let leap = "openSUSE:Leap 15.6";
    let server = "SUSE:Linux Enterprise Server 12 SP5";
    let libs = ["libopenssl1_1", "libopenssl-1_1-devel"];
    let both = [
        of(leap, "openssl-1_1", "1.1.1w-150600.5.3.1", &libs),
        of(server, "openssl-1_1", "1.1.1d-2.107.1", &libs),
    ];
    let openssl = update("SUSE-SU-2024:2089-1", &["CVE-2024-4741", "CVE-2024-5535"], &both);
    let again = update(
        "SUSE-SU-2024:2891-1",
        &["CVE-2024-5535"],
        &[of(leap, "openssl-1_1", "1.1.1w-150600.5.6.1", &libs)],
    );
    let kernel = update(
        "SUSE-SU-2024:3000-1",
        &["CVE-2024-1086"],
        &[of(leap, "kernel-default", "6.4.0-150600.23.17.1", &["kernel-default"])],
    );
    let rolling = update(
        "openSUSE-SU-2024:14314-1",
        &["CVE-2024-7"],
        &[of("openSUSE:Tumbleweed", "curl", "8.9.1-1.1", &["curl", "libcurl4"])],
    );
    // Of SUSE's older entries the flaws are called related.
    let related = with(
        entry("SUSE-RU-2023:1-1", &[], &[of(leap, "tar", "1.34-150000.3.31.1", &["tar"])]),
        "related",
        json!(["CVE-2022-48303"]),
    );
    let entries = [openssl, again, kernel, rolling, related];
    zip("openSUSE", &entries).into_iter().chain(zip("SUSE", &entries)).collect()
}

/// A package, its source, and the one version that they have.
fn built(name: &str, version: &str, source: &str) -> Package {
    let source = Some(SourcePackage { name: source.into(), version: version.into() });
    Package {
        source,
        vendor: Some("SUSE LLC <https://www.suse.com/>".into()),
        ..rpm(name, version)
    }
}

fn leap(packages: &[Package]) -> Vec<String> {
    let image = Image { distribution: ("opensuse-leap", "15.6"), packages: packages.to_vec() };
    found(&usual(), image)
}

fn check(package: Package, want: &[&str]) {
    assert_eq!(leap(std::slice::from_ref(&package)), want, "{package:?}");
}

#[test]
fn every_package_of_a_source_is_judged_by_it() {
    check(
        built("libopenssl1_1", "1.1.1w-150600.5.1", "openssl-1_1"),
        &[
            "libopenssl1_1 CVE-2024-4741 HIGH fixed [1.1.1w-150600.5.3.1]",
            "libopenssl1_1 CVE-2024-5535 HIGH fixed [1.1.1w-150600.5.6.1]",
        ],
    );
}

#[test]
fn the_fixed_build_and_later_ones_are_clean() {
    check(built("libopenssl1_1", "1.1.1w-150600.5.6.1", "openssl-1_1"), &[]);
    // As text, `5.12` would be before `5.6`.
    check(built("libopenssl1_1", "1.1.1w-150600.5.12.1", "openssl-1_1"), &[]);
}

#[test]
fn a_package_with_the_name_of_a_source_is_none_of_it() {
    check(built("openssl-1_1", "1.0-1", "openssl-fork"), &[]);
    check(built("libopenssl3", "1.0-1", "openssl-3"), &[]);
}

#[test]
fn an_update_joins_no_flaws_and_a_flaw_in_two_updates_is_one() {
    check(
        built("libopenssl1_1", "1.1.1w-150600.5.3.1", "openssl-1_1"),
        &["libopenssl1_1 CVE-2024-5535 HIGH fixed [1.1.1w-150600.5.6.1]"],
    );
}

#[test]
fn flaws_that_an_update_calls_related_are_its_own() {
    check(
        built("tar", "1.34-150000.3.26.1", "tar"),
        &["tar CVE-2022-48303 HIGH fixed [1.34-150000.3.31.1]"],
    );
    check(built("tar", "1.34-150000.3.31.1", "tar"), &[]);
}

#[test]
fn a_service_pack_is_judged_by_its_own_updates() {
    let server = |version: &str| {
        let packages = vec![built("libopenssl1_1", version, "openssl-1_1")];
        found(&usual(), Image { distribution: ("sles", "12.5"), packages })
    };
    assert_eq!(
        server("1.1.1d-2.104.1"),
        [
            "libopenssl1_1 CVE-2024-4741 HIGH fixed [1.1.1d-2.107.1]",
            "libopenssl1_1 CVE-2024-5535 HIGH fixed [1.1.1d-2.107.1]",
        ]
    );
    // By Leap's fix it would be affected for ever.
    assert_eq!(server("1.1.1d-2.107.1"), [""; 0]);
}

#[test]
fn a_release_that_rolls_has_its_own_updates() {
    let rolling = |version: &str| {
        let packages = vec![built("libcurl4", version, "curl")];
        found(&usual(), Image { distribution: ("opensuse-tumbleweed", "20240901"), packages })
    };
    assert_eq!(rolling("8.9.0-1.1"), ["libcurl4 CVE-2024-7 HIGH fixed [8.9.1-1.1]"]);
    assert_eq!(rolling("8.9.1-1.1"), [""; 0]);
    check(built("libcurl4", "8.0.1-150400.1", "curl"), &[]);
}

#[test]
fn headers_of_the_kernel_are_not_the_kernel() {
    let version = "6.4.0-150600.21.1";
    check(
        built("kernel-default", version, "kernel-default"),
        &["kernel-default CVE-2024-1086 HIGH fixed [6.4.0-150600.23.17.1]"],
    );
    check(built("linux-glibc-devel", version, "linux-glibc-devel"), &[]);
    check(built("kernel-headers", version, "kernel-default"), &[]);
}

#[test]
fn a_package_of_another_vendor_is_a_gap() {
    let by = |vendor: &str| Package {
        vendor: Some(vendor.into()),
        ..built("libopenssl1_1", "1.1.1w-150600.5.6.1", "openssl-1_1")
    };
    check(
        by("obs://build.opensuse.org/home:me"),
        &["no-advisory-source libopenssl1_1 1.1.1w-150600.5.6.1"],
    );
    check(by("openSUSE"), &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_update_names_the_source() {
    check(built("tar", "1 34", "tar"), &["unparseable-version tar 1 34"]);
    check(built("unnamed", "1 34", "unnamed"), &[]);
}

#[test]
fn another_release_is_a_gap() {
    let old = || vec![built("tar", "1.34-1", "tar")];
    for (distribution, subject) in [
        (("opensuse-leap", "15.5"), "openSUSE:Leap 15.5"),
        (("sles", "15.6"), "SUSE:Linux Enterprise Server 15 SP6"),
    ] {
        let image = Image { distribution, packages: old() };
        assert_eq!(found(&usual(), image), [format!("no-advisory-source {subject}")]);
    }
}
