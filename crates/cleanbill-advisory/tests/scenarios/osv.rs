//! Short ways to write entries of OSV's zips.

use std::io::Write as _;

use serde_json::{Value, json};

use super::support::Feeds;

/// The zip of one ecosystem.
pub(crate) fn zip(ecosystem: &str, entries: &[Value]) -> Feeds {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut bytes);
    for entry in entries {
        let name = format!("{}.json", entry["id"].as_str().unwrap());
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(entry.to_string().as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    vec![(format!("osv/{ecosystem}/all.zip"), bytes.into_inner())]
}

/// An entry, of `HIGH` severity.
pub(crate) fn entry(id: &str, aliases: &[&str], affected: &[Value]) -> Value {
    json!({
        "id": id,
        "modified": "2026-08-20T00:00:00Z",
        "published": "2026-08-20T00:00:00Z",
        "aliases": aliases,
        "affected": affected,
        "database_specific": {"severity": "HIGH"},
    })
}

/// The same entry with one more field, or another value of it.
pub(crate) fn with(mut entry: Value, field: &str, value: Value) -> Value {
    entry[field] = value;
    entry
}

/// What is affected of a package: `events` are `introduced 1 fixed 2`.
pub(crate) fn affected(ecosystem: &str, name: &str, events: &str) -> Value {
    ranges(ecosystem, name, &[("ECOSYSTEM", events)])
}

/// The same with several ranges, each of a type.
pub(crate) fn ranges(ecosystem: &str, name: &str, ranges: &[(&str, &str)]) -> Value {
    let events = |text: &str| {
        let words: Vec<&str> = text.split(' ').collect();
        words.chunks(2).map(|pair| json!({pair[0]: pair[1]})).collect::<Vec<_>>()
    };
    let ranges: Vec<Value> =
        ranges.iter().map(|(kind, text)| json!({"type": kind, "events": events(text)})).collect();
    json!({"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges})
}

/// A feed that has nothing to do with what is looked up.
pub(crate) fn unrelated() -> Feeds {
    zip("Hackage", &[entry("HSEC-1", &[], &[affected("Hackage", "unrelated", "introduced 0")])])
}
