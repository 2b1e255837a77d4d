//! rpm: its database of installed packages, in the three formats that it was ever kept in, and
//! the list that images without rpm's own database have instead.
//!
//! rpm reads one database: the one of its configured kind, or else the first that is there of
//! SQLite, ndb and Berkeley DB. Which kind is configured is not known here, so every database
//! that is there is read, and what any of them claims counts. A stale one may so claim a package
//! that is gone; none can hide one.

mod berkeley;
mod beside;
mod header;
mod manifest;
mod ndb;
mod numbers;
mod packages;
mod sqlite;

use crate::extractors::{Extractor, Wanted};
use crate::facts::Facts;
pub(crate) use beside::Beside;
use packages::Packages;

/// Where the databases are; newer distributions keep them below `usr`.
const FOLDERS: &[&str] = &["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
/// What SQLite appends to a database's name for files that hold a part of it.
pub(crate) const LOGS: [&str; 2] = [WAL, "-journal"];
const WAL: &str = "-wal";
/// The list of images of CBL-Mariner, Azure Linux and Photon without a database.
const MANIFEST_PATH: &str = "var/lib/rpmmanifest/container-manifest-2";

const SQLITE_NAME: &str = "rpmdb.sqlite";
const NDB_NAME: &str = "Packages.db";
const BERKELEY_NAME: &str = "Packages";

/// The database in SQLite.
pub(crate) const SQLITE: Extractor = Extractor {
    wanted: Wanted::RpmSqlite,
    wants: |path| in_folders(path) == Some(SQLITE_NAME),
    read: |_, bytes| database(bytes, |bytes, packages| sqlite::read(bytes, None, packages)),
};

/// What belongs to that database and is not in it.
pub(crate) const SQLITE_LOG: Extractor = Extractor {
    wanted: Wanted::RpmSqliteLog,
    wants: |path| {
        let name = in_folders(path).and_then(|name| name.strip_prefix(SQLITE_NAME));
        name.is_some_and(|ending| LOGS.contains(&ending))
    },
    read: |named, bytes| log_alone(named, bytes),
};

/// The database in rpm's own format.
pub(crate) const NDB: Extractor = Extractor {
    wanted: Wanted::RpmNdb,
    wants: |path| in_folders(path) == Some(NDB_NAME),
    read: |_, bytes| database(bytes, ndb::read),
};

/// The database in Berkeley DB.
pub(crate) const BERKELEY: Extractor = Extractor {
    wanted: Wanted::RpmBerkeley,
    wants: |path| in_folders(path) == Some(BERKELEY_NAME),
    read: |_, bytes| database(bytes, berkeley::read),
};

/// The list.
pub(crate) const MANIFEST: Extractor = Extractor {
    wanted: Wanted::RpmManifest,
    wants: |path| path == MANIFEST_PATH,
    read: |_, bytes| manifest::read(bytes),
};

/// Every place where a database or the list may be, those that rpm prefers first.
pub(crate) fn places() -> impl Iterator<Item = (String, Wanted)> {
    const NAMES: [(&str, Wanted); 3] = [
        (SQLITE_NAME, Wanted::RpmSqlite),
        (NDB_NAME, Wanted::RpmNdb),
        (BERKELEY_NAME, Wanted::RpmBerkeley),
    ];
    let databases = FOLDERS
        .iter()
        .flat_map(|folder| NAMES.map(|(name, wanted)| (format!("{folder}/{name}"), wanted)));
    databases.chain([(MANIFEST_PATH.to_owned(), Wanted::RpmManifest)])
}

/// Any bytes as one package's header: the entry point of fuzzing.
pub fn fuzz_header(bytes: &[u8]) -> usize {
    let mut packages = Packages::new();
    packages.header(1, bytes);
    packages.finish().claims.len()
}

/// Any bytes as a database in SQLite with a write-ahead log behind it, after two bytes that say
/// how many times 512 bytes the database has: an entry point of fuzzing.
pub fn fuzz_log(bytes: &[u8]) -> usize {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return 0 };
    let length = usize::from(u16::from_be_bytes(*length)) * 512;
    let (database, log) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    beside::together(database, log).claims.len()
}

fn in_folders(path: &str) -> Option<&str> {
    FOLDERS.iter().find_map(|folder| path.strip_prefix(folder)?.strip_prefix('/'))
}

fn database(bytes: &[u8], read: impl FnOnce(&[u8], &mut Packages)) -> Facts {
    let mut packages = Packages::new();
    if bytes.is_empty() {
        packages.unreadable("is empty, which no database is");
    } else {
        read(bytes, &mut packages);
    }
    packages.finish()
}

/// Whether a file is the write-ahead log of the database of this path.
pub(crate) fn is_log_of(log: &str, database: &str) -> bool {
    log.strip_suffix(WAL) == Some(database)
}

/// A log whose database was not read along with it: only an empty one means nothing.
fn log_alone(named: &str, bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    if named.ends_with(WAL) {
        if !bytes.is_empty() {
            facts.unreadable(
                "holds a part of a database that is not beside it in this layer, or too large \
                 to be read along with it",
            );
        }
    } else if bytes.starts_with(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]) {
        facts.unreadable("undoes a change of a database that was cut off, and was not applied");
    }
    facts
}
