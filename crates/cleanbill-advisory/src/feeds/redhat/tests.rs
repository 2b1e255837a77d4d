//! What is taken of each part of a document, and what is counted as not understood.

use cleanbill_core::advisory::{Advisory, RangeEnd};

use super::super::tar::tests::entry;
use super::{parse, read};
use crate::gather::Gathered;
use crate::limits::Limits;

mod minor;

/// A document: products `id=cpe`, components `id=purl`, relationships `product:component`, and
/// what is in the vulnerability.
fn document(products: &[&str], components: &[&str], parts: &[&str], rest: &str) -> String {
    let product = |key: &str, text: &str| {
        let (id, helper) = text.split_once('=').unwrap();
        format!(
            r#"{{"category":"x","name":"n","product":{{"name":"n","product_id":"{id}","product_identification_helper":{{"{key}":"{helper}"}}}}}}"#
        )
    };
    let products = products.iter().map(|p| product("cpe", p));
    let components = components.iter().map(|c| product("purl", c));
    let branches: Vec<String> = products.chain(components).collect();
    let part = |text: &&str| {
        let (product, component) = text.split_once('|').unwrap();
        let id = text.replace('|', ":");
        format!(
            r#"{{"category":"default_component_of","full_product_name":{{"name":"n","product_id":"{id}"}},"product_reference":"{component}","relates_to_product_reference":"{product}"}}"#
        )
    };
    let parts: Vec<String> = parts.iter().map(part).collect();
    format!(
        r#"{{"document":{{"category":"csaf_vex","title":"t","tracking":{{"id":"CVE-2024-1111","status":"final","current_release_date":"2024-05-01T00:00:00+00:00"}}}},"product_tree":{{"branches":[{{"category":"vendor","name":"Red Hat","branches":[{}]}}],"relationships":[{}]}},"vulnerabilities":[{{"cve":"CVE-2024-1111",{rest}}}]}}"#,
        branches.join(","),
        parts.join(",")
    )
}

const BASEOS: &str = "b9=cpe:/o:redhat:enterprise_linux:9::baseos";
const WHOLE: &str = "r9=cpe:/o:redhat:enterprise_linux:9";

/// `stream package state range module arches severity errata`, sorted.
fn said(gathered: &Gathered) -> String {
    let line = |stream: &str, package: &str, a: &Advisory| {
        let range = match a.ranges.first().map(|r| &r.end) {
            None => "-".to_owned(),
            Some(RangeEnd::Open) => "open".to_owned(),
            Some(RangeEnd::Fixed(fixed)) => format!("< {fixed}"),
            Some(RangeEnd::LastAffected(last)) => format!("<= {last}"),
            Some(RangeEnd::Before(end)) => format!("< {end}, no fix"),
        };
        let stream = stream.trim_start_matches("Red Hat:enterprise_linux:");
        let (module, arches) = (a.module.as_deref().unwrap_or("-"), a.arches.join(","));
        let errata = a.errata.join(",");
        format!(
            "{stream} {package} {:?} {range} {module} [{arches}] {} [{errata}]",
            a.state, a.severity
        )
    };
    let all = gathered.advisories.iter();
    let lines = all.flat_map(|((s, p), list)| list.iter().map(move |a| line(s, p, a)));
    lines.collect::<Vec<_>>().join("; ")
}

fn read_one(json: &str) -> String {
    let mut gathered = Gathered::default();
    match parse(json.as_bytes(), &Limits::default(), &mut gathered) {
        Ok(()) => said(&gathered),
        Err(e) => e.to_string(),
    }
}

fn status(list: &str, ids: &[&str]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    format!(r#""product_status":{{"{list}":[{}]}}"#, ids.join(","))
}

#[test]
fn each_status_and_what_is_said_of_remedies() {
    let src = "a=pkg:rpm/redhat/a?arch=src";
    let remedy = |category: &str, details: &str| {
        format!(
            r#",{{"category":"workaround","details":"x","product_ids":["r9:a"]}},{{"category":"{category}","details":"{details}","product_ids":["r9:a"]}}"#
        )
    };
    // status, remedy → what is made of it
    let table = [
        ("known_affected", String::new(), "Affected open"),
        ("known_affected", remedy("none_available", "Affected"), "Affected open"),
        ("known_affected", remedy("none_available", "Fix deferred"), "FixDeferred open"),
        ("known_affected", remedy("none_available", "Deferred"), "FixDeferred open"),
        ("known_affected", remedy("no_fix_planned", "Will not fix"), "WillNotFix open"),
        ("known_affected", remedy("no_fix_planned", "Out of support scope"), "EndOfLife open"),
        ("known_affected", remedy("no_fix_planned", "Something new"), "WillNotFix open"),
        ("under_investigation", String::new(), "UnderInvestigation open"),
        ("known_not_affected", String::new(), "NotAffected -"),
        // What is said of remedies does not make it affected.
        ("known_not_affected", remedy("no_fix_planned", "Will not fix"), "NotAffected -"),
    ];
    for (list, remedy, want) in table {
        let remedies = format!(r#","remediations":[{}]"#, remedy.trim_start_matches(','));
        let rest = format!("{}{remedies}", status(list, &["r9:a"]));
        let json = document(&[WHOLE], &[src], &["r9|a"], &rest);
        assert_eq!(read_one(&json), format!("9 a {want} - [src] UNKNOWN []"), "{list} {remedy}");
    }
}

#[test]
fn a_fix_is_told_by_what_was_built_with_its_erratum() {
    let build = |arch: &str| format!("a-{arch}=pkg:rpm/redhat/a@1.0-2.el9?arch={arch}&epoch=1");
    let builds: Vec<String> =
        ["x86_64", "aarch64", "s390x", "ppc64le", "src"].iter().map(|a| build(a)).collect();
    let builds: Vec<&str> = builds.iter().map(String::as_str).collect();
    let all = ["b9|a-x86_64", "b9|a-aarch64", "b9|a-s390x", "b9|a-ppc64le", "b9|a-src"];
    let ids: Vec<String> = all.iter().map(|id| id.replace('|', ":")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fix = |ids: &[&str]| {
        let quoted: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
        format!(
            r#"{},"remediations":[{{"category":"vendor_fix","details":"x","url":"https://access.redhat.com/errata/RHSA-2024:2222","product_ids":[{}]}}]"#,
            status("fixed", ids),
            quoted.join(",")
        )
    };
    let one = |of: &[&str]| read_one(&document(&[BASEOS], &builds, &all, &fix(of)));
    let line = |arches: &str| {
        format!("9::baseos a Affected < 1:1.0-2.el9 - [{arches}] UNKNOWN [RHSA-2024:2222]")
    };
    // Built for all architectures, it is said of any; the source says nothing more.
    assert_eq!(one(&ids), line(""));
    assert_eq!(one(&ids[..2]), line("aarch64,x86_64"));
    // Where the source alone is named, it stands for what is built of it.
    assert_eq!(one(&ids[4..]), line("src"));
    // Without an architecture it is any.
    let bare = ["a=pkg:rpm/redhat/a@1.0-2.el9"];
    let json = document(&[BASEOS], &bare, &["b9|a"], &status("fixed", &["b9:a"]));
    assert_eq!(read_one(&json), "9::baseos a Affected < 1.0-2.el9 - [] UNKNOWN []");
}

#[test]
fn modules_in_each_of_their_forms() {
    const APPSTREAM: &str = "as=cpe:/a:redhat:enterprise_linux:8::appstream";
    const WHOLE_8: &str = "r8=cpe:/o:redhat:enterprise_linux:8";
    // products, components, relationships, id → what is made of it
    type Texts = &'static [&'static str];
    let table: [(Texts, Texts, Texts, &str, &str, &str); 5] = [
        (
            &[APPSTREAM],
            &["n=pkg:rpm/redhat/npm@1-2.module?arch=noarch&rpmmod=nodejs:18:8090:abc"],
            &["as|n"],
            "fixed",
            "as:n",
            "8::appstream npm Affected < 1-2.module nodejs:18 [] UNKNOWN []",
        ),
        (
            &[APPSTREAM],
            &[
                "m=pkg:rpmmod/redhat/nodejs@18:8090:abc",
                "n=pkg:rpm/redhat/npm@1-2.module?arch=noarch",
            ],
            &["as|m", "as:m|n"],
            "fixed",
            "as:m:n",
            "8::appstream npm Affected < 1-2.module nodejs:18 [] UNKNOWN []",
        ),
        (
            &[WHOLE_8],
            &["n=pkg:rpmmod/redhat/nodejs:18/nodejs"],
            &["r8|n"],
            "known_affected",
            "r8:n",
            "8 nodejs Affected open nodejs:18 [src] UNKNOWN []",
        ),
        // A module as a whole is told by its packages.
        (
            &[APPSTREAM],
            &["m=pkg:rpmmod/redhat/nodejs@18:8090:abc"],
            &["as|m"],
            "known_affected",
            "as:m",
            "",
        ),
        (
            &[WHOLE_8],
            &["n=pkg:rpm/redhat/npm?arch=src&rpmmod=nodejs"],
            &["r8|n"],
            "known_affected",
            "r8:n",
            "redhat: 1 of 1 entries could not be understood, more than 5 %; the first: it: \\\"nodejs\\\" is no module and stream",
        ),
    ];
    for (products, components, parts, list, id, want) in table {
        let json = document(products, components, parts, &status(list, &[id]));
        assert_eq!(read_one(&json), want, "{components:?}");
    }
}

#[test]
fn severities_are_red_hats_own_and_else_computed() {
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let score = format!(
        r#""scores":[{{"cvss_v3":{{"baseScore":1.0,"vectorString":"{vector}"}},"products":["r9:a","r9:b"]}}]"#
    );
    let threat = |word: &str, id: &str| {
        format!(r#"{{"category":"impact","details":"{word}","product_ids":["{id}"]}}"#)
    };
    let one = threat("Moderate", "r9:a");
    let both = format!("{one},{}", threat("Low", "r9:b"));
    // what is said beside the status → severities of a and b
    let table = [
        (String::new(), "UNKNOWN UNKNOWN"),
        (format!(",{score}"), "CRITICAL CRITICAL"),
        (format!(r#",{score},"threats":[{one}]"#), "MEDIUM MEDIUM"),
        (format!(r#",{score},"threats":[{both}]"#), "MEDIUM LOW"),
        (
            format!(
                r#",{score},"threats":[{both},{{"category":"exploit_status","details":"Critical"}}]"#
            ),
            "MEDIUM LOW",
        ),
        (format!(r#",{score},"threats":[{}]"#, threat("None", "r9:a")), "CRITICAL CRITICAL"),
    ];
    for (beside, want) in table {
        let rest = format!("{}{beside}", status("known_affected", &["r9:a", "r9:b"]));
        let components = ["a=pkg:rpm/redhat/a?arch=src", "b=pkg:rpm/redhat/b?arch=src"];
        let json = document(&[WHOLE], &components, &["r9|a", "r9|b"], &rest);
        let mut gathered = Gathered::default();
        parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
        let all = || gathered.advisories.values().flatten();
        let said: Vec<String> = all().map(|a| a.severity.to_string()).collect();
        assert_eq!(said.join(" "), want, "{beside}");
        let shown = beside.contains("CVSS").then_some(vector);
        assert!(all().all(|a| a.cvss.as_deref() == shown));
    }
}

#[test]
fn products_of_repositories_are_covered_where_documents_speak_of_their_release() {
    let json = document(
        &["eus=cpe:/o:redhat:rhel_eus:9.2::baseos"],
        &["a=pkg:rpm/redhat/a?arch=src"],
        &["eus|a"],
        &status("known_affected", &["eus:a"]),
    );
    let repositories = r#"{"data":{"a":{"cpes":["cpe:/a:redhat:rhel_eus:9.2::appstream","cpe:/o:redhat:rhel_aus:8.4::baseos"]},"b":{"cpes":["cpe:/a:redhat:openshift:4.16::el9"]}}}"#;
    let mut gathered = Gathered::default();
    super::parse_repositories(repositories.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    let streams: Vec<_> = gathered.feeds[0].streams.iter().map(|s| s.release.as_str()).collect();
    let parts = ["", "::appstream", "::baseos", "::crb", "::highavailability"];
    let mut want: Vec<_> = parts.map(|part| format!("enterprise_linux:9{part}")).into();
    // Nothing is said of version 8, and OpenShift is not read.
    want.extend(["", "::appstream", "::baseos"].map(|part| format!("rhel_eus:9.2{part}")));
    assert_eq!(streams, want);
}

#[test]
fn what_is_not_of_enterprise_linux_is_counted_and_what_is_wrong_too() {
    let products =
        [WHOLE, "eus=cpe:/a:redhat:rhel_eus:9.2::appstream", "o=cpe:/a:redhat:openshift:4"];
    let components = ["a=pkg:rpm/redhat/a?arch=src", "c=pkg:oci/redhat/c", "f=pkg:rpm/fedora/f"];
    let parts = ["r9|a", "eus|a", "o|a", "r9|c", "r9|f", "r9|unknown"];
    let ids = ["r9:a", "eus:a", "o:a", "r9:c", "r9:f", "r9:unknown", "nothing"];
    let json = document(&products, &components, &parts, &status("known_affected", &ids));
    let mut gathered = Gathered::default();
    parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    let extended = "Red Hat:rhel_eus:9.2::appstream a Affected open - [src] UNKNOWN []";
    assert_eq!(said(&gathered), format!("9 a Affected open - [src] UNKNOWN []; {extended}"));
    let ignored = gathered.ignored.join("");
    assert!(ignored.starts_with("redhat: 5 statements about other products"), "{ignored}");
    let streams: Vec<_> = gathered.feeds[0].streams.iter().map(|s| s.release.as_str()).collect();
    let parts = ["", "::appstream", "::baseos", "::crb", "::highavailability"];
    let mut want: Vec<_> = parts.map(|part| format!("enterprise_linux:9{part}")).into();
    want.push("rhel_eus:9.2::appstream".into());
    assert_eq!(streams, want);

    let usual =
        document(&[WHOLE], &components[..1], &["r9|a"], &status("known_affected", &["r9:a"]));
    let deep = format!("{{\"product_tree\":{}", "{\"branches\":[".repeat(10_000));
    let bad_purl = usual.replace("pkg:rpm/redhat/a?arch=src", "no purl");
    let no_release = usual.replace("redhat/a?", "redhat/a@1.0?");
    // However often it is said, it is one thing.
    let often = bad_purl.replace("[\"r9:a\"]", "[\"r9:a\",\"r9:a\"]");
    let long = "x".repeat(257);
    let with = |purl: &str| usual.replace("redhat/a?arch=src", purl);
    let module = format!("pkg:rpmmod/redhat/a:{long}/a");
    let table: Vec<(String, &str)> = vec![
        (String::new(), "it: no CSAF document: EOF"),
        ("[]".into(), "it: no CSAF document: invalid"),
        (deep, "it: no CSAF document: recursion limit exceeded"),
        (
            usual.replace("csaf_vex", "csaf_base"),
            "it: a document of the category \\\"csaf_base\\\"",
        ),
        (
            usual.replace("\"cve\":\"CVE-2024-1111\"", "\"cve\":\"x\""),
            "it: a vulnerability without the id of a CVE",
        ),
        (bad_purl, "it: \\\"no purl\\\" is no package URL"),
        (often, "it: \\\"no purl\\\" is no package URL"),
        (with(&format!("redhat/{long}")), "it: the package \\\"xxxx"),
        (with(&format!("redhat/a@{long}-1")), "it: the package \\\"a\\\" has something of more"),
        (with(&format!("redhat/a?arch={long}")), "it: the package \\\"a\\\" has something of more"),
        (with(&format!("redhat/a?rpmmod={long}:1")), "it: the package \\\"a\\\" has something"),
        (
            usual.replace("pkg:rpm/redhat/a?arch=src", &module),
            "it: the package \\\"a\\\" has something of more",
        ),
        (no_release, "it: \\\"1.0\\\" is no version with a release"),
    ];
    for (json, want) in table {
        let error = read_one(&json);
        let want = format!(
            "redhat: 1 of 1 entries could not be understood, more than 5 %; the first: {want}"
        );
        assert!(error.starts_with(&want), "{error}\n{want}");
    }
    assert_eq!(read_one(&usual.replace("\"final\"", "\"deleted\"")), "");
}

#[test]
fn an_id_counts_once_in_a_list_however_often_it_is_named() {
    let remedy = |n: u32| {
        format!(
            r#"{{"category":"vendor_fix","url":"https://x/errata/RHSA-2024:{n}","product_ids":["r9:a"]}}"#
        )
    };
    let remedies: Vec<String> = (0..5000).map(remedy).collect();
    let ids = ["r9:a", "o:a"].repeat(100_000);
    let rest = format!(r#"{},"remediations":[{}]"#, status("fixed", &ids), remedies.join(","));
    let products = [WHOLE, "o=cpe:/a:redhat:openshift:4"];
    let json = document(&products, &["a=pkg:rpm/redhat/a@1-2?arch=src"], &["r9|a", "o|a"], &rest);
    let mut gathered = Gathered::default();
    parse(json.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    let errata: Vec<_> = gathered.advisories.values().flatten().map(|a| a.errata.len()).collect();
    assert_eq!(errata, [5000]);
    let ignored = gathered.ignored.join("");
    assert!(ignored.starts_with("redhat: 1 statements about other products"), "{ignored}");
}

#[test]
fn a_document_that_has_changed_counts_instead_of_the_archives() {
    let dir = tempfile::tempdir().unwrap();
    let read = || {
        let mut gathered = Gathered::default();
        read(dir.path(), &Limits::default(), &mut gathered).map(|()| gathered)
    };
    let error = read().unwrap_err().to_string();
    assert!(error.ends_with(": neither vex.tar.zst nor documents in it"), "{error}");

    let of = |cve: &str, list: &str| {
        let json = document(
            &[WHOLE],
            &["a=pkg:rpm/redhat/a?arch=src"],
            &["r9|a"],
            &status(list, &["r9:a"]),
        );
        json.replace("CVE-2024-1111", cve)
    };
    let archive = [
        entry("2024/", b'5', b""),
        entry("./2024/cve-2024-1111.json", b'0', of("CVE-2024-1111", "known_affected").as_bytes()),
        entry("2024/cve-2024-2222.json", b'0', of("CVE-2024-2222", "known_affected").as_bytes()),
        entry("2024/cve-2024-3333.json", b'0', of("CVE-2024-3333", "known_affected").as_bytes()),
        entry("index.txt", b'0', b"no document"),
    ];
    let packed = zstd::encode_all(&archive.concat()[..], 1).unwrap();
    std::fs::write(dir.path().join("vex.tar.zst"), &packed).unwrap();
    std::fs::write(
        dir.path().join("deletions.csv"),
        "\"2024/cve-2024-3333.json\",\"2024-06-01T00:00:00+00:00\"\n",
    )
    .unwrap();
    let year = dir.path().join("documents/2024");
    std::fs::create_dir_all(&year).unwrap();
    let changed = of("CVE-2024-2222", "known_not_affected").replace("2024-05-01", "2024-06-01");
    std::fs::write(year.join("cve-2024-2222.json"), changed).unwrap();
    std::fs::write(year.join("notes.txt"), "x").unwrap();
    let gathered = read().unwrap();
    let states: Vec<_> =
        gathered.advisories.values().flatten().map(|a| format!("{} {:?}", a.id, a.state)).collect();
    assert_eq!(states, ["CVE-2024-2222 NotAffected", "CVE-2024-1111 Affected"]);
    assert_eq!(gathered.feeds[0].as_of.unwrap().to_string(), "2024-06-01T00:00:00Z");
    assert_eq!(gathered.ignored, ["redhat/documents/2024/notes.txt: no document's name"]);

    // Cut off, changed, or a bomb.
    let cut = &packed[..packed.len() / 2];
    let bomb =
        zstd::encode_all(&entry("2024/cve-2024-1.json", b'0', &vec![b' '; 300 << 20])[..], 1)
            .unwrap();
    for (bytes, want) in [
        (cut, "it cannot be unpacked"),
        (&b"text"[..], "it ends too early"),
        (&bomb[..], "a file in it is larger than 268435456 bytes"),
    ] {
        std::fs::write(dir.path().join("vex.tar.zst"), bytes).unwrap();
        let error = read().unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}
