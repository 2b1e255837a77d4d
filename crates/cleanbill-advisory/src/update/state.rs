//! What is known about each fetched file: its ETag and the date that its server gave it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cleanbill_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::build::replace;
use crate::error::{Error, ErrorKind, Result};

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

    pub(super) fn set(&mut self, name: &str, seen: Seen) -> Result<()> {
        self.files.insert(name.to_owned(), seen);
        self.save()
    }

    /// Forgets everything, so that everything is fetched again.
    pub(super) fn forget(&mut self) -> Result<()> {
        self.files.clear();
        self.save()
    }

    fn save(&self) -> Result<()> {
        replace(&self.path, |out| {
            serde_json::to_writer(out, &self.files)
                .map_err(|e| Error::new(ErrorKind::Io, "the state of the update").because(e))
        })
        .map(drop)
    }
}
