//! What is taken of each part of a document of SUSE's, and what is counted as not understood.

use std::collections::BTreeSet;

use cleanbill_core::advisory::{Advisory, RangeEnd};

use super::parse;
use crate::gather::Gathered;
use crate::limits::Limits;

mod hostile;

/// A line of a list: the list, the product, the component's id, and its package URL (empty: none).
type Line<'t> = (&'t str, &'t str, &'t str, &'t str);

const LISTS: [&str; 6] = [
    "recommended",
    "fixed",
    "first_fixed",
    "known_affected",
    "known_not_affected",
    "under_investigation",
];

/// A document with these lines, and what else is in its vulnerability.
fn document(lines: &[Line<'_>], rest: &str) -> String {
    let product = |id: &str, helper: &str| {
        format!(
            r#"{{"category":"x","name":"n","product":{{"name":"n","product_id":"{id}","product_identification_helper":{{{helper}}}}}}}"#
        )
    };
    let helper = |purl: &str| match purl {
        "" => String::new(),
        purl => format!(r#""cpe":"cpe:2.3:a:x:x:*:*:*:*:*:*:*:*","purl":"{purl}""#),
    };
    let products =
        lines.iter().map(|(_, name, ..)| product(name, r#""cpe":"cpe:/o:suse:sles:15""#));
    let components = lines.iter().map(|(_, _, id, purl)| product(id, &helper(purl)));
    let branches: BTreeSet<String> = products.chain(components).collect();
    let part = |(_, product, id, _): &Line<'_>| {
        format!(
            r#"{{"category":"default_component_of","full_product_name":{{"name":"n","product_id":"{product}:{id}"}},"product_reference":"{id}","relates_to_product_reference":"{product}"}}"#
        )
    };
    let parts: Vec<String> = lines.iter().map(part).collect();
    let list = |name: &str| {
        let of = lines.iter().filter(|(list, ..)| *list == name);
        let ids: Vec<String> =
            of.map(|(_, product, id, _)| format!("\"{product}:{id}\"")).collect();
        format!(r#""{name}":[{}]"#, ids.join(","))
    };
    format!(
        r#"{{"document":{{"category":"csaf_vex","title":"t","tracking":{{"id":"CVE-2024-1111","status":"interim","current_release_date":"2024-05-01T00:00:00Z"}}}},"product_tree":{{"branches":[{{"category":"vendor","name":"SUSE","branches":[{{"category":"product_family","name":"SUSE Linux Enterprise","branches":[{}]}}]}}],"relationships":[{}]}},"vulnerabilities":[{{"cve":"CVE-2024-1111","product_status":{{{}}}{rest}}}]}}"#,
        branches.into_iter().collect::<Vec<_>>().join(","),
        parts.join(","),
        LISTS.map(list).join(",")
    )
}

const SP6: &str = "SUSE Linux Enterprise Server 15 SP6";
const LTSS: &str = "SUSE Linux Enterprise Server 15 SP6-LTSS";
const BASE: &str = "SUSE Linux Enterprise Module for Basesystem 15 SP6";
const SP5: &str = "SUSE Linux Enterprise Server 15 SP5";
const LEAP: &str = "openSUSE Leap 15.6";

/// A package of the source `pcre`, fixed in this version, or with none.
fn pcre<'t>(list: &'t str, product: &'t str, id: &'t str) -> Line<'t> {
    let purl = match id {
        "libpcre1-8.39-8.3.1" => {
            "pkg:rpm/suse/libpcre1@8.39-8.3.1?upstream=pcre-8.39-8.3.1.src.rpm"
        }
        "libpcre1-8.39-9.1" => "pkg:rpm/suse/libpcre1@8.39-9.1?upstream=pcre-8.39-9.1.src.rpm",
        "pcre-devel-8.39-8.3.1" => {
            "pkg:rpm/suse/pcre-devel@8.39-8.3.1?upstream=pcre-8.39-8.3.1.src.rpm"
        }
        "libpcre1" => "pkg:rpm/suse/libpcre1@?upstream=pcre.src.rpm",
        "pcre-devel" => "pkg:rpm/suse/pcre-devel@?upstream=pcre.src.rpm",
        "pcre" => "pkg:rpm/suse/pcre@?upstream=pcre.src.rpm",
        _ => panic!("{id}"),
    };
    (list, product, id, purl)
}

/// `stream package state range [arches] severity`, sorted.
fn said(gathered: &Gathered) -> Vec<String> {
    let line = |stream: &str, package: &str, a: &Advisory| {
        let range = match a.ranges.first().map(|r| &r.end) {
            None => a.unreadable.clone().unwrap_or("-".to_owned()),
            Some(RangeEnd::Open) => "open".to_owned(),
            Some(RangeEnd::Fixed(fixed)) => format!("< {fixed}"),
            Some(RangeEnd::LastAffected(last)) => format!("<= {last}"),
            Some(RangeEnd::Before(end)) => format!("< {end}, no fix"),
        };
        let stream = stream.trim_start_matches("SUSE:Linux Enterprise ");
        format!("{stream} {package} {:?} {range} [{}]", a.state, a.arches.join(","))
    };
    let all = gathered.advisories.iter();
    all.flat_map(|((s, p), list)| list.iter().map(move |a| line(s, p, a))).collect()
}

fn check(lines: &[Line<'_>], want: &[&str]) {
    let mut gathered = Gathered::default();
    let json = document(lines, "");
    parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    assert_eq!(said(&gathered), want, "{lines:?}");
}

#[test]
fn what_is_said_of_all_that_is_built_from_a_source_is_kept_once() {
    for (list, want) in [
        ("known_affected", "Affected open"),
        ("under_investigation", "UnderInvestigation open"),
        ("known_not_affected", "NotAffected -"),
    ] {
        let lines = ["libpcre1", "pcre-devel", "pcre"].map(|id| pcre(list, SP6, id));
        check(&lines, &[&format!("Server 15 SP6 pcre {want} [src]")]);
        // Whether or not the source itself is named.
        check(&lines[..2], &[&format!("Server 15 SP6 pcre {want} [src]")]);
    }
    let fixed = ["libpcre1-8.39-8.3.1", "pcre-devel-8.39-8.3.1"];
    for list in ["recommended", "fixed", "first_fixed"] {
        let lines = fixed.map(|id| pcre(list, SP6, id));
        check(&lines, &["Server 15 SP6 pcre Affected < 8.39-8.3.1 [src]"]);
    }
}

#[test]
fn a_name_that_may_be_a_sources_counts_as_both() {
    check(
        &[("known_affected", LEAP, "libpcre2-16-0", "pkg:rpm/suse/libpcre2@16-0")],
        &[
            "openSUSE:Leap 15.6 libpcre2-16-0 Affected open []",
            "openSUSE:Leap 15.6 libpcre2-16-0 Affected open [src]",
        ],
    );
    check(
        &[("known_not_affected", LEAP, "java-1_7_0-openjdk", "")],
        &[
            "openSUSE:Leap 15.6 java-1_7_0-openjdk NotAffected - []",
            "openSUSE:Leap 15.6 java-1_7_0-openjdk NotAffected - [src]",
        ],
    );
}

#[test]
fn a_line_that_was_left_standing_beside_a_fix_is_none() {
    let fix = "Server 15 SP6 pcre Affected < 8.39-8.3.1 [src]";
    let fixed = || pcre("recommended", SP6, "libpcre1-8.39-8.3.1");
    let left = |product, id| pcre("known_affected", product, id);
    // Of the package itself, and of its source.
    check(&[fixed(), left(SP6, "libpcre1")], &[fix]);
    check(&[fixed(), left(SP6, "pcre")], &[fix]);
    // In the product, where a module has the fix, or longer support.
    let base = pcre("recommended", BASE, "libpcre1-8.39-8.3.1");
    check(
        &[base, left(SP6, "libpcre1"), left(SP6, "pcre")],
        &["Module for Basesystem 15 SP6 pcre Affected < 8.39-8.3.1 [src]"],
    );
    let longer = pcre("recommended", LTSS, "libpcre1-8.39-8.3.1");
    check(
        &[longer, left(SP6, "libpcre1"), left(SP6, "pcre")],
        &["Server 15 SP6-LTSS pcre Affected < 8.39-8.3.1 [src]"],
    );
    // Another release has its own fixes, and so has another distribution.
    for (product, stream) in [(SP5, "Server 15 SP5"), (LEAP, "openSUSE:Leap 15.6")] {
        let open = format!("{stream} pcre Affected open [src]");
        let mut want = [fix, open.as_str()];
        // As the streams are sorted.
        want.sort_by_key(|line| line.replace("Server", "SUSE"));
        check(&[fixed(), left(product, "libpcre1")], &want);
    }
}

#[test]
fn a_package_without_a_fix_beside_others_of_its_source_keeps_its_name() {
    let lines = [
        pcre("recommended", SP6, "libpcre1-8.39-8.3.1"),
        pcre("known_affected", SP6, "pcre-devel"),
    ];
    check(
        &lines,
        &[
            "Server 15 SP6 pcre Affected < 8.39-8.3.1 [src]",
            "Server 15 SP6 pcre-devel Affected open []",
        ],
    );
}

#[test]
fn packages_of_a_source_that_stand_otherwise_keep_their_names() {
    check(
        &[pcre("known_affected", SP6, "libpcre1"), pcre("known_not_affected", SP6, "pcre-devel")],
        &["Server 15 SP6 libpcre1 Affected open []", "Server 15 SP6 pcre-devel NotAffected - []"],
    );
    // The source itself is said of all of them.
    check(
        &[pcre("known_affected", SP6, "pcre"), pcre("known_not_affected", SP6, "pcre-devel")],
        &["Server 15 SP6 pcre Affected open [src]", "Server 15 SP6 pcre-devel NotAffected - []"],
    );
    // A fix, too, is then one of the package alone.
    check(
        &[
            pcre("recommended", SP6, "libpcre1-8.39-8.3.1"),
            pcre("known_not_affected", SP6, "pcre-devel"),
        ],
        &[
            "Server 15 SP6 libpcre1 Affected < 8.39-8.3.1 []",
            "Server 15 SP6 pcre-devel NotAffected - []",
        ],
    );
}

#[test]
fn a_later_build_that_is_known_to_have_the_fix_is_not_the_first() {
    let first = || pcre("first_fixed", SP6, "libpcre1-8.39-9.1");
    check(&[first()], &["Server 15 SP6 pcre Affected < 8.39-9.1 [src]"]);
    check(
        &[first(), pcre("recommended", SP6, "libpcre1-8.39-8.3.1")],
        &["Server 15 SP6 pcre Affected < 8.39-8.3.1 [src]"],
    );
    // Of another product it says nothing.
    check(
        &[first(), pcre("recommended", SP5, "libpcre1-8.39-8.3.1")],
        &[
            "Server 15 SP5 pcre Affected < 8.39-8.3.1 [src]",
            "Server 15 SP6 pcre Affected < 8.39-9.1 [src]",
        ],
    );
    // Two builds of one list both count.
    check(
        &[
            pcre("recommended", SP6, "libpcre1-8.39-9.1"),
            pcre("recommended", SP6, "pcre-devel-8.39-8.3.1"),
        ],
        &[
            "Server 15 SP6 pcre Affected < 8.39-8.3.1 [src]",
            "Server 15 SP6 pcre Affected < 8.39-9.1 [src]",
        ],
    );
}

#[test]
fn a_fix_without_a_version_cannot_be_read_and_retires_nothing() {
    let why = "it is fixed, and no version says where";
    check(
        &[pcre("recommended", SP6, "libpcre1"), pcre("known_affected", SP6, "pcre")],
        &[
            &format!("Server 15 SP6 libpcre1 Affected {why} []"),
            "Server 15 SP6 pcre Affected open [src]",
        ],
    );
}

#[test]
fn what_is_said_of_remedies_severity_and_vectors() {
    let id = format!("{SP6}:pcre");
    let remedy = |category: &str, id: &str| {
        format!(
            r#","remediations":[{{"category":"{category}","details":"There is no fix planned for these products.\n","product_ids":["{id}"]}}]"#
        )
    };
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let score = format!(
        r#","scores":[{{"cvss_v3":{{"baseScore":1.0,"vectorString":"{vector}"}},"products":["another"]}}]"#
    );
    let impact = r#","threats":[{"category":"impact","details":"moderate"}]"#;
    // list, what is said beside it → state, severity and vector
    let table = [
        ("known_affected", String::new(), "Affected UNKNOWN -"),
        ("known_affected", remedy("no_fix_planned", &id), "WillNotFix UNKNOWN -"),
        ("known_affected", remedy("no_fix_planned", "another"), "Affected UNKNOWN -"),
        ("known_affected", remedy("vendor_fix", &id), "Affected UNKNOWN -"),
        ("known_not_affected", remedy("no_fix_planned", &id), "NotAffected UNKNOWN -"),
        ("known_affected", impact.to_owned(), "Affected MEDIUM -"),
        // A vector is given with the products that are fixed, and is the flaw's.
        ("known_affected", score.clone(), "Affected CRITICAL CVSS"),
        ("known_affected", format!("{score}{impact}"), "Affected MEDIUM CVSS"),
    ];
    for (list, beside, want) in table {
        let json = document(&[pcre(list, SP6, "pcre")], &beside);
        let mut gathered = Gathered::default();
        parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
        let [a] = &gathered.advisories.values().flatten().collect::<Vec<_>>()[..] else {
            panic!("{beside}")
        };
        let shown =
            a.cvss.as_deref().map_or("-", |cvss| if cvss == vector { "CVSS" } else { cvss });
        assert_eq!(format!("{:?} {} {shown}", a.state, a.severity), want, "{list} {beside}");
    }
}

#[test]
fn what_no_image_is_looked_up_in_is_counted() {
    let sap = "SUSE Linux Enterprise Server for SAP Applications 15 SP6";
    let lines = [
        pcre("known_affected", SP6, "pcre"),
        pcre("known_affected", sap, "pcre"),
        pcre("recommended", "SUSE Linux Micro 6.1", "libpcre1-8.39-8.3.1"),
        ("known_affected", SP6, "image", "pkg:oci/suse/image"),
    ];
    let json = document(&lines, "").replace(
        r#""under_investigation":["#,
        r#""under_investigation":["chost:amazon/x","no relationship"#,
    );
    let json = json.replace(r#"no relationship]"#, r#"no relationship"]"#);
    let mut gathered = Gathered::default();
    parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    assert_eq!(said(&gathered), ["Server 15 SP6 pcre Affected open [src]"]);
    let ignored = gathered.ignored.join("");
    assert!(ignored.starts_with("suse: 5 statements about other products than SUSE"), "{ignored}");
    let feed = &gathered.feeds[0];
    let streams: Vec<String> = feed.streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["SUSE:Linux Enterprise Server 15 SP6"]);
    assert_eq!((feed.id.as_str(), feed.advisories, feed.not_understood), ("suse", 1, 0));
    assert_eq!(feed.as_of.unwrap().to_string(), "2024-05-01T00:00:00Z");
}

#[test]
fn a_release_of_which_nothing_is_left_is_covered_all_the_same() {
    let lines =
        [pcre("recommended", LTSS, "libpcre1-8.39-8.3.1"), pcre("known_affected", SP6, "pcre")];
    let mut gathered = Gathered::default();
    parse(document(&lines, "").as_bytes(), &Limits::default(), &mut gathered).unwrap();
    let streams: Vec<&str> = gathered.feeds[0].streams.iter().map(|s| &*s.release).collect();
    assert_eq!(streams, ["Linux Enterprise Server 15 SP6", "Linux Enterprise Server 15 SP6-LTSS"]);
}
