//! Feeds that broke off in an earlier run: gone on with where the server still has the same file, begun
//! anew where anything speaks against it.

use std::path::{Path, PathBuf};

use cleanbill_advisory::update::{Publisher, update};
use cleanbill_advisory::{ErrorKind, Told};

use super::server::{Server, Trick};
use super::{fixed_in, osv_zip};

/// Leaves a download of PyPI's zip as a killed process does, and returns its folder.
fn left(folder: &Path, etag: &str, bytes: &[u8]) -> PathBuf {
    let feed = folder.join("feeds/osv/PyPI");
    std::fs::create_dir_all(&feed).unwrap();
    let hex: String = etag.bytes().map(|b| format!("{b:02x}")).collect();
    std::fs::write(feed.join(format!("all.zip.etag-{hex}.partial")), bytes).unwrap();
    feed
}

/// The files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_left_of_a_feed_is_gone_on_with_or_begun_anew() {
    use Trick::{AnyRange, Body, BreakOff, ShortRange, Status, WrongRange};
    let whole = osv_zip("PYSEC-1", "1.2");
    let (right, wrong) = (&whole[..50], &[0; 50][..]);
    let (same, other) = ("range=bytes=50- if-range=\"p1\"", "range=bytes=50- if-range=\"p0\"");
    // (the ETag that it had, what is left, what the server does, what it is asked)
    type Row<'a> = (&'a str, &'a [u8], &'a [Trick], &'a [&'a str]);
    let table: &[Row<'_>] = &[
        ("\"p1\"", right, &[], &[same]),
        ("\"p1\"", right, &[Status(503)], &[same, same]),
        ("\"p0\"", wrong, &[], &[other]),
        // A server that knows no ranges, or no `If-Range`.
        ("\"p1\"", wrong, &[Body(whole.clone())], &[same]),
        ("\"p0\"", wrong, &[AnyRange], &[other, ""]),
        ("\"p1\"", right, &[Status(416)], &[same, ""]),
        ("\"p1\"", right, &[WrongRange], &[same, ""]),
        ("\"p1\"", right, &[ShortRange], &[same, ""]),
        ("\"p0\"", wrong, &[BreakOff(70)], &[other, "range=bytes=70- if-range=\"p1\""]),
        ("\"p1\"", b"", &[], &[""]),
        ("W/\"p1\"", right, &[], &[""]),
    ];
    for (etag, bytes, tricks, asked) in table {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        let plan = server.plan(dir.path());
        let feed = left(dir.path(), etag, bytes);
        server.trick("/PyPI/all.zip", tricks);
        let case = format!("{etag} {} {:.40}", bytes.len(), format!("{tricks:?}"));
        update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("{case}: {e}"));
        assert_eq!(server.asked("/PyPI/all.zip"), *asked, "{case}");
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.2\")".to_owned()].into(), "{case}");
        assert_eq!(std::fs::read(feed.join("all.zip")).unwrap(), whole, "{case}");
        assert_eq!(names(&feed), ["all.zip"], "{case}");
        // What it was is known: the next one asks only whether it has changed.
        update(&plan, &mut |_| ()).unwrap();
        assert_eq!(server.asked("/PyPI/all.zip"), ["if-none-match=\"p1\""], "{case}");
    }
}

#[test]
fn whoever_waits_is_told_how_far_it_is() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let plan = server.plan(dir.path());
    let whole = osv_zip("PYSEC-1", "1.2").len() as u64;
    for (trick, wanted) in [(vec![Trick::Slow], vec![(whole, Some(whole))]), (vec![], vec![])] {
        server.trick("/PyPI/all.zip", &trick);
        let mut received = Vec::new();
        update(&plan, &mut |told| {
            if let Told::Received { name, have, whole } = told {
                assert_eq!(name, "osv/PyPI/all.zip");
                received.push((have, whole));
            }
        })
        .unwrap();
        assert_eq!(received, wanted, "{trick:?}");
    }
}

#[test]
fn what_breaks_off_is_left_for_the_next_run_and_nothing_else_is() {
    use Trick::{BreakOff, Status};
    let down = Status(503);
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let plan = server.plan(dir.path());
    server.trick("/PyPI/all.zip", &[BreakOff(90), down.clone(), down.clone(), down]);
    let error = update(&plan, &mut |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    let feed = dir.path().join("feeds/osv/PyPI");
    // Named by `"p1"`, and the date that it had.
    assert_eq!(names(&feed), ["all.zip.etag-22703122-1785542400.partial"]);
    server.asked("");
    server.trick("/PyPI/all.zip", &[Trick::Bare]);
    let report = update(&plan, &mut |_| ()).unwrap().report;
    let osv = report.feeds.iter().find(|f| f.id == "osv:PyPI").unwrap();
    assert_eq!(osv.as_of.unwrap().to_string(), "2026-08-01T00:00:00Z");
    assert_eq!(server.asked("/PyPI/all.zip"), ["range=bytes=90- if-range=\"p1\""]);

    // Without a strong ETag nobody knows whether it is still the same file.
    for etag in ["W/\"p2\"", "p2"] {
        server.put("/PyPI/all.zip", etag, osv_zip("PYSEC-1", "1.3"));
        server.trick("/PyPI/all.zip", &[BreakOff(90), Status(404)]);
        let kept = update(&plan, &mut |_| ()).unwrap().kept;
        assert_eq!((kept.len(), names(&feed)), (1, vec!["all.zip".to_owned()]), "{etag}");
    }
}

#[test]
fn what_was_altered_on_the_disk_is_found_out_and_forgotten() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let plan = server.plan(dir.path());
    update(&plan, &mut |_| ()).unwrap();
    let whole = osv_zip("PYSEC-1", "1.3");
    let mut differences = 0;
    for at in (0..whole.len() - 1).step_by(40) {
        server.put("/PyPI/all.zip", "\"p2\"", whole.clone());
        let mut altered = whole[..=at].to_vec();
        altered[at] ^= 0x55;
        let feed = left(dir.path(), "\"p2\"", &altered);
        let updated = update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("{at}: {e}"));
        // Where it made a difference, the copy of before was taken, and the next one is whole.
        let again = update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("{at}: {e}"));
        assert_eq!(again.kept, [""; 0], "{at}");
        assert_eq!(fixed_in(&plan.out), ["PYSEC-1 Fixed(\"1.3\")".into()].into(), "{at}");
        assert_eq!(names(&feed), ["all.zip"], "{at}");
        server.put("/PyPI/all.zip", "\"p1\"", osv_zip("PYSEC-1", "1.2"));
        update(&plan, &mut |_| ()).unwrap();
        differences += updated.kept.len();
    }
    assert!(differences >= 2, "{differences}");
}

#[test]
fn what_nobody_asks_for_any_more_is_removed() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let mut plan = server.plan(dir.path());
    plan.publishers = vec![Publisher::Debian];
    for (folder, name) in [("osv/Hex", "all.zip"), ("wolfi", "security.json")] {
        let folder = dir.path().join("feeds").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.etag-22703122.partial")), "x").unwrap();
    }
    // A download that broke off is no feed that was fetched.
    let (ecosystems, publishers) = cleanbill_advisory::update::fetched(dir.path());
    assert_eq!((ecosystems, publishers), (vec![], vec![]));
    std::fs::write(dir.path().join("cleanbill.cbdb.sha256-00.partial"), "x").unwrap();
    let tracker = r#"{"xen":{"CVE-2024-1000":{"releases":{"bookworm":{"status":"open"}}}}}"#;
    server.put("/debian/tracker.json", "\"d1\"", tracker.into());
    update(&plan, &mut |_| ()).unwrap();
    let feeds = dir.path().join("feeds");
    assert!(!feeds.join("wolfi").exists() && !feeds.join("osv/Hex").exists());
    assert!(!names(dir.path()).iter().any(|name| name.ends_with(".partial")));
}
