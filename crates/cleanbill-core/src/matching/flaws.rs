//! What the advisories of one flaw mean for the installed version, and what is to be told of it.

use std::collections::BTreeSet;

use crate::advisory::{Advisory, FlawFacts, State};
use crate::ecosystem::Stream;
use crate::finding::{Diagnosis, Status, Why};
use crate::version::Scheme;

use super::distributions;
use super::fixes::{self, Fixes};
use super::flavours::{self, Flavour};
use super::join;
use super::names;
use super::ranges::{self, Installed, Said};
use super::rating;
use super::red_hat;
use super::streams::Streams;

/// All advisories about one flaw, in the order of the look-up.
pub(super) type Flaw<'a> = Vec<(&'a Why, &'a Advisory)>;

/// Joins advisories that are about one flaw. Of streams that stand in for others nothing is left
/// where those speak of the flaw.
pub(super) fn join<'a>(found: &[(&'a Why, &'a Advisory)], streams: Streams<'_>) -> Vec<Flaw<'a>> {
    let mut flaws = join::joined(found);
    let stands_in = |(why, _): &(&Why, &Advisory)| streams.stands_in(&why.stream);
    for flaw in flaws.iter_mut().filter(|flaw| !flaw.iter().all(stands_in)) {
        flaw.retain(|one| !stands_in(one));
    }
    flaws
}

/// The id that a flaw goes by, a CVE where it has one, and its others. What is said of a group that it
/// is of gives it no names.
pub(super) fn ids<'a>(flaw: &Flaw<'a>) -> (String, BTreeSet<&'a String>) {
    let is_named = flaw.iter().any(|(_, a)| join::cve(a).is_some());
    let is_group = |id: &str| flaw.iter().any(|(_, a)| a.errata.iter().any(|of| of == id));
    let own = |a: &&Advisory| !is_named || join::cve(a).is_some() || !join::names(a).any(is_group);
    let each = || flaw.iter().map(|(_, a)| *a).filter(own);
    let ids = each().map(|a| &a.id).chain(each().flat_map(|a| &a.aliases));
    let id = ids.clone().find(|id| join::is_cve(id)).or_else(|| ids.clone().next()).cloned();
    let id = id.unwrap_or_default();
    let aliases = ids.filter(|other| **other != id).collect();
    (id, aliases)
}

/// What a flaw means for the installed version.
pub(super) enum Judgement<'a> {
    Affected(Affected<'a>),
    NotAffected,
    /// The id of the advisory that could not be read, and why.
    Unreadable(String, String),
}

/// A flaw that the installed version has.
pub(super) struct Affected<'a> {
    why: Why,
    /// The advisory that says so.
    by: &'a Advisory,
    fixed_versions: Vec<String>,
}

/// Asks all advisories of a flaw that count for the package: one that says "affected" is enough.
///
/// Of a subscription's build only the subscription's advisories of such builds count, where there are
/// any: what is said of others' builds would call it affected for ever. Of any other package they
/// count only where nobody else speaks of the flaw, and their fixes are none that could be taken.
pub(super) fn judge<'a>(flaw: &Flaw<'a>, installed: &Installed<'_>) -> Judgement<'a> {
    let (paid, free): (Flaw<'a>, Flaw<'a>) =
        flaw.iter().partition(|(why, _)| distributions::is_paid(&why.stream));
    let fips = installed.scheme == Scheme::Deb && installed.flavour == Flavour::Fips;
    let subscribed = fips || ranges::is_paid_build(&installed.text);
    let is_own = |(why, _): &&(&Why, &Advisory)| flavours::is_fips(&why.stream) == fips;
    let own: Flaw<'a> = match subscribed {
        true => paid.iter().filter(is_own).copied().collect(),
        false => Vec::new(),
    };
    let (asked, takeable) = match (own.is_empty(), free.is_empty()) {
        (false, _) => (&own, true),
        (true, false) => (&free, !fips),
        (true, true) => (&paid, false),
    };
    let fixes = |of: &Flaw<'_>| {
        let advisories: Vec<&Advisory> = of.iter().map(|(_, a)| *a).collect();
        fixes::fixes(&advisories, installed)
    };
    let mut unreadable = None;
    let never = never_had_it(asked);
    for (why, advisory) in asked {
        if never.iter().any(|(of, module)| is_left_out(why, advisory, of, *module)) {
            continue;
        }
        match ranges::ask(advisory, installed) {
            Said::Affected(mut range) => {
                let Fixes { versions: fixed_versions, later } =
                    if takeable { fixes(asked) } else { Fixes::default() };
                let bought = if subscribed { Vec::new() } else { fixes(&paid).versions };
                if let Some(version) = bought.first().filter(|_| fixed_versions.is_empty()) {
                    range.push_str(&format!(" (fixed in {version} with a subscription)"));
                }
                if let Some(version) = fixed_versions.first().filter(|_| later) {
                    range
                        .push_str(&format!(" (no fix on this branch; {version} is a later one's)"));
                }
                return Judgement::Affected(Affected {
                    why: Why { range, ..(*why).clone() },
                    by: advisory,
                    fixed_versions,
                });
            }
            Said::NotAffected => {}
            Said::Unreadable(why) => {
                unreadable.get_or_insert((advisory.id.clone(), why));
            }
        }
    }
    match unreadable.or_else(|| flavours::left_open(asked, installed)) {
        Some((id, why)) => Judgement::Unreadable(id, why),
        None => Judgement::NotAffected,
    }
}

/// The streams and modules in which the package by its own name never had the flaw: what they say of
/// its source, of which other packages are built too, is not about it.
fn never_had_it<'a>(asked: &Flaw<'a>) -> Vec<(&'a Stream, Option<&'a str>)> {
    let own = |advisory: &Advisory| {
        advisory.state == State::NotAffected && !names::is_of_source(advisory)
    };
    let of = |(why, advisory): &(&'a Why, &'a Advisory)| (&why.stream, advisory.module.as_deref());
    asked.iter().filter(|(_, advisory)| own(advisory)).map(of).collect()
}

fn is_left_out(why: &Why, advisory: &Advisory, of: &Stream, module: Option<&str>) -> bool {
    names::is_of_source(advisory)
        && advisory.module.as_deref() == module
        && red_hat::are_one_product(&why.stream, of)
}

impl Affected<'_> {
    /// What is to be told of it. `facts` tells what is known of an id, whatever package has it.
    pub(super) fn diagnosis<E>(
        self,
        flaw: &Flaw<'_>,
        facts: impl Fn(&str) -> Result<FlawFacts, E>,
    ) -> Result<Diagnosis, E> {
        let each = || flaw.iter().map(|(_, a)| *a);
        let (id, aliases) = ids(flaw);
        let errata = each().flat_map(|a| &a.errata);
        let errata: BTreeSet<&String> =
            errata.filter(|erratum| !aliases.contains(erratum) && **erratum != id).collect();
        let mut known = facts(&id)?;
        for alias in &aliases {
            rating::merge(&mut known, facts(alias)?);
        }
        let rated = rating::choose((&self.why, self.by), flaw, &known, &id);
        Ok(Diagnosis {
            aliases: aliases.into_iter().cloned().collect(),
            errata: errata.into_iter().cloned().collect(),
            severity: rated.severity,
            rated_by: rated.source,
            cvss: rated.cvss,
            ratings: known.ratings,
            epss: known.epss,
            status: status(self.by.state, &self.fixed_versions),
            fixed_versions: self.fixed_versions,
            known_exploited: known.exploited,
            published: each().filter_map(|a| a.published).min(),
            modified: each().filter_map(|a| a.modified).max(),
            why: self.why,
            id,
        })
    }
}

/// A fix that can be had counts for more than what the vendor once said about making one.
fn status(state: State, fixed_versions: &[String]) -> Status {
    if !fixed_versions.is_empty() {
        return Status::Fixed;
    }
    match state {
        // An advisory that calls nothing affected makes no finding.
        State::Affected | State::NotAffected => Status::Affected,
        State::WillNotFix => Status::WillNotFix,
        State::FixDeferred => Status::FixDeferred,
        State::EndOfLife => Status::EndOfLife,
        State::UnderInvestigation => Status::UnderInvestigation,
    }
}
