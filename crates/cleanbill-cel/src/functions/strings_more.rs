//! Making texts of texts: joining, splitting, replacing, quoting. What is made is bounded
//! before it is made.

use super::call::{Arguments, bounded};
use super::signature::Ty::{Int, List, String};
use super::signature::{Function, Outcome, Style, Ty};
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
    method("join", &[List(&String)], String, |a| join(a, "")),
    method("join", &[List(&String), String], String, |a| {
        let between = a.text(1)?;
        join(a, between)
    }),
    method("split", &[String, String], List(&String), |a| split(a, -1)),
    method("split", &[String, String, Int], List(&String), |a| {
        let most = *a.int(2)?;
        split(a, most)
    }),
    method("replace", &[String, String, String], String, |a| replace(a, -1)),
    method("replace", &[String, String, String, Int], String, |a| {
        let most = *a.int(3)?;
        replace(a, most)
    }),
    method("reverse", &[String], String, |a| {
        let text: std::string::String = a.text(0)?.chars().rev().collect();
        a.give(text)
    }),
    Function::new("strings.quote", Style::Global, &[String], String, quote),
];

fn join(a: &mut Arguments<'_>, between: &str) -> Outcome {
    let items = a.list(0)?;
    let mut texts = Vec::with_capacity(items.len());
    for item in items.iter() {
        match item {
            Value::String(text) => texts.push(&**text),
            other => {
                let name = other.type_name().as_str();
                return Err(Fault::WrongType(format!("join() takes texts, not {name}")));
            }
        }
    }
    let gaps = between.len().saturating_mul(texts.len().saturating_sub(1));
    let length = texts.iter().map(|t| t.len()).fold(gaps, usize::saturating_add);
    bounded(a.meter, length)?;
    a.meter.steps(texts.len())?;
    Ok(Value::from(texts.join(between)))
}

/// At most `most` parts; all of them when it is negative. An empty separator splits characters.
fn split(a: &mut Arguments<'_>, most: i64) -> Outcome {
    let (text, between) = (a.text(0)?, a.text(1)?);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    // One more than may be given shows that there are too many.
    let most = most.min(crate::limits::LIST_ITEMS + 1);
    a.meter.bytes(text.len())?;
    let items: Vec<Value> = match (most, between) {
        (0, _) => Vec::new(),
        (_, "") => {
            let cuts = text.char_indices().map(|(at, _)| at).skip(1).take(most - 1);
            let mut from = 0;
            let mut items = Vec::new();
            for cut in cuts {
                items.push(Value::text(text.get(from..cut).unwrap_or_default()));
                from = cut;
            }
            if !text.is_empty() {
                items.push(Value::text(text.get(from..).unwrap_or_default()));
            }
            items
        }
        (_, between) => text.splitn(most, between).map(Value::text).collect(),
    };
    a.give_list(items)
}

/// The first `most` occurrences; all of them when it is negative.
fn replace(a: &mut Arguments<'_>, most: i64) -> Outcome {
    let (text, from, to) = (a.text(0)?, a.text(1)?, a.text(2)?);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let count = text.matches(from).take(most).count();
    let grown = count.saturating_mul(to.len());
    bounded(a.meter, text.len().saturating_add(grown))?;
    Ok(Value::from(text.replacen(from, to, count)))
}

/// The text as a literal: in double quotes, with escapes for what has one.
fn quote(a: &mut Arguments<'_>) -> Outcome {
    let mut out = std::string::String::from("\"");
    for c in a.text(0)?.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' | '"' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('"');
    a.give(out)
}
