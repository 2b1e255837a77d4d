//! Images that no registry has: who said that which bytes are on which node under which name.
//!
//! Append-only: a removal is one more row, so that who registered and who removed what, and when,
//! can always be seen.

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{Row, params};

use super::{Store, decision};
use crate::failure::Result;

/// What somebody said about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The name that pods use.
    pub name: String,
    /// The digest of the image that it stands for.
    pub digest: Digest,
    /// The node that has it.
    pub node: String,
    /// Who said so.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// In his own words.
    pub note: String,
}

/// What happened to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was made.
    Registered,
    /// It was taken back.
    Removed,
}

impl Event {
    /// The word in the file and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Removed => "removed",
        }
    }
}

/// What stands for the node where none was named.
pub const ANY: &str = "any";

const COLUMNS: &str = "name, digest, node, who, at, note";
/// Rows that no later one is about the same image, node and name.
const LAST: &str = "NOT EXISTS (SELECT 1 FROM registrations l
    WHERE l.name = r.name AND l.digest = r.digest AND l.node = r.node AND l.n > r.n)";

impl Store {
    /// Adds a registration. A node has one image of a name, so that another one that was registered
    /// for this very node is taken back; says what was. On [`ANY`] node several may be: all count.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn register(&self, registration: &Registration) -> Result<Vec<Registration>> {
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            let mut before = current(&change, Some(&registration.name))?;
            before.retain(|r| {
                let other = r.digest != registration.digest;
                other && r.node == registration.node && r.node != ANY
            });
            for gone in &before {
                let (who, at) = (registration.who.clone(), registration.at);
                append(&change, Event::Removed, &Registration { who, at, ..gone.clone() })?;
            }
            append(&change, Event::Registered, registration)?;
            change.commit()?;
            Ok(before)
        })
    }

    /// Takes back what is registered under this name, for this digest and node where they are
    /// given. Says what was taken back.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn unregister(
        &self,
        name: &str,
        digest: Option<&Digest>,
        node: Option<&str>,
        who: &str,
        at: Timestamp,
    ) -> Result<Vec<Registration>> {
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            let mut there = current(&change, Some(name))?;
            there.retain(|r| digest.is_none_or(|d| r.digest == *d));
            there.retain(|r| node.is_none_or(|n| r.node == n));
            for registration in &there {
                let removal = Registration { who: who.to_owned(), at, ..registration.clone() };
                append(&change, Event::Removed, &removal)?;
            }
            change.commit()?;
            Ok(there)
        })
    }

    /// What is registered under this name now, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn registrations(&self, name: &str) -> Result<Vec<Registration>> {
        self.read(|connection| current(connection, Some(name)))
    }

    /// All that is registered now, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn all_registrations(&self) -> Result<Vec<Registration>> {
        self.read(|connection| current(connection, None))
    }

    /// Everything that was ever registered or removed, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn registration_history(&self) -> Result<Vec<(Event, Registration)>> {
        self.read(|connection| {
            let sql = format!("SELECT {COLUMNS}, event FROM registrations ORDER BY n");
            connection
                .prepare_cached(&sql)?
                .query_map([], |row| {
                    let removed = row.get::<_, String>(6)? == Event::Removed.as_str();
                    let event = if removed { Event::Removed } else { Event::Registered };
                    Ok((event, read(row)?))
                })?
                .collect()
        })
    }
}

fn current(
    connection: &rusqlite::Connection,
    name: Option<&str>,
) -> rusqlite::Result<Vec<Registration>> {
    let named = if name.is_some() { "r.name = ?2" } else { "?2 IS NULL" };
    let sql = format!(
        "SELECT {COLUMNS} FROM registrations r WHERE event = ?1 AND {named} AND {LAST} ORDER BY n"
    );
    connection
        .prepare_cached(&sql)?
        .query_map(params![Event::Registered.as_str(), name], read)?
        .collect()
}

fn append(
    connection: &rusqlite::Connection,
    event: Event,
    registration: &Registration,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO registrations (at, event, name, digest, node, who, note)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            registration.at.as_millisecond(),
            event.as_str(),
            registration.name,
            registration.digest.to_string(),
            registration.node,
            registration.who,
            registration.note,
        ])
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Registration> {
    Ok(Registration {
        name: row.get(0)?,
        digest: decision::digest(1, &row.get::<_, String>(1)?)?,
        node: row.get(2)?,
        who: row.get(3)?,
        at: decision::time(row, 4)?,
        note: row.get(5)?,
    })
}
