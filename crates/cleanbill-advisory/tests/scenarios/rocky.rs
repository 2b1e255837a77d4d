//! Rocky Linux, by OSV's zip of it, which names sources.

use cleanbill_core::package::{Package, SourcePackage};
use serde_json::{Value, json};

use super::osv::{affected, entry, with, zip};
use super::support::{Feeds, Image, found, owned, package, rpm};

fn of(name: &str, fixed: &str) -> Value {
    affected("Rocky Linux:9", name, &format!("introduced 0 fixed {fixed}"))
}

fn usual() -> Feeds {
    let two = with(
        entry("RLSA-2024:1", &[], &[of("openssl", "1:3.0.7-27.el9")]),
        "upstream",
        json!(["CVE-2023-5678", "CVE-2024-0727"]),
    );
    // As older entries are written.
    let again = entry("RLSA-2024:2", &["CVE-2024-0727"], &[of("openssl", "1:3.0.7-28.el9")]);
    let urllib3 = affected("PyPI", "urllib3", "introduced 0 fixed 2.0.7");
    let eight = affected("Rocky Linux:8", "bash", "introduced 0 fixed 4.4.20-5.el8");
    let rocky = zip(
        "Rocky Linux",
        &[
            two,
            again,
            entry(
                "RLSA-2024:3",
                &["CVE-2024-22020"],
                &[of("nodejs", "1:18.20.4-1.module+el9.4.0+1")],
            ),
            entry("RLSA-2024:4", &["CVE-2024-1086"], &[of("kernel", "5.14.0-427.13.1.el9_4")]),
            entry("RLSA-2024:5", &["CVE-2023-45803"], &[of("python-urllib3", "1.26.5-5.el9")]),
            entry("RLSA-2024:6", &[], &[of("tzdata", "2024a-1.el9")]),
            entry("RLSA-2024:7", &["CVE-2024-7"], &[eight]),
            entry("RLSA-2024:8", &["CVE-2024-8"], &[of("vim", "2:8.2.2637-20.el9")]),
        ],
    );
    let python = zip("PyPI", &[entry("PYSEC-2023-212", &["CVE-2023-45803"], &[urllib3])]);
    rocky.into_iter().chain(python).collect()
}

/// A package, and the source with its version that it is built from.
fn of_source(name: &str, version: &str, source: &str, of: &str) -> Package {
    let source = Some(SourcePackage { name: source.into(), version: of.into() });
    Package { source, ..rpm(name, version) }
}

/// A package of openssl, whose version is that of its source with an epoch.
fn openssl(name: &str, version: &str) -> Package {
    of_source(name, &format!("1:{version}"), "openssl", version)
}

fn check(packages: &[Package], want: &[&str]) {
    let image = Image { distribution: ("rocky", "9"), packages: packages.to_vec() };
    assert_eq!(found(&usual(), image), want, "{packages:?}");
}

#[test]
fn every_package_of_a_source_is_judged_by_it() {
    for name in ["openssl", "openssl-libs"] {
        check(
            &[openssl(name, "3.0.7-20.el9")],
            &[
                &format!("{name} CVE-2023-5678 HIGH fixed [1:3.0.7-27.el9]"),
                &format!("{name} CVE-2024-0727 HIGH fixed [1:3.0.7-28.el9]"),
            ],
        );
        check(&[openssl(name, "3.0.7-28.el9")], &[]);
    }
}

#[test]
fn a_package_with_the_name_of_a_source_is_none_of_it() {
    check(&[of_source("openssl", "1:1.0-1.el9", "openssl-fork", "1.0-1.el9")], &[]);
}

#[test]
fn an_erratum_joins_no_flaws_and_a_flaw_in_two_errata_is_one() {
    check(
        &[openssl("openssl-libs", "3.0.7-27.el9")],
        &["openssl-libs CVE-2024-0727 HIGH fixed [1:3.0.7-28.el9]"],
    );
}

#[test]
fn an_epoch_is_left_out_where_the_source_is_compared() {
    // rpm writes none down of a source: with the fix's it would be affected for ever.
    check(&[of_source("vim-minimal", "2:9.1-1.el9", "vim", "9.1-1.el9")], &[]);
    check(
        &[of_source("vim-minimal", "2:8.2.2637-19.el9", "vim", "8.2.2637-19.el9")],
        &["vim-minimal CVE-2024-8 HIGH fixed [2:8.2.2637-20.el9]"],
    );
}

#[test]
fn the_version_of_the_source_is_compared_and_not_the_packages_own() {
    let found = "vim-data CVE-2024-8 HIGH fixed [2:8.2.2637-20.el9]";
    check(&[of_source("vim-data", "99-1", "vim", "8.2.2637-19.el9")], &[found]);
    check(&[of_source("vim-data", "1-1", "vim", "8.2.2637-20.el9")], &[]);
}

#[test]
fn a_package_outside_of_modules_is_not_judged_by_theirs() {
    let module = |label: &str, version: &str| Package {
        module: Some(label.into()),
        ..of_source("nodejs", &format!("1:{version}"), "nodejs", version)
    };
    check(
        &[module("nodejs:18:9040020240101:rhel9", "18.12.1-1.module+el9.3.0+1")],
        &["nodejs CVE-2024-22020 HIGH fixed [1:18.20.4-1.module+el9.4.0+1]"],
    );
    check(&[module("nodejs:18:9040020240101:rhel9", "18.20.4-1.module+el9.4.0+1")], &[]);
    check(&[of_source("nodejs", "1:16.20.2-8.el9_4", "nodejs", "16.20.2-8.el9_4")], &[]);
}

#[test]
fn headers_of_the_kernel_are_not_the_kernel() {
    let kernel = |name: &str| {
        let version = "5.14.0-427.el9_4";
        of_source(name, version, "kernel", version)
    };
    check(
        &[kernel("kernel-core")],
        &["kernel-core CVE-2024-1086 HIGH fixed [5.14.0-427.13.1.el9_4]"],
    );
    check(&[kernel("kernel-headers"), kernel("kernel-doc")], &[]);
}

#[test]
fn an_erratum_without_flaws_is_found_by_its_own_name() {
    let tzdata = |version: &str| {
        let of = of_source("tzdata", version, "tzdata", version);
        Package { arch: Some("noarch".into()), ..of }
    };
    check(&[tzdata("2023c-1.el9")], &["tzdata RLSA-2024:6 HIGH fixed [2024a-1.el9]"]);
    check(&[tzdata("2024a-1.el9")], &[]);
}

#[test]
fn a_package_of_another_vendor_is_a_gap() {
    let by = |vendor: &str| Package {
        vendor: Some(vendor.into()),
        ..openssl("openssl-libs", "3.0.7-28.el9")
    };
    check(&[by("Docker")], &["no-advisory-source openssl-libs 1:3.0.7-28.el9"]);
    check(&[by("Rocky Enterprise Software Foundation")], &[]);
}

#[test]
fn a_package_that_the_distribution_made_of_python_is_judged_once() {
    let own = |release: &str| {
        let version = format!("1.26.5-{release}");
        of_source("python3-urllib3", &version, "python-urllib3", &version)
    };
    let python = package(cleanbill_core::package::PackageKind::Python, "urllib3", "1.26.5", "");
    check(&[own("5.el9"), owned(python.clone(), "python3-urllib3")], &[]);
    check(&[own("5.el9"), python], &["urllib3 CVE-2023-45803 HIGH fixed [2.0.7]"]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_entry_names_the_source() {
    check(
        &[of_source("vim-minimal", "2:8 2", "vim", "8.2.2637-20.el9")],
        &["unparseable-version vim-minimal 2:8 2"],
    );
    // And so is that of the source alone.
    check(
        &[of_source("vim-minimal", "2:8.2.2637-20.el9", "vim", "8 2")],
        &["unreadable-advisory CVE-2024-8"],
    );
    check(&[of_source("unnamed", "8 2", "unnamed", "8 2")], &[]);
}

#[test]
fn another_release_is_not_judged_by_this_ones_errata() {
    let old = || vec![openssl("openssl-libs", "3.0.1-1.el9")];
    let image = Image { distribution: ("rocky", "10"), packages: old() };
    assert_eq!(found(&usual(), image), ["no-advisory-source Rocky Linux:10"]);
    let image = Image { distribution: ("rocky", "8"), packages: old() };
    assert_eq!(found(&usual(), image), [""; 0]);
}
