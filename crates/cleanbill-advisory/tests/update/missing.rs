//! What cannot be had, and of which there is no earlier copy: gone without, by name, and never to the
//! loss of what is in force.

use std::path::Path;

use cleanbill_advisory::update::{Plan, Publisher, Updated, update};
use cleanbill_advisory::{ErrorKind, Snapshot};
use cleanbill_core::advisory::Advisories;
use cleanbill_core::ecosystem::Ecosystem;

use super::server::{Server, Trick, gzip, line};
use super::{osv_zip_of, zip_of};

/// Everything of a plan that asks for more than usual.
fn world(folder: &Path) -> (Server, Plan) {
    let server = Server::start();
    for ecosystem in ["Kubernetes", "Photon OS"] {
        let zip = osv_zip_of(ecosystem, "PYSEC-2", "1.2");
        server.put(&format!("/{ecosystem}/all.zip"), "\"o1\"", zip);
    }
    for release in ["8", "9", "10"] {
        let list = r#"{"data":[{"id":"ALSA-1","type":"security","issued_date":1782900000,"packages":[{"name":"a","version":"1","release":"1","arch":"noarch"}]}]}"#;
        server.put(&format!("/almalinux/{release}/errata.full.json"), "\"l1\"", list.into());
    }
    for year in 2002..=2026 {
        let text = format!(r#"{{"vulnerabilities":[{{"cve":{{"id":"CVE-{year}-1111"}}}}]}}"#);
        server.put(&format!("/nvd/nvdcve-2.0-{year}.json.gz"), "\"n1\"", gzip(&text));
    }
    let scores = "#score_date:2026-08-20T00:00:00Z\nCVE-2024-1000,0.5,0.9\n";
    server.put("/epss/epss_scores-current.csv.gz", "\"s1\"", gzip(scores));
    let mut plan = server.plan(folder);
    plan.ecosystems = vec![Ecosystem::PyPI, Ecosystem::Kubernetes, Ecosystem::PhotonOs];
    plan.publishers = vec![Publisher::AlmaLinux, Publisher::Epss, Publisher::Nvd];
    (server, plan)
}

const KEV: &str = "/kev/known_exploited_vulnerabilities.json";
const ALL: [&str; 8] =
    ["almalinux", "eol", "epss", "kev", "nvd", "osv:Kubernetes", "osv:Photon OS", "osv:PyPI"];

fn feeds(updated: &Updated) -> Vec<&str> {
    updated.report.feeds.iter().map(|feed| feed.id.as_str()).collect()
}

#[test]
fn one_that_cannot_be_had_is_named_and_all_others_are_there() {
    let down = || vec![Trick::Status(503); 4];
    let bad = || vec![Trick::Body(zip_of(&[("a.json", b"{}")]))];
    // (what is asked for, what it answers, the feed that is not there, what `db status` says)
    let table = [
        ("/Photon OS/all.zip", down(), "osv:Photon OS", "osv/Photon OS: it could not be fetched"),
        ("/Kubernetes/all.zip", bad(), "osv:Kubernetes", "osv/Kubernetes: it could not be fetched"),
        (KEV, vec![Trick::Status(404)], "kev", "kev: it could not be fetched"),
        (KEV, vec![Trick::Body(b"{}".to_vec())], "kev", "kev: it could not be fetched"),
        ("/epss/epss_scores-current.csv.gz", down(), "epss", "epss: it could not be fetched"),
        // Of a feed that is not whole nothing counts, but where a release is one by itself.
        ("/nvd/nvdcve-2.0-2010.json.gz", down(), "nvd", "nvd: it could not be fetched"),
        ("/almalinux/9/errata.full.json", down(), "", "almalinux/9: it could not be fetched"),
        ("/eol/photon.json", down(), "", "eol: photon could not be fetched"),
    ];
    for (path, tricks, lacks, told) in table {
        let dir = tempfile::tempdir().unwrap();
        let (server, plan) = world(dir.path());
        server.trick(path, &tricks);
        let mut said = Vec::new();
        let updated = update(&plan, &mut |told| line(told, &mut said))
            .unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!((updated.kept.len(), updated.missing.len()), (0, 1), "{:?}", updated.missing);
        assert!(said.iter().any(|line| line.contains(", it is gone without: ")), "{said:?}");
        let there: Vec<&str> = ALL.into_iter().filter(|id| *id != lacks).collect();
        assert_eq!(feeds(&updated), there, "{path}");
        let snapshot = Snapshot::open(&plan.out).unwrap();
        assert!(snapshot.ignored().contains(&told.to_owned()), "{:?}", snapshot.ignored());
        let life = |distribution| snapshot.release_life(distribution, "9").unwrap().is_some();
        assert_eq!((life("photon"), life("rhel")), (path != "/eol/photon.json", true), "{path}");
        let covers = |release: &str| {
            snapshot.covering(&format!("AlmaLinux:{release}").parse().unwrap()).is_some()
        };
        let alma = !path.starts_with("/almalinux");
        assert_eq!([covers("8"), covers("9")], [true, alma], "{path}");
        assert!(!dir.path().join("aside").exists());

        // Once it is there again, all is.
        let next = update(&plan, &mut |_| ()).unwrap_or_else(|e| panic!("after {path}: {e}"));
        assert_eq!((next.missing, next.kept), (vec![], vec![]), "{path}");
        let feeds: Vec<_> = next.report.feeds.iter().map(|feed| feed.id.as_str()).collect();
        assert_eq!((feeds, next.report.ignored), (ALL.to_vec(), vec![]), "{path}");
    }
}

#[test]
fn what_is_missing_for_ever_does_not_keep_news_away() {
    let dir = tempfile::tempdir().unwrap();
    let (server, mut plan) = world(dir.path());
    for path in ["/Kubernetes/all.zip", "/eol/photon.json", "/almalinux/8/errata.full.json"] {
        server.trick(path, &vec![Trick::Status(404); 9]);
    }
    for day in ["2026-08-22", "2026-08-23", "2026-08-24"] {
        plan.now = format!("{day}T12:00:00Z").parse().unwrap();
        let updated = update(&plan, &mut |_| ()).unwrap();
        assert_eq!((updated.kept.len(), updated.missing.len()), (0, 3), "{:?}", updated.missing);
        let eol = updated.report.feeds.iter().find(|feed| feed.id == "eol").unwrap();
        assert_eq!(eol.as_of.unwrap().strftime("%F").to_string(), day);
    }
}

#[test]
fn what_has_arrived_of_it_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let (server, plan) = world(dir.path());
    let down = Trick::Status(503);
    let tricks = [Trick::BreakOff(50), down.clone(), down.clone(), down];
    server.trick("/Photon OS/all.zip", &tricks);
    assert_eq!(update(&plan, &mut |_| ()).unwrap().missing.len(), 1);
    server.asked("");
    assert_eq!(update(&plan, &mut |_| ()).unwrap().missing.len(), 0);
    let asked = server.asked("/Photon OS/all.zip");
    assert_eq!(asked, ["range=bytes=50- if-range=\"o1\""]);
}

#[test]
fn nothing_that_is_in_force_is_lost_by_it() {
    // (what is not there any more, what answers nothing, what would be lost)
    let table = [
        ("feeds/kev", KEV, "kev is not in it"),
        ("feeds/osv/Photon OS", "/Photon OS/all.zip", "osv:Photon OS is not in it"),
        (
            "feeds/almalinux/9",
            "/almalinux/9/errata.full.json",
            "almalinux: AlmaLinux:9 is not in it",
        ),
        ("feeds/nvd", "/nvd/nvdcve-2.0-2010.json.gz", "nvd is not in it"),
        ("feeds/eol", "/eol/photon.json", "eol: photon is not in it"),
    ];
    for (gone, path, lost) in table {
        let dir = tempfile::tempdir().unwrap();
        let (server, mut plan) = world(dir.path());
        update(&plan, &mut |_| ()).unwrap();
        let before = std::fs::read(&plan.out).unwrap();
        std::fs::remove_dir_all(dir.path().join(gone)).unwrap();
        server.trick(path, &[Trick::Status(404), Trick::Status(404)]);
        let error = update(&plan, &mut |_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Older, "{error}");
        assert!(error.to_string().ends_with(&format!("lacks some of it:\n  {lost}")), "{error}");
        assert_eq!(std::fs::read(&plan.out).unwrap(), before, "{path}");
        // Another place has nothing to lose.
        plan.out = dir.path().join("other.cbdb");
        assert_eq!(update(&plan, &mut |_| ()).unwrap().missing.len(), 1, "{path}");
    }
}

#[test]
fn without_anything_that_says_which_packages_have_flaws_it_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (server, plan) = world(dir.path());
    let mut paths: Vec<String> =
        plan.ecosystems.iter().map(|ecosystem| format!("/{ecosystem}/all.zip")).collect();
    paths.extend(["8", "9", "10"].map(|release| format!("/almalinux/{release}/errata.full.json")));
    for path in &paths {
        server.trick(path, &[Trick::Status(404)]);
    }
    let error = update(&plan, &mut |_| ()).unwrap_err();
    assert!(error.to_string().ends_with("/PyPI/all.zip: the server said 404 Not Found"), "{error}");
    assert!(!plan.out.exists());
    // One of them is something.
    paths[1..].iter().for_each(|path| server.trick(path, &[Trick::Status(404)]));
    let updated = update(&plan, &mut |_| ()).unwrap();
    assert_eq!(
        (updated.missing.len(), feeds(&updated)),
        (5, vec!["eol", "epss", "kev", "nvd", "osv:PyPI"])
    );
}
