//! Documents and archives that are hostile, damaged, or too large.

use super::super::super::tar::tests::entry;
use super::super::{parse, parse_archive, read};
use super::{SP5, SP6, document, pcre, said};
use crate::gather::Gathered;
use crate::limits::Limits;

#[test]
fn what_is_hostile_is_refused_or_counted() {
    let usual = document(&[pcre("known_affected", SP6, "pcre")], "");
    let with = |from: &str, to: &str| usual.replace(from, to);
    let huge = "x".repeat(1 << 20);
    let purl = "pkg:rpm/suse/pcre@?upstream=pcre.src.rpm";
    let branches = format!("{{\"product_tree\":{}", "{\"branches\":[".repeat(10_000));
    let versions = format!("pkg:rpm/suse/pcre@{}-1", "1.".repeat(1 << 19));
    let table: Vec<(String, &str)> = vec![
        (String::new(), "it: no CSAF document: EOF"),
        ("[]".into(), "it: no CSAF document: invalid"),
        ("{}".into(), "it: no CSAF document: missing field"),
        (branches, "it: no CSAF document: recursion limit exceeded"),
        ("[".repeat(1 << 20), "it: no CSAF document: "),
        (with("csaf_vex", "csaf_base"), "it: a document of the category \\\"csaf_base\\\""),
        (with("\"vulnerabilities\":[", "\"vulnerabilities\":[3,"), "it: no CSAF document: invalid"),
        (with("\"known_affected\":[", "\"known_affected\":[{},"), "it: no CSAF document: invalid"),
        (
            with("\"known_affected\":[", "\"known_affected\":[null,"),
            "it: no CSAF document: invalid",
        ),
        (with("\"cve\":\"CVE-2024-1111\"", "\"cve\":\"x\""), "it: a vulnerability without the id"),
        (with("\"cve\":\"CVE-2024-1111\"", "\"cve\":null"), "it: a vulnerability without the id"),
        (with(purl, "no purl"), "it: \\\"no purl\\\" is no package URL"),
        (with(purl, &format!("pkg:rpm/suse/{huge}")), "it: \\\"pkg:rpm/suse/xxxxx"),
        (with(purl, &versions), "it: \\\"pkg:rpm/suse/pcre@1.1.1"),
        (
            with(purl, &format!("pkg:rpm/suse/{}", "y".repeat(300))),
            "it: \\\"pcre\\\" is no name of",
        ),
    ];
    let limits = Limits::default();
    for (json, want) in table {
        let error = parse(json.as_bytes(), &limits, &mut Gathered::default()).unwrap_err();
        let error = error.to_string();
        let head = "suse: 1 of 1 entries could not be understood, more than 5 %; the first: ";
        assert!(error.starts_with(&format!("{head}{want}")), "{error}\n{want}");
        assert!(error.len() < 400, "{}", error.len());
    }
    // Taken back, and of a source or product whose name never ends: nothing is made of it.
    let long = format!("pkg:rpm/suse/pcre@?upstream={}.src.rpm", "x".repeat(1000));
    for (json, want) in [
        (with("\"interim\"", "\"deleted\""), &[][..]),
        (with(SP6, &format!("openSUSE Leap {}", "1".repeat(1 << 20))), &[]),
        (
            with(purl, &long),
            &["Server 15 SP6 pcre Affected open []", "Server 15 SP6 pcre Affected open [src]"],
        ),
    ] {
        let mut gathered = Gathered::default();
        parse(json.as_bytes(), &limits, &mut gathered).unwrap();
        assert_eq!(said(&gathered), want);
    }
    // What is wrong is counted once, however many products have it.
    let bad = ("known_affected", "no purl");
    let lines = [SP5, SP6].map(|product| (bad.0, product, "bad", bad.1));
    let error = parse(document(&lines, "").as_bytes(), &limits, &mut Gathered::default());
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("suse: 1 of 1 entries could not be understood"), "{error}");
    // So is an id of a list, however often it is named there.
    let lines = [pcre("known_affected", "SUSE Linux Micro 6.1", "pcre")].repeat(100_000);
    let mut gathered = Gathered::default();
    parse(document(&lines, "").as_bytes(), &limits, &mut gathered).unwrap();
    let ignored = gathered.ignored.join("");
    assert!(ignored.starts_with("suse: 1 statements about other products"), "{ignored}");
    let few = Limits { entries: 1, ..Limits::default() };
    let two =
        document(&[pcre("known_affected", SP6, "pcre"), pcre("known_affected", SP5, "pcre")], "");
    let error = parse(two.as_bytes(), &few, &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "more than 1 entries");
}

#[test]
fn an_archive_is_read_past_what_lies_beside_its_documents() {
    let of = |cve: &str| {
        document(&[pcre("known_affected", SP6, "pcre")], "").replace("CVE-2024-1111", cve)
    };
    let tar = [
        entry("csaf-vex/", b'5', b""),
        entry("csaf-vex/cve-2024-1111.json", b'0', of("CVE-2024-1111").as_bytes()),
        entry("csaf-vex/cve-2024-1111.json.asc", b'0', b"a signature"),
        entry("csaf-vex/cve-2024-1111.json.sha256", b'0', b"a hash"),
        entry("csaf-vex/cve-2024-2222.json", b'0', of("CVE-2024-2222").as_bytes()),
        entry("csaf-vex/changes.csv", b'0', b"no document"),
    ]
    .concat();
    let packed = |tar: &[u8]| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        std::io::Write::write_all(&mut out, tar).unwrap();
        out.finish().unwrap()
    };
    let whole = packed(&tar);
    let dir = tempfile::tempdir().unwrap();
    let read = |limits: &Limits| {
        let mut gathered = Gathered::default();
        read(dir.path(), limits, &mut gathered).map(|()| {
            let all = gathered.advisories.values().flatten();
            all.map(|a| format!("{} {:?}", a.id, a.state)).collect::<Vec<_>>()
        })
    };
    let error = read(&Limits::default()).unwrap_err().to_string();
    assert!(error.ends_with(": neither csaf-vex.tar.bz2 nor documents in it"), "{error}");
    let archive = dir.path().join("csaf-vex.tar.bz2");
    std::fs::write(&archive, &whole).unwrap();
    let limits = Limits::default();
    assert_eq!(read(&limits).unwrap(), ["CVE-2024-1111 Affected", "CVE-2024-2222 Affected"]);

    // A document that has changed counts instead of the archive's.
    let documents = dir.path().join("documents");
    std::fs::create_dir(&documents).unwrap();
    let changed = of("CVE-2024-2222").replace("known_affected", "known_not_affected");
    let changed = changed.replacen(r#""known_not_affected":[],"#, "", 1);
    std::fs::write(documents.join("cve-2024-2222.json"), changed).unwrap();
    assert_eq!(read(&limits).unwrap(), ["CVE-2024-2222 NotAffected", "CVE-2024-1111 Affected"]);
    std::fs::remove_dir_all(&documents).unwrap();

    // Cut off, changed, a bomb, or more of it than there may be.
    let mut bad = whole.clone();
    *bad.last_mut().unwrap() ^= 0xff;
    let bomb = packed(&entry("csaf-vex/cve-2024-1.json", b'0', &vec![b' '; 300 << 20]));
    let small = |documents, total_bytes| Limits { documents, total_bytes, ..Limits::default() };
    let usual = Limits::default();
    for (bytes, limits, want) in [
        (&whole[..whole.len() / 2], &usual, "it cannot be unpacked"),
        (&bad[..], &usual, "it cannot be unpacked"),
        (&b"BZh9"[..], &usual, "it cannot be unpacked"),
        (&b"text"[..], &usual, "it ends too early"),
        (&bomb[..], &usual, "a file in it is larger than 268435456 bytes"),
        (&whole[..], &small(1, 1 << 20), "more than 3 entries"),
        (&whole[..], &small(9, 1 << 10), "unpacked, it is larger than 4096 bytes"),
    ] {
        std::fs::write(&archive, bytes).unwrap();
        let error = read(limits).unwrap_err().to_string();
        assert!(error.contains(want), "{error}\n{want}");
        drop(parse_archive(bytes, limits, &mut Gathered::default()).unwrap_err());
    }
}
