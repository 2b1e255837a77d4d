//! Looking for decisions, and for what they refer to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::block::members;
use super::decision::{Decision, digest};
use super::matter::{COLUMNS, Matter};
use super::packed::unpack;
use super::{Store, open};
use crate::failure::Result;

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

impl Wanted {
    /// Outcome, namespace and image, if one of them matters.
    fn of_matters(&self) -> Option<(Option<&str>, Option<&str>, Option<&str>)> {
        let Self { outcome, namespace, image, since: _, after: _ } = self;
        let all = (outcome.as_deref(), namespace.as_deref(), image.as_deref());
        (all != (None, None, None)).then_some(all)
    }
}

/// For how long after its question came a decision may have been recorded, in milliseconds, to be
/// found at once; longer than any question is held.
const HELD: i64 = 60_000;

impl Store {
    /// A recorded decision, by its id.
    ///
    /// # Errors
    /// When the store cannot be read or a column does not decode.
    pub fn decision(&self, id: &str) -> Result<Option<Decision>> {
        self.read(|connection| search(connection, id, 0, i64::MAX))
    }

    /// The same for one whose question came at about this time, in milliseconds: it is looked for
    /// there first, and then everywhere, since clocks are set back and ids may be of others.
    ///
    /// # Errors
    /// As [`Store::decision`].
    pub fn decision_of(&self, id: &str, time: i64) -> Result<Option<Decision>> {
        let near = self.read(|connection| {
            let from = reached(connection, time.saturating_sub(1))?;
            search(connection, id, from, time.saturating_add(HELD))
        })?;
        if near.is_some() { Ok(near) } else { self.decision(id) }
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
            // Who follows asks again and again, about little.
            if wanted.after.is_none() && !any_matter(connection, wanted)? {
                return Ok(found);
            }
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
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            // At least for the next decision.
            change.execute(
                &format!(
                    "INSERT INTO policies (digest, used, text) VALUES (?1, {NEXT}, ?2)
                     ON CONFLICT DO UPDATE SET used = max(used, excluded.used)"
                ),
                params![digest.to_string(), text],
            )?;
            in_force(&change, "policies", digest)?;
            change.commit()
        })
    }

    /// A policy that a decision refers to; `None` where it is not here (any more).
    ///
    /// # Errors
    /// When the store cannot be read, or what it has is not what the digest names.
    pub fn policy(&self, digest: &Digest) -> Result<Option<String>> {
        let text: Option<String> = self.read(|connection| {
            connection
                .prepare_cached("SELECT text FROM policies WHERE digest = ?1")?
                .query_row(params![digest.to_string()], |row| row.get(0))
                .optional()
        })?;
        match text {
            Some(text) if Digest::Sha256(Sha256::digest(&text).into()) != *digest => {
                Err(open::wrong(&self.path, &format!("the policy {digest} is something else")))
            }
            text => Ok(text),
        }
    }
}

/// What was put in force last, and is kept for as long as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InForce {
    /// The policy.
    Policy,
    /// The advisories.
    Snapshot,
}

impl Store {
    /// The digest of what was put in force last; `None`: nothing was yet.
    ///
    /// # Errors
    /// When the store cannot be read or a column does not decode.
    pub fn in_force(&self, what: InForce) -> Result<Option<Digest>> {
        let name = match what {
            InForce::Policy => "policies",
            InForce::Snapshot => "snapshots",
        };
        self.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
                .query_row(params![name], |row| digest(0, &row.get::<_, String>(0)?))
                .optional()
        })
    }
}

/// Reads blocks from number `from` on, up to the first that begins after `until`, for an id.
fn search(
    connection: &Connection,
    id: &str,
    from: i64,
    until: i64,
) -> rusqlite::Result<Option<Decision>> {
    // As it stands in the rows of a block.
    let written = Value::String(id.to_owned()).to_string();
    let mut blocks = connection.prepare_cached(
        "SELECT n, first, rows, instr(rows, ?1) > 0 FROM blocks WHERE n >= ?2 ORDER BY n",
    )?;
    let mut blocks = blocks.query(params![written, from])?;
    let mut matters = Matters::new(connection, None);
    while let Some(block) = blocks.next()? {
        let first: i64 = block.get(1)?;
        if first > until {
            break;
        }
        if !block.get(3)? {
            continue;
        }
        let members = members(block.get(0)?, first, &block.get::<_, String>(2)?)?;
        if let Some(found) = members.into_iter().find(|member| member.head.id == id) {
            let matter = matters.get(found.matter)?;
            return matter.map(|matter| matter.with(found.head)).transpose();
        }
    }
    Ok(None)
}

/// The number of the first block that ends at this time or later, as far as clocks went forward.
fn reached(connection: &Connection, time: i64) -> rusqlite::Result<i64> {
    // Each for itself: both at once would read every block.
    let ends = "SELECT coalesce((SELECT min(n) FROM blocks), 0),
        coalesce((SELECT max(n) FROM blocks), 0)";
    let (mut low, mut high): (i64, i64) =
        connection.prepare_cached(ends)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut at = connection.prepare_cached(
        "SELECT n, count, last FROM blocks WHERE n <= ?1 ORDER BY n DESC LIMIT 1",
    )?;
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, i64, i64)> = at
            .query_row(params![middle], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        match found {
            Some((n, count, last)) if last < time => {
                low = n.saturating_add(count).max(middle + 1);
            }
            Some((n, ..)) => high = n.min(middle),
            // Retention was here meanwhile.
            None => low = middle + 1,
        }
    }
    Ok(low)
}

/// Matters that are remembered while decisions are read; past it, they are read again.
const REMEMBERED: usize = 4096;

/// The matters of the decisions that are read.
struct Matters<'a> {
    connection: &'a Connection,
    wanted: Option<&'a Wanted>,
    read: HashMap<i64, Arc<Matter>>,
    /// Rows that are not wanted.
    others: HashSet<i64>,
}

impl<'a> Matters<'a> {
    fn new(connection: &'a Connection, wanted: Option<&'a Wanted>) -> Self {
        Self { connection, wanted, read: HashMap::new(), others: HashSet::new() }
    }

    /// The matter in this row; `None` where it is not wanted.
    fn get(&mut self, m: i64) -> rusqlite::Result<Option<Arc<Matter>>> {
        if let Some(known) = self.read.get(&m) {
            return Ok(Some(Arc::clone(known)));
        }
        if self.others.contains(&m) {
            return Ok(None);
        }
        // Most are not wanted: that is seen without reading them.
        if self.wanted.map_or(Ok(false), |wanted| self.is_other(m, wanted))? {
            self.others.insert(m);
            return Ok(None);
        }
        let matter = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM matters WHERE m = ?1"))?
            .query_row(params![m], Matter::read)?;
        if self.read.len() >= REMEMBERED {
            self.read.clear();
        }
        let matter = Arc::new(matter);
        self.read.insert(m, Arc::clone(&matter));
        Ok(Some(matter))
    }

    fn is_other(&self, m: i64, wanted: &Wanted) -> rusqlite::Result<bool> {
        let Some((outcome, namespace, image)) = wanted.of_matters() else { return Ok(false) };
        self.connection
            .prepare_cached(&format!("SELECT 1 FROM matters WHERE {WANTED} AND m = ?4"))?
            .exists(params![outcome, namespace, image, m])
            .map(|wanted| !wanted)
    }
}

/// Whether there is any matter that is wanted: if not, no decision need be looked at.
fn any_matter(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<bool> {
    let Some((outcome, namespace, image)) = wanted.of_matters() else { return Ok(true) };
    connection
        .prepare_cached(&format!("SELECT 1 FROM matters WHERE {WANTED} LIMIT 1"))?
        .exists(params![outcome, namespace, image])
}

/// What is wanted of matters: outcome, namespace, image.
const WANTED: &str = "ifnull(outcome = ?1, 1) AND (?2 IS NULL OR namespace IS ?2)
    AND ifnull(instr(images, ?3) > 0, 1)";

/// The number that the next decision will have at the earliest.
pub(super) const NEXT: &str =
    "(SELECT max(oldest, coalesce((SELECT max(n + count) FROM blocks), 1))
    FROM retention)";

/// The row is kept while no other of its table is in force.
pub(super) fn in_force(change: &Connection, table: &str, digest: &Digest) -> rusqlite::Result<()> {
    change
        .execute(
            "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
            params![table, digest.to_string()],
        )
        .map(drop)
}
