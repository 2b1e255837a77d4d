//! Facts: what was found in layers and images, under keys that name all it depends on.
//!
//! They can be gathered anew, so they are bounded: what was not used for longest goes, a piece at a
//! time, and never within a question. When something was used is marked once a day, and later than
//! it is used, so that reading costs no write. What was found in an image that somebody registered
//! cannot be gathered anew, and never goes.

use std::collections::HashSet;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::inventory::{Inventory, InventoryKey, LayerKey};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Store, VALUE_MAX, lock, open};
use crate::failure::{Failure, Result};

/// Seconds for which a mark of use will do.
const MARKED_FOR: i64 = 86_400;
/// Uses that wait to be marked; past it they are noticed when they come again.
const MARKS: usize = 1 << 16;
/// Rows that are marked in one transaction. Each is read whole.
const MARKS_A_PIECE: usize = 64;
/// Rows that go in one transaction.
const GONE_A_PIECE: usize = 32;
/// Bytes that go in one transaction, after which no more are added.
const BYTES_A_PIECE: u64 = 1 << 20;

/// The kinds of facts, each with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Layers,
    Inventories,
    Images,
}

impl Table {
    const ALL: [Self; 3] = [Self::Layers, Self::Inventories, Self::Images];

    fn as_str(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::Inventories => "inventories",
            Self::Images => "images",
        }
    }
}

/// Rows that were used and are not marked yet.
pub(super) type Used = HashSet<(Table, i64)>;

/// A row that may go.
struct Old {
    table: Table,
    row: i64,
    used: i64,
    size: u64,
}

impl Store {
    /// The facts of one layer.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn layer<T: DeserializeOwned>(&self, key: &LayerKey) -> Result<Option<T>> {
        self.get(Table::Layers, &canonical(key)?)
    }

    /// Keeps the facts of one layer.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_layer<T: Serialize>(&self, key: &LayerKey, facts: &T) -> Result<()> {
        self.put(Table::Layers, &canonical(key)?, facts)
    }

    /// The inventory of one merged image.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn inventory(&self, key: &InventoryKey) -> Result<Option<Inventory>> {
        self.get(Table::Inventories, &canonical(key)?)
    }

    /// Keeps the inventory of one merged image.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_inventory(&self, key: &InventoryKey, inventory: &Inventory) -> Result<()> {
        self.put(Table::Inventories, &canonical(key)?, inventory)
    }

    /// What was found in an image, under a key that names all that depends on.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn image<T: DeserializeOwned>(&self, key: &impl Serialize) -> Result<Option<T>> {
        self.get(Table::Images, &canonical(key)?)
    }

    /// Keeps what was found in an image. If its digest is to be registered, the key has it as
    /// `digest`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_image<T: Serialize>(&self, key: &impl Serialize, found: &T) -> Result<()> {
        self.put(Table::Images, &canonical(key)?, found)
    }

    /// The keys of all images of which is kept what was found, those used last at the end; so many
    /// at most, and of those used last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn image_keys(&self, most: usize) -> Result<Vec<Vec<u8>>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut keys: Vec<Vec<u8>> = self.read(|connection| {
            connection
                .prepare_cached("SELECT key FROM images ORDER BY used DESC, rowid DESC LIMIT ?1")?
                .query_map(params![most], |row| row.get(0))?
                .collect()
        })?;
        keys.reverse();
        Ok(keys)
    }

    /// What was found in the image with this key, which is not used by that.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn image_at<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let packed: Option<Vec<u8>> = self.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM images WHERE key = ?1")?
                .query_row(params![key], |row| row.get(0))
                .optional()
        })?;
        packed.map(|packed| self.unpacked(&packed)).transpose()
    }

    fn unpacked<T: DeserializeOwned>(&self, packed: &[u8]) -> Result<T> {
        let wrong = |e: &dyn std::fmt::Display| open::wrong(&self.path, e);
        let json = zstd::bulk::decompress(packed, VALUE_MAX).map_err(|e| wrong(&e))?;
        serde_json::from_slice(&json).map_err(|e| wrong(&e))
    }

    fn get<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Result<Option<T>> {
        let query = format!("SELECT rowid, used, value FROM {} WHERE key = ?1", table.as_str());
        let found: Option<(i64, i64, Vec<u8>)> = self.read(|connection| {
            connection
                .prepare_cached(&query)?
                .query_row(params![key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()
        })?;
        let Some((row, used, packed)) = found else { return Ok(None) };
        // One from a clock that was ahead is marked anew too.
        if Timestamp::now().as_second().abs_diff(used) >= MARKED_FOR.unsigned_abs() {
            let mut waiting = lock(&self.used);
            if waiting.len() < MARKS {
                waiting.insert((table, row));
            }
        }
        self.unpacked(&packed).map(Some)
    }

    fn put<T: Serialize>(&self, table: Table, key: &[u8], value: &T) -> Result<()> {
        let wrong = |e: &dyn std::fmt::Display| open::wrong(&self.path, e);
        let json = serde_json::to_vec(value).map_err(|e| wrong(&e))?;
        if json.len() > VALUE_MAX {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&json, 3).map_err(|e| wrong(&e))?;
        let change = format!(
            "INSERT OR REPLACE INTO {} (key, value, used) VALUES (?1, ?2, ?3)",
            table.as_str()
        );
        let now = Timestamp::now().as_second();
        self.change(|connection| connection.execute(&change, params![key, packed, now]).map(drop))
    }

    /// Marks what was used as used, a bounded piece. Whether there is more.
    ///
    /// # Errors
    /// When the store cannot be written: those of this piece are not marked then.
    pub fn mark_used(&self) -> Result<bool> {
        let (piece, more) = {
            let mut waiting = lock(&self.used);
            let piece: Vec<_> = waiting.iter().copied().take(MARKS_A_PIECE).collect();
            for used in &piece {
                waiting.remove(used);
            }
            (piece, !waiting.is_empty())
        };
        if piece.is_empty() {
            return Ok(false);
        }
        let now = Timestamp::now().as_second();
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            for (table, row) in &piece {
                change
                    .prepare_cached(&format!(
                        "UPDATE {} SET used = ?1 WHERE rowid = ?2",
                        table.as_str()
                    ))?
                    .execute(params![now, row])?;
            }
            change.commit()
        })?;
        Ok(more)
    }

    /// Bytes that facts take, as they are stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn facts_size(&self) -> Result<u64> {
        self.read(|connection| {
            let mut total = 0_u64;
            for table in Table::ALL {
                let sum = format!("SELECT coalesce(sum(size), 0) FROM {}", table.as_str());
                let size: i64 = connection.prepare_cached(&sum)?.query_row([], |row| row.get(0))?;
                total = total.saturating_add(u64::try_from(size).unwrap_or(0));
            }
            Ok(total)
        })
    }

    /// Lets go of a bounded piece of what was not used for longest, if facts take more than they
    /// may. Whether there is more to do.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn make_room(&self) -> Result<bool> {
        let Some(excess) = self.facts_size()?.checked_sub(self.room.facts).filter(|e| *e > 0)
        else {
            return Ok(false);
        };
        let kept: HashSet<Digest> =
            self.all_registrations()?.into_iter().map(|r| r.digest).collect();
        let piece = self.read(|connection| oldest(connection, excess, &kept))?;
        if piece.is_empty() {
            tracing::warn!(
                excess,
                "facts take more than `facts.size`, and all of it is registered"
            );
            return Ok(false);
        }
        let goes = piece.iter().fold(0_u64, |sum, old| sum.saturating_add(old.size));
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            for Old { table, row, used, .. } in &piece {
                // One that was used meanwhile stays.
                change
                    .prepare_cached(&format!(
                        "DELETE FROM {} WHERE rowid = ?1 AND used = ?2",
                        table.as_str()
                    ))?
                    .execute(params![row, used])?;
            }
            change.commit()
        })?;
        Ok(goes < excess)
    }
}

/// What was not used for longest, up to `excess` bytes, and a piece at most.
fn oldest(
    connection: &Connection,
    excess: u64,
    registered: &HashSet<Digest>,
) -> rusqlite::Result<Vec<Old>> {
    let mut all = Vec::new();
    for table in Table::ALL {
        let sql = format!("SELECT rowid, used, size FROM {} ORDER BY used, size", table.as_str());
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = 0;
        while found < GONE_A_PIECE
            && let Some(row) = rows.next()?
        {
            let (number, used, size): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if table == Table::Images && is_registered(connection, number, registered)? {
                continue;
            }
            found += 1;
            all.push(Old { table, row: number, used, size: size.unsigned_abs() });
        }
    }
    all.sort_by_key(|old| old.used);
    let mut bytes = 0_u64;
    all.truncate(GONE_A_PIECE);
    all.retain(|old| {
        let goes = bytes < excess.min(BYTES_A_PIECE);
        bytes = if goes { bytes.saturating_add(old.size) } else { bytes };
        goes
    });
    Ok(all)
}

/// What the key of an image says of its digest.
#[derive(Deserialize)]
struct Key {
    digest: Digest,
}

fn is_registered(
    connection: &Connection,
    row: i64,
    registered: &HashSet<Digest>,
) -> rusqlite::Result<bool> {
    if registered.is_empty() {
        return Ok(false);
    }
    let key: Vec<u8> = connection
        .prepare_cached("SELECT key FROM images WHERE rowid = ?1")?
        .query_row(params![row], |row| row.get(0))?;
    Ok(serde_json::from_slice::<Key>(&key).is_ok_and(|key| registered.contains(&key.digest)))
}

/// The key as bytes: the whole struct, so that nothing it names can be left out.
fn canonical<K: Serialize>(key: &K) -> Result<Vec<u8>> {
    serde_json::to_vec(key).map_err(|e| Failure::new(format!("a key cannot be written: {e}")))
}
