//! Texts that are no versions.

use cleanbill_core::version::{Scheme, Version};

#[test]
fn what_is_no_version_is_an_error() {
    let long = "1".repeat(257);
    let table: &[(Scheme, &[&str])] = &[
        (
            Scheme::Apk,
            &["", "a1", "1.2-3", "57-1-r2", "1_foo", "1a.2", "1~", "1~xyz", "1 2", &long],
        ),
        (Scheme::Deb, &["", "1-", ":1", "a:1", "1_2", "1.0-1/2", "-1", "1 2", "ü1", &long]),
        (Scheme::Rpm, &["", "-1", "1:", "1:-1", "(none):", "1 2", "1\t2", &long]),
        (Scheme::Opam, &["", "1 2", "1/2", "é1", &long]),
        (
            Scheme::Pep440,
            &["", "a", "1..0", "1.0+", "1.0+a..b", "!1", "1.0x", "french toast", &long],
        ),
        (Scheme::Semver, &["", "x", "1.2.3.4", "1..3", "1.2.3-é", "1.2.3+", "latest", &long]),
        (Scheme::SemverBuild, &["", "x", "1.2.3.4", "1.2.3+", "1.2.3+a..b", "1.2.3-é+1", &long]),
        (Scheme::Maven, &["", "1 2", "1\u{0}", &long]),
        (
            Scheme::NuGet,
            &["", "x", "1.2.3.4.5", "1..2", "1.0-", "1.0-a..b", "1.0+", "[1.0]", &long],
        ),
        (Scheme::Gem, &["", "a1", "1..2", "1.", "1_2", "1.0+a", "1 2", "1.é", &long]),
        (
            Scheme::Composer,
            &["", "x", "dev-main", "DEV-main", "master", "a1", "1..2é", "1/2", ">=1.0", &long],
        ),
        (Scheme::Bitnami, &["", "x", "1.2.3.4", "1.2.3-", "1.2.3-é", "1.2.3_1", "latest", &long]),
        (Scheme::Numbers, &["", "1.", "1..2", "-1", "1.a", "1_2", "v1", &long]),
        (
            Scheme::Go,
            &["", "v", "(devel)", "devel go1.23-abc", "v1.2.3-", "1.2.3.4", "v1.2.3_1", &long],
        ),
    ];
    for scheme in Scheme::ALL {
        assert!(table.iter().any(|(of, _)| *of == scheme), "{scheme:?} has no row");
    }
    for (scheme, texts) in table {
        for text in *texts {
            let parsed = Version::parse(*scheme, text);
            let why = parsed.expect_err(&format!("{scheme:?} takes {text:?}")).to_string();
            assert!(why.contains("is no ") && why.len() < 250, "{why}");
        }
    }
}
