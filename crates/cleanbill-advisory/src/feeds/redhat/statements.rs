//! What a document says: one advisory for each release, package and standing.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, State};
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::severity::Severity;

use super::super::csaf::Said;
use super::super::csaf::beside::{Beside, Status};
use super::super::csaf::document::{Document, Vulnerability, once};
use super::super::errata::ARCHES;
use super::super::osv::time;
use super::super::{SOURCE, is_cve};
use super::products::{Package, Products};

/// One standing of a package, whatever its architecture.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    stream: Stream,
    name: String,
    module: Option<String>,
    source: bool,
    status: Status,
    version: Option<String>,
    severity: Severity,
    cvss: Option<String>,
    errata: BTreeSet<String>,
}

/// Reads all that a document says; `date` is that of its last change.
pub(super) fn read(document: &Document<'_>, date: Option<Timestamp>) -> Said {
    let products = Products::read(document);
    let mut said = Said::default();
    for vulnerability in &document.vulnerabilities {
        one(vulnerability, &products, date, &mut said);
    }
    said
}

fn one(
    vulnerability: &Vulnerability<'_>,
    products: &Products<'_>,
    date: Option<Timestamp>,
    said: &mut Said,
) {
    let Some(cve) = vulnerability.cve.as_ref().filter(|cve| is_cve(&cve.0)) else {
        said.missed("a vulnerability without the id of a CVE");
        return;
    };
    let beside = Beside::read(vulnerability, erratum);
    let statuses = &vulnerability.product_status;
    let lists = [
        (&statuses.fixed, Status::Fixed),
        (&statuses.known_affected, Status::Unfixed(State::Affected)),
        (&statuses.under_investigation, Status::Unfixed(State::UnderInvestigation)),
        (&statuses.known_not_affected, Status::Unfixed(State::NotAffected)),
    ];
    let mut standings: BTreeMap<Standing, BTreeSet<String>> = BTreeMap::new();
    for (ids, status) in lists {
        for id in once(ids) {
            match products.get(id) {
                None => said.elsewhere += 1,
                Some(Err(why)) => said.missed(why),
                Some(Ok(package)) => {
                    let standing = standing(package, status, id, &beside);
                    let arches = standings.entry(standing).or_default();
                    arches.insert(package.arch.clone().unwrap_or_default());
                }
            }
        }
    }
    // A source that was fixed is told by the packages that were built of it, where those are named.
    let built: BTreeSet<(Stream, Option<String>, Option<String>)> = standings
        .keys()
        .filter(|s| s.status == Status::Fixed && !s.source)
        .map(|s| (s.stream.clone(), s.module.clone(), s.version.clone()))
        .collect();
    let published = vulnerability.release_date.as_ref().or(vulnerability.discovery_date.as_ref());
    let published = published.and_then(|text| time(Some(text.0.to_string())));
    for (standing, arches) in standings {
        let of = || (standing.stream.clone(), standing.module.clone(), standing.version.clone());
        if standing.source && standing.status == Status::Fixed && built.contains(&of()) {
            continue;
        }
        let (stream, name) = (standing.stream.clone(), standing.name.clone());
        let advisory = Advisory { published, modified: date, ..standing.advisory(&cve.0, &arches) };
        said.spoken_of.insert(stream.clone());
        said.advisories.push((stream, name, advisory));
    }
}

fn standing(package: &Package, status: Status, id: &str, beside: &Beside<'_>) -> Standing {
    let status = beside.status(id, status);
    let errata = match status {
        Status::Fixed => beside.errata(id),
        Status::Unfixed(_) => BTreeSet::new(),
    };
    let (severity, cvss) = beside.rating(id);
    Standing {
        stream: package.stream.clone(),
        name: package.name.clone(),
        module: package.module.clone(),
        source: package.arch.as_deref() == Some(SOURCE),
        status,
        version: package.version.clone().filter(|_| status == Status::Fixed),
        severity,
        cvss,
        errata,
    }
}

impl Standing {
    fn advisory(self, cve: &str, arches: &BTreeSet<String>) -> Advisory {
        let any = arches.contains("")
            || arches.contains("noarch")
            || ARCHES.iter().all(|arch| arches.contains(*arch));
        Advisory {
            id: cve.to_owned(),
            errata: self.errata.into_iter().collect(),
            severity: self.severity,
            cvss: self.cvss,
            module: self.module,
            arches: if any { Vec::new() } else { arches.iter().cloned().collect() },
            ..self.status.advisory(self.version)
        }
    }
}

/// The erratum that an address names, `RHSA-2024:1234`.
fn erratum(url: &str) -> Option<&str> {
    let id = url.trim_end_matches('/').rsplit('/').next()?;
    let (kind, number) = id.split_once('-')?;
    let good = matches!(kind, "RHSA" | "RHBA" | "RHEA")
        && number.len() <= 16
        && number.bytes().all(|b| b.is_ascii_digit() || b == b':');
    good.then_some(id)
}
