//! What is taken of AlmaLinux's errata, and what is counted as not understood.

use cleanbill_core::advisory::RangeEnd;

use crate::feeds::almalinux::{parse, read};
use crate::gather::Gathered;
use crate::limits::Limits;

fn said(gathered: &Gathered) -> String {
    let mut lines = Vec::new();
    for ((stream, package), advisories) in &gathered.advisories {
        for a in advisories {
            let fix = match a.ranges.first().map(|r| &r.end) {
                Some(RangeEnd::Fixed(fixed)) => format!("< {fixed}"),
                other => format!("{other:?} {:?}", a.unreadable),
            };
            let (module, arches) = (a.module.as_deref().unwrap_or("-"), a.arches.join(","));
            let errata = a.errata.join(",");
            lines.push(format!(
                "{stream} {package} {} [{errata}] {} {fix} {module} [{arches}]",
                a.id, a.severity
            ));
        }
    }
    lines.join("; ")
}

fn read_one(json: &str, limits: &Limits) -> String {
    let mut gathered = Gathered::default();
    match parse(json.as_bytes(), limits, &mut gathered) {
        Ok(()) => said(&gathered),
        Err(e) => e.to_string(),
    }
}

fn erratum(kind: &str, references: &str, packages: &str) -> String {
    format!(
        r#"{{"schema_version":"1.0","data":[{{"id":"ALSA-2024:1","issued_date":1628589283,"updated_date":1628589276,"severity":"Important","type":"{kind}","packages":[{packages}],"modules":[],"references":[{references}]}}]}}"#
    )
}

#[test]
fn each_part_of_an_erratum() {
    let cve =
        r#"{"id":"CVE-2024-1111","type":"cve","href":"x"},{"id":"ALSA-2024-1","type":"self"}"#;
    let of = |arch: &str, more: &str| {
        format!(
            r#"{{"name":"a","epoch":"1","version":"3","release":"2.el9","arch":"{arch}"{more}}}"#
        )
    };
    let usual = "AlmaLinux:9 a CVE-2024-1111 [ALSA-2024:1] HIGH < 1:3-2.el9 - [x86_64]";
    let all = ["x86_64", "aarch64", "ppc64le", "s390x", "src"].map(|arch| of(arch, ""));
    let table = [
        (erratum("security", cve, &of("x86_64", "")), usual.to_owned()),
        (erratum("bugfix", cve, &of("x86_64", "")), usual.to_owned()),
        (
            erratum("security", "", &of("x86_64", "")),
            "AlmaLinux:9 a ALSA-2024:1 [] HIGH < 1:3-2.el9 - [x86_64]".to_owned(),
        ),
        (erratum("security", cve, &all.join(",")), usual.replace("x86_64", "")),
        (
            erratum("security", cve, &of("x86_64", r#","module":"nodejs:18:1:a:x86_64""#)),
            usual.replace(" - ", " nodejs:18 "),
        ),
        (erratum("bugfix", "", &of("x86_64", "")), "no erratum of a flaw in it".to_owned()),
        (r#"{"data":[]}"#.to_owned(), "no erratum of a flaw in it".to_owned()),
    ];
    for (json, want) in table {
        assert_eq!(read_one(&json, &Limits::default()), want, "{json}");
    }
}

#[test]
fn what_is_not_understood_is_counted_and_what_is_too_large_ends_it() {
    let cve = r#"{"id":"CVE-2024-1111","type":"cve"}"#;
    let good = r#"{"name":"a","version":"3","release":"2","arch":"noarch"}"#;
    let limits = Limits::default();
    let few = Limits { entries: 2, ..Limits::default() };
    let small = Limits { document_bytes: 20, ..Limits::default() };
    let no = "no list of AlmaLinux's errata: ";
    let not = |why: &str| {
        format!(
            "almalinux: 1 of 1 entries could not be understood, more than 5 %; the first: {why}"
        )
    };
    let table: Vec<(String, &Limits, String)> = vec![
        (String::new(), &limits, format!("{no}EOF")),
        ("[]".into(), &limits, format!("{no}invalid type: sequence")),
        (r#"{"data":{}}"#.into(), &limits, format!("{no}invalid type: map")),
        (format!(r#"{{"data":[{}"#, "[".repeat(10_000)), &limits, format!("{no}recursion limit")),
        (erratum("security", cve, good), &few, "more than 2 entries".into()),
        (erratum("security", cve, good), &small, format!("{no}an item is larger than 20 bytes")),
        (
            erratum("security", r#"{"id":"x","type":"cve"}"#, good),
            &limits,
            not("ALSA-2024:1: \\\"x\\\" is no id of a CVE"),
        ),
        (
            erratum("security", cve, r#"{"name":"a","version":"3","arch":"noarch"}"#),
            &limits,
            not("ALSA-2024:1: a package without a name, version or module: \\\"a\\\""),
        ),
        (
            erratum("security", cve, &good.replace('}', r#","module":"x"}"#)),
            &limits,
            not("ALSA-2024:1: a package without a name, version or module: \\\"a\\\""),
        ),
    ];
    for (json, limits, want) in table {
        let shown: String = json.chars().take(80).collect();
        let said = read_one(&json, limits);
        assert!(said.starts_with(&want), "{shown}: {said}\n{want}");
    }
    // One that is no erratum at all, beside one that is.
    let two = erratum("security", cve, good).replace(r#""data":["#, r#""data":[{"id":3},"#);
    let half = Limits { not_understood_percent: 50, ..Limits::default() };
    assert!(read_one(&two, &half).starts_with("AlmaLinux:9 a CVE-2024-1111"));
    assert!(read_one(&two, &limits).contains("an erratum: invalid type"));
}

#[test]
fn each_folder_is_a_release() {
    let dir = tempfile::tempdir().unwrap();
    let good = r#"{"name":"a","version":"3","release":"2","arch":"noarch"}"#;
    let read = || {
        let mut gathered = Gathered::default();
        read(dir.path(), &Limits::default(), &mut gathered).map(|()| gathered)
    };
    assert!(read().unwrap_err().to_string().ends_with(": no release in it"));
    for release in ["8", "10", "x"] {
        std::fs::create_dir_all(dir.path().join(release)).unwrap();
        let path = dir.path().join(release).join("errata.full.json");
        std::fs::write(path, erratum("security", "", good)).unwrap();
    }
    let gathered = read().unwrap();
    let streams: Vec<_> = gathered.feeds[0].streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["AlmaLinux:10", "AlmaLinux:8"]);
    assert_eq!(gathered.ignored, ["almalinux/x: no release of AlmaLinux"]);
    let date = gathered.feeds[0].as_of.unwrap();
    assert_eq!(date.to_string(), "2021-08-10T09:54:43Z");
    std::fs::remove_file(dir.path().join("10/errata.full.json")).unwrap();
    assert!(read().unwrap_err().to_string().contains("10/errata.full.json"));
}
