//! SUSE Linux Enterprise and openSUSE, by OSV's zips of them.

use cleanbill_core::package::Package;

use super::support::{Affected, Feeds, Image, found, osv, ranges, rpm};

fn usual() -> Feeds {
    let sle: &[(&str, &[Affected<'_>])] = &[
        (
            "1 CVE-2024-6119",
            &[
                (
                    "Linux Enterprise Module for Basesystem 15 SP6",
                    "libopenssl3",
                    "3.1.4-150600.5.15.1",
                ),
                (
                    "Linux Enterprise Module for Basesystem 15 SP5",
                    "libopenssl3",
                    "3.0.8-150500.5.42.1",
                ),
            ],
        ),
        (
            "2 CVE-2024-0001 CVE-2024-0002",
            &[(
                "Linux Enterprise Module for Server Applications 15 SP6",
                "bind",
                "9.18.28-150600.3.3.1",
            )],
        ),
        ("3 CVE-2024-0003", &[("Linux Enterprise Server 15 SP6", "vim", "9.1.0-150600.1.1")]),
        (
            "4 CVE-2024-0004",
            &[("Linux Enterprise Server 15 SP4-LTSS", "curl", "8.0.1-150400.5.50.1")],
        ),
        (
            "5 CVE-2024-0005",
            &[("Linux Enterprise Module for Basesystem 15 SP4", "zlib", "1.2.11-150000.3.48.1")],
        ),
        (
            "6 CVE-2024-0006",
            &[("Linux Enterprise Server for SAP Applications 15 SP6", "sapconf", "6-1")],
        ),
        (
            "7 CVE-2024-0007",
            &[("Linux Enterprise Module for Web and Scripting 12", "nodejs18", "18.20.4-8.24.1")],
        ),
        ("8 CVE-2024-0008", &[("Linux Enterprise Server 12 SP5", "bash", "4.3-83.30.1")]),
        (
            "11 CVE-2024-0011",
            &[("Linux Enterprise Module for Python 3 15 SP7", "python311", "3.11.13-1")],
        ),
        ("9 CVE-2024-0009", &[("Linux Enterprise Server 16.0", "xz", "5.8.1-160000.2.2")]),
    ];
    let leap: &[(&str, &[Affected<'_>])] =
        &[("10 CVE-2024-6119", &[("Leap 15.6", "libopenssl3", "3.1.4-150600.5.15.1")])];
    [osv("SUSE", sle), osv("openSUSE", leap)].concat()
}

fn check(distribution: (&'static str, &'static str), package: Package, want: &[&str]) {
    let about = format!("{distribution:?} {} {}", package.name, package.version);
    let image = Image { distribution, packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

const SP6: (&str, &str) = ("sles", "15.6");

#[test]
fn a_package_is_found_in_the_module_that_it_is_filed_under() {
    check(
        SP6,
        rpm("libopenssl3", "3.1.4-150600.5.7.1"),
        &["libopenssl3 CVE-2024-6119 MEDIUM fixed [3.1.4-150600.5.15.1]"],
    );
    check(SP6, rpm("libopenssl3", "3.1.4-150600.5.15.1"), &[]);
}

#[test]
fn an_erratum_of_another_module_is_as_many_findings_as_it_has_flaws() {
    check(
        SP6,
        rpm("bind", "9.18.24-150600.1.1"),
        &[
            "bind CVE-2024-0001 MEDIUM fixed [9.18.28-150600.3.3.1]",
            "bind CVE-2024-0002 MEDIUM fixed [9.18.28-150600.3.3.1]",
        ],
    );
}

#[test]
fn what_is_filed_under_the_product_itself_counts_too() {
    check(
        SP6,
        rpm("vim", "9.0.0-150600.1.1"),
        &["vim CVE-2024-0003 MEDIUM fixed [9.1.0-150600.1.1]"],
    );
}

#[test]
fn another_service_pack_is_not_judged_by_this_ones_errata() {
    // By the fix of SP6 it would be affected.
    check(("sles", "15.5"), rpm("libopenssl3", "3.0.8-150500.5.42.1"), &[]);
    check(
        ("sles", "15.5"),
        rpm("libopenssl3", "3.0.8-150500.5.5.1"),
        &["libopenssl3 CVE-2024-6119 MEDIUM fixed [3.0.8-150500.5.42.1]"],
    );
}

#[test]
fn a_fix_under_longer_support_is_none_that_everybody_can_take() {
    let old = || rpm("curl", "8.0.1-150400.5.20.1");
    check(("sles", "15.4"), old(), &["curl CVE-2024-0004 MEDIUM affected []"]);
    let image = Image { distribution: ("sles", "15.4"), packages: vec![old()] };
    let range = "< 8.0.1-150400.5.50.1 (fixed in 8.0.1-150400.5.50.1 with a subscription)";
    assert_eq!(ranges(&usual(), image), [range]);
}

#[test]
fn a_build_of_longer_support_is_clean() {
    check(("sles", "15.4"), rpm("curl", "8.0.1-150400.5.50.1"), &[]);
}

#[test]
fn other_products_are_not_looked_up() {
    check(SP6, rpm("sapconf", "5-1"), &[]);
}

#[test]
fn modules_of_version_12_have_no_service_pack() {
    check(
        ("sles", "12.5"),
        rpm("nodejs18", "18.18.2-8.15.1"),
        &["nodejs18 CVE-2024-0007 MEDIUM fixed [18.20.4-8.24.1]"],
    );
    check(
        ("sles", "12.5"),
        rpm("bash", "4.3-83.23.1"),
        &["bash CVE-2024-0008 MEDIUM fixed [4.3-83.30.1]"],
    );
}

#[test]
fn version_16_has_no_modules() {
    check(
        ("sles", "16.0"),
        rpm("xz", "5.8.0-160000.1.1"),
        &["xz CVE-2024-0009 MEDIUM fixed [5.8.1-160000.2.2]"],
    );
}

#[test]
fn leap_is_looked_up_by_its_own_name() {
    check(
        ("opensuse-leap", "15.6"),
        rpm("libopenssl3", "3.1.4-150600.5.7.1"),
        &["libopenssl3 CVE-2024-6119 MEDIUM fixed [3.1.4-150600.5.15.1]"],
    );
    check(("opensuse-leap", "15.6"), rpm("bind", "9.18.24-150600.1.1"), &[]);
}

#[test]
fn a_release_that_no_erratum_names_is_a_gap() {
    check(
        ("sles", "15.3"),
        rpm("bash", "4.4-1"),
        &["no-advisory-source SUSE:Linux Enterprise Server 15 SP3"],
    );
}

#[test]
fn a_release_of_which_only_a_module_beside_the_base_is_heard_is_a_gap() {
    for package in [rpm("bash", "4.4-1"), rpm("python311", "3.11.1-1")] {
        check(
            ("sles", "15.7"),
            package,
            &["no-advisory-source SUSE:Linux Enterprise Server 15 SP7"],
        );
    }
}
