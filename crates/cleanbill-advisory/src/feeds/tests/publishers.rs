//! Publishers' own documents: what is taken of each line of them, and what is counted as not
//! understood.

use std::io::Write as _;

use cleanbill_core::advisory::{Advisory, RangeEnd};

use crate::feeds::{debian, epss, nvd, secdb};
use crate::gather::Gathered;
use crate::limits::Limits;

/// `stream package id severity state range`, sorted.
fn said(gathered: &Gathered) -> Vec<String> {
    let range = |a: &Advisory| match a.ranges.as_slice() {
        [] => "-".to_owned(),
        [one] => match &one.end {
            RangeEnd::Open => "open".to_owned(),
            RangeEnd::Fixed(fixed) => format!("< {fixed}"),
            RangeEnd::LastAffected(last) => format!("<= {last}"),
            RangeEnd::Before(end) => format!("< {end}, no fix"),
        },
        more => format!("{} ranges", more.len()),
    };
    let of = |((stream, package), list): (&(String, String), &Vec<Advisory>)| {
        let line = |a: &Advisory| {
            format!("{stream} {package} {} {} {:?} {}", a.id, a.severity, a.state, range(a))
        };
        list.iter().map(line).collect::<Vec<_>>()
    };
    gathered.advisories.iter().flat_map(of).collect()
}

#[test]
fn each_standing_of_debians_tracker() {
    // of one release: what is made of it; an error is counted, and named
    let table: [(&str, Result<&str, &str>); 15] = [
        (r#""status":"open","urgency":"not yet assigned""#, Ok("UNKNOWN Affected open")),
        (
            r#""status":"open","urgency":"medium","nodsa":"Minor issue","nodsa_reason":"""#,
            Ok("MEDIUM Affected open"),
        ),
        (r#""status":"open","urgency":"low","nodsa_reason":"ignored""#, Ok("LOW WillNotFix open")),
        (
            r#""status":"open","urgency":"high**","nodsa_reason":"postponed""#,
            Ok("HIGH FixDeferred open"),
        ),
        (r#""status":"open","urgency":"end-of-life""#, Ok("UNKNOWN EndOfLife open")),
        (r#""status":"open","urgency":"unimportant""#, Ok("LOW Affected open")),
        (r#""status":"open""#, Ok("UNKNOWN Affected open")),
        // A version beside an open flaw says nothing: the tracker means none that fixes it.
        (r#""status":"open","fixed_version":"1-1""#, Ok("UNKNOWN Affected open")),
        (
            r#""status":"resolved","fixed_version":"2.36-9+deb12u7","urgency":"not yet assigned""#,
            Ok("UNKNOWN Affected < 2.36-9+deb12u7"),
        ),
        (
            r#""status":"resolved","fixed_version":"0","urgency":"unimportant""#,
            Ok("LOW NotAffected -"),
        ),
        (
            r#""status":"undetermined","urgency":"not yet assigned""#,
            Ok("UNKNOWN UnderInvestigation open"),
        ),
        (
            r#""status":"resolved""#,
            Err("xen CVE-2024-1: it is resolved, and no version says where"),
        ),
        (r#""status":"perhaps""#, Err("xen CVE-2024-1: the status \\\"perhaps\\\" is not known")),
        (r#""status":"""#, Err("xen CVE-2024-1: the status \\\"\\\" is not known")),
        (r#""status":"OPEN""#, Err("xen CVE-2024-1: the status \\\"OPEN\\\" is not known")),
    ];
    for (standing, want) in table {
        let text = format!(
            r#"{{"xen":{{"CVE-2024-1":{{"description":"x","scope":"local","releases":{{"bookworm":{{{standing}}}}}}}}}}}"#
        );
        let mut gathered = Gathered::default();
        let read = debian::parse(text.as_bytes(), &Limits::default(), &mut gathered);
        match want {
            Ok(want) => {
                read.unwrap();
                assert_eq!(
                    said(&gathered),
                    [format!("Debian:12 xen CVE-2024-1 {want}")],
                    "{standing}"
                );
            }
            Err(why) => {
                let error = read.unwrap_err().to_string();
                assert!(error.contains(why), "{error}");
                assert!(error.contains("1 of 1 entries could not be understood"), "{error}");
            }
        }
    }
}

#[test]
fn a_standing_that_is_not_understood_is_a_gap_for_whoever_has_the_package() {
    let text = r#"{"xen":{"CVE-2024-1":{"releases":{"bookworm":{"status":"perhaps"}}}}}"#;
    let limits = Limits { not_understood_percent: 100, ..Limits::default() };
    let mut gathered = Gathered::default();
    debian::parse(text.as_bytes(), &limits, &mut gathered).unwrap();
    let [only] = gathered.advisories.values().flatten().collect::<Vec<_>>()[..] else {
        panic!("{gathered:?}")
    };
    assert_eq!(only.unreadable.as_deref(), Some("the status \"perhaps\" is not known"));
    assert_eq!((gathered.feeds[0].advisories, gathered.feeds[0].not_understood), (0, 1));
}

#[test]
fn releases_of_debian_that_are_not_known_are_said() {
    let text = r#"{"xen":{"CVE-2024-1":{"releases":{
        "bookworm":{"status":"open"},"sid":{"status":"open"},"later":{"status":"open"}}}}}"#;
    let mut gathered = Gathered::default();
    debian::parse(text.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    let streams: Vec<_> = gathered.feeds[0].streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["Debian:12", "Debian:sid"]);
    assert_eq!(
        gathered.ignored,
        ["debian-tracker: the release \"later\", which is not known here"]
    );
    for broken in
        ["", "[]", "{", r#"{"a":3}"#, r#"{"a":{}} x"#, r#"{"a":{"b":{"releases":{"sid":{}}}}}"#]
    {
        let mut gathered = Gathered::default();
        let read = debian::parse(broken.as_bytes(), &Limits::default(), &mut gathered);
        let error = read.unwrap_err().to_string();
        assert!(error.starts_with("no document of Debian's tracker: "), "{broken}: {error}");
    }
}

#[test]
fn scores_of_epss() {
    let text = "#model_version:v2025.03.14,score_date:2025-08-01T12:55:00Z\ncve,epss,percentile\n\
                CVE-2021-44228,0.94358,0.99958\nCVE-1999-0001,0,0\nCVE-2020-0002,1,1.0\n";
    let mut gathered = Gathered::default();
    epss::parse(text.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    let scores: Vec<_> = gathered
        .flaws
        .iter()
        .map(|(id, facts)| {
            (id.as_str(), facts.epss.unwrap().probability, facts.epss.unwrap().percentile)
        })
        .collect();
    let want = [
        ("CVE-1999-0001", 0, 0),
        ("CVE-2020-0002", 100_000, 100_000),
        ("CVE-2021-44228", 94_358, 99_958),
    ];
    assert_eq!(scores, want);
    assert_eq!(gathered.feeds[0].as_of, "2025-08-01T12:55:00Z".parse().ok());
    let older = "#model_version:v2,score_date:2023-03-07T00:00:00+0000\nCVE-2021-44228,0.5,0.5\n";
    let mut gathered = Gathered::default();
    epss::parse(older.as_bytes(), &Limits::default(), &mut gathered).unwrap();
    assert_eq!(gathered.feeds[0].as_of, "2023-03-07T00:00:00Z".parse().ok());
    let long = format!("CVE-2021-44228,0.{},0.5\n", "1".repeat(2000));
    let refused: [(&str, &str); 8] = [
        ("", "epss: there is nothing in it"),
        ("cve,epss,percentile\n", "epss: there is nothing in it"),
        ("CVE-2021-44228,2,0.5\n", "1 of 1 entries could not be understood"),
        ("CVE-2021-44228,-0.1,0.5\n", "1 of 1 entries could not be understood"),
        ("CVE-2021-44228,NaN,0.5\n", "1 of 1 entries could not be understood"),
        ("CVE-2021-44228,0.5\n", "1 of 1 entries could not be understood"),
        ("CVE-2021-44228,0.5,0.5\nx,0.5,0.5\n", "1 of 2 entries could not be understood"),
        (&long, "line 1 is one too many, or too long"),
    ];
    for (text, why) in refused {
        let read = epss::parse(text.as_bytes(), &Limits::default(), &mut Gathered::default());
        let error = read.unwrap_err().to_string();
        assert!(error.contains(why), "{text:?}: {error}");
    }
}

#[test]
fn vectors_of_nvd() {
    const V31: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const LOW: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
    let metric = |kind: &str, vector: &str| {
        format!(
            r#"{{"source":"x","type":"{kind}","cvssData":{{"vectorString":"{vector}","baseScore":1.0}}}}"#
        )
    };
    let v2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
    let table = [
        (format!(r#""cvssMetricV31":[{}]"#, metric("Primary", V31)), format!("CRITICAL {V31}")),
        // NVD's own rating, not that of who reported it.
        (
            format!(r#""cvssMetricV31":[{},{}]"#, metric("Secondary", LOW), metric("Primary", V31)),
            format!("CRITICAL {V31}"),
        ),
        (format!(r#""cvssMetricV31":[{}]"#, metric("Secondary", LOW)), format!("LOW {LOW}")),
        (format!(r#""cvssMetricV2":[{}]"#, metric("Primary", v2)), format!("CRITICAL {v2}")),
        // What cannot be computed is passed over for what can.
        (
            format!(
                r#""cvssMetricV31":[{}],"cvssMetricV2":[{}]"#,
                metric("Primary", "CVSS:3.1/x"),
                metric("Primary", v2)
            ),
            format!("CRITICAL {v2}"),
        ),
        (String::new(), String::new()),
    ];
    for (metrics, want) in table {
        let text = format!(
            r#"{{"format":"NVD_CVE","timestamp":"2025-08-01T03:00:01.123","vulnerabilities":[
               {{"cve":{{"id":"CVE-2024-1111","vulnStatus":"Analyzed","descriptions":[{{"value":"x"}}],"metrics":{{{metrics}}}}}}},
               {{"cve":{{"id":"CVE-2024-2222","vulnStatus":"Rejected","metrics":{{{metrics}}}}}}}]}}"#
        );
        let mut gathered = Gathered::default();
        nvd::parse(text.as_bytes(), &Limits::default(), &mut gathered).unwrap();
        let got = gathered.flaws.remove("CVE-2024-1111").unwrap_or_default().ratings;
        let got = got
            .first()
            .map(|r| format!("{} {}", r.severity, r.cvss.as_deref().unwrap_or_default()));
        assert_eq!(got.unwrap_or_default(), want);
        assert!(gathered.flaws.is_empty(), "what NVD rejects has no rating");
        assert_eq!((gathered.feeds[0].advisories, gathered.feeds[0].not_understood), (2, 0));
        assert_eq!(gathered.feeds[0].as_of, "2025-08-01T03:00:01.123Z".parse().ok());
    }
    for (broken, why) in [
        ("", "no file of NVD's"),
        ("{}", "nvd: there is nothing in it"),
        (r#"{"vulnerabilities":[{}]}"#, "no file of NVD's"),
        (r#"{"vulnerabilities":[{"cve":{"id":"x"}}]}"#, "1 of 1 entries could not be understood"),
    ] {
        let read = nvd::parse(broken.as_bytes(), &Limits::default(), &mut Gathered::default());
        let error = read.unwrap_err().to_string();
        assert!(error.contains(why), "{broken}: {error}");
    }
}

#[test]
fn yearly_files_of_nvd_packed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let text = |id| format!(r#"{{"vulnerabilities":[{{"cve":{{"id":"{id}"}}}}]}}"#);
    let file = std::fs::File::create(dir.path().join("nvdcve-2.0-2024.json.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(text("CVE-2024-1111").as_bytes()).unwrap();
    packed.finish().unwrap();
    std::fs::write(dir.path().join("nvdcve-2.0-2023.json"), text("CVE-2023-1111")).unwrap();
    std::fs::write(dir.path().join("README"), "x").unwrap();
    let mut gathered = Gathered::default();
    nvd::read(dir.path(), &Limits::default(), &mut gathered).unwrap();
    assert_eq!(gathered.feeds[0].advisories, 2);
    assert_eq!(gathered.ignored, ["nvd/README: no file of NVD's"]);
}

#[test]
fn databases_of_apk_without_releases() {
    let dir = tempfile::tempdir().unwrap();
    let full = r#"{"apkurl":"x","archs":["x86_64"],"reponame":"os","packages":[
        {"pkg":{"name":"git","secfixes":{"2.39.1-r0":["CVE-2022-41903"],"0":["CVE-2000-0001","GHSA-hw4x-mcx5-9q36"]}}}]}"#;
    std::fs::write(dir.path().join("security.json"), full).unwrap();
    let mut gathered = Gathered::default();
    secdb::read_wolfi(dir.path(), &Limits::default(), &mut gathered).unwrap();
    secdb::read_chainguard(dir.path(), &Limits::default(), &mut gathered).unwrap();
    let of = |stream: &str| {
        let lines = [
            "git CVE-2000-0001 UNKNOWN NotAffected -",
            "git CVE-2022-41903 UNKNOWN Affected < 2.39.1-r0",
            "git GHSA-hw4x-mcx5-9q36 UNKNOWN NotAffected -",
        ];
        lines.map(|line| format!("{stream} {line}"))
    };
    assert_eq!(said(&gathered), [of("Chainguard"), of("Wolfi")].concat());
    for empty in [r#"{"packages":[]}"#, "{}"] {
        std::fs::write(dir.path().join("security.json"), empty).unwrap();
        let error = secdb::read_wolfi(dir.path(), &Limits::default(), &mut gathered).unwrap_err();
        assert!(
            error.to_string().ends_with("security.json: wolfi: there is nothing in it"),
            "{error}"
        );
    }
    let error = secdb::parse(full.as_bytes(), None, &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "it does not say of which release it speaks");
}
