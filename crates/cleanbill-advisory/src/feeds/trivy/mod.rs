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

use std::collections::BTreeMap;
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use serde::Deserialize;

use super::document;
use crate::bbolt::{Bucket, Database, Value, Walk};
use crate::error::{Error, ErrorKind, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

mod advisory;
mod archive;
mod constraints;
mod details;
mod ignored;
mod platforms;
mod red_hat;
mod sources;
mod stretches;
#[cfg(test)]
mod tests;

use advisory::{Context, Raw};
use details::{Detail, Details};
use ignored::Ignored;
use platforms::{DATA_SOURCES, FLAWS, Holds, RED_HAT_CPES, holds};
use red_hat::Cpes;
use sources::{Count, Counts, Source};

/// The database, beside [`METADATA`].
pub(crate) const DATABASE: &str = "trivy.db";
/// What the database says of itself.
const METADATA: &str = "metadata.json";
/// Both in one file, as the artifact's layer has them.
pub(crate) const ARCHIVE: &str = "db.tar.gz";
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

/// Everything that is known while platforms are read.
struct Import<'i> {
    limits: &'i Limits,
    into: &'i mut Gathered,
    sources: BTreeMap<String, Source>,
    details: Details,
    cpes: Cpes,
    counts: Counts,
    ignored: Ignored,
    /// Advisories made so far: entries may be multiplied by streams.
    made: u64,
}

impl<'i> Import<'i> {
    fn new(limits: &'i Limits, into: &'i mut Gathered) -> Self {
        Self {
            limits,
            into,
            sources: BTreeMap::new(),
            details: Details::new(),
            cpes: Cpes::default(),
            counts: Counts::default(),
            ignored: Ignored::default(),
            made: 0,
        }
    }

    /// The first walk: what advisories refer to.
    fn tables(&mut self, database: &Database) -> Result<()> {
        let mut walk = database.walk();
        let mut root = walk.cursor(&walk.root())?;
        while let Some((name, value)) = root.next(&mut walk)? {
            let Value::Bucket(bucket) = value else { continue };
            match name.as_slice() {
                n if n == DATA_SOURCES.as_bytes() => self.data_sources(&mut walk, &bucket)?,
                n if n == FLAWS.as_bytes() => self.flaws(&mut walk, &bucket)?,
                n if n == RED_HAT_CPES.as_bytes() => self.products(&mut walk, &bucket)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn data_sources(&mut self, walk: &mut Walk<'_>, bucket: &Bucket) -> Result<()> {
        let mut cursor = walk.cursor(bucket)?;
        while let Some((key, value)) = cursor.next(walk)? {
            match (String::from_utf8(key), value) {
                (Ok(platform), Value::Bytes(json)) => match object(&json) {
                    Ok(source) => drop(self.sources.insert(platform, source)),
                    Err(_) => self.ignored.add(DATA_SOURCES, 1, "not understood"),
                },
                (..) => self.ignored.add(DATA_SOURCES, 1, "not understood"),
            }
        }
        Ok(())
    }

    fn flaws(&mut self, walk: &mut Walk<'_>, bucket: &Bucket) -> Result<()> {
        let mut cursor = walk.cursor(bucket)?;
        while let Some((key, value)) = cursor.next(walk)? {
            let detail = match (String::from_utf8(key), value) {
                (Ok(id), Value::Bytes(json)) => Detail::parse(&json).ok().map(|d| (id, d)),
                (..) => None,
            };
            match detail {
                Some((id, detail)) => drop(self.details.insert(id, detail)),
                // The advisories of such a flaw stay, without a severity.
                None => self.ignored.add(FLAWS, 1, "not understood"),
            }
            self.within_limits(self.details.len() as u64)?;
        }
        Ok(())
    }

    /// The bucket of CPEs has three below it, of which one says which number is which.
    fn products(&mut self, walk: &mut Walk<'_>, bucket: &Bucket) -> Result<()> {
        let mut cursor = walk.cursor(bucket)?;
        while let Some((key, value)) = cursor.next(walk)? {
            let Value::Bucket(inner) = value else { continue };
            if key != b"cpe" {
                continue;
            }
            let mut numbers = walk.cursor(&inner)?;
            while let Some((number, value)) = numbers.next(walk)? {
                let added = match value {
                    Value::Bytes(json) => self.cpes.add(&number, &json).is_ok(),
                    Value::Bucket(_) => false,
                };
                if !added {
                    self.ignored.add(RED_HAT_CPES, 1, "not understood");
                }
            }
        }
        Ok(())
    }

    /// The second walk: advisories by platform.
    fn platforms(&mut self, database: &Database) -> Result<()> {
        let mut walk = database.walk();
        let mut root = walk.cursor(&walk.root())?;
        while let Some((name, value)) = root.next(&mut walk)? {
            let name = String::from_utf8_lossy(&name).into_owned();
            let bucket = match value {
                Value::Bucket(bucket) => bucket,
                Value::Bytes(_) => {
                    self.ignored.add(&name, 1, "no bucket");
                    continue;
                }
            };
            match holds(&name) {
                Holds::Itself => {}
                Holds::Unknown(why) => {
                    let entries = walk.count(&bucket)?;
                    self.ignored.add(&name, entries, why);
                }
                kind @ (Holds::Release(_) | Holds::Language(_) | Holds::RedHat) => {
                    self.platform(&mut walk, &bucket, &name, &kind)?;
                }
            }
        }
        Ok(())
    }

    /// Packages below a platform, and flaws below each.
    fn platform(
        &mut self,
        walk: &mut Walk<'_>,
        bucket: &Bucket,
        name: &str,
        kind: &Holds,
    ) -> Result<()> {
        let source = self.sources.get(name).cloned().unwrap_or_default();
        if let Some(stream) = kind.stream() {
            self.counts.of(&source).covers(&stream);
        }
        let mut packages = walk.cursor(bucket)?;
        while let Some((key, value)) = packages.next(walk)? {
            let package = String::from_utf8_lossy(&key).into_owned();
            let entries = match value {
                Value::Bucket(inner) if !package.is_empty() => values(walk, &inner)?,
                Value::Bucket(_) | Value::Bytes(_) => {
                    let count = self.counts.of(&source);
                    count.entries += 1;
                    count.missed(name, "a package without a name or without flaws");
                    continue;
                }
            };
            self.package(&source, name, kind, &package, entries)?;
        }
        Ok(())
    }

    fn package(
        &mut self,
        source: &Source,
        platform: &str,
        kind: &Holds,
        package: &str,
        entries: Vec<(String, Option<Vec<u8>>)>,
    ) -> Result<()> {
        // `nodejs:18::npm` is npm of the module stream nodejs:18.
        let (module, plain) = match (kind, package.rsplit_once("::")) {
            (Holds::Release(_) | Holds::RedHat, Some((module, name))) => (Some(module), name),
            _ => (None, package),
        };
        let context = Context { source: source.id(), details: &self.details, module };
        let count: &mut Count = self.counts.of(source);
        let mut found = Vec::new();
        let mut raws = Vec::new();
        for (id, json) in entries {
            count.entries += 1;
            let place = || format!("{platform} {package} {id}");
            let Some(json) = json.filter(|_| !id.is_empty()) else {
                count.missed(&place(), "no advisory under a name");
                continue;
            };
            let understood = match kind {
                Holds::RedHat => red_hat::read(&id, &json, &self.cpes, &context).map(|said| {
                    let why = "of other products than Enterprise Linux";
                    self.ignored.add(platform, said.elsewhere, why);
                    found.extend(said.advisories);
                }),
                Holds::Release(_) | Holds::Language(_) | Holds::Itself | Holds::Unknown(_) => {
                    object(&json).map(|raw: Raw| raws.push((id.clone(), raw)))
                }
            };
            match understood {
                Ok(()) => count.advisories += 1,
                Err(why) => count.missed(&place(), &why),
            }
        }
        match kind {
            Holds::Release(stream) => {
                let advisories = raws.into_iter().flat_map(|(id, raw)| context.release(&id, raw));
                found.extend(advisories.map(|a| (stream.clone(), a)));
            }
            Holds::Language(ecosystem) => {
                let stream = Stream::of(*ecosystem);
                let advisories = context.language(raws, *ecosystem);
                found.extend(advisories.into_iter().map(|a| (stream.clone(), a)));
            }
            Holds::RedHat | Holds::Itself | Holds::Unknown(_) => {}
        }
        self.made = self.made.saturating_add(found.len() as u64);
        self.within_limits(self.made)?;
        let count: &mut Count = self.counts.of(source);
        for (stream, advisory) in found {
            count.covers(&stream);
            let name = stream.package_name(plain).into_owned();
            self.into.add(&stream, &name, advisory);
        }
        Ok(())
    }

    fn within_limits(&self, number: u64) -> Result<()> {
        let most = self.limits.entries;
        if number > most {
            let message = format!("Trivy's database: more than {most} entries");
            return Err(Error::new(ErrorKind::OverLimit, message));
        }
        Ok(())
    }
}

/// The values of a package's bucket, each under the id of a flaw; `None` for what is no value.
fn values(walk: &mut Walk<'_>, bucket: &Bucket) -> Result<Vec<(String, Option<Vec<u8>>)>> {
    let mut out = Vec::new();
    let mut cursor = walk.cursor(bucket)?;
    while let Some((key, value)) = cursor.next(walk)? {
        let json = match value {
            Value::Bytes(json) => Some(json),
            Value::Bucket(_) => None,
        };
        out.push((String::from_utf8(key).unwrap_or_default(), json));
    }
    Ok(out)
}

/// Reads a JSON object. A list would pass for one, its members in the order of our fields.
fn object<T: serde::de::DeserializeOwned>(json: &[u8]) -> std::result::Result<T, String> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err("no JSON object".to_owned());
    }
    serde_json::from_slice(json).map_err(|e| e.to_string())
}

impl Holds {
    /// The one stream of all that it holds.
    fn stream(&self) -> Option<Stream> {
        match self {
            Self::Release(stream) => Some(stream.clone()),
            Self::Language(ecosystem) => Some(Stream::of(*ecosystem)),
            Self::RedHat | Self::Itself | Self::Unknown(_) => None,
        }
    }
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
