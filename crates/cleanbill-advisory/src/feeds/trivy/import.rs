//! The two walks over the database: what advisories refer to, then the advisories by platform.
//!
//! One package's advisories at a time are in memory beside what has been gathered.

use std::collections::BTreeMap;

use cleanbill_core::ecosystem::Stream;

use super::advisory::{Context, Raw};
use super::details::{Detail, Details};
use super::ignored::Ignored;
use super::object;
use super::platforms::{DATA_SOURCES, FLAWS, Holds, RED_HAT_CPES, holds, names_sources};
use super::red_hat::{self, Cpes};
use super::sources::{Count, Counts, Source};
use crate::bbolt::{Bucket, Database, Value, Walk};
use crate::error::{Error, ErrorKind, Result};
use crate::feeds::SOURCE;
use crate::gather::Gathered;
use crate::limits::Limits;

/// Everything that is known while platforms are read.
pub(super) struct Import<'i> {
    limits: &'i Limits,
    into: &'i mut Gathered,
    sources: BTreeMap<String, Source>,
    pub details: Details,
    cpes: Cpes,
    pub counts: Counts,
    pub ignored: Ignored,
    /// Advisories made so far: entries may be multiplied by streams.
    made: u64,
}

impl<'i> Import<'i> {
    pub(super) fn new(limits: &'i Limits, into: &'i mut Gathered) -> Self {
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
    pub(super) fn tables(&mut self, database: &Database) -> Result<()> {
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
    pub(super) fn platforms(&mut self, database: &Database) -> Result<()> {
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
        let stream = kind.stream();
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
            // A platform of which nothing is said covers nothing.
            if let Some(stream) = stream.as_ref().filter(|_| !entries.is_empty()) {
                self.counts.of(&source).covers(stream);
            }
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
                found.extend(advisories.map(|mut advisory| {
                    if names_sources(stream.ecosystem) {
                        advisory.arches = vec![SOURCE.to_owned()];
                    }
                    (stream.clone(), advisory)
                }));
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
