//! Streams with longer support: whose word counts, and of which minor release.

use cleanbill_core::matching::{Answer, Matcher};
use cleanbill_core::package::Package;

use super::{BASE, EUS, EUS_APPS, LIST, Said, check, found, image, memory, rpm};
use crate::support::{advisory, run, supported};

#[test]
fn an_extended_streams_own_word_counts_and_the_main_streams_only_without_it() {
    let table: &[(Said<'_>, &str)] = &[
        // Its own fix is offered, and not the main stream's.
        (
            &[
                ("rhel_eus:9.2::baseos", "CVE-1: 0..1-2"),
                ("enterprise_linux:9::baseos", "CVE-1: 0..3-1"),
            ],
            "CVE-1 < 1-2 [1-2]",
        ),
        // It has its own fix; that of the main stream has a higher number.
        (
            &[
                ("rhel_eus:9.2::baseos", "CVE-1: 0..1-1"),
                ("enterprise_linux:9::baseos", "CVE-1: 0..3-1"),
            ],
            "",
        ),
        (&[("rhel_eus:9.2::baseos", "CVE-1: 0..1-1"), ("enterprise_linux:9", "CVE-1: 0..")], ""),
        // Where it has no word of its own: what is not fixed, or in the main stream alone.
        (&[("enterprise_linux:9", "CVE-1: 0..")], "CVE-1 every version []"),
        (&[("enterprise_linux:9::baseos", "CVE-1: 0..3-1")], "CVE-1 < 3-1 [3-1]"),
        (&[("enterprise_linux:9::baseos", "CVE-1: 0..1-1")], ""),
        // One flaw's word is no other's.
        (
            &[
                ("rhel_eus:9.2::baseos", "CVE-1: 0..1-1"),
                ("enterprise_linux:9::baseos", "CVE-2: 0..3-1"),
            ],
            "CVE-2 < 3-1 [3-1]",
        ),
    ];
    for (advisories, want) in table {
        check(&[EUS, EUS_APPS], advisories, want);
    }
}

#[test]
fn an_extended_streams_word_about_another_architecture_leaves_the_main_streams() {
    let mut memory = memory(LIST, &[("enterprise_linux:9::baseos", "CVE-1: 0..3-1")]);
    let mut own = advisory("CVE-1: 0..1-1");
    own.arches = vec!["s390x".into()];
    memory.add("Red Hat:rhel_eus:9.2::baseos".parse().unwrap(), "a", own);
    let package = Package { arch: Some("x86_64".into()), ..rpm("1-1") };
    let matched = run(&image("9.2", &[EUS], package), &memory);
    let ranges: Vec<_> = matched.findings.iter().map(|f| f.why.range.as_str()).collect();
    assert_eq!(ranges, ["< 3-1"]);
}

#[test]
fn a_package_of_a_later_minor_release_is_the_main_streams_matter_too() {
    let advisories = [
        ("rhel_eus:9.2::baseos", "CVE-1: 0..1-16.el9_2.3"),
        ("enterprise_linux:9::baseos", "CVE-1: 0..1-27.el9_4"),
    ];
    let flaw = "CVE-1 < 1-27.el9_4 [1-27.el9_4]";
    let table = [
        ("1-16.el9_2.3", ""),
        ("1-20.el9_2", ""),
        ("1-20.el9", ""),
        ("1-20.el9_1", ""),
        // Somebody has updated it from the main stream.
        ("1-25.el9_4", flaw),
        ("1-25.el9_10", flaw),
        ("1-27.el9_4", ""),
        // Another major release's number tells nothing here.
        ("1-25.el8_4", ""),
    ];
    for (version, want) in table {
        found(LIST, image("9.2", &[EUS, EUS_APPS], rpm(version)), &advisories, want);
    }
}

#[test]
fn the_minor_release_is_that_of_the_repository_else_of_the_image() {
    let eus = |minor: &str| format!("rhel_eus:{minor}::baseos");
    let dotted = format!("{EUS}__9_DOT_4");
    // version of the image, repository, the minor release that counts
    let table = [
        ("9.2", EUS, "9.2"),
        ("9.4", EUS, "9.4"),
        ("9.2", "rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2", "9.2"),
        ("9.4", "rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2", "9.2"),
        // The list does not have it by this name.
        ("9.2", &dotted, "9.4"),
        ("9.4", "rhel-9-for-x86_64-baseos-eus-rpms__9", "9.4"),
    ];
    for (version, set, minor) in table {
        for other in ["9.0", "9.2", "9.4"] {
            let want = if other == minor { "CVE-1 < 2-1 [2-1]" } else { "" };
            let advisories = [(&*eus(other), "CVE-1: 0..2-1")];
            found(LIST, image(version, &[set], rpm("1-1")), &advisories, want);
        }
    }
    // Of an image of none of them nobody can say which it is, nor that it is one of them.
    for minor in ["9.0", "9.2", "9.4"] {
        let other = || image("9.3", &[EUS], rpm("1-1"));
        let advisories = [(&*eus(minor), "CVE-1: 0..2-1")];
        found(LIST, other(), &advisories, "CVE-1 < 2-1 [2-1]");
        let main = ("enterprise_linux:9::baseos", "CVE-1: 0..3-1");
        found(LIST, other(), &[(&*eus(minor), "CVE-1: 0..1-1"), main], "CVE-1 < 3-1 [3-1]");
    }
}

#[test]
fn repositories_of_several_products_count_as_the_extended_ones_of_the_images_release() {
    let list: &[(&str, &[&str])] = &[
        ("e4s-rpms", &["rhel_e4s:9.0::baseos", "rhel_eus:9.2::baseos", "rhel_eus:9.4::baseos"]),
        // As in version 7: the main stream's packages are in it as well.
        ("both-rpms", &["enterprise_linux:9::baseos", "rhel_eus:9.2::baseos"]),
    ];
    let main = ("enterprise_linux:9::baseos", "CVE-1: 0..3-1");
    let table: &[(&str, Said<'_>, &str)] = &[
        ("e4s-rpms", &[("rhel_eus:9.2::baseos", "CVE-1: 0..2-1")], "CVE-1 < 2-1 [2-1]"),
        ("e4s-rpms", &[("rhel_e4s:9.0::baseos", "CVE-1: 0..2-1")], ""),
        ("both-rpms", &[("rhel_eus:9.2::baseos", "CVE-1: 0..1-1"), main], ""),
        ("both-rpms", &[main], "CVE-1 < 3-1 [3-1]"),
    ];
    for (set, advisories, want) in table {
        found(list, image("9.2", &[set], rpm("1-1")), advisories, want);
    }
}

#[test]
fn els_has_the_last_word_since_the_main_stream_has_ended() {
    let list: &[(&str, &[&str])] = &[
        (BASE, &["enterprise_linux:9::baseos"]),
        ("els-rpms", &["enterprise_linux:9::baseos", "rhel_els:9"]),
    ];
    let main = ("enterprise_linux:9::baseos", "CVE-1: 0..3-1");
    let out_of_scope = ("enterprise_linux:9", "CVE-1: 0..");
    let table: &[(Said<'_>, &str)] = &[
        (&[("rhel_els:9", "CVE-1: 0..1-1"), out_of_scope, main], ""),
        (&[("rhel_els:9", "CVE-1: 0..1-2"), main], "CVE-1 < 1-2 [1-2]"),
        (&[out_of_scope], "CVE-1 every version []"),
        (&[main], "CVE-1 < 3-1 [3-1]"),
    ];
    for (advisories, want) in table {
        for sets in [&["els-rpms"][..], &[BASE, "els-rpms"]] {
            found(list, image("9.10", sets, rpm("1-1")), advisories, want);
        }
    }
}

#[test]
fn why_tells_of_the_extended_streams_own_fix() {
    let mut memory = memory(
        LIST,
        &[
            ("rhel_eus:9.2::baseos", "CVE-1: 0..1-1"),
            ("enterprise_linux:9::baseos", "CVE-1: 0..3-1"),
        ],
    );
    let image = image("9.2", &[EUS, "other-rpms"], rpm("1-1"));
    supported(&mut memory, image.distribution.as_ref());
    let gaps = run(&image, &memory).gaps;
    let Ok(explained) = Matcher::new(&memory).explain(&image, &gaps, "CVE-1");
    let [one] = explained.packages.as_slice() else { panic!("{explained:?}") };
    let told = format!("{:?}", one.outcome);
    assert!(told.contains("rhel_eus:9.2::baseos") && told.contains("Fixed(\"1-1\")"), "{told}");
    assert!(!told.contains("3-1"), "{told}");
    let streams: Vec<_> = explained.streams.iter().map(|s| s.stream.release.as_str()).collect();
    assert!(streams.contains(&"rhel_eus:9.2::baseos"), "{streams:?}");
    // A repository of which nothing is known may hold it.
    assert_eq!(explained.answer(&[]), Answer::Open);
    assert_eq!(explained.gaps.first().map(|gap| gap.subject.as_str()), Some("other-rpms"));
}
