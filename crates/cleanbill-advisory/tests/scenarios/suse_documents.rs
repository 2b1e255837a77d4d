//! SUSE Linux Enterprise and openSUSE, by SUSE's own documents, which also tell what is not fixed.

use std::collections::BTreeSet;

use cleanbill_core::package::{Package, SourcePackage};

use super::osv::{affected, entry, with, zip};
use super::support::{Feeds, Image, found, ranges, rpm};

const SP6: &str = "SUSE Linux Enterprise Server 15 SP6";
const SP6_LTSS: &str = "SUSE Linux Enterprise Server 15 SP6-LTSS";
const BASESYSTEM: &str = "SUSE Linux Enterprise Module for Basesystem 15 SP6";
const SP5: &str = "SUSE Linux Enterprise Server 15 SP5";
const SAP: &str = "SUSE Linux Enterprise Server for SAP Applications 15 SP6";
const LEAP: &str = "openSUSE Leap 15.6";
const TUMBLEWEED: &str = "openSUSE Tumbleweed";

/// A line of a document: its list, the product, and `package[@version] [source[@version]]`.
type Line<'t> = (&'t str, &'t str, &'t str);

/// The id and the package URL of a component. SUSE writes `-` between name and version in both.
fn component(text: &str) -> (String, String) {
    let (package, source) = text.split_once(' ').unwrap_or((text, ""));
    let upstream = match source {
        "" => String::new(),
        source => format!("?upstream={}.src.rpm", source.replace('@', "-")),
    };
    let at = if package.contains('@') { "" } else { "@" };
    (package.replace('@', "-"), format!("pkg:rpm/suse/{package}{at}{upstream}"))
}

/// A document; of `given_up` there is no fix planned.
fn vex(cve: &str, impact: &str, given_up: &[&str], lines: &[Line<'_>]) -> (String, Vec<u8>) {
    let mut branches = BTreeSet::new();
    let mut parts = BTreeSet::new();
    for (_, product, text) in lines {
        let (id, purl) = component(text);
        branches.insert(format!(
            r#"{{"category":"product_name","name":"{product}","product":{{"name":"n","product_id":"{product}","product_identification_helper":{{"cpe":"cpe:/o:suse:sles:15"}}}}}}"#
        ));
        branches.insert(format!(
            r#"{{"category":"product_version","name":"{id}","product":{{"name":"n","product_id":"{id}","product_identification_helper":{{"purl":"{purl}"}}}}}}"#
        ));
        parts.insert(format!(
            r#"{{"category":"default_component_of","full_product_name":{{"name":"n","product_id":"{product}:{id}"}},"product_reference":"{id}","relates_to_product_reference":"{product}"}}"#
        ));
    }
    let ids = |of: &str| -> String {
        let of = lines.iter().filter(|(list, ..)| *list == of);
        let ids = of.map(|(_, product, text)| format!("\"{product}:{}\"", component(text).0));
        ids.collect::<Vec<_>>().join(",")
    };
    let lists = [
        "recommended",
        "first_fixed",
        "known_affected",
        "known_not_affected",
        "under_investigation",
    ]
    .map(|list| format!("\"{list}\":[{}]", ids(list)));
    let given_up: Vec<String> = given_up.iter().map(|id| format!("\"{id}\"")).collect();
    let json = format!(
        r#"{{"document":{{"category":"csaf_vex","tracking":{{"id":"{cve}","status":"interim","current_release_date":"2026-08-20T00:00:00Z"}}}},"product_tree":{{"relationships":[{parts}],"branches":[{{"category":"vendor","name":"SUSE","branches":[{{"branches":[{branches}]}}]}}]}},"vulnerabilities":[{{"cve":"{cve}","product_status":{{{lists}}},"threats":[{{"category":"impact","details":"{impact}"}}],"remediations":[{{"category":"vendor_fix","details":"x","product_ids":[{fixed}]}},{{"category":"no_fix_planned","details":"There is no fix planned for these products.\n","product_ids":[{given_up}]}}]}}]}}"#,
        parts = parts.into_iter().collect::<Vec<_>>().join(","),
        branches = branches.into_iter().collect::<Vec<_>>().join(","),
        lists = lists.join(","),
        fixed = ids("recommended"),
        given_up = given_up.join(","),
    );
    (format!("suse/documents/{}.json", cve.to_lowercase()), json.into_bytes())
}

fn usual() -> Feeds {
    let openssl = |product| {
        [
            (
                "recommended",
                product,
                "libopenssl3@3.1.4-150600.5.15.1 openssl-3@3.1.4-150600.5.15.1",
            ),
            ("recommended", product, "openssl-3@3.1.4-150600.5.15.1 openssl-3@3.1.4-150600.5.15.1"),
        ]
    };
    let leap = openssl(LEAP);
    let base = openssl(BASESYSTEM);
    vec![
        vex(
            "CVE-2024-6119",
            "moderate",
            &[],
            &[
                leap[0],
                leap[1],
                base[0],
                base[1],
                // Lines that SUSE left standing, in the product that the module belongs to.
                ("known_affected", SP6, "libopenssl3 openssl-3"),
                ("known_affected", SP6, "openssl-3"),
                ("known_affected", SP5, "libopenssl3 openssl-3"),
                ("known_not_affected", SP6, "libopenssl1_1 openssl-1_1"),
                ("recommended", SAP, "libopenssl3@3.1.4-999.1 openssl-3@3.1.4-999.1"),
            ],
        ),
        vex(
            "CVE-2024-0001",
            "important",
            &[],
            &[
                ("known_affected", SP6, "libpcre1 pcre"),
                ("known_affected", SP6, "pcre-devel pcre"),
                ("known_affected", SAP, "sapconf"),
                // Without a version, and its URL takes the end of the name for one.
                ("known_affected", LEAP, "libpcre2@16-0"),
            ],
        ),
        vex(
            "CVE-2024-0002",
            "low",
            &[
                "SUSE Linux Enterprise Server 15 SP6:python-aiohttp",
                "SUSE Linux Enterprise Server 15 SP5:python-aiohttp",
            ],
            &[
                ("known_affected", SP6, "python-aiohttp"),
                ("known_affected", SP5, "python-aiohttp"),
                ("recommended", SP5, "python311-aiohttp@3.9.3-14.1 python-aiohttp@3.9.3-14.1"),
            ],
        ),
        vex("CVE-2024-0003", "low", &[], &[("under_investigation", SP6, "libxz xz")]),
        vex(
            "CVE-2024-0004",
            "critical",
            &[],
            &[
                ("known_affected", SP6, "curl curl"),
                ("known_affected", SP6, "libcurl4 curl"),
                ("recommended", SP6_LTSS, "curl@8.6.0-150600.4.51.1 curl@8.6.0-150600.4.51.1"),
                ("recommended", SP6_LTSS, "libcurl4@8.6.0-150600.4.51.1 curl@8.6.0-150600.4.51.1"),
            ],
        ),
        vex(
            "CVE-2024-0005",
            "moderate",
            &[],
            &[
                ("recommended", TUMBLEWEED, "libcurl4@8.9.1-1.1 curl@8.9.1-1.1"),
                ("known_affected", TUMBLEWEED, "zlib zlib"),
            ],
        ),
    ]
}

/// A package, its source, and the one version that they have.
fn built(name: &str, version: &str, source: &str) -> Package {
    let source = Some(SourcePackage { name: source.into(), version: version.into() });
    let vendor = Some("SUSE LLC <https://www.suse.com/>".into());
    Package { source, vendor, ..rpm(name, version) }
}

fn check_in(distribution: (&'static str, &'static str), package: Package, want: &[&str]) {
    let about = format!("{distribution:?} {} {}", package.name, package.version);
    let image = Image { distribution, packages: vec![package] };
    assert_eq!(found(&usual(), image), want, "{about}");
}

fn check(package: Package, want: &[&str]) {
    check_in(("sles", "15.6"), package, want);
}

#[test]
fn what_is_not_fixed_is_found_with_what_suse_says_of_it() {
    check(built("libpcre1", "8.45-1", "pcre"), &["libpcre1 CVE-2024-0001 HIGH affected []"]);
    check(
        built("python-aiohttp", "3.6-1", "python-aiohttp"),
        &["python-aiohttp CVE-2024-0002 LOW will_not_fix []"],
    );
    check(built("libxz", "5.4-1", "xz"), &["libxz CVE-2024-0003 LOW under_investigation []"]);
}

#[test]
fn what_is_said_of_a_source_is_said_of_all_that_is_built_from_it() {
    check(built("pcre-tools", "8.45-1", "pcre"), &["pcre-tools CVE-2024-0001 HIGH affected []"]);
    // Of a name without a source it is not told which it is.
    check(
        built("python3-aiohttp", "3.6-1", "python-aiohttp"),
        &["python3-aiohttp CVE-2024-0002 LOW will_not_fix []"],
    );
    check(
        built("python-aiohttp", "3.6-1", "python-web"),
        &["python-aiohttp CVE-2024-0002 LOW will_not_fix []"],
    );
}

#[test]
fn a_package_of_the_sources_name_from_another_source_is_not_meant() {
    check(built("pcre", "8.45-1", "pcre-fork"), &[]);
}

#[test]
fn a_fix_counts_from_its_build_on() {
    let openssl = |version| built("libopenssl3", version, "openssl-3");
    let fixed = ["libopenssl3 CVE-2024-6119 MEDIUM fixed [3.1.4-150600.5.15.1]"];
    for distribution in [("sles", "15.6"), ("opensuse-leap", "15.6")] {
        check_in(distribution, openssl("3.1.4-150600.5.7.1"), &fixed);
        check_in(distribution, openssl("3.1.4-150600.5.15.1"), &[]);
        // As text, `5.100` would be before `5.15`.
        check_in(distribution, openssl("3.1.4-150600.5.100.1"), &[]);
    }
    // What is built from the source and not named has the fix with it.
    check(
        built("libopenssl-3-devel", "3.1.4-150600.5.7.1", "openssl-3"),
        &["libopenssl-3-devel CVE-2024-6119 MEDIUM fixed [3.1.4-150600.5.15.1]"],
    );
}

#[test]
fn another_service_pack_is_not_judged_by_this_ones_fix() {
    check_in(
        ("sles", "15.5"),
        built("libopenssl3", "3.1.4-150600.5.15.1", "openssl-3"),
        &["libopenssl3 CVE-2024-6119 MEDIUM affected []"],
    );
}

#[test]
fn a_flavour_that_is_left_behind_is_found_by_the_fix_of_another() {
    let of = |name, version| built(name, version, "python-aiohttp");
    let sp5 = ("sles", "15.5");
    check_in(
        sp5,
        of("python3-aiohttp", "3.6.0-1.1"),
        &["python3-aiohttp CVE-2024-0002 LOW fixed [3.9.3-14.1]"],
    );
    check_in(sp5, of("python311-aiohttp", "3.9.3-14.1"), &[]);
}

#[test]
fn what_is_known_not_to_be_affected_is_clean() {
    check(built("libopenssl1_1", "1.1.1w-1", "openssl-1_1"), &[]);
}

#[test]
fn other_products_and_other_distributions_are_not_looked_up() {
    check(built("sapconf", "5-1", "sapconf"), &[]);
    // Leap is not judged by what is said of the server.
    check_in(("opensuse-leap", "15.6"), built("libpcre1", "8.45-1", "pcre"), &[]);
    check_in(
        ("opensuse-leap", "15.6"),
        built("libpcre2-16-0", "10.42-1", "pcre2"),
        &["libpcre2-16-0 CVE-2024-0001 HIGH affected []"],
    );
    check(built("libpcre2-16-0", "10.42-1", "pcre2"), &[]);
}

#[test]
fn a_release_that_rolls_has_its_own_state() {
    let rolling = ("opensuse-tumbleweed", "20240901");
    check_in(
        rolling,
        built("libcurl4", "8.9.0-1.1", "curl"),
        &["libcurl4 CVE-2024-0005 MEDIUM fixed [8.9.1-1.1]"],
    );
    check_in(rolling, built("libcurl4", "8.9.1-1.1", "curl"), &[]);
    check_in(
        rolling,
        built("libz1", "1.3.1-1.1", "zlib"),
        &["libz1 CVE-2024-0005 MEDIUM affected []"],
    );
}

#[test]
fn a_fix_under_longer_support_is_none_that_everybody_can_take_and_its_build_is_clean() {
    let curl = |version| built("libcurl4", version, "curl");
    let old = || curl("8.6.0-150600.4.21.1");
    check(old(), &["libcurl4 CVE-2024-0004 CRITICAL affected []"]);
    let image = Image { distribution: ("sles", "15.6"), packages: vec![old()] };
    let range = "< 8.6.0-150600.4.51.1 (fixed in 8.6.0-150600.4.51.1 with a subscription)";
    assert_eq!(ranges(&usual(), image), [range]);
    check(curl("8.6.0-150600.4.51.1"), &[]);
}

#[test]
fn a_flaw_that_osvs_zip_tells_of_too_is_one_finding() {
    let update = |stream: &str| {
        let said = affected(stream, "openssl-3", "introduced 0 fixed 3.1.4-150600.5.15.1");
        let erratum = entry("SUSE-SU-2024:3106-1", &[], &[said]);
        with(erratum, "upstream", serde_json::json!(["CVE-2024-6119"]))
    };
    let leap = zip("openSUSE", &[update("openSUSE:Leap 15.6")]);
    let server = zip("SUSE", &[update("SUSE:Linux Enterprise Module for Basesystem 15 SP6")]);
    let both: Feeds = usual().into_iter().chain(leap).chain(server).collect();
    for distribution in [("sles", "15.6"), ("opensuse-leap", "15.6")] {
        let one = |version| {
            let packages = vec![built("libopenssl3", version, "openssl-3")];
            found(&both, Image { distribution, packages })
        };
        let fixed = "libopenssl3 CVE-2024-6119 MEDIUM fixed [3.1.4-150600.5.15.1]";
        assert_eq!(one("3.1.4-150600.5.7.1"), [fixed], "{distribution:?}");
        assert_eq!(one("3.1.4-150600.5.15.1"), [""; 0], "{distribution:?}");
    }
}

#[test]
fn a_release_that_no_document_speaks_of_is_a_gap() {
    for (distribution, subject) in [
        (("sles", "15.3"), "SUSE:Linux Enterprise Server 15 SP3"),
        (("opensuse-leap", "15.5"), "openSUSE:Leap 15.5"),
    ] {
        let gap = format!("no-advisory-source {subject}");
        check_in(distribution, built("libpcre1", "8.45-1", "pcre"), &[&gap]);
    }
}

#[test]
fn a_package_of_another_vendor_is_a_gap() {
    let by = |vendor: &str| Package {
        vendor: Some(vendor.into()),
        ..built("libpcre1", "8.45-1", "pcre")
    };
    check(by("obs://build.opensuse.org/home:me"), &["no-advisory-source libpcre1 8.45-1"]);
}

#[test]
fn a_version_that_cannot_be_compared_is_a_gap_where_a_document_names_the_source() {
    check(built("libopenssl3", "3 1", "openssl-3"), &["unparseable-version libopenssl3 3 1"]);
    check(built("unnamed", "3 1", "unnamed"), &[]);
}
