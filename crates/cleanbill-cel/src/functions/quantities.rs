//! Kubernetes' functions on quantities.

use super::call::Arguments;
use super::signature::Ty::{Bool, Double, Int, Quantity as QuantityType, String};
use super::signature::{Function, Outcome, Style, Ty};
use crate::fault::Fault;
use crate::things::Quantity;
use crate::value::Value;

const fn method(name: &'static str, takes: &'static [Ty], gives: Ty, run: Run) -> Function {
    Function::new(name, Style::Method, takes, gives, run)
}

type Run = fn(&mut Arguments<'_>) -> Outcome;

const TWO: &[Ty] = &[QuantityType, QuantityType];
const WITH_INT: &[Ty] = &[QuantityType, Int];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("isQuantity", Style::Global, &[String], Bool, |a| {
        Ok(Value::Bool(Quantity::parse(a.text(0)?).is_some()))
    }),
    Function::new("quantity", Style::Global, &[String], QuantityType, |a| {
        let text = a.text(0)?;
        let read = Quantity::parse(text).map(Value::Quantity);
        read.ok_or_else(|| Fault::unreadable("a quantity such as 500Mi", text))
    }),
    method("isInteger", &[QuantityType], Bool, |a| {
        Ok(Value::Bool(a.quantity(0)?.integer().is_some()))
    }),
    method("asInteger", &[QuantityType], Int, |a| {
        a.quantity(0)?.integer().map(Value::Int).ok_or(Fault::Overflow)
    }),
    method("asApproximateFloat", &[QuantityType], Double, |a| {
        Ok(Value::Double(a.quantity(0)?.approximate()))
    }),
    method("sign", &[QuantityType], Int, |a| Ok(Value::Int(a.quantity(0)?.sign()))),
    method("add", TWO, QuantityType, |a| result(a.quantity(0)?.add(*a.quantity(1)?))),
    method("add", WITH_INT, QuantityType, |a| result(a.quantity(0)?.add(Quantity::of(*a.int(1)?)))),
    method("sub", TWO, QuantityType, |a| result(a.quantity(0)?.subtract(*a.quantity(1)?))),
    method("sub", WITH_INT, QuantityType, |a| {
        result(a.quantity(0)?.subtract(Quantity::of(*a.int(1)?)))
    }),
    method("isLessThan", TWO, Bool, |a| Ok(Value::Bool(a.quantity(0)? < a.quantity(1)?))),
    method("isGreaterThan", TWO, Bool, |a| Ok(Value::Bool(a.quantity(0)? > a.quantity(1)?))),
    method("compareTo", TWO, Int, |a| Ok(Value::Int(a.quantity(0)?.cmp(a.quantity(1)?) as i64))),
];

fn result(quantity: Option<Quantity>) -> Outcome {
    quantity.map(Value::Quantity).ok_or(Fault::Overflow)
}
