//! Red Hat's images that name the repositories their packages come from (content sets): in which
//! products these are looked up.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{Answer, Matcher, MemoryAdvisories};
use cleanbill_core::package::{Package, PackageKind};

use crate::support::{NOW, advisory, distribution, feed, gaps, package, run, supported, time};

const BASE: &str = "rhel-9-for-x86_64-baseos-rpms";
const APPS: &str = "rhel-9-for-x86_64-appstream-rpms";
const EUS: &str = "rhel-9-for-x86_64-baseos-eus-rpms";
const EUS_APPS: &str = "rhel-9-for-x86_64-appstream-eus-rpms";
const OCP: &str = "rhocp-4.16-for-rhel-9-x86_64-rpms";

/// Products, and what is said of the package in them.
type Said<'t> = &'t [(&'t str, &'t str)];

/// What the list of repositories says.
const LIST: &[(&str, &[&str])] = &[
    (BASE, &["enterprise_linux:9::baseos"]),
    (APPS, &["enterprise_linux:9::appstream"]),
    // In turn those of every minor release.
    (EUS, &["rhel_eus:9.0::baseos", "rhel_eus:9.2::baseos", "rhel_eus:9.4::baseos"]),
    ("rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2", &["rhel_eus:9.2::baseos"]),
    (EUS_APPS, &["rhel_eus:9.2::appstream"]),
    (OCP, &["openshift:4.16::el9"]),
    ("rhel-10-for-x86_64-baseos-eus-rpms", &["enterprise_linux_eus:10.0"]),
    ("empty-rpms", &[]),
];

/// Products that are covered.
const COVERED: &[&str] = &[
    "enterprise_linux:9::baseos",
    "enterprise_linux:9::appstream",
    "enterprise_linux:9::crb",
    "enterprise_linux:9::highavailability",
    "enterprise_linux:9",
    "rhel_eus:9.0::baseos",
    "rhel_eus:9.2::baseos",
    "rhel_eus:9.2::appstream",
    "rhel_eus:9.4::baseos",
    "rhel_e4s:9.0::baseos",
    "rhel_els:9",
];

fn rpm(version: &str) -> Package {
    package(PackageKind::Rpm, "a", version)
}

fn memory(list: &[(&str, &[&str])], advisories: Said<'_>) -> MemoryAdvisories {
    let mut memory = MemoryAdvisories::default();
    let stream = |product: &&str| format!("Red Hat:{product}");
    let streams: Vec<String> = COVERED.iter().map(stream).collect();
    memory.feeds.push(feed("redhat", &streams.iter().map(String::as_str).collect::<Vec<_>>()));
    for (name, products) in list {
        let products = products.iter().map(|p| stream(p).parse().unwrap()).collect();
        memory.content_sets.insert((*name).into(), products);
    }
    for (product, text) in advisories {
        memory.add(stream(product).parse().unwrap(), "a", advisory(text));
    }
    memory
}

fn image(version: &str, sets: &[&str], package: Package) -> Inventory {
    let release = version.split('.').next().unwrap();
    let mut named = distribution("rhel", version, release);
    if let Some(named) = &mut named {
        named.content_sets = sets.iter().map(|set| (*set).into()).collect();
    }
    Inventory { distribution: named, packages: vec![package], ..Inventory::default() }
}

/// What is found of version 1-1 of a package in an image of 9.2 that names these repositories:
/// `id range [fixes]`, then gaps.
fn check(sets: &[&str], advisories: Said<'_>, want: &str) {
    found(LIST, image("9.2", sets, rpm("1-1")), advisories, want);
}

fn found(list: &[(&str, &[&str])], image: Inventory, advisories: Said<'_>, want: &str) {
    let mut memory = memory(list, advisories);
    supported(&mut memory, image.distribution.as_ref());
    let matched = run(&image, &memory);
    let findings = matched
        .findings
        .iter()
        .map(|f| format!("{} {} [{}]", f.id, f.why.range, f.fixed_versions.join(" ")));
    let got: Vec<String> = findings.chain(gaps(&matched)).collect();
    assert_eq!(got.join(" | "), want, "{:?} {advisories:?}", image.distribution);
}

#[test]
fn an_image_is_looked_up_in_exactly_the_products_of_its_repositories() {
    let fixed = "CVE-1: 0..2-1";
    let table = [
        (&[BASE, APPS][..], "enterprise_linux:9::baseos", true),
        (&[BASE, APPS], "enterprise_linux:9::appstream", true),
        // What is not fixed is said of the release as a whole.
        (&[BASE, APPS], "enterprise_linux:9", true),
        (&[BASE, APPS], "enterprise_linux:9::crb", false),
        (&[BASE], "enterprise_linux:9::appstream", false),
        (&[BASE, APPS], "rhel_eus:9.2::baseos", false),
        (&[], "rhel_eus:9.2::baseos", false),
        (&[], "enterprise_linux:9::crb", true),
        (&[EUS, EUS_APPS], "rhel_eus:9.2::baseos", true),
        (&[EUS, EUS_APPS], "rhel_eus:9.2::appstream", true),
        // Another minor release's fix is another line.
        (&[EUS, EUS_APPS], "rhel_eus:9.4::baseos", false),
        (&[EUS, EUS_APPS], "rhel_eus:9.0::baseos", false),
    ];
    for (sets, product, is_found) in table {
        let want = if is_found { "CVE-1 < 2-1 [2-1]" } else { "" };
        check(sets, &[(product, fixed)], want);
    }
}

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
fn an_image_of_both_has_a_flaw_if_either_says_so() {
    let both = &[BASE, EUS];
    let main = ("enterprise_linux:9::baseos", "CVE-1: 0..3-1");
    check(both, &[main, ("rhel_eus:9.2::baseos", "CVE-1: 0..1-1")], "CVE-1 < 3-1 [3-1]");
    check(both, &[main], "CVE-1 < 3-1 [3-1]");
}

#[test]
fn repositories_without_the_systems_base_leave_it_to_the_main_stream() {
    // Every image has packages of the base: a list without it is not whole.
    check(&[APPS], &[("enterprise_linux:9::baseos", "CVE-1: 0..2-1")], "CVE-1 < 2-1 [2-1]");
    let own = ("enterprise_linux:9::appstream", "CVE-1: 0..1-1");
    check(&[APPS], &[own, ("enterprise_linux:9::baseos", "CVE-1: 0..2-1")], "");
}

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
    let image = || image("10.0", &["rhel-10-for-x86_64-baseos-eus-rpms"], rpm("1-1"));
    let mut memory = memory(LIST, &[]);
    supported(&mut memory, image().distribution.as_ref());
    memory.feeds.push(feed("more", &["Red Hat:enterprise_linux:10"]));
    let mut want: Vec<String> = ["appstream", "baseos", "crb", "highavailability"]
        .map(|part| format!("no-advisory-source Red Hat:enterprise_linux:10::{part}"))
        .into();
    want.push("no-advisory-source Red Hat:enterprise_linux_eus:10.0".into());
    assert_eq!(gaps(&run(&image(), &memory)), want);
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

#[test]
fn another_distributions_content_sets_say_nothing() {
    let mut memory = memory(LIST, &[("rhel_eus:9.2::baseos", "CVE-1: 0..2-1")]);
    memory.feeds.push(feed("rocky", &["Rocky Linux:9"]));
    let mut image = image("9.2", &[EUS, "other"], rpm("1-1"));
    image.distribution.as_mut().unwrap().id = "rocky".into();
    supported(&mut memory, image.distribution.as_ref());
    let matched = run(&image, &memory);
    assert!(matched.findings.is_empty() && matched.gaps.is_empty(), "{matched:?}");
}

#[test]
fn no_image_is_looked_up_in_more_products_than_there_are_of_any() {
    let products: Vec<String> = (0..100).map(|n| format!("rhel_eus:9.{n:03}::baseos")).collect();
    let products: Vec<&str> = products.iter().map(String::as_str).collect();
    let memory = memory(&[("all-rpms", &products)], &[]);
    let matched = run(&image("9.2", &["all-rpms"], rpm("1-1")), &memory);
    let over = matched.gaps.iter().find(|gap| gap.subject == "content sets");
    assert!(over.unwrap().detail.contains("100 products"));
    let missing = matched.gaps.iter().filter(|gap| gap.subject.starts_with("Red Hat:rhel_eus"));
    assert_eq!(missing.count(), 64);
}

#[test]
fn images_of_one_run_do_not_borrow_each_others_products() {
    let mut memory = memory(
        LIST,
        &[
            ("rhel_eus:9.2::baseos", "CVE-1: 0..1-1"),
            ("enterprise_linux:9::baseos", "CVE-1: 0..3-1"),
            ("enterprise_linux:9::crb", "CVE-2: 0..3-1"),
        ],
    );
    supported(&mut memory, distribution("rhel", "9.2", "9").as_ref());
    let mut matcher = Matcher::new(&memory);
    let mut ids = |sets: &[&str]| {
        let Ok(matched) = matcher.inventory(&image("9.2", sets, rpm("1-1")), time(NOW), 7);
        matched.findings.iter().map(|f| f.id.clone()).collect::<Vec<_>>().join(" ")
    };
    for _ in 0..2 {
        assert_eq!(ids(&[]), "CVE-1 CVE-2");
        assert_eq!(ids(&[EUS]), "CVE-2");
        assert_eq!(ids(&[BASE]), "CVE-1");
        assert_eq!(ids(&[BASE, EUS]), "CVE-1");
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
