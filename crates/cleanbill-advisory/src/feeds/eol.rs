//! When releases of distributions end: `distributions.json`, the dates of endoflife.date by
//! os-release `ID`, as `cleanbill db update` writes them.

use std::collections::BTreeMap;
use std::path::Path;

use cleanbill_core::Date;
use cleanbill_core::advisory::Feed;
use serde::{Deserialize, Serialize};

use super::{Tally, document, sound};
use crate::build::midnight;
use crate::error::{Error, Result};
use crate::gather::{Gathered, ID as LONGEST};
use crate::limits::Limits;

/// The feed's id in a snapshot, which is also the folder.
pub(crate) const ID: &str = "eol";
pub(crate) const FILE: &str = "distributions.json";

/// The file's form.
#[derive(Serialize, Deserialize)]
pub(crate) struct Table {
    pub as_of: Date,
    pub distributions: BTreeMap<String, Vec<Release>>,
}

/// One release.
#[derive(Serialize, Deserialize)]
pub(crate) struct Release {
    pub release: String,
    pub end_of_life: End,
}

/// What the publisher writes: a day, `false` (not announced), or `true` (over, day unknown).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum End {
    Known(bool),
    Day(String),
}

/// Reads the table below `folder`.
///
/// # Errors
/// When it is not there or is no such table.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let path = folder.join(FILE);
    let bytes = document(&path, limits)?;
    parse(&bytes, limits, into).map_err(|e| e.within(path.display()))
}

/// Reads the table's bytes.
///
/// # Errors
/// When they are no such table, or more than a few releases have no readable end.
pub fn parse(bytes: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    let table: Table = serde_json::from_slice(bytes)
        .map_err(|e| Error::malformed("no table of releases").because(e))?;
    let mut tally = Tally::default();
    for (distribution, releases) in table.distributions {
        // Nothing would be known to have ended of it.
        if releases.is_empty() {
            return Err(Error::malformed(format!("eol: no release of {distribution} in it")));
        }
        for Release { release, end_of_life } in releases {
            let end = match &end_of_life {
                _ if distribution.len().max(release.len()) > LONGEST => {
                    Err("of too long a name".into())
                }
                End::Known(false) => Ok(None),
                End::Known(true) => Err("over, without a day".to_owned()),
                End::Day(day) => day.parse::<Date>().map(Some).map_err(|_| day.clone()),
            };
            match end {
                Ok(end) => {
                    tally.took();
                    into.lives.insert((distribution.clone(), release), end);
                }
                Err(why) => {
                    tally.missed(|| format!("{distribution} {release}: end_of_life is {why}"))
                }
            }
        }
    }
    sound(ID, tally.total, tally.not_understood, &tally.example, limits)?;
    into.feeds.push(Feed {
        id: ID.to_owned(),
        as_of: midnight(table.as_of),
        licence: "MIT".to_owned(),
        advisories: tally.taken,
        not_understood: tally.not_understood,
        streams: Vec::new(),
    });
    Ok(())
}
