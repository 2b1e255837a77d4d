//! How far a change has come, on the disk: what a run that was cut off tells the next one.
//!
//! It lies beside the backup, outside of the folder that kubelet reads, and only root reads it. The
//! backup is complete before the journal is first written.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};
use crate::setup::replace::replace;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The backup is there; anything after it may have been done.
    Begun,
    /// It was proved that the gate is asked.
    Applied,
    /// It is being taken back.
    RollingBack,
}

/// What is known of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// How far it has come.
    pub stage: Stage,
    /// The manifest as it is to be; as it was is in the backup.
    pub after: String,
    /// Where the files are.
    pub mount_dir: String,
    /// The files that were not there before.
    pub made: Vec<String>,
    /// The files that were, and are in the backup.
    pub kept: Vec<String>,
    /// `HOST:PORT` of the gate.
    pub gate: String,
    /// An image that the gate allows.
    pub allowed: String,
}

/// The folder of backup and journal.
pub struct Backup(PathBuf);

const JOURNAL: &str = "journal.json";
const MANIFEST: &str = "kube-apiserver.yaml";

impl Backup {
    /// In this folder, which need not be there.
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The journal, if a change was begun.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn journal(&self) -> Result<Option<Journal>> {
        let path = self.0.join(JOURNAL);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Failure::new(format!("{}: {e}", path.display()))),
        };
        serde_json::from_str(&text).map(Some).map_err(|e| {
            Failure::new(format!("{} is no journal: {e}", path.display())).next(format!(
                "look whether {MANIFEST} beside it is what you want back, put it back by hand, and \
                 move the folder away"
            ))
        })
    }

    /// Keeps manifest and files, then writes the journal.
    ///
    /// # Errors
    /// When something cannot be written; then there is no journal, and nothing was changed.
    pub fn begin(
        &self,
        manifest: &str,
        files: &[(String, String)],
        journal: &Journal,
    ) -> Result<()> {
        let failed = |e: std::io::Error| {
            Failure::new(format!("no backup can be kept in {}: {e}", self.0.display()))
                .next("nothing was changed; run it as root, on the control-plane node")
        };
        let kept = self.0.join("files");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&kept).map_err(failed)?;
        replace(&self.0.join(MANIFEST), manifest.as_bytes(), 0o600)?;
        for (name, text) in files {
            replace(&kept.join(name), text.as_bytes(), 0o600)?;
        }
        self.write(journal)
    }

    /// Writes the journal.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, journal: &Journal) -> Result<()> {
        let text = serde_json::to_string_pretty(journal)
            .map_err(|e| Failure::new(format!("the journal: {e}")))?;
        replace(&self.0.join(JOURNAL), (text + "\n").as_bytes(), 0o600)
    }

    /// The manifest as it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn manifest(&self) -> Result<String> {
        self.read(&self.0.join(MANIFEST))
    }

    /// One of the files as it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(&self, name: &str) -> Result<String> {
        self.read(&self.0.join("files").join(name))
    }

    /// Takes away what a backup that was cut off left: one without a journal, of a manifest that
    /// still is as it was.
    pub fn sweep(&self, manifest: &str) {
        let same = self.manifest().is_ok_and(|kept| kept == manifest);
        if same && !self.0.join(JOURNAL).exists() {
            // Nothing depends on it, and the next backup is written over it.
            _ = fs::remove_dir_all(&self.0);
        }
    }

    fn read(&self, path: &Path) -> Result<String> {
        fs::read_to_string(path)
            .map_err(|e| Failure::new(format!("the backup {}: {e}", path.display())))
    }

    /// Takes it all away, the journal first: without it nothing else counts.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn clear(&self) -> Result<()> {
        let failed = |e: std::io::Error| Failure::new(format!("{}: {e}", self.0.display()));
        fs::remove_file(self.0.join(JOURNAL)).map_err(failed)?;
        fs::remove_dir_all(&self.0).map_err(failed)
    }
}
