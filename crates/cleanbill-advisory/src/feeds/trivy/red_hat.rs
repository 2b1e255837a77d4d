//! Red Hat's advisories: one bucket for all products, which each entry names by numbers of CPEs.
//!
//! Kept are the entries for Red Hat Enterprise Linux itself, in the streams that OSV gives them
//! (`Red Hat:enterprise_linux:9::baseos`). Images of other products bring repositories of those
//! along; entries for the products alone are counted and named, not dropped in silence.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::advisory::Advisory;
use cleanbill_core::ecosystem::{Ecosystem, Stream};
use cleanbill_core::matching::red_hat_main;
use serde::Deserialize;

use super::advisory::{Context, settle};

/// Which products' advisories are kept.
const KEPT: &str = "enterprise_linux:";

/// Flaws times products of one entry: what is above is nobody's, and would be multiplied.
const PRODUCT_MAX: usize = 50_000;

/// CPEs by their number.
#[derive(Debug, Default)]
pub(super) struct Cpes(BTreeMap<u64, String>);

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Value {
    entries: Option<Vec<Entry>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Entry {
    fixed_version: Option<String>,
    cves: Option<Vec<Cve>>,
    arches: Option<Vec<String>>,
    affected: Option<Vec<u64>>,
    status: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Cve {
    #[serde(rename = "ID")]
    id: Option<String>,
    severity: Option<i64>,
}

/// What one value says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub advisories: Vec<(Stream, Advisory)>,
    /// Entries of which no product is kept.
    pub elsewhere: u64,
}

impl Cpes {
    /// Adds an entry of the bucket of CPEs: a number, and a CPE as JSON.
    pub(super) fn add(&mut self, number: &[u8], json: &[u8]) -> Result<(), String> {
        let number = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok());
        let number = number.ok_or("a CPE without a number")?;
        let cpe: String = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        self.0.insert(number, cpe);
        Ok(())
    }

    /// The stream of a CPE that is kept: the CPE without `cpe:/o:redhat:`, and without a minor
    /// release.
    fn stream(&self, number: u64) -> Option<Stream> {
        let (kind, product) = self.0.get(&number)?.strip_prefix("cpe:/")?.split_once(":redhat:")?;
        let kept = matches!(kind, "a" | "o") && product.starts_with(KEPT);
        kept.then(|| Stream::release(Ecosystem::RedHat, red_hat_main(product)))
    }
}

/// Reads a value below a package, under the id of a flaw or an erratum.
pub(super) fn read(
    id: &str,
    json: &[u8],
    cpes: &Cpes,
    context: &Context<'_>,
) -> Result<Said, String> {
    let value: Value = super::object(json)?;
    let mut said = Said::default();
    for entry in value.entries.unwrap_or_default() {
        let numbers = entry.affected.unwrap_or_default();
        let streams: BTreeSet<Stream> =
            numbers.into_iter().filter_map(|n| cpes.stream(n)).collect();
        if streams.is_empty() {
            said.elsewhere += 1;
        }
        let mut cves = entry.cves.unwrap_or_default();
        if cves.is_empty() {
            cves.push(Cve::default());
        }
        if cves.len().saturating_mul(streams.len()) > PRODUCT_MAX {
            return Err(format!("{} flaws of {} products at once", cves.len(), streams.len()));
        }
        for cve in cves {
            let named = cve.id.filter(|c| !c.is_empty());
            let mut advisory = context.flaw(named.as_deref().unwrap_or(id), cve.severity);
            if advisory.id != id {
                advisory.errata.push(id.to_owned());
            }
            advisory.arches = entry.arches.clone().unwrap_or_default();
            settle(&mut advisory, entry.fixed_version.clone(), None, entry.status);
            said.advisories.extend(streams.iter().map(|s| (s.clone(), advisory.clone())));
        }
    }
    Ok(said)
}
