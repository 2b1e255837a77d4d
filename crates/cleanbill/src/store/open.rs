//! Opening a store: whose it is, who may read it, and which version it has.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use super::{Owner, migrate, schema};
use crate::failure::{Failure, Result};

/// How long another process that writes is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// Pages in the write-ahead log (4 KiB each) after which the next commit moves them into the file.
/// The journal has a thread that does so long before.
const LOG_PAGES: i64 = 65_536;

/// How sure a commit is before it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// It survives a crash of the program; a power cut may take the last ones. For facts, which
    /// are gathered anew.
    Normal,
    /// It survives a power cut. For decisions.
    Full,
}

/// Opens the store for reading and writing; makes it, or brings it up to date, where needed.
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
    let mut connection = connect(&path)?;
    let ready = if new {
        schema::create(&mut connection, owner)
            .map_err(|e| Failure::new(format!("the new store cannot be written: {e}")))
    } else {
        check(&mut connection, &path, owner)
    };
    if let Err(e) = ready {
        drop(connection);
        if new {
            _ = std::fs::remove_file(&path);
        }
        return Err(e);
    }
    // Only now: it writes, and what is not ours or damaged stays as it is.
    journal(&connection, Sync::Normal).map_err(|e| wrong_sql(&path, &e))?;
    Ok((path, connection))
}

/// Opens a store that is there, to look at it; works while another process writes it.
pub(super) fn look(dir: &Path, owner: Owner) -> Result<(PathBuf, Connection)> {
    let path = dir.join(owner.file_name());
    let absent = |at: &Path, e: &std::io::Error| {
        let none = Failure::new(format!("no store of the gate in {}: {e}", at.display()));
        none.next("name the gate's configuration (--config) or its state_dir (--state-dir)")
    };
    private(dir, &std::fs::metadata(dir).map_err(|e| absent(dir, &e))?)?;
    private(&path, &std::fs::symlink_metadata(&path).map_err(|e| absent(dir, &e))?)?;
    let connection = connect(&path)?;
    if version(&connection, &path)? != schema::VERSION {
        return Err(Failure::new(format!("{} was written by an older version", path.display()))
            .next("start the gate once: it brings the file up to date"));
    }
    owned(&connection, &path, owner)?;
    connection.pragma_update(None, "query_only", true).map_err(|e| wrong_sql(&path, &e))?;
    Ok((path, connection))
}

/// One more connection to a store that this process has opened.
pub(super) fn again(path: &Path, sync: Sync) -> Result<Connection> {
    let connection = connect(path)?;
    journal(&connection, sync).map_err(|e| wrong_sql(path, &e))?;
    Ok(connection)
}

/// One more connection, which cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true).map_err(|e| wrong_sql(path, &e))?;
    Ok(connection)
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
            format!(
                "run as its owner (sudo -u '#{}' cleanbill …), or use a state_dir of your own",
                meta.uid()
            ),
        );
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| wrong_sql(path, &e))?;
    let set_up = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)
    };
    set_up().map_err(|e| wrong_sql(path, &e))?;
    Ok(connection)
}

fn journal(connection: &Connection, sync: Sync) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let sync = match sync {
        Sync::Normal => "NORMAL",
        Sync::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", sync)?;
    let set = |_: &rusqlite::Row<'_>| Ok(());
    connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, set)
}

fn version(connection: &Connection, path: &Path) -> Result<i64> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|e| wrong_sql(path, &e))?;
    if !(1..=schema::VERSION).contains(&version) {
        return Err(Failure::new(format!(
            "{} has version {version}: this program knows versions 1 to {}",
            path.display(),
            schema::VERSION
        ))
        .next("move it away; evidence is gathered anew, recorded decisions stay in the old file"));
    }
    Ok(version)
}

fn owned(connection: &Connection, path: &Path, owner: Owner) -> Result<()> {
    let written: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE name = 'owner'", [], |row| row.get(0))
        .optional()
        .map_err(|e| wrong_sql(path, &e))?;
    if written.as_deref() == Some(owner.as_str()) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} was written by {:?}, not by {:?}: its evidence is not trusted",
        path.display(),
        written.as_deref().unwrap_or("nobody"),
        owner.as_str()
    ))
    .next("give the gate a state_dir that nothing else writes to"))
}

fn check(connection: &mut Connection, path: &Path, owner: Owner) -> Result<()> {
    let version = version(connection, path)?;
    owned(connection, path, owner)?;
    let damage: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|e| wrong_sql(path, &e))?;
    if damage != "ok" {
        return Err(wrong(path, &damage));
    }
    if version != schema::VERSION {
        migrate::migrate(connection).map_err(|e| {
            wrong_sql(path, &e).within("it could not be brought up to date, and is as it was")
        })?;
    }
    Ok(())
}

/// What SQLite said, with the next step that fits it.
pub(super) fn wrong_sql(path: &Path, error: &rusqlite::Error) -> Failure {
    let step = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on its disk; nothing has to be started again",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "end what else has it open for writing (such as sqlite3 within a transaction)"
        }
        _ => return wrong(path, error),
    };
    Failure::new(format!("the store {} cannot be used: {error}", path.display())).next(step)
}

pub(super) fn wrong(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("the store {} cannot be used: {error}", path.display())).next(
        "if it is damaged, move it away (with its -wal and -shm files) and start again: evidence \
         is gathered anew, but the decisions recorded in it are only in that copy",
    )
}
