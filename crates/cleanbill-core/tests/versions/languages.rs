//! The orders of languages' packages.

use cleanbill_core::version::{Scheme, Version};

pub const TABLE: &[(Scheme, &[&str])] = &[
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
    // ComparableVersion's documentation and "Version Order Specification" of the POM reference.
    (
        Scheme::Maven,
        &[
            "1-alpha = 1alpha < 1-alpha-1 = 1a1 = 1-alpha1 < 1-alpha2 < 1-beta-1 = 1b1 < 1-m1",
            "1-milestone-1 = 1m1 < 1-rc = 1cr < 1-rc-1 = 1-CR1 < 1-SNAPSHOT < 1 = 1-ga = 1.Final",
            "1 = 1.0 = 1.0.0 = 1-0 = 1. = 1- = 1.release < 1-sp < 1-sp1 < 1-abc < 1-xyz < 1-1",
            "1.0.RC2 < 1.0-RC3 < 1.0 < 1.0.1",
            "1.0-1 < 1.0-2 < 1.0.1",
            "1-1 < 1.0-1 < 1.1",
            "2.0 < 2.0.a < 2-1 < 2.0.2 < 2.0.123 < 2.1.0 < 2.1-a < 2.1b < 2.1-c < 2.1-1 < 2.1.0.1",
            "11.a2 < 11.a11 < 11.b2 < 11.m2 < 11 < 11.a < 11b",
            "1-0.alpha < 1-0.beta < 1",
            "1-alpha-1-SNAPSHOT < 1-alpha-1",
            "1-pom-1 < 1-1-snapshot < 1-1",
            "1-ga < 1-ga1 < 1-ga2 < 1-sp",
            "2.0.0-rc.1 < 2.0.0-rc1",
            "4.1.0.Beta1 < 4.1.0.CR1 < 4.1.0.Final = 4.1.0 < 4.1.0.Final-redhat-1 < 4.1.1.Final",
            "30.0-android < 30.0-jre < 30.1-android",
            "1-foo = 1.0.0-foo.0.0",
            "1.x.2 = 1-x.2",
            "001 = 01 = 1 < 20190126.230843 < 123456789012345678901234567890",
            "final < sp < xyz < 1",
        ],
    ),
    // "Package versioning" of NuGet's documentation.
    (
        Scheme::NuGet,
        &[
            "1.0.1-aaa < 1.0.1-alpha < 1.0.1-alpha.2 < 1.0.1-alpha10 < 1.0.1-alpha2 < 1.0.1-beta",
            "1.0.1-alpha.2 < 1.0.1-alpha.10 < 1.0.1-beta < 1.0.1-open < 1.0.1-rc < 1.0.1-zzz < 1.0.1",
            "1 = 1.0 = 1.0.0 = 1.0.0.0 = 01.0 = 1.0.0+meta < 1.0.0.1 < 1.0.1",
            "1.0.0-Beta = 1.0.0-BETA+x < 1.0.0-beta.1",
            "1.0.0-1 < 1.0.0-a",
            "2.1.999 < 2.10",
        ],
    ),
    // Gem::Version's documentation.
    (
        Scheme::Gem,
        &[
            "0.9 < 1.0.a.2 = 1.0.a2 < 1.0.b1 < 1.0 = 1 = 1.0.0 < 1.0.1",
            "1.0.a9 < 1.0.a10 < 1.0.b",
            "1.0.0-rc1 = 1.0.0.pre.rc1 < 1.0.0.rc1 < 1.0.0",
            "1.0.0.a = 1.a < 1.0",
            "1.2.A < 1.2.a < 1.2",
            "3.2 < 3.10",
            "1.11.0.rc3 < 1.11.0 < 1.11.0.1",
            "1.2-3-4 < 1.2-3 < 1.2",
        ],
    ),
    // composer/semver's VersionParser, and PHP's manual of version_compare.
    (
        Scheme::Composer,
        &[
            "1.0-dev = 1.0.0.0-DEV < 1.0-alpha = 1.0a < 1.0a1 = 1.0-alpha.1 < 1.0-beta < 1.0-beta2",
            "1.0-beta2 < 1.0-beta10 < 1.0RC1-dev < 1.0RC1 = 1.0-rc.1 = 1.0.0.rc1 < 1.0 = v1 = 1.0.0",
            "1.0 = 1.0-stable = 1.0+build = 1.0@beta = 1.0. < 1.0-p1 = 1.0-patch1 = 1.0pl1 < 1.0-p2",
            "1.0-p2 < 1.0.0.1 < 1.0.1",
            "1.2.5 < 1.2.x-dev < 1.3.0-dev < 1.3 < 1.9 < 1.x-dev < 2.0-dev",
            "20100102 < 20100102.0.1",
            "2010-01-02 = 2010.1.2",
            "5.4.45 < 5.4.45.1",
            "1.0-foo < 1.0-dev",
        ],
    ),
    // bitnami/go-version, and what bitnami.rs adds.
    (
        Scheme::Bitnami,
        &[
            "1.2.3-rc1 < 1.2.3 = v1.2.3 = 1.2.3+meta = 1.2.3-0 < 1.2.3-1 < 1.2.3-2 < 1.2.3-10 < 1.2.4",
            "2.6.0-rc1 < 2.6.0-rc2 < 2.6.0 < 2.6.0-3 < 2.6.1-rc1",
            "9.0.35-3 < 9.0.35-3.57.3 < 9.0.36",
            "0 = 0.0.0 < 0.0.1",
        ],
    ),
    // R's numeric_version, Haskell's Data.Version.
    (
        Scheme::Numbers,
        &[
            "0 < 0.1 < 0.1.0 < 0.1.0.0 < 0.2 < 0.10",
            "1.0 = 1-0 < 1.0.0 < 1.0-1 = 1.0.1 = 1.0.01",
            "0.9 < 0.75",
            "4294967296 < 18446744073709551616",
        ],
    ),
];

pub const SEMVER: &[(Scheme, &[&str])] = &[
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
    // pub_semver's README, and Julia's manual of VersionNumber.
    (
        Scheme::SemverBuild,
        &[
            "1.0.0-pre < 1.0.0-pre+build < 1.0.0 < 1.0.0+build < 1.0.1",
            "1.2.3 < 1.2.3+1 < 1.2.3+2 < 1.2.3+10 < 1.2.3+a < 1.2.3+a.1 < 1.2.3+b",
            "4.17.1 < 4.17.1+echo.1 < 4.17.1+echo.2 < 4.17.1+echo.10 < 4.17.2",
            "1.1.10+0 < 3.0.8+0 < 3.0.8+1",
            "1 = v1.0 = 1.0.0",
        ],
    ),
];

#[test]
fn languages_order_as_their_own_tools_do() {
    super::check_all(TABLE);
    super::check_all(SEMVER);
    let go = |text| Version::parse(Scheme::Go, text);
    assert_eq!(go("go1.21.0 X:nocoverageredesign"), go("v1.21.0"));
    assert_eq!(go("go1.19.13 (Red Hat 1.19.13-1.el9)"), go("1.19.13"));
}
