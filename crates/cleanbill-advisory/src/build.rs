//! A folder of feeds to a snapshot file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::advisory::{Advisory, Feed, Rating};
use cleanbill_core::digest::Digest;
use cleanbill_core::severity::Severity;
use cleanbill_core::{Date, Timestamp};

use crate::error::{Error, ErrorKind, Result};
use crate::feeds::{FEEDS, trivy};
use crate::gather::Gathered;
use crate::limits::Limits;
use crate::replace::replace;
use crate::snapshot;

/// The file beside the feeds that gives dates to feeds which carry none: a JSON object of feed
/// id (`osv:Go`, `alpine-secdb`) to time (RFC 3339) or day.
pub const AS_OF_FILE: &str = "as-of.json";

/// Folders of no feed that are named, one by one.
const UNKNOWN_MAX: usize = 20;

/// How a snapshot is built.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Bounds on the input.
    pub limits: Limits,
    /// How old feeds are that do not say so themselves, by feed id; beats [`AS_OF_FILE`] and what
    /// the feed says.
    pub as_of: BTreeMap<String, Timestamp>,
    /// The same, but only for feeds that say nothing themselves.
    pub fallback_as_of: BTreeMap<String, Timestamp>,
    /// When its publisher made the feed, which counts where it is later than what the feed says.
    pub published: BTreeMap<String, Timestamp>,
    /// What was to be in the folder and is not, and why: told with what was not read.
    pub missing: Vec<String>,
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Report {
    /// The snapshot's digest.
    pub digest: Digest,
    /// The file's size in bytes.
    pub bytes: u64,
    /// Its feeds.
    pub feeds: Vec<Feed>,
    /// What lay in the folder and was not read, and why.
    pub ignored: Vec<String>,
    /// Folders beside the feeds that are none: of this machine, and so not told in the snapshot.
    pub others: Vec<String>,
}

/// Builds a snapshot file from the feeds below `from`, in the layout of their publishers
/// (`osv/<Ecosystem>/all.zip`, `alpine-secdb/<release>/*.json`, `kev/…`, `eol/…`, `trivy/…`), each
/// of which may be missing; or from a database of Trivy that `from` itself is, or holds. `out` is replaced at once when everything has been read, or not at all.
///
/// # Errors
/// When a feed cannot be read or understood, there is none at all, or writing fails.
pub fn build(from: &Path, out: &Path, options: &Options) -> Result<Report> {
    build_all(&[from], out, options)
}

/// The same from several folders. Of what lies in more than one of them the first counts.
///
/// # Errors
/// As [`build()`].
pub(crate) fn build_all(from: &[&Path], out: &Path, options: &Options) -> Result<Report> {
    let gathered = gather_all(from, options)?;
    let (digest, bytes) = replace(out, |file| snapshot::write(&gathered, file))?;
    let mut others = Vec::new();
    for root in from {
        others.extend(unknown(root)?);
    }
    Ok(Report { digest, bytes, feeds: gathered.feeds, ignored: gathered.ignored, others })
}

/// Reads every feed below `from`.
///
/// # Errors
/// As [`build()`].
pub fn gather(from: &Path, options: &Options) -> Result<Gathered> {
    gather_all(&[from], options)
}

fn gather_all(from: &[&Path], options: &Options) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut seen = BTreeSet::new();
    for root in from {
        // Trivy's cache, or one file of it, needs no folder of feeds around it.
        if trivy::is_here(root) {
            trivy::read(root, &options.limits, &mut gathered)?;
        }
        for feed in FEEDS {
            let folder = root.join(feed.folder);
            match folder.is_dir() {
                true if seen.insert(feed.folder) => {
                    (feed.read)(&folder, &options.limits, &mut gathered)?;
                }
                true => {
                    let message = format!("{}: another of its kind counts", folder.display());
                    gathered.ignored.push(message);
                }
                false => {}
            }
        }
    }
    let named = from.first().map(|root| root.display().to_string()).unwrap_or_default();
    if gathered.feeds.is_empty() {
        let known: Vec<_> = FEEDS.iter().map(|f| f.folder).collect();
        let message =
            format!("{named}: no feed in it; expected one of the folders {}", known.join(", "));
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let latest = options.limits.latest;
    gathered.doubt(latest);
    let said = |dates: &BTreeMap<String, Timestamp>, feed: &Feed| {
        dates.get(&feed.id).copied().filter(|date| *date <= latest)
    };
    for feed in &mut gathered.feeds {
        feed.as_of = feed.as_of.or_else(|| said(&options.fallback_as_of, feed));
        feed.as_of = feed.as_of.max(said(&options.published, feed));
    }
    let mut dates = BTreeMap::new();
    for root in from.iter().rev() {
        dates.extend(as_of_file(root)?);
    }
    dates.extend(options.as_of.clone());
    for (id, date) in dates {
        match gathered.feeds.iter_mut().find(|f| f.id == id) {
            Some(feed) => feed.as_of = Some(date),
            None => {
                let message =
                    format!("a date is given for the feed {id:?}, which is not in {named}");
                return Err(Error::new(ErrorKind::NotFound, message));
            }
        }
    }
    gathered.ignored.extend(options.missing.iter().cloned());
    lend_ratings(&mut gathered);
    gathered.sort();
    Ok(gathered)
}

/// Folders that no feed is read from: a name that was written otherwise would be missed by nobody.
fn unknown(root: &Path) -> Result<Vec<String>> {
    // A database of Trivy may be given as a file.
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(root).map_err(|e| Error::io(root, e))? {
        let entry = entry.map_err(|e| Error::io(root, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let known = name.starts_with('.') || FEEDS.iter().any(|feed| feed.folder == name);
        if !known && entry.path().is_dir() {
            names.insert(name);
        }
    }
    let more = names.len().saturating_sub(UNKNOWN_MAX);
    let told = names.into_iter().take(UNKNOWN_MAX);
    let told = told.map(|name| format!("{name}/: no feed has a folder of this name"));
    let more = (more > 0).then(|| format!("{more} more folders: no feed has one of their names"));
    Ok(told.chain(more).collect())
}

fn as_of_file(from: &Path) -> Result<BTreeMap<String, Timestamp>> {
    let path = from.join(AS_OF_FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        // `from` may be a file itself: a database of Trivy.
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(BTreeMap::new());
        }
        Err(e) => return Err(Error::io(&path, e)),
    };
    let texts: BTreeMap<String, String> = serde_json::from_slice(&bytes)
        .map_err(|e| Error::malformed(path.display().to_string()).because(e))?;
    texts
        .into_iter()
        .map(|(id, text)| Ok((id, date(&text).map_err(|e| e.within(path.display()))?)))
        .collect()
}

/// Reads a time (RFC 3339) or a day, which begins at midnight UTC.
///
/// # Errors
/// When it is neither.
pub fn date(text: &str) -> Result<Timestamp> {
    let day = || midnight(text.parse().ok()?);
    text.parse::<Timestamp>().ok().or_else(day).ok_or_else(|| {
        Error::malformed(format!("{text:?} is no date: write 2026-08-01 or 2026-08-01T00:00:00Z"))
    })
}

/// The beginning of a day, UTC.
pub(crate) fn midnight(day: Date) -> Option<Timestamp> {
    jiff::tz::Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// Some feeds rate no flaws (Go, Alpine). What other feeds say of those is kept with the flaw, by
/// the name of the ecosystem that rates it.
fn lend_ratings(gathered: &mut Gathered) {
    let unrated = |advisory: &&Advisory| advisory.severity == Severity::Unknown;
    let wanted: BTreeSet<&str> =
        gathered.advisories.values().flatten().filter(unrated).map(|a| &*a.id).collect();
    let mut lent = Vec::new();
    for ((stream, _), advisories) in &gathered.advisories {
        for advisory in advisories {
            if advisory.severity > Severity::Unknown && wanted.contains(&*advisory.id) {
                let source = stream.split(':').next().unwrap_or_default().to_owned();
                let (severity, cvss) = (advisory.severity, advisory.cvss.clone());
                lent.push((advisory.id.clone(), Rating { source, severity, cvss }));
            }
        }
    }
    lent.into_iter().for_each(|(id, rating)| gathered.rate(&id, rating));
}
