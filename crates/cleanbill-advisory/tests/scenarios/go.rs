//! Go modules and what the toolchain compiles in, by OSV's zip of Go.

use cleanbill_core::package::{Package, PackageKind};
use serde_json::{Value, json};

use super::osv::{entry, ranges, unrelated, with, zip};
use super::support::{Feeds, found_alone, package};

fn of(name: &str, events: &str) -> Value {
    ranges("Go", name, &[("SEMVER", events)])
}

fn usual() -> Feeds {
    let stdlib = "introduced 0 fixed 1.21.11 introduced 1.22.0-0 fixed 1.22.4";
    zip(
        "Go",
        &[
            entry("GO-2024-2887", &["CVE-2024-24790"], &[of("stdlib", stdlib)]),
            entry(
                "GO-2024-2825",
                &["CVE-2024-24787"],
                &[of("toolchain", "introduced 0 fixed 1.22.3")],
            ),
            // One flaw, told by Go's database and by GitHub's.
            entry(
                "GO-2024-2611",
                &["CVE-2024-24786", "GHSA-8r3f-844c-mc37"],
                &[of("google.golang.org/protobuf", "introduced 0 fixed 1.33.0")],
            ),
            entry(
                "GHSA-8r3f-844c-mc37",
                &["CVE-2024-24786"],
                &[of("google.golang.org/protobuf", "introduced 0 fixed 1.33.0")],
            ),
            with(
                entry("GO-2024-0001", &[], &[of("example.com/withdrawn", "introduced 0")]),
                "withdrawn",
                json!("2024-06-01T00:00:00Z"),
            ),
            entry(
                "GO-2024-0002",
                &["CVE-2024-2"],
                &[of("golang.org/x/net", "introduced 0 fixed 0.0.0-20220906165146-f3363e06e74c")],
            ),
            entry(
                "GO-2024-0003",
                &["CVE-2024-3"],
                &[of("example.com/app", "introduced 0 fixed 1.4.2")],
            ),
            entry(
                "GO-2024-0004",
                &["CVE-2024-4"],
                &[of(
                    "github.com/docker/docker",
                    "introduced 20.0.0+incompatible fixed 25.0.6+incompatible",
                )],
            ),
            entry(
                "GO-2024-0005",
                &["CVE-2024-5"],
                &[of("example.com/m/v2", "introduced 0 fixed 2.3.0")],
            ),
            // Its events are in no order.
            entry(
                "GO-2024-0006",
                &["CVE-2024-6"],
                &[of("example.com/mixed", "fixed 1.2.0 fixed 2.2.0 introduced 2.0.0 introduced 0")],
            ),
        ],
    )
}

fn go(name: &str, version: &str) -> Package {
    package(PackageKind::Go, name, version, "")
}

fn check(name: &str, version: &str, want: &[&str]) {
    assert_eq!(found_alone(&usual(), vec![go(name, version)]), want, "{name} {version}");
}

#[test]
fn the_standard_library_is_judged_by_the_version_of_the_toolchain() {
    check("stdlib", "v1.22.3", &["stdlib CVE-2024-24790 HIGH fixed [1.22.4]"]);
    check("stdlib", "v1.21.10", &["stdlib CVE-2024-24790 HIGH fixed [1.21.11]"]);
    for clean in ["v1.21.11", "v1.22.4", "v1.23.0"] {
        check("stdlib", clean, &[]);
    }
}

#[test]
fn candidates_of_a_toolchain_stand_before_its_release() {
    check("stdlib", "go1.22rc1", &["stdlib CVE-2024-24790 HIGH fixed [1.22.4]"]);
    check("stdlib", "go1.22.4 X:boringcrypto", &[]);
    check("stdlib", "go1.23rc1", &[]);
}

#[test]
fn the_go_command_is_not_compiled_into_a_program() {
    // `toolchain` is in the list of what was built with, and none of its code is in the file.
    check("toolchain", "v1.22.2", &[]);
    check("stdlib", "v1.22.2", &["stdlib CVE-2024-24790 HIGH fixed [1.22.4]"]);
}

#[test]
fn one_flaw_in_two_databases_is_one_finding() {
    let found = "google.golang.org/protobuf CVE-2024-24786 HIGH fixed [1.33.0]";
    check("google.golang.org/protobuf", "v1.32.0", &[found]);
    check("google.golang.org/protobuf", "v1.33.0", &[]);
}

#[test]
fn what_was_withdrawn_is_nothing() {
    check("example.com/withdrawn", "v1.0.0", &[]);
}

#[test]
fn a_version_made_of_a_commit_has_its_place_by_its_time() {
    let found = "golang.org/x/net CVE-2024-2 HIGH fixed [0.0.0-20220906165146-f3363e06e74c]";
    check("golang.org/x/net", "v0.0.0-20220805013720-a33c5aa5df48", &[found]);
    check("golang.org/x/net", "v0.0.0-20220906165146-f3363e06e74c", &[]);
    check("golang.org/x/net", "v0.0.0-20221014081412-f15817d10f9b", &[]);
    check("golang.org/x/net", "v0.1.0", &[]);
}

#[test]
fn a_commit_before_the_fixed_release_is_affected() {
    let found = "example.com/app CVE-2024-3 HIGH fixed [1.4.2]";
    check("example.com/app", "v1.4.2-0.20240101000000-abcdefabcdef", &[found]);
    check("example.com/app", "v1.4.2-rc.1", &[found]);
    check("example.com/app", "v1.4.3-0.20240101000000-abcdefabcdef", &[]);
}

#[test]
fn a_build_without_a_version_is_a_gap_where_an_entry_names_its_module() {
    check("example.com/app", "(devel)", &["unidentified-version example.com/app (devel)"]);
    check("example.com/unnamed", "(devel)", &[]);
}

#[test]
fn a_changed_working_copy_without_a_tag_is_a_gap() {
    let dirty = "v0.0.0-20240101000000-abcdefabcdef+dirty";
    check("example.com/app", dirty, &[&format!("unidentified-version example.com/app {dirty}")]);
    // With a tag it has a place in the order.
    check("example.com/app", "v1.4.1+dirty", &["example.com/app CVE-2024-3 HIGH fixed [1.4.2]"]);
    check("example.com/app", "v1.4.2+dirty", &[]);
}

#[test]
fn a_major_version_in_the_path_is_another_module() {
    check("example.com/m/v2", "v2.2.9", &["example.com/m/v2 CVE-2024-5 HIGH fixed [2.3.0]"]);
    check("example.com/m", "v1.9.9", &[]);
    check("example.com/m/v3", "v3.0.0", &[]);
}

#[test]
fn an_incompatible_version_is_compared_as_any() {
    let found = "github.com/docker/docker CVE-2024-4 HIGH fixed [25.0.6+incompatible]";
    check("github.com/docker/docker", "v24.0.7+incompatible", &[found]);
    check("github.com/docker/docker", "v25.0.6+incompatible", &[]);
    check("github.com/docker/docker", "v19.3.15+incompatible", &[]);
}

#[test]
fn events_are_put_into_the_order_of_versions() {
    check("example.com/mixed", "v1.1.0", &["example.com/mixed CVE-2024-6 HIGH fixed [1.2.0]"]);
    check("example.com/mixed", "v1.9.0", &[]);
    check("example.com/mixed", "v2.1.0", &["example.com/mixed CVE-2024-6 HIGH fixed [2.2.0]"]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_an_entry_names_the_module() {
    check("example.com/app", "master", &["unparseable-version example.com/app master"]);
    check("example.com/unnamed", "master", &[]);
}

#[test]
fn without_a_feed_for_go_it_is_a_gap() {
    let feeds = unrelated();
    assert_eq!(found_alone(&feeds, vec![go("stdlib", "v1.0.0")]), ["no-advisory-source Go"]);
}
