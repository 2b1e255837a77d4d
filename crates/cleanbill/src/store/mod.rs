//! Evidence and decisions in one SQLite file, for one owner.
//!
//! The gate trusts only what it wrote itself: the file says whose it is (`gate` or `cli`), and a
//! file of the other role, of another user or readable by others is an error. A damaged file is
//! an error with the next step, never silently made anew, because it is also the record of what
//! was decided. Nothing is stored here before its blob's hash matched; that is the caller's duty.

mod decisions;
mod open;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cleanbill_core::inventory::{Inventory, InventoryKey, LayerKey};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Failure, Result};

pub use decisions::{Decision, Keep};

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

/// An open store. Calls block; they are for threads that may.
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
    keep: Keep,
}

impl Store {
    /// Opens the store of `owner` in `dir`, which is made (0700) if it is missing.
    ///
    /// # Errors
    /// When it is another role's or user's, others may read it, it is damaged or of another
    /// version, or cannot be opened.
    pub fn open(dir: &Path, owner: Owner) -> Result<Self> {
        let (path, connection) = open::open(dir, owner)?;
        Ok(Self { path, connection: Mutex::new(connection), keep: Keep::default() })
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

    /// Whether it could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn check_writable(&self) -> Result<()> {
        // The file must still be there: SQLite would go on writing into a deleted one.
        std::fs::metadata(&self.path).map_err(|e| self.wrong(&e))?;
        let mut connection = self.lock();
        let change = connection.transaction().map_err(|e| self.wrong(&e))?;
        change
            .execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', '')", [])
            .map_err(|e| self.wrong(&e))?;
        change.rollback().map_err(|e| self.wrong(&e))
    }

    fn get<T: DeserializeOwned>(&self, table: &'static str, key: &[u8]) -> Result<Option<T>> {
        let query = format!("SELECT value FROM {table} WHERE key = ?1");
        let packed: Option<Vec<u8>> = self
            .lock()
            .query_row(&query, params![key], |row| row.get(0))
            .optional()
            .map_err(|e| self.wrong(&e))?;
        let Some(packed) = packed else { return Ok(None) };
        let json = zstd::bulk::decompress(&packed, VALUE_MAX).map_err(|e| self.wrong(&e))?;
        serde_json::from_slice(&json).map(Some).map_err(|e| self.wrong(&e))
    }

    fn put<T: Serialize>(&self, table: &'static str, key: &[u8], value: &T) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(|e| self.wrong(&e))?;
        if json.len() > VALUE_MAX {
            return Ok(());
        }
        let packed = zstd::bulk::compress(&json, 3).map_err(|e| self.wrong(&e))?;
        let change = format!("INSERT OR REPLACE INTO {table} (key, value) VALUES (?1, ?2)");
        self.lock().execute(&change, params![key, packed]).map(drop).map_err(|e| self.wrong(&e))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while it was held ended a statement, which SQLite has rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self, error: &dyn std::fmt::Display) -> Failure {
        open::wrong(&self.path, error)
    }
}

/// The key as bytes: the whole struct, so that nothing it names can be left out.
fn canonical<K: Serialize>(key: &K) -> Result<Vec<u8>> {
    serde_json::to_vec(key).map_err(|e| Failure::new(format!("a key cannot be written: {e}")))
}
