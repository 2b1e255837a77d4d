//! What a document says of ids beside their status: remedies, and how bad the flaw is.

use std::collections::{BTreeSet, HashMap};

use cleanbill_core::advisory::{Advisory, Range, RangeEnd, State};
use cleanbill_core::severity::Severity;

use super::super::osv::word;
use super::document::{Text, Vulnerability};
use crate::cvss::base_score;

/// How a package stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::feeds) enum Status {
    Fixed,
    Unfixed(State),
}

impl Status {
    /// The state, the range and, where that cannot be read, why.
    pub(in crate::feeds) fn advisory(self, version: Option<String>) -> Advisory {
        let range = |end| vec![Range { introduced: None, end }];
        let mut unreadable = None;
        let (state, ranges) = match (self, version) {
            (Self::Fixed, Some(version)) => (State::Affected, range(RangeEnd::Fixed(version))),
            (Self::Fixed, None) => {
                unreadable = Some("it is fixed, and no version says where".to_owned());
                (State::Affected, Vec::new())
            }
            (Self::Unfixed(State::NotAffected), _) => (State::NotAffected, Vec::new()),
            (Self::Unfixed(state), _) => (state, range(RangeEnd::Open)),
        };
        Advisory { ranges, state, unreadable, ..Advisory::default() }
    }
}

/// What a vulnerability says of ids beside their status.
pub(in crate::feeds) struct Beside<'d> {
    states: HashMap<&'d str, State>,
    errata: HashMap<&'d str, BTreeSet<&'d str>>,
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
    /// Reads it; `erratum` finds the erratum that an address names.
    pub(in crate::feeds) fn read(
        vulnerability: &'d Vulnerability<'d>,
        erratum: fn(&str) -> Option<&str>,
    ) -> Self {
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
                        let of: &mut BTreeSet<&str> = errata.entry(&*id.0).or_default();
                        of.insert(erratum);
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

    /// The status of an id of the list of `status`: of what is affected, a remedy tells more.
    pub(in crate::feeds) fn status(&self, id: &str, status: Status) -> Status {
        match status {
            Status::Unfixed(State::Affected) => {
                Status::Unfixed(self.states.get(id).copied().unwrap_or_default())
            }
            Status::Fixed | Status::Unfixed(_) => status,
        }
    }

    /// The errata that bring an id; `None`: none is told.
    pub(in crate::feeds) fn errata(&self, id: &str) -> Option<&BTreeSet<&'d str>> {
        self.errata.get(id)
    }

    /// The publisher's own word counts, and only where there is none the vector, which is computed.
    pub(in crate::feeds) fn rating(&self, id: &str) -> (Severity, Option<&'d str>) {
        let vector = self.vectors.get(id);
        let computed = || Some(Severity::from_score(base_score(vector?)?));
        let severity = self.severities.get(id).or_else(computed).unwrap_or_default();
        (severity, vector)
    }
}
