//! Addresses: every one that can be asked for, and those that nobody should ask twice.

use std::io::Write as _;

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::update::{Publisher, Sources, update};
use cleanbill_core::advisory::Advisories;
use cleanbill_core::ecosystem::Ecosystem;

use super::repository::play_others;
use super::server::Server;
use super::{osv_zip, osv_zip_of};

#[test]
fn every_ecosystem_of_osv_can_be_asked_for() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    for ecosystem in Ecosystem::ALL {
        let zip = osv_zip_of(ecosystem.as_str(), "PYSEC-1", "1.2");
        server.put(&format!("/{ecosystem}/all.zip"), "\"o1\"", zip);
    }
    server.also_at("/", "/osv-vulnerabilities.storage.googleapis.com/");
    play_others(&server);
    for sources in [Sources::mirror(&server.base), Sources::through(&server.base)] {
        let mut plan = server.plan(dir.path());
        plan.sources = sources.unwrap();
        plan.ecosystems = Ecosystem::ALL.to_vec();
        let report = update(&plan, &mut |_| ()).unwrap().report;
        for ecosystem in Ecosystem::ALL {
            let id = format!("osv:{ecosystem}");
            assert!(report.feeds.iter().any(|feed| feed.id == id), "{id}");
        }
    }
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    // Who speaks plain HTTP where TLS is expected.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let mut plan = server.plan(dir.path());
    plan.bounds.backoff = std::time::Duration::from_secs(600);
    plan.sources = Sources::mirror(&format!("https://{plain}")).unwrap();
    let error = update(&plan, &mut |_| ()).unwrap_err().to_string();
    let wanted = "not reached over TLS (if a private authority vouches for it: --cacert): ";
    assert!(error.starts_with(&format!("https://{plain}/PyPI/all.zip: {wanted}")), "{error}");
}

#[test]
fn every_publisher_is_asked_at_its_own_address() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let osv = "/osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip";
    server.put(osv, "\"p1\"", osv_zip("PYSEC-1", "1.2"));
    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = Publisher::ALL.to_vec();
    update(&plan, &mut |_| ()).unwrap();
    let mut asked: Vec<String> =
        server.asked("/").iter().map(|line| line.trim().to_owned()).collect();
    // Of a series the last is enough.
    let count = |asked: &mut Vec<String>, start: &str, last: &str| {
        let before = asked.len();
        asked.retain(|path| !path.starts_with(start) || path == last);
        before - asked.len() + 1
    };
    let series = [
        ("secdb.alpinelinux.org/", "secdb.alpinelinux.org/v3.24/community.json", 47),
        ("errata.almalinux.org/", "errata.almalinux.org/10/errata.full.json", 3),
        ("endoflife.date/api/", "endoflife.date/api/photon.json", 14),
        ("nvd.nist.gov/", "nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-2026.json.gz", 25),
    ];
    for (start, last, wanted) in series {
        assert_eq!(count(&mut asked, start, last), wanted, "{start}");
    }
    asked.sort();
    let cdn = "cdn.amazonlinux.com";
    let mut wanted: Vec<String> = [
        osv.trim_start_matches('/'),
        "www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
        "packages.cgr.dev/chainguard/security.json",
        "packages.wolfi.dev/os/security.json",
        "security-tracker.debian.org/tracker/data/json",
        "epss.empiricalsecurity.com/epss_scores-current.csv.gz",
        "github.com/rubysec/ruby-advisory-db/archive/refs/heads/master.zip",
        "ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2",
        "ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2.sha256",
        "security.access.redhat.com/data/csaf/v2/vex-feed/archive_latest.txt",
        "security.access.redhat.com/data/metrics/repository-to-cpe.json",
    ]
    .map(str::to_owned)
    .into();
    wanted.extend(series.map(|(_, last, _)| last.to_owned()));
    for arch in ["x86_64", "aarch64"] {
        wanted.push(format!("{cdn}/2/core/latest/{arch}/mirror.list"));
        wanted.push(format!("{cdn}/al2023/core/mirrors/latest/{arch}/mirror.list"));
        wanted.push(format!("{cdn}/2/extras-catalog-{arch}.json"));
    }
    wanted.sort();
    assert_eq!(asked, wanted);
}

#[test]
fn each_branch_of_alpine_counts_with_all_of_its_files() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    let put = |release: &str, file: &str| {
        let json = format!(
            r#"{{"distroversion":"{release}","packages":[{{"pkg":{{"name":"{file}","secfixes":{{"2-r0":["CVE-2024-2222"]}}}}}}]}}"#
        );
        server.put(&format!("/alpine-secdb/{release}/{file}.json"), "\"a1\"", json.into());
    };
    for (release, file) in [
        ("edge", "main"),
        ("edge", "community"),
        ("v3.20", "main"),
        ("v3.20", "community"),
        // The first had no second repository, and all others have.
        ("v3.2", "main"),
        ("v3.19", "main"),
    ] {
        put(release, file);
    }
    let mut plan = server.plan(dir.path());
    plan.publishers = vec![Publisher::Alpine];
    let updated = update(&plan, &mut |_| ()).unwrap();
    let snapshot = Snapshot::open(&plan.out).unwrap();
    let feed = snapshot.feeds().iter().find(|feed| feed.id == "alpine-secdb").unwrap();
    let streams: Vec<String> = feed.streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["Alpine:edge", "Alpine:v3.2", "Alpine:v3.20"]);
    assert_eq!(feed.as_of.unwrap().to_string(), "2026-08-01T00:00:00Z");
    assert!(updated.missing.iter().any(|why| why.starts_with("alpine-secdb/v3.19/community.json")));
    let found = snapshot.lookup(&"Alpine:v3.20".parse().unwrap(), "community").unwrap();
    assert_eq!(found.len(), 1);
}
