//! The security databases of distributions that use apk: for each source package the versions
//! that fixed something, and what. Alpine has `v3.9/main.json` and `v3.9/community.json`; Wolfi and
//! Chainguard, which have no releases, one `security.json` each.

use std::collections::BTreeMap;
use std::path::Path;

use cleanbill_core::advisory::{Advisory, Feed, Range, RangeEnd, State};
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use serde::Deserialize;

use super::{document, entries, sound};
use crate::error::{Error, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The file of Wolfi and of Chainguard.
pub(crate) const SECURITY: &str = "security.json";
const REPOSITORIES: [&str; 2] = ["main.json", "community.json"];

#[derive(Deserialize)]
struct Repository {
    #[serde(default)]
    distroversion: Option<String>,
    packages: Option<Vec<Outer>>,
}

#[derive(Deserialize)]
struct Outer {
    pkg: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// Fixed version to what it fixed.
    secfixes: Option<BTreeMap<String, Option<Vec<String>>>>,
}

/// The version that fixes what never was a flaw of the package.
const NEVER: &str = "0";

/// What was counted over all files.
#[derive(Default)]
struct Count {
    advisories: u64,
    lines: u64,
    not_understood: u64,
    example: String,
}

/// Reads every release below `folder`. The files carry no date, so that the feed has none unless
/// the build is told.
///
/// # Errors
/// When a release has no `main.json`, or a file is no such database.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut count = Count::default();
    let mut streams = Vec::new();
    for (release, path) in entries(folder)? {
        for file in REPOSITORIES {
            let path = path.join(file);
            // Releases before 3.3 have no community repository.
            if file == "community.json" && !path.exists() {
                continue;
            }
            let bytes = document(&path, limits)?;
            let before = count.lines;
            let stream = repository(&bytes, None, into, &mut count)
                .and_then(|stream| {
                    if stream.release == release {
                        return Ok(stream);
                    }
                    let why = format!("it speaks of {}, its folder of {release}", stream.release);
                    Err(Error::malformed(why))
                })
                .map_err(|e| e.within(path.display()))?;
            // A file that says nothing of any package covers nothing: otherwise every image of
            // that release would look clean.
            if count.lines > before {
                streams.push(stream);
            }
        }
    }
    sound("alpine-secdb", count.lines, count.not_understood, &count.example, limits)?;
    into.feeds.push(Feed {
        id: "alpine-secdb".to_owned(),
        as_of: None,
        licence: "as published by Alpine Linux (no licence stated)".to_owned(),
        advisories: count.advisories,
        not_understood: count.not_understood,
        streams,
    });
    Ok(())
}

/// Reads Wolfi's database below `folder`.
///
/// # Errors
/// When it is not there, or is no such database.
pub fn read_wolfi(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    without_releases(folder, Ecosystem::Wolfi, "wolfi", limits, into)
}

/// Reads Chainguard's database below `folder`.
///
/// # Errors
/// When it is not there, or is no such database.
pub fn read_chainguard(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    without_releases(folder, Ecosystem::Chainguard, "chainguard", limits, into)
}

/// Both are published for use that earns nothing and changes nothing: for who has them, never to
/// be shipped.
fn without_releases(
    folder: &Path,
    ecosystem: Ecosystem,
    id: &str,
    limits: &Limits,
    into: &mut Gathered,
) -> Result<()> {
    let path = folder.join(SECURITY);
    let bytes = document(&path, limits)?;
    let mut count = Count::default();
    let stream = Some(Stream::of(ecosystem));
    let stream =
        repository(&bytes, stream, into, &mut count).map_err(|e| e.within(path.display()))?;
    sound(id, count.lines, count.not_understood, &count.example, limits)
        .map_err(|e| e.within(path.display()))?;
    into.feeds.push(Feed {
        id: id.to_owned(),
        as_of: None,
        licence: "CC-BY-NC-ND-4.0".to_owned(),
        advisories: count.advisories,
        not_understood: count.not_understood,
        streams: vec![stream],
    });
    Ok(())
}

/// Reads one file's bytes; `stream` is what it speaks of, if it does not say so itself.
///
/// # Errors
/// When they are no such database.
pub fn parse(bytes: &[u8], stream: Option<Stream>, into: &mut Gathered) -> Result<Stream> {
    repository(bytes, stream, into, &mut Count::default())
}

fn repository(
    bytes: &[u8],
    stream: Option<Stream>,
    into: &mut Gathered,
    count: &mut Count,
) -> Result<Stream> {
    let repository: Repository = serde_json::from_slice(bytes)
        .map_err(|e| Error::malformed("no security database of apk packages").because(e))?;
    let alpine = |release| Stream::release(Ecosystem::Alpine, release);
    let stream = stream
        .or_else(|| repository.distroversion.map(alpine))
        .ok_or_else(|| Error::malformed("it does not say of which release it speaks"))?;
    for Outer { pkg } in repository.packages.unwrap_or_default() {
        let mut flaws: BTreeMap<String, Advisory> = BTreeMap::new();
        for (version, lines) in pkg.secfixes.unwrap_or_default() {
            let lines = lines.unwrap_or_default();
            // Of what never was a flaw of the package there is no finding to be one.
            let told = version != NEVER && !stream.ecosystem.has_releases();
            let twice = one_flaw(&lines).filter(|_| told);
            for line in &lines {
                count.lines += 1;
                let ids = Ids::of(line);
                if ids.flaws.is_empty() {
                    count.not_understood += 1;
                    if count.example.is_empty() {
                        let example = format!("{stream} {}: {line:?}", pkg.name);
                        count.example = example.chars().take(200).collect();
                    }
                }
                for id in ids.flaws {
                    let alias = twice.filter(|(_, ghsa)| **ghsa == id);
                    let id = alias.map_or(id, |(cve, _)| cve.to_owned());
                    let flaw = flaws
                        .entry(id.clone())
                        .or_insert_with(|| Advisory { id, ..Advisory::default() });
                    flaw.aliases.extend(alias.map(|(_, ghsa)| ghsa.to_owned()));
                    flaw.errata.extend(ids.groups.iter().cloned());
                    fixed_in(flaw, &version);
                }
            }
        }
        for (_, mut flaw) in flaws {
            for ids in [&mut flaw.aliases, &mut flaw.errata] {
                ids.sort();
                ids.dedup();
            }
            // A fix in some version outweighs "never affected" in another line.
            if flaw.ranges.is_empty() {
                flaw.state = State::NotAffected;
            }
            count.advisories += 1;
            into.add(&stream, &pkg.name, flaw);
        }
    }
    Ok(stream)
}

/// The CVE and GitHub's id that a list has, where it has one of each and nothing else: Wolfi and
/// Chainguard list every id of a flaw that they know, without saying which belong together. In longer
/// lists nothing tells that, and then each is a flaw.
fn one_flaw(lines: &[String]) -> Option<(&str, &str)> {
    let [a, b] = lines else { return None };
    let is_pair = |cve: &str, ghsa: &str| cve.starts_with("CVE-") && is_ghsa(ghsa);
    match (is_pair(a, b), is_pair(b, a)) {
        (true, _) => Some((a, b)),
        (_, true) => Some((b, a)),
        (false, false) => None,
    }
}

/// [`NEVER`] means that the package never had the flaw. A flaw that is listed under two versions was
/// fixed again by the later one: a version below either counts as affected.
fn fixed_in(flaw: &mut Advisory, version: &str) {
    if version != NEVER {
        let end = RangeEnd::Fixed(version.to_owned());
        flaw.ranges.push(Range { introduced: None, end });
    }
}

/// The ids in one line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ids {
    /// One finding each.
    flaws: Vec<String>,
    /// Ids that stand beside CVEs, such as XSA and TALOS; an XSA may hold several flaws.
    groups: Vec<String>,
}

impl Ids {
    /// People write these lines: `CVE-2016-9932 XSA-200`, `CVE-2017-2616 (+ regression fix)`,
    /// `CVE 2018-16859`, `CVE_2019-2426`, `CVE-2017-17434-1`, `CVE-2017-8073.patch`,
    /// `CVE-????-?????  XSA-295`.
    fn of(line: &str) -> Self {
        let line = line.split('(').next().unwrap_or_default();
        let mut ids = Self::default();
        let mut words = line.split(|c: char| c.is_whitespace() || c == ',').peekable();
        while let Some(word) = words.next() {
            let word = match words.peek() {
                Some(next) if word == "CVE" => format!("CVE-{next}"),
                Some(_) | None => word.replacen("CVE_", "CVE-", 1),
            };
            if let Some(cve) = cve(&word) {
                ids.flaws.push(cve);
            } else if !word.starts_with("CVE") && is_id(&word) {
                ids.groups.push(word);
            }
        }
        ids.flaws.dedup();
        if ids.flaws.is_empty() {
            std::mem::swap(&mut ids.flaws, &mut ids.groups);
        }
        ids
    }
}

/// The CVE id that a word begins with.
pub(super) fn cve(word: &str) -> Option<String> {
    let (year, rest) = word.strip_prefix("CVE-")?.split_once('-')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let good = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && digits >= 4;
    good.then(|| format!("CVE-{year}-{}", rest.get(..digits).unwrap_or_default()))
}

/// Letters, a dash, and a digit somewhere behind it: `XSA-295`, `wnpa-sec-2017-18`. Ids of GitHub's may
/// have none.
fn is_id(word: &str) -> bool {
    is_ghsa(word)
        || word.split_once('-').is_some_and(|(head, rest)| {
            head.starts_with(|c: char| c.is_ascii_alphabetic())
                && head.bytes().all(|b| b.is_ascii_alphanumeric())
                && rest.bytes().any(|b| b.is_ascii_digit())
        })
}

/// Whether a word is an id of GitHub's: three times four of the letters that they are made of.
fn is_ghsa(word: &str) -> bool {
    let parts: Vec<&str> = word.strip_prefix("GHSA-").unwrap_or_default().split('-').collect();
    let made = |b: u8| b"23456789cfghjmpqrvwx".contains(&b);
    parts.len() == 3 && parts.iter().all(|part| part.len() == 4 && part.bytes().all(made))
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn ids_are_found_in_what_people_write() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("CVE-2019-1234", &["CVE-2019-1234"], &[]),
            ("CVE-2016-9932 XSA-200", &["CVE-2016-9932"], &["XSA-200"]),
            ("CVE-2018-3639   XSA-263", &["CVE-2018-3639"], &["XSA-263"]),
            ("CVE-2017-2616 (+ regression fix)", &["CVE-2017-2616"], &[]),
            ("CVE-2018-16301 (was fixed in libpcap)", &["CVE-2018-16301"], &[]),
            ("CVE 2018-16859", &["CVE-2018-16859"], &[]),
            ("CVE_2019-2426", &["CVE-2019-2426"], &[]),
            ("CVE-2017-17434-1", &["CVE-2017-17434"], &[]),
            ("CVE-2019-19451.patch", &["CVE-2019-19451"], &[]),
            ("CVE-????-?????  XSA-295", &["XSA-295"], &[]),
            ("XSA-207", &["XSA-207"], &[]),
            ("wnpa-sec-2017-18", &["wnpa-sec-2017-18"], &[]),
            ("ZBX-11023", &["ZBX-11023"], &[]),
            ("GHSA-cfgh-jmpq-rvwx", &["GHSA-cfgh-jmpq-rvwx"], &[]),
            ("CVE-2024-1234 GHSA-wwwp-mhcc-xxcf", &["CVE-2024-1234"], &["GHSA-wwwp-mhcc-xxcf"]),
            ("GHSA-hw4x-mcx5-9q36", &["GHSA-hw4x-mcx5-9q36"], &[]),
            ("GHSA-aaaa-bbbb-cccc", &[], &[]),
            ("GHSA-cfgh-jmpq", &[], &[]),
            ("GHSA-cfgh-jmpq-rvwx-cfgh", &[], &[]),
            ("ghsa-cfgh-jmpq-rvwx", &[], &[]),
            (
                "CVE-2017-5753 CVE-2017-5715 CVE-2017-5754 XSA-254 XPTI",
                &["CVE-2017-5753", "CVE-2017-5715", "CVE-2017-5754"],
                &["XSA-254"],
            ),
            ("CVE-????-?????", &[], &[]),
            ("CVE-2019-12", &[], &[]),
            ("fix a crash", &[], &[]),
            ("", &[], &[]),
            ("CVE", &[], &[]),
        ];
        for (line, flaws, groups) in table {
            let ids = Ids::of(line);
            assert_eq!((ids.flaws, ids.groups), (owned(flaws), owned(groups)), "{line:?}");
        }
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|t| (*t).to_owned()).collect()
    }
}
