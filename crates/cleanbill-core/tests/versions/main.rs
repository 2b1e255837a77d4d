//! The version orders as tables of facts, and as properties of any text.
//!
//! The tables are made from the schemes' own documents; docs/versions.md names them, and says
//! against which other tables and tools each order was compared.

#![allow(clippy::unwrap_used)] // Helpers of tests, outside of test functions.

use std::cmp::Ordering;

use cleanbill_core::version::Scheme;

mod distributions;
mod languages;
mod meant;
mod properties;
mod refused;

/// One chain of versions: written with `<` and `=` between them, read from left to right.
fn check(scheme: Scheme, chain: &str) {
    let words: Vec<&str> = chain.split_whitespace().collect();
    let versions: Vec<&str> = words.iter().copied().step_by(2).collect();
    let signs: Vec<&str> = words.iter().copied().skip(1).step_by(2).collect();
    for (at, a) in versions.iter().enumerate() {
        for (to, b) in versions.iter().enumerate().skip(at) {
            let want = if signs[at..to].contains(&"<") { Ordering::Less } else { Ordering::Equal };
            assert_eq!(scheme.compare(a, b), Ok(want), "{scheme:?}: {a} and {b}");
            assert_eq!(scheme.compare(b, a), Ok(want.reverse()), "{scheme:?}: {b} and {a}");
        }
    }
}

/// Every chain of a table.
fn check_all(table: &[(Scheme, &[&str])]) {
    for (scheme, chains) in table {
        chains.iter().for_each(|chain| check(*scheme, chain));
    }
}

#[test]
fn every_scheme_has_its_table() {
    let tables = [distributions::TABLE, languages::TABLE, languages::SEMVER].concat();
    for scheme in Scheme::ALL {
        assert!(
            tables.iter().any(|(of, chains)| *of == scheme && !chains.is_empty()),
            "{scheme:?}"
        );
    }
}
