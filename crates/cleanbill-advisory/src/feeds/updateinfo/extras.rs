//! The extras of a release: repositories that a catalogue names, one a topic. Below the release's
//! folder lie `extras/<architecture>/catalogue.json` and
//! `extras/<architecture>/<topic>/updateinfo.xml.gz`.
//!
//! What is missing is no error, as with the repositories that every release has: a topic that is not
//! whole is not covered, so that packages of it are gaps. Nor is one that has no errata at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cleanbill_core::ecosystem::Stream;
use cleanbill_core::matching::amazon_extra;
use serde::Deserialize;

use super::repositories::Release;
use super::{FILE, Reading, file};
use crate::error::{Error, Result};
use crate::feeds::errata::Errata;
use crate::feeds::{document, entries};
use crate::limits::Limits;

/// The folder of all, below that of the release.
pub(crate) const FOLDER: &str = "extras";
/// The file that names the topics.
pub(crate) const CATALOGUE: &str = "catalogue.json";
/// Topics of one catalogue at most; there are some 70.
const TOPICS: usize = 1000;

#[derive(Deserialize)]
struct Catalogue {
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
struct Topic {
    n: String,
}

/// The topics of a catalogue.
///
/// # Errors
/// When it is none, names none, too many, or one that is no name.
pub(crate) fn topics(json: &[u8]) -> Result<BTreeSet<String>> {
    let catalogue: Catalogue = serde_json::from_slice(json)
        .map_err(|e| Error::malformed("no catalogue of extras").because(e))?;
    if catalogue.topics.is_empty() || catalogue.topics.len() > TOPICS {
        let count = catalogue.topics.len();
        let message = format!("a catalogue of {count} extras, where 1 to {TOPICS} are usual");
        return Err(Error::malformed(message));
    }
    let names: BTreeSet<String> = catalogue.topics.into_iter().map(|topic| topic.n).collect();
    match names.iter().find(|name| !is_topic(name)) {
        Some(name) => {
            let shown: String = name.chars().take(40).collect();
            Err(Error::malformed(format!("{shown:?} is no name of an extra")))
        }
        None => Ok(names),
    }
}

/// Whether a text may be a topic: it becomes the name of a folder, and a part of an address.
fn is_topic(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    text.len() <= 64 && !text.starts_with(['.', '-']) && !text.is_empty() && text.bytes().all(plain)
}

/// Reads the extras of a release whose folder this is.
///
/// # Errors
/// When a file that is there is damaged.
pub(super) fn read(
    release: &Release,
    of: &Stream,
    folder: &Path,
    limits: &Limits,
    reading: &mut Reading<'_>,
) -> Result<()> {
    let folder = folder.join(FOLDER);
    let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut there: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for arch in release.arches {
        let folder = folder.join(arch);
        let catalogue = folder.join(CATALOGUE);
        let within = |e: Error| e.within(catalogue.display());
        if catalogue.is_file() {
            for topic in document(&catalogue, limits).and_then(|j| topics(&j)).map_err(within)? {
                named.entry(topic).or_default().insert(arch);
            }
        }
        let topics = if folder.is_dir() { entries(&folder)? } else { Vec::new() };
        for (topic, path) in topics.into_iter().filter(|(name, _)| is_topic(name)) {
            if path.join(FILE).is_file() {
                there.entry(topic).or_default().insert(arch);
            }
        }
    }
    let mut covered = 0;
    for (topic, arches) in &there {
        let mut errata = Errata::default();
        for arch in arches {
            let path = folder.join(arch).join(topic).join(FILE);
            file(&path, limits, &mut errata, &mut reading.tally)?;
        }
        let (label, stream) = amazon_extra(topic);
        let whole = named.get(topic).is_none_or(|named| named.is_subset(arches));
        // Without a catalogue it has to be there for all that the release has.
        if whole && (named.contains_key(topic) || arches.len() == release.arches.len()) {
            reading.streams.push(stream);
            covered += 1;
        }
        let errata = errata.within(&label);
        reading.take(errata, of, release.arches, limits).map_err(|e| e.within(topic))?;
    }
    let all = named.len().max(there.len());
    let (id, name) = (reading.publisher.id, release.name);
    if covered < all || all == 0 {
        reading.into.ignored.push(format!(
            "{id}/{name}: {covered} of {all} extras have errata that are whole; packages of others \
             are gaps"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::topics;

    #[test]
    fn catalogues_and_what_is_none() {
        let many = format!(r#"{{"topics":[{}]}}"#, vec![r#"{"n":"a"}"#; 1001].join(","));
        let deep = format!(r#"{{"motd":{}"#, "[".repeat(10_000));
        let long = format!(r#"{{"topics":[{{"n":"{}"}}]}}"#, "x".repeat(1 << 20));
        let shown = format!("{:?} is no name of an extra", "x".repeat(40));
        let table: [(&str, &str); 13] = [
            (
                r#"{"motd":"m","status":"ok","version":1,"whitelists":{},"topics":[{"n":"php7.4","inst":["php"],"versions":[]},{"n":"docker","visible":["x"]}]}"#,
                "docker php7.4",
            ),
            (r#"{"topics":[{"n":"a"},{"n":"a"}]}"#, "a"),
            ("", "no catalogue of extras: EOF while parsing a value at line 1 column 0"),
            ("<html>", "no catalogue of extras: expected value at line 1 column 1"),
            (r#"{"topics":[]}"#, "a catalogue of 0 extras, where 1 to 1000 are usual"),
            (&many, "a catalogue of 1001 extras, where 1 to 1000 are usual"),
            (&deep, "no catalogue of extras: EOF while parsing a list at line 1 column 10008"),
            (r#"{"topics":[{"n":""}]}"#, "\"\" is no name of an extra"),
            (r#"{"topics":[{"n":".."}]}"#, "\"..\" is no name of an extra"),
            (r#"{"topics":[{"n":"a/b"}]}"#, "\"a/b\" is no name of an extra"),
            (r#"{"topics":[{"n":"a?b"}]}"#, "\"a?b\" is no name of an extra"),
            (
                r#"{"topics":[{"n":3}]}"#,
                "no catalogue of extras: invalid type: integer `3`, expected a string at line 1 column 17",
            ),
            (&long, &shown),
        ];
        for (json, want) in table {
            let said = match topics(json.as_bytes()) {
                Ok(topics) => topics.into_iter().collect::<Vec<_>>().join(" "),
                Err(e) => e.to_string(),
            };
            assert_eq!(said, want);
        }
    }
}
