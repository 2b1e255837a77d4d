//! Red Hat's images that name the repositories their packages come from (content sets): in which
//! products these are looked up.

use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::{Matcher, MemoryAdvisories};
use cleanbill_core::package::{Package, PackageKind};

use crate::support::{NOW, advisory, distribution, feed, gaps, package, run, supported, time};

mod extended;
mod minor;
mod unknown;

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
    ("rhel-8-for-x86_64-baseos-eus-rpms", &["rhel_eus:8.6::baseos"]),
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
