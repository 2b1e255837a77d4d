//! Distributions with few users: a table of rules each, all through one check. Siblings share one table,
//! with their own entries and versions.

use std::collections::BTreeSet;

use cleanbill_core::package::Package;

use super::osv::unrelated;
use super::support::{Feeds, Image, found};

mod apk;
mod chainguard;
mod oracle;
mod photon;
mod rpm;

/// The rule that is proved, the package that an image has, and what is found of it.
type Rule<'t> = (&'t str, Package, &'t [&'t str]);

/// Holds each rule against an image of the distribution, whose stream is this one.
fn check(
    feeds: &Feeds,
    distribution: (&'static str, &'static str),
    stream: &str,
    rules: &[Rule<'_>],
) {
    let names: BTreeSet<&str> = rules.iter().map(|(rule, ..)| *rule).collect();
    assert!(names.len() >= 8, "{} rules of {distribution:?}", names.len());
    let image = |package: &Package| Image { distribution, packages: vec![package.clone()] };
    for (rule, package, want) in rules {
        let found = found(feeds, image(package));
        assert_eq!(found, *want, "{distribution:?} {rule}: {} {}", package.name, package.version);
    }
    // Where no feed speaks of the release, that is said.
    let (_, package, _) = &rules[0];
    let none = [format!("no-advisory-source {stream}")];
    assert_eq!(found(&unrelated(), image(package)), none, "{distribution:?}");
}
