//! The errata of a repository of rpm packages: a list of mirrors names the repository, its table of
//! contents the file and the hash that the file has.

use std::io::Read as _;
use std::path::Path;

use super::Plan;
use super::course::Course;
use super::documents::STEPS;
use super::hash;
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::updateinfo::repomd;

/// A repository of one architecture.
pub(super) struct Repository<'a> {
    /// The address of its list of mirrors.
    pub(super) list: &'a str,
    pub(super) arch: &'a str,
    /// Whether it may have no errata.
    pub(super) may_lack: bool,
}

/// Brings the file `name` up to date from a repository; whether it is. What leads there is kept beside
/// the feeds. Where a repository has no errata, and may, there is no file.
///
/// # Errors
/// As [`Course::get`]; also when the list or the table of contents is none.
pub(super) fn get(
    of: &Repository<'_>,
    name: &str,
    plan: &Plan,
    course: &mut Course<'_>,
) -> Result<bool> {
    let feeds = plan.folder.join("feeds");
    let Repository { list, arch, may_lack } = *of;
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
    let second =
        course.get(&url, &contents, &plan.folder, &|path| located(path, may_lack).map(drop))?;
    if there && !second {
        return Ok(false);
    }
    let Some(located) = located(&plan.folder.join(&contents), may_lack)? else {
        remove(&feeds.join(name))?;
        return Ok(first && second);
    };
    let url = plan.sources.address(name, &format!("{base}/{}", located.href));
    let third = course
        .get(&url, name, &feeds, &|path| hash::has(path, &located.sha256, "the repository"))?;
    Ok(first && second && third)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn mirror(path: &Path, arch: &str) -> Result<String> {
    repomd::mirror(&text(path)?, arch)
}

fn located(path: &Path, may_lack: bool) -> Result<Option<repomd::Located>> {
    match repomd::parse(&text(path)?)? {
        None if !may_lack => Err(Error::malformed("the repository names no errata")),
        located => Ok(located),
    }
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
