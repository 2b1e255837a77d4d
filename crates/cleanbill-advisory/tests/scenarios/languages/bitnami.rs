//! Bitnami's applications, by OSV's zip of its own advisories. A version there is the
//! application's; what Bitnami built has the number of the build behind it.

use cleanbill_core::package::PackageKind;
use serde_json::{Value, json};

use super::super::osv::{entry, ranges, with};
use super::check;

#[test]
fn applications() {
    let of = |name: &str, events: &str| -> Value { ranges("Bitnami", name, &[("SEMVER", events)]) };
    let entries = [
        entry(
            "BIT-nginx-2024-1",
            &["CVE-2024-1"],
            &[of("nginx", "introduced 1.5.13 fixed 1.26.2 introduced 1.27.0 fixed 1.27.1")],
        ),
        entry("BIT-redis-2024-2", &["CVE-2024-2"], &[of("redis", "introduced 0 fixed 6.2.16")]),
        entry(
            "BIT-last-2024-4",
            &["CVE-2024-4"],
            &[of("last", "introduced 5.15.12 last_affected 5.15.12")],
        ),
        with(
            entry("BIT-gone-2024-5", &["CVE-2024-5"], &[of("gone", "introduced 0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("BIT-never-2024-6", &["CVE-2024-6"], &[of("never", "introduced 0")]),
        entry("BIT-built-2024-7", &["CVE-2024-7"], &[of("built", "introduced 0 fixed 1.0.0-5")]),
    ];
    check(
        PackageKind::Bitnami,
        &entries,
        &[
            (
                "below the fix is affected, and goes by the CVE",
                "nginx",
                "1.26.1",
                &["nginx CVE-2024-1 HIGH fixed [1.26.2]"],
            ),
            ("the build's number is above the version without one", "nginx", "1.26.2-0", &[]),
            (
                "a build of an affected version is affected",
                "nginx",
                "1.26.1-7",
                &["nginx CVE-2024-1 HIGH fixed [1.26.2]"],
            ),
            (
                "each branch has its own fix",
                "nginx",
                "1.27.0-1",
                &["nginx CVE-2024-1 HIGH fixed [1.27.1]"],
            ),
            ("before the first affected version is clean", "nginx", "1.5.12-3", &[]),
            (
                "numbers are compared as numbers",
                "redis",
                "6.2.9",
                &["redis CVE-2024-2 HIGH fixed [6.2.16]"],
            ),
            (
                "the last affected version is affected",
                "last",
                "5.15.12",
                &["last CVE-2024-4 HIGH affected []"],
            ),
            (
                "every build of the last affected version is affected",
                "last",
                "5.15.12-3",
                &["last CVE-2024-4 HIGH affected []"],
            ),
            ("builds of the next version are not", "last", "5.15.13-0", &[]),
            ("what comes before the first is clean", "last", "5.15.11", &[]),
            (
                "builds are compared as numbers",
                "built",
                "1.0.0-4",
                &["built CVE-2024-7 HIGH fixed [1.0.0-5]"],
            ),
            ("and above the fixed build is clean", "built", "1.0.0-10", &[]),
            ("a withdrawn entry is nothing", "gone", "1.0.0", &[]),
            (
                "what is never fixed affects every version",
                "never",
                "99.0.0",
                &["never CVE-2024-6 HIGH affected []"],
            ),
            ("another application is another name", "nginx-ingress", "1.0.0", &[]),
            (
                "a version that does not parse is a gap",
                "nginx",
                "latest",
                &["unparseable-version nginx latest"],
            ),
        ],
    );
}
