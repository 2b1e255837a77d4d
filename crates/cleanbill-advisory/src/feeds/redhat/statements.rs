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
use super::products::{Component, Meant, Product, Products};

/// One standing of a package, whatever its architecture.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Standing<'p, 'd> {
    stream: &'p Stream,
    name: &'p str,
    module: Option<&'p str>,
    source: bool,
    status: Status,
    version: Option<&'p str>,
    severity: Severity,
    cvss: Option<&'d str>,
    errata: BTreeSet<&'d str>,
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
    let mut standings: BTreeMap<Standing<'_, '_>, BTreeSet<&str>> = BTreeMap::new();
    for (ids, status) in lists {
        for id in once(ids) {
            match products.get(id) {
                Meant::Other => said.elsewhere += 1,
                Meant::Wrong(why) => said.missed(why),
                Meant::Package(product, component, module) => {
                    let standing = standing((product, component, module), status, id, &beside);
                    let arches = standings.entry(standing).or_default();
                    arches.insert(component.arch.as_deref().unwrap_or_default());
                }
            }
        }
    }
    // A source that was fixed is told by the packages that were built of it, where those are named.
    let built: BTreeSet<(&Stream, Option<&str>, Option<&str>)> = standings
        .keys()
        .filter(|s| s.status == Status::Fixed && !s.source)
        .map(|s| (s.stream, s.module, s.version))
        .collect();
    let published = vulnerability.release_date.as_ref().or(vulnerability.discovery_date.as_ref());
    let published = published.and_then(|text| time(Some(text.0.to_string())));
    for (standing, arches) in standings {
        let of = (standing.stream, standing.module, standing.version);
        if standing.source && standing.status == Status::Fixed && built.contains(&of) {
            continue;
        }
        let (stream, name) = (standing.stream.clone(), standing.name.to_owned());
        let advisory = Advisory { published, modified: date, ..standing.advisory(&cve.0, &arches) };
        said.spoken_of.insert(stream.clone());
        said.advisories.push((stream, name, advisory));
    }
}

fn standing<'p, 'd>(
    (product, component, module): (&'p Product, &'p Component, Option<&'p str>),
    status: Status,
    id: &str,
    beside: &Beside<'d>,
) -> Standing<'p, 'd> {
    let status = beside.status(id, status);
    let (stream, version, errata) = match status {
        Status::Fixed => (&product.stream, component.version.as_deref(), beside.errata(id)),
        Status::Unfixed(_) => (&product.unfixed, None, None),
    };
    let (severity, cvss) = beside.rating(id);
    Standing {
        stream,
        name: &component.name,
        module,
        source: component.arch.as_deref() == Some(SOURCE),
        status,
        version,
        severity,
        cvss,
        errata: errata.cloned().unwrap_or_default(),
    }
}

impl Standing<'_, '_> {
    fn advisory(self, cve: &str, arches: &BTreeSet<&str>) -> Advisory {
        let any = arches.contains("")
            || arches.contains("noarch")
            || ARCHES.iter().all(|arch| arches.contains(*arch));
        let arches = arches.iter().filter(|_| !any).map(|arch| (*arch).to_owned()).collect();
        Advisory {
            id: cve.to_owned(),
            errata: self.errata.into_iter().map(str::to_owned).collect(),
            severity: self.severity,
            cvss: self.cvss.map(str::to_owned),
            module: self.module.map(str::to_owned),
            arches,
            ..self.status.advisory(self.version.map(str::to_owned))
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
