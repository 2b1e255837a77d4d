//! Feeds with nothing in them: of one that says nothing, every image would look clean.

use crate::feeds::FEEDS;
use crate::gather::Gathered;
use crate::limits::Limits;

/// The bytes of one file below the folder of a feed, and the error that comes of it.
type Row<'t> = (&'t str, &'t str, &'t [u8], &'t str);

fn check((folder, name, bytes, want): &Row<'_>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let feed = FEEDS.iter().find(|feed| feed.folder == *folder).unwrap();
    let mut into = Gathered::default();
    let error = (feed.read)(dir.path(), &Limits::default(), &mut into).unwrap_err().to_string();
    let error = error.replace(&*dir.path().to_string_lossy(), "");
    assert_eq!(error, *want, "{folder}/{name}");
    assert!(into.feeds.is_empty(), "{folder}: {:?}", into.feeds);
}

#[test]
fn a_feed_with_nothing_in_it_is_an_error() {
    /// The end of a zip, and nothing before it.
    const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
    let kev = "/known_exploited_vulnerabilities.json: kev: there is nothing in it";
    let eol = |why: &str| format!("/distributions.json: eol: {why}");
    let table: &[Row<'_>] = &[
        (
            "almalinux",
            "9/errata.full.json",
            b"{\"data\":[]}",
            "/9/errata.full.json: no erratum of a flaw in it",
        ),
        (
            "alpine-secdb",
            "v3.9/main.json",
            b"{\"distroversion\":\"v3.9\",\"packages\":[]}",
            "alpine-secdb: there is nothing in it",
        ),
        (
            "amazon",
            "1/updates/x86_64/updateinfo.xml.gz",
            b"<updates></updates>",
            "/1: no erratum of a flaw in it",
        ),
        (
            "chainguard",
            "security.json",
            b"{\"packages\":[]}",
            "/security.json: chainguard: there is nothing in it",
        ),
        ("debian", "tracker.json", b"{}", "/tracker.json: debian-tracker: there is nothing in it"),
        (
            "debian",
            "tracker.json",
            b"{\"xen\":{}}",
            "/tracker.json: debian-tracker: there is nothing in it",
        ),
        (
            "eol",
            "distributions.json",
            b"{\"as_of\":\"2026-01-01\",\"distributions\":{}}",
            &eol("there is nothing in it"),
        ),
        (
            "eol",
            "distributions.json",
            b"{\"as_of\":\"2026-01-01\",\"distributions\":{\"alpine\":[]}}",
            &eol("no release of alpine in it"),
        ),
        (
            "epss",
            "epss_scores-current.csv.gz",
            GZIP,
            "/epss_scores-current.csv.gz: epss: there is nothing in it",
        ),
        (
            "kev",
            "known_exploited_vulnerabilities.json",
            b"{\"dateReleased\":\"2026-01-01T00:00:00Z\",\"vulnerabilities\":[]}",
            kev,
        ),
        ("nvd", "nvdcve-2.0-2025.json", b"{\"vulnerabilities\":[]}", "nvd: there is nothing in it"),
        ("osv", "Go/all.zip", ZIP, "/Go/all.zip: osv:Go: no entry in it names Go"),
        ("osv", "Ubuntu/all.zip", ZIP, "/Ubuntu/all.zip: osv:Ubuntu: no entry in it names Ubuntu"),
        ("rubysec", "advisories.zip", ZIP, "/advisories.zip: rubysec: there is nothing in it"),
        ("wolfi", "security.json", b"{}", "/security.json: wolfi: there is nothing in it"),
    ];
    table.iter().for_each(check);
    // Documents of these may be about other products alone: they cover nothing then.
    let others = ["redhat", "suse", "trivy"];
    for feed in FEEDS.iter().filter(|feed| !others.contains(&feed.folder)) {
        assert!(table.iter().any(|(folder, ..)| *folder == feed.folder), "{}", feed.folder);
    }
}
