//! Whose advisories an image needs, before anybody has them. Must not look into any: what is
//! needed depends on the image alone.

use std::collections::BTreeSet;

use crate::distribution::Distribution;
use crate::ecosystem::Ecosystem;
use crate::package::Package;

use super::{distributions, streams};

/// The ecosystems whose advisories speak of these packages in this distribution. What no
/// advisories are known for is in none of them; matching says so by a gap.
pub fn needed(distribution: Option<&Distribution>, packages: &[Package]) -> BTreeSet<Ecosystem> {
    let known = distribution.and_then(|named| distributions::known(&named.id));
    let languages = packages.iter().flat_map(|package| streams::of_language(package.kind).all);
    let mut all: BTreeSet<Ecosystem> = languages.map(|stream| stream.ecosystem).collect();
    all.extend(known.map(|known| known.ecosystem));
    all
}
