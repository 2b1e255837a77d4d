//! Which versions one means that is named as affected, or as the last affected one.

use cleanbill_core::version::{Scheme, Version};

/// Holds of each row whether the named version means the other, and whether the other is at most it.
fn check(table: &[(Scheme, &str, &str, bool, bool)]) {
    for (scheme, version, named, meant, up_to) in table {
        let parse = |text: &str| Version::parse(*scheme, text).unwrap();
        let (own, by) = (parse(version), parse(named));
        let got = (own.is_meant_by(&by), own.is_up_to(&by));
        assert_eq!(got, (*meant, *up_to), "{scheme:?}: {version} by {named}");
    }
}

#[test]
fn a_part_that_the_named_version_does_not_have_is_left_open() {
    use Scheme::{Bitnami, Pep440, Rpm};
    check(&[
        // By packaging's `==` and `<=`.
        (Pep440, "2.0.0+cu118", "2.0.0", true, true),
        (Pep440, "2.0+cu118.1", "v2.0.0", true, true),
        (Pep440, "2.0.0rc1+cu118", "2.0.0rc1", true, true),
        (Pep440, "2.0.0.post1+cu118", "2.0.0", false, false),
        (Pep440, "2.0.0+cu118", "2.0.0+cu118", true, true),
        (Pep440, "2.0.0+cu118", "2.0.0+cu117", false, false),
        (Pep440, "2.0.0+cu117", "2.0.0+cu118", false, true),
        (Pep440, "2.0.0", "2.0.0+cu118", false, true),
        (Pep440, "2.0.1+cu118", "2.0.0", false, false),
        (Pep440, "1!2.0.0+cu118", "2.0.0", false, false),
        (Pep440, "1.9.9+cu118", "2.0.0", false, true),
        (Bitnami, "5.16.0-3", "5.16.0", true, true),
        (Bitnami, "5.16.0-3", "5.16.0-0", true, true),
        (Bitnami, "5.16.0-3", "5.16.0-3", true, true),
        (Bitnami, "5.16.0-3", "5.16.0-2", false, false),
        (Bitnami, "5.16.0-3", "5.16.0-4", false, true),
        (Bitnami, "5.16.0", "5.16.0-3", false, true),
        (Bitnami, "5.16.1-3", "5.16.0", false, false),
        // A prerelease is no build of what comes after it.
        (Bitnami, "5.16.0-rc1", "5.16.0", false, true),
        (Bitnami, "5.16.0-3", "5.16.0-rc1", false, false),
        // By rpm's dependencies.
        (Rpm, "1.0-1.el9", "1.0", true, true),
        (Rpm, "1:1.0-1.el9", "1.0", false, false),
        (Rpm, "1.0-1.el9", "1.0-1", false, false),
        (Rpm, "1.0.1-1.el9", "1.0", false, false),
        (Rpm, "1.0", "1.0-1.el9", false, true),
    ]);
}

#[test]
fn in_other_orders_equal_versions_alone_are_meant() {
    use Scheme::{Apk, Deb, Maven, Semver, SemverBuild};
    check(&[
        (Apk, "1.0-r1", "1.0", false, false),
        (Deb, "1.0-1", "1.0", false, false),
        (Deb, "1.0", "1.0-0", true, true),
        (Maven, "1.0-redhat-1", "1.0", false, false),
        (Semver, "1.0.0+build", "1.0.0", true, true),
        (SemverBuild, "1.0.0+1", "1.0.0", false, false),
    ]);
}

#[test]
fn every_version_is_meant_by_itself() {
    for scheme in Scheme::ALL {
        let one = Version::parse(scheme, "1.2.3").unwrap();
        assert!(one.is_meant_by(&one) && one.is_up_to(&one), "{scheme:?}");
    }
}
