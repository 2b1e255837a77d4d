//! What is written is read again; what is not as it was written is an error.

use std::sync::LazyLock;

use cleanbill_core::advisory::{
    Advisories, Advisory, ContentSet, Epss, Feed, FlawFacts, Range, RangeEnd, Rating, State,
};
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::severity::Severity;
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::block::Block;
use super::content_sets::ContentSets;
use super::flaws::{self, Flaws};
use super::index::Index;
use super::{Snapshot, write};
use crate::error::ErrorKind;
use crate::gather::Gathered;

fn advisory() -> impl Strategy<Value = Advisory> {
    let id = prop_oneof![
        "CVE-[0-9]{4}-[0-9]{4,6}".boxed(),
        Just("CVE-1-0001".to_owned()).boxed(),
        "[A-Z]{2,4}-[0-9a-z]{1,6}".boxed(),
        ".{0,8}".boxed(),
    ];
    let end = prop_oneof![
        Just(RangeEnd::Open),
        "[0-9.]{1,5}".prop_map(RangeEnd::Fixed),
        "[0-9.]{1,5}".prop_map(RangeEnd::LastAffected),
        "[0-9.]{1,5}".prop_map(RangeEnd::Before),
    ];
    let range = (proptest::option::of("[0-9.]{0,5}"), end)
        .prop_map(|(introduced, end)| Range { introduced, end });
    let text = || proptest::option::of("[A-Z:/]{0,12}");
    let time = || {
        proptest::option::of(1i64..4_000_000_000)
            .prop_map(|t| t.map(|t| cleanbill_core::Timestamp::from_second(t).unwrap()))
    };
    let rest = || (0usize..6, text(), vec("[a-z0-9_]{0,6}", 0..3), text(), time(), time());
    let lists =
        (vec("[A-Z0-9-]{0,9}", 0..3), vec("[A-Z0-9-]{0,9}", 0..3), vec("[0-9.]{0,6}", 0..4));
    ((id, lists, 0usize..5, text(), vec(range, 0..3)), rest()).prop_map(
        |(
            (id, (aliases, errata, versions), severity, cvss, ranges),
            (state, module, arches, unreadable, published, modified),
        )| Advisory {
            id,
            aliases,
            errata,
            severity: Severity::ALL[severity],
            cvss,
            ranges,
            versions,
            state: State::ALL[state],
            module,
            arches,
            unreadable,
            published,
            modified,
        },
    )
}

fn flaw() -> impl Strategy<Value = FlawFacts> {
    let epss = (0u32..=100_000, 0u32..=100_000)
        .prop_map(|(probability, percentile)| Epss { probability, percentile });
    let rating = ("[a-z]{1,4}", 0usize..5, proptest::option::of("[A-Z:/]{0,12}")).prop_map(
        |(source, severity, cvss)| Rating { source, severity: Severity::ALL[severity], cvss },
    );
    (vec(rating, 0..4), proptest::option::of(epss), any::<bool>())
        .prop_map(|(ratings, epss, exploited)| FlawFacts { ratings, epss, exploited })
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![
        Just(Stream::of(Ecosystem::PyPI)),
        Just(Stream::of(Ecosystem::Go)),
        "v3.[0-9]".prop_map(|r| Stream::release(Ecosystem::Alpine, r)),
    ]
}

fn written(gathered: &Gathered) -> Vec<u8> {
    let mut out = Vec::new();
    write(gathered, &mut out).unwrap();
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        // Names may look like ids, which texts of a block shorten and keys must not.
        records in vec((stream(), "[a-z]{0,3}|CVE-2020-[0-9]{4}", vec(advisory(), 1..4)), 0..40),
        lives in vec(("[a-z]{1,3}", "[0-9]", proptest::option::of(1i16..3000)), 0..4),
        flaws in proptest::collection::btree_map(
            "CVE-20[0-9]{2}-[0-9]{4}|[a-z]{0,3}", flaw(), 0..5,
        ),
        content_sets in proptest::collection::btree_map(
            "[a-z]{1,3}", vec("[a-c]{1,2}", 0..3), 0..4,
        ),
        ignored in vec("[a-z]{0,3}", 0..2),
    ) {
        let mut gathered = Gathered { flaws, content_sets, ignored, ..Gathered::default() };
        for (stream, name, advisories) in records {
            for advisory in advisories {
                gathered.add(&stream, &name, advisory);
            }
        }
        for (distribution, release, year) in lives {
            let end = year.map(|y| cleanbill_core::Date::constant(y, 2, 3));
            gathered.lives.insert((distribution, release), end);
        }
        gathered.sort();
        let bytes = written(&gathered);
        prop_assert_eq!(&bytes, &written(&gathered));
        let snapshot = Snapshot::from_bytes(bytes).unwrap();
        snapshot.verify().unwrap();
        for ((stream, name), advisories) in &gathered.advisories {
            let found = snapshot.lookup(&stream.parse().unwrap(), name).unwrap();
            prop_assert_eq!(&found, advisories);
        }
        for ((distribution, release), end) in &gathered.lives {
            let life = snapshot.release_life(distribution, release).unwrap();
            prop_assert_eq!(life.unwrap().end_of_life, *end);
        }
        for (id, facts) in &gathered.flaws {
            prop_assert_eq!(&snapshot.flaw(id).unwrap(), facts);
        }
        let exploited = gathered.flaws.values().filter(|facts| facts.exploited).count();
        prop_assert_eq!(snapshot.known_exploited_count(), exploited);
        prop_assert_eq!(snapshot.flaw("none").unwrap(), FlawFacts::default());
        prop_assert_eq!(snapshot.ignored(), &gathered.ignored);
        for (name, products) in &gathered.content_sets {
            let product = |p: &String| Stream::release(Ecosystem::RedHat, p.clone());
            let products = ContentSet::Products(products.iter().map(product).collect());
            prop_assert_eq!(snapshot.content_set(name).unwrap(), products);
        }
        let none = match gathered.content_sets.is_empty() {
            true => ContentSet::NoList,
            false => ContentSet::Unknown,
        };
        prop_assert_eq!(snapshot.content_set("none").unwrap(), none);
        let absent = snapshot.lookup(&Stream::of(Ecosystem::Npm), "left-pad").unwrap();
        prop_assert!(absent.is_empty());
    }

    #[test]
    fn any_bytes_are_an_error_not_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(Snapshot::from_bytes(bytes.clone()).is_err());
        drop(Index::decode(&bytes, 12));
        drop(Flaws::parse(&bytes));
        if let Ok(block) = Block::parse(bytes) {
            drop(block.get("", ""));
        }
    }

    #[test]
    fn a_mangled_block_is_an_error_not_a_panic(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut writer = super::block::BlockWriter::default();
        writer.push("Go", "a", &[plain("CVE-2020-0001"), plain("CVE-2020-0002"), plain("X-1")]);
        let mut bytes = writer.finish();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(block) = Block::parse(bytes) {
            drop(block.get("Go", "a"));
        }
    }

    #[test]
    fn mangled_repositories_are_an_error_not_a_panic(
        known in proptest::collection::btree_map("[a-z]{1,3}", vec("[a-c]{1,2}", 0..3), 1..5),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let content_sets = ContentSets::new(&known);
        let mut bytes = Index { content_sets, ..Index::default() }.encode();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(index) = Index::decode(&bytes, 12) {
            prop_assert!(known.len() < 300 && index.content_sets.len() <= bytes.len());
            drop(index.content_sets.get("a"));
        }
    }

    #[test]
    fn mangled_flaws_are_an_error_not_a_panic(
        known in proptest::collection::btree_map("CVE-20[0-9]{2}-[0-9]{4}", flaw(), 1..5),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut bytes = flaws::encode(&known.iter().collect::<Vec<_>>());
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(flaws) = Flaws::parse(&bytes) {
            drop(flaws.get("CVE-2020-0001").cloned());
        }
    }
}

fn plain(id: &str) -> Advisory {
    Advisory {
        id: id.to_owned(),
        aliases: vec!["GHSA-1".to_owned()],
        severity: Severity::High,
        ranges: vec![Range { introduced: None, end: RangeEnd::Fixed("1.2".to_owned()) }],
        versions: vec!["1.0".to_owned(), "1.1".to_owned()],
        ..Advisory::default()
    }
}

/// Several blocks, with the stream `Go` and packages `p0` to `p1999`.
static SEVERAL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut gathered = Gathered::default();
    for n in 0..2000 {
        let id = format!("GHSA-{:x}", n * 7_919);
        gathered.add(&Stream::of(Ecosystem::Go), &format!("p{n}"), plain(&id));
    }
    for (id, day) in [("a", 2), ("b", 3), ("c", 1)] {
        gathered.feeds.push(Feed {
            id: id.to_owned(),
            as_of: cleanbill_core::Timestamp::from_second(day * 86_400).ok(),
            licence: "MIT".to_owned(),
            advisories: 2000,
            not_understood: 0,
            streams: vec![Stream::of(Ecosystem::Go)],
        });
    }
    gathered.sort();
    written(&gathered)
});

#[test]
fn a_look_up_finds_its_block_and_the_newest_feed_covers() {
    let snapshot = Snapshot::from_bytes(SEVERAL.clone()).unwrap();
    for n in [0, 1, 999, 1000, 1999] {
        let found = snapshot.lookup(&Stream::of(Ecosystem::Go), &format!("p{n}")).unwrap();
        assert_eq!(found.len(), 1, "p{n}");
        assert_eq!(found[0].id, format!("GHSA-{:x}", n * 7_919));
    }
    for absent in ["", "p", "p2000", "q", "a", "p1\0"] {
        assert_eq!(snapshot.lookup(&Stream::of(Ecosystem::Go), absent).unwrap(), []);
    }
    assert_eq!(snapshot.covering(&Stream::of(Ecosystem::Go)).unwrap().id, "b");
    assert!(snapshot.covering(&Stream::of(Ecosystem::PyPI)).is_none());
}

#[test]
fn whether_anybody_told_of_exploits_is_known() {
    let told = |gathered: &Gathered| {
        let snapshot = Snapshot::from_bytes(written(gathered)).unwrap();
        snapshot.known_exploited_feed().map(|feed| feed.as_of)
    };
    let mut gathered = Gathered::default();
    gathered.flaw("CVE-2020-0001").exploited = true;
    assert_eq!(told(&gathered), None);
    let catalogue = r#"{"dateReleased": "2026-11-20T12:00:00Z", "vulnerabilities": [{"cveID": "CVE-2020-0001"}]}"#;
    let limits = crate::limits::Limits::default();
    crate::feeds::kev::parse(catalogue.as_bytes(), &limits, &mut gathered).unwrap();
    assert_eq!(told(&gathered), Some("2026-11-20T12:00:00Z".parse().ok()));
}

#[test]
fn every_damaged_byte_is_noticed() {
    for at in (0..SEVERAL.len()).step_by(7) {
        let mut bytes = SEVERAL.clone();
        bytes[at] ^= 0x20;
        let result = Snapshot::from_bytes(bytes).and_then(|s| s.verify());
        assert!(result.is_err(), "byte {at}");
    }
    for length in (0..SEVERAL.len()).step_by(101) {
        assert!(Snapshot::from_bytes(SEVERAL[..length].to_vec()).is_err(), "length {length}");
    }
}

#[test]
fn what_is_no_snapshot_is_said_exactly() {
    let change = |at: usize, to: u8| {
        let mut bytes = SEVERAL.clone();
        let at = if at > 1000 { bytes.len() - (at - 1000) } else { at };
        bytes[at] = to;
        bytes
    };
    let table: Vec<(Vec<u8>, ErrorKind, &str)> = vec![
        (vec![], ErrorKind::Malformed, "these bytes is no snapshot: it is too short"),
        (
            change(0, 0),
            ErrorKind::Malformed,
            "these bytes is no snapshot: it begins with other bytes",
        ),
        (
            change(8, 9),
            ErrorKind::Malformed,
            "these bytes has snapshot format 9; this program reads 3: build or update it again with this program",
        ),
        (
            change(1001, 0),
            ErrorKind::Damaged,
            "these bytes is damaged: its end is missing; get it again",
        ),
        (
            change(1056, 0xff),
            ErrorKind::Damaged,
            "these bytes is damaged: its index is not where its end says; get it again",
        ),
        (
            change(1060, 0xff),
            ErrorKind::Damaged,
            "these bytes is damaged: its index does not have the hash it was written with; get it again",
        ),
    ];
    for (bytes, kind, message) in table {
        let error = Snapshot::from_bytes(bytes).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }
    let snapshot = Snapshot::from_bytes(change(500, 1)).unwrap();
    let error = snapshot.lookup(&Stream::of(Ecosystem::Go), "p0").unwrap_err();
    assert_eq!(
        error.to_string(),
        "these bytes: the block of Go p0 does not have the hash it was written with; get the snapshot again"
    );
}

/// A snapshot with right hashes around one block of packages of Go in this order, which its index
/// says begins with `first`.
fn forged(first: &str, names: &[&str]) -> Snapshot {
    let mut block = super::block::BlockWriter::default();
    names.iter().for_each(|name| block.push("Go", name, &[plain("X-1")]));
    let whole = block.finish();
    let stored = zstd::bulk::compress(&whole, 1).unwrap();
    let entry = super::index::Entry {
        first: ("Go".to_owned(), first.to_owned()),
        offset: super::HEADER as u64,
        stored: stored.len() as u64,
        plain: whole.len() as u64,
        hash: Sha256::digest(&stored).into(),
    };
    let index = Index { blocks: vec![entry], ..Index::default() }.encode();
    let mut bytes = [&super::header()[..], &stored].concat();
    let at = bytes.len() as u64;
    bytes.extend_from_slice(&index);
    bytes.extend_from_slice(&at.to_le_bytes());
    bytes.extend_from_slice(&(index.len() as u64).to_le_bytes());
    let digest = Sha256::new().chain_update(super::header()).chain_update(&index).finalize();
    bytes.extend_from_slice(&digest);
    bytes.extend_from_slice(&super::MAGIC);
    Snapshot::from_bytes(bytes).unwrap()
}

#[test]
fn keys_out_of_order_would_hide_packages_and_are_refused() {
    let table: &[(&str, &[&str], Result<u64, &str>)] = &[
        ("a", &["a", "b"], Ok(2)),
        ("a", &["a", "c", "b"], Err("these bytes: the record of Go b is not in its place")),
        ("a", &["a", "a"], Err("these bytes: the record of Go a is not in its place")),
        ("b", &["a", "b"], Err("these bytes: the record of Go b is not in its place")),
    ];
    for (first, names, wanted) in table {
        let said = forged(first, names).contents().map(|held| held.packages);
        let said = said.map_err(|e| e.to_string());
        assert_eq!(
            said.as_ref().map_err(String::as_str),
            wanted.as_ref().map_err(|e| *e),
            "{names:?}"
        );
    }
}

#[test]
fn a_small_record_cannot_grow_without_bound() {
    // One long text, named by every version of the record: the bound on a record stops it.
    let mut writer = super::block::BlockWriter::default();
    let long = "1".repeat(1 << 20);
    let advisory = Advisory { versions: vec![long; 1000], ..plain("X-1") };
    writer.push("Go", "a", &[advisory]);
    let bytes = writer.finish();
    assert!(bytes.len() < 2 << 20);
    let block = Block::parse(bytes).unwrap();
    assert_eq!(block.get("Go", "a").unwrap_err(), "a record is too large");
}
