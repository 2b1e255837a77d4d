//! Updates against a server on loopback that plays the publishers, and plays them badly.
#![allow(clippy::unwrap_used, clippy::panic)]

mod addresses;
mod dates;
mod documents;
mod extras;
mod missing;
mod nothing;
mod repository;
mod resumed;
mod server;
mod suse;
mod zips;

use std::collections::BTreeSet;
use std::path::Path;

use cleanbill_advisory::feeds::FEEDS;
use cleanbill_advisory::update::{Plan, Publisher, Sources, update};
use cleanbill_advisory::{ErrorKind, Snapshot};
use cleanbill_core::advisory::Advisories;
use cleanbill_core::ecosystem::{Ecosystem, Stream};

use server::{Server, Trick, gzip};
use zips::{osv_zip, osv_zip_of, zip_of};

fn fixed_in(out: &Path) -> BTreeSet<String> {
    let snapshot = Snapshot::open(out).unwrap();
    let found = snapshot.lookup(&Stream::of(Ecosystem::PyPI), "some-package").unwrap();
    found.iter().map(|a| format!("{} {:?}", a.id, a.ranges[0].end)).collect()
}

#[test]
fn what_has_not_changed_is_not_fetched_again() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let plan = server.plan(dir.path());
    let mut said = Vec::new();
    let first = update(&plan, &mut |told| server::line(told, &mut said)).unwrap();
    assert_eq!(server.asked("/PyPI/all.zip"), [""]);
    assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());

    // Dates: the entry has none, so the server's counts; the table's is the day of the check.
    let snapshot = Snapshot::open(&plan.out).unwrap();
    let dates: Vec<_> = snapshot
        .feeds()
        .iter()
        .map(|f| format!("{} {}", f.id, f.as_of.unwrap().strftime("%F")))
        .collect();
    assert_eq!(dates, ["eol 2026-08-22", "kev 2026-08-01", "osv:PyPI 2026-08-01"]);
    assert!(snapshot.flaw("CVE-2021-44228").unwrap().exploited);
    let life = |release| snapshot.release_life("alpine", release).unwrap().unwrap().end_of_life;
    assert_eq!(life("3.19"), Some(cleanbill_core::Date::constant(2025, 11, 1)));
    assert_eq!(life("9"), None);

    said.clear();
    let second = update(&plan, &mut |told| server::line(told, &mut said)).unwrap();
    assert_eq!(second.report.digest, first.report.digest);
    assert_eq!(server.asked("/PyPI/all.zip"), ["if-none-match=\"p1\""]);
    assert_eq!(said[0], "osv/PyPI/all.zip: unchanged");

    // A change is fetched, and the snapshot before is kept.
    server.put("/PyPI/all.zip", "\"p2\"", osv_zip("PYSEC-1", "1.3"));
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.3\")".to_owned()].into());
    let previous = dir.path().join("cleanbill.cbdb.previous");
    assert_eq!(fixed_in(&previous), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
}

#[test]
fn publishers_are_asked_by_name_and_forgotten_when_they_are_not() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let tracker = r#"{"xen":{"CVE-2024-1000":{"releases":{"bookworm":{"status":"open"}}}}}"#;
    server.put("/debian/tracker.json", "\"d1\"", tracker.into());
    let apk = r#"{"packages":[{"pkg":{"name":"git","secfixes":{"2-r0":["CVE-2024-2222"]}}}]}"#;
    server.put("/wolfi/security.json", "\"w1\"", apk.into());
    server.put("/chainguard/security.json", "\"c1\"", apk.into());
    for year in 2002..=2026 {
        let id = format!("CVE-{year}-1111");
        let text = format!(r#"{{"vulnerabilities":[{{"cve":{{"id":"{id}"}}}}]}}"#);
        let path = format!("/nvd/nvdcve-2.0-{year}.json.gz");
        server.put(&path, "\"n1\"", gzip(&text));
    }
    let scores = "#score_date:2026-08-20T00:00:00Z\nCVE-2024-1000,0.5,0.9\nCVE-2024-1111,0.1,0.2\n";
    server.put("/epss/epss_scores-current.csv.gz", "\"s1\"", gzip(scores));
    for release in ["8", "9", "10"] {
        let list = r#"{"data":[{"id":"ALSA-1","type":"security","issued_date":1782900000,"packages":[{"name":"a","version":"1","release":"1","arch":"noarch"}]}]}"#;
        server.put(&format!("/almalinux/{release}/errata.full.json"), "\"l1\"", list.into());
    }
    let branches = (2..=24).map(|n| format!("v3.{n}")).chain(["edge".to_owned()]);
    for branch in branches {
        let json = apk.replacen('{', &format!(r#"{{"distroversion":"{branch}","#), 1);
        for file in ["main", "community"] {
            let path = format!("/alpine-secdb/{branch}/{file}.json");
            server.put(&path, "\"a1\"", json.clone().into());
        }
    }
    let gem = zip_of(&[("db/gems/a/CVE-2024-1000.yml", b"gem: a\ncve: 2024-1000\n")]);
    server.put("/rubysec/advisories.zip", "\"y1\"", gem);
    server.put("/redhat/vex.tar.zst", "\"r1\"", documents::archive(&[("1111", "known_affected")]));
    server.put("/suse/csaf-vex.tar.bz2", "\"v1\"", suse::archive(&[("1111", "known_affected")]));
    server.put("/redhat/repository-to-cpe.json", "\"r1\"", documents::repositories("9.2"));
    for release in ["2", "2023"] {
        for arch in ["x86_64", "aarch64"] {
            let path = format!("/amazon/{release}/core/{arch}/updateinfo.xml.gz");
            server.put(&path, "\"a1\"", gzip(&repository::errata("ALAS-1", arch)));
        }
    }
    let dates = |plan: &Plan| -> Vec<String> {
        let report = update(plan, &mut |_| ()).unwrap().report;
        let date = |f: &cleanbill_core::advisory::Feed| {
            format!("{} {}", f.id, f.as_of.unwrap().strftime("%F"))
        };
        report.feeds.iter().map(date).collect()
    };
    let always = ["eol 2026-08-22", "kev 2026-08-01", "osv:PyPI 2026-08-01"];
    let mut plan = server.plan(dir.path());
    plan.publishers = Publisher::ALL.to_vec();
    // The server's date counts where the feed itself has none.
    assert_eq!(
        dates(&plan),
        [
            // Their errata are older, but the lists are of that day.
            "almalinux 2026-08-01",
            "alpine-secdb 2026-08-01",
            "amazon 2026-08-01",
            "chainguard 2026-08-01",
            "debian-tracker 2026-08-01",
            "eol 2026-08-22",
            "epss 2026-08-20",
            "kev 2026-08-01",
            "nvd 2026-08-01",
            "osv:PyPI 2026-08-01",
            "redhat 2026-07-01",
            "rubysec 1980-01-01",
            "suse 2026-07-01",
            "wolfi 2026-08-01",
        ]
    );
    assert_eq!(server.asked("/nvd/").len(), 25);
    let snapshot = Snapshot::open(&plan.out).unwrap();
    for row in FEEDS.iter().filter(|row| row.licence.is_some()) {
        let feed = snapshot.feeds().iter().find(|feed| feed.id == row.id).unwrap();
        assert_eq!(Some(feed.licence.as_str()), row.licence, "{}", row.id);
    }
    let found = snapshot.lookup(&"Debian:12".parse().unwrap(), "xen").unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(snapshot.flaw("CVE-2024-1000").unwrap().epss.unwrap().probability, 50_000);
    plan.publishers = vec![Publisher::Debian];
    assert_eq!(dates(&plan), [&["debian-tracker 2026-08-01"], &always[..]].concat());
    assert_eq!(server.asked("/debian/"), ["tracker.json if-none-match=\"d1\""]);
    plan.publishers = vec![];
    assert_eq!(dates(&plan), always);
}

#[test]
fn what_breaks_off_goes_on_and_what_fails_once_is_tried_again() {
    use Trick::{BreakOff, Status, WrongRange};
    let resumed = "range=bytes=100- if-range=\"p1\"";
    let table: &[(&[Trick], &[&str])] = &[
        (&[Status(500), Status(429)], &["", "", ""]),
        (&[BreakOff(100)], &["", resumed]),
        (&[BreakOff(100), Status(503)], &["", resumed, resumed]),
        (&[BreakOff(100), Status(416)], &["", resumed, ""]),
        (&[BreakOff(100), WrongRange], &["", resumed, ""]),
        (&[BreakOff(0)], &["", ""]),
    ];
    for (tricks, asked) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.trick("/PyPI/all.zip", tricks);
        let plan = server.plan(dir.path());
        update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("{tricks:?}: {e}"));
        assert_eq!(server.asked("/PyPI/all.zip"), *asked, "{tricks:?}");
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
    }
}

#[test]
fn a_server_that_asks_for_time_gets_a_little() {
    // (its words, how long is waited at least in s, tries; none: it is given up on)
    let date = "Retry-After: Sat, 22 Aug 2026 12:00:02 GMT";
    let table = [
        ("Retry-After: 0", 0, Some(2)),
        ("Retry-After: 1", 1, Some(2)),
        (date, 2, Some(2)),
        ("Retry-After: Sat, 22 Aug 2026 11:00:00 GMT", 0, Some(2)),
        ("Retry-After: soon", 0, Some(2)),
        ("Retry-After: -1", 0, Some(2)),
        ("Retry-After: 3", 0, None),
        ("Retry-After: 18446744073709551615", 0, None),
        ("Retry-After: Sat, 22 Aug 2099 12:00:00 GMT", 0, None),
    ];
    for (line, least, tries) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.trick("/PyPI/all.zip", &[Trick::Busy(line)]);
        let mut plan = server.plan(dir.path());
        plan.bounds.retry_after = std::time::Duration::from_secs(2);
        let began = std::time::Instant::now();
        let result = update(&plan, &mut |_| ());
        assert!(began.elapsed().as_secs() >= least, "{line}");
        match tries {
            Some(tries) => {
                result.unwrap_or_else(|e| panic!("{line}: {e}"));
                assert_eq!(server.asked("/PyPI/all.zip").len(), tries, "{line}");
            }
            None => {
                let said = result.unwrap_err().to_string();
                assert!(said.contains("given up: it is to be asked again in "), "{said}");
                assert!(
                    said.ends_with(
                        " s, and 2 s are waited at most: the server said 429 Too Many Requests"
                    ),
                    "{said}"
                );
                assert_eq!(server.asked("/PyPI/all.zip").len(), 1, "{line}");
            }
        }
    }
}

/// The words, without what differs from run to run.
fn plain(said: &str, server: &Server, folder: &Path) -> String {
    said.replace(&server.base, "BASE").replace(&folder.display().to_string(), "FOLDER")
}

#[test]
fn a_publisher_that_gives_nothing_is_told_and_the_copy_of_before_kept() {
    use Trick::{Body, Endless, Status};
    let broken = b"PK\x05\x06 but no zip".to_vec();
    let table: Vec<(Vec<Trick>, ErrorKind, &str)> = vec![
        (vec![Status(404)], ErrorKind::Network, "the server said 404 Not Found"),
        (vec![Status(302)], ErrorKind::Network, "the server said 302 Found"),
        (
            vec![Status(500); 4],
            ErrorKind::Network,
            "given up after 4 tries: the server said 500 Internal Server Error",
        ),
        (vec![Status(429); 4], ErrorKind::Network, "given up after 4 tries: the server said 429"),
        (vec![Body(broken)], ErrorKind::Malformed, "no readable zip: "),
        (vec![Body(vec![])], ErrorKind::Malformed, "no readable zip: "),
        (vec![Body(vec![0; 2 << 20])], ErrorKind::OverLimit, "larger than 1048576 bytes"),
        (vec![Endless], ErrorKind::OverLimit, "larger than 1048576 bytes"),
    ];
    for (tricks, kind, wanted) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        let plan = server.plan(dir.path());
        // Without a copy there is nothing to go on with.
        server.trick("/PyPI/all.zip", &tricks);
        let error = update(&plan, &mut |_| ()).unwrap_err();
        let said = plain(&error.to_string(), &server, dir.path());
        assert!(said.starts_with(&format!("BASE/PyPI/all.zip: {wanted}")), "{said}\n{wanted}");
        assert_eq!(error.kind(), kind, "{said}");
        assert!(!plan.out.exists(), "{said}");

        update(&plan, &mut |_| ()).unwrap();
        server.put("/PyPI/all.zip", "\"p2\"", osv_zip("PYSEC-1", "1.3"));
        let kev = r#"{"dateReleased":"2026-08-20T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2024-1000"}]}"#;
        server.put("/kev/known_exploited_vulnerabilities.json", "\"k2\"", kev.into());
        server.trick("/PyPI/all.zip", &tricks);
        let mut told = Vec::new();
        let updated = update(&plan, &mut |word| server::line(word, &mut told)).unwrap();
        let said = plain(&updated.kept.join("\n"), &server, dir.path());
        let whole = format!("osv/PyPI/all.zip: BASE/PyPI/all.zip: {wanted}");
        assert!(updated.kept.len() == 1 && said.starts_with(&whole), "{said}\n{wanted}");
        assert!(told[0].starts_with("osv/PyPI/all.zip: not fetched, the copy of before is kept: "));
        // The rest is new, and what was kept bears the date that it had.
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
        let snapshot = Snapshot::open(&plan.out).unwrap();
        assert!(snapshot.flaw("CVE-2024-1000").unwrap().exploited);
        let date = snapshot.feeds().iter().find(|f| f.id == "osv:PyPI").unwrap().as_of.unwrap();
        assert_eq!(date.strftime("%F").to_string(), "2026-08-01");

        // And the next one is none the worse for it.
        let next = update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("after {said}: {e}"));
        assert_eq!(
            (next.kept, fixed_in(&plan.out)),
            (vec![], ["PYSEC-1 Fixed(\"1.3\")".into()].into())
        );
    }
}

#[test]
fn ends_of_life_bear_the_day_on_which_all_were_checked() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let mut plan = server.plan(dir.path());
    update(&plan, &mut |_| ()).unwrap();
    plan.now = "2026-08-30T12:00:00Z".parse().unwrap();
    let date = |plan: &Plan| {
        let updated = update(plan, &mut |_| ()).unwrap();
        let eol = updated.report.feeds.into_iter().find(|f| f.id == "eol").unwrap();
        (updated.kept.len(), eol.as_of.unwrap().strftime("%F").to_string())
    };
    server.trick("/eol/rhel.json", &[Trick::Status(404)]);
    assert_eq!(date(&plan), (1, "2026-08-22".to_owned()));
    // Neither is an answer that is JSON and no list of releases taken.
    server.put("/eol/rhel.json", "\"e2\"", b"{}".to_vec());
    assert_eq!(date(&plan), (1, "2026-08-22".to_owned()));
    let cycles = r#"[{"cycle":"9","eol":"2032-05-31"}]"#;
    server.put("/eol/rhel.json", "\"e3\"", cycles.into());
    // Without a table of before nothing of it is lost that is in force.
    std::fs::remove_dir_all(dir.path().join("feeds/eol")).unwrap();
    server.trick("/eol/rhel.json", &[Trick::Status(404)]);
    let error = update(&plan, &mut |_| ()).unwrap_err();
    assert!(error.to_string().ends_with("\n  eol: rhel is not in it"), "{error}");
    assert_eq!(date(&plan), (0, "2026-08-30".to_owned()));
}

#[test]
fn nobody_who_answers_is_an_error_and_asked_patiently_but_once() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let mut plan = server.plan(dir.path());
    update(&plan, &mut |_| ()).unwrap();
    let before = std::fs::read(&plan.out).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    plan.sources = Sources::mirror(&format!("http://{closed}")).unwrap();
    let mut told = Vec::new();
    let error = update(&plan, &mut |word| server::line(word, &mut told)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert!(error.to_string().contains("all.zip: given up after 4 tries: not reached"), "{error}");
    // Of PyPI, KEV and 14 products.
    assert_eq!(told.len(), 16, "{told:?}");
    assert!(told[1..].iter().all(|line| line.contains("given up after one try")), "{told:?}");
    assert_eq!(std::fs::read(&plan.out).unwrap(), before);
}

#[test]
fn what_cannot_be_built_from_is_told_and_the_copy_of_before_kept() {
    let no_osv = zip_of(&[("a.json", b"{}")]);
    let bomb = zip_of(&[("a.json", &vec![b' '; 70 << 20])]);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let table = [
        (
            no_osv,
            ErrorKind::Malformed,
            "osv:PyPI: 1 of 1 entries could not be understood, more than 5 %; the first: a.json: no OSV document: missing field `id` at line 1 column 2",
        ),
        (bomb, ErrorKind::OverLimit, "entry \"a.json\": larger than 67108864 bytes"),
    ];
    for (body, kind, wanted) in table {
        // Without a copy of before it is an error.
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        let plan = server.plan(dir.path());
        server.trick("/PyPI/all.zip", &[Trick::Body(body.clone())]);
        let error = update(&plan, &mut |_| ()).unwrap_err();
        let said = plain(&error.to_string(), &server, dir.path());
        let whole = format!("FOLDER/feeds/osv/PyPI/all.zip: {wanted}");
        assert!(said.starts_with(&whole), "{said}\n{wanted}");
        assert_eq!((error.kind(), plan.out.exists()), (kind, false), "{said}");
        // And the next one is none the worse for it.
        update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("after {said}: {e}"));

        server.put("/PyPI/all.zip", "\"p2\"", osv_zip("PYSEC-1", "1.3"));
        let kev = r#"{"dateReleased":"2026-08-20T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2024-1000"}]}"#;
        server.put("/kev/known_exploited_vulnerabilities.json", "\"k2\"", kev.into());
        server.asked("");
        for again in [false, true] {
            server.trick("/PyPI/all.zip", &[Trick::Body(body.clone())]);
            let mut told = Vec::new();
            let updated = update(&plan, &mut |word| server::line(word, &mut told)).unwrap();
            let kept = plain(&updated.kept.join("\n"), &server, dir.path());
            let whole = format!("osv/PyPI/all.zip: FOLDER/feeds/osv/PyPI/all.zip: {wanted}");
            assert!(updated.kept.len() == 1 && kept.starts_with(&whole), "{kept}\n{wanted}");
            let words = "osv/PyPI/all.zip: cannot be built from, the copy of before is kept: ";
            assert!(told.iter().any(|line| line.starts_with(words)), "{told:?}");
            // The rest is new, and what was put back bears the date that it had.
            assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into());
            let snapshot = Snapshot::open(&plan.out).unwrap();
            assert!(snapshot.flaw("CVE-2024-1000").unwrap().exploited);
            let feed = snapshot.feeds().iter().find(|f| f.id == "osv:PyPI").unwrap();
            assert_eq!(feed.as_of.unwrap().strftime("%F").to_string(), "2026-08-01");
            // It is asked for anew, whatever ETag the bad one had.
            let asked = if again { "" } else { "if-none-match=\"p1\"" };
            assert_eq!(server.asked("/PyPI/all.zip"), [asked]);
            let left = ["before", "check"].map(|name| dir.path().join(name).exists());
            assert_eq!(left, [false, false]);
        }
        let next = update(&plan, &mut |_| ()).unwrap();
        assert_eq!(
            (next.kept, fixed_in(&plan.out)),
            (vec![], ["PYSEC-1 Fixed(\"1.3\")".into()].into())
        );
    }
}
