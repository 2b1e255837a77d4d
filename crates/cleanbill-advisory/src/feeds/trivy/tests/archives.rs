//! Every way that a database can be given, and archives that are wrong or too large.

use std::io::Write as _;
use std::path::Path;

use cleanbill_core::Timestamp;

use super::super::{Limits, read};
use super::sample;
use crate::bbolt::Database;
use crate::error::ErrorKind;
use crate::gather::Gathered;

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
