//! Differences of snapshots that were written and read again, as sentences.

use cleanbill_core::advisory::{Advisory, Epss, Range, RangeEnd, State};
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::severity::Severity;
use proptest::prelude::*;

use super::{Change, How, diff};
use crate::{Error, Gathered, Snapshot, write};

fn snapshot(mut gathered: Gathered) -> Snapshot {
    gathered.sort();
    let mut bytes = Vec::new();
    write(&gathered, &mut bytes).unwrap();
    Snapshot::from_bytes(bytes).unwrap()
}

fn told(a: &Snapshot, b: &Snapshot) -> Vec<String> {
    let mut all = Vec::new();
    let words = |how: &[How]| how.iter().map(|h| h.as_str()).collect::<Vec<_>>().join(",");
    diff::<Error>(a, b, |change| {
        all.push(match change {
            Change::Advisory { stream, package, id, how } => {
                format!("{stream} {package} {id} {}", words(how))
            }
            Change::Flaw { id, how } => format!("{id} {}", words(how)),
        });
        Ok(())
    })
    .unwrap();
    all
}

fn fixed(id: &str, version: &str) -> Advisory {
    let end = RangeEnd::Fixed(version.to_owned());
    Advisory {
        id: id.to_owned(),
        ranges: vec![Range { introduced: None, end }],
        severity: Severity::Low,
        ..Advisory::default()
    }
}

#[test]
fn each_difference_is_told_and_nothing_else() {
    let one = fixed("CVE-1-0001", "2");
    let severity = Advisory { severity: Severity::High, ..one.clone() };
    let state = Advisory { state: State::WillNotFix, ..severity.clone() };
    let alias = Advisory { aliases: vec!["GHSA-x".into()], ..one.clone() };
    let (other, later) = (fixed("CVE-1-0002", "2"), fixed("CVE-1-0001", "3"));
    let row = |list: &[&Advisory]| list.iter().map(|a| (*a).clone()).collect::<Vec<_>>();
    let table: Vec<(Vec<Advisory>, Vec<Advisory>, &[&str])> = vec![
        (row(&[]), row(&[]), &[]),
        (row(&[&one]), row(&[&one]), &[]),
        (row(&[]), row(&[&one]), &["Go a CVE-1-0001 new"]),
        (row(&[&one]), row(&[]), &["Go a CVE-1-0001 gone"]),
        (row(&[&one]), row(&[&one, &other]), &["Go a CVE-1-0002 new"]),
        (row(&[&one]), row(&[&other]), &["Go a CVE-1-0001 gone", "Go a CVE-1-0002 new"]),
        (row(&[&one]), row(&[&later]), &["Go a CVE-1-0001 ranges"]),
        (row(&[&one]), row(&[&one, &later]), &["Go a CVE-1-0001 ranges,severity,state"]),
        (row(&[&one]), row(&[&severity]), &["Go a CVE-1-0001 severity"]),
        (row(&[&one]), row(&[&state]), &["Go a CVE-1-0001 severity,state"]),
        (row(&[&one]), row(&[&alias]), &["Go a CVE-1-0001 details"]),
    ];
    for (old, new, wanted) in table {
        let made = |list: &[Advisory]| {
            let mut gathered = Gathered::default();
            for advisory in list {
                gathered.add(&Stream::of(Ecosystem::Go), "a", advisory.clone());
            }
            // Neighbours on both sides, which are not changed.
            gathered.add(&Stream::of(Ecosystem::Go), "A", one.clone());
            gathered.add(&Stream::of(Ecosystem::PyPI), "a", one.clone());
            snapshot(gathered)
        };
        assert_eq!(told(&made(&old), &made(&new)), wanted);
    }
}

#[test]
fn flaws_are_compared_too() {
    let made = |change: &dyn Fn(&mut Gathered)| {
        let mut gathered = Gathered::default();
        gathered.flaw("CVE-1-0001").exploited = true;
        change(&mut gathered);
        snapshot(gathered)
    };
    let epss = Some(Epss { probability: 1, percentile: 2 });
    type Row<'a> = (&'a dyn Fn(&mut Gathered), &'a [&'a str]);
    let table: [Row<'_>; 4] = [
        (&|_| {}, &[]),
        (&|g| g.flaw("CVE-1-0001").exploited = false, &["CVE-1-0001 exploited"]),
        (&|g| g.flaw("CVE-1-0001").epss = epss, &["CVE-1-0001 epss"]),
        (&|g| g.flaw("CVE-1-0003").epss = epss, &["CVE-1-0003 new"]),
    ];
    for (change, wanted) in table {
        assert_eq!(told(&made(&|_| {}), &made(change)), wanted);
    }
}

#[test]
fn what_is_damaged_is_an_error_and_no_difference() {
    let mut gathered = Gathered::default();
    for n in 0..20_000 {
        gathered.add(&Stream::of(Ecosystem::Go), &format!("p{n}"), fixed("CVE-1-0001", "2"));
    }
    let good = snapshot(Gathered::default());
    gathered.sort();
    let mut bytes = Vec::new();
    write(&gathered, &mut bytes).unwrap();
    bytes[500] ^= 1;
    let bad = Snapshot::from_bytes(bytes).unwrap();
    for (a, b) in [(&good, &bad), (&bad, &good)] {
        assert!(diff::<Error>(a, b, |_| Ok(())).is_err());
    }
}

proptest! {
    /// Against the same by two maps in memory.
    #[test]
    fn a_merge_finds_what_maps_find(
        a in proptest::collection::btree_map("[a-c]{1,3}", 1u8..4, 0..20),
        b in proptest::collection::btree_map("[a-c]{1,3}", 1u8..4, 0..20),
    ) {
        let made = |map: &std::collections::BTreeMap<String, u8>| {
            let mut gathered = Gathered::default();
            for (name, version) in map {
                let advisory = fixed("CVE-1-0001", &version.to_string());
                gathered.add(&Stream::of(Ecosystem::Go), name, advisory);
            }
            snapshot(gathered)
        };
        let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        let wanted: Vec<String> = keys
            .into_iter()
            .filter_map(|key| {
                let how = match (a.get(key), b.get(key)) {
                    (None, _) => "new",
                    (_, None) => "gone",
                    (Some(x), Some(y)) if x != y => "ranges",
                    _ => return None,
                };
                Some(format!("Go {key} CVE-1-0001 {how}"))
            })
            .collect();
        prop_assert_eq!(told(&made(&a), &made(&b)), wanted);
    }
}
