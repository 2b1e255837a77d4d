//! What is printed about an image of two layers, matched with advisories made for it.

use std::path::Path;

use cleanbill_advisory::{Gathered, Snapshot};
use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Epss, Feed, FlawFacts, Range, RangeEnd, Rating, State};
use cleanbill_core::finding::Why;
use cleanbill_core::gap::GapKind;
use cleanbill_core::matching::{Because, NotAffected};
use cleanbill_core::severity::Severity;
use cleanbill_oci::testing::{ImageBuilder, TarBuilder};

use super::{Told, ask, exit, json, text};
use crate::assess::Against;
use crate::commands::record;
use crate::commands::source::{Access, Source, Wanted};
use crate::progress::Progress;

const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.9.4\nPRETTY_NAME=\"Alpine Linux v3.9\"\n";
const PYTHON: &str = "usr/lib/python3.6/site-packages";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn archive() -> Vec<u8> {
    let installed = format!(
        "P:musl\nV:1.1.20-r4\nA:x86_64\no:musl\n\nP:musl-utils\nV:1.1.20-r4\nA:x86_64\no:musl\n\n\
         P:zlib\nV:1.2.11-r1\nA:x86_64\n\n\
         P:py3-requests\nV:2.19.1-r0\nA:noarch\no:py-requests\n\
         F:{PYTHON}/requests-2.19.1.dist-info\nR:METADATA\n\n"
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
    let feed = |id: &str, stream: &str| Feed {
        id: id.into(),
        as_of: Some(time("2026-11-20T00:00:00Z")),
        licence: "CC0-1.0".into(),
        advisories: 1,
        not_understood: 0,
        streams: vec![stream.parse().unwrap()],
    };
    all.feeds = vec![feed("alpine-secdb", "Alpine:v3.9"), feed("osv:PyPI", "PyPI")];
    all.lives.insert(("alpine".into(), "3.9".into()), None);
    let fixed = |version: &str| RangeEnd::Fixed(version.into());
    let mut add = |stream: &str, name: &str, one| all.add(&stream.parse().unwrap(), name, one);
    add("Alpine:v3.9", "musl", advisory("CVE-2019-1", &[(None, fixed("1.1.20-r5"))]));
    add("Alpine:v3.9", "musl", advisory("CVE-2019-2", &[(None, fixed("1.1.20-r4"))]));
    add("Alpine:v3.9", "zlib", advisory("CVE-2019-3", &[(None, fixed("0"))]));
    add("Alpine:v3.9", "zlib", advisory("CVE-2019-4", &[(None, fixed("what"))]));
    add("Alpine:v3.9", "py-requests", advisory("CVE-2019-5", &[(None, fixed("2.0.0-r0"))]));
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
    all.flaws.insert("CVE-2021-44228".into(), facts);
    all.sort();
    let mut bytes = Vec::new();
    cleanbill_advisory::write(&all, &mut bytes).unwrap();
    Snapshot::from_bytes(bytes).unwrap()
}

fn told(path: &Path, snapshot: &Snapshot, id: &str, now: &str, accepted: &[GapKind]) -> Told {
    let source = Source {
        wanted: Wanted::Input(path.display().to_string()),
        platform: None,
        access: Access::default(),
        limits: cleanbill_oci::limits::Limits::default(),
    };
    let against = Against { snapshot, now: time(now), max_feed_age_days: 7 };
    let mut told = ask(&source, id, accepted, against, &Progress::new(false)).unwrap();
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
        ("stale", "CVE-2019-2", old, none, 3),
        ("stale-accepted", "CVE-2019-2", old, &[GapKind::StaleFeed], 0),
        ("stale-not-named", "CVE-2021-44228", old, none, 3),
    ];
    let mut pages = String::new();
    for (name, id, now, accepted, code) in table {
        let told = told(&path, &snapshot, id, now, accepted);
        assert_eq!(exit(told.answer).number(), code, "{name}");
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
    ] {
        let told = told(&path, &snapshot, id, now, &[GapKind::StaleFeed]);
        insta::assert_snapshot!(name, record::pretty(&json::value(&told)).unwrap());
    }
}

#[test]
fn every_reason_is_a_sentence() {
    let (a, all) = (|| "1".to_owned(), || vec!["arm64".to_owned(), "s390x".to_owned()]);
    let others = |arches, module| Because::OtherPackages { arches, module };
    let reasons = [
        Because::SaidSo,
        Because::Fixed(a()),
        Because::AfterLast(a()),
        Because::BeforeFirst(a()),
        Because::NotListed(1),
        Because::NotListed(2),
        Because::NothingNamed,
        Because::NoKernel,
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
