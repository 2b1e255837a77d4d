//! Repositories and products of which nothing is known: each is a gap.

use super::{APPS, BASE, EUS, LIST, OCP, check, found, image, memory, rpm};
use crate::support::{feed, gaps, run, supported};

#[test]
fn a_repository_that_the_list_does_not_know_is_a_gap_that_names_it() {
    let fixed = [("enterprise_linux:9::baseos", "CVE-1: 0..2-1")];
    let flaw = "CVE-1 < 2-1 [2-1]";
    let table = [
        (&[BASE, "other-rpms"][..], "no-advisory-source other-rpms"),
        (&[BASE, "empty-rpms"], "no-advisory-source empty-rpms"),
        // What is known of none is looked up as if it named none.
        (&["other-rpms"], "no-advisory-source other-rpms"),
        // Nobody installs sources.
        (&[BASE, "other-source-rpms", "ubi-8-appstream-source"], ""),
        // A product that no feed covers.
        (&[BASE, OCP], "no-advisory-source Red Hat:openshift:4.16::el9"),
    ];
    for (sets, gap) in table {
        let want = if gap.is_empty() { flaw.to_owned() } else { format!("{flaw} | {gap}") };
        check(sets, &fixed, &want);
    }
}

#[test]
fn each_product_has_to_be_covered() {
    let check = |version, set, release: &str, want: &[&str]| {
        let image = image(version, &[set], rpm("1-1"));
        let mut memory = memory(LIST, &[]);
        supported(&mut memory, image.distribution.as_ref());
        memory.feeds.push(feed("more", &[&format!("Red Hat:enterprise_linux:{release}")]));
        let gap = |product: &&str| format!("no-advisory-source Red Hat:{product}");
        assert_eq!(gaps(&run(&image, &memory)), want.iter().map(gap).collect::<Vec<_>>());
    };
    check(
        "8.6",
        "rhel-8-for-x86_64-baseos-eus-rpms",
        "8",
        &[
            "enterprise_linux:8::appstream",
            "enterprise_linux:8::baseos",
            "enterprise_linux:8::crb",
            "enterprise_linux:8::highavailability",
            "rhel_eus:8.6::baseos",
        ],
    );
    // Since version 10 there are no parts.
    let ten = "rhel-10-for-x86_64-baseos-eus-rpms";
    check("10.0", ten, "10", &["enterprise_linux_eus:10.0"]);
    check("10.0", ten, "9", &["enterprise_linux_eus:10.0"]);
}

#[test]
fn without_the_list_only_repositories_beside_the_main_stream_are_told() {
    let fixed = [("enterprise_linux:9::crb", "CVE-1: 0..2-1")];
    let flaw = "CVE-1 < 2-1 [2-1]";
    let source = "rhel-9-for-x86_64-baseos-source-rpms";
    let table = [
        (&[BASE, APPS, "codeready-builder-for-rhel-9-x86_64-rpms", source][..], ""),
        (&["ubi-9-baseos-rpms", "ubi-9-appstream-rpms__9"], ""),
        (&[EUS, APPS], EUS),
        (&[BASE, OCP], OCP),
        // Another release's.
        (&["rhel-8-for-x86_64-baseos-rpms"], "rhel-8-for-x86_64-baseos-rpms"),
    ];
    for (sets, told) in table {
        let want = match told {
            "" => flaw.to_owned(),
            told => format!("{flaw} | no-advisory-source {told}"),
        };
        found(&[], image("9.2", sets, rpm("1-1")), &fixed, &want);
    }
}
