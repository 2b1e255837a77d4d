//! `.trivyignore`: one flaw a line, by its id, with `exp:YYYY-MM-DD` behind it if it ends.
//!
//! As in Trivy: what begins with `#` is a comment, and an entry holds until its day begins (UTC).
//! Unlike there, a line whose end is written wrongly, such as `expires:2026-01-01`, holds never
//! instead of for ever, and so does one with two ends.

use cleanbill_core::suppression::{IgnoreEntry, Place};
use cleanbill_core::{Date, Timestamp};

use super::notes::{Notes, shown};
use super::{Format, Reader, Wrong, flaw_id};

/// Lines.
pub(super) const FORMAT: Format =
    Format { name: ".trivyignore", reader: Reader::Ignore { is: |_| true, read } };

fn read(bytes: &[u8], notes: &mut Notes) -> Result<Vec<IgnoreEntry>, Wrong> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|b| *b == b'\n')) {
        let place = Place::Line(number);
        let Ok(line) = std::str::from_utf8(line) else {
            notes.tell(place, "it is not UTF-8");
            continue;
        };
        let mut words = line.split_whitespace();
        let Some(first) = words.next().filter(|w| !w.starts_with('#')) else { continue };
        match flaw_id(first).and_then(|id| Ok((id, end(words)?))) {
            Ok((id, expires)) => {
                let (paths, purls, statement) = (Vec::new(), Vec::new(), None);
                entries.push(IgnoreEntry { place, id, paths, purls, expires, statement });
            }
            Err(why) => notes.tell(place, why),
        }
    }
    Ok(entries)
}

/// How words begin that tell an end.
const ENDS: [&str; 8] =
    ["exp", "expire", "expired", "expires", "expiration", "expiry", "till", "until"];

/// The end that the words behind an id tell. Trivy looks for it in a comment, too.
fn end<'l>(words: impl Iterator<Item = &'l str>) -> Result<Option<Timestamp>, String> {
    let (mut end, mut comment) = (None, false);
    for word in words {
        comment |= word.starts_with('#');
        let named = names_an_end(word);
        // In a comment a day may be that of anything.
        if !(named && (word.contains(':') || !comment)) && (comment || !has_a_day(word)) {
            continue;
        }
        let date = word.strip_prefix("exp:").and_then(day);
        let date = date.ok_or_else(|| format!("\"{}\" is no exp:YYYY-MM-DD", shown(word)))?;
        if end.replace(date).is_some() {
            return Err("it ends twice".to_owned());
        }
    }
    Ok(end)
}

/// Whether a word begins as one that tells an end, whatever stands before it.
fn names_an_end(word: &str) -> bool {
    let word = word.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).to_ascii_lowercase();
    let end = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
    word.get(..end).is_some_and(|first| ENDS.contains(&first))
}

/// Whether a word has something like `2026-01-31` or `2026/1/31` in it.
fn has_a_day(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    let count = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    parts.windows(3).any(|of| {
        let [first, middle, last] = of else { return false };
        let year = first.len() - first.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let day = last.len() - last.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let month = count(middle);
        year == 4 && month == middle.len() && (1..=2).contains(&month) && (1..=2).contains(&day)
    })
}

/// The time at which a day begins, from `YYYY-MM-DD`.
pub(super) fn day(text: &str) -> Option<Timestamp> {
    let date: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()
}
