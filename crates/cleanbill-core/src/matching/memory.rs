//! Advisories as a list in memory: for tests, examples and whoever has them already.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::Date;
use crate::advisory::{Advisories, Advisory, ContentSet, Feed, FlawFacts, ReleaseLife};
use crate::ecosystem::Stream;

/// Advisories held in memory. The fields are what the trait's methods look into.
#[derive(Clone, Debug, Default)]
pub struct MemoryAdvisories {
    /// The feeds; a stream is covered by the first that lists it.
    pub feeds: Vec<Feed>,
    /// The advisories by stream and package name as the ecosystem normalises it.
    pub advisories: BTreeMap<(Stream, String), Vec<Advisory>>,
    /// First days without regular support, by distribution and release.
    pub end_of_life: BTreeMap<(String, String), Option<Date>>,
    /// The products of Red Hat's repositories, by the repositories' names; empty: no list is there.
    pub content_sets: BTreeMap<String, Vec<Stream>>,
    /// What is known of flaws, by id.
    pub flaws: BTreeMap<String, FlawFacts>,
}

impl MemoryAdvisories {
    /// Adds an advisory about a package.
    pub fn add(&mut self, stream: Stream, name: &str, advisory: Advisory) {
        self.advisories.entry((stream, name.to_owned())).or_default().push(advisory);
    }
}

impl Advisories for MemoryAdvisories {
    type Error = Infallible;

    fn lookup(&self, stream: &Stream, name: &str) -> Result<Vec<Advisory>, Infallible> {
        let key = (stream.clone(), name.to_owned());
        Ok(self.advisories.get(&key).cloned().unwrap_or_default())
    }

    fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    fn covering(&self, stream: &Stream) -> Option<&Feed> {
        self.feeds.iter().find(|feed| feed.streams.contains(stream))
    }

    fn release_life(
        &self,
        distribution: &str,
        release: &str,
    ) -> Result<Option<ReleaseLife>, Infallible> {
        let key = (distribution.to_owned(), release.to_owned());
        Ok(self.end_of_life.get(&key).map(|end| ReleaseLife { end_of_life: *end }))
    }

    fn content_set(&self, name: &str) -> Result<ContentSet, Infallible> {
        if self.content_sets.is_empty() {
            return Ok(ContentSet::NoList);
        }
        let known = self.content_sets.get(name).cloned();
        Ok(known.map_or(ContentSet::Unknown, ContentSet::Products))
    }

    fn flaw(&self, id: &str) -> Result<FlawFacts, Infallible> {
        Ok(self.flaws.get(id).cloned().unwrap_or_default())
    }
}
