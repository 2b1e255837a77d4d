//! Looking at texts: parts, places and cases. Places count characters, as Kubernetes does.

use super::call::Arguments;
use super::signature::Ty::{Bool, Int, String};
use super::signature::{Function, Outcome, Style, Ty};
use super::sizes::size;
use crate::fault::Fault;
use crate::value::Value;

const fn method(
    name: &'static str,
    takes: &'static [Ty],
    gives: Ty,
    run: fn(&mut Arguments<'_>) -> Outcome,
) -> Function {
    Function::new(name, Style::Method, takes, gives, run)
}

pub(super) const FUNCTIONS: &[Function] = &[
    method("contains", &[String, String], Bool, |a| with(a, |text, part| text.contains(part))),
    method("startsWith", &[String, String], Bool, |a| with(a, |text, part| text.starts_with(part))),
    method("endsWith", &[String, String], Bool, |a| with(a, |text, part| text.ends_with(part))),
    method("charAt", &[String, Int], String, char_at),
    method("indexOf", &[String, String], Int, |a| first(a, 0)),
    method("indexOf", &[String, String, Int], Int, |a| {
        let from = *a.int(2)?;
        first(a, from)
    }),
    method("lastIndexOf", &[String, String], Int, |a| last(a, None)),
    method("lastIndexOf", &[String, String, Int], Int, |a| {
        let from = *a.int(2)?;
        last(a, Some(from))
    }),
    method("lowerAscii", &[String], String, |a| {
        let text = a.text(0)?.to_ascii_lowercase();
        a.give(text)
    }),
    method("upperAscii", &[String], String, |a| {
        let text = a.text(0)?.to_ascii_uppercase();
        a.give(text)
    }),
    method("substring", &[String, Int], String, |a| {
        let text = a.text(0)?;
        let from = at(text, *a.int(1)?)?;
        a.give(text.get(from..).unwrap_or_default())
    }),
    method("substring", &[String, Int, Int], String, |a| {
        let text = a.text(0)?;
        let (from, to) = (*a.int(1)?, *a.int(2)?);
        if from > to {
            return Err(Fault::NoSuchIndex(from));
        }
        let (from, to) = (at(text, from)?, at(text, to)?);
        a.give(text.get(from..to).unwrap_or_default())
    }),
    method("trim", &[String], String, |a| {
        let text = a.text(0)?.trim();
        a.give(text)
    }),
];

fn with(a: &mut Arguments<'_>, test: fn(&str, &str) -> bool) -> Outcome {
    let (text, part) = (a.text(0)?, a.text(1)?);
    Ok(Value::Bool(test(text, part)))
}

/// The offset in bytes of a place in characters, the end included.
fn at(text: &str, place: i64) -> Result<usize, Fault> {
    let wanted = usize::try_from(place).map_err(|_| Fault::NoSuchIndex(place))?;
    let mut offsets = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    offsets.nth(wanted).ok_or(Fault::NoSuchIndex(place))
}

fn char_at(a: &mut Arguments<'_>) -> Outcome {
    let text = a.text(0)?;
    let from = at(text, *a.int(1)?)?;
    let one: std::string::String = text.get(from..).unwrap_or_default().chars().take(1).collect();
    a.give(one)
}

/// The place of the first occurrence at or after `from`, or -1.
fn first(a: &mut Arguments<'_>, from: i64) -> Outcome {
    let (text, part) = (a.text(0)?, a.text(1)?);
    let from = at(text, from)?;
    match text.get(from..).and_then(|rest| rest.find(part)) {
        Some(found) => size(text.get(..from + found).unwrap_or_default().chars().count()),
        None => Ok(Value::Int(-1)),
    }
}

/// The place of the last occurrence that begins at or before `until`, or -1.
fn last(a: &mut Arguments<'_>, until: Option<i64>) -> Outcome {
    let (text, part) = (a.text(0)?, a.text(1)?);
    let end = match until {
        Some(place) => at(text, place)?.saturating_add(part.len()).min(text.len()),
        None => text.len(),
    };
    // `end` may stand inside a character; no occurrence ends there.
    let end = text.floor_char_boundary(end);
    match text.get(..end).and_then(|rest| rest.rfind(part)) {
        Some(found) => size(text.get(..found).unwrap_or_default().chars().count()),
        None => Ok(Value::Int(-1)),
    }
}
