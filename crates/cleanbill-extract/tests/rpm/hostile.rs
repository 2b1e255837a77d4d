//! Databases that are damaged, by chance or on purpose: told, in bounded work.

use cleanbill_extract::{Wanted, parse};
use proptest::prelude::*;

use crate::build::header::Value::{self, Bytes, Number, Numbers, Text, Texts};
use crate::build::{READ, berkeley, header, ndb, package, packages, sqlite};
use crate::support::{file, gaps, inventory, packages as named, sha256};
use crate::{ALMALINUX, BERKELEY, NDB, SQLITE};

/// Small databases of every kind, each with its path.
fn databases() -> Vec<(&'static str, Vec<u8>)> {
    let blobs = packages();
    vec![
        (SQLITE, sqlite::database(512, 0, &blobs)),
        (SQLITE, sqlite::database(1024, 12, &blobs)),
        (SQLITE, sqlite::database(65536, 0, &blobs)),
        (BERKELEY, berkeley::database(false, 512, 1, &blobs)),
        (BERKELEY, berkeley::database(true, 512, 3, &blobs)),
        (BERKELEY, berkeley::database(false, 4096, 2, &blobs)),
        (NDB, ndb::database(&blobs)),
    ]
}

/// The packages that are read, and what is told of the database.
fn read(path: &str, bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let inventory = inventory(&[vec![file("etc/os-release", ALMALINUX), file(path, bytes)]]);
    let prefix = format!(": {path}: ");
    let told = gaps(&inventory).into_iter();
    let told = told.filter_map(|gap| gap.split_once(&prefix).map(|(_, detail)| detail.to_owned()));
    (named(&inventory), told.collect())
}

#[test]
fn small_databases_are_read() {
    for (path, bytes) in databases() {
        assert_eq!(read(path, &bytes), (READ.map(str::to_owned).to_vec(), vec![]), "{path}");
    }
}

#[test]
fn what_is_cut_off_is_told_wherever_it_is_cut() {
    for (path, bytes) in databases().into_iter().filter(|(_, bytes)| bytes.len() < 20_000) {
        for length in 0..bytes.len() {
            let (claims, problems) = parse(wanted(path), path, &bytes[..length]);
            assert!(claims <= READ.len() && problems > 0, "{path} {length}");
            if length % 61 > 0 {
                continue;
            }
            let (packages, told) = read(path, &bytes[..length]);
            assert!(packages.iter().all(|p| READ.contains(&p.as_str())), "{path} {length}");
            assert!(!told.is_empty(), "{path} {length}: {packages:?}");
        }
    }
}

fn wanted(path: &str) -> Wanted {
    match path {
        SQLITE => Wanted::RpmSqlite,
        BERKELEY => Wanted::RpmBerkeley,
        _ => Wanted::RpmNdb,
    }
}

/// Overwrites bytes.
fn put(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

#[test]
fn circles_and_lies_of_sqlite_are_told() {
    // Page 1 is the schema, 2 the table's root with children; openssl overflows.
    let good = sqlite::database(512, 0, &packages());
    let size = |page: usize| (page - 1) * 512;
    let pointer = |page: usize, n: usize, head: usize| {
        let at = size(page) + head + 2 * n;
        size(page) + usize::from(u16::from_be_bytes([good[at], good[at + 1]]))
    };
    assert_eq!(good[size(2)], 5, "an inner page");
    let (child, cell) = (pointer(2, 0, 12), pointer(1, 0, 108));
    let overflow = (3..=good.len() / 512)
        .find(|page| {
            let next = u32::from_be_bytes(good[size(*page)..][..4].try_into().unwrap());
            next as usize == page + 1
        })
        .unwrap();
    let table: &[(&[u8], usize, &str)] = &[
        (b"X", 0, "is no SQLite database: it does not begin as one"),
        (&[0, 100], 16, "has pages of 100 bytes, 0 of them reserved"),
        (&[255], 20, "has pages of 512 bytes, 255 of them reserved"),
        (&[2], 59, "is written in UTF-16, which rpm never does"),
        (&[0xff; 4], 28, "is cut off: it has "),
        (&2u32.to_be_bytes(), child, "page 2 is in two places"),
        (&1u32.to_be_bytes(), size(2) + 8, "page 1 is in two places"),
        (&[0xff; 4], child, "page 4294967295 is not there"),
        (&[0; 4], child, "page 0 is not there"),
        (&[10], size(2), "page 2 is of type 10, no part of a table"),
        (&[0xff; 2], size(2) + 3, " is not there"),
        (&[0xff; 2], size(2) + 12, "page 2 has cells outside of it"),
        (&u32::try_from(overflow).unwrap().to_be_bytes(), size(overflow), "is in two places"),
        (&[0; 4], size(overflow), "page 0 is not there"),
        (&[0xff; 9], pointer(1, 0, 108), "page 1 has cells that do not fit it"),
        (b"view!", cell + 9, "has no table Packages among its 1 tables and indices"),
        (b"x", cell + 14, "has no table Packages among its 1 tables and indices"),
        (&[1], cell + 30, "its table Packages begins on page 1"),
        (&[0x7f], cell + 30, "page 127 is not there"),
        (&[10], cell + 3, "page 1, row 1: its schema is damaged"),
    ];
    for (with, at, expected) in table {
        let (_, told) = read(SQLITE, &put(&good, *at, with));
        assert!(told.iter().any(|t| t.contains(expected)), "{expected}: {told:?}");
    }
    let upper = read(SQLITE, &put(&good, cell + 14, b"PACK"));
    assert_eq!(upper, read(SQLITE, &good), "names are compared as SQLite compares them");
}

#[test]
fn circles_and_lies_of_berkeley_are_told() {
    // Page 1 is the one bucket, the last one of a chain; a value goes on over pages of its own.
    let more = (0..30).map(|n| package(&format!("p{n}"), None, 0));
    let good =
        berkeley::database(false, 512, 1, &packages().into_iter().chain(more).collect::<Vec<_>>());
    let goes_on = |at: &usize| good[at + 16..at + 20] != [0; 4];
    assert!(goes_on(&512), "a chain of pages");
    let mut pages = (2..good.len() / 512).map(|page| page * 512);
    let value = pages.find(|at| good[at + 25] == 7 && goes_on(at)).unwrap();
    let number = |page: usize| u32::try_from(page / 512).unwrap().to_le_bytes();
    let table: &[(&[u8], usize, &str)] = &[
        (&[0], 12, "is no Berkeley DB: it has the magic number of none"),
        (&[0x62, 0x31, 5, 0], 12, "of the B-tree layout, which rpm has no packages in"),
        (&[7], 16, "is a Berkeley DB hash of version 7, not 8 to 10"),
        (&[1], 24, "with encryption, checksums or partitions"),
        (&[1], 26, "with encryption, checksums or partitions"),
        (&[1, 2], 20, "has pages of 513 bytes"),
        (&[0xff; 4], 32, "is cut off: it has "),
        (&[0xff; 4], 72, "bucket 1: page 2 is in two places"),
        (&[0xff; 4], 96, "bucket 0 of 0 and those after it are on no page of the file"),
        (&[0; 4], 512 + 16, "no bucket leads to "),
        (&1u32.to_le_bytes(), 512 + 16, "bucket 0: page 1 is in two places"),
        (&[0xff; 4], 512 + 16, "bucket 0: page 4294967295 is not there"),
        (&[9], 512 + 8, "bucket 0: page 1 says that it is another"),
        (&[5], 512 + 25, "bucket 0: page 1 is of type 5, no part of a hash"),
        (&[0xff; 2], 512 + 20, "page 1 has a key without a value"),
        (&[0xfe, 0xff], 512 + 20, "bucket 0: page 1 has items that overlap"),
        (&[0xff; 2], 512 + 26, "bucket 0: page 1 has items that overlap"),
        (&number(value), value + 16, "is in two places"),
        (&[0; 4], value + 16, "page 0 is not there"),
        (&[0xff; 2], value + 22, "does not go on with a value"),
        (&[0; 2], value + 22, "does not go on with a value"),
        (&[13], value + 25, "does not go on with a value"),
    ];
    for (with, at, expected) in table {
        let (_, told) = read(BERKELEY, &put(&good, *at, with));
        assert!(told.iter().any(|t| t.contains(expected)), "{expected}: {told:?}");
    }
}

#[test]
fn lies_of_ndb_are_told() {
    let good = ndb::database(&packages());
    let table: &[(&[u8], usize, &str)] = &[
        (b"X", 0, "is no ndb database: it does not begin with RpmP"),
        (&[1], 4, "is an ndb database of version 1, not 0"),
        (&[0xff; 4], 12, "is cut off: its slots take 17592186040320 bytes"),
        (&[0; 4], 12, "is an ndb database without a page of slots"),
        (b"X", 32, "slot 2 is damaged: it does not begin with Slot"),
        (&[0; 4], 40, "slot 2 is damaged: it names no first block"),
        (&[9], 36, "header 9 has damaged blocks"),
        (&[0xff; 4], 40, "header 1 lies outside of the file's blocks"),
        (&[1, 0, 0, 0], 40, "header 1 lies outside of the file's blocks"),
        (&[0xff; 4], 44, "header 1 lies outside of the file's blocks"),
        (&[1, 0, 0, 0], 44, "header 1 has damaged blocks"),
        (&[0, 0, 0, 0], 44, "header 1 has damaged blocks"),
        (b"X", 4096, "header 1 has damaged blocks"),
        (&[0xff; 4], 4096 + 12, "header 1 has damaged blocks"),
        (b"y", good.len() - 100, "header 4 does not have its checksum"),
    ];
    for (with, at, expected) in table {
        let (_, told) = read(NDB, &put(&good, *at, with));
        assert!(told.iter().any(|t| t.contains(expected)), "{expected}: {told:?}");
    }
    let mut twice = good.clone();
    for slot in 0..100 {
        twice.copy_within(32..48, 96 + 16 * slot);
    }
    let (_, told) = read(NDB, &twice);
    assert!(told.iter().any(|t| t.contains("name blocks twice")), "{told:?}");
}

#[test]
fn headers_that_lie_are_told() {
    let text = |t: &str| Text(t.into());
    let known = [(1000, text("a")), (1001, text("1")), (1002, text("2"))];
    let with = |more: &[(u32, Value)]| header::header(&[&known[..], more].concat());
    let long = "x".repeat(5000);
    let table: &[(Vec<u8>, &[&str], &[&str])] = &[
        (with(&[]), &["a 1-2"], &[]),
        (with(&[(1003, Number(3))]), &["a 3:1-2"], &[]),
        (with(&[(1001, text("9"))]), &["a 9-2"], &[]), // the later one counts
        (with(&[(1003, text("3"))]), &["a 1-2"], &["header 1 has tag 1003 of type 6"]),
        (header::header(&known[1..]), &[], &["header 1 has no name"]),
        (header::header(&known[..1]), &[], &["header 1 of a has no version"]),
        (header::header(&known[..2]), &["a 1"], &["header 1 of a has no release"]),
        (vec![0; 7], &[], &["header 1 has 7 bytes, fewer than any header"]),
        (vec![0; 8], &[], &["header 1 says that it has 0 tags"]),
        (put(&with(&[]), 0, &[0xff; 4]), &[], &["header 1 says that it has 4294967295 tags"]),
        (put(&with(&[]), 4, &[0xff; 4]), &[], &["header 1 has 62 bytes and says that they are"]),
        (
            put(&with(&[]), 16, &[0xff; 4]),
            &[],
            &["header 1 has data of tag 1000 outside of it", "header 1 has no name"],
        ),
        (
            put(&with(&[]), 20, &[0; 4]),
            &[],
            &["header 1 has data of tag 1000 outside of it", "header 1 has no name"],
        ),
        (
            put(&with(&[]), 61, b"x"),
            &["a 1"],
            &["header 1 has data of tag 1002 outside of it", "header 1 of a has no release"],
        ),
        (
            with(&[(1117, Texts(vec!["f".into()]))]),
            &["a 1-2"],
            &["the list of files of header 1, a, has names without folders"],
        ),
        (
            with(&[
                (1117, Texts(vec!["f".into()])),
                (1118, Texts(vec!["/".into()])),
                (1116, Numbers(vec![1])),
            ]),
            &["a 1-2"],
            &["the list of files of header 1, a, has a name without a folder"],
        ),
        (
            with(&[(1027, Texts(vec![long]))]),
            &["a 1-2"],
            &["its lists of files have a path of more than 4096 bytes, or take more than 67108864"],
        ),
        (
            with(&[(1029, Number(0)), (1027, Texts(vec!["/f".into()]))]),
            &["a 1-2"],
            &["the list of files of header 1, a, has tag 1029 of type 4"],
        ),
    ];
    for (blob, packages, expected) in table {
        let (read, told) = read(NDB, &ndb::database(std::slice::from_ref(blob)));
        assert_eq!(&read, packages, "{expected:?}");
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for expected in *expected {
            assert!(told.iter().any(|t| t.contains(expected)), "{expected}: {told:?}");
        }
    }
}

#[test]
fn only_files_that_are_there_and_came_with_the_package_are_its_own() {
    let path = |name: &str| format!("usr/lib/python3/{name}.dist-info/METADATA");
    let names = ["normal", "replaced", "ghost"];
    let content = |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1\n");
    let blob = header::header(&[
        (1000, Text("owner".into())),
        (1001, Text("1".into())),
        (1002, Text("2".into())),
        (1027, Texts(names.iter().map(|name| format!("/{}", path(name))).collect())),
        (1029, Bytes(vec![0, 1, 0])),
        (1037, Numbers(vec![0, 0, 1 << 6])),
        (1035, Texts(names.iter().map(|name| sha256(&content(name))).collect())),
        (5011, Number(8)),
    ]);
    let mut layer = vec![file("etc/os-release", ALMALINUX), file(NDB, ndb::database(&[blob]))];
    for name in names {
        layer.push(file(&path(name), content(name)));
    }
    let inventory = inventory(&[layer]);
    let owners: Vec<_> = inventory
        .packages
        .iter()
        .filter(|p| p.name != "owner")
        .map(|p| (p.name.as_str(), p.owner.as_deref()))
        .collect();
    assert_eq!(owners, [("ghost", None), ("normal", Some("owner")), ("replaced", None)]);
}

#[test]
fn a_short_database_makes_no_long_work() {
    // A folder's name of 4,000 bytes for each of a million files: 4 GB of paths.
    let names = Texts(vec![String::new(); 1_000_000]);
    let folders = Texts(vec![format!("/{}/", "x".repeat(4000))]);
    let list = [(1117, names), (1118, folders), (1116, Numbers(vec![0; 1_000_000]))];
    let text = |t: &str| Text(t.into());
    let known = [(1000, text("a")), (1001, text("1")), (1002, text("2"))];
    let blob = header::header(&[&known[..], &list].concat());
    let (packages, told) = read(NDB, &ndb::database(&[blob]));
    assert_eq!((packages.len(), told.len()), (1, 1), "{told:?}");

    // Ten thousand inner pages, one below the other.
    let mut deep = sqlite::database(512, 0, &packages_one());
    let leaf = deep[512..1024].to_vec();
    deep.truncate(512);
    for page in 3..10_003u32 {
        let mut inner = vec![0; 512];
        inner[0] = 5;
        inner[8..12].copy_from_slice(&page.to_be_bytes());
        deep.extend(inner);
    }
    deep.extend(leaf);
    let count = u32::try_from(deep.len() / 512).unwrap();
    let (packages, told) = read(SQLITE, &put(&deep, 28, &count.to_be_bytes()));
    assert_eq!((packages.len(), told.len()), (1, 0), "{told:?}");

    // Every cell of a page is the same one, whose value fills the file.
    let blob = vec![0; 8190 + 64 * 65532];
    let mut many = sqlite::database(65536, 0, &[blob]);
    let (root, cell) = (65536, many[65536 + 8..65536 + 10].to_vec());
    many[root + 3..root + 5].copy_from_slice(&[0x60, 0]);
    for n in 0..0x6000 {
        many[root + 8 + 2 * n..root + 10 + 2 * n].copy_from_slice(&cell);
    }
    let (packages, told) = read(SQLITE, &many);
    assert_eq!(packages.len(), 0);
    assert!(told.iter().any(|t| t.contains("is in two places")), "{told:?}");

    // The same of a small one, of which not so many fit.
    let mut many = sqlite::database(4096, 0, &packages_one());
    let cell = many[4096 + 8..4096 + 10].to_vec();
    many[4096 + 4] = 100;
    for n in 0..100 {
        many[4096 + 8 + 2 * n..4096 + 10 + 2 * n].copy_from_slice(&cell);
    }
    let (packages, told) = read(SQLITE, &many);
    assert_eq!((packages.len(), told), (1, vec!["page 2 has cells that overlap".to_owned()]));
}

fn packages_one() -> Vec<Vec<u8>> {
    packages()[..1].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn flipped_bits_never_panic_and_ndb_tells_them(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8u32), 1..4),
    ) {
        for (path, mut bytes) in databases().into_iter().filter(|(_, b)| b.len() < 20_000) {
            for (at, bit) in &flips {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            let (packages, told) = read(path, &bytes);
            prop_assert!(told.len() <= 22);
            prop_assert!(packages.len() <= 4 || !told.is_empty());
            if path == NDB {
                prop_assert!(!told.is_empty() || packages == READ, "{:?}", packages);
            }
        }
    }

    #[test]
    fn bytes_after_a_good_beginning_never_panic(
        tail in prop::collection::vec(any::<u8>(), 0..2000),
        keep in 0..1200usize,
    ) {
        let kinds = [Wanted::RpmSqlite, Wanted::RpmBerkeley, Wanted::RpmNdb];
        for (_, bytes) in databases() {
            let start = &bytes[..keep.min(bytes.len())];
            for wanted in kinds {
                let (claims, problems) = parse(wanted, "x", &[start, &tail[..]].concat());
                prop_assert!(claims <= 40 && problems <= 21);
            }
        }
    }
}
