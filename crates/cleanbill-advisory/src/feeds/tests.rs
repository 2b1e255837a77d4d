//! What the parsers of feeds do with documents of all kinds.

mod almalinux_errata;
mod dates;
mod nothing;
mod publishers;
mod rubysec_gems;
mod zips;

use cleanbill_core::advisory::State;
use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::severity::Severity;
use proptest::prelude::*;

use super::{
    almalinux, debian, eol, epss, kev, nvd, osv, redhat, rubysec, secdb, suse, updateinfo,
};
use crate::gather::Gathered;
use crate::limits::Limits;

/// Every parser on the same bytes.
fn all(bytes: &[u8]) {
    for ecosystem in Ecosystem::ALL {
        drop(osv::parse(bytes, ecosystem));
    }
    let (limits, mut into) = (Limits::default(), Gathered::default());
    drop(osv::archive(std::io::Cursor::new(bytes), Ecosystem::PyPI, &limits, &mut into));
    drop(secdb::parse(bytes, None, &mut into));
    drop(kev::parse(bytes, &limits, &mut into));
    drop(eol::parse(bytes, &limits, &mut into));
    drop(debian::parse(bytes, &limits, &mut into));
    drop(epss::parse(bytes, &limits, &mut into));
    drop(nvd::parse(bytes, &limits, &mut into));
    drop(updateinfo::parse(bytes, &limits, &mut into));
    updateinfo::fuzz_repomd(bytes);
    drop(rubysec::parse(bytes));
    drop(rubysec::archive(std::io::Cursor::new(bytes), &limits, &mut into));
    drop(almalinux::parse(bytes, &limits, &mut into));
    drop(redhat::parse(bytes, &limits, &mut into));
    drop(redhat::parse_archive(bytes, &limits, &mut into));
    drop(redhat::parse_repositories(bytes, &limits, &mut into));
    drop(suse::parse(bytes, &limits, &mut into));
    drop(suse::parse_archive(bytes, &limits, &mut into));
}

const DOCUMENTS: [&str; 14] = [
    r#"{"data":{"rhel-9-for-x86_64-baseos-eus-rpms":{"cpes":["cpe:/o:redhat:rhel_eus:9.2::baseos"],"repo_relative_urls":["a"]}}}"#,
    "gem: a\ncve: 2023-22795\nghsa: 8xww-x3g3-6jcv\ncvss_v3: 7.5\npatched_versions:\n  - \"~> 5.2.8\"\n  - \">= 7.0\"\n",
    r#"{"data":[{"id":"ALSA-2024:1","issued_date":1628589283,"severity":"Low","type":"security","packages":[{"name":"a","epoch":"1","version":"3","release":"2","arch":"x86_64","module":"n:1:2:c"}],"references":[{"id":"CVE-2024-1111","type":"cve"}]}]}"#,
    r#"{"id":"PYSEC-1","modified":"2024-01-01T00:00:00Z","aliases":["CVE-2024-1111"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"PyPI","name":"A.b_c"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1"},{"fixed":"0.5"}]}],"versions":["2"]}]}"#,
    r#"{"distroversion":"v3.9","packages":[{"pkg":{"name":"xen","secfixes":{"4.7-r1":["CVE-2016-1111 XSA-2",null],"0":null}}}]}"#,
    r#"{"dateReleased":"2024-01-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2024-1111"}]}"#,
    r#"{"as_of":"2024-01-01","distributions":{"alpine":[{"release":"3.9","end_of_life":"2020-11-01"},{"release":"edge","end_of_life":false}]}}"#,
    r#"{"xen":{"CVE-2016-1111":{"releases":{"bookworm":{"status":"open","urgency":"low","nodsa_reason":"ignored"},"sid":{"status":"resolved","fixed_version":"1"}}}}}"#,
    "#model_version:v1,score_date:2025-08-01T00:00:00+0000\ncve,epss,percentile\nCVE-2021-44228,0.94358,0.99958\n",
    r#"{"timestamp":"2025-08-01T00:00:00.000","vulnerabilities":[{"cve":{"id":"CVE-2024-1111","metrics":{"cvssMetricV31":[{"type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]}}}]}"#,
    r#"<updates><update type="security"><id>ALAS-1</id><issued date="2024-02-01 10:00:00"/><severity>low</severity><references><reference id="CVE-2024-1111" type="cve"/></references><pkglist><collection><module name="a" stream="1"/><package arch="x86_64" epoch="1" name="a" release="1" version="3"/></collection></pkglist></update></updates>"#,
    r#"<repomd><data type="updateinfo"><checksum type="sha256">00</checksum><location href="a/b"/></data></repomd>"#,
    r#"{"document":{"category":"csaf_vex","tracking":{"status":"final","current_release_date":"2024-05-01T00:00:00+00:00"}},"product_tree":{"branches":[{"branches":[{"product":{"product_id":"r8","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:8"}}},{"product":{"product_id":"m","product_identification_helper":{"purl":"pkg:rpmmod/redhat/nodejs@18:1:a"}}},{"product":{"product_id":"a","product_identification_helper":{"purl":"pkg:rpm/redhat/a@1.0-2.el8?arch=x86_64&epoch=1"}}}]}],"relationships":[{"full_product_name":{"product_id":"r8:m"},"product_reference":"m","relates_to_product_reference":"r8"},{"full_product_name":{"product_id":"r8:m:a"},"product_reference":"a","relates_to_product_reference":"r8:m"}]},"vulnerabilities":[{"cve":"CVE-2024-1111","release_date":"2024-03-05T00:00:00+00:00","product_status":{"fixed":["r8:m:a"],"known_affected":["r8:m"]},"remediations":[{"category":"vendor_fix","url":"https://access.redhat.com/errata/RHSA-2024:1","product_ids":["r8:m:a"]}],"scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},"products":["r8:m:a"]}],"threats":[{"category":"impact","details":"Low","product_ids":["r8:m:a"]}]}]}"#,
    r#"{"document":{"category":"csaf_vex","tracking":{"status":"interim","current_release_date":"2024-05-01T00:00:00Z"}},"product_tree":{"relationships":[{"full_product_name":{"product_id":"openSUSE Leap 15.6:a-1-2"},"product_reference":"a-1-2","relates_to_product_reference":"openSUSE Leap 15.6"},{"full_product_name":{"product_id":"SUSE Linux Enterprise Server 15 SP6:b"},"product_reference":"b","relates_to_product_reference":"SUSE Linux Enterprise Server 15 SP6"},{"full_product_name":{"product_id":"SUSE Linux Enterprise Module for Basesystem 15 SP6:c-1"},"product_reference":"c-1","relates_to_product_reference":"SUSE Linux Enterprise Module for Basesystem 15 SP6"}],"branches":[{"branches":[{"product":{"product_id":"a-1-2","product_identification_helper":{"purl":"pkg:rpm/suse/a@1-2?upstream=s-1-2.src.rpm"}}},{"product":{"product_id":"b","product_identification_helper":{"purl":"pkg:rpm/suse/b@?upstream=s.src.rpm"}}},{"product":{"product_id":"c-1","product_identification_helper":{"purl":"pkg:rpm/suse/c@1"}}}]}]},"vulnerabilities":[{"cve":"CVE-2024-1111","product_status":{"recommended":["openSUSE Leap 15.6:a-1-2"],"known_affected":["SUSE Linux Enterprise Server 15 SP6:b"],"known_not_affected":["SUSE Linux Enterprise Module for Basesystem 15 SP6:c-1"]},"remediations":[{"category":"no_fix_planned","details":"x","product_ids":["SUSE Linux Enterprise Server 15 SP6:b"]}],"scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},"products":[]}],"threats":[{"category":"impact","details":"low"}]}]}"#,
];

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        all(&bytes);
    }

    #[test]
    fn no_change_to_a_document_makes_a_parser_panic(
        which in 0..DOCUMENTS.len(),
        at in any::<prop::sample::Index>(),
        length in 0usize..6,
        put in "[\\[\\]{}\":,0-9a-z\u{0}é.-]{0,6}",
    ) {
        let mut text: Vec<u8> = DOCUMENTS[which].into();
        let at = at.index(text.len());
        let end = (at + length).min(text.len());
        text.splice(at..end, put.bytes());
        all(&text);
    }
}

#[test]
fn an_osv_document_is_read_or_refused_with_its_reason() {
    let deep =
        format!(r#"{{"id":"X","database_specific":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let package = r#""package":{"ecosystem":"PyPI","name":"a"}"#;
    let table: Vec<(String, &str)> = vec![
        ("".into(), "no OSV document: EOF while parsing a value at line 1 column 0"),
        ("3".into(), "no OSV document: invalid type: integer `3`, expected struct Entry at line 1 column 1"),
        (r#"{"id":""}"#.into(), "its id is empty"),
        (r#"{"id":"X"}"#.into(), "X names nothing that is affected"),
        (r#"{"id":"X","affected":null}"#.into(), "X names nothing that is affected"),
        (r#"{"id":"X","id":"Y"}"#.into(), "no OSV document: duplicate field `id` at line 1 column 14"),
        // What is passed over holds nothing, however deep it is.
        (deep, "X names nothing that is affected"),
        (
            format!(r#"{{"id":"X","affected":[{}]}}"#, vec!["{}"; 50_001].join(",")),
            "no OSV document: a list of more than 50000 at line 1 column 150025",
        ),
        (
            r#"{"id":"X","affected":[{"package":{"ecosystem":"PyPI","name":""}}]}"#.into(),
            "X names a package without a name",
        ),
        (format!(r#"{{"id":"X","affected":[{{{package}}}]}}"#), "PyPI a X UNKNOWN -"),
        (
            format!(r#"{{"id":"X","database_specific":{{"severity":"MODERATE"}},"affected":[{{{package}}}]}}"#),
            "PyPI a X MEDIUM -",
        ),
        (
            format!(r#"{{"id":"X","severity":[{{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}}],"affected":[{{{package},"ecosystem_specific":{{"severity":"low"}}}}]}}"#),
            "PyPI a X CRITICAL AV:N/AC:L/Au:N/C:C/I:C/A:C",
        ),
        (
            // A vector of version 4 is shown, and the word beside it counts.
            format!(r#"{{"id":"X","severity":[{{"type":"CVSS_V4","score":"CVSS:4.0/AV:N"}}],"affected":[{{{package},"ecosystem_specific":{{"severity":"low"}}}}]}}"#),
            "PyPI a X LOW CVSS:4.0/AV:N",
        ),
        (
            format!(r#"{{"id":"X","severity":[{{"type":"Ubuntu","score":"negligible"}}],"affected":[{{{package}}}]}}"#),
            "PyPI a X LOW -",
        ),
        (format!(r#"{{"id":"{}"}}"#, "X".repeat(257)), "an id is longer than 256 bytes"),
        (
            format!(r#"{{"id":"X","aliases":["{}"]}}"#, "X".repeat(3 << 20)),
            "an id is longer than 256 bytes",
        ),
        (
            format!(r#"{{"id":"X","affected":[{{"package":{{"ecosystem":"PyPI","name":"{}"}}}}]}}"#, "a".repeat(1 << 20)),
            "the name of a package is longer than 1024 bytes",
        ),
        (
            format!(r#"{{"id":"X","affected":[{{"package":{{"ecosystem":"PyPI:{}","name":"a"}}}}]}}"#, "a".repeat(257)),
            "the name of an ecosystem is longer than 256 bytes",
        ),
        // Of an erratum the rating may stand in the summary alone.
        (
            format!(r#"{{"id":"ALSA-1","summary":"Important: a","affected":[{{{package}}}]}}"#),
            "PyPI a ALSA-1 HIGH -",
        ),
        (
            format!(r#"{{"id":"ALSA-1","summary":"Important update","affected":[{{{package}}}]}}"#),
            "PyPI a ALSA-1 UNKNOWN -",
        ),
        (
            format!(r#"{{"id":"ALSA-1","summary":"new module: a:1","affected":[{{{package}}}]}}"#),
            "PyPI a ALSA-1 UNKNOWN -",
        ),
        (
            format!(r#"{{"id":"ALSA-1","summary":"Important: a","database_specific":{{"severity":"low"}},"affected":[{{{package}}}]}}"#),
            "PyPI a ALSA-1 LOW -",
        ),
        (
            format!(r#"{{"id":"X","summary":"Important: a","affected":[{{{package}}}]}}"#),
            "PyPI a X UNKNOWN -",
        ),
        // Another ecosystem's part is left to that ecosystem's zip.
        (r#"{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#.into(), ""),
        (
            r#"{"id":"X","affected":[{"package":{"ecosystem":"PyPI","name":"Zope._Access--Control"}}]}"#.into(),
            "PyPI zope-access-control X UNKNOWN -",
        ),
    ];
    for (document, wanted) in table {
        let said = match osv::parse(document.as_bytes(), Ecosystem::PyPI) {
            Ok(parsed) => {
                let affected = parsed.affected.iter().map(|(stream, name, a)| {
                    let cvss = a.cvss.as_deref().unwrap_or("-");
                    format!("{stream} {name} {} {} {cvss}", a.id, a.severity)
                });
                affected.collect::<Vec<_>>().join("; ")
            }
            Err(e) => e.to_string(),
        };
        let shown = document.chars().take(200).collect::<String>();
        assert_eq!(said, wanted, "{shown}");
    }
}

#[test]
fn an_alpine_database_is_read() {
    let json = r#"{"distroversion":"v3.19","packages":[
        {"pkg":{"name":"a","secfixes":{"1.0-r1":["CVE-2020-1111 XSA-1"],"1.2-r0":["CVE-2020-1111"],"0":["CVE-2020-2222"]}}},
        {"pkg":{"name":"b","secfixes":null}}]}"#;
    let mut into = Gathered::default();
    assert_eq!(secdb::parse(json.as_bytes(), None, &mut into).unwrap().to_string(), "Alpine:v3.19");
    let key = ("Alpine:v3.19".to_owned(), "a".to_owned());
    let found: Vec<_> = into.advisories[&key]
        .iter()
        .map(|a| (a.id.as_str(), a.errata.clone(), a.ranges.len(), a.state, a.severity))
        .collect();
    let wanted = [
        ("CVE-2020-1111", vec!["XSA-1".to_owned()], 2, State::Affected, Severity::Unknown),
        ("CVE-2020-2222", vec![], 0, State::NotAffected, Severity::Unknown),
    ];
    assert_eq!(found, wanted);
    assert_eq!(into.advisories.len(), 1);
}

#[test]
fn a_database_that_names_no_package_covers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let full = r#"[{"pkg":{"name":"musl","secfixes":{"1.1.20-r5":["CVE-2019-14697"]}}}]"#;
    for (release, packages) in [("v3.8", "null"), ("v3.9", full)] {
        let folder = dir.path().join(release);
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(r#"{{"distroversion":"{release}","packages":{packages}}}"#);
        std::fs::write(folder.join("main.json"), text).unwrap();
    }
    let mut gathered = Gathered::default();
    secdb::read(dir.path(), &Limits::default(), &mut gathered).unwrap();
    let streams: Vec<String> = gathered.feeds[0].streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["Alpine:v3.9"]);
}
