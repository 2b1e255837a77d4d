//! Red Hat's VEX documents since 2026, which name minor releases.

use cleanbill_core::package::Package;

use super::red_hat::{APPS, BASE, EUS, EUS_APPS, list, vex};
use super::support::{Feeds, Image, found_from, of_source, rpm};

fn feeds() -> Feeds {
    let none = ("none_available", "Affected");
    vec![
        list(),
        // Fixed in 9.7, and in 9.8 not; of the next, 9.9, the fix has to be made.
        vex(
            "CVE-2026-0001",
            "Moderate",
            none,
            &[
                (
                    "fixed",
                    "rhel-9.7.z::appstream",
                    "pkg:rpm/redhat/glibc@2.34-231.el9_7.10?arch=src&epoch=0",
                ),
                ("known_affected", "rhel-9.8", "pkg:rpm/redhat/glibc?arch=src"),
                ("known_affected", "rhel-9.9", "pkg:rpm/redhat/glibc?arch=src"),
            ],
        ),
        // Fixed for all, by the packages that were built; 9.9 has to be built yet.
        vex(
            "CVE-2026-0002",
            "Moderate",
            none,
            &[
                (
                    "fixed",
                    "rhel-br-9.7.z::baseos",
                    "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9_7?epoch=1",
                ),
                (
                    "fixed",
                    "rhel-br-9.7.z::baseos",
                    "pkg:rpm/redhat/openssl@3.0.7-27.el9_7?arch=src&epoch=1",
                ),
                ("known_affected", "rhel-9.9", "pkg:rpm/redhat/openssl?arch=src"),
                ("known_affected", "rhel-9.2.0.z", "pkg:rpm/redhat/openssl?arch=src"),
            ],
        ),
        // Of what is built from a source, some never had it.
        vex(
            "CVE-2026-0003",
            "Moderate",
            none,
            &[
                ("known_affected", "rhel-9.8", "pkg:rpm/redhat/curl?arch=src"),
                ("known_affected", "rhel-9.8", "pkg:rpm/redhat/curl-minimal?upstream=curl"),
                ("known_not_affected", "rhel-9.8", "pkg:rpm/redhat/libcurl?upstream=curl"),
            ],
        ),
        // Of version 10, whose CPEs name the minor release.
        vex(
            "CVE-2026-0004",
            "Moderate",
            none,
            &[
                ("fixed", "rhel-10.1.z", "pkg:rpm/redhat/tar@1-5.el10_1?arch=src&epoch=0"),
                ("known_affected", "rhel-10.2.z", "pkg:rpm/redhat/gzip?arch=src"),
            ],
        ),
    ]
}

fn check(version: &'static str, repositories: &[&str], package: Package, want: &[&str]) {
    let about = format!("{version} {} {} {repositories:?}", package.name, package.version);
    let image = Image { distribution: ("rhel", version), packages: vec![package] };
    assert_eq!(found_from(&feeds(), image, repositories), want, "{about}");
}

const MAIN: [&[&str]; 2] = [&[], &[BASE, APPS]];

#[test]
fn what_this_minor_release_has_not_fixed_is_found_whatever_another_has() {
    let open = "glibc CVE-2026-0001 MEDIUM fixed [2.34-231.el9_7.10]";
    for sets in MAIN {
        check("9.8", sets, rpm("glibc", "2.34-200.el9_8"), &[open]);
        check(
            "9.8",
            sets,
            rpm("glibc", "2.34-270.el9_8"),
            &["glibc CVE-2026-0001 MEDIUM affected []"],
        );
        check("9.7", sets, rpm("glibc", "2.34-231.el9_7.10"), &[]);
        check("9.7", sets, rpm("glibc", "2.34-231.el9_7.9"), &[open]);
    }
}

#[test]
fn what_the_next_minor_release_has_to_fix_is_not_held_against_this_one() {
    let openssl = |version| of_source(rpm("openssl-libs", version), "openssl");
    for sets in MAIN {
        check("9.8", sets, openssl("1:3.0.7-30.el9_8"), &[]);
        check(
            "9.8",
            sets,
            openssl("1:3.0.7-26.el9_7"),
            &["openssl-libs CVE-2026-0002 MEDIUM fixed [1:3.0.7-27.el9_7]"],
        );
    }
}

#[test]
fn a_fix_that_is_said_of_one_part_is_one_of_the_release() {
    // The fix of glibc is told of AppStream, and its repository here is the base.
    let want = "glibc CVE-2026-0001 MEDIUM fixed [2.34-231.el9_7.10]";
    check("9.7", &[BASE], rpm("glibc", "2.34-231.el9_7.9"), &[want]);
}

#[test]
fn a_stream_with_longer_support_is_told_by_its_minor_release() {
    let openssl = || of_source(rpm("openssl-libs", "1:3.0.7-16.el9_2"), "openssl");
    let affected = "openssl-libs CVE-2026-0002 MEDIUM affected []";
    check("9.2", &[EUS, EUS_APPS], openssl(), &[affected]);
}

#[test]
fn a_package_that_never_had_it_is_told_from_others_of_its_source() {
    let of_curl = |name| of_source(rpm(name, "7.76.1-40.el9_8"), "curl");
    for (name, is_found) in [("curl", true), ("curl-minimal", true), ("libcurl", false)] {
        let want = format!("{name} CVE-2026-0003 MEDIUM affected []");
        let want: Vec<&str> = is_found.then_some(want.as_str()).into_iter().collect();
        check("9.8", &[], of_curl(name), &want);
    }
}

#[test]
fn of_version_10_fixes_of_every_minor_release_count_and_what_is_open_in_its_own() {
    let fixed = "tar CVE-2026-0004 MEDIUM fixed [1-5.el10_1]";
    for version in ["10.0", "10.1", "10.2"] {
        check(version, &[], rpm("tar", "1-4.el10_0"), &[fixed]);
        check(version, &[], rpm("tar", "1-5.el10_1"), &[]);
    }
    check("10.2", &[], rpm("gzip", "1-1.el10"), &["gzip CVE-2026-0004 MEDIUM affected []"]);
}

#[test]
fn of_a_flaw_that_only_another_minor_release_is_said_to_have_this_one_is_thought_to_have_it_too() {
    check("10.1", &[], rpm("gzip", "1-1.el10"), &["gzip CVE-2026-0004 MEDIUM affected []"]);
    check(
        "9.6",
        &[],
        rpm("curl-minimal", "7.76.1-30.el9_6"),
        &["curl-minimal CVE-2026-0003 MEDIUM affected []"],
    );
}

#[test]
fn an_image_that_names_no_minor_release_is_held_against_all() {
    let openssl = of_source(rpm("openssl-libs", "1:3.0.7-30.el9_8"), "openssl");
    check("9", &[], openssl, &["openssl-libs CVE-2026-0002 MEDIUM affected []"]);
}
