//! Which fixed versions are named: those of the branch that the installed version is on, else those of
//! later ones, told as such.

use cleanbill_core::finding::Status;
use cleanbill_core::inventory::Inventory;
use cleanbill_core::package::PackageKind;

use super::support::{advisory, memory, package, run};

#[test]
fn the_fix_of_the_branch_and_else_those_of_later_ones() {
    let later = |fix: &str| format!(" (no fix on this branch; {fix} is a later one's)");
    // installed, advisories of one flaw → range, fixes
    let table: &[(&str, &[&str], String, &str)] = &[
        ("1.2.0", &["CVE-1: 0..1.5.0 2.0..2.3.0"], "< 1.5.0".into(), "1.5.0"),
        ("2.2.0", &["CVE-1: 0..1.5.0 2.0..2.3.0"], ">= 2.0, < 2.3.0".into(), "2.3.0"),
        // One entry may come as several advisories.
        ("1.2.0", &["CVE-1: 2.0..2.3.0", "CVE-1: 0..1.5.0"], "< 1.5.0".into(), "1.5.0"),
        // Its branch has none.
        (
            "1.2.0",
            &["CVE-1: 1.0..=1.9.9 2.0..2.3.0"],
            format!(">= 1.0, <= 1.9.9{}", later("2.3.0")),
            "2.3.0",
        ),
        (
            "1.2.0",
            &["CVE-1: 1.0..=1.9.9", "CVE-1: 2.0..2.3.0 3.0..3.1"],
            format!(">= 1.0, <= 1.9.9{}", later("2.3.0")),
            "2.3.0 3.1",
        ),
        ("1.2.0", &["CVE-1: 3.0..3.1;1.2"], format!("= 1.2{}", later("3.1")), "3.1"),
        ("1.2.0", &["CVE-1: 1.0..=1.9.9"], ">= 1.0, <= 1.9.9".into(), ""),
        // Lower branches are none that could be taken.
        ("3.0.0", &["CVE-1: 0..1.5.0 2.0.."], ">= 2.0".into(), ""),
        // A stretch that holds nothing names the fix of the one before it.
        ("1.2.0", &["CVE-1: 0..=1.4.9 1.5.0..1.5.0"], "<= 1.4.9".into(), "1.5.0"),
        (
            "1.2.0",
            &["CVE-1: 0..=1.4.9 2.0..=2.2 1.5.0..1.5.0 2.3..2.3"],
            "<= 1.4.9".into(),
            "1.5.0",
        ),
        (
            "1.2.0",
            &["CVE-1: 0..=1.4.9 2.0..=2.2 2.3..2.3"],
            format!("<= 1.4.9{}", later("2.3")),
            "2.3",
        ),
        // Somebody calls the nearest fix affected.
        ("1.2.0", &["CVE-1: 0..1.5.0", "CVE-1: 0..1.6.0"], "< 1.5.0".into(), "1.6.0"),
        (
            "1.2.0",
            &["CVE-1: 0..1.5.0", "CVE-1: 0..=1.9.9 2.0..2.3.0"],
            format!("< 1.5.0{}", later("2.3.0")),
            "2.3.0",
        ),
        // And all of them: then each is named.
        ("1.2.0", &["CVE-1: 0..1.5.0 2.0..2.3.0", "CVE-1: 0.."], "< 1.5.0".into(), "1.5.0 2.3.0"),
    ];
    for (version, advisories, range, fixes) in table {
        let mut memory = memory();
        for text in *advisories {
            memory.add("PyPI".parse().unwrap(), "pkg", advisory(text));
        }
        let packages = vec![package(PackageKind::Python, "pkg", version)];
        let matched = run(&Inventory { packages, ..Inventory::default() }, &memory);
        let [found] = matched.findings.as_slice() else { panic!("{:?}", matched.findings) };
        let got = (&found.why.range, found.fixed_versions.join(" "));
        assert_eq!(got, (range, (*fixes).to_owned()), "{version} {advisories:?}");
        // Wherever it is, it can be taken.
        assert_eq!(found.status == Status::Fixed, !fixes.is_empty());
    }
}
