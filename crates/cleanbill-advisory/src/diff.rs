//! What changed from one snapshot to another: both are walked side by side in the order of their
//! keys, a block of each in memory. No difference is left out: one that is neither in ranges, nor
//! severity, nor state is told as a detail.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;

use cleanbill_core::advisory::{Advisory, FlawFacts};

use crate::error::Result;
use crate::snapshot::Snapshot;

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// It is in the second alone.
    New,
    /// It is in the first alone.
    Gone,
    /// Who is affected: ranges, versions, module, architectures, what is not understood.
    Ranges,
    /// How bad the feed says that it is.
    Severity,
    /// What is said beyond the ranges: not affected, not fixed and so on.
    State,
    /// Only what bears on no verdict by itself: other ids, CVSS vectors, dates.
    Details,
    /// Of a flaw: whether it is known to be exploited.
    Exploited,
    /// Of a flaw: its ratings.
    Ratings,
    /// Of a flaw: how likely it is to be exploited.
    Epss,
}

impl How {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::New,
        Self::Gone,
        Self::Ranges,
        Self::Severity,
        Self::State,
        Self::Details,
        Self::Exploited,
        Self::Ratings,
        Self::Epss,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Gone => "gone",
            Self::Ranges => "ranges",
            Self::Severity => "severity",
            Self::State => "state",
            Self::Details => "details",
            Self::Exploited => "exploited",
            Self::Ratings => "ratings",
            Self::Epss => "epss",
        }
    }
}

/// One difference. `how` has at least one member, and more than one only of what is in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'c> {
    /// Of what is said about one flaw of a package.
    Advisory {
        /// The stream, such as `Debian:12`.
        stream: &'c str,
        /// The package's name.
        package: &'c str,
        /// The flaw's id.
        id: &'c str,
        /// In what.
        how: &'c [How],
    },
    /// Of what is known of a flaw, whatever package has it.
    Flaw {
        /// Its id.
        id: &'c str,
        /// In what.
        how: &'c [How],
    },
}

/// Calls `see` with every difference between two snapshots, in the order of keys: advisories
/// first, then flaws. Feeds and ends of life are not compared. `see` may fail with an error of
/// its own.
///
/// # Errors
/// When either is damaged, or `see` fails.
pub fn diff<E: From<crate::Error>>(
    a: &Snapshot,
    b: &Snapshot,
    mut see: impl FnMut(Change<'_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    merge::<_, _, E>(a.records(), b.records(), |(stream, package), old, new| {
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        if old == new {
            return Ok(());
        }
        let mut by_id: BTreeMap<&str, [Vec<&Advisory>; 2]> = BTreeMap::new();
        for (side, list) in [&old, &new].into_iter().enumerate() {
            for advisory in list {
                if let Some(here) = by_id.entry(&advisory.id).or_default().get_mut(side) {
                    here.push(advisory);
                }
            }
        }
        for (id, [old, new]) in &by_id {
            let how = advisories(old, new);
            if !how.is_empty() {
                see(Change::Advisory { stream, package, id, how: &how })?;
            }
        }
        Ok(())
    })?;
    merge::<_, _, E>(a.flaws(), b.flaws(), |id, old, new| {
        let how = flaw(old.as_ref(), new.as_ref());
        if how.is_empty() { Ok(()) } else { see(Change::Flaw { id, how: &how }) }
    })
}

/// Two walks in the order of their keys as one, which has each key once.
fn merge<K: Ord, V, E: From<crate::Error>>(
    a: impl Iterator<Item = Result<(K, V)>>,
    b: impl Iterator<Item = Result<(K, V)>>,
    mut see: impl FnMut(&K, Option<V>, Option<V>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    loop {
        // An error comes first: what stands behind it is unknown.
        let order = match (a.peek(), b.peek()) {
            (None, None) => return Ok(()),
            (Some(Ok((x, _))), Some(Ok((y, _)))) => x.cmp(y),
            (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
            (_, Some(Err(_))) | (None, Some(_)) => Ordering::Greater,
        };
        let (old, new) = match order {
            Ordering::Less => (take(&mut a)?, None),
            Ordering::Greater => (None, take(&mut b)?),
            Ordering::Equal => (take(&mut a)?, take(&mut b)?),
        };
        match (old, new) {
            (Some((key, old)), Some((_, new))) => see(&key, Some(old), Some(new))?,
            (Some((key, old)), None) => see(&key, Some(old), None)?,
            (None, Some((key, new))) => see(&key, None, Some(new))?,
            (None, None) => return Ok(()),
        }
    }
}

fn take<T>(walk: &mut Peekable<impl Iterator<Item = Result<T>>>) -> Result<Option<T>> {
    walk.next().transpose()
}

/// How all that is said of one flaw of a package differs. Feeds may say several things of it, in
/// any order.
fn advisories(old: &[&Advisory], new: &[&Advisory]) -> Vec<How> {
    match (old, new) {
        ([], []) => return Vec::new(),
        ([], _) => return vec![How::New],
        (_, []) => return vec![How::Gone],
        (old, new) if old == new => return Vec::new(),
        _ => {}
    }
    let differs = |of: &dyn Fn(&Advisory) -> String| {
        let sorted = |list: &[&Advisory]| {
            let mut texts: Vec<String> = list.iter().map(|a| of(a)).collect();
            texts.sort();
            texts
        };
        sorted(old) != sorted(new)
    };
    let mut how = Vec::new();
    if differs(&|a| format!("{:?}", (&a.ranges, &a.versions, &a.module, &a.arches, &a.unreadable)))
    {
        how.push(How::Ranges);
    }
    if differs(&|a| a.severity.as_str().to_owned()) {
        how.push(How::Severity);
    }
    if differs(&|a| format!("{:?}", a.state)) {
        how.push(How::State);
    }
    if how.is_empty() && differs(&|a| format!("{a:?}")) {
        how.push(How::Details);
    }
    how
}

fn flaw(old: Option<&FlawFacts>, new: Option<&FlawFacts>) -> Vec<How> {
    let (old, new) = match (old, new) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec![How::New],
        (Some(_), None) => return vec![How::Gone],
        (Some(old), Some(new)) => (old, new),
    };
    let parts = [
        (old.exploited != new.exploited, How::Exploited),
        (old.ratings != new.ratings, How::Ratings),
        (old.epss != new.epss, How::Epss),
    ];
    parts.into_iter().filter(|(differs, _)| *differs).map(|(_, how)| how).collect()
}

#[cfg(test)]
mod tests;
