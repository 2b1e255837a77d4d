//! PHP packages, by OSV's zip of Packagist.

use cleanbill_core::package::PackageKind;
use serde_json::json;

use super::super::osv::{affected, entry, with};
use super::check;

#[test]
fn packages() {
    let of = |name: &str, events: &str| affected("Packagist", name, events);
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2024-1"],
            &[of(
                "symfony/http-kernel",
                "introduced 5.0.0 fixed 5.4.20 introduced 6.0.0 fixed 6.0.20",
            )],
        ),
        entry(
            "GHSA-0002-0002-0002",
            &["CVE-2024-2"],
            &[of("drupal/core", "introduced 8.0.0 fixed 9.5.0")],
        ),
        entry(
            "GHSA-0003-0003-0003",
            &["CVE-2024-3"],
            &[of("laravel/framework", "introduced 0 fixed 6.18.34")],
        ),
        entry(
            "GHSA-0004-0004-0004",
            &["CVE-2024-4"],
            &[of("a/last", "introduced 0 last_affected 2.0.0")],
        ),
        with(
            entry("GHSA-0005-0005-0005", &["CVE-2024-5"], &[of("a/gone", "introduced 0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("a/never", "introduced 0")]),
    ];
    check(
        PackageKind::Composer,
        &entries,
        &[
            (
                "a v before the version means nothing",
                "symfony/http-kernel",
                "v5.4.19",
                &["symfony/http-kernel CVE-2024-1 HIGH fixed [5.4.20]"],
            ),
            (
                "each branch has its own fix",
                "symfony/http-kernel",
                "6.0.1",
                &["symfony/http-kernel CVE-2024-1 HIGH fixed [6.0.20]"],
            ),
            ("between two branches is clean", "symfony/http-kernel", "5.4.20", &[]),
            (
                "case is no part of the name",
                "Symfony/Http-Kernel",
                "5.4.19",
                &["Symfony/Http-Kernel CVE-2024-1 HIGH fixed [5.4.20]"],
            ),
            ("the vendor is part of the name", "other/http-kernel", "5.4.19", &[]),
            (
                "alpha is below beta is below RC is below the release",
                "drupal/core",
                "9.5.0-RC2",
                &["drupal/core CVE-2024-2 HIGH fixed [9.5.0]"],
            ),
            (
                "a prerelease of the first affected version is below it",
                "drupal/core",
                "8.0.0-beta16",
                &[],
            ),
            ("numbers that are missing are zero", "drupal/core", "9.5", &[]),
            ("a patch is above the release", "drupal/core", "9.5.0-p1", &[]),
            (
                "numbers are compared as numbers",
                "laravel/framework",
                "6.9.0",
                &["laravel/framework CVE-2024-3 HIGH fixed [6.18.34]"],
            ),
            (
                "a branch under development is a gap, since it has no place",
                "laravel/framework",
                "dev-master",
                &["unparseable-version laravel/framework dev-master"],
            ),
            (
                "the last affected version is affected",
                "a/last",
                "2.0",
                &["a/last CVE-2024-4 HIGH affected []"],
            ),
            ("a withdrawn entry is nothing", "a/gone", "1.0.0", &[]),
            (
                "what is never fixed affects every version",
                "a/never",
                "99.0.0",
                &["a/never CVE-2024-6 HIGH affected []"],
            ),
        ],
    );
}
