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
mod caretaker;
mod checkpoint;
mod decision;
mod facts;
mod find;
pub mod journal;
mod matter;
mod migrate;
mod open;
mod packed;
mod queue;
mod referred;
mod registrations;
mod retention;
mod schema;
mod snapshots;
#[cfg(test)]
mod tests;
mod turn;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::failure::Result;

pub use admitted::set as admitted_set;
pub use caretaker::{Caretaker, Room};
pub use decision::{Api, Decision, Head};
pub use find::{InForce, Wanted};
pub use journal::Journal;
pub use matter::{Lent, Matter};
pub use packed::Packed;
pub use registrations::{ANY, Event, Registration};
pub use retention::Keep;
pub use snapshots::{Noted, Place};
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
    room: Room,
    /// Facts that were used and are not marked so yet.
    used: Mutex<facts::Used>,
    /// Held by whoever adds or removes files of snapshots.
    snapshots: Mutex<()>,
}

/// Facts that were used are marked, so that they are not the first to go.
impl Drop for Store {
    fn drop(&mut self) {
        // Who only looks cannot write, and for the others the next one will do.
        _ = self.mark_used();
    }
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
            room: Room::default(),
            used: Mutex::default(),
            snapshots: Mutex::default(),
        }
    }

    /// The same with other bounds on what is kept of decisions.
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// The same with other bounds on what facts and snapshots take.
    #[must_use]
    pub fn within(mut self, room: Room) -> Self {
        self.room = room;
        self
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
