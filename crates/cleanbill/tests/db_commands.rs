//! `db verify`, `load`, `search` and `diff` as a person or a script meets them: words, exit codes,
//! and what lies on the disk afterwards.
#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use cleanbill_advisory::{Gathered, write};
use cleanbill_core::advisory::{Advisory, Epss, Feed, Range, RangeEnd, Rating, State};
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::severity::Severity;

struct Place {
    dir: tempfile::TempDir,
}

/// A snapshot as of a day, with `fixed` as the version that fixes its flaw.
fn made(day: &str, fixed: &str) -> Vec<u8> {
    let mut gathered = Gathered::default();
    let (debian, python): (Stream, Stream) =
        ("Debian:12".parse().unwrap(), "PyPI".parse().unwrap());
    for (id, stream) in [("kev", None), ("osv:Debian", Some(&debian)), ("osv:PyPI", Some(&python))]
    {
        gathered.feeds.push(Feed {
            id: id.to_owned(),
            as_of: Some(format!("{day}T00:00:00Z").parse().unwrap()),
            licence: "none".to_owned(),
            advisories: 2,
            not_understood: 0,
            streams: stream.into_iter().cloned().collect(),
        });
    }
    let range = Range { introduced: Some("1.0".into()), end: RangeEnd::Fixed(fixed.to_owned()) };
    let flaw = Advisory {
        id: "CVE-2026-1000".into(),
        aliases: vec!["GHSA-aaaa-bbbb-cccc".into()],
        errata: vec!["DSA-1".into()],
        severity: Severity::High,
        ranges: vec![range],
        versions: vec!["0.9".into()],
        ..Advisory::default()
    };
    let strange = Advisory {
        id: "CVE-2026-1001".into(),
        state: State::WillNotFix,
        unreadable: Some("a range\tof an unknown type".into()),
        module: Some("nodejs:18".into()),
        arches: vec!["x86_64".into()],
        ..Advisory::default()
    };
    gathered.add(&debian, "xz-utils", flaw.clone());
    gathered.add(&debian, "xz-utils", strange);
    gathered.add(&python, "some-package", Advisory { errata: vec![], ..flaw });
    let facts = gathered.flaw("CVE-2026-1000");
    facts.exploited = true;
    facts.epss = Some(Epss { probability: 1234, percentile: 99_000 });
    facts.ratings = vec![Rating { source: "nvd".into(), severity: Severity::Critical, cvss: None }];
    gathered.sort();
    let mut bytes = Vec::new();
    write(&gathered, &mut bytes).unwrap();
    bytes
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        let new = made("2026-09-02", "2.1");
        std::fs::write(place.path("old.cbdb"), made("2026-09-01", "2.0")).unwrap();
        std::fs::write(place.path("cut.cbdb"), &new[..new.len() - 9]).unwrap();
        let mut flipped = new.clone();
        flipped[40] ^= 1;
        std::fs::write(place.path("flipped.cbdb"), flipped).unwrap();
        std::fs::write(place.path("new.cbdb"), new).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command
    }

    fn run(&self, line: &str) -> Output {
        let program = env!("CARGO_BIN_EXE_cleanbill");
        self.command(program).args(line.split_whitespace()).output().unwrap()
    }

    fn in_force(&self, suffix: &str) -> Option<Vec<u8>> {
        std::fs::read(self.path(&format!(".cache/cleanbill/db/cleanbill.cbdb{suffix}"))).ok()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs it and compares exit code and all of standard output; `err` is a part of standard error.
fn check(place: &Place, line: &str, code: i32, out: &str, err: &str) {
    let output = place.run(line);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let all = format!("{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    assert_eq!(output.status.code(), Some(code), "{all}");
    assert_eq!(stdout, out, "{all}");
    assert!(stderr.contains(err) && (stderr.is_empty() == err.is_empty()), "{all}");
}

#[test]
fn searches_find_ids_and_packages_and_say_where_they_looked() {
    let place = Place::new();
    let xz =
        "Debian:12\txz-utils\tCVE-2026-1000\tHIGH\taffected\t>=1.0 <2.1; =0.9\tosv:Debian\t-\n";
    let odd = "Debian:12\txz-utils\tCVE-2026-1001\tUNKNOWN\twill_not_fix\tnot understood: a range\\tof an unknown type\tosv:Debian\tmodule nodejs:18; x86_64\n";
    let python =
        "PyPI\tsome-package\tCVE-2026-1000\tHIGH\taffected\t>=1.0 <2.1; =0.9\tosv:PyPI\t-\n";
    let flaw = "FLAW\tCVE-2026-1000\texploited\t0.01234\t0.99000\tnvd=CRITICAL\n";
    let searched = "searched: kev (2026-09-02), osv:Debian (2026-09-02), osv:PyPI (2026-09-02)\n  This proves nothing about feeds that are not in the snapshot";
    let table: Vec<(&str, i32, String, &str)> = vec![
        ("CVE-2026-1000", 0, [xz, python, flaw].concat(), ""),
        ("cve-2026-1000", 0, [xz, python, flaw].concat(), ""),
        ("GHSA-aaaa-bbbb-cccc", 0, [xz, python, flaw].concat(), ""),
        ("DSA-1", 0, xz.to_owned(), ""),
        ("xz-utils", 0, [xz, odd].concat(), ""),
        ("xz", 1, String::new(), "new.cbdb: nothing under \"xz\"\n  searched: "),
        ("Some_Package", 0, python.to_owned(), ""),
        ("CVE-2026-1000 --stream PyPI", 0, [python, flaw].concat(), ""),
        ("CVE-2026-1001 --stream Debian", 0, odd.to_owned(), ""),
        ("CVE-2026-1001 --stream Debian:1", 1, String::new(), "no feed in it covers that stream"),
        ("CVE-2026-1001 --stream PyPI", 1, String::new(), "searched: osv:PyPI (2026-09-02)\n"),
        ("CVE-1999-0001", 1, String::new(), searched),
    ];
    for (term, code, out, err) in table {
        check(&place, &format!("db search --db new.cbdb {term}"), code, &out, err);
    }
    // Damage in the middle of a search is an error, and not what was found until then.
    check(&place, "db search --db flipped.cbdb xz-utils", 2, "", "does not have the hash");
    let output = place.run("db search --db new.cbdb CVE-2026-1000 -f json");
    let values: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values.len(), 3);
    assert_eq!(values[0]["Ranges"][0]["Fixed"], "2.1");
    assert_eq!(values[0]["Aliases"][0], "GHSA-aaaa-bbbb-cccc");
    assert_eq!(
        (&values[2]["Kind"], &values[2]["EPSS"]["Probability"]),
        (&"flaw".into(), &0.01234.into())
    );
    let output = place.run("db search --db new.cbdb CVE-2026-1000 -f table");
    let shown = text(&output.stdout);
    let sentence = "CVE-2026-1000: known to be exploited (CISA); EPSS 0.01234 (percentile 0.99000); CRITICAL by nvd";
    assert!(shown.starts_with("Stream ") && shown.lines().any(|l| l == sentence), "{shown}");
}

#[test]
fn differences_are_lines_or_counts() {
    let place = Place::new();
    let feeds: String = ["kev", "osv:Debian", "osv:PyPI"]
        .iter()
        .map(|id| format!("FEED\t{id}\t2026-09-01T00:00:00Z\t2026-09-02T00:00:00Z\n"))
        .collect();
    let lines =
        "Debian:12\txz-utils\tCVE-2026-1000\tranges\nPyPI\tsome-package\tCVE-2026-1000\tranges\n";
    check(&place, "db diff old.cbdb new.cbdb", 0, &(feeds + lines), "");
    check(&place, "db diff new.cbdb new.cbdb", 0, "", "");
    check(
        &place,
        "db diff old.cbdb flipped.cbdb -f table",
        2,
        &heading(&place),
        "flipped.cbdb: the block of Debian:12 xz-utils",
    );
    let shown = text(&place.run("db diff old.cbdb new.cbdb -f table").stdout);
    for line in [
        "feed kev: 2026-09-01 → 2026-09-02",
        "Stream          new      gone    ranges  severity     state   details",
        "Debian:12         0         0         1         0         0         0",
    ] {
        assert!(shown.lines().any(|l| l == line), "{line}\n{shown}");
    }
    let json = text(&place.run("db diff old.cbdb new.cbdb -f json").stdout);
    let last: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!((&last["Package"], &last["How"][0]), (&"some-package".into(), &"ranges".into()));
}

/// What a comparison with the flipped one says before it fails.
fn heading(place: &Place) -> String {
    let shown = text(&place.run("db diff old.cbdb new.cbdb -f table").stdout);
    let head: Vec<&str> = shown.lines().take_while(|line| !line.is_empty()).collect();
    head.join("\n").replace("new.cbdb", "flipped.cbdb") + "\n"
}

#[test]
fn what_is_loaded_is_used_and_what_is_refused_changes_nothing() {
    let place = Place::new();
    let [old, new] = ["old.cbdb", "new.cbdb"].map(|n| std::fs::read(place.path(n)).unwrap());
    let run = |line: &str, code: i32, part: &str| {
        let output = place.run(line);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}\n{all}");
        assert!(all.contains(part), "{line}\n{all}");
    };
    let stays = "what was in force stays as it was";
    run(
        "db load new.cbdb --digest sha256:0000000000000000000000000000000000000000000000000000000000000000",
        2,
        "has the digest sha256:",
    );
    run("db load new.cbdb", 0, "3 advisories about 2 packages");
    run("db verify", 0, "cleanbill.cbdb: whole: ");
    run("db verify cut.cbdb", 2, "cut.cbdb is damaged: its end is missing");
    run("db verify flipped.cbdb", 2, "the block of Debian:12 xz-utils does not have the hash");
    run("db load cut.cbdb", 2, stays);
    run("db load flipped.cbdb", 2, stays);
    run("db load absent.cbdb", 2, "absent.cbdb: No such file");
    run("db load .", 2, stays);
    run("db load old.cbdb", 2, "kev goes back from 2026-09-02T00:00:00Z to 2026-09-01T00:00:00Z");
    run("db load new.cbdb", 0, "It was in force already");
    assert_eq!((place.in_force(""), place.in_force(".previous")), (Some(new.clone()), None));
    run("db load old.cbdb --force", 0, "note: kev goes back");
    assert_eq!((place.in_force(""), place.in_force(".previous")), (Some(old), Some(new)));
}

#[test]
fn standard_input_and_a_full_disk() {
    let place = Place::new();
    let [old, new] = ["old.cbdb", "new.cbdb"].map(|n| std::fs::read(place.path(n)).unwrap());
    let pipe = |bytes: &[u8]| {
        let mut child = place
            .command(env!("CARGO_BIN_EXE_cleanbill"))
            .args(["db", "load", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(pipe(&old).status.code(), Some(0));
    let output = pipe(&new[..new.len() - 1]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("standard input is damaged"), "{output:?}");
    assert_eq!(place.in_force(""), Some(old.clone()));

    // No file may grow, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" db load new.cbdb";
    let output =
        place.command("/bin/sh").args(["-c", script, env!("CARGO_BIN_EXE_cleanbill")]).output();
    let output = output.unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("cleanbill.cbdb.new: File too large"), "{stderr}");
    assert!(stderr.contains("what was in force stays as it was"), "{stderr}");
    assert_eq!((place.in_force(""), place.in_force(".new")), (Some(old), None));
    assert_eq!(pipe(&new).status.code(), Some(0));
    assert_eq!(place.in_force(""), Some(new));
}
