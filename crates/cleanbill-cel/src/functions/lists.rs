//! Kubernetes' functions on lists whose items have an order.

use std::cmp::Ordering;

use super::call::Arguments;
use super::signature::Ty::{A, Bool, Bytes, Double, Duration, Int, List, String, Timestamp, Uint};
use super::signature::{Function, Outcome, Style, Ty};
use super::sizes::size;
use crate::fault::Fault;
use crate::value::Value;

const fn method(name: &'static str, takes: &'static [Ty], gives: Ty, run: Run) -> Function {
    Function::new(name, Style::Method, takes, gives, run)
}

type Run = fn(&mut Arguments<'_>) -> Outcome;

/// One overload for each type of item that has an order.
macro_rules! ordered {
    ($name:literal, $gives:tt, $run:expr) => {
        [
            method($name, &[List(&Bool)], gives!($gives, Bool), $run),
            method($name, &[List(&Int)], gives!($gives, Int), $run),
            method($name, &[List(&Uint)], gives!($gives, Uint), $run),
            method($name, &[List(&Double)], gives!($gives, Double), $run),
            method($name, &[List(&String)], gives!($gives, String), $run),
            method($name, &[List(&Bytes)], gives!($gives, Bytes), $run),
            method($name, &[List(&Timestamp)], gives!($gives, Timestamp), $run),
            method($name, &[List(&Duration)], gives!($gives, Duration), $run),
        ]
    };
}

macro_rules! gives {
    (item, $item:ident) => {
        $item
    };
    (bool, $item:ident) => {
        Bool
    };
}

const SORTED: [Function; 8] = ordered!("isSorted", bool, is_sorted);
const MIN: [Function; 8] = ordered!("min", item, |a| extreme(a, Ordering::Less));
const MAX: [Function; 8] = ordered!("max", item, |a| extreme(a, Ordering::Greater));

const OTHERS: [Function; 6] = [
    method("sum", &[List(&Int)], Int, sum),
    method("sum", &[List(&Uint)], Uint, sum),
    method("sum", &[List(&Double)], Double, sum),
    method("sum", &[List(&Duration)], Duration, sum),
    method("indexOf", &[List(&A), A], Int, |a| place(a, false)),
    method("lastIndexOf", &[List(&A), A], Int, |a| place(a, true)),
];

pub(super) const FUNCTIONS: &[Function] = &{
    let [s0, s1, s2, s3, s4, s5, s6, s7] = SORTED;
    let [i0, i1, i2, i3, i4, i5, i6, i7] = MIN;
    let [x0, x1, x2, x3, x4, x5, x6, x7] = MAX;
    let [o0, o1, o2, o3, o4, o5] = OTHERS;
    [
        s0, s1, s2, s3, s4, s5, s6, s7, i0, i1, i2, i3, i4, i5, i6, i7, x0, x1, x2, x3, x4, x5, x6,
        x7, o0, o1, o2, o3, o4, o5,
    ]
};

fn is_sorted(a: &mut Arguments<'_>) -> Outcome {
    let items = a.list(0)?;
    for (before, after) in items.iter().zip(items.iter().skip(1)) {
        a.meter.steps(1)?;
        if !matches!(before.order(after, a.meter)?, Some(Ordering::Less | Ordering::Equal)) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

/// The first item that no other is further out than.
fn extreme(a: &mut Arguments<'_>, side: Ordering) -> Outcome {
    let mut items = a.list(0)?.iter();
    let mut best = items.next().ok_or(Fault::NoSuchIndex(0))?;
    for item in items {
        a.meter.steps(1)?;
        if item.order(best, a.meter)? == Some(side) {
            best = item;
        }
    }
    Ok(best.clone())
}

/// The sum; of an empty list 0, which is an `int` whatever the list is said to hold.
fn sum(a: &mut Arguments<'_>) -> Outcome {
    let mut items = a.list(0)?.iter();
    let Some(first) = items.next() else { return Ok(Value::Int(0)) };
    let mut total = first.clone();
    for item in items {
        a.meter.steps(1)?;
        total = match (&total, item) {
            (Value::Int(x), Value::Int(y)) => Value::Int(x.checked_add(*y).ok_or(Fault::Overflow)?),
            (Value::Uint(x), Value::Uint(y)) => {
                Value::Uint(x.checked_add(*y).ok_or(Fault::Overflow)?)
            }
            (Value::Double(x), Value::Double(y)) => Value::Double(x + y),
            (Value::Duration(x), Value::Duration(y)) => {
                super::operators::duration(x.as_nanos() + y.as_nanos())?
            }
            (x, y) => {
                let (x, y) = (x.type_name().as_str(), y.type_name().as_str());
                return Err(Fault::WrongType(format!("{x} and {y} have no sum")));
            }
        };
    }
    Ok(total)
}

/// The place of an item, the first or the last, or -1.
fn place(a: &mut Arguments<'_>, last: bool) -> Outcome {
    let (items, wanted) = (a.list(0)?, a.value(1)?);
    let mut found = None;
    for (at, item) in items.iter().enumerate() {
        if item.equals(wanted, a.meter)? {
            found = Some(at);
            if !last {
                break;
            }
        }
    }
    found.map_or(Ok(Value::Int(-1)), size)
}
