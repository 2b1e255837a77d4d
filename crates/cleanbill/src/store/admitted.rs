//! Which sets of images have been let into which namespace, so that what runs there already may be
//! let pass again where the policy says so (`already_admitted`).

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::{Store, decision};
use crate::failure::{Failure, Result};

/// The digest of a set of images: each as the question writes it, with the digest it had. Order
/// and duplicates do not matter.
///
/// # Errors
/// Never in practice: texts can always be written.
pub fn set(images: &[(String, Digest)]) -> Result<Digest> {
    let mut sorted: Vec<&(String, Digest)> = images.iter().collect();
    sorted.sort();
    sorted.dedup();
    let canonical = serde_json::to_vec(&sorted)
        .map_err(|e| Failure::new(format!("a set of images cannot be written: {e}")))?;
    Ok(Digest::Sha256(Sha256::digest(canonical).into()))
}

impl Store {
    /// When, and by which decision, this set of images was last let into the namespace. The time
    /// may be up to a minute too early, never too late.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn admitted(&self, namespace: &str, set: &Digest) -> Result<Option<(Timestamp, String)>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT at, decision FROM admitted WHERE namespace = ?1 AND images = ?2",
                )?
                .query_row(params![namespace, set.to_string()], |row| {
                    Ok((decision::time(row, 0)?, row.get(1)?))
                })
                .optional()
        })
    }
}
