//! The seeds of fuzzing are what the builders here make.

use std::path::Path;

use crate::build::{berkeley, ndb, package, packages, sqlite};

/// Compares every seed with what is made here. With `CLEANBILL_WRITE_SEEDS` set they are written
/// first, which is how they came to be.
#[test]
fn seeds_of_fuzzing_are_up_to_date() {
    let blobs = packages();
    let (few, all) = (sqlite::database(512, 0, &blobs[..1]), sqlite::database(512, 0, &blobs));
    let pages: Vec<_> = (1u32..).zip(all.chunks(512).map(<[u8]>::to_vec)).collect();
    let count = u32::try_from(pages.len()).unwrap();
    let length = u16::try_from(few.len() / 512).unwrap().to_be_bytes();
    let log = sqlite::log(false, 512, &pages, count);
    let table = [
        ("rpm_sqlite/pages-512", all.clone()),
        ("rpm_sqlite/reserved", sqlite::database(1024, 12, &blobs[..1])),
        ("rpm_sqlite/log", [&length[..], &few, &log].concat()),
        ("rpm_berkeley/little", berkeley::database(false, 512, 1, &blobs)),
        ("rpm_berkeley/big", berkeley::database(true, 512, 3, &blobs[..1])),
        ("rpm_ndb/four", ndb::database(&blobs)),
        ("rpm_header/files", package("zlib", Some(3), 2)),
        ("rpm_header/no-files", package("bash", None, 0)),
    ];
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds"));
    for (name, bytes) in table {
        let path = folder.join(name);
        if std::env::var_os("CLEANBILL_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &bytes).unwrap();
        }
        let seed = std::fs::read(&path).unwrap();
        assert!(seed == bytes, "{name} is another: write it with CLEANBILL_WRITE_SEEDS=1");
    }
}
