//! Swift packages, by OSV's zip of SwiftURL: a package is the address of its repository.

use cleanbill_core::package::PackageKind;
use serde_json::{Value, json};

use super::super::osv::{entry, ranges, with};
use super::check;

const NIO: &str = "https://github.com/apple/swift-nio-http2.git";

#[test]
fn packages() {
    let of =
        |name: &str, events: &str| -> Value { ranges("SwiftURL", name, &[("SEMVER", events)]) };
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2022-24666"],
            &[of("github.com/apple/swift-nio-http2", "introduced 1.0.0 fixed 1.19.2")],
        ),
        entry(
            "GHSA-0002-0002-0002",
            &["CVE-2024-2"],
            &[of("github.com/vapor/vapor", "introduced 0 fixed 4.60.3")],
        ),
        entry(
            "GHSA-0004-0004-0004",
            &["CVE-2024-4"],
            &[of("github.com/a/last", "introduced 0 last_affected 2.0.0")],
        ),
        with(
            entry(
                "GHSA-0005-0005-0005",
                &["CVE-2024-5"],
                &[of("github.com/a/gone", "introduced 0")],
            ),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("github.com/a/never", "introduced 0")]),
    ];
    check(
        PackageKind::Swift,
        &entries,
        &[
            (
                "the way to a repository is no part of the name",
                NIO,
                "1.19.1",
                &[
                    "https://github.com/apple/swift-nio-http2.git CVE-2022-24666 HIGH fixed [1.19.2]",
                ],
            ),
            (
                "nor is case",
                "github.com/Apple/swift-nio-http2",
                "1.19.1",
                &["github.com/Apple/swift-nio-http2 CVE-2022-24666 HIGH fixed [1.19.2]"],
            ),
            ("the fixed version is clean", NIO, "1.19.2", &[]),
            ("before the first affected version is clean", NIO, "0.9.0", &[]),
            (
                "a prerelease of the fix is affected",
                NIO,
                "1.19.2-beta.1",
                &[
                    "https://github.com/apple/swift-nio-http2.git CVE-2022-24666 HIGH fixed [1.19.2]",
                ],
            ),
            ("another owner is another package", "github.com/fork/swift-nio-http2", "1.19.1", &[]),
            (
                "numbers are compared as numbers",
                "github.com/vapor/vapor",
                "4.9.0",
                &["github.com/vapor/vapor CVE-2024-2 HIGH fixed [4.60.3]"],
            ),
            (
                "the last affected version is affected",
                "github.com/a/last",
                "2.0.0",
                &["github.com/a/last CVE-2024-4 HIGH affected []"],
            ),
            ("what comes after it is clean", "github.com/a/last", "2.0.1", &[]),
            ("a withdrawn entry is nothing", "github.com/a/gone", "1.0.0", &[]),
            (
                "what is never fixed affects every version",
                "github.com/a/never",
                "99.0.0",
                &["github.com/a/never CVE-2024-6 HIGH affected []"],
            ),
            (
                "a branch is a gap, since it has no place",
                "github.com/vapor/vapor",
                "main",
                &["unparseable-version github.com/vapor/vapor main"],
            ),
        ],
    );
}
