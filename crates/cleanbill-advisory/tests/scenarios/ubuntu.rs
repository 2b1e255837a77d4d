//! Ubuntu with and without a subscription, by OSV's zip of Ubuntu.

use cleanbill_core::package::{Package, PackageKind};

use super::support::{Feeds, Image, found, of_source, osv, package};

fn usual() -> Feeds {
    osv(
        "Ubuntu",
        &[
            // Fixed for everybody.
            ("CVE-2024-0001", &[("22.04:LTS", "openssl", "3.0.2-0ubuntu1.15")]),
            // Fixed for subscribers alone.
            ("CVE-2024-0002", &[("Pro:22.04:LTS", "vim", "2:8.2.3995-1ubuntu2+esm3")]),
            // Open for everybody, and fixed for subscribers.
            (
                "CVE-2024-0003",
                &[("22.04:LTS", "zlib", ""), ("Pro:22.04:LTS", "zlib", "1:1.2.11-2ubuntu9+esm1")],
            ),
            // Fixed for everybody, and before that for subscribers.
            (
                "CVE-2024-0004",
                &[
                    ("22.04:LTS", "curl", "7.81.0-1ubuntu1.16"),
                    ("Pro:22.04:LTS", "curl", "7.81.0-1ubuntu1+esm1"),
                ],
            ),
            // Open for all.
            ("CVE-2024-0005", &[("22.04:LTS", "tar", ""), ("Pro:22.04:LTS", "tar", "")]),
            // Filed under the release, and said to need a subscription.
            (
                "CVE-2024-0006",
                &[(
                    "22.04:LTS",
                    "gzip",
                    "1.10-4ubuntu4+esm1 Available with Ubuntu Pro: https://ubuntu.com/pro",
                )],
            ),
            // Of builds for FIPS alone.
            ("CVE-2024-0007", &[("Pro:FIPS:22.04:LTS", "gnutls28", "3.7.3-4ubuntu1+Fips1")]),
            ("CVE-2024-0008", &[("Pro:18.04:LTS", "vim", "2:8.0.1453-1ubuntu1+esm9")]),
        ],
    )
}

fn deb(name: &str, version: &str) -> Package {
    of_source(package(PackageKind::Deb, name, version, "amd64"), name)
}

fn check(package: Package, want: &[&str]) {
    let about = format!("{} {}", package.name, package.version);
    let image = Image { distribution: ("ubuntu", "22.04"), packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

#[test]
fn a_fix_for_everybody_can_be_taken() {
    check(
        deb("openssl", "3.0.2-0ubuntu1.10"),
        &["openssl CVE-2024-0001 MEDIUM fixed [3.0.2-0ubuntu1.15]"],
    );
    check(deb("openssl", "3.0.2-0ubuntu1.15"), &[]);
}

#[test]
fn a_fix_for_subscribers_is_none_that_everybody_can_take() {
    check(deb("vim", "2:8.2.3995-1ubuntu2"), &["vim CVE-2024-0002 MEDIUM affected []"]);
    check(deb("zlib", "1:1.2.11-2ubuntu9"), &["zlib CVE-2024-0003 MEDIUM affected []"]);
}

#[test]
fn a_fix_for_subscribers_is_told_all_the_same() {
    for (package, range) in [
        (
            deb("vim", "2:8.2.3995-1ubuntu2"),
            "< 2:8.2.3995-1ubuntu2+esm3 (fixed in 2:8.2.3995-1ubuntu2+esm3 with a subscription)",
        ),
        (
            deb("zlib", "1:1.2.11-2ubuntu9"),
            "every version (fixed in 1:1.2.11-2ubuntu9+esm1 with a subscription)",
        ),
        (deb("tar", "1.34-1"), "every version"),
        (deb("openssl", "3.0.2-0ubuntu1.10"), "< 3.0.2-0ubuntu1.15"),
        (deb("curl", "7.81.0-1"), "< 7.81.0-1ubuntu1.16"),
    ] {
        let image = Image { distribution: ("ubuntu", "22.04"), packages: vec![package] };
        assert_eq!(super::support::ranges(&usual(), image), [range]);
    }
}

#[test]
fn a_subscribers_build_is_judged_by_the_subscriptions_advisory() {
    check(deb("zlib", "1:1.2.11-2ubuntu9+esm1"), &[]);
    check(deb("vim", "2:8.2.3995-1ubuntu2+esm3"), &[]);
    check(
        deb("vim", "2:8.2.3995-1ubuntu2+esm1"),
        &["vim CVE-2024-0002 MEDIUM fixed [2:8.2.3995-1ubuntu2+esm3]"],
    );
    check(deb("tar", "1.34-1+esm1"), &["tar CVE-2024-0005 MEDIUM affected []"]);
}

#[test]
fn a_subscribers_build_is_judged_by_the_release_where_the_subscription_says_nothing() {
    check(
        deb("openssl", "3.0.2-0ubuntu1.10+esm1"),
        &["openssl CVE-2024-0001 MEDIUM fixed [3.0.2-0ubuntu1.15]"],
    );
}

#[test]
fn a_later_build_for_everybody_is_not_fixed_by_what_subscribers_have() {
    // Its number is higher than that of the fix, which it does not hold.
    check(deb("zlib", "1:1.2.11-2ubuntu9.5"), &["zlib CVE-2024-0003 MEDIUM affected []"]);
}

#[test]
fn what_everybody_has_fixed_is_not_asked_of_the_subscription() {
    check(deb("curl", "7.81.0-1ubuntu1.16"), &[]);
    check(deb("curl", "7.81.0-1"), &["curl CVE-2024-0004 MEDIUM fixed [7.81.0-1ubuntu1.16]"]);
}

#[test]
fn a_fix_that_says_it_needs_a_subscription_does_wherever_it_is_filed() {
    check(deb("gzip", "1.10-4ubuntu4"), &["gzip CVE-2024-0006 MEDIUM affected []"]);
    check(deb("gzip", "1.10-4ubuntu4+esm1"), &[]);
}

#[test]
fn what_is_said_of_builds_for_fips_counts_for_those_alone() {
    check(deb("gnutls28", "3.7.3-4ubuntu1"), &[]);
    check(
        deb("gnutls28", "3.7.3-4ubuntu0+Fips2"),
        &["gnutls28 CVE-2024-0007 MEDIUM fixed [3.7.3-4ubuntu1+Fips1]"],
    );
    check(deb("gnutls28", "3.7.3-4ubuntu1+Fips1"), &[]);
}

#[test]
fn a_build_for_fips_is_a_gap_where_only_others_have_a_fix() {
    check(deb("openssl", "3.0.2-0ubuntu1.15+Fips1"), &["unreadable-advisory CVE-2024-0001"]);
    check(deb("zlib", "1:1.2.11-2ubuntu9.fips.2"), &["zlib CVE-2024-0003 MEDIUM affected []"]);
}

#[test]
fn a_release_of_which_only_subscribers_hear_is_not_examined() {
    let packages = vec![deb("vim", "2:8.0.1453-1ubuntu1")];
    let image = Image { distribution: ("ubuntu", "18.04"), packages };
    assert_eq!(found(&usual(), image), ["no-advisory-source Ubuntu:18.04"]);
}
