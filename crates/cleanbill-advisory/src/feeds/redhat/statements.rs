//! What a document says: one advisory for each release, package and standing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, Range, RangeEnd, State};
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::severity::Severity;

use super::super::errata::ARCHES;
use super::super::osv::{time, word};
use super::super::{SOURCE, is_cve};
use super::document::{Document, Text, Vulnerability};
use super::products::{Package, Products};
use crate::cvss::base_score;

/// What a document says.
#[derive(Default)]
pub(super) struct Said {
    pub advisories: Vec<(Stream, String, Advisory)>,
    /// Statements about something else than packages of Red Hat Enterprise Linux.
    pub elsewhere: u64,
    /// What could not be understood, a sentence each.
    pub wrong: Vec<String>,
}

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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Fixed,
    Unfixed(State),
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
        said.wrong.push("a vulnerability without the id of a CVE".to_owned());
        return;
    };
    let beside = Beside::read(vulnerability);
    let statuses = &vulnerability.product_status;
    let lists = [
        (&statuses.fixed, Status::Fixed),
        (&statuses.known_affected, Status::Unfixed(State::Affected)),
        (&statuses.under_investigation, Status::Unfixed(State::UnderInvestigation)),
        (&statuses.known_not_affected, Status::Unfixed(State::NotAffected)),
    ];
    let mut standings: BTreeMap<Standing, BTreeSet<String>> = BTreeMap::new();
    for (ids, status) in lists {
        for id in ids {
            match products.get(&id.0) {
                None => said.elsewhere += 1,
                Some(Err(why)) => said.wrong.push(why.clone()),
                Some(Ok(package)) => {
                    let standing = standing(package, status, &id.0, &beside);
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
        said.advisories.push((stream, name, advisory));
    }
}

fn standing(package: &Package, status: Status, id: &str, beside: &Beside<'_>) -> Standing {
    let status = match status {
        Status::Unfixed(State::Affected) => {
            Status::Unfixed(beside.states.get(id).copied().unwrap_or_default())
        }
        Status::Fixed | Status::Unfixed(_) => status,
    };
    let errata = match status {
        Status::Fixed => beside.errata.get(id).cloned().unwrap_or_default(),
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
        let range = |end| vec![Range { introduced: None, end }];
        let mut unreadable = None;
        let (state, ranges) = match (self.status, self.version) {
            (Status::Fixed, Some(version)) => (State::Affected, range(RangeEnd::Fixed(version))),
            (Status::Fixed, None) => {
                unreadable = Some("it is fixed, and no version says where".to_owned());
                (State::Affected, Vec::new())
            }
            (Status::Unfixed(State::NotAffected), _) => (State::NotAffected, Vec::new()),
            (Status::Unfixed(state), _) => (state, range(RangeEnd::Open)),
        };
        Advisory {
            id: cve.to_owned(),
            errata: self.errata.into_iter().collect(),
            severity: self.severity,
            cvss: self.cvss,
            ranges,
            state,
            module: self.module,
            arches: if any { Vec::new() } else { arches.iter().cloned().collect() },
            unreadable,
            ..Advisory::default()
        }
    }
}

/// What a vulnerability says of ids beside their status.
struct Beside<'d> {
    states: HashMap<&'d str, State>,
    errata: HashMap<&'d str, BTreeSet<String>>,
    severities: Of<'d, Severity>,
    vectors: Of<'d, &'d str>,
}

/// Something that is said of ids; where it is the same for all, once.
enum Of<'d, T> {
    All(Option<T>),
    Each(HashMap<&'d str, T>),
}

impl<'d, T: Copy> Of<'d, T> {
    fn read(said: Vec<(T, &'d [Text<'d>])>) -> Self {
        if let [] | [_] = said.as_slice() {
            return Self::All(said.first().map(|(value, _)| *value));
        }
        let mut each = HashMap::new();
        for (value, ids) in said {
            each.extend(ids.iter().map(|id| (&*id.0, value)));
        }
        Self::Each(each)
    }

    fn get(&self, id: &str) -> Option<T> {
        match self {
            Self::All(value) => *value,
            Self::Each(each) => each.get(id).copied(),
        }
    }
}

impl<'d> Beside<'d> {
    fn read(vulnerability: &'d Vulnerability<'d>) -> Self {
        let (mut states, mut errata) = (HashMap::new(), HashMap::new());
        for remediation in &vulnerability.remediations {
            let details = remediation.details.0.trim().to_ascii_lowercase();
            let state = match (&*remediation.category.0, details.as_str()) {
                ("no_fix_planned", "out of support scope") => State::EndOfLife,
                ("no_fix_planned", _) => State::WillNotFix,
                ("none_available", "fix deferred" | "deferred") => State::FixDeferred,
                ("none_available", _) => State::Affected,
                ("vendor_fix", _) => {
                    let erratum = remediation.url.as_ref().and_then(|url| erratum(&url.0));
                    let Some(erratum) = erratum else { continue };
                    for id in &remediation.product_ids {
                        let of: &mut BTreeSet<String> = errata.entry(&*id.0).or_default();
                        of.insert(erratum.to_owned());
                    }
                    continue;
                }
                _ => continue,
            };
            states.extend(remediation.product_ids.iter().map(|id| (&*id.0, state)));
        }
        let impacts = vulnerability.threats.iter().filter(|threat| threat.category.0 == "impact");
        let severities = impacts
            .filter_map(|threat| Some((word(threat.details.0.trim())?, &*threat.product_ids)))
            .collect();
        let vectors = vulnerability.scores.iter().filter_map(|score| {
            let cvss = score.cvss_v3.as_ref().or(score.cvss_v2.as_ref())?;
            let vector = Some(&*cvss.vector.0).filter(|v| !v.is_empty() && v.len() <= 200)?;
            Some((vector, &*score.products))
        });
        let vectors = Of::read(vectors.collect());
        Self { states, errata, severities: Of::read(severities), vectors }
    }

    /// Red Hat's own word counts, and only where there is none the vector, which is computed.
    fn rating(&self, id: &str) -> (Severity, Option<String>) {
        let vector = self.vectors.get(id);
        let computed = || Some(Severity::from_score(base_score(vector?)?));
        let severity = self.severities.get(id).or_else(computed).unwrap_or_default();
        (severity, vector.map(str::to_owned))
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
