//! CISA's catalogue of known exploited vulnerabilities: `known_exploited_vulnerabilities.json`.

use std::path::Path;

use cleanbill_core::Timestamp;
use cleanbill_core::advisory::Feed;
use serde::Deserialize;

use super::{document, is_cve, sound};
use crate::error::{Error, Result};
use crate::gather::Gathered;
use crate::limits::Limits;

/// The feed's id in a snapshot.
pub(crate) const ID: &str = "kev";
pub(crate) const FILE: &str = "known_exploited_vulnerabilities.json";

#[derive(Deserialize)]
struct Catalogue {
    #[serde(rename = "dateReleased")]
    released: Timestamp,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
}

/// Reads the catalogue below `folder`.
///
/// # Errors
/// When it is not there or is no such catalogue.
pub fn read(folder: &Path, limits: &Limits, into: &mut Gathered) -> Result<()> {
    let path = folder.join(FILE);
    let bytes = document(&path, limits)?;
    parse(&bytes, limits, into).map_err(|e| e.within(path.display()))
}

/// Reads the catalogue's bytes.
///
/// # Errors
/// When they are no such catalogue, or more than a few entries name no CVE.
pub fn parse(bytes: &[u8], limits: &Limits, into: &mut Gathered) -> Result<()> {
    let catalogue: Catalogue = serde_json::from_slice(bytes)
        .map_err(|e| Error::malformed("no KEV catalogue").because(e))?;
    let total = catalogue.vulnerabilities.len() as u64;
    let (known, not): (Vec<_>, Vec<_>) =
        catalogue.vulnerabilities.into_iter().map(|v| v.cve).partition(|id| is_cve(id));
    let example = not.first().map(|id| format!("the id {id:?}")).unwrap_or_default();
    sound(ID, total, not.len() as u64, &example, limits)?;
    into.feeds.push(Feed {
        id: ID.to_owned(),
        as_of: Some(catalogue.released),
        licence: "CC0-1.0".to_owned(),
        advisories: known.len() as u64,
        not_understood: not.len() as u64,
        streams: Vec::new(),
    });
    known.iter().for_each(|id| into.flaw(id).exploited = true);
    Ok(())
}
