//! What holds for every order and any text: it is total, antisymmetric and transitive, and equal
//! versions compare alike with every other.

use std::cmp::Ordering;

use cleanbill_core::version::{Scheme, Version, fuzz_versions};
use proptest::prelude::*;

/// Texts that often are versions, of any scheme.
fn versionish() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "0",
        "1",
        "2",
        "10",
        "01",
        "00",
        ".",
        ".",
        ".",
        "-",
        "~",
        "_",
        "+",
        ":",
        "1:",
        "v",
        "go",
        "a",
        "b",
        "rc",
        "alpha",
        "beta",
        "pre",
        "post",
        "dev",
        "_p",
        "_git",
        "-r1",
        "_rc",
        "!",
        "1.0",
        "1.2.3",
        "v1.2.3",
        "-0.2019-abc",
        "ubuntu",
        "+deb12u1",
        " X:y",
        "~ab",
        "^",
        "x",
        "p",
        "ga",
        "sp",
        "Final",
        "m",
        "el9",
        "é",
    ]);
    prop::collection::vec(atom, 1..7).prop_map(|atoms| atoms.concat())
}

/// Versions that were published, to be changed a little.
const REAL: &[&str] = &[
    "1.36.1-r15",
    "3.2.0_rc2_git20240101-r3",
    "2:8.2.2434-3+deb11u1",
    "5.36.0-7+deb12u1~bpo11+1",
    "32:9.16.23-18.el9_4.1",
    "1.module_el8.10.0+3965+b415b607-2.14.3",
    "2.0.1rc1.post2.dev3",
    "1!2024.1a2+local.7",
    "v1.2.3-pre.0.20191109021931-daa7c04131f5",
    "v2.0.0+incompatible",
    "go1.22rc1",
    "7.0.0-beta.31+build.5",
    "2.17.1-1-alpha-2-SNAPSHOT",
    "4.1.0.Final-redhat-00001",
    "31.1-jre",
    "6.1.0rc3",
    "13.0.3.0-Preview2",
    "7.1.0.beta1.1",
    "1.13.0-x86_64-linux",
    "v5.4.0-BETA1.2-dev",
    "1.2.x-dev",
    "2.6.0-rc1",
    "1.62.0-0",
    "0.1-2",
    "v0.16~preview.128.28+247",
];

/// One version that was published, changed in three ways by up to three changes each.
fn kin() -> impl Strategy<Value = [String; 3]> {
    let change = || (any::<prop::sample::Index>(), 0usize..3, "[0-9a-c.~^_+:A-]{0,2}");
    let changes = || prop::collection::vec(change(), 0..4);
    (prop::sample::select(REAL), [changes(), changes(), changes()]).prop_map(|(real, changes)| {
        changes.map(|changes| {
            changes.into_iter().fold(real.to_owned(), |text, (at, cut, put)| {
                let at = at.index(text.len() + 1);
                let end = (at + cut).min(text.len());
                [&text[..at], &put, &text[end..]].concat()
            })
        })
    })
}

/// Three versions that have to do with each other, or not.
fn three() -> impl Strategy<Value = [String; 3]> {
    let real = || prop::sample::select(REAL).prop_map(str::to_owned);
    prop_oneof![kin(), [versionish(), versionish(), versionish()], [real(), real(), real()]]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn orders_are_total([a, b, c] in three()) {
        for scheme in Scheme::ALL {
            let parse = |text: &str| Version::parse(scheme, text).ok();
            if let Some(a) = parse(&a) {
                prop_assert_eq!(a.cmp(&a), Ordering::Equal);
                if let Some(b) = parse(&b) {
                    prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
                    prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
                    if let Some(c) = parse(&c) {
                        let mut sorted = [&a, &b, &c];
                        sorted.sort();
                        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2]);
                        prop_assert!(sorted[0] <= sorted[2], "{sorted:?}");
                        if a == b {
                            prop_assert_eq!(a.cmp(&c), b.cmp(&c));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(fuzz_versions(&bytes));
    }
}
