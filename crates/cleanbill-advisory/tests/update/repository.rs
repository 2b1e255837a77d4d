//! The way from a list of mirrors to the errata of a repository, and what is made of a way that
//! leads nowhere.

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::update::{Publisher, Sources, update};
use cleanbill_core::advisory::{Advisories, RangeEnd};
use sha2::{Digest as _, Sha256};

use super::server::{Server, Trick};
use super::{gzip, osv_zip};

/// A list with one erratum.
pub(crate) fn errata(id: &str, arch: &str) -> String {
    format!(
        r#"<updates><update type="security" status="final"><id>{id}</id><issued date="2026-07-01 10:00:00"/><references><reference type="cve" id="CVE-2026-1111"/></references><pkglist><collection><package name="a" arch="{arch}" epoch="0" version="1" release="{id}"/></collection></pkglist></update></updates>"#
    )
}

pub(crate) const CDN: &str = "/cdn.amazonlinux.com";

/// Plays one repository: its list, its table of contents, its errata.
pub(crate) fn play(server: &Server, list: &str, guid: &str, arch: &str, erratum: &str, etag: &str) {
    let etag = format!("\"{etag}\"");
    let base = format!("cdn.amazonlinux.com/core/{guid}/{arch}");
    server.put(&format!("{CDN}/{list}/mirror.list"), &etag, format!("https://{base}/\n").into());
    let body = gzip(&errata(erratum, arch));
    let hash: String = Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
    let repomd = format!(
        r#"<repomd><data type="updateinfo"><checksum type="sha256">{hash}</checksum><location href="repodata/u.xml.gz"/></data></repomd>"#
    );
    server.put(&format!("/{base}/repodata/repomd.xml"), &etag, repomd.into());
    server.put(&format!("/{base}/repodata/u.xml.gz"), &etag, body);
}

pub(crate) fn play_all(server: &Server, guid: &str, erratum: &str) {
    for arch in ["x86_64", "aarch64"] {
        play(server, &format!("2/core/latest/{arch}"), &format!("two-{guid}"), arch, erratum, guid);
        let list = format!("al2023/core/mirrors/latest/{arch}");
        play(server, &list, &format!("2023-{guid}"), arch, erratum, guid);
        // One extra, which has no errata.
        let catalogue = r#"{"topics":[{"n":"quiet"}]}"#;
        server.put(&format!("{CDN}/2/extras-catalog-{arch}.json"), "\"q\"", catalogue.into());
        play_quiet(server, "quiet", arch);
    }
}

/// Plays an extra whose repository has no errata.
pub(crate) fn play_quiet(server: &Server, topic: &str, arch: &str) {
    let base = format!("cdn.amazonlinux.com/extras/{topic}/{arch}");
    let list = format!("{CDN}/2/extras/{topic}/latest/{arch}/mirror.list");
    server.put(&list, "\"q\"", format!("https://{base}/\n").into());
    let repomd =
        r#"<repomd><data type="primary"><location href="repodata/p.xml.gz"/></data></repomd>"#;
    server.put(&format!("/{base}/repodata/repomd.xml"), "\"q\"", repomd.into());
}

/// The fix of the one package.
fn fix(out: &std::path::Path) -> String {
    let snapshot = Snapshot::open(out).unwrap();
    let found = snapshot.lookup(&"Amazon Linux:2023".parse().unwrap(), "a").unwrap();
    found.iter().map(|a| format!("{:?} {:?}", a.ranges[0].end, a.arches)).collect()
}

fn fixed(version: &str) -> String {
    format!("{:?} []", RangeEnd::Fixed(version.to_owned()))
}

/// Plays those who are always asked at the addresses that they have.
pub(crate) fn play_others(server: &Server) {
    let osv = "/osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip";
    server.put(osv, "\"p1\"", osv_zip("PYSEC-1", "1.2"));
    let kev =
        r#"{"dateReleased":"2026-08-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-44228"}]}"#;
    let at = "/www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
    server.put(at, "\"k1\"", kev.into());
    server.also_at("/eol/", "/endoflife.date/api/");
}

#[test]
fn a_repository_is_followed_to_its_errata() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    play_all(&server, "g1", "1");

    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::Amazon];
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(fix(&plan.out), fixed("1-1"));

    // The repository moves with each release, and is followed.
    play_all(&server, "g2", "2");
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(fix(&plan.out), fixed("1-2"));
    // What has not changed is not fetched again.
    server.asked("");
    update(&plan, &mut |_| ()).unwrap();
    let asked = server.asked("/cdn.amazonlinux.com/core/2023-g2/x86_64/repodata/");
    assert_eq!(asked, ["repomd.xml if-none-match=\"g2\"", "u.xml.gz if-none-match=\"g2\""]);

    // A step that leads nowhere, and a file that is not what the repository says: what was there
    // before is kept, and told.
    let list = "/cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64/mirror.list";
    let base = "/cdn.amazonlinux.com/core/2023-g3/x86_64/repodata";
    let bad = b"<html>".to_vec();
    let table = [
        (list.to_owned(), Trick::Body(bad.clone()), "no list of mirrors: no line of it is"),
        (list.to_owned(), Trick::Body(b"http://plain.example/".to_vec()), "no list of mirrors"),
        (format!("{base}/repomd.xml"), Trick::Body(bad.clone()), "no table of contents of"),
        (format!("{base}/u.xml.gz"), Trick::Body(bad), "it has the SHA-256 "),
        (format!("{base}/u.xml.gz"), Trick::Status(404), "the server said 404"),
    ];
    play_all(&server, "g3", "3");
    for (path, trick, want) in table {
        server.trick(&path, &[trick]);
        let updated = update(&plan, &mut |_| ()).unwrap();
        let told = updated.kept.join("\n");
        assert!(updated.kept.len() == 1 && told.contains(want), "{told}\n{want}");
    }
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(fix(&plan.out), fixed("1-3"));
}
