//! One advisory of the database, in the shapes that its sources give it: a fixed version
//! (distributions), entries by architecture (Rocky, Oracle), constraints (languages).

use std::collections::BTreeMap;

use cleanbill_core::advisory::{Advisory, Range, RangeEnd, State};
use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::severity::Severity;
use serde::Deserialize;

use super::details::{Details, level};
use super::stretches::affected;
use crate::feeds::secdb::cve;

/// A value below a package, under the id of a flaw.
#[derive(Clone, Debug, Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Raw {
    fixed_version: Option<String>,
    affected_version: Option<String>,
    vulnerable_versions: Option<Vec<String>>,
    patched_versions: Option<Vec<String>>,
    unaffected_versions: Option<Vec<String>>,
    status: Option<i64>,
    severity: Option<i64>,
    #[serde(rename = "VendorIDs")]
    vendor_ids: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    /// Where the source says it of each architecture; the rest is for older programs then.
    entries: Option<Vec<Raw>>,
}

/// What all advisories of one package are read with.
pub(super) struct Context<'c> {
    /// The source's id.
    pub source: &'c str,
    pub details: &'c Details,
    /// The module stream that the package is of.
    pub module: Option<&'c str>,
}

impl Context<'_> {
    /// An advisory with what its source says of the flaw whatever the package. What others say
    /// of it is kept with the flaw.
    pub(super) fn flaw(&self, id: &str, severity: Option<i64>) -> Advisory {
        let detail = self.details.get(id);
        let rating = detail.and_then(|d| d.ratings.iter().find(|r| r.source == self.source));
        let own = severity.and_then(level).filter(|s| *s > Severity::Unknown);
        Advisory {
            id: id.to_owned(),
            severity: own.or(rating.map(|r| r.severity)).unwrap_or_default(),
            cvss: rating.and_then(|r| r.cvss.clone()),
            module: self.module.map(str::to_owned),
            published: detail.and_then(|d| d.published),
            modified: detail.and_then(|d| d.modified),
            ..Advisory::default()
        }
    }

    /// What a distribution says of a flaw in one package.
    pub(super) fn release(&self, id: &str, raw: Raw) -> Vec<Advisory> {
        let entries = match raw.entries {
            Some(entries) if !entries.is_empty() => entries,
            Some(_) | None => vec![Raw { entries: None, ..raw }],
        };
        // Alpine's people write more behind an id at times, and the database keeps it as the id.
        let cve = cve(&id.replacen("CVE_", "CVE-", 1)).filter(|cve| cve != id);
        let one = |raw: Raw| {
            let mut advisory = self.flaw(cve.as_deref().unwrap_or(id), raw.severity);
            advisory.aliases.extend(cve.is_some().then(|| id.to_owned()));
            advisory.errata = ids(raw.vendor_ids, id);
            advisory.arches = raw.arches.unwrap_or_default();
            settle(&mut advisory, raw.fixed_version, raw.affected_version, raw.status);
            if raw.vulnerable_versions.is_some_and(|v| !v.is_empty()) {
                advisory.unreadable = Some("constraints in a distribution's advisory".to_owned());
            }
            advisory
        };
        entries.into_iter().map(one).collect()
    }

    /// What a language's source says of all flaws of one package. An id that several of them
    /// share is that of a group, and joins nothing; one that one has alone is another name of it.
    pub(super) fn language(&self, raws: Vec<(String, Raw)>, ecosystem: Ecosystem) -> Vec<Advisory> {
        let mut used: BTreeMap<String, usize> = BTreeMap::new();
        for (id, raw) in &raws {
            for other in ids(raw.vendor_ids.clone(), id) {
                *used.entry(other).or_default() += 1;
            }
        }
        let one = |(id, raw): (String, Raw)| {
            let mut advisory = self.flaw(&id, raw.severity);
            (advisory.errata, advisory.aliases) = ids(raw.vendor_ids, &id)
                .into_iter()
                .partition(|other| used.get(other).is_some_and(|times| *times > 1));
            let list = |texts: Option<Vec<String>>| texts.unwrap_or_default();
            let stretches = affected(
                &list(raw.vulnerable_versions),
                &list(raw.patched_versions),
                &list(raw.unaffected_versions),
                ecosystem,
            );
            advisory.ranges = stretches.ranges;
            advisory.versions = stretches.versions;
            advisory.unreadable = stretches.unreadable;
            advisory
        };
        raws.into_iter().map(one).collect()
    }
}

/// A fixed version, or none: then the state says whether it is affected, and it is unless it is
/// said not to be.
pub(super) fn settle(
    advisory: &mut Advisory,
    fixed: Option<String>,
    from: Option<String>,
    status: Option<i64>,
) {
    let given = |version: Option<String>| version.filter(|v| !v.is_empty());
    match given(fixed) {
        Some(fixed) if fixed == "0" => advisory.state = State::NotAffected,
        Some(fixed) => {
            advisory.ranges.push(Range { introduced: given(from), end: RangeEnd::Fixed(fixed) })
        }
        None => {
            advisory.state = state(status);
            if advisory.state != State::NotAffected {
                advisory.ranges.push(Range { introduced: given(from), end: RangeEnd::Open });
            }
        }
    }
}

/// Trivy's numbers of states, which count only where no fixed version is given.
fn state(number: Option<i64>) -> State {
    match number {
        Some(1) => State::NotAffected,
        Some(4) => State::UnderInvestigation,
        Some(5) => State::WillNotFix,
        Some(6) => State::FixDeferred,
        Some(7) => State::EndOfLife,
        // Unknown, affected, fixed without a version, and what may come.
        Some(_) | None => State::Affected,
    }
}

/// Other ids than the flaw's own, sorted, each once.
fn ids(texts: Option<Vec<String>>, own: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        texts.unwrap_or_default().into_iter().filter(|id| !id.is_empty() && id != own).collect();
    ids.sort();
    ids.dedup();
    ids
}
