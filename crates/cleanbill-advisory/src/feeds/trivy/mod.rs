//! Trivy's database (`trivy.db`, schema 2), so that a site can feed what it already mirrors: the
//! bbolt file with `metadata.json` beside it, or `db.tar.gz`, the layer of the OCI artifact.
//!
//! The database holds, by platform, package and flaw, what Trivy's makers have read from many
//! sources. Each source becomes a feed of its own, `trivy:<source>`, as old as the database. Kept
//! are facts only: no titles, descriptions or references. What Trivy's makers left out (entries of
//! a source, dates of all but NVD's and GitHub's) is not there, so a direct feed says more.
//!
//! A platform that is not known here is counted and named in [`Gathered::ignored`]; an entry that
//! is not understood is counted in its feed; a constraint that is not understood makes the
//! advisory unreadable, and so a gap for whoever has the package.

use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use serde::Deserialize;

use super::document;
use crate::bbolt::Database;
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

mod advisory;
mod archive;
mod constraints;
mod details;
mod ignored;
mod import;
mod platforms;
mod red_hat;
mod sources;
pub(super) mod stretches;
#[cfg(test)]
mod tests;

use advisory::{Context, Raw};
use details::{Detail, Details};
use import::Import;
use red_hat::Cpes;

/// The database, beside [`METADATA`].
pub(crate) const DATABASE: &str = "trivy.db";
/// What the database says of itself.
const METADATA: &str = "metadata.json";
/// Both in one file, as the artifact's layer has them.
pub(crate) const ARCHIVE: &str = "db.tar.gz";
/// What the ids of its feeds begin with.
const PREFIX: &str = "trivy:";
/// The version of the database's layout that is read.
const SCHEMA: u64 = 2;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    version: u64,
    updated_at: Option<String>,
}

/// Whether this is a database itself, or a folder of one, and no folder of feeds.
pub(crate) fn is_here(path: &Path) -> bool {
    path.is_file() || [DATABASE, ARCHIVE].iter().any(|name| path.join(name).is_file())
}

/// The streams of a feed in which packages have names in lower case, whatever they are called:
/// all languages' but those in which Trivy keeps the case.
pub(crate) fn in_lower_case(feed: &Feed) -> impl Iterator<Item = &Stream> {
    let ours = feed.id.starts_with(PREFIX);
    feed.streams.iter().filter(move |stream| {
        let keeps = matches!(stream.ecosystem, Ecosystem::Go | Ecosystem::Julia);
        ours && !keeps && !platforms::is_distribution(stream.ecosystem)
    })
}

/// Reads the database in a folder, or the one that `path` is.
///
/// # Errors
/// When there is none, it is of another schema or damaged, a limit is passed, or too much of a
/// source is not understood.
pub fn read(path: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let (database, archive) = match path.is_file() {
        true if path.extension().is_some_and(|e| e == "gz") => (None, Some(path.to_owned())),
        true => (Some(path.to_owned()), None),
        false => {
            let there = |name: &str| Some(path.join(name)).filter(|p| p.is_file());
            (there(DATABASE), there(ARCHIVE))
        }
    };
    let (database, metadata) = match (database, archive) {
        (Some(file), archive) => {
            if archive.is_some() {
                into.ignored.push(format!("trivy/{ARCHIVE}: {DATABASE} is beside it"));
            }
            let metadata = file.with_file_name(METADATA);
            let metadata = metadata.is_file().then(|| document(&metadata, limits)).transpose()?;
            (Database::open(&file)?, metadata)
        }
        (None, Some(file)) => {
            let unpacked = archive::unpack(&file, limits)?;
            let name = format!("{DATABASE} in {}", file.display());
            (Database::from_file(unpacked.database, &name)?, unpacked.metadata)
        }
        (None, None) => {
            let message = format!("{}: neither {DATABASE} nor {ARCHIVE} in it", path.display());
            return Err(Error::new(ErrorKind::NotFound, message));
        }
    };
    let as_of = match metadata {
        // Without it the feeds bear no date, which whoever builds may give.
        None => None,
        Some(json) => date(&json).map_err(|e| e.within(database.name()))?,
    };
    import(&database, as_of, limits, into)
}

/// The date of `metadata.json`, which must be of the known schema.
fn date(json: &[u8]) -> Result<Option<Timestamp>> {
    let metadata: Metadata =
        object(json).map_err(|e| Error::malformed(format!("no readable {METADATA}")).because(e))?;
    if metadata.version != SCHEMA {
        let message = format!("it is of schema {}; {SCHEMA} is read", metadata.version);
        return Err(Error::malformed(message));
    }
    Ok(super::osv::time(metadata.updated_at))
}

/// Imports an open database whose facts are of `as_of`.
///
/// # Errors
/// As [`read`].
pub fn import(
    database: &Database,
    as_of: Option<Timestamp>,
    limits: &Limits,
    into: &mut Gathered,
) -> Result<()> {
    if database.used_bytes() > limits.total_bytes {
        let message = format!("{}: larger than {} bytes", database.name(), limits.total_bytes);
        return Err(Error::new(ErrorKind::OverLimit, message));
    }
    let mut import = Import::new(limits, into);
    import.tables(database)?;
    import.platforms(database)?;
    if import.counts.is_empty() {
        return Err(Error::malformed(format!("{}: no advisories in it", database.name())));
    }
    let Import { counts, ignored, details, .. } = import;
    for (id, detail) in details {
        detail.ratings.into_iter().for_each(|rating| into.rate(&id, rating));
    }
    counts.finish(as_of, limits, into)?;
    ignored.finish(into);
    Ok(())
}

/// Reads a JSON object. A list would pass for one, its members in the order of our fields.
fn object<T: serde::de::DeserializeOwned>(json: &[u8]) -> std::result::Result<T, String> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err("no JSON object".to_owned());
    }
    serde_json::from_slice(json).map_err(|e| e.to_string())
}

/// Reads one JSON text as an advisory of every form that there is: the entry for fuzzing.
pub fn fuzz_advisory(bytes: &[u8]) {
    let details = Details::new();
    let context = Context { source: "fuzz", details: &details, module: Some("a:1") };
    let mut cpes = Cpes::default();
    drop(cpes.add(b"1", br#""cpe:/o:redhat:enterprise_linux:9""#));
    drop(red_hat::read("CVE-1", bytes, &cpes, &context));
    drop(Detail::parse(bytes));
    if let Ok(raw) = object::<Raw>(bytes) {
        drop(context.release("CVE-1", raw.clone()));
        for ecosystem in [Ecosystem::PyPI, Ecosystem::Npm, Ecosystem::Maven, Ecosystem::RubyGems] {
            drop(context.language(vec![("CVE-1".to_owned(), raw.clone())], ecosystem));
        }
    }
}
