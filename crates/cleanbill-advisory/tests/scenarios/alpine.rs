//! Alpine, by its security database.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::osv::{affected, entry, zip};
use super::support::{Feeds, Image, found, of_source, owned, package};

/// A file of the database: source packages with versions and what each fixed.
fn repository(release: &str, packages: &[(&str, Value)]) -> Vec<u8> {
    let packages: Vec<Value> = packages
        .iter()
        .map(|(name, fixes)| json!({"pkg": {"name": name, "secfixes": fixes}}))
        .collect();
    json!({"distroversion": release, "packages": packages}).to_string().into_bytes()
}

/// Alpine 3.18, with Python's advisories beside it.
fn usual() -> Feeds {
    let main = repository(
        "v3.18",
        &[
            ("openssl", json!({"3.1.4-r1": ["CVE-2023-5678"], "3.1.4-r5": ["CVE-2024-0727"]})),
            ("busybox", json!({"0": ["CVE-2019-5747"], "1.36.1-r2": ["CVE-2022-48174"]})),
            ("xen", json!({"4.17.2-r0": ["CVE-2023-34319 XSA-432", "CVE-2023-20569 XSA-432"]})),
            // Fixed, and again by a later build; "never" of one, and a fix of the same.
            ("zlib", json!({"1.2.12-r0": ["CVE-2018-25032"], "1.2.13-r1": ["CVE-2018-25032"]})),
            ("curl", json!({"0": ["CVE-2023-38545"], "8.4.0-r0": ["CVE-2023-38545"]})),
            ("postgresql", json!({"15.0-r0": ["CVE-2022-41862"]})),
            ("linux-lts", json!({"6.1.60-r0": ["CVE-2023-5717"]})),
            ("linux-headers", json!({"6.1.60-r0": ["CVE-2023-5717"]})),
            ("py3-urllib3", json!({"1.26.18-r0": ["CVE-2023-45803"]})),
        ],
    );
    let community = repository("v3.18", &[("nginx-mod", json!({"1.24.0-r7": ["CVE-2023-44487"]}))]);
    let urllib3 = affected("PyPI", "urllib3", "introduced 0 fixed 2.0.7");
    let six = affected("PyPI", "six", "introduced 0 fixed 2.0.0");
    let python = zip(
        "PyPI",
        &[
            entry("PYSEC-2023-212", &["CVE-2023-45803"], &[urllib3]),
            entry("PYSEC-2023-999", &["CVE-2023-99999"], &[six]),
        ],
    );
    let secdb = [("main", main), ("community", community)]
        .map(|(file, bytes)| (format!("alpine-secdb/v3.18/{file}.json"), bytes));
    secdb.into_iter().chain(python).collect()
}

fn apk(name: &str, version: &str) -> Package {
    package(PackageKind::Apk, name, version, "x86_64")
}

fn python(name: &str, version: &str) -> Package {
    package(PackageKind::Python, name, version, "")
}

fn check(packages: &[Package], want: &[&str]) {
    let image = Image { distribution: ("alpine", "3.18"), packages: packages.to_vec() };
    assert_eq!(found(&usual(), image), want, "{packages:?}");
}

#[test]
fn a_package_is_judged_by_its_source() {
    check(
        &[of_source(apk("libcrypto3", "3.1.4-r2"), "openssl")],
        &["libcrypto3 CVE-2024-0727 UNKNOWN fixed [3.1.4-r5]"],
    );
    // It has the name of one source and is built from another.
    check(&[of_source(apk("openssl", "3.1.4-r2"), "libressl")], &[]);
}

#[test]
fn each_version_has_what_was_fixed_after_it() {
    check(
        &[apk("openssl", "3.1.4-r0")],
        &[
            "openssl CVE-2023-5678 UNKNOWN fixed [3.1.4-r1]",
            "openssl CVE-2024-0727 UNKNOWN fixed [3.1.4-r5]",
        ],
    );
    check(&[apk("openssl", "3.1.4-r5")], &[]);
    // As text, `r10` would be before `r5`.
    check(&[apk("openssl", "3.1.4-r10")], &[]);
}

#[test]
fn a_nought_means_that_it_was_never_affected() {
    check(&[apk("busybox", "1.36.1-r2")], &[]);
    check(&[apk("busybox", "1.0-r0")], &["busybox CVE-2022-48174 UNKNOWN fixed [1.36.1-r2]"]);
}

#[test]
fn a_fix_outweighs_a_nought_of_the_same_flaw() {
    check(&[apk("curl", "8.3.0-r0")], &["curl CVE-2023-38545 UNKNOWN fixed [8.4.0-r0]"]);
    check(&[apk("curl", "8.4.0-r0")], &[]);
}

#[test]
fn a_flaw_that_was_fixed_again_is_fixed_by_the_later_build() {
    check(&[apk("zlib", "1.2.12-r3")], &["zlib CVE-2018-25032 UNKNOWN fixed [1.2.13-r1]"]);
    check(&[apk("zlib", "1.2.13-r1")], &[]);
}

#[test]
fn an_advisory_of_several_flaws_joins_none_of_them() {
    check(
        &[apk("xen", "4.17.1-r0")],
        &[
            "xen CVE-2023-20569 UNKNOWN fixed [4.17.2-r0]",
            "xen CVE-2023-34319 UNKNOWN fixed [4.17.2-r0]",
        ],
    );
}

#[test]
fn what_stands_before_a_version_is_below_it_and_a_patch_above() {
    let found = "postgresql CVE-2022-41862 UNKNOWN fixed [15.0-r0]";
    for before in ["15.0_alpha2-r0", "15.0_beta1-r9", "15.0_rc1-r0"] {
        check(&[apk("postgresql", before)], &[found]);
    }
    for after in ["15.0-r0", "15.0_p1-r0", "15.0a-r0"] {
        check(&[apk("postgresql", after)], &[]);
    }
}

#[test]
fn the_community_repository_counts_too() {
    check(
        &[apk("nginx-mod", "1.24.0-r6")],
        &["nginx-mod CVE-2023-44487 UNKNOWN fixed [1.24.0-r7]"],
    );
}

#[test]
fn headers_of_the_kernel_are_not_the_kernel() {
    check(&[apk("linux-headers", "6.1.0-r0")], &[]);
    check(&[apk("linux-lts", "6.1.0-r0")], &["linux-lts CVE-2023-5717 UNKNOWN fixed [6.1.60-r0]"]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_the_database_names_the_package() {
    check(&[apk("openssl", "three")], &["unparseable-version openssl three"]);
    check(&[apk("unnamed", "three")], &[]);
}

#[test]
fn a_package_that_the_distribution_made_of_python_is_judged_once() {
    // By Python's versions it is affected still; Alpine put the fix into its own build.
    let urllib3 = || owned(python("urllib3", "1.26.17"), "py3-urllib3");
    check(&[apk("py3-urllib3", "1.26.18-r0"), urllib3()], &[]);
    check(
        &[apk("py3-urllib3", "1.26.17-r0"), urllib3()],
        // The severity is Python's: Alpine says nothing of it.
        &["py3-urllib3 CVE-2023-45803 HIGH fixed [1.26.18-r0]"],
    );
}

#[test]
fn what_the_database_knows_nothing_of_is_judged_by_the_language() {
    let want = "six CVE-2023-99999 HIGH fixed [2.0.0]";
    check(&[apk("py3-six", "1.16.0-r0"), owned(python("six", "1.16.0"), "py3-six")], &[want]);
    check(&[apk("py3-urllib3", "1.26.18-r0"), python("six", "1.16.0")], &[want]);
}

#[test]
fn another_release_is_a_gap() {
    for (release, subject) in [("3.19", "Alpine:v3.19"), ("edge", "Alpine:edge")] {
        let packages = vec![apk("openssl", "3.1.4-r0")];
        let image = Image { distribution: ("alpine", release), packages };
        assert_eq!(found(&usual(), image), [format!("no-advisory-source {subject}")]);
    }
}
