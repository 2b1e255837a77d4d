//! What a document of SUSE's says. It names every package that is built from a source, and says the
//! same of all of them, so most of it is kept once, of the source, as OSV's zip of SUSE has it:
//!
//! - A fix counts by the version of the source that the fixed package was built from. Of a source with
//!   several in one product each counts, so that the highest decides.
//! - What is not fixed counts for the source where nothing else is said of what is built from it.
//!   Where the source is not told, the name may be either, and counts as both.
//! - A package that is called affected and is fixed as well, in another module of its release or under
//!   its longer support, is not without a fix: SUSE leaves such lines standing. The same goes for a
//!   line about a source. A package that has no fix while others of its source have one is found by
//!   its own name.
//! - `recommended` and `fixed` are builds with the fix. `first_fixed` may be a later one, and counts
//!   only for what those do not name.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Advisory, State};
use cleanbill_core::ecosystem::Stream;
use cleanbill_core::severity::Severity;

use super::super::csaf::Said;
use super::super::csaf::beside::{Beside, Status};
use super::super::csaf::document::{Document, Text, Vulnerability, once};
use super::super::osv::time;
use super::super::{SOURCE, is_cve};
use super::products::{Component, Meant, Product, Products};

/// One line of a list.
struct Statement<'p, 'd> {
    product: &'p Product,
    component: &'p Component,
    /// The package's name.
    name: &'p str,
    status: Status,
    severity: Severity,
    cvss: Option<&'d str>,
}

/// What is kept, each once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Standing<'p, 'd> {
    stream: &'p Stream,
    name: &'p str,
    of_source: bool,
    status: Status,
    version: Option<&'p str>,
    severity: Severity,
    cvss: Option<&'d str>,
}

/// Reads all that a document says; `date` is that of its last change.
pub(super) fn read(document: &Document<'_>, date: Option<Timestamp>) -> Said {
    let products = Products::read(document);
    let mut said = Said::default();
    // A component that cannot be understood is one thing, however many products have it.
    let mut wrong = BTreeSet::new();
    for vulnerability in &document.vulnerabilities {
        one(vulnerability, &products, date, &mut said, &mut wrong);
    }
    wrong.into_iter().for_each(|why| said.missed(why));
    said
}

fn one<'p>(
    vulnerability: &Vulnerability<'_>,
    products: &'p Products<'_>,
    date: Option<Timestamp>,
    said: &mut Said,
    wrong: &mut BTreeSet<&'p str>,
) {
    let Some(cve) = vulnerability.cve.as_ref().filter(|cve| is_cve(&cve.0)) else {
        wrong.insert("a vulnerability without the id of a CVE");
        return;
    };
    let statements = statements(vulnerability, products, said, wrong);
    let known = Known::of(&statements);
    let standings: BTreeSet<Standing<'_, '_>> =
        statements.iter().flat_map(|statement| known.standings(statement)).collect();
    let published = vulnerability.release_date.as_ref().or(vulnerability.discovery_date.as_ref());
    let published = published.and_then(|text| time(Some(text.0.to_string())));
    for standing in standings {
        let arches = standing.of_source.then(|| SOURCE.to_owned());
        let advisory = Advisory {
            id: cve.0.to_string(),
            severity: standing.severity,
            cvss: standing.cvss.map(str::to_owned),
            arches: arches.into_iter().collect(),
            published,
            modified: date,
            ..standing.status.advisory(standing.version.map(str::to_owned))
        };
        said.advisories.push((standing.stream.clone(), standing.name.to_owned(), advisory));
    }
}

/// Every line about a package that is kept; others are counted.
fn statements<'p, 'd>(
    vulnerability: &'d Vulnerability<'d>,
    products: &'p Products<'_>,
    said: &mut Said,
    wrong: &mut BTreeSet<&'p str>,
) -> Vec<Statement<'p, 'd>> {
    // Which erratum brings which build, SUSE does not say.
    let beside = Beside::read(vulnerability, |_| None);
    let mut statements: Vec<Statement<'p, 'd>> = Vec::new();
    let mut take = |ids: &[Text<'_>], status: Status, but: &HashSet<(&Stream, &str)>| {
        let mut taken = Vec::new();
        for id in once(ids) {
            match products.get(id) {
                Meant::Other => said.elsewhere += 1,
                Meant::Wrong(why) => _ = wrong.insert(why),
                Meant::Package(product, component) => {
                    let name = match status {
                        Status::Fixed => &component.name,
                        Status::Unfixed(_) => &component.unversioned,
                    };
                    if but.contains(&(&product.stream, name.as_str())) {
                        continue;
                    }
                    if !said.spoken_of.contains(&product.stream) {
                        said.spoken_of.insert(product.stream.clone());
                    }
                    let status = beside.status(id, status);
                    let (severity, cvss) = beside.rating(id);
                    taken.push(Statement { product, component, name, status, severity, cvss });
                }
            }
        }
        taken
    };
    let (lists, none) = (&vulnerability.product_status, HashSet::new());
    statements.extend(take(&lists.recommended, Status::Fixed, &none));
    statements.extend(take(&lists.fixed, Status::Fixed, &none));
    let fixed = statements.iter().map(|s| (&s.product.stream, s.name)).collect();
    let first = take(&lists.first_fixed, Status::Fixed, &fixed);
    statements.extend(first);
    let unfixed = [
        (&lists.known_affected, State::Affected),
        (&lists.under_investigation, State::UnderInvestigation),
        (&lists.known_not_affected, State::NotAffected),
    ];
    for (ids, state) in unfixed {
        statements.extend(take(ids, Status::Unfixed(state), &none));
    }
    statements
}

/// What is said of a flaw all together, against which one line is held.
struct Known<'p> {
    /// What is said of anything that is built from a source, by product.
    of_source: BTreeMap<(&'p Stream, &'p str), BTreeSet<Status>>,
    /// Packages of which a build of the release has the fix.
    fixed: HashSet<(&'p str, &'p str)>,
    /// Sources of which the same is kept.
    fixed_sources: HashSet<(&'p str, &'p str)>,
}

impl<'p> Known<'p> {
    fn of(statements: &[Statement<'p, '_>]) -> Self {
        let mut of_source: BTreeMap<_, BTreeSet<Status>> = BTreeMap::new();
        for statement in statements {
            if let Some(source) = &statement.component.source {
                let key = (&statement.product.stream, source.name.as_str());
                of_source.entry(key).or_default().insert(statement.status);
            }
        }
        let (fixed, fixed_sources) = (HashSet::new(), HashSet::new());
        let mut known = Self { of_source, fixed, fixed_sources };
        for statement in statements.iter().filter(|s| s.status == Status::Fixed) {
            let release = statement.product.release.as_str();
            if statement.component.version.is_some() {
                known.fixed.insert((release, statement.name));
            }
            if let Some((source, _)) = known.fix_of_source(statement) {
                known.fixed_sources.insert((release, source));
            }
        }
        known
    }

    /// The source that a fix is kept of, and its version: unless something else that is built from it
    /// never had the flaw.
    fn fix_of_source(&self, fix: &Statement<'p, '_>) -> Option<(&'p str, &'p str)> {
        let source = fix.component.source.as_ref()?;
        let said = self.of_source.get(&(&fix.product.stream, source.name.as_str()));
        let never = said.is_some_and(|said| said.contains(&Status::Unfixed(State::NotAffected)));
        let version = source.version.as_deref().filter(|_| !never)?;
        Some((&source.name, version))
    }

    /// What is kept of a line.
    fn standings<'d>(&self, of: &Statement<'p, 'd>) -> Vec<Standing<'p, 'd>> {
        let standing = |name, of_source, version| Standing {
            stream: &of.product.stream,
            name,
            of_source,
            status: of.status,
            version,
            severity: of.severity,
            cvss: of.cvss,
        };
        let state = match (of.status, self.fix_of_source(of)) {
            (Status::Fixed, Some((source, version))) => {
                return vec![standing(source, true, Some(version))];
            }
            (Status::Fixed, None) => {
                return vec![standing(of.name, false, of.component.version.as_deref())];
            }
            (Status::Unfixed(state), _) => state,
        };
        let (release, open) = (of.product.release.as_str(), state != State::NotAffected);
        let fixed = |name| self.fixed_sources.contains(&(release, name));
        if open && (self.fixed.contains(&(release, of.name)) || fixed(of.name)) {
            return Vec::new();
        }
        match of.component.source.as_ref().map(|source| source.name.as_str()) {
            None => vec![standing(of.name, false, None), standing(of.name, true, None)],
            Some(source) => {
                let said = self.of_source.get(&(&of.product.stream, source));
                let same = said.is_some_and(|said| said.len() == 1) && !(open && fixed(source));
                match same || source == of.name {
                    true => vec![standing(source, true, None)],
                    false => vec![standing(of.name, false, None)],
                }
            }
        }
    }
}
