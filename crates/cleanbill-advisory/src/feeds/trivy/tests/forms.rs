//! Constraints, counts, archives and hostile databases.

use std::io::Write as _;
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Advisories;
use proptest::prelude::*;

use super::*;
use crate::Snapshot;

#[test]
fn constraints_become_stretches_as_trivy_judges_them() {
    use Ecosystem::{Bitnami, ConanCenter, Go, Npm, PyPI, RubyGems};
    type Lists = [&'static [&'static str]; 3];
    let table: &[(Ecosystem, Lists, &str)] = &[
        // vulnerable, patched, unaffected → what is affected
        (Npm, [&[">=1.2, <1.4 || =2.0"], &[], &[]], "[1.2, 1.4) =2.0"),
        (Npm, [&[">= 1.0.0 < 2.0.0"], &[], &[]], "[1.0.0, 2.0.0)"),
        (Npm, [&[">=1.0.0<2.0.0"], &[], &[]], "[1.0.0, 2.0.0)"),
        (
            Npm,
            [&["^1.2.3", "^0.2.3", "^0.0.3"], &[], &[]],
            "[1.2.3, 2.0.0-0) [0.2.3, 0.3.0-0) [0.0.3, 0.0.4-0)",
        ),
        (
            Npm,
            [&["~1.2.3", "~1.2", "~1"], &[], &[]],
            "[1.2.3, 1.3.0-0) [1.2, 1.3.0-0) [1, 2.0.0-0)",
        ),
        (Npm, [&["1.2.x", "*"], &[], &[]], "[1.2.0-0, 1.3.0-0) [0, …"),
        (Npm, [&["1.2.3", "==1.2.4"], &[], &[]], "=1.2.3 =1.2.4"),
        (Npm, [&[">1.2.3, <2.0.0"], &[], &[]], "[1.2.4-0, 2.0.0)"),
        (Npm, [&[">1.2, <2.0.0"], &[], &[]], "[1.2, 2.0.0)"),
        (Npm, [&[">=1.0.0, >=1.5.0, <2.0.0, <=1.9.0"], &[], &[]], "[1.5.0, 1.9.0]"),
        (Npm, [&["", "<1"], &[], &[]], "[0, …"),
        (Npm, [&["<1.0.0"], &[""], &[]], "[0, …"),
        (
            Npm,
            [&["<2.0.0"], &[">=1.4.0, <1.5.0", "2.0.0"], &["<0.5.0"]],
            "[0.5.0, 1.4.0) [1.5.0, 2.0.0)",
        ),
        (Npm, [&["<2.0.0"], &[">=3.0.0"], &[]], "[0, 2.0.0)"),
        (Npm, [&["<=2.0.0"], &[">=2.0.0"], &[]], "[0, 2.0.0)"),
        (Npm, [&["<2.0.0"], &["*"], &[]], ""),
        (Npm, [&[], &[">=1.4.5, <1.5.0", ">=1.6.0"], &["<1.0.0"]], "[1.0.0, 1.4.5) [1.5.0, 1.6.0)"),
        (Npm, [&[], &[">1.4.5"], &["<=1.0.0"]], "[1.0.1-0, 1.4.5]"),
        (Npm, [&[">=0"], &["1.4.5"], &[]], "[0, … [1.4.5, 1.4.5)"),
        (Npm, [&[">=0"], &["oops"], &[]], "[0, …"),
        (Npm, [&["<=1.4.4"], &["1.4.5", "1.4.5"], &[]], "[0, 1.4.4] [1.4.5, 1.4.5)"),
        (PyPI, [&["~=1.2.3", "==1.4.*"], &[], &[]], "[1.2.3, 1.3.dev0) [1.4.dev0, 1.5.dev0)"),
        (PyPI, [&[">1.2,<2"], &[], &[]], "[1.2, 2)"),
        (RubyGems, [&["~> 1.2", "~> 1"], &[], &[]], "[1.2, 2.a) [1, 2.a)"),
        (Go, [&[">=0", ">=1.2.0"], &["1.1.0"], &[]], "[0, … [1.2.0, … [1.1.0, 1.1.0)"),
        (Bitnami, [&["<1.0"], &[">=0.5"], &[]], "[0, 0.5)"),
        (ConanCenter, [&[">=1.0 <2.0"], &[], &[]], "[1.0, 2.0)"),
        (ConanCenter, [&["[1.0,2.0),[3.0]"], &[], &[]], "[1.0, 2.0) =3.0"),
        // Not understood: what is, stays.
        (
            Npm,
            [&["<1", "!=3"], &[], &[]],
            "[0, 1) ! the constraint \"!=3\": an operator that is not known",
        ),
        (Npm, [&[">="], &[], &[]], "! the constraint \">=\": it ends too early"),
        (Npm, [&["1.0 - 2.0"], &[], &[]], "! the constraint \"1.0 - 2.0\": two versions at once"),
        (Npm, [&[">= <2"], &[], &[]], "! the constraint \">= <2\": an operator without a version"),
        (Npm, [&["<1 ||"], &[], &[]], "! the constraint \"<1 ||\": it is empty"),
        (Npm, [&["^x.1"], &[], &[]], "! the constraint \"^x.1\": a wildcard behind an operator"),
        (
            Npm,
            [&["~a"], &[], &[]],
            "! the constraint \"~a\": a version that does not begin with numbers",
        ),
        (
            Npm,
            [&["^18446744073709551615"], &[], &[]],
            "! the constraint \"^18446744073709551615\": a number that is too large",
        ),
        (
            Npm,
            [&["<=a, <=b"], &[], &[]],
            "! the constraint \"<=a, <=b\": two bounds of one side that cannot be compared",
        ),
        (Npm, [&["[1,2"], &[], &[]], "! the constraint \"[1,2\": an interval does not end"),
        (Npm, [&["[1,2,3]"], &[], &[]], "! the constraint \"[1,2,3]\": an interval has three ends"),
        (Npm, [&["(1)"], &[], &[]], "! the constraint \"(1)\": an interval has one end"),
        (Npm, [&["[1],2"], &[], &[]], "! the constraint \"[1],2\": an interval begins with [ or ("),
        (Npm, [&[], &["oops oops"], &[]], "! the constraint \"oops oops\": two versions at once"),
        (Npm, [&[], &[">=b"], &[]], "! constraints that cannot be ordered"),
        (Npm, [&[], &[], &[]], "! neither ranges nor versions"),
    ];
    for (ecosystem, [vulnerable, patched, unaffected], wanted) in table {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let (v, p, u) = (owned(vulnerable), owned(patched), owned(unaffected));
        let found = affected(&v, &p, &u, *ecosystem);
        let ranges = found.ranges.iter().map(range);
        let versions = found.versions.iter().map(|v| format!("={v}"));
        let why = found.unreadable.iter().map(|why| format!("! {why}"));
        let shown = ranges.chain(versions).chain(why).collect::<Vec<_>>().join(" ");
        assert_eq!(shown, *wanted, "{ecosystem} {vulnerable:?} {patched:?} {unaffected:?}");
    }
    let many = vec!["<1".to_owned(); 600];
    let why = affected(&many, &[], &[], Npm).unreadable.unwrap();
    assert_eq!(why, "more than 512 constraints");
}

#[test]
fn ids_that_flaws_share_are_of_a_group() {
    let json = |ids: &str| format!(r#"{{"VulnerableVersions":["<1"],"VendorIDs":[{ids}]}}"#);
    let (one, two) = (json(r#""GHSA-a","GO-1""#), json(r#""GO-1","GHSA-b""#));
    const GO: &str = "go::The Go Vulnerability Database";
    let rows = [(GO, "m", "CVE-2024-0001", &*one), (GO, "m", "CVE-2024-0002", &*two)];
    let gathered = imported(&tree(&rows)).unwrap();
    let found: Vec<_> = gathered.advisories.values().flatten().map(show).collect();
    assert_eq!(
        found,
        [
            "CVE-2024-0001 UNKNOWN [0, 1) alias GHSA-a erratum GO-1",
            "CVE-2024-0002 UNKNOWN [0, 1) alias GHSA-b erratum GO-1",
        ]
    );
    let dates = gathered.advisories.values().flatten().next().unwrap();
    assert_eq!(dates.published, "2024-01-02T03:04:05Z".parse().ok());
    assert_eq!(dates.modified, "2024-02-03T00:00:00Z".parse().ok());
    let ratings: Vec<_> = gathered
        .flaws
        .iter()
        .flat_map(|(id, f)| f.ratings.iter().map(move |r| (&**id, &*r.source, r.severity.as_str())))
        .collect();
    let wanted = [
        ("CVE-2024-0001", "alpine", "LOW"),
        ("CVE-2024-0001", "nvd", "HIGH"),
        ("CVE-2024-0001", "redhat", "MEDIUM"),
        ("CVE-2024-0002", "trivy", "MEDIUM"),
        ("GHSA-aaaa", "ghsa", "CRITICAL"),
        ("GHSA-aaaa", "nvd", "MEDIUM"),
    ];
    assert_eq!(ratings, wanted);
    let nvd = &gathered.flaws["CVE-2024-0001"].ratings[1];
    assert!(nvd.cvss.as_ref().unwrap().starts_with("CVSS:3.1/"));
}

#[test]
fn names_are_found_in_any_case_where_trivy_has_one_only() {
    let json = r#"{"VulnerableVersions":["<1"]}"#;
    let rows = [
        ("npm::GitHub Security Advisory npm", "jsonstream", "CVE-1", json),
        ("maven::GitHub Security Advisory Maven", "com.a:b", "CVE-1", json),
        ("go::The Go Vulnerability Database", "github.com/a/b", "CVE-1", json),
        ("alpine 3.19", "zlib", "CVE-1", "{}"),
        ("archlinux", "zlib", "CVE-1", "{}"),
    ];
    let mut bytes = Vec::new();
    crate::write(&imported(&tree(&rows)).unwrap(), &mut bytes).unwrap();
    let snapshot = Snapshot::from_bytes(bytes).unwrap();
    let table = [
        ("npm", "jsonstream", 1),
        ("npm", "JSONStream", 1),
        ("Maven", "com.A:B", 1),
        ("Go", "github.com/A/b", 0),
        ("Alpine:v3.19", "zlib", 1),
        ("Alpine:v3.19", "Zlib", 0),
    ];
    for (stream, name, found) in table {
        let advisories = snapshot.lookup(&stream.parse().unwrap(), name).unwrap();
        assert_eq!(advisories.len(), found, "{stream} {name}");
    }
    // What was left out is told by the snapshot itself.
    let wanted = "trivy: \"archlinux\": 1 entries: packages of it are not matched here";
    assert_eq!(snapshot.ignored(), [wanted]);
}

#[test]
fn what_is_not_covered_is_counted_and_named() {
    let mut tree = tree(&[
        ("archlinux", "a", "CVE-1", r#"{"FixedVersion":"1","AffectedVersion":"0.5"}"#),
        ("archlinux", "b", "CVE-1", "{}"),
        ("seal alpine", "a", "CVE-1", "{}"),
        ("debian sid", "a", "CVE-1", "{}"),
        ("debian 12; rm", "a", "CVE-1", "{}"),
        ("cocoapods::GitHub Security Advisory Cocoapods", "a", "CVE-1", "{}"),
        ("Red Hat", "a", "CVE-1", r#"{"Entries":[{"Affected":[2],"Cves":[{}]}]}"#),
        ("alpine 3.19", "a", "CVE-1", "{}"),
    ]);
    tree.put(&["loose"], "value");
    tree.put(&["vulnerability", "CVE-9"], "[]");
    tree.put(&["data-source", "x"], "[]");
    let gathered = imported(&tree).unwrap();
    let wanted = [
        "trivy: \"Red Hat\": 1 entries: of other products than Enterprise Linux",
        "trivy: \"archlinux\": 2 entries: packages of it are not matched here",
        "trivy: \"cocoapods::GitHub Security Advisory Cocoapods\": 1 entries: packages of it are not matched here",
        "trivy: \"data-source\": 1 entries: not understood",
        "trivy: \"debian 12; rm\": 1 entries: packages of it are not matched here",
        "trivy: \"debian sid\": 1 entries: packages of it are not matched here",
        "trivy: \"loose\": 1 entries: no bucket",
        "trivy: \"seal alpine\": 1 entries: it speaks of packages that a vendor has replaced",
        "trivy: \"vulnerability\": 1 entries: not understood",
    ];
    assert_eq!(gathered.ignored, wanted);
    let feeds: Vec<_> =
        gathered.feeds.iter().map(|f| (f.id.as_str(), f.licence.as_str())).collect();
    let wanted = [
        (
            "trivy:alpine",
            "as published by Alpine Linux (no licence stated), by way of Trivy's database",
        ),
        ("trivy:redhat", "as published by Red Hat, by way of Trivy's database"),
    ];
    assert_eq!(feeds, wanted);
}

#[test]
fn past_a_share_that_is_not_understood_the_import_fails() {
    let good = r#"{"FixedVersion":"1"}"#;
    let ids: Vec<String> = (0..40).map(|n| format!("CVE-2024-{n:04}")).collect();
    for (bad, fails) in [(2, false), (3, true)] {
        let rows: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(n, id)| ("alpine 3.19", "a", id.as_str(), if n < bad { "3" } else { good }))
            .collect();
        match imported(&tree(&rows)) {
            Ok(gathered) => {
                assert!(!fails);
                let feed = &gathered.feeds[0];
                assert_eq!((feed.advisories, feed.not_understood), (38, 2));
            }
            Err(error) => {
                let text = error.to_string();
                assert!(fails && text.contains("alpine 3.19 a CVE-2024-0000"), "{text}");
            }
        }
    }
    let mut odd = tree(&[("alpine 3.19", "a", "CVE-1", good)]);
    odd.put(&["alpine 3.19", "b"], "no bucket");
    let error = imported(&odd).unwrap_err().to_string();
    assert!(error.contains("1 of 2 entries could not be understood"), "{error}");
    let error = imported(&tree(&[])).unwrap_err().to_string();
    assert_eq!(error, "these bytes: no advisories in it");
}

/// A tar of these files.
fn tar(files: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kind, bytes) in files {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[156] = *kind;
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u64 = header.iter().map(|b| u64::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(*bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

const META: &[u8] = br#"{"Version":2,"UpdatedAt":"2026-08-22T00:00:00Z","NextUpdate":"x"}"#;

fn sample() -> Vec<u8> {
    tree(&[("alpine 3.19", "zlib", "CVE-2024-0001", r#"{"FixedVersion":"1.3.1-r0"}"#)]).file(1024)
}

fn read_at(path: &Path) -> String {
    let mut into = Gathered::default();
    match read(path, &Limits::default(), &mut into) {
        Ok(()) => {
            let dates: Vec<Option<Timestamp>> = into.feeds.iter().map(|f| f.as_of).collect();
            format!("{} packages, {dates:?} {:?}", into.advisories.len(), into.ignored)
        }
        Err(e) => e.to_string().replace(&path.display().to_string(), "PATH"),
    }
}

#[test]
fn a_database_is_read_from_a_folder_a_file_or_the_artifact() {
    const GOOD: &str = "1 packages, [Some(2026-08-22T00:00:00Z)] []";
    let db = sample();
    let layer = |files: &[(&str, u8, &[u8])]| gzip(&tar(files));
    let both = layer(&[("./trivy.db", b'0', &db), ("metadata.json", 0, META)]);
    let cut = both[..both.len() / 2].to_vec();
    let schema = br#"{"Version":3}"#.to_vec();
    type Files = Vec<(&'static str, Vec<u8>)>;
    let table: Vec<(Files, &str, &str)> = vec![
        // files, what is read → what comes of it
        (vec![("trivy.db", db.clone()), ("metadata.json", META.to_vec())], "", GOOD),
        (vec![("trivy.db", db.clone()), ("metadata.json", META.to_vec())], "trivy.db", GOOD),
        (vec![("db.tar.gz", both.clone())], "", GOOD),
        (vec![("db.tar.gz", both.clone())], "db.tar.gz", GOOD),
        (
            vec![("trivy.db", db.clone()), ("db.tar.gz", both.clone())],
            "",
            "1 packages, [None] [\"trivy/db.tar.gz: trivy.db is beside it\"]",
        ),
        (vec![("db.tar.gz", layer(&[("trivy.db", b'0', &db)]))], "", "1 packages, [None] []"),
        (vec![], "", "PATH: neither trivy.db nor db.tar.gz in it"),
        (
            vec![("trivy.db", db.clone()), ("metadata.json", schema)],
            "",
            "PATH/trivy.db: it is of schema 3; 2 is read",
        ),
        (vec![("db.tar.gz", layer(&[]))], "", "PATH/db.tar.gz: there is no trivy.db in it"),
        // No link, no folder, and no file of another name is taken for it.
        (
            vec![("db.tar.gz", layer(&[("../trivy.db", b'0', &db), ("trivy.db", b'2', b"")]))],
            "",
            "PATH/db.tar.gz: there is no trivy.db in it",
        ),
        (
            vec![("db.tar.gz", layer(&[("trivy.db", b'0', &db), ("trivy.db", b'0', &db)]))],
            "",
            "PATH/db.tar.gz: trivy.db is in it twice",
        ),
        (
            vec![("db.tar.gz", layer(&[("x", b'x', b"11 size=99\n"), ("trivy.db", b'0', &db)]))],
            "",
            "PATH/db.tar.gz: an entry of the tar is of a kind that is not expected here",
        ),
        (
            vec![("db.tar.gz", layer(&[("metadata.json", b'0', &[b' '; 70_000])]))],
            "",
            "PATH/db.tar.gz: metadata.json: larger than 65536 bytes",
        ),
    ];
    for (files, what, wanted) in table {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let path = if what.is_empty() { dir.path().to_owned() } else { dir.path().join(what) };
        assert_eq!(read_at(&path), wanted, "{what}");
        // Nothing is left behind.
        assert!(std::fs::read_dir(dir.path()).unwrap().count() <= 2);
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("db.tar.gz"), cut).unwrap();
    assert!(read_at(dir.path()).starts_with("PATH/db.tar.gz: it "));
}

#[test]
fn an_archive_that_grows_past_the_limit_is_refused() {
    let bomb = gzip(&tar(&[("trivy.db", b'0', &vec![0; 1 << 20])]));
    let limits = Limits { total_bytes: 100_000, ..Limits::default() };
    let spool = tempfile::tempfile().unwrap();
    let error = super::super::archive::read(&*bomb, spool.try_clone().unwrap(), &limits);
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::OverLimit, "{error}");
    assert!(spool.metadata().unwrap().len() <= 100_001);
    let few = Limits { entries: 2, ..Limits::default() };
    let database = Database::from_bytes(sample()).unwrap();
    let error = super::super::import(&database, None, &few, &mut Gathered::default()).unwrap_err();
    assert_eq!(error.to_string(), "Trivy's database: more than 2 entries");
}

#[test]
fn entries_are_not_multiplied_without_end() {
    let cves = vec!["{}"; 20_000].join(",");
    let affected = (0..3).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let json = format!(r#"{{"Entries":[{{"Affected":[{affected}],"Cves":[{cves}]}}]}}"#);
    let large = format!(r#"{{"Entries":[{{"Affected":[0,1],"Cves":[{cves},{cves}]}}]}}"#);
    for (json, why) in [(json, None), (large, Some("40000 flaws of 2 products at once"))] {
        match imported(&tree(&[("Red Hat", "a", "CVE-1", &json)])) {
            Ok(_) => assert_eq!(why, None),
            Err(e) => assert!(e.to_string().contains(why.unwrap_or("nothing")), "{e}"),
        }
    }
}

/// The fuzzer and the command line's tests begin with a database of this shape. With
/// `CLEANBILL_WRITE_SEEDS` set, it is written anew.
#[test]
fn the_seed_is_a_database() {
    let rows = [
        ("alpine 3.19", "zlib", "CVE-2024-0001", r#"{"FixedVersion":"1.3.1-r0"}"#),
        ("archlinux", "zlib", "CVE-2024-0001", r#"{"FixedVersion":"1"}"#),
    ];
    let file = tree(&rows).file(1024);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/bbolt/trivy.db");
    if std::env::var_os("CLEANBILL_WRITE_SEEDS").is_some() {
        std::fs::write(path, &file).unwrap();
    }
    assert!(std::fs::read(path).unwrap() == file);
}

proptest! {
    #[test]
    fn no_flipped_bits_make_an_import_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..6),
    ) {
        let mut file = sample();
        for (at, bit) in flips {
            let at = 2048 + at.index(file.len() - 2048);
            file[at] ^= 1 << bit;
        }
        if let Ok(database) = Database::from_bytes(file) {
            let (limits, mut into) = (Limits::default(), Gathered::default());
            drop(super::super::import(&database, None, &limits, &mut into));
        }
    }

    #[test]
    fn no_constraint_makes_it_panic(text in "[\\[\\](), |=<>!~^*x0-9.a-c-]{0,24}") {
        for ecosystem in [Ecosystem::Npm, Ecosystem::PyPI, Ecosystem::RubyGems, Ecosystem::Maven] {
            let texts = [text.clone()];
            drop(affected(&texts, &[], &[], ecosystem));
            drop(affected(&[], &texts, &["<1".to_owned()], ecosystem));
            drop(affected(&[">=0".to_owned()], &texts, &texts, ecosystem));
        }
    }

    #[test]
    fn no_text_makes_an_advisory_panic(text in "[{}\\[\\]\":,0-9A-Za-z <>=.-]{0,60}") {
        super::super::fuzz_advisory(text.as_bytes());
    }
}
