//! The errata of a repository of rpm packages: a list of mirrors names the repository, its table of
//! contents the file and the hash that the file has.

use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Plan;
use super::course::Course;
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::updateinfo::repomd;

/// Brings the file `name` up to date from the repository that the list of mirrors at `list` names;
/// whether it is. What leads there is kept beside the feeds.
///
/// # Errors
/// As [`Course::get`]; also when the list or the table of contents is none.
pub(super) fn get(list: &str, name: &str, plan: &Plan, course: &mut Course<'_>) -> Result<bool> {
    let feeds = plan.folder.join("feeds");
    let arch = name.rsplit('/').nth(1).unwrap_or_default();
    let mirrors = format!("{STEPS}/{name}.mirrors");
    let url = plan.sources.address(&mirrors, list);
    let first = course.get(&url, &mirrors, &plan.folder, &|path| mirror(path, arch).map(drop))?;
    // An old step leads to an old file, or to none: the copy that is there does.
    let there = feeds.join(name).exists();
    if there && !first {
        return Ok(false);
    }
    let base = mirror(&plan.folder.join(&mirrors), arch)?;
    let contents = format!("{STEPS}/{name}.repomd");
    let url = plan.sources.address(&contents, &format!("{base}/repodata/repomd.xml"));
    let second = course.get(&url, &contents, &plan.folder, &|path| located(path).map(drop))?;
    if there && !second {
        return Ok(false);
    }
    let located = located(&plan.folder.join(&contents))?;
    let url = plan.sources.address(name, &format!("{base}/{}", located.href));
    let third = course.get(&url, name, &feeds, &|path| has(path, &located.sha256))?;
    Ok(first && second && third)
}

/// The folder of what leads to a file.
const STEPS: &str = "steps";

fn mirror(path: &Path, arch: &str) -> Result<String> {
    repomd::mirror(&text(path)?, arch)
}

fn located(path: &Path) -> Result<repomd::Located> {
    repomd::parse(&text(path)?)
}

fn text(path: &Path) -> Result<String> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut bytes = Vec::new();
    file.take(repomd::MOST + 1).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > repomd::MOST {
        let message = format!("larger than {} bytes", repomd::MOST);
        return Err(Error::new(ErrorKind::OverLimit, message));
    }
    String::from_utf8(bytes).map_err(|_| Error::malformed("it is not UTF-8"))
}

/// Whether a file has the hash that its repository says.
fn has(path: &Path, sha256: &str) -> Result<()> {
    let mut file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).map_err(|e| Error::io(path, e))? {
            0 => break,
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if hash == sha256 {
        return Ok(());
    }
    let message = format!("it has the SHA-256 {hash}, and the repository says {sha256}");
    Err(Error::malformed(message))
}
