//! Debian, by its security tracker.

use cleanbill_core::package::{Package, PackageKind, SourcePackage};
use serde_json::{Value, json};

use super::osv::{affected, entry, with, zip};
use super::support::{Feeds, Image, found, of_source, owned, package};

fn fixed(version: &str) -> Value {
    json!({"bookworm": {"status": "resolved", "fixed_version": version, "urgency": "not yet assigned"}})
}

fn open(urgency: &str, reason: Option<&str>) -> Value {
    let mut standing = json!({"status": "open", "urgency": urgency});
    if let Some(reason) = reason {
        standing["nodsa"] = json!("Minor issue");
        standing["nodsa_reason"] = json!(reason);
    }
    json!({"bookworm": standing})
}

/// The tracker's document: flaws by source, each with where releases stand.
fn usual() -> Feeds {
    let releases = |flaws: &[(&str, Value)]| -> Value {
        let each =
            flaws.iter().map(|(id, releases)| ((*id).to_owned(), json!({"releases": releases})));
        Value::Object(each.collect())
    };
    let undetermined =
        json!({"bookworm": {"status": "undetermined", "urgency": "not yet assigned"}});
    let many: Vec<(String, Value)> =
        (0..40).map(|n| (format!("CVE-2020-{}", 1000 + n), fixed("1"))).collect();
    let many: Vec<(&str, Value)> = many.iter().map(|(id, v)| (&**id, v.clone())).collect();
    let tracker = json!({
        "openssl": releases(&[
            ("CVE-2023-5678", fixed("3.0.13-1~deb12u1")),
            ("CVE-2014-0160", fixed("0")),
        ]),
        "tar": releases(&[
            ("CVE-2005-2541", open("unimportant", None)),
            ("CVE-2022-48303", open("not yet assigned", Some("ignored"))),
            ("CVE-2023-39804", open("low", Some("postponed"))),
            ("CVE-2019-9923", open("medium", Some(""))),
        ]),
        "chromium": releases(&[("CVE-2024-0001", open("end-of-life", None))]),
        "unclear": releases(&[("CVE-2024-0002", undetermined)]),
        "shadow": releases(&[("CVE-2023-4641", fixed("1:4.13+dfsg1-1+deb12u1"))]),
        "linux": releases(&[("CVE-2024-1086", fixed("6.1.76-1"))]),
        "python-urllib3": releases(&[("CVE-2023-45803", fixed("1.26.12-1+deb12u1"))]),
        "elsewhere": releases(&[
            ("CVE-2024-0003", json!({"bullseye": {"status": "open", "urgency": "high"}})),
        ]),
        "xen": releases(&[("CVE-2024-0004", json!({"bookworm": {"status": "perhaps"}}))]),
        // Most of a document has to be understood.
        "many": releases(&many),
    });
    let urllib3 = affected("PyPI", "urllib3", "introduced 0 fixed 2.0.7");
    let python = zip("PyPI", &[entry("PYSEC-2023-212", &["CVE-2023-45803"], &[urllib3])]);
    let tracker = ("debian/tracker.json".to_owned(), tracker.to_string().into_bytes());
    [tracker].into_iter().chain(python).collect()
}

fn deb(name: &str, version: &str) -> Package {
    package(PackageKind::Deb, name, version, "amd64")
}

fn check(packages: &[Package], want: &[&str]) {
    let image = Image { distribution: ("debian", "12"), packages: packages.to_vec() };
    assert_eq!(found(&usual(), image), want, "{packages:?}");
}

#[test]
fn a_package_is_judged_by_its_source() {
    check(
        &[of_source(deb("libssl3", "3.0.11-1~deb12u2"), "openssl")],
        &["libssl3 CVE-2023-5678 UNKNOWN fixed [3.0.13-1~deb12u1]"],
    );
    // It has the name of one source and is built from another.
    check(&[of_source(deb("openssl", "3.0.11-1~deb12u2"), "openssl-fork")], &[]);
}

#[test]
fn the_version_of_the_source_is_compared_and_not_the_packages_own() {
    let login = |own: &str, of: &str| {
        let source = Some(SourcePackage { name: "shadow".into(), version: of.into() });
        Package { source, ..deb("login", own) }
    };
    let found = "login CVE-2023-4641 UNKNOWN fixed [1:4.13+dfsg1-1+deb12u1]";
    check(&[login("1:4.13+dfsg1-1+b1", "1:4.13+dfsg1-1")], &[found]);
    check(&[login("1:4.13+dfsg1-1+b1", "1:4.13+dfsg1-1+deb12u1")], &[]);
    check(&[login("2:9-1", "1:4.13+dfsg1-1")], &[found]);
}

#[test]
fn a_missing_epoch_is_nought() {
    // Without its epoch the fix would be the lower version.
    let found = "shadow CVE-2023-4641 UNKNOWN fixed [1:4.13+dfsg1-1+deb12u1]";
    check(&[deb("shadow", "9.9-1")], &[found]);
    check(&[deb("shadow", "0:9.9-1")], &[found]);
    check(&[deb("shadow", "1:4.13+dfsg1-1+deb12u1")], &[]);
}

#[test]
fn what_stands_behind_a_tilde_is_before_the_version() {
    let found = "openssl CVE-2023-5678 UNKNOWN fixed [3.0.13-1~deb12u1]";
    check(&[deb("openssl", "3.0.13-1~deb12u1~bpo11")], &[found]);
    check(&[deb("openssl", "3.0.13~rc1-1")], &[found]);
    check(&[deb("openssl", "3.0.13-1")], &[]);
}

#[test]
fn a_nought_means_that_it_was_never_affected() {
    check(&[deb("openssl", "3.0.13-1~deb12u1")], &[]);
}

#[test]
fn each_state_without_a_fix_is_told_as_it_is() {
    check(
        &[deb("tar", "1.34+dfsg-1.2")],
        &[
            "tar CVE-2019-9923 MEDIUM affected []",
            "tar CVE-2005-2541 LOW affected []",
            "tar CVE-2023-39804 LOW fix_deferred []",
            "tar CVE-2022-48303 UNKNOWN will_not_fix []",
        ],
    );
    check(
        &[deb("chromium", "1-1"), deb("unclear", "1-1")],
        &[
            "chromium CVE-2024-0001 UNKNOWN end_of_life []",
            "unclear CVE-2024-0002 UNKNOWN under_investigation []",
        ],
    );
}

#[test]
fn what_is_open_in_another_release_is_not_open_in_this_one() {
    check(&[deb("elsewhere", "1-1")], &[]);
}

#[test]
fn headers_of_the_kernel_are_not_the_kernel() {
    let of_linux = |name: &str| of_source(deb(name, "6.1.69-1"), "linux");
    check(
        &[of_linux("linux-image-6.1.0-17-amd64")],
        &["linux-image-6.1.0-17-amd64 CVE-2024-1086 UNKNOWN fixed [6.1.76-1]"],
    );
    for name in ["linux-libc-dev", "linux-headers-6.1.0-17-common", "linux-kbuild-6.1"] {
        check(&[of_linux(name)], &[]);
    }
    // The one that boots is signed, which is a source of its own.
    let signed = |version: &str| {
        let source =
            SourcePackage { name: "linux-signed-amd64".into(), version: version.replace('-', "+") };
        Package { source: Some(source), ..deb("linux-image-6.1.0-17-amd64", version) }
    };
    check(
        &[signed("6.1.69-1")],
        &["linux-image-6.1.0-17-amd64 CVE-2024-1086 UNKNOWN fixed [6.1.76-1]"],
    );
    check(&[signed("6.1.76-1")], &[]);
}

#[test]
fn a_standing_that_is_not_understood_is_a_gap_for_its_package_alone() {
    check(&[deb("xen", "4.17-1")], &["unreadable-advisory CVE-2024-0004"]);
    check(&[deb("many", "4.17-1")], &[]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_the_tracker_names_the_package() {
    check(&[deb("openssl", "3 0-1")], &["unparseable-version openssl 3 0-1"]);
    check(&[deb("unnamed", "3 0-1")], &[]);
}

#[test]
fn a_package_that_the_distribution_made_of_python_is_judged_once() {
    // By Python's versions it is affected still; Debian put the fix into its own build.
    let python = package(PackageKind::Python, "urllib3", "1.26.12", "");
    let own = |version: &str| of_source(deb("python3-urllib3", version), "python-urllib3");
    let owned = || owned(python.clone(), "python3-urllib3");
    check(&[own("1.26.12-1+deb12u1"), owned()], &[]);
    check(
        &[own("1.26.12-1"), owned()],
        // The severity is Python's: Debian says nothing of it.
        &["python3-urllib3 CVE-2023-45803 HIGH fixed [1.26.12-1+deb12u1]"],
    );
    // What pip has put beside it is nobody's but Python's.
    check(
        &[own("1.26.12-1+deb12u1"), python.clone()],
        &["urllib3 CVE-2023-45803 HIGH fixed [2.0.7]"],
    );
}

#[test]
fn another_release_is_a_gap() {
    let image = Image { distribution: ("debian", "13"), packages: vec![deb("openssl", "3.5-1")] };
    assert_eq!(found(&usual(), image), ["no-advisory-source Debian:13"]);
}

#[test]
fn an_announcement_is_as_many_findings_as_it_has_flaws_and_joins_none() {
    // OSV's zip of Debian has them, one entry for all that was fixed at once.
    let nginx = affected("Debian:12", "nginx", "introduced 0 fixed 1.22.1-9+deb12u1");
    let announced = entry("DSA-5800-1", &[], &[nginx]);
    let feeds = zip("Debian", &[with(announced, "upstream", json!(["CVE-2024-1", "CVE-2024-2"]))]);
    let packages = |version: &str| vec![deb("nginx", version)];
    let image = Image { distribution: ("debian", "12"), packages: packages("1.22.1-9") };
    assert_eq!(
        found(&feeds, image),
        [
            "nginx CVE-2024-1 HIGH fixed [1.22.1-9+deb12u1]",
            "nginx CVE-2024-2 HIGH fixed [1.22.1-9+deb12u1]",
        ]
    );
    let image = Image { distribution: ("debian", "12"), packages: packages("1.22.1-9+deb12u1") };
    assert_eq!(found(&feeds, image), [""; 0]);
}
