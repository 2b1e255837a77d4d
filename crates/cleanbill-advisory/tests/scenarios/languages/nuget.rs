//! .NET packages, by OSV's zip of NuGet.

use cleanbill_core::package::PackageKind;
use serde_json::json;

use super::super::osv::{affected, entry, with};
use super::check;

#[test]
fn packages() {
    let of = |name: &str, events: &str| affected("NuGet", name, events);
    let entries = [
        entry(
            "GHSA-0001-0001-0001",
            &["CVE-2024-21907"],
            &[of("Newtonsoft.Json", "introduced 0 fixed 13.0.1")],
        ),
        entry(
            "GHSA-0002-0002-0002",
            &["CVE-2024-2"],
            &[of("System.Text.Json", "introduced 6.0.0 fixed 6.0.10 introduced 8.0.0 fixed 8.0.5")],
        ),
        entry(
            "GHSA-0003-0003-0003",
            &["CVE-2024-3"],
            &[of("Four", "introduced 1.0.0.1 fixed 1.0.0.5")],
        ),
        entry(
            "GHSA-0004-0004-0004",
            &["CVE-2024-4"],
            &[of("Last", "introduced 0 last_affected 2.0.0")],
        ),
        with(
            entry("GHSA-0005-0005-0005", &["CVE-2024-5"], &[of("Gone", "introduced 0")]),
            "withdrawn",
            json!("2024-06-01T00:00:00Z"),
        ),
        entry("GHSA-0006-0006-0006", &["CVE-2024-6"], &[of("Never", "introduced 0")]),
    ];
    check(
        PackageKind::NuGet,
        &entries,
        &[
            (
                "below the fix is affected",
                "Newtonsoft.Json",
                "12.0.3",
                &["Newtonsoft.Json CVE-2024-21907 HIGH fixed [13.0.1]"],
            ),
            (
                "case is no part of the name",
                "newtonsoft.JSON",
                "12.0.3",
                &["newtonsoft.JSON CVE-2024-21907 HIGH fixed [13.0.1]"],
            ),
            ("the fixed version is clean", "Newtonsoft.Json", "13.0.1", &[]),
            ("a fourth number of zero means nothing", "Newtonsoft.Json", "13.0.1.0", &[]),
            (
                "each branch has its own fix",
                "System.Text.Json",
                "6.0.9",
                &["System.Text.Json CVE-2024-2 HIGH fixed [6.0.10]"],
            ),
            ("between two branches is clean", "System.Text.Json", "7.0.0", &[]),
            (
                "a preview of the fix is affected",
                "System.Text.Json",
                "8.0.5-preview.1",
                &["System.Text.Json CVE-2024-2 HIGH fixed [8.0.5]"],
            ),
            (
                "a preview of the first affected version is below it",
                "System.Text.Json",
                "8.0.0-rc.2",
                &[],
            ),
            ("words of prereleases have no case", "System.Text.Json", "8.0.0-RC.2", &[]),
            (
                "a fourth number counts",
                "Four",
                "1.0.0.4",
                &["Four CVE-2024-3 HIGH fixed [1.0.0.5]"],
            ),
            ("a fourth number that is missing is zero", "Four", "1.0.0", &[]),
            (
                "the last affected version is affected",
                "Last",
                "2.0",
                &["Last CVE-2024-4 HIGH affected []"],
            ),
            ("a withdrawn entry is nothing", "Gone", "1.0.0", &[]),
            (
                "what is never fixed affects every version",
                "Never",
                "99.0.0",
                &["Never CVE-2024-6 HIGH affected []"],
            ),
            (
                "a version that does not parse is a gap",
                "Never",
                "latest",
                &["unparseable-version Never latest"],
            ),
        ],
    );
}
