//! Advisories of one package put together by flaw: one flaw is one finding, whatever the number of
//! advisories that tell of it, and two flaws are two, whatever group they are of.
//!
//! The rule:
//!
//! 1. Advisories that share an id or alias are about one flaw, directly or through others.
//! 2. But for the names of groups, which join nothing: an erratum of any advisory, and an id that is no
//!    CVE and stands beside different CVEs. An entry that is of several CVEs becomes an advisory each
//!    when its feed is read, with its other ids as errata; others may still call it their alias.
//! 3. An advisory that knows no CVE and goes by the name of a group tells of each flaw of that group
//!    that has one: it is no flaw of its own, and whom it calls affected is.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::advisory::Advisory;
use crate::finding::Why;

use super::flaws::Flaw;

/// What is known of an id in the advisories of one package.
struct Id<'a> {
    /// The first advisory that has it.
    first: usize,
    /// The CVE that it stands beside, where it is no CVE itself.
    cve: Option<&'a str>,
    /// Whether it is the name of a group.
    group: bool,
}

type Ids<'a> = HashMap<&'a str, Id<'a>, RandomState>;

/// The advisories of each flaw, in the order of the look-up.
pub(super) fn joined<'a>(found: &[(&'a Why, &'a Advisory)]) -> Vec<Flaw<'a>> {
    if let [only] = found {
        return vec![vec![*only]];
    }
    let (ids, has_groups) = known(found);
    // A forest of advisories: each points at an earlier one of its flaw, or at itself.
    let mut leader: Vec<usize> = (0..found.len()).collect();
    for (at, (_, advisory)) in found.iter().enumerate() {
        for id in names(advisory) {
            let Some(known) = ids.get(id).filter(|known| !known.group) else { continue };
            let (a, b) = (root(&leader, at), root(&leader, known.first));
            if let Some(later) = leader.get_mut(a.max(b)) {
                *later = a.min(b);
            }
        }
    }
    let mut flaws: Vec<(usize, Flaw<'a>)> = Vec::new();
    for (at, source) in found.iter().enumerate() {
        let of = root(&leader, at);
        match flaws.binary_search_by_key(&of, |(root, _)| *root) {
            Ok(known) => {
                if let Some((_, flaw)) = flaws.get_mut(known) {
                    flaw.push(*source);
                }
            }
            Err(_) => flaws.push((of, vec![*source])),
        }
    }
    let flaws: Vec<Flaw<'a>> = flaws.into_iter().map(|(_, flaw)| flaw).collect();
    match has_groups {
        true => shared_out(flaws, &ids),
        false => flaws,
    }
}

/// Every id, and whether any is the name of a group.
fn known<'a>(found: &[(&'a Why, &'a Advisory)]) -> (Ids<'a>, bool) {
    let mut ids = Ids::with_capacity_and_hasher(found.len(), RandomState::default());
    let mut has_groups = false;
    for (at, (_, advisory)) in found.iter().enumerate() {
        let cve = cve(advisory);
        for id in names(advisory) {
            let known = ids.entry(id).or_insert(Id { first: at, cve, group: false });
            let beside = known.cve.is_some() && cve.is_some() && known.cve != cve;
            known.group |= beside && !is_cve(id);
            known.cve = known.cve.or(cve);
            has_groups |= known.group;
        }
    }
    for erratum in found.iter().flat_map(|(_, advisory)| &advisory.errata) {
        if let Some(known) = ids.get_mut(erratum.as_str()).filter(|_| !is_cve(erratum)) {
            (known.group, has_groups) = (true, true);
        }
    }
    (ids, has_groups)
}

/// Gives what is said of a group as a whole to each of its flaws.
fn shared_out<'a>(flaws: Vec<Flaw<'a>>, ids: &Ids<'_>) -> Vec<Flaw<'a>> {
    let is_named = |flaw: &Flaw<'_>| flaw.iter().any(|(_, advisory)| cve(advisory).is_some());
    let (mut named, rest): (Vec<_>, Vec<_>) = flaws.into_iter().partition(is_named);
    for group in rest {
        let of = |id: &&str| ids.get(id).is_some_and(|known| known.group);
        let groups: Vec<&str> = group.iter().flat_map(|(_, a)| names(a)).filter(of).collect();
        let is_of = |(_, advisory): &(&Why, &Advisory)| {
            let mut all = names(advisory).chain(advisory.errata.iter().map(String::as_str));
            all.any(|id| groups.contains(&id))
        };
        let mut has_flaws = false;
        for flaw in named.iter_mut().filter(|flaw| is_named(flaw) && flaw.iter().any(is_of)) {
            flaw.extend(group.iter().copied());
            has_flaws = true;
        }
        if !has_flaws {
            named.push(group);
        }
    }
    named
}

/// The ids of one flaw that an advisory goes by.
pub(super) fn names(advisory: &Advisory) -> impl Iterator<Item = &str> + Clone {
    std::iter::once(&advisory.id).chain(&advisory.aliases).map(String::as_str)
}

/// The CVE that an advisory is about, where it names one.
pub(super) fn cve(advisory: &Advisory) -> Option<&str> {
    names(advisory).find(|id| is_cve(id))
}

pub(super) fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}

/// Follows the pointers, which only ever lead to earlier places, to the first of the flaw.
fn root(leader: &[usize], mut at: usize) -> usize {
    while let Some(next) = leader.get(at).filter(|next| **next < at) {
        at = *next;
    }
    at
}
