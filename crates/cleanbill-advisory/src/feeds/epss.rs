//! FIRST's Exploit Prediction Scoring System: `epss_scores-current.csv.gz`, a line a flaw with the
//! probability that it is exploited within 30 days, and how many flaws have a lower one
//! (<https://www.first.org/epss/data_stats>).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::{Epss, Feed};

use super::{Tally, is_cve, sound};
use crate::error::{Error, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The feed's id in a snapshot.
pub(crate) const ID: &str = "epss";
pub(crate) const FILE: &str = "epss_scores-current.csv.gz";

/// The longest line, in bytes.
const LINE: u64 = 1024;
/// The most lines: there are 330,000 flaws by now.
const LINES: u64 = 4_000_000;

/// Reads the scores below `folder`.
///
/// # Errors
/// When they are not there, or are no such scores.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let path = folder.join(FILE);
    let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
    parse(flate2::read::MultiGzDecoder::new(BufReader::new(file)), limits, into)
        .map_err(|e| e.within(path.display()))
}

/// Reads the scores, unpacked.
///
/// # Errors
/// As [`read`].
pub fn parse(from: impl Read, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let mut from = BufReader::new(from);
    let (mut tally, mut as_of, mut seen) = (Tally::default(), None, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = from.by_ref().take(LINE).read_until(b'\n', &mut line);
        let read =
            read.map_err(|e| Error::malformed("the scores cannot be unpacked").because(e))?;
        if read == 0 {
            break;
        }
        seen += 1;
        if seen > LINES || line.len() as u64 == LINE {
            return Err(Error::malformed(format!("line {seen} is one too many, or too long")));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if let Some(comment) = text.strip_prefix('#') {
            as_of = as_of.or_else(|| date(comment));
        } else if !text.is_empty() && !text.starts_with("cve,") {
            match score(text) {
                Some((id, epss)) => {
                    tally.took();
                    into.flaw(id).epss = Some(epss);
                }
                None => tally.missed(|| format!("line {seen}")),
            }
        }
    }
    sound(ID, tally.total, tally.not_understood, &tally.example, limits)?;
    into.feeds.push(Feed {
        id: ID.to_owned(),
        as_of,
        licence: "free to use, naming FIRST.org as the source".to_owned(),
        advisories: tally.taken,
        not_understood: tally.not_understood,
        streams: Vec::new(),
    });
    Ok(())
}

/// `model_version:v2025.03.14,score_date:2025-08-01T00:00:00+0000`.
fn date(comment: &str) -> Option<Timestamp> {
    let text = comment.split(',').find_map(|part| part.trim().strip_prefix("score_date:"))?;
    text.parse().ok().or_else(|| jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok())
}

/// `CVE-2021-44228,0.94358,0.99958`.
fn score(line: &str) -> Option<(&str, Epss)> {
    let mut parts = line.split(',');
    let (id, probability, percentile) = (parts.next()?, parts.next()?, parts.next()?);
    let epss = Epss { probability: share(probability)?, percentile: share(percentile)? };
    (is_cve(id) && parts.next().is_none()).then_some((id, epss))
}

/// A share in hundred-thousandths.
fn share(text: &str) -> Option<u32> {
    let share: f64 = text.trim().parse().ok()?;
    (0.0..=1.0).contains(&share).then(|| (share * 100_000.0).round() as u32)
}
