//! From folders to the snapshot in force. A source that stands in for another builds from the copies
//! of that one as well, and takes nothing away from what is in force; the first choice is what the
//! user wants, and is not asked (docs/decisions/0012).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::Ecosystem;

use super::missing::{self, Aside, Missing};
use super::publishers::Publisher;
use super::state::State;
use super::{DATABASE_FOLDER, FEEDS_FOLDER};
use crate::build::{self, Options, Report};
use crate::error::Result;
use crate::feeds::osv;
use crate::load;
use crate::partial;
use crate::place::Place;
use crate::snapshot::Snapshot;
use crate::telling::{Say, Told};

/// Sources of earlier choice that give nothing now, and of which copies may lie in the folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// The feeds.
    pub feeds: bool,
    /// A database of Trivy.
    pub database: bool,
}

/// One build under way.
pub(super) struct Building<'a> {
    /// What messages call the source.
    pub name: &'a str,
    /// The folder of updates.
    pub folder: &'a Path,
    /// What the source gave.
    pub own: &'a Path,
    /// The snapshot file to replace.
    pub out: &'a Path,
    /// `None`: it is the first choice.
    pub stands_in: Option<Copies>,
    pub options: Options,
}

impl Building<'_> {
    /// Builds, and puts what was built in force.
    ///
    /// # Errors
    /// When it cannot be built, or would take something away from what is in force: which stays.
    pub(super) fn run(
        &mut self,
        missing: &[Missing],
        state: &mut State,
        say: &mut Say<'_>,
    ) -> Result<Report> {
        say(Told::Line("building the snapshot"));
        let told: BTreeSet<String> = missing.iter().filter_map(|m| m.part.told()).collect();
        self.options.missing = told.into_iter().collect();
        let place = Place::take(self.out)?;
        let built = self.build(&place, state, say);
        let built = built.and_then(|report| self.keeps(&place, missing).map(|()| report));
        // Nothing of a failure stays but what was there.
        let report = built.inspect_err(|_| _ = std::fs::remove_file(place.fresh()))?;
        place.put(true)?;
        if self.stands_in.is_none() {
            // Nobody goes on with what was left of a download to the place. That it cannot be
            // removed undoes nothing.
            _ = partial::clear(self.out, None);
        }
        Ok(report)
    }

    fn build(&self, place: &Place, state: &mut State, say: &mut Say<'_>) -> Result<Report> {
        let copies = self.copies();
        if !copies.is_empty() {
            match self.build_with(&copies, place, state) {
                Ok(report) => return Ok(report),
                Err(e) => say(Told::Line(&format!("without the copies of an earlier update: {e}"))),
            }
        }
        let report = build::build(self.own, place.fresh(), &self.options)?;
        self.note(state)?;
        Ok(report)
    }

    /// Builds from what was fetched and from copies. What is not whole is none, as where the feeds
    /// themselves are built from; where nobody knows what is not, none of it is.
    fn build_with(&self, copies: &[PathBuf], place: &Place, state: &mut State) -> Result<Report> {
        let of_feeds = self.stands_in.is_some_and(|copies| copies.feeds);
        let missing = if of_feeds { missing::remembered(self.folder)? } else { Vec::new() };
        let feeds = self.folder.join(FEEDS_FOLDER);
        let _aside = of_feeds.then(|| Aside::put(self.folder, &feeds, &missing)).transpose()?;
        let mut options = self.options.clone();
        for (feed, date) in kept_dates(state) {
            let listed = |p: &Publisher| p.is_by_release() && p.feed() == feed;
            let zip = feed.starts_with("osv:");
            let dates = match zip || Publisher::ALL.iter().any(listed) {
                true => &mut options.published,
                false => &mut options.fallback_as_of,
            };
            dates.entry(feed).or_insert(date);
        }
        let all: Vec<&Path> =
            std::iter::once(self.own).chain(copies.iter().map(PathBuf::as_path)).collect();
        let report = build::build_all(&all, place.fresh(), &options)?;
        self.note(state)?;
        Ok(report)
    }

    /// Writes down the dates of what was built from.
    fn note(&self, state: &mut State) -> Result<()> {
        state.set_built(&self.options.fallback_as_of)?;
        state.set_built(&self.options.published)
    }

    /// The folders of copies that are there.
    fn copies(&self) -> Vec<PathBuf> {
        let Copies { feeds, database } = self.stands_in.unwrap_or_default();
        [(feeds, FEEDS_FOLDER), (database, DATABASE_FOLDER)]
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, name)| self.folder.join(name))
            .filter(|folder| folder.is_dir())
            .collect()
    }

    /// Fails when something of what is in force would be lost: to a source that stands in, or since it
    /// could not be fetched.
    fn keeps(&self, place: &Place, missing: &[Missing]) -> Result<()> {
        if self.stands_in.is_none() && missing.is_empty() {
            return Ok(());
        }
        let new = Snapshot::open_as(place.fresh(), self.name)?;
        let before = load::in_force(self.out);
        let back = match self.stands_in {
            Some(_) => load::back(&new, &before)?,
            None => missing::lost(missing, &new, &before),
        };
        if back.is_empty() { Ok(()) } else { Err(load::older(self.name, &back)) }
    }
}

/// The dates of copies that bear none themselves: those that they were built with last. What was
/// fetched since is not older than that. Else what servers said, of several files the oldest.
fn kept_dates(state: &State) -> BTreeMap<String, Timestamp> {
    let ecosystems = Ecosystem::ALL.into_iter().map(|ecosystem| {
        (format!("osv:{ecosystem}"), vec![format!("osv/{ecosystem}/{}", osv::FILE)])
    });
    let publishers = Publisher::ALL.into_iter().map(|publisher| {
        // Of files that come year by year, those of which anything is known.
        (publisher.feed().to_owned(), state.named(&format!("{}/", publisher.as_str())))
    });
    ecosystems
        .chain(publishers)
        .filter_map(|(feed, files)| {
            let dates: Option<Vec<Timestamp>> = files.iter().map(|f| state.date(f)).collect();
            let said = dates.and_then(|dates| dates.into_iter().min());
            Some((feed.clone(), state.built(&feed).or(said)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::state::Seen;
    use super::{BTreeMap, State, Timestamp, kept_dates};

    fn second(s: i64) -> Timestamp {
        Timestamp::from_second(s).unwrap()
    }

    #[test]
    fn copies_bear_the_dates_that_they_were_built_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut state = State::open(path.clone()).unwrap();
        let files = [
            ("osv/PyPI/all.zip", Some(5)),
            ("osv/Go/all.zip", Some(9)),
            ("osv/npm/all.zip", None),
            ("debian/tracker.json", Some(7)),
            ("nvd/nvdcve-2.0-2002.json.gz", Some(3)),
            ("nvd/nvdcve-2.0-2003.json.gz", Some(4)),
            ("wolfi/security.json", None),
        ];
        for (name, date) in files {
            let seen = Seen { etag: None, last_modified: date.map(second) };
            state.set(name, seen).unwrap();
        }
        // Built of when Go's was older; of npm's its server said nothing.
        let built = [("osv:Go", 8), ("osv:npm", 6)];
        let built = built.map(|(feed, s)| (feed.to_owned(), second(s)));
        state.set_built(&BTreeMap::from(built)).unwrap();
        // What is forgotten of files is known of feeds still.
        for forget in [false, true] {
            let mut state = State::open(path.clone()).unwrap();
            let mut wanted = vec![("osv:Go", 8), ("osv:npm", 6)];
            if forget {
                state.forget().unwrap();
            } else {
                wanted.extend([("debian-tracker", 7), ("nvd", 3), ("osv:PyPI", 5)]);
            }
            let wanted = wanted.into_iter().map(|(feed, s)| (feed.to_owned(), second(s)));
            assert_eq!(kept_dates(&state), wanted.collect(), "{forget}");
        }
    }
}
