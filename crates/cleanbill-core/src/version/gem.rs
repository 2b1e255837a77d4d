//! RubyGems' order (`Gem::Version`): numbers and words, split where letters meet digits. A word
//! makes a prerelease, since words are lower than numbers and what is missing is nought; `-` is
//! read as `.pre.`. Noughts at the end and before the first word do not count.

use std::cmp::Ordering;

use super::number::{Number, compare_padded, take_digits};

/// A parsed version.
#[derive(Clone, Debug)]
pub(super) struct Gem(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Number(Number),
}

static MISSING: Segment = Segment::Number(Number::Small(0));

pub(super) fn parse(text: &str) -> Result<Gem, &'static str> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("it does not begin with a digit");
    }
    let (release, prerelease) = match text.split_once('-') {
        Some((release, prerelease)) => (release, Some(prerelease)),
        None => (text, None),
    };
    let mut segments = Vec::with_capacity(8);
    for part in release.split('.') {
        split(part, &mut segments)?;
    }
    if let Some(prerelease) = prerelease {
        segments.push(Segment::Word("pre".to_owned()));
        for part in prerelease.split('.') {
            // A hyphen in a part is one more `.pre.`, with or without something around it.
            for (at, piece) in part.split('-').enumerate() {
                if at > 0 {
                    segments.push(Segment::Word("pre".to_owned()));
                }
                if !(piece.is_empty() && part.contains('-')) {
                    split(piece, &mut segments)?;
                }
            }
        }
    }
    Ok(Gem(canonical(segments)))
}

/// A part between dots as segments: runs of digits, runs of letters.
fn split(mut part: &str, into: &mut Vec<Segment>) -> Result<(), &'static str> {
    if part.is_empty() {
        return Err("a part of it is empty");
    }
    while !part.is_empty() {
        let digits = take_digits(&mut part);
        if !digits.is_empty() {
            into.push(Segment::Number(Number::new(digits)));
            continue;
        }
        let end = part.bytes().position(|b| !b.is_ascii_alphabetic()).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        if word.is_empty() {
            return Err("only letters, digits, dots and hyphens may stand in it");
        }
        into.push(Segment::Word(word.to_owned()));
        part = rest;
    }
    Ok(())
}

/// Without the noughts at the end, and at the end of the numbers before the first word.
fn canonical(mut segments: Vec<Segment>) -> Vec<Segment> {
    let first_word = segments.iter().position(|s| matches!(s, Segment::Word(_)));
    let mut words = segments.split_off(first_word.unwrap_or(segments.len()));
    for part in [&mut segments, &mut words] {
        while part.last() == Some(&MISSING) {
            part.pop();
        }
    }
    segments.append(&mut words);
    segments
}

impl Ord for Gem {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_padded(&self.0, &other.0, &MISSING)
    }
}

impl PartialOrd for Gem {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Gem {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Gem {}
