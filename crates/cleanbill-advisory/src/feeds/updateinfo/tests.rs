//! What is taken of each line of a list of errata, and what is counted as not understood.

use std::io::Write as _;

use cleanbill_core::advisory::RangeEnd;

use super::{parse, read_amazon};
use crate::gather::Gathered;
use crate::limits::Limits;

const HEAD: &str = r#"<id>ALAS2023-2024-501</id><title>x</title><issued date="2024-02-01 10:00:00"/><updated date="2024-02-03 10:00:00"/><severity>Important</severity>"#;
const ONE_CVE: &str =
    r#"<references><reference href="x" id="CVE-2024-1111" type="cve"/></references>"#;
const ONE_PACKAGE: &str = r#"<pkglist><collection short="amazon-linux"><name>x</name><package arch="x86_64" epoch="1" name="a" release="2.amzn2023" version="3.0"><filename>a.rpm</filename></package></collection></pkglist>"#;

fn list(updates: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>{updates}</updates>\n")
}

fn security(inside: &str) -> String {
    list(&format!(
        r#"<update from="x" status="final" type="security" version="1.4">{inside}</update>"#
    ))
}

/// `package id erratum severity fix module arches published`, sorted.
fn said(gathered: &Gathered) -> String {
    let mut lines = Vec::new();
    for ((_, package), advisories) in &gathered.advisories {
        for a in advisories {
            let fix = match a.ranges.first().map(|r| &r.end) {
                Some(RangeEnd::Fixed(fixed)) => format!("< {fixed}"),
                other => format!("{other:?} {:?}", a.unreadable),
            };
            let (module, date) = (a.module.as_deref().unwrap_or("-"), a.published);
            let date = date.map_or("-".into(), |d| d.strftime("%F").to_string());
            let (errata, arches) = (a.errata.join(","), a.arches.join(","));
            lines.push(format!(
                "{package} {} [{errata}] {} {fix} {module} [{arches}] {date}",
                a.id, a.severity
            ));
        }
    }
    lines.join("; ")
}

/// Reads a list; an error is shown.
fn read(xml: &str, limits: &Limits) -> String {
    let mut gathered = Gathered::default();
    match parse(xml.as_bytes(), limits, &mut gathered) {
        Ok(()) => said(&gathered),
        Err(e) => e.to_string(),
    }
}

#[test]
fn each_part_of_an_erratum() {
    let usual = "a CVE-2024-1111 [ALAS2023-2024-501] HIGH < 1:3.0-2.amzn2023 - [x86_64] 2024-02-01";
    let two_cves = r#"<references><reference id="CVE-2024-2222" type="cve"/><reference id="CVE-2024-1111" type="cve"/><reference id="RHBZ-1" type="bugzilla"/></references>"#;
    let both = usual.replace("1111", "2222");
    let arches = r#"<pkglist><collection><name>x</name><package arch="x86_64" epoch="0" name="a" release="2" version="3"/><package arch="aarch64" epoch="0" name="a" release="2" version="3"/><package arch="src" epoch="0" name="b" release="2" version="3"/></collection></pkglist>"#;
    let module = r#"<pkglist><collection><name>x</name><module name="nodejs" stream="18" version="1" context="c" arch="x86_64"/><package arch="noarch" epoch="0" name="npm" release="2.module" version="3"/></collection><collection><name>y</name><package arch="noarch" name="z" release="2" version="3"/></collection></pkglist>"#;
    let bug =
        |inside: &str| list(&format!(r#"<update type="bugfix" status="final">{inside}</update>"#));
    let table: Vec<(String, String)> = vec![
        (security(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}")), usual.into()),
        // Each flaw by itself, with the erratum as its group.
        (security(&format!("{HEAD}{two_cves}{ONE_PACKAGE}")), format!("{usual}; {both}")),
        // One that names no flaw is itself the name of what it closes.
        (
            security(&format!("{HEAD}{ONE_PACKAGE}")),
            "a ALAS2023-2024-501 [] HIGH < 1:3.0-2.amzn2023 - [x86_64] 2024-02-01".into(),
        ),
        // The same build for all architectures is said of all; sources are not installed.
        (
            security(&format!("{HEAD}{ONE_CVE}{arches}")),
            "a CVE-2024-1111 [ALAS2023-2024-501] HIGH < 3-2 - [] 2024-02-01".into(),
        ),
        (
            security(&format!("{HEAD}{ONE_CVE}{module}")),
            "npm CVE-2024-1111 [ALAS2023-2024-501] HIGH < 3-2.module nodejs:18 [noarch] 2024-02-01; z CVE-2024-1111 [ALAS2023-2024-501] HIGH < 3-2 - [noarch] 2024-02-01".into(),
        ),
        // A mended bug is no flaw, unless it closes one.
        (bug(&format!("{HEAD}{ONE_PACKAGE}")), String::new()),
        (bug(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}")), usual.into()),
        // What was taken back is not there.
        (
            security(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}")).replace("final", "retracted"),
            String::new(),
        ),
        (
            security(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}")).replace("Important", "unheard"),
            usual.replace("HIGH", "UNKNOWN"),
        ),
        // An id within another element is another's.
        (
            security(&format!("{HEAD}<other><id>X</id></other>{ONE_CVE}{ONE_PACKAGE}")),
            usual.into(),
        ),
        (security(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}")).replace("ALAS2023-2024-501", "<![CDATA[ALAS2023-2024-501]]>"), usual.into()),
    ];
    for (xml, want) in table {
        assert_eq!(read(&xml, &Limits::default()), want, "{xml}");
    }
}

#[test]
fn what_is_not_understood_is_counted_and_the_rest_kept() {
    let package = |attributes: &str| {
        format!("<pkglist><collection><package {attributes}/></collection></pkglist>")
    };
    let bad_cve = r#"<references><reference id="CVE-wrong" type="cve"/></references>"#;
    // inside of the update, why, what stays
    let table: Vec<(String, &str, &str)> = vec![
        (format!("{HEAD}{ONE_CVE}"), "ALAS2023-2024-501: it has no id, or names no package", ""),
        (
            format!("<severity>low</severity>{ONE_CVE}{ONE_PACKAGE}"),
            ": it has no id, or names no package",
            "",
        ),
        (
            format!("{HEAD}{bad_cve}{ONE_PACKAGE}"),
            "ALAS2023-2024-501: \\\"CVE-wrong\\\" is no id of a CVE",
            "a ALAS2023-2024-501 [] HIGH < 1:3.0-2.amzn2023 - [x86_64] 2024-02-01",
        ),
        // Whoever has the package is told, instead of its looking clean.
        (
            format!("{HEAD}{ONE_CVE}{}", package(r#"name="a" arch="x86_64" release="1""#)),
            "ALAS2023-2024-501: a package without a name, version or architecture: \\\"a\\\"",
            "a CVE-2024-1111 [ALAS2023-2024-501] HIGH None Some(\"ALAS2023-2024-501 does not say which version has the fix\") - [x86_64] 2024-02-01",
        ),
        (
            format!("{HEAD}{ONE_CVE}{}", package(r#"name="a" version="1" release="1""#)),
            "ALAS2023-2024-501: a package without a name, version or architecture: \\\"a\\\"",
            "a CVE-2024-1111 [ALAS2023-2024-501] HIGH < 1-1 - [noarch] 2024-02-01",
        ),
        (
            format!(
                "{HEAD}{ONE_CVE}{}",
                package(r#"name="&custom;" arch="x86_64" version="1" release="1""#)
            ),
            "ALAS2023-2024-501: ",
            "",
        ),
        (
            format!("{}{ONE_CVE}{ONE_PACKAGE}", HEAD.replace("501", &"5".repeat(300))),
            ": an id or severity of over 256 bytes",
            "",
        ),
    ];
    let all = Limits { not_understood_percent: 100, ..Limits::default() };
    for (inside, why, stays) in table {
        let xml = security(&inside);
        let error = read(&xml, &Limits::default());
        let want = format!(
            "amazon: 1 of 1 entries could not be understood, more than 5 %; the first: {why}"
        );
        assert!(error.starts_with(&want), "{error}\n{want}");
        assert_eq!(read(&xml, &all), stays, "{xml}");
    }
}

#[test]
fn what_is_hostile_ends_it() {
    let piece = "x".repeat(5 << 20);
    let limits = Limits::default();
    let small = Limits { total_bytes: 100, ..Limits::default() };
    let few = Limits { entries: 2, ..Limits::default() };
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    let many = format!(r#"<update type="security" {}/>"#, r#"x="" "#.repeat(100));
    let bomb = r#"<!DOCTYPE updates [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><updates/>"#;
    let table: Vec<(String, &Limits, &str)> = vec![
        (String::new(), &limits, "no list of errata (updateinfo): it ends too early"),
        ("<html></html>".into(), &limits, "no list of errata (updateinfo)"),
        ("{}".into(), &limits, "no list of errata (updateinfo): it ends too early"),
        ("<updates><update>".into(), &limits, "no list of errata (updateinfo): it ends too early"),
        ("<updates></update>".into(), &limits, "no list of errata (updateinfo): "),
        ("<updates>\u{0}\u{fffd}<".into(), &limits, "no list of errata (updateinfo): "),
        (bomb.into(), &limits, "it has a document type"),
        (list(&deep), &limits, "more than 16 elements are open at once"),
        (list(&many), &limits, "amazon: 1 of 1 entries could not be understood"),
        (list(&piece), &limits, "a tag or text is larger than 4194304 bytes"),
        (
            list(&format!("<!-- {} -->", "<".repeat(5 << 20))),
            &limits,
            "a tag or text is larger than 4194304 bytes",
        ),
        (
            list(&format!("<update type=\"{piece}\"/>")),
            &limits,
            "a tag or text is larger than 4194304 bytes",
        ),
        (list(&"<x/>".repeat(100)), &small, "it is larger than it may be"),
        (security(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}")), &few, "more than 2 entries"),
    ];
    for (xml, limits, want) in table {
        let shown: String = xml.chars().take(80).collect();
        let error = read(&xml, limits);
        assert!(error.starts_with(want), "{shown}: {error}");
    }
    let mut gathered = Gathered::default();
    assert!(parse(&b"<updates>\xff\xfe</updates>"[..], &limits, &mut gathered).is_err());
}

#[test]
fn a_release_is_whole_or_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let put = |path: &str, xml: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(xml.as_bytes()).unwrap();
        std::fs::write(path, gz.finish().unwrap()).unwrap();
    };
    let read = || {
        let mut gathered = Gathered::default();
        read_amazon(dir.path(), &Limits::default(), &mut gathered).map(|()| gathered)
    };
    let said_of =
        |error: crate::Error| error.to_string().replace(&dir.path().display().to_string(), "DIR");
    assert_eq!(said_of(read().unwrap_err()), "DIR: no release in it; known are 1, 2, 2023");

    let usual = security(&format!("{HEAD}{ONE_CVE}{ONE_PACKAGE}"));
    put("2023/core/x86_64/updateinfo.xml.gz", &usual);
    let error = said_of(read().unwrap_err());
    let want = "every repository and architecture of a release is needed: DIR/2023/core/aarch64/updateinfo.xml.gz: ";
    assert!(error.starts_with(want), "{error}");

    // One that has no erratum yet may be empty, but not all of a release.
    put("2023/core/aarch64/updateinfo.xml.gz", &list(""));
    let gathered = read().unwrap();
    assert!(said(&gathered).contains("[x86_64]"));
    let feed = &gathered.feeds[0];
    assert_eq!((feed.id.as_str(), feed.advisories), ("amazon", 1));
    assert_eq!(feed.as_of.unwrap().to_string(), "2024-02-03T10:00:00Z");
    put("2023/core/x86_64/updateinfo.xml.gz", &list(""));
    assert_eq!(said_of(read().unwrap_err()), "DIR/2023: no erratum of a flaw in it");

    // The same erratum of two architectures is one.
    for (arch, xml) in [("x86_64", usual.clone()), ("aarch64", usual.replace("x86_64", "aarch64"))]
    {
        put(&format!("2023/core/{arch}/updateinfo.xml.gz"), &xml);
    }
    put("1/updates/x86_64/updateinfo.xml.gz", &usual);
    put("2022/core/x86_64/updateinfo.xml.gz", &usual);
    let gathered = read().unwrap();
    let streams: Vec<_> = gathered.feeds[0].streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["Amazon Linux:1", "Amazon Linux:2023"]);
    assert_eq!(gathered.ignored, ["amazon/2022: a release that is not known here"]);
    let key = ("Amazon Linux:2023".to_owned(), "a".to_owned());
    assert_eq!(gathered.advisories[&key].len(), 1);
    assert!(gathered.advisories[&key][0].arches.is_empty());
}
