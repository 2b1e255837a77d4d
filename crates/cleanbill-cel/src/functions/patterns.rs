//! Regular expressions: RE2's syntax as the `regex` crate reads it, matched in linear time.
//! Patterns that are written out are compiled, and refused, when the program is loaded.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::call::Arguments;
use super::signature::Ty::{Bool, Int, List, String};
use super::signature::{Function, Outcome, Style};
use crate::fault::{Fault, quoted};
use crate::limits;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("matches", Style::Both, &[String, String], Bool, |a| {
        let (text, pattern) = prepared(a)?;
        Ok(Value::Bool(pattern.is_match(text)))
    })
    .pattern(1),
    Function::new("find", Style::Method, &[String, String], String, |a| {
        let (text, pattern) = prepared(a)?;
        a.give(pattern.find(text).map_or("", |found| found.as_str()))
    })
    .pattern(1),
    Function::new("findAll", Style::Method, &[String, String], List(&String), |a| find_all(a, -1))
        .pattern(1),
    Function::new("findAll", Style::Method, &[String, String, Int], List(&String), |a| {
        let most = *a.int(2)?;
        find_all(a, most)
    })
    .pattern(1),
];

/// Compiles a pattern within bounds; the message says why it is none.
pub(crate) fn compile(pattern: &str, most: usize) -> Result<Regex, std::string::String> {
    if pattern.len() > limits::PATTERN_SOURCE_BYTES {
        return Err(format!("a pattern of more than {} bytes", limits::PATTERN_SOURCE_BYTES));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(most)
        .dfa_size_limit(most)
        .nest_limit(limits::PATTERN_NESTING)
        .build();
    built.map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => "a pattern that takes too much memory".to_owned(),
        // The last line tells what; those before draw where.
        other => {
            let text = other.to_string();
            let what = text.lines().last().unwrap_or_default();
            what.trim_start_matches("error: ").to_owned()
        }
    })
}

/// What compiling a pattern at run time costs, whatever it is.
const COMPILING: usize = 2000;

/// The text and the pattern, charged for.
fn prepared<'a>(a: &mut Arguments<'a>) -> Result<(&'a str, Arc<Regex>), Fault> {
    let (text, source) = (a.text(0)?, a.string(1)?);
    a.meter.steps((text.len() / 64 + 1).saturating_mul(source.len() / 8 + 1))?;
    if let Some(pattern) = a.pattern {
        return Ok((text, Arc::clone(pattern)));
    }
    a.meter.steps(COMPILING)?;
    match compile(source, limits::DYNAMIC_PATTERN_BYTES) {
        Ok(pattern) => Ok((text, Arc::new(pattern))),
        Err(why) => Err(Fault::Unreadable(format!("{} is no pattern: {why}", quoted(source)))),
    }
}

/// At most `most` matches; all of them when it is negative.
fn find_all(a: &mut Arguments<'_>, most: i64) -> Outcome {
    let (text, pattern) = prepared(a)?;
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(limits::LIST_ITEMS + 1);
    let mut found = Vec::new();
    for one in pattern.find_iter(text).take(most) {
        // Each match may have looked at the rest of the text anew.
        a.meter.steps(text.len() / 64 + 1)?;
        found.push(Value::text(one.as_str()));
    }
    a.give_list(found)
}
