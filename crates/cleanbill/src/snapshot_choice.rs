//! Which snapshot a command uses: the one named, else the updated one, else the built-in starter.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cleanbill_advisory::{Error, Snapshot};

use crate::failure::{Failure, Result};

/// The variable that names a snapshot where `--db` does not.
pub const VARIABLE: &str = "CLEANBILL_DB";

/// Opens the snapshot that `--db` names, else `CLEANBILL_DB`, else the one that
/// `cleanbill db update` left in its folder, else the starter. A snapshot that is there and
/// cannot be read is never passed over for an older one.
///
/// # Errors
/// When it cannot be opened.
pub fn choose(db: Option<&Path>) -> Result<Snapshot> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    choose_from(db, set(VARIABLE), folder().ok().as_deref())
}

fn choose_from(
    db: Option<&Path>,
    variable: Option<OsString>,
    folder: Option<&Path>,
) -> Result<Snapshot> {
    let named = db.map(Path::to_owned).or_else(|| variable.map(PathBuf::from));
    if let Some(path) = named {
        return Snapshot::open(&path).map_err(|e| {
            failed(&e).next("name a snapshot file with --db, or make one: cleanbill db update")
        });
    }
    let updated = folder.map(updated_in).filter(|path| path.symlink_metadata().is_ok());
    match updated {
        Some(path) => {
            Snapshot::open(&path).map_err(|e| failed(&e).next("make it again: cleanbill db update"))
        }
        None => Snapshot::starter().map_err(|e| failed(&e)),
    }
}

/// The folder where `cleanbill db update` keeps what it fetched and built:
/// `$XDG_CACHE_HOME/cleanbill/db`, or `~/.cache/cleanbill/db`.
///
/// # Errors
/// When neither variable is set.
pub fn folder() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(set("HOME")?).join(".cache")))
        .ok_or_else(|| {
            Failure::new("no folder for snapshots: neither XDG_CACHE_HOME nor HOME is set")
        })?;
    Ok(cache.join("cleanbill/db"))
}

/// The file that [`choose`] looks for where `--db` names none: `CLEANBILL_DB`, else the updated
/// one. It need not be there.
///
/// # Errors
/// When no variable says where that is.
pub fn looked_for() -> Result<PathBuf> {
    match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(path) => Ok(PathBuf::from(path)),
        None => Ok(updated_in(&folder()?)),
    }
}

/// The updated snapshot in a folder.
pub fn updated_in(folder: &Path) -> PathBuf {
    folder.join("cleanbill.cbdb")
}

/// An error about advisories as a failed command.
pub fn failed(error: &Error) -> Failure {
    let failure = Failure::new(error.to_string());
    match error.folder() {
        Some(_) => failure.next(make_room(error)),
        None => failure,
    }
}

/// What to do where there is no room.
pub fn make_room(error: &Error) -> String {
    let at = error.folder().map(|folder| format!(" in {}", folder.display()));
    format!("make room{}, then run it again", at.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{choose_from, updated_in};

    #[test]
    fn the_named_one_beats_the_updated_one_beats_the_starter() {
        let dir = tempfile::tempdir().unwrap();
        let starter = choose_from(None, None, Some(dir.path())).unwrap();
        assert!(starter.is_starter());
        assert!(choose_from(None, None, None).unwrap().is_starter());

        let mut bytes = Vec::new();
        cleanbill_advisory::write(&cleanbill_advisory::Gathered::default(), &mut bytes).unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        for path in [&a, &b, &updated_in(dir.path())] {
            std::fs::write(path, &bytes).unwrap();
        }
        let table = [
            (Some(a.as_path()), Some(b.clone().into_os_string()), a.clone()),
            (None, Some(b.clone().into_os_string()), b.clone()),
            (None, None, updated_in(dir.path())),
        ];
        for (db, variable, wanted) in table {
            let snapshot = choose_from(db, variable, Some(dir.path())).unwrap();
            assert_eq!(snapshot.name(), wanted.display().to_string());
            assert!(!snapshot.is_starter());
        }

        // Damaged is an error, not a reason to take the starter.
        std::fs::write(updated_in(dir.path()), "x").unwrap();
        let error = choose_from(None, None, Some(dir.path())).unwrap_err().to_string();
        let path = updated_in(dir.path()).display().to_string();
        let wanted = format!(
            "{path} is no snapshot: it is too short\n  next: make it again: cleanbill db update"
        );
        assert_eq!(error, wanted);
    }
}
