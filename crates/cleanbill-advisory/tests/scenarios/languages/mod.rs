//! Languages that no extractor reads yet, or few: one table of rules each, all through one check.

use cleanbill_core::package::PackageKind;
use serde_json::Value;

use super::osv::{unrelated, zip};
use super::support::{found_alone, package};

mod bitnami;
mod crates_io;
mod hex;
mod maven;
mod nuget;
mod packagist;
mod pub_dev;
mod ruby_gems;
mod swift;

/// The rule that is proved, the package and version that an image has, and what is found of it.
type Rule<'t> = (&'t str, &'t str, &'t str, &'t [&'t str]);

/// Holds each rule against these entries of the kind's own ecosystem.
fn check(kind: PackageKind, entries: &[Value], rules: &[Rule<'_>]) {
    let feeds = zip(kind.ecosystem().unwrap().as_str(), entries);
    let names: std::collections::BTreeSet<&str> = rules.iter().map(|(rule, ..)| *rule).collect();
    assert!(names.len() >= 8, "{} rules of {kind:?}", names.len());
    for (rule, name, version, want) in rules {
        let found = found_alone(&feeds, vec![package(kind, name, version, "")]);
        assert_eq!(found, *want, "{rule}: {name} {version}");
    }
    // Where no feed speaks of the language, that is said.
    let (_, name, version, _) = rules[0];
    let stream = kind.ecosystem().unwrap().as_str();
    let found = found_alone(&unrelated(), vec![package(kind, name, version, "")]);
    assert_eq!(found, [format!("no-advisory-source {stream}")]);
}
