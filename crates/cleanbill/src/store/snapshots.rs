//! Snapshots of advisories, kept in files of their own beside the store for as long as decisions
//! refer to them, so that what was decided can be matched again.
//!
//! A file is a copy and never a link to what the gate was given: that may be written into, and
//! belongs to others. It stands under its digest, is complete before it has that name, and is
//! verified again when it is opened. A row may be without its file, and says why; a file without
//! its row is removed.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use cleanbill_advisory::Snapshot;
use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::find::{NEXT, in_force};
use super::{Store, decision, lock};
use crate::failure::{Failure, Result};

/// What is known of a snapshot that decisions refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The name under which the gate found it.
    pub from: String,
    /// When it was last put in force; `None`: nobody noted.
    pub in_force: Option<Timestamp>,
    /// Where its bytes are now.
    pub place: Place,
}

/// Where a snapshot's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file of the store.
    File(PathBuf),
    /// It is the one that is part of this program.
    Program,
    /// Nowhere that is known, and why.
    Gone(String),
}

/// Whether a copy is there.
enum Copy {
    /// With so many bytes.
    Kept(u64),
    /// None, and why.
    None(String),
}

impl Store {
    /// Keeps a snapshot that is put in force: its bytes, and that decisions may refer to it. What
    /// there is no room for any more goes.
    ///
    /// # Errors
    /// When its bytes could not be kept (that is noted, and what decisions rest on it cannot be
    /// matched again) or the store cannot be written.
    pub fn keep_snapshot(&self, snapshot: &Snapshot) -> Result<()> {
        let _held = lock(&self.snapshots);
        let digest = snapshot.digest();
        // Decisions that referred to it before it was noted may be kept as far ahead as any are.
        let ahead = self.keep.count / 8;
        if snapshot.is_starter() {
            // In the program there is one already.
            self.note(&digest, snapshot.name(), &Copy::None(STARTER.into()), ahead)?;
            return self.remove(&self.dropped()?);
        }
        let copied = self.copy(snapshot);
        let copy = match &copied {
            Ok(bytes) => Copy::Kept(*bytes),
            Err(why) => Copy::None(format!("its bytes could not be kept: {why}")),
        };
        self.note(&digest, snapshot.name(), &copy, ahead)?;
        copied.map_err(|why| {
            let what = format!("the advisories {digest} could not be kept for later: {why}");
            Failure::new(what).next("make room on the disk of state_dir; it is tried again")
        })?;
        self.remove(&self.dropped()?)
    }

    /// Notes where a snapshot is, without its bytes and no further ahead than the next decision.
    #[cfg(test)]
    pub(super) fn put_snapshot(&self, digest: &Digest, file: &Path) -> Result<()> {
        self.note(digest, &file.display().to_string(), &Copy::None("a test".into()), 0)
    }

    /// Notes a snapshot, and keeps the note for so many decisions at the least.
    fn note(&self, digest: &Digest, from: &str, copy: &Copy, ahead: u32) -> Result<()> {
        let (bytes, why) = match copy {
            Copy::Kept(bytes) => (Some(i64::try_from(*bytes).unwrap_or(i64::MAX)), ""),
            Copy::None(why) => (None, why.as_str()),
        };
        let now = Timestamp::now().as_millisecond();
        self.change(|connection| {
            let change = connection.unchecked_transaction()?;
            change.execute(
                &format!(
                    "INSERT INTO snapshots (digest, used, file, at, bytes, why)
                     VALUES (?1, {NEXT} + ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT DO UPDATE SET used = max(used, excluded.used),
                         file = excluded.file, at = excluded.at, bytes = excluded.bytes,
                         why = excluded.why"
                ),
                params![digest.to_string(), ahead, from, now, bytes, why],
            )?;
            in_force(&change, "snapshots", digest)?;
            change.commit()
        })
    }

    /// What is known of a snapshot that decisions refer to; `None` where it was not noted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn snapshot(&self, digest: &Digest) -> Result<Option<Noted>> {
        type Row = (String, i64, Option<i64>, String);
        let row: Option<Row> = self.read(|connection| {
            connection
                .prepare_cached("SELECT file, at, bytes, why FROM snapshots WHERE digest = ?1")?
                .query_row(params![digest.to_string()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .optional()
        })?;
        let Some((from, at, bytes, why)) = row else { return Ok(None) };
        let file = self.file(digest);
        let place = match bytes {
            Some(_) if file.exists() => Place::File(file),
            Some(_) => Place::Gone(format!("{} is gone", file.display())),
            None if why == STARTER && own_starter(digest) => Place::Program,
            None if why == STARTER => Place::Gone(OTHER_PROGRAM.into()),
            None => Place::Gone(why),
        };
        let in_force = Timestamp::from_millisecond(at).ok().filter(|_| at != 0);
        Ok(Some(Noted { from, in_force, place }))
    }

    /// A snapshot that decisions refer to, verified; `Err` within: why it cannot be had.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open_snapshot(&self, digest: &Digest) -> Result<std::result::Result<Snapshot, String>> {
        let opened = match self.snapshot(digest)?.map(|noted| noted.place) {
            Some(Place::File(file)) => Snapshot::open(&file),
            Some(Place::Program) => Snapshot::starter(),
            None if own_starter(digest) => Snapshot::starter(),
            Some(Place::Gone(why)) => return Ok(Err(why)),
            None => return Ok(Err("it was not noted, or forgotten".into())),
        };
        // Each block that is looked at is held against its hash then.
        Ok(match opened {
            Ok(snapshot) if snapshot.digest() == *digest => Ok(snapshot),
            Ok(snapshot) => Err(format!("{} is another one", snapshot.name())),
            Err(e) => Err(e.to_string()),
        })
    }

    /// Removes files that no row speaks of: of snapshots that were forgotten or dropped, and what
    /// a crash left.
    ///
    /// # Errors
    /// When the store or the folder cannot be read, or a file not be removed.
    pub fn remove_leftovers(&self) -> Result<()> {
        let _held = lock(&self.snapshots);
        self.remove(&self.dropped()?)
    }

    /// Marks what there is no room for as dropped, oldest first; says which files stay. The one
    /// in force always does.
    fn dropped(&self) -> Result<Vec<OsString>> {
        let room = self.room.snapshots;
        let kept = self.read(kept)?;
        let mut total = 0_u64;
        let (mut stay, mut go) = (Vec::new(), Vec::new());
        for Kept { digest, bytes, in_force } in kept {
            let more = total.saturating_add(bytes);
            // A smaller one that is older may still fit.
            if in_force || more <= room {
                total = more;
                stay.push(digest.into());
            } else {
                go.push(digest);
            }
        }
        if !go.is_empty() {
            let why = format!(
                "its bytes were dropped for room on {} (decisions.snapshots: {}M)",
                Timestamp::now().strftime("%F"),
                room >> 20
            );
            self.change(|connection| {
                let change = connection.unchecked_transaction()?;
                for digest in &go {
                    change.execute(
                        "UPDATE snapshots SET bytes = NULL, why = ?2 WHERE digest = ?1",
                        params![digest, why],
                    )?;
                }
                change.commit()
            })?;
            for digest in &go {
                tracing::warn!(digest, "a kept snapshot was dropped for room");
            }
        }
        Ok(stay)
    }

    /// Removes all files but these. Their rows are gone, or say so, on the disk: a power cut may
    /// bring rows back, and then they speak of a file that is gone, which is told.
    fn remove(&self, stay: &[OsString]) -> Result<()> {
        let folder = self.folder();
        let wrong = |e: &std::io::Error| {
            Failure::new(format!("{} cannot be tidied: {e}", folder.display()))
        };
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(wrong(&e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| wrong(&e))?;
            if !stay.contains(&entry.file_name()) {
                std::fs::remove_file(entry.path()).map_err(|e| wrong(&e))?;
            }
        }
        Ok(())
    }

    /// Makes a copy, unless there is one that is whole. Says how many bytes it has.
    fn copy(&self, snapshot: &Snapshot) -> std::result::Result<u64, String> {
        let digest = snapshot.digest();
        let (folder, file) = (self.folder(), self.file(&digest));
        if file.exists() && whole(&file, &digest).is_ok() {
            return Ok(snapshot.size());
        }
        let said = |e: std::io::Error| e.to_string();
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(said)?;
        let part = folder.join(format!(".{digest}"));
        let copied = copy_into(&part, snapshot)
            .and_then(|()| whole(&part, &digest))
            .and_then(|()| std::fs::rename(&part, &file).map_err(said))
            .and_then(|()| File::open(&folder).and_then(|f| f.sync_all()).map_err(said));
        if copied.is_err() {
            // It takes room for nothing.
            _ = std::fs::remove_file(&part);
        }
        copied.map(|()| snapshot.size())
    }

    fn folder(&self) -> PathBuf {
        self.path.with_file_name("snapshots")
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.folder().join(digest.to_string())
    }
}

/// In place of a reason: no copy is needed.
const STARTER: &str = "starter";
const OTHER_PROGRAM: &str = "it was the starter of another version of this program";

fn own_starter(digest: &Digest) -> bool {
    Snapshot::starter().is_ok_and(|starter| starter.digest() == *digest)
}

/// A copy that is there.
struct Kept {
    digest: String,
    bytes: u64,
    in_force: bool,
}

/// The copies, the one in force first, then the newest.
fn kept(connection: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut statement = connection.prepare_cached(
        "SELECT digest, bytes,
             digest IN (SELECT value FROM meta WHERE name = 'snapshots') AS in_force
         FROM snapshots WHERE bytes IS NOT NULL ORDER BY in_force DESC, at DESC, rowid DESC",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let digest: String = row.get(0)?;
        decision::digest(0, &digest)?;
        let bytes: i64 = row.get(1)?;
        Ok(Kept { digest, bytes: bytes.unsigned_abs(), in_force: row.get(2)? })
    };
    statement.query_map([], read)?.collect()
}

fn copy_into(part: &Path, snapshot: &Snapshot) -> std::result::Result<(), String> {
    let said = |e: std::io::Error| e.to_string();
    let gone = std::fs::remove_file(part);
    gone.or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
        .map_err(said)?;
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part);
    let mut out = options.map_err(said)?;
    for piece in snapshot.pieces() {
        out.write_all(&piece.map_err(|e| e.to_string())?).map_err(said)?;
    }
    out.sync_all().map_err(said)
}

/// Reads all of a file and holds it against its digest.
fn whole(file: &Path, digest: &Digest) -> std::result::Result<(), String> {
    let snapshot = Snapshot::open(file).map_err(|e| e.to_string())?;
    if snapshot.digest() != *digest {
        return Err("it changed while it was copied".into());
    }
    snapshot.verify().map_err(|e| e.to_string())
}
