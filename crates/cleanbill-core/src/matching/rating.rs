//! How bad a flaw is, of all who have said something of it: the advisory that calls the package
//! affected first, then others of that flaw in the feeds that cover the package, then GitHub for
//! GitHub's ids, then NVD, then the highest that anybody gives (Trivy's order).

use std::collections::BTreeMap;

use crate::advisory::{Advisory, FlawFacts, Rating};
use crate::finding::Why;
use crate::severity::Severity;

use super::flaws::Flaw;

/// NVD as a source.
const NVD: &str = "nvd";
/// GitHub's advisories as a source.
const GITHUB: &str = "ghsa";

/// The rating to go by; `own` is the advisory that calls the package affected. Where nobody
/// rates, the severity is `Unknown`, and the vector one that could not be computed, if there is any.
pub(super) fn choose(
    own: (&Why, &Advisory),
    flaw: &Flaw<'_>,
    known: &FlawFacts,
    id: &str,
) -> Rating {
    let each = || std::iter::once(own).chain(flaw.iter().copied());
    if let Some((why, advisory)) = each().find(|(_, a)| a.severity != Severity::Unknown) {
        return Rating {
            source: why.feed.clone(),
            severity: advisory.severity,
            cvss: advisory.cvss.clone(),
        };
    }
    let rated = || known.ratings.iter().filter(|r| r.severity != Severity::Unknown);
    let by = |source: &str| rated().find(|r| r.source == source);
    let github = if id.starts_with("GHSA-") { by(GITHUB) } else { None };
    // Of several that are as high, the first source in the order of names.
    let highest = || rated().rev().max_by_key(|r| r.severity);
    match github.or_else(|| by(NVD)).or_else(highest) {
        Some(rating) => rating.clone(),
        None => Rating {
            source: String::new(),
            severity: Severity::Unknown,
            cvss: each().find_map(|(_, a)| a.cvss.clone()),
        },
    }
}

/// Adds what is known of the same flaw under another id. Of two ratings by one source the worse
/// counts, of two estimates the higher.
pub(super) fn merge(known: &mut FlawFacts, other: FlawFacts) {
    known.exploited |= other.exploited;
    known.epss = known.epss.max(other.epss);
    if other.ratings.is_empty() {
        return;
    }
    let mut by_source: BTreeMap<String, Rating> = BTreeMap::new();
    for rating in known.ratings.drain(..).chain(other.ratings) {
        match by_source.get(&rating.source) {
            Some(there) if there.severity >= rating.severity => {}
            Some(_) | None => drop(by_source.insert(rating.source.clone(), rating)),
        }
    }
    known.ratings = by_source.into_values().collect();
}
