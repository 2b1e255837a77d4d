//! What is too long, and what comes of it.

use cleanbill_core::advisory::{Advisory, Range, RangeEnd, Rating};
use cleanbill_core::severity::Severity;

use super::Gathered;

fn of(length: usize) -> String {
    "1".repeat(length)
}

/// `id aliases errata ranges versions`, and why it cannot be read.
fn kept(advisory: Advisory) -> String {
    let mut gathered = Gathered::default();
    gathered.add(&"PyPI".parse().unwrap(), "a", advisory);
    gathered.sort();
    let a = gathered.advisories.into_values().flatten().next().unwrap();
    let counts = [&a.aliases, &a.errata, &a.versions].map(Vec::len);
    let why = a.unreadable.unwrap_or_default();
    format!("{} {counts:?} {} {why}; {}", a.id.len(), a.ranges.len(), gathered.ignored.join(";"))
}

#[test]
fn what_is_too_long_is_not_kept_and_makes_the_advisory_unreadable() {
    let told = "1 advisories of which an id, a name or a version is too long";
    let id = |id: String| Advisory { id, ..Advisory::default() };
    let range = |from: usize, to: usize| {
        let end = RangeEnd::Fixed(of(to));
        Advisory { ranges: vec![Range { introduced: Some(of(from)), end }], ..id(of(9)) }
    };
    let table = [
        (id(of(256)), "256 [0, 0, 0] 0 ; ".to_owned()),
        (id(of(257)), format!("43 [0, 0, 0] 0 its id is longer than 256 bytes; {told}")),
        (
            Advisory { aliases: vec![of(256), of(3 << 20)], ..id(of(9)) },
            format!("9 [1, 0, 0] 0 another id of it is longer than 256 bytes; {told}"),
        ),
        (
            Advisory { errata: vec![of(257)], ..id(of(9)) },
            format!("9 [0, 0, 0] 0 another id of it is longer than 256 bytes; {told}"),
        ),
        (range(256, 256), "9 [0, 0, 0] 1 ; ".to_owned()),
        (range(257, 1), format!("9 [0, 0, 0] 0 a version is longer than 256 bytes; {told}")),
        (range(1, 1 << 20), format!("9 [0, 0, 0] 0 a version is longer than 256 bytes; {told}")),
        (
            Advisory { versions: vec![of(257), of(1)], ..id(of(9)) },
            format!("9 [0, 0, 1] 0 a version is longer than 256 bytes; {told}"),
        ),
        (
            Advisory { unreadable: Some(of(1 << 20)), ..id(of(9)) },
            format!("9 [0, 0, 0] 0 {}; ", of(200)),
        ),
        (
            Advisory { module: Some(of(257)), ..id(of(9)) },
            format!("9 [0, 0, 0] 0 its module is longer than 256 bytes; {told}"),
        ),
        (
            Advisory { arches: vec!["x86_64".into(), of(257)], ..id(of(9)) },
            format!("9 [0, 0, 0] 0 an architecture is longer than 256 bytes; {told}"),
        ),
        (Advisory { cvss: Some(of(257)), ..id(of(9)) }, "9 [0, 0, 0] 0 ; ".to_owned()),
    ];
    for (advisory, want) in table {
        assert_eq!(kept(advisory), want);
    }
}

#[test]
fn a_package_with_too_long_a_name_is_told() {
    let mut gathered = Gathered::default();
    for length in [1024, 1025] {
        gathered.add(&"PyPI".parse().unwrap(), &of(length), Advisory::default());
    }
    gathered.sort();
    assert_eq!(gathered.advisories.len(), 1);
    assert_eq!(gathered.ignored.len(), 1);
    let rating = |cvss| Rating { source: "nvd".into(), severity: Severity::High, cvss };
    gathered.rate(&of(257), rating(None));
    gathered.rate("CVE-2024-1", rating(Some(of(257))));
    let flaws: Vec<_> = gathered.flaws.into_iter().collect();
    assert_eq!((flaws.len(), flaws[0].1.ratings[0].cvss.clone()), (1, None));
}
