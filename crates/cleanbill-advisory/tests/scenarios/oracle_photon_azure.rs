//! Oracle Linux, Photon OS and Azure Linux: by OSV's zips where there are any, else a gap.

use cleanbill_core::package::{Package, SourcePackage};
use serde_json::{Value, json};

use super::osv::{affected, entry, with, zip};
use super::support::{Feeds, Image, found, rpm};

fn usual() -> Feeds {
    let three = |name: &str, events: &str| affected("Azure Linux:3", name, events);
    let one = |id: &str, cve: &str, affected: &[Value]| {
        with(entry(id, &[], affected), "upstream", json!([cve]))
    };
    let azure = zip(
        "Azure Linux",
        &[
            one("AZL-1", "CVE-2024-1", &[three("openssl", "introduced 0 fixed 3.3.0-2")]),
            // Affected up to what is shipped: there is no fix.
            one("AZL-2", "CVE-2024-2", &[three("zlib", "introduced 0 last_affected 1.3.1-1")]),
            one("AZL-3", "CVE-2024-3", &[three("golang", "introduced 1.22.0-1 fixed 1.22.5-1")]),
            one("AZL-4", "CVE-2024-4", &[three("kernel", "introduced 0 fixed 6.6.35.1-5")]),
            // The same flaw again, for a build that fixes it at last.
            one("AZL-5", "CVE-2024-1", &[three("openssl", "introduced 0 fixed 3.3.0-3")]),
            one(
                "AZL-6",
                "CVE-2024-6",
                &[affected("Azure Linux:2", "vim", "introduced 0 fixed 9.1-1")],
            ),
            with(
                one("AZL-7", "CVE-2024-7", &[three("curl", "introduced 0")]),
                "withdrawn",
                json!("2026-08-01T00:00:00Z"),
            ),
        ],
    );
    let tar = affected("Photon OS:5.0", "tar", "introduced 0 fixed 1.34-3.ph5");
    let photon = zip("Photon OS", &[one("PHSA-1", "CVE-2022-48303", &[tar])]);
    azure.into_iter().chain(photon).collect()
}

/// A package, its source, and the one version that they have.
fn built(name: &str, version: &str, source: &str) -> Package {
    let source = Some(SourcePackage { name: source.into(), version: version.into() });
    Package { source, ..rpm(name, version) }
}

fn on(distribution: (&'static str, &'static str), package: Package, want: &[&str]) {
    let about = format!("{distribution:?} {package:?}");
    let image = Image { distribution, packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

fn azure(package: Package, want: &[&str]) {
    on(("azurelinux", "3"), package, want);
}

#[test]
fn every_package_of_a_source_is_judged_by_it() {
    azure(
        built("openssl-libs", "3.3.0-1", "openssl"),
        &["openssl-libs CVE-2024-1 HIGH fixed [3.3.0-3]"],
    );
    azure(built("openssl", "3.3.0-1", "openssl-fork"), &[]);
}

#[test]
fn a_flaw_that_was_fixed_again_is_fixed_by_the_later_build() {
    azure(
        built("openssl-libs", "3.3.0-2", "openssl"),
        &["openssl-libs CVE-2024-1 HIGH fixed [3.3.0-3]"],
    );
    azure(built("openssl-libs", "3.3.0-3", "openssl"), &[]);
}

#[test]
fn what_is_shipped_last_may_be_affected() {
    azure(built("zlib-devel", "1.3.1-1", "zlib"), &["zlib-devel CVE-2024-2 HIGH affected []"]);
    azure(built("zlib-devel", "1.3.1-2", "zlib"), &[]);
}

#[test]
fn what_is_before_the_first_affected_version_is_clean() {
    azure(built("golang", "1.22.4-1", "golang"), &["golang CVE-2024-3 HIGH fixed [1.22.5-1]"]);
    azure(built("golang", "1.21.9-1", "golang"), &[]);
}

#[test]
fn headers_of_the_kernel_are_not_the_kernel() {
    azure(built("kernel", "6.6.35.1-4", "kernel"), &["kernel CVE-2024-4 HIGH fixed [6.6.35.1-5]"]);
    azure(built("kernel-headers", "6.6.35.1-4", "kernel"), &[]);
}

#[test]
fn what_was_withdrawn_is_nothing() {
    azure(built("curl", "8.0-1", "curl"), &[]);
}

#[test]
fn the_older_name_of_a_distribution_is_the_same_one() {
    on(
        ("mariner", "2"),
        built("vim-minimal", "9.0-1", "vim"),
        &["vim-minimal CVE-2024-6 HIGH fixed [9.1-1]"],
    );
    azure(built("vim-minimal", "9.0-1", "vim"), &[]);
}

#[test]
fn a_package_of_another_vendor_is_a_gap() {
    let by = |vendor: &str| Package {
        vendor: Some(vendor.into()),
        ..built("openssl-libs", "3.3.0-3", "openssl")
    };
    azure(by("Docker"), &["no-advisory-source openssl-libs 3.3.0-3"]);
    azure(by("Microsoft Corporation"), &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_entry_names_the_source() {
    azure(built("zlib", "1 3", "zlib"), &["unparseable-version zlib 1 3"]);
    azure(built("unnamed", "1 3", "unnamed"), &[]);
}

#[test]
fn photon_is_judged_by_what_there_is_of_its_release() {
    on(
        ("photon", "5.0"),
        built("tar", "1.34-2.ph5", "tar"),
        &["tar CVE-2022-48303 HIGH fixed [1.34-3.ph5]"],
    );
    on(("photon", "5.0"), built("tar", "1.34-3.ph5", "tar"), &[]);
    on(("photon", "4.0"), built("tar", "1.34-2.ph4", "tar"), &["no-advisory-source Photon OS:4.0"]);
}

#[test]
fn a_distribution_of_which_nothing_is_held_is_a_gap() {
    on(("ol", "9"), built("tar", "1.34-1.el9", "tar"), &["no-advisory-source Oracle Linux:9"]);
    on(("azurelinux", "4"), built("tar", "1-1", "tar"), &["no-advisory-source Azure Linux:4"]);
}

#[test]
fn a_package_of_oracles_is_not_judged_by_its_relatives_errata() {
    // They build the same sources, each with releases of its own.
    let alma = affected("AlmaLinux:9", "tar", "introduced 0 fixed 1.34-6.el9_1");
    let feeds = zip("AlmaLinux", &[entry("ALSA-2023:1", &["CVE-2022-48303"], &[alma])]);
    let image =
        |id| Image { distribution: (id, "9"), packages: vec![built("tar", "1.34-1.el9", "tar")] };
    assert_eq!(found(&feeds, image("ol")), ["no-advisory-source Oracle Linux:9"]);
    assert_eq!(found(&feeds, image("almalinux")), ["tar CVE-2022-48303 HIGH fixed [1.34-6.el9_1]"]);
}
