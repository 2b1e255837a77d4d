//! The real feeds, where they are there: counts and look-ups checked by hand against the source.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use cleanbill_advisory::build::{Options, build};
use cleanbill_advisory::{Snapshot, build::Report};
use cleanbill_core::advisory::{Advisories, Advisory, RangeEnd};
use cleanbill_core::ecosystem::{Ecosystem, Stream};

fn shared() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !path.exists() {
        println!("skipped: the real feeds ({} is not there)", path.display());
        return None;
    }
    Some(path.to_owned())
}

fn built() -> Option<(tempfile::TempDir, Snapshot, Report)> {
    let from = shared()?;
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("test.cbdb");
    let report = build(&from, &out, &Options::default()).unwrap();
    let snapshot = Snapshot::open(&out).unwrap();
    assert_eq!(snapshot.digest(), report.digest);
    Some((dir, snapshot, report))
}

fn show(a: &Advisory) -> String {
    let ranges: Vec<_> = a
        .ranges
        .iter()
        .map(|r| {
            let from = r.introduced.as_deref().unwrap_or("0");
            match &r.end {
                RangeEnd::Fixed(v) => format!("[{from}, {v})"),
                RangeEnd::LastAffected(v) => format!("[{from}, {v}]"),
                RangeEnd::Before(v) => format!("[{from}, <{v})"),
                RangeEnd::Open => format!("[{from}, …"),
            }
        })
        .collect();
    format!("{} {} {}", a.id, a.severity, ranges.join(" "))
}

#[test]
fn the_real_feeds_are_read_completely() {
    let Some((_dir, snapshot, report)) = built() else { return };
    println!("{} bytes, {}", report.bytes, report.digest);
    snapshot.verify().unwrap();
    // Entries in each zip less those withdrawn; secdb: one for each flaw of a package and branch.
    let counts: Vec<_> = snapshot
        .feeds()
        .iter()
        .map(|f| (f.id.as_str(), f.advisories, f.not_understood, f.streams.len()))
        .collect();
    let wanted = [
        ("alpine-secdb", 11881, 0, 9),
        ("eol", 231, 0, 0),
        ("kev", 1404, 0, 0),
        ("osv:AlmaLinux", 5637, 0, 3),
        ("osv:Bitnami", 7444, 0, 1),
        ("osv:Go", 4274, 0, 1),
        ("osv:PyPI", 2651, 0, 1),
        ("osv:crates.io", 705, 0, 1),
    ];
    assert_eq!(counts, wanted);
    assert_eq!(report.ignored, Vec::<String>::new());

    // (stream, package, id) → as the source has it.
    let table = [
        ("Go", "stdlib", "CVE-2022-27664", "[0, 1.18.6) [1.19.0-0, 1.19.1)"),
        ("PyPI", "accesscontrol", "CVE-2021-32807", "[4.0, 4.3) [5.0, 5.2)"),
        ("Alpine:v3.9", "xen", "CVE-2016-9932", "[0, 4.7.1-r3)"),
        ("Alpine:v3.9", "xen", "XSA-295", "[0, 4.11.2-r0)"),
        ("Alpine:v3.9", "ansible", "CVE-2018-16859", "[0, 2.7.3-r0)"),
        ("AlmaLinux:10", "thunderbird", "CVE-2025-5986", "[0, 128.12.0-1.el10_0.alma.1)"),
        ("Bitnami", "activemq", "CVE-2020-11998", "[5.15.12, 5.15.12]"),
        ("Bitnami", "activemq", "CVE-2020-13947", "[0, 5.15.14) [5.16.0, 5.16.1)"),
        ("crates.io", "portaudio", "CVE-2016-10933", "[0.0.0-0, …"),
    ];
    for (stream, package, id, ranges) in table {
        let stream: Stream = stream.parse().unwrap();
        let found = snapshot.lookup(&stream, package).unwrap();
        let found: Vec<_> = found.iter().filter(|a| a.id == id).map(show).collect();
        assert_eq!(found.len(), 1, "{stream} {package} {id}: {found:?}");
        assert!(found[0].ends_with(&format!(" {ranges}")), "{stream} {package}: {found:?}");
    }
    assert!(snapshot.covering(&Stream::release(Ecosystem::Alpine, "v3.9")).is_some());
    assert!(snapshot.covering(&Stream::release(Ecosystem::Alpine, "v3.20")).is_none());
    assert!(snapshot.flaw("CVE-2025-48384").unwrap().exploited);
    let life = snapshot.release_life("alpine", "3.9").unwrap().unwrap();
    assert_eq!(life.end_of_life.unwrap().to_string(), "2020-11-01");
}

#[test]
fn the_starter_is_what_the_builder_makes_and_holds_facts_only() {
    let starter = Snapshot::starter().unwrap();
    starter.verify().unwrap();
    assert!(starter.size() <= cleanbill_advisory::starter::MAX_BYTES, "{}", starter.size());
    let (mut records, mut advisories, mut longest) = (0, 0, String::new());
    starter
        .for_each(|_, name, list| {
            records += 1;
            for a in list {
                advisories += 1;
                let texts = [&a.id].into_iter().chain(&a.aliases).chain(&a.errata).chain(&a.cvss);
                let texts = texts.chain(&a.versions).map(String::as_str);
                for text in texts.chain([name]) {
                    if text.len() > longest.len() {
                        longest = text.to_owned();
                    }
                    assert!(!text.contains(' '), "{name}: {text:?} is a sentence");
                }
                assert!(a.unreadable.as_ref().is_none_or(|u| u.len() < 100), "{a:?}");
            }
        })
        .unwrap();
    println!("{records} packages, {advisories} advisories, {} bytes", starter.size());
    assert!(records > 1000);
    // The longest is a CVSS 4 vector with every metric.
    assert!(longest.len() <= 200, "{longest}");

    let Some(from) = shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let report = cleanbill_advisory::starter::make(&from, &dir.path().join("s")).unwrap();
    assert_eq!(report.digest, starter.digest(), "run cargo xtask starter and commit the result");
    let bare: Vec<_> = starter.feeds().iter().filter(|f| f.as_of.is_none()).collect();
    assert!(bare.is_empty(), "feeds without a date: {bare:?}");
}
