//! Opening a store: whose it is, who may read it, and which version it has.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::Owner;
use crate::failure::{Failure, Result};

/// The version of the tables. Another version is an error: there is no migration yet.
const SCHEMA: i64 = 1;

const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE layers (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE inventories (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;
    CREATE TABLE decisions (
        id TEXT PRIMARY KEY, time INTEGER NOT NULL, question TEXT, outcome TEXT NOT NULL,
        reason TEXT NOT NULL, policy TEXT NOT NULL, snapshot TEXT, evidence TEXT
    ) STRICT;
    CREATE INDEX decisions_by_time ON decisions (time);
";

pub(super) fn open(dir: &Path, owner: Owner) -> Result<(PathBuf, Connection)> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| wrong(dir, &e))?;
    private(dir, &std::fs::metadata(dir).map_err(|e| wrong(dir, &e))?)?;
    let path = dir.join(owner.file_name());
    // Made by us first, so that SQLite finds it with the right mode and never follows a link.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let new = match made {
        Ok(file) => {
            // A stricter or looser umask does not matter.
            set_mode(&file).map_err(|e| wrong(&path, &e))?;
            true
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(e) => return Err(wrong(&path, &e)),
    };
    private(&path, &std::fs::symlink_metadata(&path).map_err(|e| wrong(&path, &e))?)?;
    let connection = connect(&path)?;
    let ready = if new { create(&connection, owner) } else { check(&connection, &path, owner) };
    if let Err(e) = ready {
        drop(connection);
        if new {
            _ = std::fs::remove_file(&path);
        }
        return Err(e);
    }
    // Only now: it writes, and what is not ours or damaged stays as it is.
    journal(&connection).map_err(|e| wrong(&path, &e))?;
    Ok((path, connection))
}

fn set_mode(file: &File) -> std::io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Refuses what others may read or write, what is a link, and what another user owns.
fn private(path: &Path, meta: &Metadata) -> Result<()> {
    let refuse = |what: String, step: String| {
        Err(Failure::new(format!("{} {what}", path.display())).next(step))
    };
    if meta.file_type().is_symlink() {
        return refuse("is a symbolic link".into(), "name the real folder as state_dir".into());
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return refuse(
            format!("can be used by others (mode {:o})", meta.permissions().mode() & 0o777),
            format!("chmod go= {}", path.display()),
        );
    }
    // Who we are, without unsafe code: the owner of our own entry in /proc.
    let me = std::fs::metadata("/proc/self").map_err(|e| wrong(Path::new("/proc/self"), &e))?;
    if meta.uid() != me.uid() {
        return refuse(
            format!("belongs to user {}, and this is user {}", meta.uid(), me.uid()),
            "run as its owner, or use a state_dir of your own".into(),
        );
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| wrong(path, &e))?;
    let set_up = || -> rusqlite::Result<()> {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)
    };
    set_up().map_err(|e| wrong(path, &e))?;
    Ok(connection)
}

fn journal(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")
}

fn create(connection: &Connection, owner: Owner) -> Result<()> {
    let make = || -> rusqlite::Result<()> {
        let change = connection.unchecked_transaction()?;
        change.execute_batch(TABLES)?;
        change.execute("INSERT INTO meta VALUES ('owner', ?1)", params![owner.as_str()])?;
        change.pragma_update(None, "user_version", SCHEMA)?;
        change.commit()
    };
    make().map_err(|e| Failure::new(format!("the new store cannot be written: {e}")))
}

fn check(connection: &Connection, path: &Path, owner: Owner) -> Result<()> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|e| wrong(path, &e))?;
    if version != SCHEMA {
        return Err(Failure::new(format!(
            "{} has version {version}: this program knows version {SCHEMA}",
            path.display()
        ))
        .next("move it away; evidence is gathered anew, recorded decisions stay in the old file"));
    }
    let written: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE name = 'owner'", [], |row| row.get(0))
        .optional()
        .map_err(|e| wrong(path, &e))?;
    if written.as_deref() != Some(owner.as_str()) {
        return Err(Failure::new(format!(
            "{} was written by {:?}, not by {:?}: its evidence is not trusted",
            path.display(),
            written.as_deref().unwrap_or("nobody"),
            owner.as_str()
        ))
        .next("give the gate a state_dir that nothing else writes to"));
    }
    let damage: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| wrong(path, &e))?;
    if damage == "ok" { Ok(()) } else { Err(wrong(path, &damage)) }
}

pub(super) fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("the store {} cannot be used: {error}", path.display())).next(
        "if it is damaged, move it away (with its -wal and -shm files) and start again: evidence \
         is gathered anew, but the decisions recorded in it are only in that copy",
    )
}
