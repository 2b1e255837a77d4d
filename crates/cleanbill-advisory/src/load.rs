//! A snapshot that was made elsewhere, put where commands look for it: for machines without a
//! network. It is copied beside its place, read whole, compared with the one in force, and only
//! then takes its place. Hashes prove that it is whole, not who made it: for that the caller
//! names a digest.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::digest::Digest;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::latest;
use crate::partial::{self, Download};
use crate::place::Place;
use crate::snapshot::{Contents, Snapshot};
use crate::telling::Say;

/// The largest file that is taken (16 GiB): a stream that never ends must not fill the disk.
pub const MOST: u64 = 16 << 30;

/// What is loaded, and where to.
#[derive(Clone, Debug)]
pub struct Load {
    /// What messages call the source.
    pub name: String,
    /// The snapshot file to replace.
    pub out: PathBuf,
    /// The digest that it must have, where the caller knows it.
    pub digest: Option<Digest>,
    /// Whether one that goes back behind the one in force is taken too.
    pub force: bool,
    /// The largest file that is taken, in bytes: [`MOST`] unless tested.
    pub most: u64,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The digest of what is in force now.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its feeds.
    pub feeds: Vec<Feed>,
    /// What it holds.
    pub contents: Contents,
    /// Whether it was in force before, so that nothing was done.
    pub already: bool,
    /// In what it goes back, with `force`; a sentence each.
    pub back: Vec<String>,
}

/// Puts the snapshot that `source` gives in force.
///
/// # Errors
/// [`ErrorKind::Older`] when it goes back behind the one in force, or that one cannot be read so
/// that nobody can tell; others when it cannot be copied, is damaged or another than was asked
/// for, or another process is replacing it. What was in force before stays.
pub fn load(source: &mut dyn Read, load: &Load) -> Result<Loaded> {
    put(load, |fresh| copy(source, &load.name, load.most, fresh))
}

/// The same with a download, which goes on where an earlier one broke off; `say` is told of it.
///
/// # Errors
/// As [`load`]; where it breaks off, what has arrived of it stays beside the place for the next one.
pub fn download(download: Download<'_>, load: &Load, say: &mut Say<'_>) -> Result<Loaded> {
    if download.size > load.most {
        return Err(too_large(&load.name, load.most));
    }
    put(load, |fresh| partial::fetch(download, &load.name, (&load.out, fresh), say))
}

/// Puts in force what `bring` writes.
fn put(load: &Load, bring: impl FnOnce(&Path) -> Result<()>) -> Result<Loaded> {
    let place = Place::take(&load.out)?;
    let result = bring(place.fresh()).and_then(|()| replace(load, &place));
    // Nothing of a failure stays but what was there; after a success the name is gone.
    _ = std::fs::remove_file(place.fresh());
    if result.is_ok() {
        // Of what is in force now nothing is missing: that it cannot be removed undoes nothing.
        _ = partial::clear(&load.out, None);
    }
    result
}

pub(crate) fn too_large(name: &str, most: u64) -> Error {
    Error::new(ErrorKind::OverLimit, format!("{name} has more than {most} bytes"))
}

fn replace(load: &Load, place: &Place) -> Result<Loaded> {
    let new = Snapshot::open_as(place.fresh(), &load.name)?;
    if let Some(wanted) = load.digest.filter(|wanted| *wanted != new.digest()) {
        let message = format!("{} has the digest {}, not {wanted}", load.name, new.digest());
        return Err(Error::new(ErrorKind::Damaged, message));
    }
    let contents = new.contents()?;
    let before = in_force(&load.out);
    let back = back(&new, &before)?;
    if !back.is_empty() && !load.force {
        return Err(older(&load.name, &back));
    }
    // Of one whose blocks are damaged the feeds are known still. It must not push out the one
    // before it, which may be whole, nor pass for the same as one that is.
    let (already, keep) = match &before {
        Before::Snapshot(old) if old.verify().is_ok() => (old.digest() == new.digest(), true),
        Before::None | Before::Snapshot(_) | Before::Unreadable(_) => (false, false),
    };
    if !already {
        place.put(keep)?;
    }
    let (digest, bytes, feeds) = (new.digest(), new.size(), new.feeds().to_vec());
    Ok(Loaded { digest, bytes, feeds, contents, already, back })
}

/// Copies a source of at most so many bytes and flushes it to the disk.
fn copy(source: &mut dyn Read, name: &str, most: u64, to: &Path) -> Result<()> {
    let unwritten = |e| Error::io(to, e);
    // What a killed process left is not written into: somebody may have it open.
    match std::fs::remove_file(to) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(unwritten(e)),
        Ok(()) | Err(_) => {}
    }
    let mut file = File::create_new(to).map_err(unwritten)?;
    let mut piece = vec![0; 1 << 16];
    let mut left = most;
    loop {
        let read = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::new(ErrorKind::Io, name).because(e)),
        };
        left = left.checked_sub(read as u64).ok_or_else(|| too_large(name, most))?;
        file.write_all(piece.get(..read).unwrap_or_default()).map_err(unwritten)?;
    }
    file.sync_all().map_err(unwritten)
}

/// What is in force, before anything takes its place.
pub(crate) enum Before {
    /// No file: the starter.
    None,
    Snapshot(Box<Snapshot>),
    Unreadable(Error),
}

pub(crate) fn in_force(out: &Path) -> Before {
    match Snapshot::open(out) {
        Ok(snapshot) => Before::Snapshot(Box::new(snapshot)),
        Err(e) if e.kind() == ErrorKind::NotFound && out.symlink_metadata().is_err() => {
            Before::None
        }
        Err(e) => Before::Unreadable(e),
    }
}

/// In what `new` goes back behind what is in force; a sentence each.
pub(crate) fn back(new: &Snapshot, before: &Before) -> Result<Vec<String>> {
    Ok(match before {
        Before::None => goes_back(new, &Snapshot::starter()?, false),
        Before::Snapshot(old) => goes_back(new, old, true),
        Before::Unreadable(why) => {
            vec![format!(
                "what is in force cannot be read, so nobody can tell how old it is: {why}"
            )]
        }
    })
}

/// The error of going back.
pub(crate) fn older(name: &str, back: &[String]) -> Error {
    let head = "is older than the snapshot in force, or lacks some of it";
    Error::new(ErrorKind::Older, format!("{name} {head}:\n  {}", back.join("\n  ")))
}

/// The feeds in which `new` is older than `old`, and those that it lacks where `all` count.
fn goes_back(new: &Snapshot, old: &Snapshot, all: bool) -> Vec<String> {
    let day =
        |t: Option<Timestamp>| t.map_or_else(|| "a date unknown".to_owned(), |t| t.to_string());
    // A date of the future is none: else a feed with one could never be replaced.
    let latest = latest(Timestamp::now());
    let dated = |old: &Feed| old.as_of.filter(|date| *date <= latest);
    let told = |old: &Feed| match new.feeds().iter().find(|feed| feed.id == old.id) {
        Some(feed) if feed.as_of < dated(old) => {
            Some(format!("{} goes back from {} to {}", old.id, day(old.as_of), day(feed.as_of)))
        }
        Some(_) => None,
        None if all => Some(format!("{} is not in it", old.id)),
        None => None,
    };
    old.feeds().iter().filter_map(told).collect()
}
