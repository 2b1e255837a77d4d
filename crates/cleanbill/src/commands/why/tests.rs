//! What is printed about an image of two layers, matched with advisories made for it.

use std::path::Path;

use cleanbill_advisory::{Gathered, Snapshot};
use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Epss, Feed, FlawFacts, Range, RangeEnd, Rating, State};
use cleanbill_core::finding::Why;
use cleanbill_core::gap::GapKind;
use cleanbill_core::matching::{Because, NotAffected};
use cleanbill_core::severity::Severity;
use cleanbill_core::suppression::Ruling;
use cleanbill_oci::testing::{ImageBuilder, TarBuilder};

use super::{Told, answer, ask, exit, json, text};
use crate::assess::Against;
use crate::commands::access::Access;
use crate::commands::record;
use crate::commands::source::{Source, Wanted};
use crate::progress::Progress;
use crate::vex::{Given, parse_ignore_file, parse_vex};

const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.9.4\nPRETTY_NAME=\"Alpine Linux v3.9\"\n";
const PYTHON: &str = "usr/lib/python3.6/site-packages";

/// The SHA-1 of what `requests` says of itself below, and what urllib3 does not have any more.
const REQUESTS: &str = "/W2iwrB+/mx7O6fblb9xCOLrizw=";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn archive() -> Vec<u8> {
    let installed = format!(
        "P:musl\nV:1.1.20-r4\nA:x86_64\no:musl\n\nP:musl-utils\nV:1.1.20-r4\nA:x86_64\no:musl\n\n\
         P:zlib\nV:1.2.11-r1\nA:x86_64\n\n\
         P:py3-requests\nV:2.19.1-r0\nA:noarch\no:py-requests\n\
         F:{PYTHON}/requests-2.19.1.dist-info\nR:METADATA\nZ:Q1{REQUESTS}\n\n\
         P:py3-urllib3\nV:1.24-r0\nA:noarch\no:py-urllib3\n\
         F:{PYTHON}/urllib3-1.24.1.dist-info\nR:METADATA\nZ:Q1{REQUESTS}\n\n"
    );
    let base = TarBuilder::new()
        .file("etc/os-release", OS_RELEASE)
        .file("etc/alpine-release", "3.9.4\n")
        .file("lib/apk/db/installed", installed);
    let python = |tar: TarBuilder, name: &str, version: &str| {
        let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        tar.file(&format!("{PYTHON}/{name}-{version}.dist-info/METADATA"), metadata)
    };
    let app = python(TarBuilder::new(), "requests", "2.19.1");
    let app = python(app, "urllib3", "1.24.1");
    ImageBuilder::new("linux/amd64").layer(base.build()).layer(app.build()).docker_archive("app:1")
}

fn advisory(id: &str, ranges: &[(Option<&str>, RangeEnd)]) -> Advisory {
    let range = |(from, end): &(Option<&str>, RangeEnd)| Range {
        introduced: from.map(str::to_owned),
        end: end.clone(),
    };
    Advisory { id: id.into(), ranges: ranges.iter().map(range).collect(), ..Advisory::default() }
}

fn snapshot() -> Snapshot {
    let mut all = Gathered::default();
    let feed = |id: &str, streams: &[&str]| Feed {
        id: id.into(),
        as_of: Some(time("2026-11-20T00:00:00Z")),
        licence: "CC0-1.0".into(),
        advisories: 1,
        not_understood: 0,
        streams: streams.iter().map(|stream| stream.parse().unwrap()).collect(),
    };
    let alpine = ["Alpine:v3.8", "Alpine:v3.9", "Alpine:v3.10"];
    all.feeds = vec![feed("alpine-secdb", &alpine), feed("osv:PyPI", &["PyPI"])];
    all.lives.insert(("alpine".into(), "3.9".into()), None);
    let fixed = |version: &str| RangeEnd::Fixed(version.into());
    let mut add = |stream: &str, name: &str, one| all.add(&stream.parse().unwrap(), name, one);
    add("Alpine:v3.9", "musl", advisory("CVE-2019-1", &[(None, fixed("1.1.20-r5"))]));
    add("Alpine:v3.9", "musl", advisory("CVE-2019-2", &[(None, fixed("1.1.20-r4"))]));
    add("Alpine:v3.9", "zlib", advisory("CVE-2019-3", &[(None, fixed("0"))]));
    add("Alpine:v3.9", "zlib", advisory("CVE-2019-4", &[(None, fixed("what"))]));
    add("Alpine:v3.9", "py-requests", advisory("CVE-2019-5", &[(None, fixed("2.0.0-r0"))]));
    for release in ["Alpine:v3.8", "Alpine:v3.10"] {
        for name in ["musl", "other"] {
            add(release, name, advisory("CVE-2018-1", &[(None, fixed("1.1.19-r1"))]));
            add(release, name, advisory("CVE-2018-2", &[(None, fixed("1.1.19-r1"))]));
        }
    }
    add("PyPI", "other", advisory("CVE-2018-3", &[(None, fixed("2"))]));
    let branches = [(None, fixed("1.23.0")), (Some("1.25.0"), fixed("1.25.8"))];
    let mut one = advisory("GHSA-6-6-6", &branches);
    one.aliases = vec!["CVE-2019-6".into(), "PYSEC-6".into()];
    one.versions = vec!["1.24rc1".into(), "1.24".into()];
    add("PyPI", "urllib3", one);
    let mut one = advisory("CVE-2019-7", &[]);
    one.state = State::NotAffected;
    one.ranges = vec![Range { introduced: None, end: RangeEnd::Open }];
    add("PyPI", "urllib3", one);
    let mut one = advisory("CVE-2019-8", &[(None, fixed("2.20.0"))]);
    one.aliases = vec!["GHSA-8-8-8".into()];
    add("PyPI", "requests", one);
    let mut one =
        advisory("CVE-2019-9", &[(Some("1.24"), RangeEnd::LastAffected("1.24.1".into()))]);
    one.errata = vec!["E-2019:1".into()];
    one.state = State::WillNotFix;
    add("PyPI", "urllib3", one);
    let nvd = |severity, cvss: Option<&str>| {
        vec![Rating { source: "nvd".into(), severity, cvss: cvss.map(str::to_owned) }]
    };
    let vector = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    let epss = Some(Epss { probability: 90_120, percentile: 99_000 });
    let facts = FlawFacts { ratings: nvd(Severity::Critical, vector), epss, exploited: true };
    all.flaws.insert("CVE-2019-1".into(), facts);
    let facts = FlawFacts { ratings: nvd(Severity::High, None), ..FlawFacts::default() };
    all.flaws.insert("CVE-2021-44228".into(), facts.clone());
    all.flaws.insert("CVE-2018-2".into(), facts);
    all.sort();
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&all, &mut bytes).unwrap();
    Snapshot::from_bytes(bytes).unwrap()
}

fn told(path: &Path, snapshot: &Snapshot, id: &str, now: &str, accepted: &[GapKind]) -> Told {
    told_with(path, snapshot, id, now, accepted, &Given::default())
}

fn told_with(
    path: &Path,
    snapshot: &Snapshot,
    id: &str,
    now: &str,
    accepted: &[GapKind],
    given: &Given,
) -> Told {
    let source = Source {
        wanted: Wanted::Input(path.display().to_string()),
        platform: None,
        access: Access::default(),
        limits: cleanbill_oci::limits::Limits::default(),
    };
    let against = Against { snapshot, now: time(now), max_feed_age_days: 7 };
    let mut told = ask(&source, id, accepted, given, against, &Progress::new(false)).unwrap();
    told.report.artifact_name = "app.tar".into();
    told
}

#[test]
fn every_answer_as_a_person_and_a_program_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.tar");
    std::fs::write(&path, archive()).unwrap();
    let snapshot = snapshot();
    let (fresh, old) = ("2026-11-24T08:30:00Z", "2026-12-24T08:30:00Z");
    let none: &[GapKind] = &[];
    // name of the snapshot, id, now, accepted gaps → the exit code
    let table = [
        ("affected", "CVE-2019-1", fresh, none, 1),
        ("affected-in-small-letters", "cve-2019-1", fresh, none, 1),
        ("fixed", "CVE-2019-2", fresh, none, 0),
        ("said-so", "CVE-2019-3", fresh, none, 0),
        ("unreadable", "CVE-2019-4", fresh, none, 3),
        ("unreadable-is-never-accepted", "CVE-2019-4", fresh, GapKind::ALL, 3),
        ("noarch", "CVE-2019-5", fresh, none, 0),
        ("between-branches", "PYSEC-6", fresh, none, 0),
        ("stated-not-affected", "CVE-2019-7", fresh, none, 0),
        ("left-to-distribution", "GHSA-8-8-8", fresh, none, 0),
        ("erratum", "E-2019:1", fresh, none, 1),
        ("not-named", "CVE-2021-44228", fresh, none, 0),
        ("unknown", "CVE-2012-0001", fresh, none, 3),
        ("elsewhere", "CVE-2018-1", fresh, none, 3),
        ("elsewhere-and-known", "CVE-2018-2", fresh, none, 0),
        ("elsewhere-in-another-language", "CVE-2018-3", fresh, none, 3),
        ("stale", "CVE-2019-2", old, none, 3),
        ("stale-accepted", "CVE-2019-2", old, &[GapKind::StaleFeed], 0),
        ("stale-not-named", "CVE-2021-44228", old, none, 3),
    ];
    let mut pages = String::new();
    for (name, id, now, accepted, code) in table {
        let told = told(&path, &snapshot, id, now, accepted);
        assert_eq!(exit(&told).number(), code, "{name}");
        let page = text::page(&told, Some(100));
        assert!(page.is_ascii() && page.ends_with('\n'), "{page}");
        pages.push_str(&format!("# {name}\n{page}\n"));
    }
    insta::assert_snapshot!("text", pages);
    for (name, id, now) in [
        ("json-affected", "E-2019:1", fresh),
        ("json-not-affected", "CVE-2019-6", old),
        ("json-left", "CVE-2019-8", fresh),
        ("json-open", "CVE-2019-4", fresh),
        ("json-not-named", "CVE-2021-44228", fresh),
        ("json-elsewhere", "CVE-2018-1", fresh),
    ] {
        let told = told(&path, &snapshot, id, now, &[GapKind::StaleFeed]);
        insta::assert_snapshot!(name, record::pretty(&json::value(&told)).unwrap());
    }
}

/// An OpenVEX document of statements: flaw, product, status and what belongs to it.
fn given(statements: &[(&str, &str, &str)], ignored: &str) -> Given {
    let each = statements.iter().map(|(flaw, product, rest)| {
        format!(
            r#"{{"vulnerability":{{"name":"{flaw}"}},"products":[{{"@id":"{product}"}}],{rest}}}"#
        )
    });
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://x.example/1","author":"a","timestamp":"2026-11-01T00:00:00Z","version":1,"statements":[{}]}}"#,
        each.collect::<Vec<_>>().join(",")
    );
    let mut given = Given::default();
    let document = parse_vex("app.vex.json", text.as_bytes(), &mut given.notes).unwrap();
    let file = parse_ignore_file(".trivyignore", ignored.as_bytes(), &mut given.notes).unwrap();
    given.rules.documents.push(document);
    given.rules.ignore_files.push(file);
    given
}

#[test]
fn what_vex_and_ignore_files_say_is_told_with_what_they_do_not_say_here() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.tar");
    std::fs::write(&path, archive()).unwrap();
    let snapshot = snapshot();
    let (musl, utils) = ("pkg:apk/alpine/musl", "pkg:apk/alpine/musl-utils");
    let not = r#""status":"not_affected","justification":"vulnerable_code_not_present""#;
    let affected = r#""status":"affected","action_statement":"update""#;
    let stale = "2026-12-24T08:30:00Z";
    let fresh = "2026-11-24T08:30:00Z";
    type Row<'t> = (&'t str, &'t [(&'t str, &'t str, &'t str)], &'t str, &'t str, u8);
    // name, VEX statements, ignore file, now → the exit code
    let both: &[_] = &[("CVE-2019-1", musl, not), ("CVE-2019-1", utils, not)];
    let table: &[Row<'_>] = &[
        ("all", both, "", fresh, 0),
        ("one-of-two", &[("CVE-2019-1", musl, not)], "", fresh, 1),
        ("all-and-stale", both, "", stale, 3),
        ("other-version", &[("CVE-2019-1", "pkg:apk/alpine/musl@9", not)], "", fresh, 1),
        ("other-image", &[("CVE-2019-1", "pkg:oci/app", not)], "", fresh, 1),
        ("other-flaw", &[("CVE-2019-10", musl, not)], "", fresh, 1),
        ("outweighed", &[("CVE-2019-1", musl, not), ("CVE-2019-1", musl, affected)], "", fresh, 1),
        ("ignored", &[], "CVE-2019-1\n", fresh, 0),
        ("expired", &[], "CVE-2019-1 exp:2026-01-01\n", fresh, 1),
        ("not-understood", &[], "CVE-2019-1 exp:soon\n", fresh, 1),
    ];
    let many = vec![("CVE-2019-1", "pkg:oci/app", not); 21];
    let many: Row<'_> = ("many", &many, "", fresh, 1);
    let table = table.iter().chain([&many]);
    let mut pages = String::new();
    for (name, statements, ignored, now, code) in table {
        let given = given(statements, ignored);
        let told = told_with(&path, &snapshot, "CVE-2019-1", now, &[], &given);
        assert_eq!(exit(&told).number(), *code, "{name}");
        let page = text::page(&told, Some(100));
        pages.push_str(&format!("# {name}\n{page}\n"));
        // What is left out is what a report leaves out.
        let report = given.rule(&told.report.evidence, &told.report.subject(), time(now));
        let out = report.iter().filter(|r| matches!(r, Ruling::Suppressed(_))).count();
        assert_eq!(told.said.iter().filter(|s| s.out.is_some()).count(), out, "{name}");
    }
    insta::assert_snapshot!("text-vex", pages);
    let given = given(
        &[both[0], ("CVE-2019-1", "pkg:oci/app", not)],
        "CVE-2019-1 exp:2026-01-01\nCVE-1 x\n",
    );
    let told = told_with(&path, &snapshot, "CVE-2019-1", fresh, &[], &given);
    insta::assert_snapshot!("json-vex", record::pretty(&json::value(&told)).unwrap());
    // With nothing left out the answer is the explanation's own.
    let none = told.said.iter().map(|_| super::OfPackage::default()).collect::<Vec<_>>();
    assert_eq!(answer(&told.explanation, &none, &[]), (told.explanation.answer(&[]), false));
}

#[test]
fn every_reason_is_a_sentence() {
    let (a, all) = (|| "1".to_owned(), || vec!["arm64".to_owned(), "s390x".to_owned()]);
    let others = |arches, module| Because::OtherPackages { arches, module };
    let reasons = [
        Because::SaidSo,
        Because::Fixed(a()),
        Because::AfterLast(a()),
        Because::NotBelow(a()),
        Because::BeforeFirst(a()),
        Because::NotListed(1),
        Because::NotListed(2),
        Because::NothingNamed,
        Because::NoKernel,
        Because::OtherFlavour(a()),
        others(all(), None),
        others(Vec::new(), None),
        others(Vec::new(), Some("nodejs:18".into())),
        others(all(), Some("nodejs:18".into())),
    ];
    let why = Why {
        feed: "feed".into(),
        stream: "PyPI".parse().unwrap(),
        looked_up: "name".into(),
        compared: "2".into(),
        range: ">= 3".into(),
    };
    let sentences = reasons.map(|because| {
        text::sentence(&NotAffected { id: "CVE-1".into(), why: why.clone(), because })
    });
    insta::assert_snapshot!("sentences", sentences.join("\n"));
}

#[test]
fn ids_are_words() {
    for good in ["CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q", "ALSA-2024:1234", "TEMP-0841856-B18BAF"] {
        assert_eq!(super::id(good).as_deref(), Ok(good));
    }
    let long = "A".repeat(129);
    for bad in ["", "CVE 1", "a/b", "CVE-\u{1b}[2J", "CVE-\u{661}", &long] {
        assert!(super::id(bad).is_err(), "{bad:?}");
    }
}
