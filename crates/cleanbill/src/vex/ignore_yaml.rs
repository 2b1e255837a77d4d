//! `.trivyignore.yaml`: flaws by id, with paths, package URLs, an end, and why.
//!
//! What Trivy ignores for its other scanners (`misconfigurations`, `secrets`, `licenses`) is
//! passed over, since nothing of it is looked for. An entry with a key that is not known is not
//! understood: it may be the end of it.

use cleanbill_core::Timestamp;
use cleanbill_core::suppression::{IgnoreEntry, PathPattern, Place};
use serde_saphyr::Spanned;

use super::ignore_lines::day;
use super::notes::{Notes, shown};
use super::{Format, Reader, Wrong, flaw_id, value};
use crate::policy_file::node::{self, Node, Placed};

/// YAML.
pub(super) const FORMAT: Format = Format {
    name: ".trivyignore.yaml",
    reader: Reader::Ignore { is: |name| name.ends_with(".yaml") || name.ends_with(".yml"), read },
};

/// What is not looked for.
const OTHER_SCANNERS: [&str; 3] = ["misconfigurations", "secrets", "licenses"];
const NEXT: &str = "write vulnerabilities: with a list of entries, each with an id";

fn read(bytes: &[u8], notes: &mut Notes) -> Result<Vec<IgnoreEntry>, Wrong> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Wrong::new("", "it is not UTF-8", "save it as UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = node::parse(text)
        .map_err(|w| Wrong::new(format!(":{}:{}", w.line, w.column), w.message, NEXT))?;
    let wrong = |at: &Placed, why: String| Wrong::new(format!(":{}", line(at)), why, NEXT);
    let sections = match &root.value {
        Node::Null => return Ok(Vec::new()),
        Node::Map(sections) => sections,
        Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => {
            return Err(wrong(&root, format!("it is {}, not a mapping", root.value.what())));
        }
    };
    let mut entries = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in sections {
        let word = key.value.as_text();
        if seen.contains(&word) {
            return Err(wrong(key, format!("\"{}\" is there twice", shown(word))));
        }
        seen.push(word);
        if word != "vulnerabilities" {
            if !OTHER_SCANNERS.contains(&word) {
                let why = format!("\"{}\" is no section of an ignore file", shown(word));
                notes.tell(Place::Line(line(key)), why);
            }
            continue;
        }
        let list: &[Placed] = match &value.value {
            Node::List(list) => list,
            Node::Null => &[],
            Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Map(_) => {
                let why = format!("\"vulnerabilities\" is {}, not a list", value.value.what());
                return Err(wrong(value, why));
            }
        };
        for item in list {
            match entry(item) {
                Ok(entry) => entries.push(entry),
                Err(why) => notes.tell(Place::Line(line(item)), why),
            }
        }
    }
    Ok(entries)
}

/// The line of a value.
fn line(at: &Spanned<Node>) -> u64 {
    at.referenced.line().max(1)
}

fn entry(item: &Placed) -> Result<IgnoreEntry, String> {
    let Node::Map(map) = &item.value else {
        return Err(format!("an entry is {}, not a mapping with an id", item.value.what()));
    };
    let place = Place::Line(line(item));
    let mut id = None;
    let (mut paths, mut purls, mut expires, mut statement) = (Vec::new(), Vec::new(), None, None);
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in map {
        let word = key.value.as_text();
        if seen.contains(&word) {
            return Err(format!("\"{}\" is there twice", shown(word)));
        }
        seen.push(word);
        match word {
            "id" => id = Some(flaw_id(text(word, value)?)?),
            "statement" => statement = Some(text(word, value)?.to_owned()),
            "expired_at" => expires = Some(end(text(word, value)?)?),
            "paths" => {
                let pattern = |p: &str| {
                    let why = |e| format!("\"{}\" is no pattern of paths: {e}", shown(p));
                    PathPattern::new(p).map_err(why)
                };
                paths = each(word, value, pattern)?;
            }
            "purls" => purls = each(word, value, value::purl)?,
            other => return Err(format!("\"{}\" is no key of an entry", shown(other))),
        }
    }
    let id = id.ok_or("an entry has no id")?;
    Ok(IgnoreEntry { place, id, paths, purls, expires, statement })
}

fn text<'n>(key: &str, value: &'n Placed) -> Result<&'n str, String> {
    match &value.value {
        Node::Text(text) => Ok(text),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => {
            Err(format!("\"{key}\" is {}, not a text", value.value.what()))
        }
    }
}

/// Every text of a list. An empty list would mean anything, so it is none.
fn each<T>(
    key: &str,
    value: &Placed,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    match &value.value {
        Node::List(list) if list.is_empty() => Err(format!("\"{key}\" is empty")),
        Node::List(list) => list.iter().map(|item| read(text(key, item)?)).collect(),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Map(_) => {
            Err(format!("\"{key}\" is {}, not a list", value.value.what()))
        }
    }
}

/// The end of an entry: the time at which a day begins, or a time (RFC 3339).
fn end(text: &str) -> Result<Timestamp, String> {
    let end = day(text).or_else(|| text.parse().ok());
    end.ok_or_else(|| format!("\"{}\" is no date (YYYY-MM-DD)", shown(text)))
}
