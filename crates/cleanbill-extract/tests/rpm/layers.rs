//! How layers bring databases: which one counts, what lies beside it, and who brought a package.

use cleanbill_core::layer::EntryKind::Whiteout;
use cleanbill_extract::Options;

use crate::build::{READ, berkeley, ndb, package, packages, sqlite};
use crate::support::packages as named;
use crate::support::{Layer, entry, file, gaps, id, inventory, inventory_with, link};
use crate::tools::{made, run};
use crate::{ALMALINUX, BERKELEY, NDB, SQLITE};

const WAL: &str = "var/lib/rpm/rpmdb.sqlite-wal";

fn image(files: &[(&str, &[u8])]) -> Layer {
    let mut layer = vec![file("etc/os-release", ALMALINUX)];
    layer.extend(files.iter().map(|(path, bytes)| file(path, bytes)));
    layer
}

fn check(layers: &[Layer], expected: &[&str], expected_gaps: &[&str]) {
    let inventory = inventory(layers);
    assert_eq!(named(&inventory), expected);
    assert_eq!(gaps(&inventory), expected_gaps);
}

/// A database of one package, and the log that makes it one of all.
fn with_log(big_endian: bool) -> (Vec<u8>, Vec<u8>) {
    let (before, after) =
        (sqlite::database(512, 0, &packages()[..1]), sqlite::database(512, 0, &packages()));
    let pages: Vec<_> = (1u32..).zip(after.chunks(512).map(<[u8]>::to_vec)).collect();
    let count = u32::try_from(pages.len()).unwrap();
    (before, sqlite::log(big_endian, 512, &pages, count))
}

#[test]
fn a_write_ahead_log_is_part_of_its_database() {
    let ((old, log), (_, big)) = (with_log(false), with_log(true));
    let one = &READ[..1];
    check(&[image(&[(SQLITE, &old), (WAL, &log)])], &READ, &[]);
    check(&[image(&[(WAL, &big), (SQLITE, &old)])], &READ, &[]);
    check(&[image(&[(SQLITE, &old), (WAL, b"")])], one, &[]);
    // The other place, by way of a link between folders.
    let real = "usr/lib/sysimage/rpm/rpmdb.sqlite";
    let mut linked = image(&[(real, &old), (&format!("{real}-wal"), &log)]);
    linked.push(link("var/lib/rpm", "../../usr/lib/sysimage/rpm"));
    check(&[linked], &READ, &[]);
    // What was not committed does not count; what is left of an earlier use does not either.
    let frame = 24 + 512;
    let mut open = log.clone();
    open.truncate(log.len() - frame);
    check(&[image(&[(SQLITE, &old), (WAL, &open)])], one, &[]);
    let mut stale = log.clone();
    stale[32 + 8] ^= 1;
    check(&[image(&[(SQLITE, &old), (WAL, &stale)])], one, &[]);

    let mut broken = log.clone();
    broken[32 + frame + 100] ^= 1;
    let told = format!("unreadable-database: {WAL}: frame 2 of its write-ahead log is damaged");
    check(&[image(&[(SQLITE, &old), (WAL, &broken)])], one, &[&told]);
    let told =
        format!("unreadable-database: {WAL}: has a write-ahead log that is none of SQLite's");
    check(&[image(&[(SQLITE, &old), (WAL, &[b'x'; 40])])], one, &[&told]);
}

#[test]
fn a_log_that_was_not_read_along_is_told() {
    let (old, log) = with_log(false);
    let one = &READ[..1];
    let alone = format!(
        "unreadable-database: {WAL}: holds a part of a database that is not beside it in this \
         layer, or too large to be read along with it"
    );
    let other = format!(
        "unreadable-database: {WAL}: holds a newer part of {SQLITE}, which is of another layer, \
         and was not applied to it"
    );
    let upper = vec![file(WAL, &log)];
    check(&[image(&[(SQLITE, &old)]), upper], one, &[&other, &alone]);
    // Both below, and a database without a log above: both may count.
    let upper = vec![file(SQLITE, sqlite::database(512, 0, &packages()[2..3]))];
    let lower = image(&[(SQLITE, &old), (WAL, &log)]);
    check(&[lower.clone(), upper.clone()], &READ, &[&other]);
    // The log is gone again.
    check(&[lower.clone(), vec![entry(WAL, Whiteout)]], one, &[]);
    check(&[lower, upper, vec![entry(WAL, Whiteout)]], &READ[2..], &[]);

    let options = Options { file_bytes: old.len() as u64, ..Options::default() };
    let short = vec![file(SQLITE, &old), file("etc/os-release", ALMALINUX), file(WAL, &old)];
    assert_eq!(gaps(&inventory_with(&[short], &options)).len(), 1, "what is no log");
    let long = image(&[(SQLITE, &old), (WAL, &log)]);
    let inventory = inventory_with(&[long], &options);
    assert_eq!(named(&inventory), one, "the database counts without its log");
    let limit = format!("{} bytes, more than the {} of a file's limit", log.len(), old.len());
    assert_eq!(gaps(&inventory), [format!("over-limit: {WAL}: {limit}")]);

    let journal = "var/lib/rpm/rpmdb.sqlite-journal";
    let hot = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0];
    let told = format!(
        "unreadable-database: {journal}: undoes a change of a database that was cut off, and was \
         not applied"
    );
    check(&[image(&[(SQLITE, &old), (journal, &hot)])], one, &[&told]);
    check(&[image(&[(SQLITE, &old), (journal, &[0; 512])])], one, &[]);
}

#[test]
fn a_log_that_sqlite_wrote_is_read() {
    let Some(made) = made() else { return };
    let folder = made.folder().join("wal");
    std::fs::create_dir(&folder).unwrap();
    let database = folder.join("rpmdb.sqlite");
    std::fs::write(&database, made.sqlite()).unwrap();
    // Copied while it is open: SQLite puts a log into its database when it closes it.
    let copy = folder.join("copy");
    let sql = format!(
        "PRAGMA wal_autocheckpoint=0;\nDELETE FROM Packages WHERE hnum > 20;\n\
         INSERT INTO Packages SELECT hnum + 1000, blob FROM Packages WHERE hnum = 3;\n\
         .shell cp {0} {1}; cp {0}-wal {1}-wal\n",
        database.display(),
        copy.display()
    );
    run(
        std::process::Command::new("sqlite3").args(["-batch", "-bail"]).arg(&database),
        sql.as_bytes(),
    );
    let database = std::fs::read(&copy).unwrap();
    assert_eq!(database, made.sqlite(), "nothing is in the database yet");
    let log = std::fs::read(folder.join("copy-wal")).unwrap();
    assert!(log.len() > 4096);
    let inventory = inventory(&[image(&[(SQLITE, &made.sqlite()), (WAL, &log)])]);
    assert_eq!(gaps(&inventory), [""; 0]);
    let before = made.blobs.iter().filter(|(number, _)| *number <= 20).count();
    assert_eq!(inventory.packages.len(), before, "the same header twice is one package");
}

#[test]
fn the_last_database_counts_and_packages_are_of_the_layer_that_brought_them() {
    let blobs = packages();
    let (first, all) = (sqlite::database(512, 0, &blobs[..1]), sqlite::database(512, 0, &blobs));
    let brought = |layers: &[Layer]| -> Vec<_> {
        inventory(layers).packages.iter().map(|p| p.layer).collect()
    };
    let layers = [image(&[(SQLITE, &first)]), vec![file(SQLITE, &all)]];
    check(&layers, &READ, &[]);
    assert_eq!(brought(&layers), [Some(id(0)), Some(id(1)), Some(id(1))]);
    // A database that is written anew in another format brings nothing.
    let old = berkeley::database(false, 512, 1, &blobs);
    let layers = [image(&[(BERKELEY, &old)]), vec![entry(BERKELEY, Whiteout), file(SQLITE, &all)]];
    check(&layers, &READ, &[]);
    assert_eq!(brought(&layers), [Some(id(0)); 3]);

    let gone = "unreadable-database: var/lib/rpm: has no package in it, although etc/os-release \
                says AlmaLinux 9.4";
    check(&[image(&[(SQLITE, &all)]), vec![entry("var/lib/rpm", Whiteout)]], &[], &[gone]);
    let empty = format!("unreadable-database: {SQLITE}: is empty, which no database is");
    check(&[image(&[(SQLITE, b"")])], &[], &[gone, &empty]);
    check(&[image(&[(SQLITE, &sqlite::database(512, 0, &[]))])], &[], &[gone]);
}

#[test]
fn of_several_databases_each_counts_and_what_they_share_is_told_once() {
    let blobs = packages();
    let stale = berkeley::database(false, 4096, 1, &[blobs[0].clone(), package("old", None, 1)]);
    let now = sqlite::database(512, 0, &blobs);
    let both = image(&[(BERKELEY, &stale), (SQLITE, &now), (NDB, &ndb::database(&blobs))]);
    let inventory = inventory(&[both]);
    assert_eq!(named(&inventory), ["bash 1.2-3.el9", "old 1.2-3.el9", READ[1], READ[2]].map(|p| p));
    let evidence: Vec<_> = inventory.packages.iter().map(|p| p.evidence.as_str()).collect();
    assert_eq!(evidence, [SQLITE, BERKELEY, SQLITE, SQLITE], "rpm's own preference");
    assert_eq!(gaps(&inventory), [""; 0]);
}

#[test]
fn images_without_a_database_have_a_list() {
    const PATH: &str = "var/lib/rpmmanifest/container-manifest-2";
    let list = "bash\t5.1.8-1.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t5508\t\
                x86_64\t0\tbash-5.1.8-1.cm2.src.rpm\n\
                tdnf\t3.2-1\t0\t0\t(none)\t1\t0\tnoarch\t1\t(none)\n\
                gpg-pubkey\t1-2\t0\t0\t(none)\t(none)\t0\t(none)\t0\t(none)\n\n\
                short\t1\nbad\t1-2\t0\t0\tv\tx\t0\tx86_64\tx\t(none)\n\t1-2\t0\t0\tv\tx\t0\ta\t0\n";
    let layer = vec![file("etc/os-release", "ID=mariner\nVERSION_ID=\"2.0\"\n"), file(PATH, list)];
    let inventory = inventory(&[layer]);
    assert_eq!(named(&inventory), ["bash 5.1.8-1.cm2", "tdnf 1:3.2-1"]);
    let bash = &inventory.packages[0];
    assert_eq!(bash.vendor.as_deref(), Some("Microsoft Corporation"));
    assert_eq!(bash.source.as_ref().map(|s| s.version.as_str()), Some("5.1.8-1.cm2"));
    assert_eq!(bash.purl, "pkg:rpm/mariner/bash@5.1.8-1.cm2?arch=x86_64&distro=mariner-2.0");
    assert_eq!(inventory.packages[1].source, None);
    let told = [
        format!("unreadable-database: {PATH}: line 5 is no package: it has too few columns"),
        format!("unreadable-database: {PATH}: line 6, bad, has an epoch that is no number"),
        format!("unreadable-database: {PATH}: line 7 has no name or no version"),
    ];
    assert_eq!(gaps(&inventory), told);
}
