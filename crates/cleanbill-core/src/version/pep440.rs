//! Python's order (PEP 440, now "Version specifiers" of the packaging specifications), with all
//! the spellings that it allows and normalises: `1.0-ALPHA.1` is `1.0a1`, `1.0-1` is `1.0.post1`.

use super::number::{Number, take_digits};

/// A parsed version; the sequence of the fields is the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pep440 {
    epoch: Number,
    /// Without trailing noughts, so that `1.0` is `1`.
    release: Vec<Number>,
    phase: Phase,
    post: Option<Number>,
    dev: Dev,
    local: Option<Vec<Segment>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing but a development release: before any prerelease.
    DevOnly,
    Alpha(Number),
    Beta(Number),
    Candidate(Number),
    Final,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Development(Number),
    Released,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Word(String),
    Number(Number),
}

impl Pep440 {
    /// Without a local part a version means all of its builds, as `==` and `<=` do in the
    /// specification: `2.0.0` is `2.0.0+cu118` too.
    pub(super) fn is_meant_by(&self, named: &Self) -> bool {
        fn public(v: &Pep440) -> impl PartialEq + '_ {
            (&v.epoch, &v.release, &v.phase, &v.post, &v.dev)
        }
        let is_open = named.local.is_none() || self.local == named.local;
        is_open && public(self) == public(named)
    }
}

pub(super) fn parse(text: &str) -> Result<Pep440, &'static str> {
    let text = text.to_ascii_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let (public, local) = match text.split_once('+') {
        Some((public, local)) => (public, Some(segments(local)?)),
        None => (text, None),
    };
    let (epoch, mut rest) = match public.split_once('!') {
        Some((epoch, rest)) if is_number(epoch) => (Number::new(epoch), rest),
        Some(_) => return Err("its epoch is no number"),
        None => (Number::default(), public),
    };
    let release = release(&mut rest)?;
    let pre = labelled(&mut rest, &["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"]);
    let post = match implicit_post(&mut rest) {
        Some(number) => Some(number),
        None => labelled(&mut rest, &["post", "rev", "r"]).map(|(_, number)| number),
    };
    let dev = labelled(&mut rest, &["dev"]).map(|(_, number)| number);
    if !rest.is_empty() {
        return Err("it has a part that has no place there");
    }
    let phase = match pre {
        Some(("alpha" | "a", n)) => Phase::Alpha(n),
        Some(("beta" | "b", n)) => Phase::Beta(n),
        Some((_, n)) => Phase::Candidate(n),
        None if post.is_none() && dev.is_some() => Phase::DevOnly,
        None => Phase::Final,
    };
    let dev = dev.map_or(Dev::Released, Dev::Development);
    Ok(Pep440 { epoch, release, phase, post, dev, local })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn release(rest: &mut &str) -> Result<Vec<Number>, &'static str> {
    let mut release = Vec::new();
    loop {
        let digits = take_digits(rest);
        if digits.is_empty() {
            return Err("it does not begin with a number");
        }
        release.push(Number::new(digits));
        match rest.strip_prefix('.') {
            Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => *rest = after,
            _ => break,
        }
    }
    while release.last().is_some_and(Number::is_zero) {
        release.pop();
    }
    Ok(release)
}

/// `-1` straight after the release or prerelease: a post-release without its name.
fn implicit_post(rest: &mut &str) -> Option<Number> {
    let mut after = rest.strip_prefix('-')?;
    let digits = take_digits(&mut after);
    if digits.is_empty() {
        return None;
    }
    *rest = after;
    Some(Number::new(digits))
}

/// One of the labels, with a separator or none before and after it, and its number (nought if
/// none is written). Leaves the rest untouched when no label is there.
fn labelled(rest: &mut &str, labels: &[&'static str]) -> Option<(&'static str, Number)> {
    let separators = ['.', '-', '_'];
    let start = rest.strip_prefix(separators).unwrap_or(rest);
    let (label, after) = labels.iter().find_map(|l| Some((*l, start.strip_prefix(*l)?)))?;
    let mut after = after.strip_prefix(separators).unwrap_or(after);
    let digits = take_digits(&mut after);
    *rest = after;
    Some((label, Number::new(digits)))
}

fn segments(local: &str) -> Result<Vec<Segment>, &'static str> {
    local
        .split(['.', '-', '_'])
        .map(|part| {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err("its local part is not made of letters and digits");
            }
            Ok(match is_number(part) {
                true => Segment::Number(Number::new(part)),
                false => Segment::Word(part.to_owned()),
            })
        })
        .collect()
}
