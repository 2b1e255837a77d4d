//! VEX in CycloneDX 1.4 to 1.7, as JSON (<https://cyclonedx.org/docs/1.6/json/>): the `analysis`
//! of `vulnerabilities`.
//!
//! What `affects` refers to is a component of the same document, or a package URL. A component is
//! meant within the document's own subject (`metadata.component`), where it has one: without a
//! package URL of that subject nobody knows whether it is this image. References to other
//! documents (BOM-Links) cannot be followed. A flaw without analysis says nothing.

use std::collections::HashMap;
use std::sync::Arc;

use cleanbill_core::purl::PackageUrl;
use cleanbill_core::suppression::{Grounds, Justification, Place, Product, Stance, Statement};
use serde_json::Value;

use super::notes::{Notes, shown};
use super::openvex::justification;
use super::{COUNT_MAX, Format, Reader, Wrong, flaw_id, value};

/// CycloneDX VEX.
pub(super) const FORMAT: Format =
    Format { name: "CycloneDX VEX", reader: Reader::Vex { is, read } };

/// The versions with `vulnerabilities` that are understood.
const VERSIONS: [&str; 4] = ["1.4", "1.5", "1.6", "1.7"];

/// The justifications that CycloneDX has.
const JUSTIFICATIONS: [Justification; 9] = [
    Justification::CodeNotPresent,
    Justification::CodeNotReachable,
    Justification::RequiresConfiguration,
    Justification::RequiresDependency,
    Justification::RequiresEnvironment,
    Justification::ProtectedByCompiler,
    Justification::ProtectedAtRuntime,
    Justification::ProtectedAtPerimeter,
    Justification::ProtectedByMitigatingControl,
];

fn is(root: &Value) -> bool {
    root.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX")
}

fn read(root: &Value, notes: &mut Notes) -> Result<Vec<Statement>, Wrong> {
    let wrong = |pointer: &str, why: String| {
        Wrong::new(format!("#{pointer}"), why, "give CycloneDX 1.4 to 1.7, as JSON")
    };
    let version = value::text(root, "specVersion").map_err(|e| wrong("/specVersion", e))?;
    if !version.is_some_and(|v| VERSIONS.contains(&v)) {
        let why = format!("\"{}\" is not understood", shown(version.unwrap_or_default()));
        return Err(wrong("/specVersion", why));
    }
    let bom = Bom::read(root)?;
    let flaws = value::list(root, "vulnerabilities").map_err(|e| wrong("", e))?;
    let mut counted = 0_usize;
    let mut out = Vec::new();
    for (index, entry) in flaws.unwrap_or_default().iter().enumerate() {
        let Some(analysis) = entry.get("analysis").filter(|a| a.get("state").is_some()) else {
            continue;
        };
        let pointer = format!("/vulnerabilities/{index}");
        counted += 1 + entry.get("affects").and_then(Value::as_array).map_or(0, Vec::len);
        if counted > COUNT_MAX {
            return Err(Wrong::over_limit(&pointer, "flaws and references"));
        }
        match statement(entry, analysis, &pointer, &bom, notes) {
            Ok(Some(statement)) => out.push(statement),
            Ok(None) => {}
            Err(why) => notes.tell(Place::Pointer(pointer), why),
        }
    }
    Ok(out)
}

/// One statement; `None` where none of its products is left, of which each was told.
fn statement(
    entry: &Value,
    analysis: &Value,
    pointer: &str,
    bom: &Bom<'_>,
    notes: &mut Notes,
) -> Result<Option<Statement>, String> {
    let id = value::text(entry, "id")?.ok_or("the flaw has no id")?;
    let mut flaws = vec![flaw_id(id)?];
    for other in value::list(entry, "references")?.unwrap_or_default() {
        flaws.extend(value::text(other, "id")?.map(flaw_id).transpose()?);
    }
    let stance = stance(analysis)?;
    let time = match value::time(analysis, "lastUpdated")? {
        Some(time) => Some(time),
        None => value::time(analysis, "firstIssued")?,
    };
    let affects = value::list(entry, "affects")?.unwrap_or_default();
    if affects.is_empty() {
        return Err("it names no product".to_owned());
    }
    let mut products = Vec::new();
    for (index, reference) in affects.iter().enumerate() {
        match bom.product(reference) {
            Ok(product) => products.push(Arc::new(product)),
            Err(why) => notes.tell(Place::Pointer(format!("{pointer}/affects/{index}")), why),
        }
    }
    let place = Place::Pointer(pointer.to_owned());
    let statement = Statement { place, flaws: flaws.into(), products, stance, time };
    Ok(Some(statement).filter(|s| !s.products.is_empty()))
}

fn stance(analysis: &Value) -> Result<Stance, String> {
    let state = value::text(analysis, "state")?.unwrap_or_default();
    let word = value::text(analysis, "justification")?;
    let why = word.map(|w| justification(w, &JUSTIFICATIONS)).transpose()?;
    let detail = value::text(analysis, "detail")?;
    match state {
        "not_affected" => Grounds::new(why, detail)
            .map(Stance::NotAffected)
            .ok_or_else(|| "not_affected without justification or detail".to_owned()),
        // Its grounds are in the word.
        "false_positive" => {
            Grounds::new(why, detail.filter(|d| !d.trim().is_empty()).or(Some(state)))
                .map(Stance::NotAffected)
                .ok_or_else(|| "false_positive without grounds".to_owned())
        }
        "resolved" | "resolved_with_pedigree" => Ok(Stance::Fixed),
        "exploitable" => Ok(Stance::Affected),
        "in_triage" => Ok(Stance::UnderInvestigation),
        other => Err(format!("\"{}\" is no state", shown(other))),
    }
}

/// The components of a document by their references.
struct Bom<'v> {
    /// What the document is about, where it says so.
    subject: Option<&'v Value>,
    /// `None` where a reference stands for several.
    components: HashMap<&'v str, Option<&'v Value>>,
}

impl<'v> Bom<'v> {
    fn read(root: &'v Value) -> Result<Self, Wrong> {
        let subject = root.get("metadata").and_then(|m| m.get("component"));
        let mut components: HashMap<&str, Option<&Value>> = HashMap::new();
        // The depth is bounded where the JSON is read.
        let mut open: Vec<&Value> = vec![root];
        open.extend(subject);
        let mut counted = 0;
        while let Some(next) = open.pop() {
            counted += 1;
            if counted > COUNT_MAX {
                return Err(Wrong::over_limit("/components", "components"));
            }
            if let Some(reference) = next.get("bom-ref").and_then(Value::as_str) {
                let twice = components.insert(reference, Some(next)).is_some();
                if twice {
                    components.insert(reference, None);
                }
            }
            open.extend(next.get("components").and_then(Value::as_array).into_iter().flatten());
        }
        Ok(Self { subject, components })
    }

    /// What an entry of `affects` is about.
    fn product(&self, entry: &Value) -> Result<Product, String> {
        if entry.get("versions").is_some() {
            return Err("\"versions\" in affects is not understood".to_owned());
        }
        let reference = value::text(entry, "ref")?.ok_or("it has no ref")?;
        let subcomponents = Vec::new();
        let component = match self.components.get(reference) {
            Some(Some(component)) => *component,
            Some(None) => return Err("its ref stands for more than one component".to_owned()),
            None if reference.starts_with("pkg:") => {
                return Ok(Product { purl: value::purl(reference)?, subcomponents });
            }
            None if reference.starts_with("urn:cdx:") => {
                return Err(format!("{}: is in another document", shown(reference)));
            }
            None => {
                let shown = shown(reference);
                return Err(format!("\"{shown}\" is neither a component nor a package URL"));
            }
        };
        let purl = package(component)?;
        match self.subject {
            Some(subject) if !std::ptr::eq(subject, component) => {
                let within = package(subject).map_err(|e| format!("metadata.component: {e}"))?;
                Ok(Product { purl: within, subcomponents: vec![purl] })
            }
            Some(_) | None => Ok(Product { purl, subcomponents }),
        }
    }
}

fn package(component: &Value) -> Result<PackageUrl, String> {
    value::purl(value::text(component, "purl")?.ok_or("it has no package URL")?)
}
