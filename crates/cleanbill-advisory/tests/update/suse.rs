//! SUSE's documents: an archive that is made anew in its place, and what has changed since then.

use std::io::Write as _;

use cleanbill_advisory::Snapshot;
use cleanbill_advisory::update::{Plan, Publisher, Sources, update};
use cleanbill_core::advisory::Advisories;
use sha2::{Digest as _, Sha256};

use super::documents::tar;
use super::repository::play_others;
use super::server::{Server, Trick};

const ARCHIVE: &str = "/ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2";
const BASE: &str = "/ftp.suse.com/pub/projects/security/csaf-vex";

/// A document about a flaw of one source.
fn document(number: &str, status: &str, changed: &str) -> String {
    const SP6: &str = "SUSE Linux Enterprise Server 15 SP6";
    format!(
        r#"{{"document":{{"category":"csaf_vex","tracking":{{"status":"interim","current_release_date":"{changed}T00:00:00Z"}}}},"product_tree":{{"branches":[{{"product":{{"product_id":"a","product_identification_helper":{{"purl":"pkg:rpm/suse/a@?upstream=a.src.rpm"}}}}}}],"relationships":[{{"full_product_name":{{"product_id":"{SP6}:a"}},"product_reference":"a","relates_to_product_reference":"{SP6}"}}]}},"vulnerabilities":[{{"cve":"CVE-2026-{number}","product_status":{{"{status}":["{SP6}:a"]}}}}]}}"#
    )
}

/// An archive as SUSE makes it.
pub(crate) fn archive(documents: &[(&str, &str)]) -> Vec<u8> {
    let mut files = Vec::new();
    for (number, status) in documents {
        let name = format!("csaf-vex/cve-2026-{number}.json");
        files.push((format!("{name}.sha256"), "a hash".to_owned()));
        files.push((name, document(number, status, "2026-07-01")));
    }
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(&tar(&files)).unwrap();
    out.finish().unwrap()
}

/// Flaws with their states.
fn said(plan: &Plan) -> String {
    let snapshot = Snapshot::open(&plan.out).unwrap();
    let stream = "SUSE:Linux Enterprise Server 15 SP6".parse().unwrap();
    let found = snapshot.lookup(&stream, "a").unwrap();
    let line = |number: &str, state| format!("{number} {state:?}");
    let mut lines: Vec<String> =
        found.iter().map(|a| line(a.id.trim_start_matches("CVE-2026-"), a.state)).collect();
    lines.sort();
    lines.join(", ")
}

#[test]
fn what_has_changed_since_the_archive_was_made_is_fetched() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    let put =
        |name: &str, etag: &str, body: Vec<u8>| server.put(&format!("{BASE}/{name}"), etag, body);
    let all = [("1111", "known_affected"), ("2222", "known_affected"), ("3333", "known_affected")];
    server.put(ARCHIVE, "\"a1\"", archive(&all));
    // The oldest comes first, and the server's date of the archive is the first of August.
    let changes = |rows: &[(&str, &str)]| -> Vec<u8> {
        let rows = rows.iter().map(|(n, t)| format!("\"cve-2026-{n}.json\",\"{t}\"\n"));
        rows.collect::<String>().into_bytes()
    };
    let rows = [
        ("1111", "2026-07-31T17:59:59Z"),
        // It may have been changed while the archive was made.
        ("2222", "2026-07-31T18:00:00Z"),
        ("4444", "2026-08-02T10:00:00Z"),
    ];
    put("changes.csv", "\"c1\"", changes(&rows));
    let changed = |number: &str, status: &str| document(number, status, "2026-08-02").into_bytes();
    for number in ["1111", "2222", "4444"] {
        let name = format!("cve-2026-{number}.json");
        put(&name, "\"x1\"", changed(number, "known_not_affected"));
    }

    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::Suse];
    let updated = update(&plan, &mut |_| ()).unwrap();
    assert_eq!(updated.kept, [""; 0]);
    let news = "1111 Affected, 2222 NotAffected, 3333 Affected, 4444 NotAffected";
    assert_eq!(said(&plan), news);
    let feed = updated.report.feeds.iter().find(|f| f.id == "suse").unwrap();
    assert_eq!(feed.as_of.unwrap().to_string(), "2026-08-02T00:00:00Z");

    // What is held is not asked for again.
    server.asked("");
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(server.asked(&format!("{BASE}/cve")), [""; 0]);

    // One that cannot be had, and steps that answer something else: what was before stays, and is
    // told.
    let missing = [("5555", "2026-08-03T10:00:00Z"), rows[1], rows[2]];
    put("changes.csv", "\"c2\"", changes(&missing));
    let kept = update(&plan, &mut |_| ()).unwrap().kept;
    assert!(kept.len() == 1 && kept[0].contains("cve-2026-5555.json: the server said 404"));
    assert_eq!(said(&plan), news);
    put("changes.csv", "\"c3\"", changes(&rows));
    let lists = format!("{BASE}/changes.csv");
    for (path, want) in [(ARCHIVE, "it is not packed by bzip2"), (&lists, "no list of documents")] {
        server.trick(path, &[Trick::Body(b"<html>".to_vec())]);
        let kept = update(&plan, &mut |_| ()).unwrap().kept.join("\n");
        assert!(kept.contains(want), "{path}: {kept}");
        assert_eq!(said(&plan), news, "{path}");
    }

    // One that is packed as it should be, and damaged: the copy of before is taken.
    let whole = archive(&[("2222", "known_affected")]);
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 0xff;
    server.put(ARCHIVE, "\"a2\"", damaged);
    let kept = update(&plan, &mut |_| ()).unwrap().kept.join("\n");
    assert!(kept.contains("it cannot be unpacked"), "{kept}");
    assert_eq!(said(&plan), news);

    // A newer archive, since which nothing has changed.
    server.put(ARCHIVE, "\"a3\"", whole);
    put("changes.csv", "\"c4\"", changes(&rows[..1]));
    update(&plan, &mut |_| ()).unwrap();
    assert_eq!(said(&plan), "2222 Affected");
    assert!(!dir.path().join("feeds/suse/documents/cve-2026-4444.json").exists());
}

#[test]
fn an_archive_has_the_hash_that_lies_beside_it_or_is_not_taken() {
    let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
    play_others(&server);
    server.put(&format!("{BASE}/changes.csv"), "\"c1\"", Vec::new());
    let mut plan = server.plan(dir.path());
    plan.sources = Sources::through(&server.base).unwrap();
    plan.publishers = vec![Publisher::Suse];
    let beside = format!("{ARCHIVE}.sha256");
    let bytes = |number: &str| archive(&[(number, "known_affected")]);
    let hash = |bytes: &[u8]| {
        let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        format!("{hex}  csaf-vex.tar.bz2\n").into_bytes()
    };
    // Without a copy of before it is gone without.
    server.put(ARCHIVE, "\"a1\"", bytes("1111"));
    server.put(&beside, "\"h1\"", hash(b"other"));
    let missing = update(&plan, &mut |_| ()).unwrap().missing.join("\n");
    assert!(missing.contains("it has the SHA-256 "), "{missing}");
    assert!(missing.contains(", and the file beside it says "), "{missing}");

    // (the flaw in the archive, what the hash's file has or answers, what is told, what counts)
    type Row = (&'static str, Vec<u8>, Option<Trick>, &'static str, &'static str);
    let table: [Row; 8] = [
        ("1111", hash(&bytes("1111")), None, "", "1111"),
        ("2222", hash(&bytes("1111")), None, "it has the SHA-256 ", "1111"),
        ("2222", b"<html>".to_vec(), None, "no SHA-256 of a file", "1111"),
        ("2222", hash(&bytes("2222")), Some(Trick::Status(403)), "said 403", "1111"),
        ("2222", hash(&bytes("2222")), Some(Trick::Status(404)), "", "2222"),
        ("3333", hash(&bytes("3333")), None, "", "3333"),
        ("3333", hash(&bytes("4444")), None, "", "3333"),
        ("4444", hash(&bytes("4444")), None, "", "4444"),
    ];
    for (at, (number, text, trick, told, counts)) in table.into_iter().enumerate() {
        server.put(ARCHIVE, &format!("\"{number}\""), bytes(number));
        server.put(&beside, &format!("\"h{at}\""), text);
        server.trick(&beside, &Vec::from_iter(trick));
        let updated = update(&plan, &mut |_| ()).unwrap();
        let kept = updated.kept.join("\n");
        assert_eq!(updated.kept.len(), usize::from(!told.is_empty()), "{at}: {kept}");
        assert!(kept.contains(told), "{at}: {kept}");
        assert_eq!(said(&plan), format!("{counts} Affected"), "{at}");
    }
}
