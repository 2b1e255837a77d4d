//! Arithmetic: `+`, `-`, `*`, `/`, `%` and negation. Out of range is an error, never a wrong
//! number. Equality, order, `in`, `&&`, `||` and `?:` are no functions: the evaluator has them.

use jiff::{SignedDuration, Timestamp};

use super::call::{Arguments, bounded};
use super::signature::Ty::{
    A, Bytes, Double, Duration, Int, List, String, Timestamp as Time, Uint,
};
use super::signature::{Function, Outcome, Style, Ty};
use crate::fault::Fault;
use crate::limits;
use crate::value::Value;

const fn op(
    name: &'static str,
    takes: &'static [Ty],
    gives: Ty,
    run: fn(&mut Arguments<'_>) -> Outcome,
) -> Function {
    Function::new(name, Style::Operator, takes, gives, run)
}

pub(super) const FUNCTIONS: &[Function] = &[
    op("+", &[Int, Int], Int, |a| int(a.int(0)?.checked_add(*a.int(1)?))),
    op("+", &[Uint, Uint], Uint, |a| uint(a.uint(0)?.checked_add(*a.uint(1)?))),
    op("+", &[Double, Double], Double, |a| Ok(Value::Double(a.double(0)? + a.double(1)?))),
    op("+", &[String, String], String, join_strings),
    op("+", &[Bytes, Bytes], Bytes, join_bytes),
    op("+", &[List(&A), List(&A)], List(&A), join_lists),
    op("+", &[Time, Duration], Time, |a| shifted(*a.timestamp(0)?, a.duration(1)?.as_nanos())),
    op("+", &[Duration, Time], Time, |a| shifted(*a.timestamp(1)?, a.duration(0)?.as_nanos())),
    op("+", &[Duration, Duration], Duration, |a| {
        duration(a.duration(0)?.as_nanos() + a.duration(1)?.as_nanos())
    }),
    op("-", &[Int, Int], Int, |a| int(a.int(0)?.checked_sub(*a.int(1)?))),
    op("-", &[Uint, Uint], Uint, |a| uint(a.uint(0)?.checked_sub(*a.uint(1)?))),
    op("-", &[Double, Double], Double, |a| Ok(Value::Double(a.double(0)? - a.double(1)?))),
    op("-", &[Time, Time], Duration, |a| {
        duration(a.timestamp(0)?.as_nanosecond() - a.timestamp(1)?.as_nanosecond())
    }),
    op("-", &[Time, Duration], Time, |a| shifted(*a.timestamp(0)?, -a.duration(1)?.as_nanos())),
    op("-", &[Duration, Duration], Duration, |a| {
        duration(a.duration(0)?.as_nanos() - a.duration(1)?.as_nanos())
    }),
    op("-", &[Int], Int, |a| int(a.int(0)?.checked_neg())),
    op("-", &[Double], Double, |a| Ok(Value::Double(-*a.double(0)?))),
    op("*", &[Int, Int], Int, |a| int(a.int(0)?.checked_mul(*a.int(1)?))),
    op("*", &[Uint, Uint], Uint, |a| uint(a.uint(0)?.checked_mul(*a.uint(1)?))),
    op("*", &[Double, Double], Double, |a| Ok(Value::Double(a.double(0)? * a.double(1)?))),
    op("/", &[Int, Int], Int, |a| {
        let by = divisor(*a.int(1)?)?;
        int(a.int(0)?.checked_div(by))
    }),
    op("/", &[Uint, Uint], Uint, |a| {
        a.uint(0)?.checked_div(*a.uint(1)?).map(Value::Uint).ok_or(Fault::DivisionByZero)
    }),
    op("/", &[Double, Double], Double, |a| Ok(Value::Double(a.double(0)? / a.double(1)?))),
    op("%", &[Int, Int], Int, |a| {
        let by = divisor(*a.int(1)?)?;
        int(a.int(0)?.checked_rem(by))
    }),
    op("%", &[Uint, Uint], Uint, |a| {
        a.uint(0)?.checked_rem(*a.uint(1)?).map(Value::Uint).ok_or(Fault::DivisionByZero)
    }),
];

/// The overloads of an operator with so many operands.
pub(crate) fn named(name: &str, operands: usize) -> Vec<&'static Function> {
    FUNCTIONS.iter().filter(|f| f.name == name && f.takes.len() == operands).collect()
}

fn int(result: Option<i64>) -> Outcome {
    result.map(Value::Int).ok_or(Fault::Overflow)
}

fn uint(result: Option<u64>) -> Outcome {
    result.map(Value::Uint).ok_or(Fault::Overflow)
}

fn divisor(by: i64) -> Result<i64, Fault> {
    if by == 0 { Err(Fault::DivisionByZero) } else { Ok(by) }
}

/// A duration of so many nanoseconds, which must fit 64 bits.
pub(super) fn duration(nanos: i128) -> Outcome {
    let nanos = i64::try_from(nanos).map_err(|_| Fault::Overflow)?;
    Ok(Value::Duration(SignedDuration::from_nanos(nanos)))
}

/// An instant so many nanoseconds after another, from the year 1 to 9999.
fn shifted(from: Timestamp, nanos: i128) -> Outcome {
    instant(from.as_nanosecond() + nanos)
}

/// The first nanosecond of the year 1. The other end is that of [`Timestamp`], which leaves out
/// the last 26 hours of 9999.
const FIRST: i128 = -62_135_596_800_000_000_000;

/// An instant by nanoseconds since 1970, from the year 1 to 9999.
pub(super) fn instant(nanos: i128) -> Outcome {
    if nanos < FIRST {
        return Err(Fault::Overflow);
    }
    Timestamp::from_nanosecond(nanos).map(Value::Timestamp).map_err(|_| Fault::Overflow)
}

fn join_strings(a: &mut Arguments<'_>) -> Outcome {
    let (left, right) = (a.string(0)?, a.string(1)?);
    bounded(a.meter, left.len() + right.len())?;
    Ok(Value::from(format!("{left}{right}")))
}

fn join_bytes(a: &mut Arguments<'_>) -> Outcome {
    let (left, right) = (a.octets(0)?, a.octets(1)?);
    bounded(a.meter, left.len() + right.len())?;
    Ok(Value::Bytes([&**left, &**right].concat().into()))
}

fn join_lists(a: &mut Arguments<'_>) -> Outcome {
    let (left, right) = (a.list(0)?, a.list(1)?);
    if left.len() + right.len() > limits::LIST_ITEMS {
        return Err(Fault::TooLarge("a list"));
    }
    a.meter.steps(left.len() + right.len())?;
    Ok(Value::list(left.iter().chain(right.iter()).cloned()))
}
