//! Which findings are left out by what a caller gives, and above all which are not.
#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, outside of test functions.

mod support;

use cleanbill_core::finding::Status;
use cleanbill_core::package::{Package, PackageKind};
use cleanbill_core::suppression::{Grounds, Judge, Rules, Subject};
use proptest::prelude::*;

use support::{DIGEST, OTHER, aside, django, documents, finding, ignore_file, now, package, ruled};

/// An image `registry.example/team/app:1`.
fn subject() -> Subject {
    Subject {
        name: Some("registry.example/team/app:1".parse().unwrap()),
        digests: vec![DIGEST.parse().unwrap()],
        architecture: Some("amd64".into()),
    }
}

fn vex(text: &str, subject: &Subject) -> String {
    let rules = Rules { documents: documents(text), ..Rules::default() };
    ruled(&rules, subject, &[django()], &finding(django()))
}

#[test]
fn statements_about_packages() {
    let hidden = "hidden: not_affected 0.json#/statements/0";
    for (text, expected) in [
        ("CVE-2021-1 not pkg:pypi/django@3.2", hidden),
        ("CVE-2021-1 not pkg:pypi/Django", hidden),
        ("cve-2021-1 not pkg:pypi/django", hidden),
        ("GHSA-aaaa not pkg:pypi/django", hidden),
        ("X-1=GHSA-aaaa not pkg:pypi/flask;pkg:pypi/django", hidden),
        ("CVE-2021-1 fixed pkg:pypi/django", "hidden: fixed 0.json#/statements/0"),
        ("CVE-2021-1 affected pkg:pypi/django", "affected 0.json#/statements/0"),
        ("CVE-2021-1 unknown pkg:pypi/django", "under_investigation 0.json#/statements/0"),
        ("CVE-2021-10 not pkg:pypi/django", "counts"),
        ("ALSA-1 not pkg:pypi/django", "counts"),
        ("CVE-2021-1 not pkg:pypi/django@3.2.1", "counts"),
        ("CVE-2021-1 not pkg:pypi/django?vcs=x", "counts"),
        ("CVE-2021-1 not pkg:npm/django", "counts"),
        ("CVE-2021-1 not pkg:pypi/flask", "counts"),
        // Nobody knows what a Python package is part of, the package itself included.
        ("CVE-2021-1 not pkg:pypi/flask>pkg:pypi/django", "counts"),
        ("CVE-2021-1 not pkg:pypi/django>pkg:pypi/flask", "counts"),
        ("CVE-2021-1 not pkg:pypi/django>pkg:pypi/django", "counts"),
        ("", "counts"),
    ] {
        assert_eq!(vex(text, &subject()), expected, "{text}");
    }
}

#[test]
fn statements_about_images() {
    let all = "hidden: not_affected 0.json#/statements/0";
    let by_digest = format!("pkg:oci/other@{DIGEST}");
    let by_other = format!("pkg:oci/app@{OTHER}?repository_url=registry.example/team/app");
    for (product, expected) in [
        ("pkg:oci/app", all),
        ("pkg:oci/APP?tag=1", all),
        ("pkg:oci/app?repository_url=registry.example/team/app&tag=1&arch=amd64", all),
        ("pkg:oci/app?repository_url=registry.example/team", all),
        ("pkg:oci/app?repository_url=https://registry.example/team/app/", all),
        (&by_digest, all),
        (&format!("{by_digest}?arch=amd64&repository_url=docker.io/x/other"), all),
        ("pkg:oci/app>pkg:pypi/django", all),
        ("pkg:oci/app>pkg:pypi/flask,pkg:pypi/django@3.2", all),
        ("pkg:oci/app>pkg:pypi/flask", "counts"),
        ("pkg:oci/app>pkg:pypi/django@3.3", "counts"),
        ("pkg:oci/other", "counts"),
        ("pkg:oci/other>pkg:pypi/django", "counts"),
        ("pkg:oci/team/app", "counts"),
        ("pkg:oci/app?tag=2", "counts"),
        ("pkg:oci/app?arch=arm64", "counts"),
        ("pkg:oci/app?os=linux", "counts"),
        ("pkg:oci/app?repository_url=registry.example/app", "counts"),
        ("pkg:oci/app?repository_url=registry.example/team/ap", "counts"),
        ("pkg:oci/app?repository_url=other.example/team/app", "counts"),
        (&by_other, "counts"),
        (&format!("{by_digest}?arch=arm64"), "counts"),
        ("pkg:oci/app@1", "counts"),
    ] {
        assert_eq!(vex(&format!("CVE-2021-1 not {product}"), &subject()), expected, "{product}");
    }
    // Of a folder nothing is known; of an archive the digests only.
    let folder = Subject::default();
    let archive = Subject { name: None, ..subject() };
    assert_eq!(vex("CVE-2021-1 not pkg:oci/app", &folder), "counts");
    assert_eq!(vex("CVE-2021-1 not pkg:oci/app", &archive), "counts");
    assert_eq!(vex(&format!("CVE-2021-1 not {by_digest}"), &archive), all);
    let hub = Subject { name: Some("nginx".parse().unwrap()), ..subject() };
    for (url, expected) in [
        ("index.docker.io/library/nginx", all),
        ("docker.io/library", all),
        ("docker.io/nginx", "counts"),
        ("quay.io/library/nginx", "counts"),
    ] {
        let text = format!("CVE-2021-1 not pkg:oci/nginx?repository_url={url}&tag=latest");
        assert_eq!(vex(&text, &hub), expected, "{url}");
    }
}

#[test]
fn statements_that_contradict_each_other() {
    let d = "pkg:pypi/django";
    for (text, expected) in [
        // In one document the latest counts, wherever it stands.
        (
            "CVE-2021-1 not D 2024-02-01|CVE-2021-1 affected D 2024-01-01",
            "hidden: not_affected 0.json#/statements/0",
        ),
        (
            "CVE-2021-1 affected D 2024-01-01|CVE-2021-1 not D 2024-02-01",
            "hidden: not_affected 0.json#/statements/1",
        ),
        (
            "CVE-2021-1 affected D 2024-02-01|CVE-2021-1 not D 2024-01-01",
            "affected 0.json#/statements/0",
        ),
        (
            "CVE-2021-1 unknown D 2024-02-01|CVE-2021-1 not D 2024-01-01",
            "under_investigation 0.json#/statements/0",
        ),
        (
            "CVE-2021-1 affected D 2024-01-01|GHSA-aaaa not D 2024-02-01",
            "hidden: not_affected 0.json#/statements/1",
        ),
        ("CVE-2021-1 affected D 2024-01-01|CVE-2021-1 not D", "affected 0.json#/statements/0"),
        // A later word about another flaw or package changes nothing.
        (
            "CVE-2021-1 not D 2024-01-01|CVE-2021-2 affected D 2024-02-01",
            "hidden: not_affected 0.json#/statements/0",
        ),
        (
            "CVE-2021-1 not D 2024-01-01|CVE-2021-1 affected pkg:pypi/x 2024-02-01",
            "hidden: not_affected 0.json#/statements/0",
        ),
        // Of one time, the most cautious.
        ("CVE-2021-1 not D|CVE-2021-1 affected D", "affected 0.json#/statements/1"),
        ("CVE-2021-1 affected D|CVE-2021-1 not D", "affected 0.json#/statements/0"),
        ("CVE-2021-1 unknown D|CVE-2021-1 not D", "under_investigation 0.json#/statements/0"),
        ("CVE-2021-1 not pkg:oci/app|CVE-2021-1 affected D", "affected 0.json#/statements/1"),
        // Between documents "affected" outweighs, however old it is; "I do not know" does not.
        (
            "CVE-2021-1 not D 2024-02-01||CVE-2021-1 affected D 2024-01-01",
            "affected 1.json#/statements/0",
        ),
        (
            "CVE-2021-1 affected D 2024-01-01||CVE-2021-1 not D 2024-02-01",
            "affected 0.json#/statements/0",
        ),
        (
            "CVE-2021-1 unknown D 2024-02-01||CVE-2021-1 not D 2024-01-01",
            "hidden: not_affected 1.json#/statements/0",
        ),
        ("CVE-2021-1 fixed D||CVE-2021-1 not D", "hidden: fixed 0.json#/statements/0"),
        // What a document has taken back does not speak any more.
        (
            "CVE-2021-1 not D||CVE-2021-1 affected D 2024-01-01|CVE-2021-1 fixed D 2024-02-01",
            "hidden: not_affected 0.json#/statements/0",
        ),
    ] {
        assert_eq!(
            vex(&text.replace('D', d).replace(&format!("{d}EVE"), "DEVE"), &subject()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn parts_of_a_go_program() {
    let go = |purl: &str, file: &str| package(PackageKind::Go, purl, file);
    let (net, app) = ("pkg:golang/golang.org/x/net@v0.1.0", "pkg:golang/example.org/app@v1.0.0");
    let packages = [go(app, "bin/app"), go(net, "bin/app"), go(net, "bin/tool")];
    let text = "CVE-2021-1 not pkg:golang/example.org/app>pkg:golang/golang.org/x/net";
    let rules = Rules { documents: documents(text), ..Rules::default() };
    let ruled = |p: &Package| ruled(&rules, &Subject::default(), &packages, &finding(p.clone()));
    assert_eq!(ruled(&packages[1]), "hidden: not_affected 0.json#/statements/0");
    assert_eq!(ruled(&packages[2]), "counts", "the same module in another program");
    assert_eq!(ruled(&packages[0]), "counts", "the program itself");
    // One database of a distribution proves all its packages: that makes none part of another.
    let deb = |purl: &str| package(PackageKind::Deb, purl, "var/lib/dpkg/status");
    let packages = [deb("pkg:deb/debian/a@1"), deb("pkg:deb/debian/b@1")];
    let text = "CVE-2021-1 not pkg:deb/debian/a>pkg:deb/debian/b";
    let rules = Rules { documents: documents(text), ..Rules::default() };
    let finding = finding(packages[1].clone());
    assert_eq!(support::ruled(&rules, &Subject::default(), &packages, &finding), "counts");
}

#[test]
fn entries_of_ignore_files() {
    for (text, expected) in [
        ("CVE-2021-1", "hidden: i:1"),
        ("cve-2021-1", "hidden: i:1"),
        ("GHSA-aaaa", "hidden: i:1"),
        ("CVE-2021-2|CVE-2021-1|GHSA-aaaa", "hidden: i:2"),
        ("CVE-2021-10", "counts"),
        ("CVE-2021-*", "counts"),
        ("ALSA-1", "counts"),
        ("CVE-2021-1 exp:2026-08-31T00", "hidden: i:1"),
        ("CVE-2021-1 exp:2026-08-30T12", "hidden: i:1"),
        ("CVE-2021-1 exp:2026-08-30T11", "expired i:1"),
        ("CVE-2021-1 exp:2026-08-30T00|CVE-2021-1", "hidden: i:2"),
        ("CVE-2021-1 path:usr/lib/**", "hidden: i:1"),
        ("CVE-2021-1 path:opt/** path:**/METADATA", "hidden: i:1"),
        ("CVE-2021-1 path:usr/lib/*", "counts"),
        ("CVE-2021-1 path:usr/lib", "counts"),
        ("CVE-2021-1 purl:pkg:pypi/django@3.2", "hidden: i:1"),
        ("CVE-2021-1 purl:pkg:pypi/flask purl:pkg:pypi/django", "hidden: i:1"),
        ("CVE-2021-1 purl:pkg:pypi/django@3.1", "counts"),
        ("CVE-2021-1 purl:pkg:pypi/django path:opt/**", "counts"),
        ("CVE-2021-1 purl:pkg:pypi/flask exp:2020-01-01T00", "counts"),
    ] {
        let rules = Rules { ignore_files: vec![ignore_file(text)], ..Rules::default() };
        let became = ruled(&rules, &subject(), &[], &finding(django()));
        assert_eq!(became, expected, "{text}");
    }
    // A package without a package URL is not the one that an entry names.
    let nameless = finding(Package { purl: String::new(), ..django() });
    let file = ignore_file("CVE-2021-1 purl:pkg:pypi/django");
    let rules = Rules { ignore_files: vec![file], ..Rules::default() };
    assert_eq!(ruled(&rules, &subject(), &[], &nameless), "counts");
}

#[test]
fn statuses_come_first_then_ignore_files_then_statements() {
    let rules = |only_fixed, statuses: &[Status], ignored: &str, vex: &str| Rules {
        only_fixed,
        statuses: statuses.to_vec(),
        ignore_files: vec![ignore_file(ignored)],
        documents: documents(vex),
    };
    let vex = "CVE-2021-1 not pkg:pypi/django";
    let affected = "CVE-2021-1 affected pkg:pypi/django";
    let none = &[Status::Fixed, Status::EndOfLife];
    let table = [
        (rules(true, &[], "CVE-2021-1", vex), "hidden: unfixed"),
        (rules(false, &[Status::Affected], "CVE-2021-1", vex), "hidden: affected"),
        (rules(false, none, "CVE-2021-1", affected), "hidden: i:1"),
        (rules(false, none, "X", vex), "hidden: not_affected 0.json#/statements/0"),
        (rules(false, &[], "CVE-2021-1 exp:2020-01-01T00", affected), "expired i:1"),
        (rules(false, &[], "X", ""), "counts"),
    ];
    for (rules, expected) in table {
        assert_eq!(ruled(&rules, &subject(), &[], &finding(django())), expected, "{rules:?}");
    }
}

#[test]
fn who_says_not_affected_says_why() {
    for words in [None, Some(""), Some(" \n")] {
        assert_eq!(Grounds::new(None, words), None, "{words:?}");
    }
    assert!(Grounds::new(None, Some("not used")).is_some());
}

proptest! {
    /// A statement hides only what has its flaw and is its package, whatever else is said.
    #[test]
    fn nothing_hides_what_it_does_not_name(
        said in prop::collection::vec(
            ("(CVE-2021-1|GHSA-aaaa|CVE-2021-2)", "(not|fixed|affected|unknown)",
             "pkg:(pypi|npm)/(django|flask)(@3[.]2|@4)?|pkg:oci/(app|x)(>pkg:pypi/(django|flask))?"),
            0..6,
        ),
    ) {
        let text: Vec<String> = said.iter().map(|(id, s, p)| format!("{id} {s} {p}")).collect();
        let became = vex(&text.join("|"), &subject());
        let about = |(id, _, product): &&(String, String, String)| {
            let package = ["pkg:pypi/django", "pkg:pypi/django@3.2"];
            let image = ["pkg:oci/app", "pkg:oci/app>pkg:pypi/django"];
            let named = package.contains(&product.as_str()) || image.contains(&product.as_str());
            id != "CVE-2021-2" && named
        };
        let mut stances = said.iter().filter(about).map(|(_, stance, _)| stance.as_str());
        // All are of one time, so whoever is cautious counts.
        let none = said.iter().filter(about).count() == 0;
        let hidden = !none && stances.all(|s| s == "not" || s == "fixed");
        prop_assert_eq!(became.starts_with("hidden"), hidden, "{}: {}", text.join("|"), became);
    }
}

#[test]
fn what_names_the_flaw_and_does_not_count_says_why() {
    let app = "pkg:oci/app>pkg:pypi/django";
    for (ignored, text, expected) in [
        ("", "", ""),
        ("CVE-2021-1 path:opt/** | CVE-2021-1 purl:pkg:pypi/flask", "", "i:1 File; i:2 Package"),
        ("", "CVE-2021-1 not pkg:pypi/django", ""),
        ("", "CVE-2021-10 not pkg:pypi/flask", ""),
        ("", "GHSA-aaaa not pkg:pypi/flask", "0.json#/statements/0 Package"),
        ("", "CVE-2021-1 not pkg:pypi/django@9", "0.json#/statements/0 Package"),
        ("", "CVE-2021-1 not pkg:oci/other", "0.json#/statements/0 Image"),
        ("", "CVE-2021-1 not pkg:oci/other;pkg:pypi/flask", "0.json#/statements/0 Package"),
        ("", "CVE-2021-1 not pkg:oci/app>pkg:pypi/flask", "0.json#/statements/0 Package"),
        (
            "",
            &format!("CVE-2021-1 affected {app} | CVE-2021-1 not {app}"),
            "0.json#/statements/1 Outweighed",
        ),
        ("CVE-2021-1", "CVE-2021-1 not pkg:pypi/django", "0.json#/statements/0 Outweighed"),
        ("CVE-2021-1 | cve-2021-1", "", "i:2 Outweighed"),
        ("CVE-2021-1 exp:2026-01-01T00", "", ""),
        ("CVE-2021-1 exp:2026-01-01T00 | CVE-2021-1", "", "i:1 Expired"),
    ] {
        let mut rules = Rules { documents: documents(text), ..Rules::default() };
        if !ignored.is_empty() {
            rules.ignore_files.push(ignore_file(ignored));
        }
        let judge = Judge::new(&rules, &subject(), &[], now());
        let asides = judge.asides(&finding(django()), &subject(), 9);
        let first = judge.asides(&finding(django()), &subject(), 1);
        assert_eq!(first, asides.iter().copied().take(1).collect::<Vec<_>>());
        let said: Vec<_> = asides.iter().map(aside).collect();
        assert_eq!(said.join("; "), expected, "{ignored:?} {text:?}");
    }
}
