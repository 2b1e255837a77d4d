//! Red Hat's documents: the archive, what has changed since it was made, and what is gone.

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::update::{Plan, Publisher, Sources, update};
use cleanbill_core::advisory::{Advisories, ContentSet};

use super::repository::play_others;
use super::server::{Server, Trick};

const LIST: &str = "/security.access.redhat.com/data/metrics/repository-to-cpe.json";
const BASE: &str = "/security.access.redhat.com/data/csaf/v2/vex-feed";

/// A document about a flaw of one package.
fn document(number: &str, status: &str, changed: &str) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_vex","tracking":{{"status":"final","current_release_date":"{changed}T00:00:00Z"}}}},"product_tree":{{"branches":[{{"product":{{"product_id":"r9","product_identification_helper":{{"cpe":"cpe:/o:redhat:enterprise_linux:9"}}}}}},{{"product":{{"product_id":"a","product_identification_helper":{{"purl":"pkg:rpm/redhat/a?arch=src"}}}}}}],"relationships":[{{"full_product_name":{{"product_id":"r9:a"}},"product_reference":"a","relates_to_product_reference":"r9"}}]}},"vulnerabilities":[{{"cve":"CVE-2026-{number}","product_status":{{"{status}":["r9:a"]}}}}]}}"#
    )
}

/// An archive as Red Hat makes it.
pub(crate) fn archive(documents: &[(&str, &str)]) -> Vec<u8> {
    let named = |(number, status): &(&str, &str)| {
        (format!("2026/cve-2026-{number}.json"), document(number, status, "2026-07-01"))
    };
    let files: Vec<(String, String)> = documents.iter().map(named).collect();
    zstd::encode_all(&tar(&files)[..], 1).unwrap()
}

/// A tar of files.
pub(crate) fn tar(files: &[(String, String)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in files {
        let mut block = [0u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend(block);
        tar.extend(content.as_bytes());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar
}

/// A list of one repository, whose product is of this minor release.
pub(crate) fn repositories(minor: &str) -> Vec<u8> {
    format!(r#"{{"data":{{"eus-rpms":{{"cpes":["cpe:/o:redhat:rhel_eus:{minor}::baseos"]}}}}}}"#)
        .into_bytes()
}

/// The products of that repository.
fn products(plan: &Plan) -> String {
    match Snapshot::open(&plan.out).unwrap().content_set("eus-rpms").unwrap() {
        ContentSet::Products(products) => {
            products.iter().map(|product| product.release.as_str()).collect()
        }
        other @ (ContentSet::NoList | ContentSet::Unknown) => format!("{other:?}"),
    }
}

/// Flaws with their states.
fn said(plan: &Plan) -> String {
    let snapshot = Snapshot::open(&plan.out).unwrap();
    let stream = "Red Hat:enterprise_linux:9".parse().unwrap();
    let found = snapshot.lookup(&stream, "a").unwrap();
    let mut lines: Vec<String> = found
        .iter()
        .map(|a| format!("{} {:?}", a.id.trim_start_matches("CVE-2026-"), a.state))
        .collect();
    lines.sort();
    lines.join(", ")
}

#[test]
fn what_has_changed_since_the_archive_is_fetched_and_forgotten_with_the_next() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    let put =
        |name: &str, etag: &str, body: Vec<u8>| server.put(&format!("{BASE}/{name}"), etag, body);
    put("archive_latest.txt", "\"l1\"", b"csaf_vex_2026-08-05.tar.zst\n".to_vec());
    let all = [("1111", "known_affected"), ("2222", "known_affected"), ("3333", "known_affected")];
    put("csaf_vex_2026-08-05.tar.zst", "\"a1\"", archive(&all));
    put(
        "deletions.csv",
        "\"d1\"",
        b"\"2026/cve-2026-3333.json\",\"2026-08-06T00:00:00+00:00\"\n".to_vec(),
    );
    let changes = |rows: &[(&str, &str)]| -> Vec<u8> {
        let rows = rows
            .iter()
            .map(|(n, t)| format!("\"2026/cve-2026-{n}.json\",\"{t}T10:00:00+00:00\"\n"));
        rows.collect::<String>().into_bytes()
    };
    let rows = [("4444", "2026-08-06"), ("2222", "2026-08-05"), ("1111", "2026-08-04")];
    put("changes.csv", "\"c1\"", changes(&rows));
    server.put(LIST, "\"m1\"", repositories("9.2"));
    let changed = |number: &str, status: &str| document(number, status, "2026-08-06").into_bytes();
    put("2026/cve-2026-2222.json", "\"x1\"", changed("2222", "known_not_affected"));
    put("2026/cve-2026-4444.json", "\"x1\"", changed("4444", "under_investigation"));

    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::RedHat];
    let report = update(&plan, &mut |_| ()).unwrap().report;
    assert_eq!(said(&plan), "1111 Affected, 2222 NotAffected, 4444 UnderInvestigation");
    let feed = report.feeds.iter().find(|f| f.id == "redhat").unwrap();
    assert_eq!(feed.as_of.unwrap().to_string(), "2026-08-06T00:00:00Z");

    // What is held is not asked for again, until it has changed again.
    server.asked("");
    update(&plan, &mut |_| ()).unwrap();
    let asked = |path: &str| server.asked(&format!("{BASE}/{path}"));
    assert_eq!(asked("2026/"), [""; 0]);
    put("changes.csv", "\"c2\"", changes(&[("4444", "2026-08-07"), ("2222", "2026-08-05")]));
    put("2026/cve-2026-4444.json", "\"x2\"", changed("4444", "known_affected"));
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(asked("2026/"), ["cve-2026-4444.json"]);
    assert_eq!(said(&plan), "1111 Affected, 2222 NotAffected, 4444 Affected");

    // One that cannot be had: what was before stays, and is told.
    put(
        "changes.csv",
        "\"c3\"",
        changes(&[("1111", "2026-08-08"), ("4444", "2026-08-07"), ("2222", "2026-08-05")]),
    );
    server.trick(&format!("{BASE}/2026/cve-2026-1111.json"), &[Trick::Status(404)]);
    let kept = update(&plan, &mut |_| ()).unwrap().kept;
    assert!(
        kept.len() == 1 && kept[0].contains("cve-2026-1111.json: the server said 404"),
        "{kept:?}"
    );
    assert_eq!(said(&plan), "1111 Affected, 2222 NotAffected, 4444 Affected");

    // Each step may answer something else.
    for (path, want) in [
        ("archive_latest.txt", "it names no archive"),
        ("changes.csv", "no list of documents"),
        ("deletions.csv", "no list of documents"),
        ("csaf_vex_2026-08-05.tar.zst", "it is not packed by zstd"),
    ] {
        server.trick(&format!("{BASE}/{path}"), &[Trick::Body(b"<html>".to_vec())]);
        server.trick(&format!("{BASE}/2026/cve-2026-1111.json"), &[Trick::Status(404)]);
        let kept = update(&plan, &mut |_| ()).unwrap().kept.join("\n");
        assert!(kept.contains(want), "{path}: {kept}");
        assert_eq!(said(&plan), "1111 Affected, 2222 NotAffected, 4444 Affected", "{path}");
    }

    // A newer archive counts instead of what was fetched before it.
    put("archive_latest.txt", "\"l2\"", b"csaf_vex_2026-08-10.tar.zst".to_vec());
    put("csaf_vex_2026-08-10.tar.zst", "\"a2\"", archive(&[("2222", "known_affected")]));
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(said(&plan), "2222 Affected");
    assert!(!dir.path().join("feeds/redhat/documents/2026/cve-2026-4444.json").exists());
}

#[test]
fn an_archive_that_bears_no_day_is_as_old_as_its_server_says() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    let put =
        |name: &str, etag: &str, body: Vec<u8>| server.put(&format!("{BASE}/{name}"), etag, body);
    put("archive_latest.txt", "\"l1\"", b"vex-archive.tar.zst".to_vec());
    let all = ["1111", "2222", "3333"].map(|number| (number, "known_affected"));
    put("vex-archive.tar.zst", "\"a1\"", archive(&all));
    // Of the documents, made on July 1st, one was deleted before that, one after.
    let deletions = b"2026/cve-2026-1111.json,2026-06-01T00:00:00+00:00\n\
        2026/cve-2026-2222.json,2026-07-15T00:00:00+00:00\n\
        2026/cve-2026-4444.json,2026-07-15T00:00:00+00:00\n";
    put("deletions.csv", "\"d1\"", deletions.to_vec());
    // The server says August 1st of the archive: one has changed before, others since.
    let changes = b"2026/cve-2026-3333.json,2026-07-20T00:00:00+00:00\n\
        2026/cve-2026-4444.json,2026-08-02T00:00:00+00:00\n\
        2026/cve-2026-5555.json,2026-07-31T20:00:00+00:00\n";
    put("changes.csv", "\"c1\"", changes.to_vec());
    server.put(LIST, "\"m1\"", repositories("9.2"));
    for number in ["4444", "5555"] {
        let changed = document(number, "known_not_affected", "2026-08-02").into_bytes();
        put(&format!("2026/cve-2026-{number}.json"), "\"x1\"", changed);
    }

    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::RedHat];
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(said(&plan), "1111 Affected, 3333 Affected, 4444 NotAffected, 5555 NotAffected");

    // A name that could lead elsewhere is none.
    for name in ["../vex.tar.zst", "a/b.tar.zst", ".tar.zst", "vex.zip", "a b.tar.zst", ""] {
        put("archive_latest.txt", &format!("\"{name}\""), name.as_bytes().to_vec());
        let kept = update(&plan, &mut |_| ()).unwrap().kept.join("\n");
        assert!(kept.contains("it names no archive"), "{name}: {kept}");
    }
}

#[test]
fn the_list_of_repositories_comes_with_the_documents_and_stays_where_the_next_is_none() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    let put =
        |name: &str, etag: &str, body: Vec<u8>| server.put(&format!("{BASE}/{name}"), etag, body);
    put("archive_latest.txt", "\"l1\"", b"csaf_vex_2026-08-05.tar.zst\n".to_vec());
    put("csaf_vex_2026-08-05.tar.zst", "\"a1\"", archive(&[("1111", "known_affected")]));
    put("deletions.csv", "\"d1\"", Vec::new());
    put("changes.csv", "\"c1\"", Vec::new());

    // Without it the first update leaves the documents out: nobody would notice what is not there.
    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::RedHat];
    let updated = update(&plan, &mut |_| ()).unwrap();
    let missing = updated.missing.join("\n");
    assert!(missing.starts_with("redhat/repository-to-cpe.json: "), "{missing}");
    assert!(!updated.report.feeds.iter().any(|feed| feed.id == "redhat"));

    // The archive need not be fetched again.
    server.put(LIST, "\"m1\"", repositories("9.2"));
    server.asked("");
    update(&plan, &mut |_| ()).unwrap();
    let asked = server.asked(&format!("{BASE}/csaf_vex_2026-08-05.tar.zst"));
    assert_eq!(asked, [".sha256", "if-none-match=\"a1\""]);
    assert_eq!(products(&plan), "rhel_eus:9.2::baseos");
    server.put(LIST, "\"m2\"", repositories("9.4"));
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(products(&plan), "rhel_eus:9.4::baseos");

    // What is no list, or cannot be had, is told, and the one before counts.
    let table = [
        (Trick::Body(b"<html>".to_vec()), "no list of repositories"),
        (Trick::Body(br#"{"data":{}}"#.to_vec()), "names none"),
        (Trick::Status(404), "the server said 404"),
    ];
    for (at, (trick, want)) in table.into_iter().enumerate() {
        server.put(LIST, &format!("\"n{at}\""), repositories("9.6"));
        server.trick(LIST, &[trick]);
        let kept = update(&plan, &mut |_| ()).unwrap().kept.join("\n");
        assert!(kept.contains("repository-to-cpe.json") && kept.contains(want), "{want}: {kept}");
        assert_eq!(products(&plan), "rhel_eus:9.4::baseos", "{want}");
    }
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(products(&plan), "rhel_eus:9.6::baseos");
}
