//! Which ecosystems the images of this machine have shown, so that `cleanbill db update` fetches the
//! advisories of those: one small file beside the snapshot, a name a line.
//!
//! A courtesy: what cannot be noted costs a scan nothing, and what is missing in the file is a gap
//! of the next scan. It must not decide anything, and only ever grows.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cleanbill_core::distribution::Distribution;
use cleanbill_core::ecosystem::Ecosystem;
use cleanbill_core::matching::needed;
use cleanbill_core::package::Package;

use crate::snapshot_choice::folder;

/// Bytes of the file that are read; all names together have some 600.
const MOST: u64 = 16 << 10;

/// What this process has noted or found noted already.
static NOTED: Mutex<BTreeSet<Ecosystem>> = Mutex::new(BTreeSet::new());

/// The file in a folder of snapshots.
pub fn file_in(folder: &Path) -> PathBuf {
    folder.join("ecosystems")
}

/// Notes what an image needs, in the folder that `cleanbill db update` uses, where Cleanbill keeps
/// something already.
pub fn note(distribution: Option<&Distribution>, packages: &[Package]) {
    let needed = needed(distribution, packages);
    let mut noted = NOTED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if needed.is_subset(&noted) {
        return;
    }
    // Whoever scans a file on a machine where nothing is kept leaves nothing behind.
    if let Ok(folder) = folder()
        && folder.parent().is_some_and(Path::is_dir)
    {
        _ = add(&file_in(&folder), &needed);
    }
    // Tried once: a folder that cannot be written is not tried with every image.
    noted.extend(needed);
}

/// What was noted; what is no name of an ecosystem is passed over.
pub fn read(file: &Path) -> BTreeSet<Ecosystem> {
    let mut text = String::new();
    let read = std::fs::File::open(file).and_then(|f| f.take(MOST).read_to_string(&mut text));
    match read {
        Ok(_) => text.lines().filter_map(Ecosystem::named).collect(),
        Err(_) => BTreeSet::new(),
    }
}

/// Adds to the file what it does not have, and puts the new one in place of the old.
fn add(file: &Path, needed: &BTreeSet<Ecosystem>) -> std::io::Result<()> {
    let known = read(file);
    if needed.is_subset(&known) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    for ecosystem in known.union(needed) {
        writeln!(new, "{}", ecosystem.as_str())?;
    }
    // Two at once: one of them is lost, and noted again with the next image.
    new.persist(file).map_err(|e| e.error).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, Ecosystem, add, file_in, read};

    #[test]
    fn what_was_needed_once_stays_noted() {
        use Ecosystem::{Alpine, Debian, Go, Npm, PyPI};
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir.path().join("db"));
        assert_eq!(read(&file), BTreeSet::new());
        let table: &[(&[Ecosystem], &[Ecosystem])] = &[
            (&[], &[]),
            (&[Go, Alpine], &[Alpine, Go]),
            (&[Go], &[Alpine, Go]),
            (&[PyPI, Debian], &[Alpine, Debian, Go, PyPI]),
        ];
        for (needed, noted) in table {
            add(&file, &needed.iter().copied().collect()).unwrap();
            assert_eq!(read(&file), noted.iter().copied().collect(), "{needed:?}");
        }
        // Damage hides nothing but itself, and a huge file is not read whole.
        std::fs::write(&file, "Go\n\u{0}\nnpm\nno such\n").unwrap();
        assert_eq!(read(&file), [Go, Npm].into());
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(read(&file), BTreeSet::new());
        std::fs::write(&file, "x".repeat(1 << 20) + "\nGo\n").unwrap();
        assert_eq!(read(&file), BTreeSet::new());
    }
}
