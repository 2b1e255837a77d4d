//! Looking for decisions, and for what they refer to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::block::members;
use super::decision::Decision;
use super::matter::{COLUMNS, Matter};
use super::packed::unpack;
use super::{Store, open};
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
        // As it stands in the rows of a block.
        let written = Value::String(id.to_owned()).to_string();
        self.read(|connection| {
            let mut blocks = connection
                .prepare_cached("SELECT n, first, rows FROM blocks WHERE instr(rows, ?1) > 0")?;
            let mut blocks = blocks.query(params![written])?;
            let mut matters = Matters::new(connection, None);
            while let Some(block) = blocks.next()? {
                let members = members(block.get(0)?, block.get(1)?, &block.get::<_, String>(2)?)?;
                if let Some(found) = members.into_iter().find(|member| member.head.id == id) {
                    let matter = matters.get(found.matter)?;
                    return matter.map(|matter| matter.with(found.head)).transpose();
                }
            }
            Ok(None)
        })
    }

    /// At most `limit` decisions with their numbers, in the order in which they were recorded.
    ///
    /// # Errors
    /// When the store cannot be read or a column does not decode.
    pub fn decisions(&self, wanted: &Wanted, limit: u32) -> Result<Vec<(i64, Decision)>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let after = wanted.after.unwrap_or(0);
        let since = wanted.since.map_or(i64::MIN, Timestamp::as_millisecond);
        let order = if wanted.after.is_some() { "" } else { "DESC" };
        // The block in which the wanted ones begin may have others before them.
        let sql = format!(
            "SELECT n, first, rows FROM blocks
             WHERE n >= coalesce((SELECT max(n) FROM blocks WHERE n <= ?1), 0) AND last >= ?2
             ORDER BY n {order}"
        );
        let mut found = self.read(|connection| {
            let mut found = Vec::new();
            let mut matters = Matters::new(connection, Some(wanted));
            let mut blocks = connection.prepare_cached(&sql)?;
            let mut blocks = blocks.query(params![after.saturating_add(1), since])?;
            while found.len() < limit
                && let Some(block) = blocks.next()?
            {
                let mut members =
                    members(block.get(0)?, block.get(1)?, &block.get::<_, String>(2)?)?;
                if wanted.after.is_none() {
                    members.reverse();
                }
                for member in members {
                    if found.len() >= limit {
                        break;
                    }
                    if member.n <= after || member.head.time.as_millisecond() < since {
                        continue;
                    }
                    if let Some(matter) = matters.get(member.matter)? {
                        found.push((member.n, matter.with(member.head)?));
                    }
                }
            }
            Ok(found)
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
        unpack(digest, &packed).map(Some).map_err(|what| open::wrong(&self.path, &what))
    }

    /// Keeps a policy's text under its digest, for as long as decisions refer to it. To be called
    /// whenever a policy is put in force.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_policy(&self, digest: &Digest, text: &str) -> Result<()> {
        self.put_in_force("policies", digest, text, "")
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
        self.put_in_force("snapshots", digest, name, ", file = excluded.file")
    }

    /// Keeps a row at least for the next decision, and while nothing else is in force.
    fn put_in_force(&self, table: &str, digest: &Digest, value: &str, also: &str) -> Result<()> {
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            change.execute(
                &format!("INSERT INTO {table} VALUES (?1, {NEXT}, ?2) {AGAIN}{also}"),
                params![digest.to_string(), value],
            )?;
            change.execute(
                "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
                params![table, digest.to_string()],
            )?;
            change.commit()
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

/// Matters that are remembered while decisions are read; past it, they are read again.
const REMEMBERED: usize = 4096;

/// The matters of the decisions that are read.
struct Matters<'a> {
    connection: &'a Connection,
    wanted: Option<&'a Wanted>,
    read: HashMap<i64, Option<Arc<Matter>>>,
}

impl<'a> Matters<'a> {
    fn new(connection: &'a Connection, wanted: Option<&'a Wanted>) -> Self {
        Self { connection, wanted, read: HashMap::new() }
    }

    /// The matter in this row; `None` where it is not wanted.
    fn get(&mut self, m: i64) -> rusqlite::Result<Option<Arc<Matter>>> {
        if let Some(known) = self.read.get(&m) {
            return Ok(known.clone());
        }
        let matter = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM matters WHERE m = ?1"))?
            .query_row(params![m], Matter::read)?;
        let is =
            |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        let wanted = self.wanted.is_none_or(|wanted| {
            is(&wanted.outcome, Some(&matter.outcome))
                && is(&wanted.namespace, matter.namespace.as_deref())
                && wanted.image.as_ref().is_none_or(|image| matter.images.contains(image))
        });
        if self.read.len() >= REMEMBERED {
            self.read.clear();
        }
        let matter = wanted.then(|| Arc::new(matter));
        self.read.insert(m, matter.clone());
        Ok(matter)
    }
}

/// The number that the next decision will have at the earliest.
const NEXT: &str = "(SELECT max(oldest, coalesce((SELECT max(n + count) FROM blocks), 1))
    FROM retention)";
const AGAIN: &str = "ON CONFLICT DO UPDATE SET used = max(used, excluded.used)";
