//! What is said of minor releases one by one, and the fixes of all of them.

use cleanbill_core::advisory::{Advisory, State};
use cleanbill_core::package::{Package, SourcePackage};

use crate::support::{advisory, distribution, feed, run};
use cleanbill_core::inventory::Inventory;

use super::{APPS, BASE, EUS, EUS_APPS, LIST, Said, image, memory, rpm};

/// What is found of a package in an image of this minor release where the feed speaks of the minor
/// releases that `said` names.
fn check(version: &str, sets: &[&str], package: &str, said: Said<'_>, want: &str) {
    let mut memory = memory(LIST, said);
    let minors = ["9.6", "9.7", "9.8", "9.9"].map(|v| format!("Red Hat:enterprise_linux:{v}"));
    memory.feeds.push(feed("minors", &minors.each_ref().map(String::as_str)));
    crate::support::supported(&mut memory, distribution("rhel", version, "9").as_ref());
    let matched = run(&image(version, sets, rpm(package)), &memory);
    let found = matched.findings.iter().map(|f| format!("{} {}", f.id, f.why.range));
    let got: Vec<String> = found.chain(crate::support::gaps(&matched)).collect();
    assert_eq!(got.join(" | "), want, "{version} {sets:?} {package} {said:?}");
}

#[test]
fn what_is_not_fixed_counts_in_the_images_own_minor_release() {
    let fix = ("enterprise_linux:9", "CVE-1: 0..1-5.el9_7");
    let open = |minor: &'static str| (minor, "CVE-1: 0..");
    let table: &[(Said<'_>, &str)] = &[
        // Not fixed here.
        (&[open("enterprise_linux:9.8")], "CVE-1 every version"),
        // Fixed here; the next minor release has still to bring it.
        (&[fix, open("enterprise_linux:9.9")], ""),
        // Fixed in the one before, and not here.
        (&[fix, open("enterprise_linux:9.8")], "CVE-1 every version"),
        (&[fix, open("enterprise_linux:9.8"), open("enterprise_linux:9.9")], "CVE-1 every version"),
        // Nothing is said of this one: then what is said of others counts.
        (&[open("enterprise_linux:9.9")], "CVE-1 every version"),
        (&[open("enterprise_linux:9.7")], "CVE-1 every version"),
        // Whatever is said of the release as a whole counts too.
        (&[open("enterprise_linux:9"), fix], "CVE-1 every version"),
    ];
    for (said, want) in table {
        for sets in [&[][..], &[BASE, APPS]] {
            check("9.8", sets, "1-6.el9_8", said, want);
        }
    }
}

#[test]
fn where_an_image_names_no_minor_release_all_count() {
    let said = [("enterprise_linux:9", "CVE-1: 0..1-5"), ("enterprise_linux:9.9", "CVE-1: 0..")];
    check("9", &[], "1-6.el9_8", &said, "CVE-1 every version");
    check("9.8", &[], "1-6.el9_8", &said, "");
}

#[test]
fn a_package_of_a_later_minor_release_is_that_ones_matter_too() {
    let said = [("enterprise_linux:9", "CVE-1: 0..1-5"), ("enterprise_linux:9.9", "CVE-1: 0..")];
    check("9.8", &[], "1-6.el9_9", &said, "CVE-1 every version");
}

#[test]
fn an_extended_stream_has_its_own_word_and_else_any_minor_releases() {
    let open = ("enterprise_linux:9.8", "CVE-1: 0..");
    let sets = &[EUS, EUS_APPS];
    check("9.2", sets, "1-6.el9_2", &[open], "CVE-1 every version");
    check("9.2", sets, "1-6.el9_2", &[open, ("rhel_eus:9.2::baseos", "CVE-1: 0..1-5.el9_2")], "");
}

#[test]
fn since_version_10_the_release_has_no_parts_and_a_fix_of_any_minor_release_counts() {
    let mut memory = memory(LIST, &[("enterprise_linux:10", "CVE-1: 0..1-5.el10_1")]);
    memory.feeds.push(feed("ten", &["Red Hat:enterprise_linux:10"]));
    let named = distribution("rhel", "10.2", "10");
    crate::support::supported(&mut memory, named.as_ref());
    let of = |version| Inventory {
        distribution: named.clone(),
        packages: vec![rpm(version)],
        ..Inventory::default()
    };
    for (version, want) in [("1-4.el10_0", 1), ("1-5.el10_1", 0), ("1-6.el10_2", 0)] {
        let matched = run(&of(version), &memory);
        assert_eq!(matched.findings.len(), want, "{version}");
        assert_eq!(matched.gaps, [], "{version}");
    }
}

#[test]
fn a_package_that_never_had_the_flaw_is_told_from_others_of_its_source() {
    let of_source = |text: &str, module: Option<&str>| Advisory {
        arches: vec!["src".into()],
        module: module.map(Into::into),
        ..advisory(text)
    };
    let open = "CVE-1: 0..";
    let never = || Advisory { state: State::NotAffected, ranges: Vec::new(), ..advisory(open) };
    // Where the package itself is said never to have had it, and what is said of its source where.
    let table = [
        ("enterprise_linux:9", "enterprise_linux:9", of_source(open, None), 0),
        ("enterprise_linux:9.8", "enterprise_linux:9.8", of_source(open, None), 0),
        ("enterprise_linux:9.8", "enterprise_linux:9", of_source("CVE-1: 0..9-1", None), 0),
        ("enterprise_linux:9.8", "enterprise_linux:9::baseos", of_source("CVE-1: 0..9-1", None), 0),
        // Another flaw, another product.
        ("enterprise_linux:9", "enterprise_linux:9", of_source("CVE-2: 0..", None), 1),
        ("enterprise_linux:9.9", "enterprise_linux:9", of_source(open, None), 1),
        // What is said of the package itself is said.
        ("enterprise_linux:9", "enterprise_linux:9", advisory(open), 1),
    ];
    for (own, source, said, want) in table {
        let mut memory = memory(LIST, &[]);
        let minors = ["9.8", "9.9"].map(|v| format!("Red Hat:enterprise_linux:{v}"));
        memory.feeds.push(feed("minors", &minors.each_ref().map(String::as_str)));
        let about = format!("{own} {source} {said:?}");
        let name = if said.arches.is_empty() { "a" } else { "of-a" };
        memory.add(format!("Red Hat:{own}").parse().unwrap(), "a", never());
        memory.add(format!("Red Hat:{source}").parse().unwrap(), name, said);
        let source = Some(SourcePackage { name: "of-a".into(), version: "1-1.el9".into() });
        let package = Package { source, ..rpm("1-1.el9") };
        let matched = run(&image("9.8", &[], package), &memory);
        assert_eq!(matched.findings.len(), want, "{about}");
    }
}
