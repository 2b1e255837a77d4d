//! Entries without end, damaged databases and texts that are no advisory; and the fuzzer's seed.

use proptest::prelude::*;

use super::super::Limits;
use super::{imported, sample, tree};
use crate::bbolt::Database;
use crate::gather::Gathered;

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
    fn no_text_makes_an_advisory_panic(text in "[{}\\[\\]\":,0-9A-Za-z <>=.-]{0,60}") {
        super::super::fuzz_advisory(text.as_bytes());
    }
}
