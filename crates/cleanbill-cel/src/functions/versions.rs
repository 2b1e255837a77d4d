//! Kubernetes' functions on semantic versions.

use std::sync::Arc;

use super::call::Arguments;
use super::signature::Ty::{Bool, Int, Semver as SemverType, String};
use super::signature::{Function, Outcome, Style, Ty};
use crate::fault::Fault;
use crate::things::Semver;
use crate::value::Value;

const fn f(name: &'static str, takes: &'static [Ty], gives: Ty, run: Run) -> Function {
    Function::new(name, Style::Global, takes, gives, run)
}

const fn method(name: &'static str, takes: &'static [Ty], gives: Ty, run: Run) -> Function {
    Function::new(name, Style::Method, takes, gives, run)
}

type Run = fn(&mut Arguments<'_>) -> Outcome;

const TWO: &[Ty] = &[SemverType, SemverType];

pub(super) const FUNCTIONS: &[Function] = &[
    f("isSemver", &[String], Bool, |a| Ok(Value::Bool(read(a)?.is_some()))),
    f("isSemver", &[String, Bool], Bool, |a| Ok(Value::Bool(read(a)?.is_some()))),
    f("semver", &[String], SemverType, semver),
    f("semver", &[String, Bool], SemverType, semver),
    method("major", &[SemverType], Int, |a| number(a.semver(0)?.major())),
    method("minor", &[SemverType], Int, |a| number(a.semver(0)?.minor())),
    method("patch", &[SemverType], Int, |a| number(a.semver(0)?.patch())),
    method("isLessThan", TWO, Bool, |a| Ok(Value::Bool(a.semver(0)? < a.semver(1)?))),
    method("isGreaterThan", TWO, Bool, |a| Ok(Value::Bool(a.semver(0)? > a.semver(1)?))),
    method("compareTo", TWO, Int, |a| Ok(Value::Int(a.semver(0)?.cmp(a.semver(1)?) as i64))),
];

/// The version in the first argument; tolerantly when the second one is true.
fn read(a: &mut Arguments<'_>) -> Result<Option<Semver>, Fault> {
    let text = a.text(0)?;
    let tolerant = a.values.len() > 1 && *a.bool(1)?;
    Ok(if tolerant { Semver::parse_tolerant(text) } else { Semver::parse(text) })
}

fn semver(a: &mut Arguments<'_>) -> Outcome {
    match read(a)? {
        Some(version) => Ok(Value::Semver(Arc::new(version))),
        None => Err(Fault::unreadable("a semantic version", a.string(0)?)),
    }
}

fn number(n: u64) -> Outcome {
    i64::try_from(n).map(Value::Int).map_err(|_| Fault::Overflow)
}
