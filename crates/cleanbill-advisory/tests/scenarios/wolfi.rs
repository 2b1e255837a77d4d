//! Wolfi and Chainguard, which have no releases, by their security databases.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::osv::{affected, entry, zip};
use super::support::{Feeds, Image, found, of_source, owned, package};

fn database(packages: &[(&str, Value)]) -> Vec<u8> {
    let packages: Vec<Value> = packages
        .iter()
        .map(|(name, fixes)| json!({"pkg": {"name": name, "secfixes": fixes}}))
        .collect();
    let urls =
        json!({"apkurl": "{{urlprefix}}/{{reponame}}/{{arch}}/{{pkg.name}}-{{pkg.ver}}.apk"});
    json!({"reponame": "os", "urlprefix": urls, "packages": packages}).to_string().into_bytes()
}

/// Wolfi's alone, with Go's advisories beside it.
fn usual() -> Feeds {
    let wolfi = database(&[
        ("openssl", json!({"3.3.0-r8": ["CVE-2024-4741", "GHSA-7gx3-2hcr-7wgr"]})),
        ("go-1.22", json!({"0": ["CVE-2023-24534"], "1.22.3-r0": ["CVE-2024-24788"]})),
        ("crane", json!({"0": ["CVE-2024-24790"], "0.19.1-r6": ["CVE-2024-24788"]})),
        ("linux-headers", json!({"6.9-r0": ["CVE-2024-1086"]})),
        ("git", json!({"2.45.1-r0": ["CVE-2024-32002"], "2.45.2-r1": ["CVE-2024-32002"]})),
    ]);
    let stdlib = affected("Go", "stdlib", "introduced 0 fixed 1.22.4");
    let go = zip("Go", &[entry("GO-2024-2887", &["CVE-2024-24790"], &[stdlib])]);
    [("wolfi/security.json".to_owned(), wolfi)].into_iter().chain(go).collect()
}

fn apk(name: &str, version: &str) -> Package {
    package(PackageKind::Apk, name, version, "x86_64")
}

fn check(packages: &[Package], want: &[&str]) {
    let image = Image { distribution: ("wolfi", "20230201"), packages: packages.to_vec() };
    assert_eq!(found(&usual(), image), want, "{packages:?}");
}

#[test]
fn a_package_is_judged_by_its_source() {
    check(
        &[of_source(apk("libssl3", "3.3.0-r7"), "openssl")],
        &["libssl3 CVE-2024-4741 UNKNOWN fixed [3.3.0-r8]"],
    );
    check(&[of_source(apk("openssl", "3.3.0-r7"), "openssl-fips")], &[]);
}

#[test]
fn two_ids_of_one_flaw_are_one_finding_where_a_list_has_no_others() {
    let fixed = |ids: &[&str]| {
        let found = ids.iter().map(|id| format!("vim {id} UNKNOWN fixed [9.1-r0]"));
        found.collect::<Vec<_>>()
    };
    let table: &[(&[&str], &[&str])] = &[
        (&["CVE-2024-1111", "GHSA-cfgh-jmpq-rvwx"], &["CVE-2024-1111"]),
        (&["GHSA-cfgh-jmpq-rvwx", "CVE-2024-1111"], &["CVE-2024-1111"]),
        (
            &["CVE-2024-1111", "CVE-2024-2222", "GHSA-cfgh-jmpq-rvwx"],
            &["CVE-2024-1111", "CVE-2024-2222", "GHSA-cfgh-jmpq-rvwx"],
        ),
        (
            &["CVE-2024-1111", "GHSA-cfgh-jmpq-rvwx", "GHSA-hw4x-mcx5-9q36"],
            &["CVE-2024-1111", "GHSA-cfgh-jmpq-rvwx", "GHSA-hw4x-mcx5-9q36"],
        ),
        (
            &["GHSA-cfgh-jmpq-rvwx", "GHSA-hw4x-mcx5-9q36"],
            &["GHSA-cfgh-jmpq-rvwx", "GHSA-hw4x-mcx5-9q36"],
        ),
        (&["GHSA-cfgh-jmpq-rvwx"], &["GHSA-cfgh-jmpq-rvwx"]),
    ];
    for (listed, want) in table {
        let own = database(&[("vim", json!({"9.1-r0": listed}))]);
        let image = Image { distribution: ("wolfi", "1"), packages: vec![apk("vim", "9.0-r0")] };
        let feeds = vec![("wolfi/security.json".to_owned(), own)];
        assert_eq!(found(&feeds, image), fixed(want), "{listed:?}");
    }
}

#[test]
fn an_id_that_is_listed_once_more_without_the_other_is_the_same_flaw() {
    let own = database(&[(
        "vim",
        json!({"9.1-r0": ["CVE-2024-1111", "GHSA-cfgh-jmpq-rvwx"], "9.2-r0": ["GHSA-cfgh-jmpq-rvwx"]}),
    )]);
    let feeds = vec![("wolfi/security.json".to_owned(), own)];
    let image = Image { distribution: ("wolfi", "1"), packages: vec![apk("vim", "9.1-r0")] };
    assert_eq!(found(&feeds, image), ["vim CVE-2024-1111 UNKNOWN fixed [9.2-r0]"]);
}

#[test]
fn the_fixed_build_and_later_ones_are_clean() {
    check(&[apk("openssl", "3.3.0-r8")], &[]);
    check(&[apk("openssl", "3.3.0-r10")], &[]);
}

#[test]
fn a_nought_means_that_it_was_never_affected() {
    check(&[apk("go-1.22", "1.22.2-r0")], &["go-1.22 CVE-2024-24788 UNKNOWN fixed [1.22.3-r0]"]);
}

#[test]
fn each_line_is_a_package_of_its_own() {
    check(&[apk("go-1.21", "1.21.0-r0")], &[]);
}

#[test]
fn a_flaw_that_was_fixed_again_is_fixed_by_the_later_build() {
    check(&[apk("git", "2.45.1-r0")], &["git CVE-2024-32002 UNKNOWN fixed [2.45.2-r1]"]);
    check(&[apk("git", "2.45.2-r1")], &[]);
}

#[test]
fn a_nought_holds_for_what_is_compiled_into_the_package() {
    let stdlib = || package(PackageKind::Go, "stdlib", "v1.22.3", "");
    check(&[apk("crane", "0.19.1-r6"), owned(stdlib(), "crane")], &[]);
    // What no package owns is judged by Go's advisories.
    check(&[apk("crane", "0.19.1-r6"), stdlib()], &["stdlib CVE-2024-24790 HIGH fixed [1.22.4]"]);
}

#[test]
fn what_the_database_knows_nothing_of_is_judged_by_the_language() {
    let stdlib = package(PackageKind::Go, "stdlib", "v1.22.3", "");
    check(
        &[apk("unnamed", "1-r0"), owned(stdlib, "unnamed")],
        &["stdlib CVE-2024-24790 HIGH fixed [1.22.4]"],
    );
}

#[test]
fn headers_of_the_kernel_are_not_the_kernel() {
    check(&[apk("linux-headers", "6.8-r0")], &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_the_database_names_the_package() {
    check(&[apk("git", "r1")], &["unparseable-version git r1"]);
    check(&[apk("unnamed", "r1")], &[]);
}

#[test]
fn one_is_not_judged_by_the_database_of_the_other() {
    let old = || vec![apk("git", "2.45.0-r0")];
    let image = Image { distribution: ("chainguard", "20230214"), packages: old() };
    assert_eq!(found(&usual(), image), ["no-advisory-source Chainguard"]);
    let own = database(&[("git", json!({"2.45.0-r5": ["CVE-2024-32002"]}))]);
    let feeds = vec![("chainguard/security.json".to_owned(), own)];
    let image = Image { distribution: ("chainguard", "20230214"), packages: old() };
    assert_eq!(found(&feeds, image), ["git CVE-2024-32002 UNKNOWN fixed [2.45.0-r5]"]);
}
