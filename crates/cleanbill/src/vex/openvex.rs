//! OpenVEX 0.2.0 (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>).
//!
//! Products and subcomponents count by their package URL: `identifiers.purl`, or an `@id` that is
//! one. Whoever says `not_affected` must give a justification or an impact statement.

use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::purl::PackageUrl;
use cleanbill_core::suppression::{Grounds, Justification, Place, Product, Stance, Statement};
use serde_json::Value;

use super::notes::{Notes, shown};
use super::{COUNT_MAX, Format, Reader, Wrong, flaw_id, value};

/// OpenVEX.
pub(super) const FORMAT: Format = Format { name: "OpenVEX", reader: Reader::Vex { is, read } };

/// What the context of every version begins with.
const NAMESPACE: &str = "https://openvex.dev/ns";
/// The context of the versions that are understood.
const UNDERSTOOD: &str = "https://openvex.dev/ns/v0.2.";

/// The justifications that OpenVEX has, and CSAF has too.
pub(super) const JUSTIFICATIONS: [Justification; 5] = [
    Justification::ComponentNotPresent,
    Justification::VulnerableCodeNotPresent,
    Justification::VulnerableCodeNotInExecutePath,
    Justification::VulnerableCodeCannotBeControlledByAdversary,
    Justification::InlineMitigationsAlreadyExist,
];

fn is(root: &Value) -> bool {
    let context = root.get("@context").and_then(Value::as_str);
    context.is_some_and(|c| c.starts_with(NAMESPACE))
}

fn read(root: &Value, notes: &mut Notes) -> Result<Vec<Statement>, Wrong> {
    let wrong = |key: &str, why: String| {
        Wrong::new(format!("#/{key}"), why, "write it as OpenVEX 0.2.0 has it")
    };
    let context = value::text(root, "@context").map_err(|e| wrong("@context", e))?;
    if !context.unwrap_or_default().starts_with(UNDERSTOOD) {
        let why = format!("\"{}\" is not understood", shown(context.unwrap_or_default()));
        let next = "convert it to OpenVEX 0.2.0 (https://openvex.dev/ns/v0.2.0)";
        return Err(Wrong::new("#/@context", why, next));
    }
    let written = value::time(root, "timestamp").map_err(|e| wrong("timestamp", e))?;
    let written = written.ok_or_else(|| wrong("", "\"timestamp\" is missing".to_owned()))?;
    let statements = value::list(root, "statements").map_err(|e| wrong("statements", e))?;
    let statements = statements.ok_or_else(|| wrong("", "\"statements\" is missing".to_owned()))?;
    let mut counted = statements.len();
    let mut out = Vec::new();
    for (index, entry) in statements.iter().enumerate() {
        let pointer = format!("/statements/{index}");
        counted += entry.get("products").and_then(Value::as_array).map_or(0, Vec::len);
        if counted > COUNT_MAX {
            return Err(Wrong::over_limit(&pointer, "statements and products"));
        }
        match statement(entry, &pointer, written, notes) {
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
    pointer: &str,
    written: Timestamp,
    notes: &mut Notes,
) -> Result<Option<Statement>, String> {
    let flaw = entry.get("vulnerability").filter(|v| v.is_object());
    let flaw = flaw.ok_or("\"vulnerability\" is no object with a name")?;
    let name = value::text(flaw, "name")?.ok_or("the vulnerability has no name")?;
    let names = std::iter::once(name).chain(value::texts(flaw, "aliases")?);
    let flaws: Vec<String> = names.map(flaw_id).collect::<Result<_, _>>()?;
    let stance = stance(entry)?;
    let time = value::time(entry, "timestamp")?.unwrap_or(written);
    let entries = value::list(entry, "products")?.unwrap_or_default();
    if entries.is_empty() {
        return Err("it names no product".to_owned());
    }
    let mut products = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match product(entry) {
            Ok(product) => products.push(Arc::new(product)),
            Err(why) => notes.tell(Place::Pointer(format!("{pointer}/products/{index}")), why),
        }
    }
    let place = Place::Pointer(pointer.to_owned());
    let statement = Statement { place, flaws: flaws.into(), products, stance, time: Some(time) };
    Ok(Some(statement).filter(|s| !s.products.is_empty()))
}

fn stance(entry: &Value) -> Result<Stance, String> {
    let status = value::text(entry, "status")?.ok_or("it has no status")?;
    let word = value::text(entry, "justification")?;
    let justification = word.map(|w| justification(w, &JUSTIFICATIONS)).transpose()?;
    let impact = value::text(entry, "impact_statement")?;
    match status {
        "not_affected" => Grounds::new(justification, impact)
            .map(Stance::NotAffected)
            .ok_or_else(|| "not_affected without justification or impact statement".to_owned()),
        "fixed" => Ok(Stance::Fixed),
        "affected" => Ok(Stance::Affected),
        "under_investigation" => Ok(Stance::UnderInvestigation),
        other => Err(format!("\"{}\" is no status", shown(other))),
    }
}

/// The justification with this word, of those that a format has.
pub(super) fn justification(word: &str, of: &[Justification]) -> Result<Justification, String> {
    let known = of.iter().copied().find(|j| j.as_str() == word);
    known.ok_or_else(|| format!("\"{}\" is no justification", shown(word)))
}

/// A product with its subcomponents. One subcomponent that is not understood takes the product
/// with it: without it the statement would be about more, or about something else.
fn product(entry: &Value) -> Result<Product, String> {
    let purl = component(entry)?;
    let parts = value::list(entry, "subcomponents")?.unwrap_or_default();
    if parts.len() > COUNT_MAX {
        return Err(format!("it has more than {COUNT_MAX} subcomponents"));
    }
    let subcomponents = parts.iter().map(component).collect::<Result<_, _>>();
    Ok(Product { purl, subcomponents: subcomponents.map_err(|e| format!("a subcomponent: {e}"))? })
}

fn component(entry: &Value) -> Result<PackageUrl, String> {
    if !entry.is_object() {
        return Err(format!("it is {}, not an object", value::what(entry)));
    }
    let identifiers = entry.get("identifiers").unwrap_or(&Value::Null);
    let purl = match value::text(identifiers, "purl")? {
        Some(purl) => Some(purl),
        None => value::text(entry, "@id")?.filter(|id| id.starts_with("pkg:")),
    };
    value::purl(purl.ok_or("it has no package URL")?)
}
