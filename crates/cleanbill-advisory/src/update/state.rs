//! What is known about each fetched file: its ETag and the date that its server gave it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cleanbill_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::replace::replace;

/// What the names of feeds begin with, beside those of files.
const BUILT: &str = "built/";

fn built(feed: &str) -> String {
    format!("{BUILT}{feed}")
}

/// What a server said of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub etag: Option<String>,
    pub last_modified: Option<Timestamp>,
}

pub(super) struct State {
    path: PathBuf,
    files: BTreeMap<String, Seen>,
}

impl State {
    /// Opens the file; one that is damaged counts as none, and everything is fetched again.
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let files = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(Error::io(&path, e)),
        };
        Ok(Self { path, files })
    }

    pub(super) fn validator(&self, name: &str) -> Option<String> {
        self.files.get(name)?.etag.clone()
    }

    pub(super) fn date(&self, name: &str) -> Option<Timestamp> {
        self.files.get(name)?.last_modified
    }

    /// What a server said of one file.
    pub(super) fn seen(&self, name: &str) -> Seen {
        self.files.get(name).cloned().unwrap_or_default()
    }

    /// The names of files that begin so.
    pub(super) fn named(&self, prefix: &str) -> Vec<String> {
        self.files.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    /// Forgets one file.
    pub(super) fn remove(&mut self, name: &str) -> Result<()> {
        self.files.remove(name);
        self.save()
    }

    pub(super) fn set(&mut self, name: &str, seen: Seen) -> Result<()> {
        self.files.insert(name.to_owned(), seen);
        self.save()
    }

    /// The date that a feed was built with last, where it bears none itself.
    pub(super) fn built(&self, feed: &str) -> Option<Timestamp> {
        self.date(&built(feed))
    }

    /// Remembers the dates that feeds were built with.
    pub(super) fn set_built(&mut self, dates: &BTreeMap<String, Timestamp>) -> Result<()> {
        for (feed, date) in dates {
            let seen = Seen { etag: None, last_modified: Some(*date) };
            self.files.insert(built(feed), seen);
        }
        self.save()
    }

    /// Forgets everything, so that everything is fetched again.
    pub(super) fn forget(&mut self) -> Result<()> {
        self.files.retain(|name, _| name.starts_with(BUILT));
        self.save()
    }

    fn save(&self) -> Result<()> {
        replace(&self.path, |out| {
            serde_json::to_writer(out, &self.files)
                .map_err(|e| Error::unwritten("the state of the update", e.into()))
        })
        .map(drop)
    }
}
