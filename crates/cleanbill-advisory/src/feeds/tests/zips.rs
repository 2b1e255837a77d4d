//! OSV's zips: what lies in them twice, is of another ecosystem, of the future, or too much.

use std::io::{Cursor, Write as _};

use cleanbill_core::ecosystem::Ecosystem;

use crate::feeds::{osv, rubysec};
use crate::gather::Gathered;
use crate::limits::Limits;

fn zip(files: impl IntoIterator<Item = (String, impl AsRef<str>)>) -> Cursor<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    for (name, text) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_ref().as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    bytes
}

/// An entry about a package of npm.
fn entry(id: &str, modified: &str, more: &str) -> String {
    let package = r#"{"package":{"ecosystem":"npm","name":"a"},"versions":["1.0.0"]}"#;
    format!(r#"{{"id":"{id}","modified":"{modified}"{more},"affected":[{package}]}}"#)
}

/// What is said of these entries, read as npm's: the feed's date, its counts, its streams, and what
/// was told.
fn said(entries: &[String], limits: &Limits) -> String {
    let named = entries.iter().enumerate().map(|(n, entry)| (format!("{n}.json"), entry));
    told(zip(named), limits)
}

fn told(bytes: Cursor<Vec<u8>>, limits: &Limits) -> String {
    let mut into = Gathered::default();
    if let Err(e) = osv::archive(bytes, Ecosystem::Npm, limits, &mut into) {
        return e.to_string();
    }
    let feed = &into.feeds[0];
    let date = feed.as_of.map_or("-".to_owned(), |date| date.to_string());
    let streams: Vec<String> = feed.streams.iter().map(ToString::to_string).collect();
    let (read, not) = (feed.advisories, feed.not_understood);
    format!("{date} {read}/{not} {streams:?} {}", into.ignored.join("; "))
}

const OLD: &str = "2024-01-01T00:00:00Z";
const NEW: &str = "2024-02-01T00:00:00Z";
/// A minute after the latest date that the test believes.
const LATER: &str = "2026-01-02T00:01:00Z";

fn limits() -> Limits {
    Limits { latest: "2026-01-02T00:00:00Z".parse().unwrap(), ..Limits::default() }
}

#[test]
fn what_is_of_another_ecosystem_covers_nothing() {
    let other = || entry("X", OLD, "").replace("npm", "PyPI");
    let withdrawn = |text: String| {
        text.replace(r#""affected""#, r#""withdrawn":"2024-01-01T00:00:00Z","affected""#)
    };
    let bare = withdrawn(format!(r#"{{"id":"X","modified":"{NEW}","affected":[]}}"#));
    let none = "osv:npm: no entry in it names npm";
    let table = [
        (vec![], none),
        (vec![other(), other()], none),
        (vec![bare.clone()], none),
        (vec![entry("A", OLD, "")], r#"2024-01-01T00:00:00Z 1/0 ["npm"] "#),
        (
            vec![entry("A", OLD, ""), other()],
            r#"2024-01-01T00:00:00Z 1/0 ["npm"] osv:npm: 1 entries that name other ecosystems alone"#,
        ),
        // What was withdrawn shows that the zip is npm's.
        (vec![withdrawn(entry("A", OLD, ""))], r#"2024-01-01T00:00:00Z 0/0 ["npm"] "#),
        (
            vec![entry("X", OLD, ""), bare],
            r#"2024-02-01T00:00:00Z 0/0 ["npm"] osv:npm: 1 entries with the id of another, of which the one that was changed last counts"#,
        ),
    ];
    for (entries, want) in table {
        assert_eq!(said(&entries, &limits()), want, "{entries:?}");
    }
}

#[test]
fn a_date_of_the_future_is_none() {
    let (old, later) = (|id| entry(id, OLD, ""), |id| entry(id, LATER, ""));
    let one = "osv:npm: 1 dates that are of the future";
    let twice =
        "osv:npm: 1 entries with the id of another, of which the one that was changed last counts";
    let table = [
        (
            vec![entry("A", "2026-01-02T00:00:00Z", "")],
            r#"2026-01-02T00:00:00Z 1/0 ["npm"] "#.to_owned(),
        ),
        (vec![later("A")], format!(r#"- 1/0 ["npm"] {one}"#)),
        (vec![old("A"), later("B")], format!(r#"2024-01-01T00:00:00Z 2/0 ["npm"] {one}"#)),
        (
            vec![old("A"), entry("B", "2098-01-01T00:00:00Z", "")],
            format!(r#"2024-01-01T00:00:00Z 2/0 ["npm"] {one}"#),
        ),
        // Nor does it win over another entry of the same id.
        (vec![later("A"), old("A")], format!(r#"2024-01-01T00:00:00Z 1/0 ["npm"] {twice}; {one}"#)),
        (vec![old("A"), later("A")], format!(r#"2024-01-01T00:00:00Z 1/0 ["npm"] {twice}; {one}"#)),
    ];
    for (entries, want) in table {
        assert_eq!(said(&entries, &limits()), want, "{entries:?}");
    }
}

/// The same zip, of whose names some were changed to another of the same length.
fn renamed(zip: Cursor<Vec<u8>>, from: &str, to: &str) -> Cursor<Vec<u8>> {
    let mut bytes = zip.into_inner();
    let places: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert_eq!(places.len(), 2, "before the file and in the directory");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    Cursor::new(bytes)
}

#[test]
fn entries_of_one_name_are_not_understood() {
    // So many entries, and so many more that have the first one's name.
    let twice = |single: usize, double: usize| {
        let name = |n| format!("entry-{n:05}.json");
        let all = (0..single + double).map(|n| (name(n), entry(&format!("A{n}"), OLD, "")));
        (single..single + double).fold(zip(all), |zip, n| renamed(zip, &name(n), &name(0)))
    };
    let table = [
        (twice(40, 0), r#"2024-01-01T00:00:00Z 40/0 ["npm"] "#),
        (twice(40, 1), r#"2024-01-01T00:00:00Z 40/1 ["npm"] "#),
        (twice(40, 2), r#"2024-01-01T00:00:00Z 40/2 ["npm"] "#),
        (
            twice(40, 3),
            "osv:npm: 3 of 43 entries could not be understood, more than 5 %; the first: entries that another has the name of",
        ),
        (
            twice(1, 1),
            "osv:npm: 1 of 2 entries could not be understood, more than 5 %; the first: entries that another has the name of",
        ),
    ];
    for (bytes, want) in table {
        assert_eq!(told(bytes, &limits()), want);
    }
    let few = Limits { documents: 41, ..limits() };
    assert_eq!(told(twice(40, 2), &few), "42 documents: more than 41");

    let gem = |n: usize| (format!("gems/a/{n}.yml"), "gem: a\ncve: 2020-1234\n");
    let gems = renamed(zip([gem(1), gem(2)]), "gems/a/2.yml", "gems/a/1.yml");
    let read = rubysec::archive(gems, &limits(), &mut Gathered::default());
    let error = read.unwrap_err().to_string();
    assert!(error.starts_with("rubysec: 1 of 2 entries could not be understood"), "{error}");
}

#[test]
fn of_two_entries_with_one_id_the_later_change_counts() {
    let entry = |modified: &str, fixed: &str, more: &str| {
        format!(
            r#"{{"id":"X","modified":"{modified}"{more},"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        )
    };
    let (old, new) = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
    let withdrawn = format!(r#","withdrawn":"{new}""#);
    let table = [
        (vec![entry(old, "1.0.0", ""), entry(new, "2.0.0", "")], Some("2.0.0")),
        (vec![entry(new, "2.0.0", ""), entry(old, "1.0.0", "")], Some("2.0.0")),
        (vec![entry(new, "2.0.0", &withdrawn), entry(old, "1.0.0", "")], None),
        (vec![entry("0001-01-01T00:00:00Z", "1.0.0", "")], Some("1.0.0")),
    ];
    for (entries, wanted) in table {
        // Names inside a zip are never used as paths.
        let named = entries.iter().enumerate().map(|(n, entry)| (format!("../../{n}.json"), entry));
        let bytes = zip(named);
        let mut into = Gathered::default();
        osv::archive(bytes, Ecosystem::Npm, &Limits::default(), &mut into).unwrap();
        let again = usize::from(entries.len() > 1);
        assert_eq!(into.ignored.len(), again, "{:?}", into.ignored);
        let found = into.advisories.into_values().flatten().next();
        let fixed = found.map(|a| format!("{:?}", a.ranges[0].end));
        assert_eq!(fixed, wanted.map(|v| format!("Fixed({v:?})")), "{entries:?}");
    }
}

#[test]
fn limits_on_a_zip_are_errors() {
    let bytes = zip((0..3).map(|n| (n.to_string(), " ".repeat(100))));
    let ok = Limits { not_understood_percent: 100, ..Limits::default() };
    let table = [
        (Limits { documents: 2, ..ok.clone() }, "3 documents: more than 2"),
        (Limits { document_bytes: 99, ..ok.clone() }, "entry \"0\": larger than 99 bytes"),
        (Limits { total_bytes: 250, ..ok.clone() }, "its entries together: larger than 250 bytes"),
        (
            Limits::default(),
            "osv:npm: 3 of 3 entries could not be understood, more than 5 %; the first: 0: no OSV document: EOF while parsing a value at line 1 column 100",
        ),
    ];
    for (limits, wanted) in table {
        let from = std::io::Cursor::new(bytes.get_ref().clone());
        let error = osv::archive(from, Ecosystem::Npm, &limits, &mut Gathered::default());
        assert_eq!(error.unwrap_err().to_string(), wanted);
    }
    osv::archive(bytes, Ecosystem::Npm, &ok, &mut Gathered::default()).unwrap();
}
