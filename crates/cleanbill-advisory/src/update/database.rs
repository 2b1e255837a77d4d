//! A database of Trivy that was published somewhere, as a source of its own: fetched by whoever calls,
//! kept beside the feeds, and built from. The copy that is kept is one that could be built from.

use std::path::{Path, PathBuf};

use cleanbill_core::digest::Digest;

use super::building::{Building, Copies};
use super::state::{Seen, State};
use super::turn::Turn;
use super::{Bounds, Updated};
use crate::build::Options;
use crate::error::{Error, Result};
use crate::feeds::trivy;
use crate::load::too_large;
use crate::partial::{self, Download};
use crate::place::make_parent;
use crate::telling::{Say, Told};

/// Where copies of it lie, in the folder of updates.
pub(super) const DATABASE_FOLDER: &str = "trivy-db";
/// What the state calls it.
const NAME: &str = "trivy-db/db.tar.gz";

/// A database, and what is made of it.
#[derive(Clone, Debug)]
pub struct Database {
    /// What messages call it.
    pub name: String,
    /// The digest of its `db.tar.gz`.
    pub digest: Digest,
    /// The snapshot file to write.
    pub out: PathBuf,
    /// Bounds on the download and on the build.
    pub bounds: Bounds,
    /// What it stands in for; `None`: it is the first choice.
    pub stands_in: Option<Copies>,
}

/// Beside what lies what was left of a download of one, in the folder of updates.
fn begun(folder: &Path) -> PathBuf {
    folder.join(DATABASE_FOLDER).join(trivy::ARCHIVE)
}

impl Turn {
    /// Removes what was left of a download of a database that broke off: no source that is tried
    /// goes on with it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget_begun(&self) -> Result<()> {
        partial::clear(&begun(self.folder()), None)
    }

    /// Whether a database of this digest was built from before, so that it need not be fetched.
    ///
    /// # Errors
    /// When the state of the folder cannot be read.
    pub fn has(&self, digest: &Digest) -> Result<bool> {
        let copy = self.folder().join(DATABASE_FOLDER).join("trivy").join(trivy::ARCHIVE);
        let known = State::open(self.folder().join(super::STATE))?.validator(NAME);
        Ok(known == Some(digest.to_string()) && copy.is_file())
    }

    /// Builds the snapshot from a database: the one that `source` gives (`db.tar.gz`), or without one
    /// the copy that [`Turn::has`] told of. A download that broke off is gone on with.
    ///
    /// # Errors
    /// When it cannot be read or built from, or takes something away where it stands in for
    /// another source: what was in force stays, and so does the copy of before.
    pub fn database(
        &self,
        plan: &Database,
        source: Option<Download<'_>>,
        say: &mut Say<'_>,
    ) -> Result<Updated> {
        let mut state = State::open(self.folder().join(super::STATE))?;
        let kept = self.folder().join(DATABASE_FOLDER);
        let fresh = kept.join("new");
        let fetched = source.is_some();
        let own = if fetched { &fresh } else { &kept };
        let archive = |folder: &PathBuf| folder.join("trivy").join(trivy::ARCHIVE);
        // What a killed update left there is of nobody knows when.
        _ = std::fs::remove_dir_all(&fresh);
        if let Some(source) = source {
            make_parent(&archive(&fresh))?;
            let most = plan.bounds.download_bytes;
            if source.size > most {
                return Err(too_large(&plan.name, most));
            }
            let places = (&*begun(self.folder()), &*archive(&fresh));
            partial::fetch(source, &plan.name, places, say)?;
        } else {
            say(Told::Line(&format!("{}: unchanged", plan.name)));
        }
        let mut building = Building {
            name: &plan.name,
            folder: self.folder(),
            own,
            out: &plan.out,
            stands_in: plan.stands_in,
            options: Options { limits: plan.bounds.limits.clone(), ..Options::default() },
        };
        let built = building.run(&[], &mut state, say);
        let report = match built {
            Ok(report) => report,
            Err(failed) => {
                _ = std::fs::remove_dir_all(&fresh);
                if !fetched {
                    // It may have been damaged since: the next update fetches it.
                    state.remove(NAME)?;
                }
                return Err(failed);
            }
        };
        if fetched {
            make_parent(&archive(&kept))?;
            std::fs::rename(archive(&fresh), archive(&kept))
                .map_err(|e| Error::io(&archive(&kept), e))?;
            _ = std::fs::remove_dir_all(&fresh);
            let etag = Some(plan.digest.to_string());
            state.set(NAME, Seen { etag, last_modified: None })?;
        }
        Ok(Updated { report, kept: Vec::new(), missing: Vec::new() })
    }
}
