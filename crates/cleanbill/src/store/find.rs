//! Looking for decisions, and for what they refer to.

use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params, params_from_iter};
use sha2::{Digest as _, Sha256};

use super::decision::{COLUMNS, Decision, read};
use super::{Store, VALUE_MAX, open};
use crate::failure::{Failure, Result};

/// Which decisions are wanted; the default wants the newest ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// In this namespace.
    pub namespace: Option<String>,
    /// With this text in an image's name or digest.
    pub image: Option<String>,
    /// Recorded after the one with this number; then the oldest of them come first to be had,
    /// else the newest.
    pub after: Option<i64>,
}

impl Store {
    /// A recorded decision, by its id.
    ///
    /// # Errors
    /// When the store cannot be read or a column does not decode.
    pub fn decision(&self, id: &str) -> Result<Option<Decision>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM decisions WHERE id = ?1"))?
                .query_row(params![id], |row| read(row).map(|(_, decision)| decision))
                .optional()
        })
    }

    /// At most `limit` decisions with their numbers, in the order in which they were recorded.
    ///
    /// # Errors
    /// When the store cannot be read or a column does not decode.
    pub fn decisions(&self, wanted: &Wanted, limit: u32) -> Result<Vec<(i64, Decision)>> {
        let mut conditions: Vec<&str> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut with = |condition, value: Option<Value>| {
            if let Some(value) = value {
                conditions.push(condition);
                values.push(value);
            }
        };
        let text = |t: &Option<String>| t.clone().map(Value::Text);
        with("n > ?", wanted.after.map(Value::Integer));
        with("time >= ?", wanted.since.map(|t| Value::Integer(t.as_millisecond())));
        with("outcome = ?", text(&wanted.outcome));
        with("namespace = ?", text(&wanted.namespace));
        with("instr(images, ?) > 0", text(&wanted.image));
        let conditions = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let order = if wanted.after.is_some() { "" } else { "DESC" };
        let sql =
            format!("SELECT {COLUMNS} FROM decisions {conditions} ORDER BY n {order} LIMIT ?");
        values.push(Value::Integer(i64::from(limit)));
        let mut found: Vec<(i64, Decision)> = self.read(|connection| {
            connection.prepare_cached(&sql)?.query_map(params_from_iter(&values), read)?.collect()
        })?;
        found.sort_by_key(|(n, _)| *n);
        Ok(found)
    }

    /// Evidence that a decision refers to, as canonical JSON; `None` where it is not here (any
    /// more).
    ///
    /// # Errors
    /// When the store cannot be read, or what it has does not have this digest.
    pub fn evidence(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let packed: Option<Vec<u8>> = self.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM evidence WHERE digest = ?1")?
                .query_row(params![digest.to_string()], |row| row.get(0))
                .optional()
        })?;
        let Some(packed) = packed else { return Ok(None) };
        let value =
            zstd::bulk::decompress(&packed, VALUE_MAX).map_err(|e| open::wrong(&self.path, &e))?;
        if Digest::Sha256(Sha256::digest(&value).into()) != *digest {
            let what = format!("the evidence {digest} is something else");
            return Err(open::wrong(&self.path, &what));
        }
        Ok(Some(value))
    }

    /// Keeps a policy's text under its digest, for as long as decisions refer to it. To be called
    /// whenever a policy is put in force.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_policy(&self, digest: &Digest, text: &str) -> Result<()> {
        self.change(|connection| {
            connection
                .execute(
                    &format!("INSERT INTO policies VALUES (?1, {NEXT}, ?2) {AGAIN}"),
                    params![digest.to_string(), text],
                )
                .map(drop)
        })
    }

    /// A policy that a decision refers to; `None` where it is not here (any more).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn policy(&self, digest: &Digest) -> Result<Option<String>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT text FROM policies WHERE digest = ?1")?
                .query_row(params![digest.to_string()], |row| row.get(0))
                .optional()
        })
    }

    /// Notes which file a snapshot of advisories was read from. To be called whenever a snapshot
    /// is put in force. The file itself stays where it is.
    ///
    /// # Errors
    /// When the store cannot be written, or the path is no UTF-8.
    pub fn put_snapshot(&self, digest: &Digest, file: &Path) -> Result<()> {
        let name = file.to_str().ok_or_else(|| {
            Failure::new(format!("the path {} cannot be noted: it is no UTF-8", file.display()))
        })?;
        self.change(|connection| {
            connection
                .execute(
                    &format!("INSERT INTO snapshots VALUES (?1, {NEXT}, ?2) {AGAIN}, file = ?2"),
                    params![digest.to_string(), name],
                )
                .map(drop)
        })
    }

    /// The file that a snapshot was read from, which may be gone or another one by now; `None`
    /// where it was not noted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn snapshot(&self, digest: &Digest) -> Result<Option<PathBuf>> {
        let file: Option<String> = self.read(|connection| {
            connection
                .prepare_cached("SELECT file FROM snapshots WHERE digest = ?1")?
                .query_row(params![digest.to_string()], |row| row.get(0))
                .optional()
        })?;
        Ok(file.map(PathBuf::from))
    }
}

/// The number that the next decision will have at the earliest.
const NEXT: &str = "(SELECT max(oldest, 1 + coalesce((SELECT max(n) FROM decisions), 0))
    FROM retention)";
const AGAIN: &str = "ON CONFLICT DO UPDATE SET used = excluded.used";
