//! Facts, decisions and registrations in one SQLite file, for one owner.
//!
//! The gate trusts only what it wrote itself: the file says whose it is (`gate` or `cli`), and a
//! file of the other role, of another user or readable by others is an error. A damaged file is
//! an error with the next step, never silently made anew, because it is also the record of what
//! was decided. Nothing is stored here before its blob's hash matched; that is the caller's duty.
//!
//! Decisions are written by [`journal::Journal`] alone, on a connection of its own; reading never
//! waits for it.

pub mod admitted;
mod block;
mod checkpoint;
mod decision;
mod find;
pub mod journal;
mod matter;
mod migrate;
mod open;
mod packed;
mod referred;
mod registrations;
mod retention;
mod schema;
#[cfg(test)]
mod tests;
mod turn;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cleanbill_core::inventory::{Inventory, InventoryKey, LayerKey};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Result};

pub use admitted::set as admitted_set;
pub use decision::{Api, Decision, Head};
pub use find::Wanted;
pub use journal::Journal;
pub use matter::Matter;
pub use packed::Packed;
pub use registrations::{Event, Registration};
pub use retention::Keep;
pub use write::Entry;

/// Who reads and writes a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The admission gate.
    Gate,
    /// A person at a command line.
    Cli,
}

impl Owner {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Cli => "cli",
        }
    }

    /// The file's name: each role has its own, even in one folder.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Gate => "evidence.db",
            Self::Cli => "evidence-cli.db",
        }
    }
}

/// Uncompressed bytes of one stored value; a larger one is not stored.
const VALUE_MAX: usize = 256 << 20;
/// Connections for reading that are kept open.
const READERS: usize = 4;

/// An open store. Calls block; they are for threads that may.
pub struct Store {
    path: PathBuf,
    /// For writing what is not a decision.
    connection: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    turn: Arc<turn::Turn>,
    keep: Keep,
}

impl Store {
    /// Opens the store of `owner` in `dir`, which is made (0700) if it is missing. A file of an
    /// older version is brought up to date.
    ///
    /// # Errors
    /// When it is another role's or user's, others may read it, it is damaged or of a version that
    /// is not known, or cannot be opened.
    pub fn open(dir: &Path, owner: Owner) -> Result<Self> {
        open::open(dir, owner).map(Self::of)
    }

    /// Opens a store that is there, to look at it, also while the gate runs. Everything that
    /// writes fails.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is none.
    pub fn look(dir: &Path, owner: Owner) -> Result<Self> {
        open::look(dir, owner).map(Self::of)
    }

    fn of((path, connection): (PathBuf, Connection)) -> Self {
        Self {
            path,
            connection: Mutex::new(connection),
            readers: Mutex::default(),
            turn: Arc::default(),
            keep: Keep::default(),
        }
    }

    /// The same with other bounds on what is kept of decisions.
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// The facts of one layer.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn layer<T: DeserializeOwned>(&self, key: &LayerKey) -> Result<Option<T>> {
        self.get("layers", &canonical(key)?)
    }

    /// Keeps the facts of one layer.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_layer<T: Serialize>(&self, key: &LayerKey, facts: &T) -> Result<()> {
        self.put("layers", &canonical(key)?, facts)
    }

    /// The inventory of one merged image.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn inventory(&self, key: &InventoryKey) -> Result<Option<Inventory>> {
        self.get("inventories", &canonical(key)?)
    }

    /// Keeps the inventory of one merged image.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_inventory(&self, key: &InventoryKey, inventory: &Inventory) -> Result<()> {
        self.put("inventories", &canonical(key)?, inventory)
    }

    /// What was found in an image, under a key that names all that depends on.
    ///
    /// # Errors
    /// When the store cannot be read, or the value does not decode.
    pub fn image<T: DeserializeOwned>(&self, key: &impl Serialize) -> Result<Option<T>> {
        self.get("images", &canonical(key)?)
    }

    /// Keeps what was found in an image.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_image<T: Serialize>(&self, key: &impl Serialize, found: &T) -> Result<()> {
        self.put("images", &canonical(key)?, found)
    }

    /// Whether it could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn check_writable(&self) -> Result<()> {
        // The file must still be there: SQLite would go on writing into a deleted one.
        std::fs::metadata(&self.path).map_err(|e| open::wrong(&self.path, &e))?;
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            change.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', '')", [])?;
            // A rollback would write nothing, and so not see that the disk is full.
            change.commit()
        })
    }

    /// Records one decision at once, without a [`journal::Journal`]: a disk write for each.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record_decision(&self, decision: &Decision) -> Result<()> {
        let (evidence, admitted) = (Vec::new(), None);
        let ready = write::Ready::new(Entry { decision: decision.clone(), evidence, admitted })?;
        let mut writer = write::Writer::open(&self.path, self.keep)?;
        let _held = self.turn.wait();
        writer.write(&[ready]).map_err(|wrong| wrong.failure)
    }

    fn get<T: DeserializeOwned>(&self, table: &'static str, key: &[u8]) -> Result<Option<T>> {
        let query = format!("SELECT value FROM {table} WHERE key = ?1");
        let packed: Option<Vec<u8>> = self.read(|connection| {
            connection.prepare_cached(&query)?.query_row(params![key], |row| row.get(0)).optional()
        })?;
        let Some(packed) = packed else { return Ok(None) };
        let wrong = |e: &dyn std::fmt::Display| open::wrong(&self.path, e);
        let json = zstd::bulk::decompress(&packed, VALUE_MAX).map_err(|e| wrong(&e))?;
        serde_json::from_slice(&json).map(Some).map_err(|e| wrong(&e))
    }

    fn put<T: Serialize>(&self, table: &'static str, key: &[u8], value: &T) -> Result<()> {
        let wrong = |e: &dyn std::fmt::Display| open::wrong(&self.path, e);
        let json = serde_json::to_vec(value).map_err(|e| wrong(&e))?;
        if json.len() > VALUE_MAX {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&json, 3).map_err(|e| wrong(&e))?;
        let change = format!("INSERT OR REPLACE INTO {table} (key, value) VALUES (?1, ?2)");
        self.change(|connection| connection.execute(&change, params![key, packed]).map(drop))
    }

    /// Reads on a connection that nobody else uses meanwhile.
    fn read<T>(&self, with: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let result = with(&connection).map_err(|e| open::wrong_sql(&self.path, &e))?;
        // One that failed is not used again.
        let mut readers = lock(&self.readers);
        if readers.len() < READERS {
            readers.push(connection);
        }
        Ok(result)
    }

    /// Writes when it is this one's turn.
    fn change<T>(&self, with: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let _held = self.turn.wait();
        with(&lock(&self.connection)).map_err(|e| open::wrong_sql(&self.path, &e))
    }
}

/// A panic while it was held ended a statement, which SQLite has rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The key as bytes: the whole struct, so that nothing it names can be left out.
fn canonical<K: Serialize>(key: &K) -> Result<Vec<u8>> {
    serde_json::to_vec(key).map_err(|e| Failure::new(format!("a key cannot be written: {e}")))
}
