//! What the feeds have said so far, before it is written to a snapshot.

use std::collections::BTreeMap;

use cleanbill_core::advisory::{Advisory, Feed, FlawFacts, Rating};
use cleanbill_core::ecosystem::Stream;

mod bounds;
#[cfg(test)]
mod tests;

use bounds::bounded;
pub(crate) use bounds::{ID, NAME};
use cleanbill_core::{Date, Timestamp};

/// The facts of all feeds, sorted, so that the same input gives the same snapshot.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Advisories by stream (as written, such as `Alpine:v3.9`) and package name.
    pub advisories: BTreeMap<(String, String), Vec<Advisory>>,
    /// Each feed that was read.
    pub feeds: Vec<Feed>,
    /// End of life by distribution and release; `None` where no day is announced.
    pub lives: BTreeMap<(String, String), Option<Date>>,
    /// What is known of flaws, by id.
    pub flaws: BTreeMap<String, FlawFacts>,
    /// The products of Red Hat's repositories, as their streams' releases, by the repositories' names.
    pub content_sets: BTreeMap<String, Vec<String>>,
    /// What lay beside or in the feeds and was not read, and why, for people.
    pub ignored: Vec<String>,
    /// Advisories of which something is too long, until it is told.
    pub too_long: u64,
}

impl Gathered {
    /// Adds one advisory about `package` in `stream`. What of it is longer than anything that
    /// publishers write is not kept: the advisory is unreadable then. No image has a package with such
    /// a name.
    pub fn add(&mut self, stream: &Stream, package: &str, advisory: Advisory) {
        if package.len() > NAME {
            self.too_long += 1;
            return;
        }
        let (advisory, too_long) = bounded(advisory);
        self.too_long += u64::from(too_long);
        let key = (stream.to_string(), package.to_owned());
        self.advisories.entry(key).or_default().push(advisory);
    }

    /// What is known of a flaw so far, to be added to.
    pub fn flaw(&mut self, id: &str) -> &mut FlawFacts {
        self.flaws.entry(id.to_owned()).or_default()
    }

    /// Adds a rating of a flaw; of two by the same source the worse counts.
    pub fn rate(&mut self, id: &str, mut rating: Rating) {
        if id.len() > ID {
            return;
        }
        rating.cvss = rating.cvss.filter(|vector| vector.len() <= ID);
        let ratings = &mut self.flaw(id).ratings;
        match ratings.binary_search_by(|known| known.source.cmp(&rating.source)) {
            Ok(at) => {
                if let Some(known) = ratings.get_mut(at).filter(|k| k.severity < rating.severity) {
                    *known = rating;
                }
            }
            Err(at) => ratings.insert(at, rating),
        }
    }

    /// Takes the date from every feed that bears one of the future: it says nothing of how old its
    /// facts are, and is told.
    pub fn doubt(&mut self, latest: Timestamp) {
        for feed in &mut self.feeds {
            if let Some(date) = feed.as_of.filter(|date| *date > latest) {
                self.ignored
                    .push(format!("{}: its date, which is of the future ({date})", feed.id));
                feed.as_of = None;
            }
        }
    }

    /// Puts the advisories of every package into one order, whatever order feeds came in.
    pub fn sort(&mut self) {
        let count = std::mem::take(&mut self.too_long);
        if count > 0 {
            let what = "advisories of which an id, a name or a version is too long";
            self.ignored.push(format!("{count} {what}"));
        }
        for list in self.advisories.values_mut() {
            list.sort_by_cached_key(|a| {
                (a.id.clone(), a.aliases.clone(), a.errata.clone(), format!("{:?}", a.ranges))
            });
            list.dedup();
        }
        self.feeds.sort_by(|a, b| a.id.cmp(&b.id));
        for feed in &mut self.feeds {
            feed.streams.sort();
            feed.streams.dedup();
        }
    }
}
