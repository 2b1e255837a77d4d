//! `cleanbill setup renew`: new certificates without a moment in which gate and API server do not
//! understand each other.
//!
//! Nothing tells both sides at once, so a new authority comes in three steps, between which people
//! carry files around: [`begin`] lets both sides trust the new authority besides the old one,
//! [`switch`] puts the new certificates in, [`finish`] takes the old authority away. Sides that are
//! one step apart understand each other. What is to come lies in the folder `renewal`, complete
//! before the first step, so every step can be done again after it was cut off.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;

use super::certificate;
use super::derived;
use super::pki::{Authority, Validity};
use super::replace::{alone, replace};
use crate::failure::{Failure, Result};

/// Where new certificates wait.
const WAITING: &str = "renewal";
/// The files that are switched, keys first: a key without its certificate is passed over until both
/// are there.
const PAIRS: [&str; 4] = ["server.key", "server.crt", "client.key", "client.crt"];

/// What to do where files are missing.
const OURS: &str = "renew the folder that `cleanbill setup DIR` wrote, with everything in it";

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// The same authority signed new certificates, and they are in place: nothing is left to do.
    Replaced,
    /// `ca.crt` holds both authorities.
    Overlaps,
    /// The new certificates are in place.
    Switched,
    /// Only the new authority is left.
    Finished,
}

/// Makes new certificates. With the authority's own key in `ca.key`, and as long as it is good
/// for longer than the new ones, it signs them; else a new authority does, and the overlap begins.
///
/// # Errors
/// When the folder has not what `setup` writes, or a file cannot be written.
pub fn begin(dir: &Path, days: u32, now: Timestamp) -> Result<Came> {
    let _alone = alone(dir, OURS)?;
    let waiting = dir.join(WAITING);
    if !waiting.exists() {
        prepare(dir, &waiting, days, now)?;
    }
    let (old, new) = (read(&waiting, "old.crt")?, read(&waiting, "ca.crt")?);
    if old == new {
        switch_files(dir, &waiting)?;
        derived::update(dir)?;
        clear(&waiting)?;
        return Ok(Came::Replaced);
    }
    if read(dir, "server.crt")? == read(&waiting, "server.crt")? {
        return Err(Failure::new(format!("{} has its new certificates already", dir.display()))
            .next("finish with `cleanbill setup renew DIR --finish`"));
    }
    replace(&dir.join("ca.crt"), format!("{new}{old}").as_bytes(), 0o644)?;
    derived::update(dir)?;
    Ok(Came::Overlaps)
}

/// Puts the new certificates in the place of the old ones.
///
/// # Errors
/// When no overlap was begun, or a file cannot be written.
pub fn switch(dir: &Path) -> Result<Came> {
    let _alone = alone(dir, OURS)?;
    let waiting = under_way(dir)?;
    let (trusted, new) = (read(dir, "ca.crt")?, read(&waiting, "ca.crt")?);
    if !trusted.contains(&new) {
        return Err(Failure::new("the new authority is not in ca.crt yet")
            .next("run `cleanbill setup renew DIR`, and bring ca.crt to both sides, first"));
    }
    switch_files(dir, &waiting)?;
    derived::update(dir)?;
    Ok(Came::Switched)
}

/// Takes the old authority away.
///
/// # Errors
/// When the new certificates are not in place, or a file cannot be written.
pub fn finish(dir: &Path) -> Result<Came> {
    let _alone = alone(dir, OURS)?;
    let waiting = under_way(dir)?;
    for name in PAIRS {
        if read(dir, name)? != read(&waiting, name)? {
            return Err(Failure::new(format!("{name} is not the new one yet")).next(
                "run `cleanbill setup renew DIR --switch`, and bring the files to both sides",
            ));
        }
    }
    replace(&dir.join("ca.crt"), read(&waiting, "ca.crt")?.as_bytes(), 0o644)?;
    if waiting.join("ca.key").exists() {
        replace(&dir.join("ca.key"), read(&waiting, "ca.key")?.as_bytes(), 0o600)?;
    }
    derived::update(dir)?;
    clear(&waiting)?;
    Ok(Came::Finished)
}

/// Makes what is to come, complete or not at all.
fn prepare(dir: &Path, waiting: &Path, days: u32, now: Timestamp) -> Result<()> {
    if !(1..=3650).contains(&days) {
        return Err(Failure::new(format!("--days {days} is not from 1 to 3650")));
    }
    let valid = Validity::days(now, days)?;
    let old = read(dir, "ca.crt")?;
    let server = certificate::read("server.crt", &read(dir, "server.crt")?)?;
    let client = certificate::read("client.crt", &read(dir, "client.crt")?)?;
    let kept = dir.join("ca.key").exists();
    let same = if kept { the_same(dir, &old, valid)? } else { None };
    let authority = match same {
        Some(same) => same,
        None => Authority::new(valid)?,
    };
    let server = authority.server(&server.hosts, valid)?;
    let client = authority.client(&client.name, valid)?;
    let mut files = vec![
        ("ca.crt", authority.certificate()),
        ("server.key", server.key),
        ("server.crt", server.certificate),
        ("client.key", client.key),
        ("client.crt", client.certificate),
    ];
    if kept {
        files.push(("ca.key", authority.key()));
    }
    files.push(("old.crt", old));
    let failed = |e: std::io::Error| Failure::new(format!("{}: {e}", waiting.display()));
    let staging = tempfile::Builder::new().prefix(".renewal-").tempdir_in(dir).map_err(failed)?;
    let inside = staging.path().join(WAITING);
    fs::DirBuilder::new().mode(0o700).create(&inside).map_err(failed)?;
    for (name, text) in files {
        replace(&inside.join(name), text.as_bytes(), 0o600)?;
    }
    fs::rename(&inside, waiting).map_err(failed)
}

/// The authority of before, where its key is there and it outlives what it is to sign.
fn the_same(dir: &Path, old: &str, valid: Validity) -> Result<Option<Authority>> {
    let read_back = certificate::read("ca.crt", old)?;
    if read_back.until < valid.until.as_second() {
        return Ok(None);
    }
    Authority::again(&read_back.name, old, &read(dir, "ca.key")?, valid).map(Some)
}

fn switch_files(dir: &Path, waiting: &Path) -> Result<()> {
    for name in PAIRS {
        let mode = if name.ends_with(".key") { 0o600 } else { 0o644 };
        replace(&dir.join(name), read(waiting, name)?.as_bytes(), mode)?;
    }
    Ok(())
}

fn under_way(dir: &Path) -> Result<PathBuf> {
    let waiting = dir.join(WAITING);
    if waiting.exists() {
        return Ok(waiting);
    }
    Err(Failure::new(format!("no renewal is under way in {}", dir.display()))
        .next("begin with `cleanbill setup renew DIR`"))
}

fn read(dir: &Path, name: &str) -> Result<String> {
    let path = dir.join(name);
    fs::read_to_string(&path)
        .map_err(|e| Failure::new(format!("{} cannot be read: {e}", path.display())).next(OURS))
}

/// Takes the folder away: first its name, so that none that is half gone is found.
fn clear(waiting: &Path) -> Result<()> {
    let failed = |e: std::io::Error| Failure::new(format!("{}: {e}", waiting.display()));
    let gone = waiting.with_file_name(".renewal-done");
    if gone.exists() {
        fs::remove_dir_all(&gone).map_err(failed)?;
    }
    fs::rename(waiting, &gone).map_err(failed)?;
    fs::remove_dir_all(&gone).map_err(failed)
}
