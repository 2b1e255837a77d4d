//! The version orders as tables of facts, and as properties of any text.

use std::cmp::Ordering;

use cleanbill_core::version::{Scheme, Version, fuzz_versions};
use proptest::prelude::*;

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

#[test]
fn versions_are_ordered_as_their_own_tools_order_them() {
    let table: &[(Scheme, &[&str])] = &[
        (
            Scheme::Apk,
            &[
                "1 < 1.0 < 1.1 < 1.2 < 1.10 < 2",
                "1.001 < 1.01 < 1.1",
                "1.00 < 1.0 < 1.0.1 < 1.01",
                "1_alpha < 1_alpha1 < 1_alpha2 < 1_beta < 1_pre < 1_rc < 1_rc1 < 1",
                "1 < 1-r0 < 1-r1 < 1-r10 < 1_cvs < 1_svn < 1_git < 1_hg < 1_p < 1_p1 < 1_p2",
                "1.2-r0 < 1.2-r1 < 1.2a < 1.2a-r1 < 1.2b < 1.2.1",
                "1.0_rc1 < 1.0_rc1_p1 < 1.0_rc2 < 1.0",
                "1.0.2q-r0 < 1.0.2r-r0 < 1.1.0a-r0",
                "1.2~1234-r0 < 1.2~2234-r0",
                "1.2-r5 < 1.2~1234 < 1.2_p1",
                "6.6.2p1-r0 < 6.6.2p2-r0 < 6.6.3-r0",
                "007 = 7",
                "20200101 < 99999999999999999999999999 < 100000000000000000000000000",
            ],
        ),
        (
            Scheme::Deb,
            &[
                "1.0~~ < 1.0~~a < 1.0~ < 1.0~rc1 < 1.0 = 0:1.0 = 1.0-0 < 1.0a < 1.0+b1 < 1.0.1",
                "1.0-1 < 1.0-1+deb12u1 < 1.0-1.1 < 1.0-2 < 1.0-10",
                "2 < 1:1 < 2:0",
                "1.2.3-1~bpo12+1 < 1.2.3-1",
                "7.88.1-10+deb12u5 < 7.88.1-10+deb12u12",
                "1.0-1ubuntu1 < 1.0-1ubuntu1.1 < 1.0-1ubuntu2",
                "1.001 = 1.1 < 1.01a",
                "1:2-3-4 < 1:2-4-1",
                "9 < 18446744073709551616 < 18446744073709551617",
            ],
        ),
        (
            Scheme::Rpm,
            &[
                "1.0~~ < 1.0~ < 1.0~rc1 < 1.0 = 0:1.0 = 1_0 = 1.0. < 1.0-1 < 1.0^ < 1.0^20240501",
                "1.0^20240501~a < 1.0^20240501 < 1.0^20240501^git1 < 1.0a < 1.0.1 < 1.0.1a < 1.0.2",
                "xyz < xyz.4 < 8 < 10xyz < 10.1xyz",
                "1.0-1.el8 < 1.0-1.el8_1 < 1.0-1.el9 < 1.0-1.1 < 1.0-2.el8 < 1.0-10.el8",
                "1.0-0.1.rc1 < 1.0-0.2.beta < 1.0-1",
                "2 < 1:1 = 01:1 < 2:0",
                "1.001 = 1.1 < 1.01a",
                "1.0-1-1 = 1.0.1-1 < 1.0-1-2",
                "_ = + < a",
                "9 < 18446744073709551616 < 18446744073709551617",
            ],
        ),
        (
            Scheme::Pep440,
            &[
                "1.dev0 < 1.0.dev456 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456",
                "1.0b2 < 1.0b2.post345.dev456 < 1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0",
                "1.0 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < 1.0.post456 < 1.1.dev1",
                "1 = 1.0 = 1.0.0 = v1 = 01",
                "1.0a1 = 1.0-alpha.1 = 1.0_ALPHA_1 = 1.0alpha1",
                "1.0rc1 = 1.0c1 = 1.0pre1 = 1.0-preview_1",
                "1.0.post1 = 1.0-1 = 1.0rev1 = 1.0-r1",
                "1.0a = 1.0a0",
                "1.0+ubuntu-1 = 1.0+ubuntu.1 = 1.0+UBUNTU_1",
                "2024.1 < 1!0.1",
                "4.0.10 < 4.1 < 4.1.1",
            ],
        ),
        (
            Scheme::Semver,
            &[
                "1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2",
                "1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0",
                "1.0.0 < 2.0.0 < 2.1.0 < 2.1.1 < 2.10.0",
                "1.2.3 = v1.2.3 = =1.2.3 = 1.2.3+build.5 = 01.02.03",
                "1.2.3beta < 1.2.3",
                "1.2.3-beta = 1.2.3beta",
                "1 = 1.0 = 1.0.0",
                "1.2 < 1.2.1",
                "0.0.0-0 < 0.0.0-a < 0.0.0",
                "1.0.0-9007199254740993 < 1.0.0-9007199254740994",
            ],
        ),
        (
            Scheme::Go,
            &[
                "v1.2.3 = 1.2.3 = v1.2.3+incompatible = v1.2.3+dirty",
                "v1.9.0 < v1.10.0",
                "v0.0.0-20190308221718-c2843e01d9a2 < v0.0.0-20211202192323-5770296d904e < v0.1.0",
                "v1.2.3 < v1.2.4-0.20191109021931-daa7c04131f5 < v1.2.4",
                "v1.2.3-pre < v1.2.3-pre.0.20191109021931-daa7c04131f5 < v1.2.3",
                "1.21.0-0 < go1.21rc1 < go1.21rc2 < go1.21.0 < go1.21.1 < 1.22.0-0",
                "go1.22rc1 = v1.22rc1 = v1.22.0-rc.1",
                "go1.18beta2 < go1.18rc1 < go1.18",
                "go1.20 = 1.20.0 = v1.20",
                "1.4.3 < go1.22.3 = v1.22.3",
                "go1.21.3-custom = go1.21.3",
            ],
        ),
    ];
    for (scheme, chains) in table {
        chains.iter().for_each(|chain| check(*scheme, chain));
    }
    let go = |text| Version::parse(Scheme::Go, text);
    assert_eq!(go("go1.21.0 X:nocoverageredesign"), go("v1.21.0"));
    assert_eq!(go("go1.19.13 (Red Hat 1.19.13-1.el9)"), go("1.19.13"));
}

#[test]
fn what_is_no_version_is_an_error() {
    let long = "1".repeat(257);
    let table: &[(Scheme, &[&str])] = &[
        (
            Scheme::Apk,
            &["", "a1", "1.2-3", "57-1-r2", "1_foo", "1a.2", "1~", "1~xyz", "1 2", &long],
        ),
        (Scheme::Deb, &["", "1-", ":1", "a:1", "1_2", "1.0-1/2", "-1", "1 2", "ü1", &long]),
        (Scheme::Rpm, &["", "1-", "-1", ":1", "a:1", "(none):1", "1:", "1 2", &long]),
        (
            Scheme::Pep440,
            &["", "a", "1..0", "1.0+", "1.0+a..b", "!1", "1.0x", "french toast", &long],
        ),
        (Scheme::Semver, &["", "x", "1.2.3.4", "1..3", "1.2.3-é", "1.2.3+", "latest", &long]),
        (
            Scheme::Go,
            &["", "v", "(devel)", "devel go1.23-abc", "v1.2.3-", "1.2.3.4", "v1.2.3_1", &long],
        ),
    ];
    for (scheme, texts) in table {
        for text in *texts {
            let parsed = Version::parse(*scheme, text);
            let why = parsed.expect_err(&format!("{scheme:?} takes {text:?}")).to_string();
            assert!(why.contains("is no ") && why.len() < 250, "{why}");
        }
    }
}

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
    ]);
    prop::collection::vec(atom, 1..7).prop_map(|atoms| atoms.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn orders_are_total(a in versionish(), b in versionish(), c in versionish()) {
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
