//! CSAF 2.0 documents of the category `csaf_vex`
//! (<https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html>, profile 5).
//!
//! Products are in [`tree`]. As the profile asks, `known_not_affected` needs an impact statement:
//! a flag, or a threat of the category `impact`. Dates of a document say nothing about single
//! products, so all statements of one document are of the same time.

mod tree;

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::suppression::{Grounds, Justification, Place, Product, Stance, Statement};
use serde_json::Value;

use self::tree::Tree;
use super::notes::{Notes, shown};
use super::openvex::{JUSTIFICATIONS, justification};
use super::{COUNT_MAX, Format, Reader, Wrong, flaw_id, value};

/// CSAF VEX.
pub(super) const FORMAT: Format = Format { name: "CSAF VEX", reader: Reader::Vex { is, read } };

/// The groups of products that say something, and what. `recommended` is advice only.
const GROUPS: [(&str, Said); 7] = [
    ("known_not_affected", Said::NotAffected),
    ("fixed", Said::Fixed),
    ("first_fixed", Said::Fixed),
    ("known_affected", Said::Affected),
    ("first_affected", Said::Affected),
    ("last_affected", Said::Affected),
    ("under_investigation", Said::UnderInvestigation),
];

#[derive(Clone, Copy)]
enum Said {
    NotAffected,
    Fixed,
    Affected,
    UnderInvestigation,
}

fn is(root: &Value) -> bool {
    root.get("document").and_then(|d| d.get("csaf_version")).is_some()
}

fn read(root: &Value, notes: &mut Notes) -> Result<Vec<Statement>, Wrong> {
    let next = "give a CSAF 2.0 document of the category csaf_vex";
    let wrong = |pointer: &str, why: String| Wrong::new(format!("#{pointer}"), why, next);
    let document = root.get("document").unwrap_or(&Value::Null);
    for (key, wanted) in [("csaf_version", "2.0"), ("category", "csaf_vex")] {
        let pointer = format!("/document/{key}");
        let said = value::text(document, key).map_err(|e| wrong(&pointer, e))?;
        if said != Some(wanted) {
            let why = format!("\"{}\" is not {wanted}", shown(said.unwrap_or_default()));
            return Err(wrong(&pointer, why));
        }
    }
    let tree = root.get("product_tree").unwrap_or(&Value::Null);
    let tree = Tree::read(tree, notes)?;
    let flaws = value::list(root, "vulnerabilities").map_err(|e| wrong("", e))?;
    let mut reader = Flaws { tree, left: COUNT_MAX, notes, out: Vec::new() };
    for (index, entry) in flaws.unwrap_or_default().iter().enumerate() {
        let pointer = format!("/vulnerabilities/{index}");
        if let Err(why) = reader.flaw(entry, &pointer)? {
            reader.notes.tell(Place::Pointer(pointer), why);
        }
    }
    Ok(reader.out)
}

/// Reads flaws, and counts references to products.
struct Flaws<'v, 'n> {
    tree: Tree<'v>,
    left: usize,
    notes: &'n mut Notes,
    out: Vec<Statement>,
}

/// What is said of a product that is not affected.
#[derive(Clone, Copy, Default)]
struct Impact<'v> {
    justification: Option<Justification>,
    words: Option<&'v str>,
}

impl<'v> Flaws<'v, '_> {
    /// One flaw. The inner error is about this flaw alone.
    fn flaw(&mut self, entry: &'v Value, pointer: &str) -> Result<Result<(), String>, Wrong> {
        let ids = match ids(entry) {
            Ok(ids) => ids,
            Err(why) => return Ok(Err(why)),
        };
        let status = entry.get("product_status").unwrap_or(&Value::Null);
        let impacts = match self.impacts(entry, pointer)? {
            Ok(impacts) => impacts,
            Err(why) => return Ok(Err(why)),
        };
        for (group, said) in GROUPS {
            let products = match value::texts(status, group) {
                Ok(products) => products,
                Err(why) => return Ok(Err(why)),
            };
            self.count(products.len(), pointer)?;
            for (index, id) in products.iter().enumerate() {
                let place = format!("{pointer}/product_status/{group}/{index}");
                match self.tree.product(id).and_then(|p| Ok((p, stance(said, &impacts, id)?))) {
                    Ok((products, stance)) => self.put(&ids, products, stance, place),
                    Err(why) => {
                        let why = format!("product \"{}\": {why}", shown(id));
                        self.notes.tell(Place::Pointer(place), why);
                    }
                }
            }
        }
        Ok(Ok(()))
    }

    fn put(
        &mut self,
        flaws: &Arc<[String]>,
        products: Vec<Arc<Product>>,
        stance: Stance,
        place: String,
    ) {
        let (flaws, place) = (Arc::clone(flaws), Place::Pointer(place));
        self.out.push(Statement { place, flaws, products, stance, time: None });
    }

    /// What flags and threats say, by product; what is said of all is under the empty name.
    fn impacts(
        &mut self,
        entry: &'v Value,
        pointer: &str,
    ) -> Result<Result<HashMap<&'v str, Impact<'v>>, String>, Wrong> {
        let mut impacts: HashMap<&str, Impact<'_>> = HashMap::new();
        for (key, word) in [("flags", "label"), ("threats", "details")] {
            let entries = match value::list(entry, key) {
                Ok(entries) => entries.unwrap_or_default(),
                Err(why) => return Ok(Err(why)),
            };
            for (index, entry) in entries.iter().enumerate() {
                let category = entry.get("category").and_then(Value::as_str);
                if key == "threats" && category != Some("impact") {
                    continue;
                }
                let read = value::text(entry, word).and_then(|text| {
                    let text = text.ok_or_else(|| format!("it has no {word}"))?;
                    let ids = value::texts(entry, "product_ids")?;
                    Ok((text, ids, value::texts(entry, "group_ids")?))
                });
                let read = read.and_then(|(text, ids, groups)| {
                    let flag = (key == "flags").then(|| justification(text, &JUSTIFICATIONS));
                    Ok((flag.transpose()?, text, ids, groups))
                });
                let (flag, text, mut ids, groups) = match read {
                    Ok(read) => read,
                    Err(why) => {
                        self.notes.tell(Place::Pointer(format!("{pointer}/{key}/{index}")), why);
                        continue;
                    }
                };
                // A threat without products is about all; a flag needs them.
                if ids.is_empty() && groups.is_empty() && flag.is_none() {
                    ids.push("");
                }
                for group in groups {
                    self.count(self.tree.group(group).len(), pointer)?;
                    ids.extend(self.tree.group(group));
                }
                self.count(ids.len(), pointer)?;
                for id in ids {
                    let impact = impacts.entry(id).or_default();
                    match flag {
                        Some(flag) => impact.justification = Some(flag),
                        None => impact.words = Some(text),
                    }
                }
            }
        }
        Ok(Ok(impacts))
    }

    fn count(&mut self, more: usize, pointer: &str) -> Result<(), Wrong> {
        self.left = self
            .left
            .checked_sub(more)
            .ok_or_else(|| Wrong::over_limit(pointer, "references to products"))?;
        Ok(())
    }
}

fn stance(said: Said, impacts: &HashMap<&str, Impact<'_>>, id: &str) -> Result<Stance, String> {
    match said {
        Said::Fixed => Ok(Stance::Fixed),
        Said::Affected => Ok(Stance::Affected),
        Said::UnderInvestigation => Ok(Stance::UnderInvestigation),
        Said::NotAffected => {
            let of = |id: &str| impacts.get(id).copied().unwrap_or_default();
            let (own, all) = (of(id), of(""));
            let grounds = Grounds::new(own.justification, own.words.or(all.words));
            grounds
                .map(Stance::NotAffected)
                .ok_or_else(|| "known_not_affected without a flag or an impact".to_owned())
        }
    }
}

/// The ids of a flaw: its CVE, and those that others give it.
fn ids(entry: &Value) -> Result<Arc<[String]>, String> {
    let mut ids: Vec<String> = Vec::new();
    ids.extend(value::text(entry, "cve")?.map(flaw_id).transpose()?);
    for other in value::list(entry, "ids")?.unwrap_or_default() {
        ids.extend(value::text(other, "text")?.map(flaw_id).transpose()?);
    }
    if ids.is_empty() {
        return Err("the flaw has no id".to_owned());
    }
    Ok(ids.into())
}
