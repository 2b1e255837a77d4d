//! Who speaks in the database: one [`Feed`] for each data source, with its licence and counts.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::ecosystem::Stream;
use serde::Deserialize;

use crate::error::Result;
use crate::feeds::understood;
use crate::gather::Gathered;
use crate::limits::Limits;

/// A value of the `data-source` bucket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Source {
    #[serde(rename = "ID")]
    pub id: String,
    pub name: String,
}

impl Source {
    /// Its id, if it is one that can be shown; a bucket without one is of an unnamed source.
    pub(super) fn id(&self) -> &str {
        let good = (1..=40).contains(&self.id.len())
            && self.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if good { &self.id } else { "unnamed" }
    }
}

/// What was counted for one source.
#[derive(Debug, Default)]
pub(super) struct Count {
    name: String,
    pub advisories: u64,
    /// Values that were looked at.
    pub entries: u64,
    pub not_understood: u64,
    example: String,
    streams: BTreeSet<Stream>,
}

impl Count {
    /// Counts an entry that could not be understood at all.
    pub(super) fn missed(&mut self, place: &str, why: &str) {
        self.not_understood += 1;
        if self.example.is_empty() {
            self.example = format!("{place}: {why}");
        }
    }

    pub(super) fn covers(&mut self, stream: &Stream) {
        if !self.streams.contains(stream) {
            self.streams.insert(stream.clone());
        }
    }
}

/// The counts by source.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<String, Count>);

impl Counts {
    pub(super) fn of(&mut self, source: &Source) -> &mut Count {
        let count = self.0.entry(source.id().to_owned()).or_default();
        if count.name.is_empty() {
            // A text from the file that people will read: one line of it.
            count.name = source.name.chars().filter(|c| !c.is_control()).take(80).collect();
        }
        count
    }

    /// Whether nothing was looked at.
    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(|count| count.entries == 0)
    }

    /// Turns the counts into feeds.
    ///
    /// # Errors
    /// When too much of a source could not be understood.
    pub(super) fn finish(
        self,
        as_of: Option<Timestamp>,
        limits: &Limits,
        into: &mut Gathered,
    ) -> Result<()> {
        for (id, count) in self.0 {
            let feed = format!("{}{id}", super::PREFIX);
            understood(&feed, count.entries, count.not_understood, &count.example, limits)?;
            into.feeds.push(Feed {
                licence: format!("{}, by way of Trivy's database", licence(&id, &count.name)),
                id: feed,
                as_of,
                advisories: count.advisories,
                not_understood: count.not_understood,
                streams: count.streams.into_iter().collect(),
            });
        }
        Ok(())
    }
}

/// The licence of each source, where its publisher states one.
const LICENCES: &[(&str, &str)] = &[
    ("alma", "MIT"),
    ("alpine", "as published by Alpine Linux (no licence stated)"),
    ("bitnami", "Apache-2.0"),
    ("chainguard", "as published by Chainguard: not for commercial use, no derivatives"),
    ("debian", "MIT (Debian security tracker)"),
    ("ghsa", "CC-BY-4.0"),
    ("govulndb", "CC-BY-4.0"),
    ("osv", "CC-BY-4.0"),
    ("redhat-csaf-vex", "CC-BY-4.0"),
    ("redhat-oval", "CC-BY-4.0"),
    ("ubuntu", "CC-BY-SA-4.0"),
    ("wolfi", "as published by Wolfi: not for commercial use, no derivatives"),
];

fn licence(id: &str, name: &str) -> String {
    match LICENCES.iter().find(|(known, _)| *known == id) {
        Some((_, licence)) => (*licence).to_owned(),
        None if name.is_empty() => "as published".to_owned(),
        None => format!("as published by {name}"),
    }
}
