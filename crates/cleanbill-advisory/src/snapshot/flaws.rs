//! A block of what is known of flaws, whatever package has them: ratings, EPSS, known exploited.
//!
//! A table of texts (sources and vectors), then the flaws in the order of their ids. It is decoded
//! whole: a flaw takes a few bytes, and who asks for one asks for its neighbours.

use std::collections::BTreeMap;

use cleanbill_core::advisory::{Epss, FlawFacts, Rating};
use cleanbill_core::severity::Severity;

use super::codec::{Decoded, Reader, Writer};

const EXPLOITED: u8 = 1;
const EPSS: u8 = 2;
/// The largest value of an EPSS, in hundred-thousandths.
const WHOLE: u32 = 100_000;

/// Writes flaws, which are in the order of their ids.
pub(super) fn encode(flaws: &[(&String, &FlawFacts)]) -> Vec<u8> {
    let mut texts: BTreeMap<&str, u64> = BTreeMap::new();
    for rating in flaws.iter().flat_map(|(_, facts)| &facts.ratings) {
        texts.insert(&rating.source, 0);
        texts.extend(rating.cvss.as_deref().map(|vector| (vector, 0)));
    }
    let mut w = Writer::default();
    w.num(texts.len() as u64);
    for (number, (text, place)) in texts.iter_mut().enumerate() {
        w.text(text);
        *place = number as u64;
    }
    let number = |text: &str| texts.get(text).copied().unwrap_or_default();
    w.num(flaws.len() as u64);
    for (id, facts) in flaws {
        w.id(id);
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        w.byte(flag(facts.exploited, EXPLOITED) | flag(facts.epss.is_some(), EPSS));
        if let Some(epss) = facts.epss {
            w.num(u64::from(epss.probability));
            w.num(u64::from(epss.percentile));
        }
        w.num(facts.ratings.len() as u64);
        for rating in &facts.ratings {
            w.num(number(&rating.source));
            w.byte(rating.severity as u8);
            w.num(rating.cvss.as_deref().map_or(0, |vector| number(vector) + 1));
        }
    }
    w.0
}

/// A decoded block.
pub(super) struct Flaws {
    flaws: Vec<(String, FlawFacts)>,
    weight: usize,
}

impl Flaws {
    pub(super) fn parse(bytes: &[u8]) -> Decoded<Self> {
        let mut r = Reader(bytes);
        let texts = (0..r.count()?).map(|_| r.text()).collect::<Decoded<Vec<_>>>()?;
        let mut left = MOST;
        let mut text = |n: u64| -> Decoded<String> {
            let found = usize::try_from(n).ok().and_then(|n| texts.get(n)).ok_or(NO_TEXT)?;
            // A few bytes can name a long text many times.
            left = left.checked_sub(found.len()).ok_or("its flaws are too large")?;
            Ok((*found).to_owned())
        };
        let mut flaws: Vec<(String, FlawFacts)> = Vec::new();
        for _ in 0..r.count()? {
            let id = r.id()?.render();
            if flaws.last().is_some_and(|(before, _)| *before >= id) {
                return Err("its flaws are not in order");
            }
            let flags = r.byte()?;
            if flags & !(EXPLOITED | EPSS) != 0 {
                return Err("a flaw has unknown flags");
            }
            let share = |r: &mut Reader<'_>| {
                let n = u32::try_from(r.num()?).ok().filter(|n| *n <= WHOLE);
                n.ok_or("an EPSS is more than one")
            };
            let epss = match flags & EPSS {
                0 => None,
                _ => Some(Epss { probability: share(&mut r)?, percentile: share(&mut r)? }),
            };
            let mut ratings = Vec::new();
            for _ in 0..r.count()? {
                let source = text(r.num()?)?;
                let severity = Severity::ALL.get(usize::from(r.byte()?)).copied();
                let severity = severity.ok_or("a rating has an unknown severity")?;
                let cvss = match r.num()? {
                    0 => None,
                    n => Some(text(n - 1)?),
                };
                ratings.push(Rating { source, severity, cvss });
            }
            flaws.push((id, FlawFacts { ratings, epss, exploited: flags & EXPLOITED != 0 }));
        }
        match r.0 {
            [] => {
                let each = size_of::<(String, FlawFacts)>() + 16;
                let ratings: usize = flaws.iter().map(|(_, facts)| facts.ratings.len()).sum();
                let texts = MOST - left + ratings * size_of::<Rating>();
                let weight = flaws.len() * each + texts;
                Ok(Self { flaws, weight })
            }
            _ => Err("has bytes after its end"),
        }
    }

    /// Roughly what it holds in memory.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// What is known of the flaw with this id.
    pub(super) fn get(&self, id: &str) -> Option<&FlawFacts> {
        let at = self.flaws.binary_search_by(|(known, _)| known.as_str().cmp(id)).ok()?;
        self.flaws.get(at).map(|(_, facts)| facts)
    }

    /// Every flaw, in the order of ids.
    pub(super) fn all(&self) -> &[(String, FlawFacts)] {
        &self.flaws
    }

    /// The same, taken out.
    pub(super) fn into_all(self) -> Vec<(String, FlawFacts)> {
        self.flaws
    }
}

/// What the texts of one block's ratings may take when they are written out.
const MOST: usize = 64 << 20;
const NO_TEXT: &str = "names a text that it does not have";
