//! The evaluator: a checked expression and the values of its variables to a value, at a cost.
//! It recurses as deep as the expression is, which the parser bounds.

mod folds;
mod parts;

use std::cmp::Ordering;

use crate::ast::Order;
use crate::fault::{Fault, Raised};
use crate::functions::call::Arguments;
use crate::meter::{Cost, Meter};
use crate::node::{Call, Kind, Node};
use crate::value::Value;

/// The state of one evaluation.
pub(crate) struct Machine<'a> {
    lookup: &'a dyn Fn(&str) -> Option<Value>,
    names: &'a [std::sync::Arc<str>],
    /// Variables that were asked for, by place.
    known: Vec<Option<Value>>,
    locals: Vec<Value>,
    meter: Meter,
}

type Evaluated = Result<Value, Raised>;

/// Says where a fault happened.
fn raised(at: u32) -> impl Fn(Fault) -> Raised {
    move |fault| Raised { at, fault }
}

impl<'a> Machine<'a> {
    pub fn new(
        names: &'a [std::sync::Arc<str>],
        lookup: &'a dyn Fn(&str) -> Option<Value>,
        limit: Cost,
    ) -> Self {
        let known = vec![None; names.len()];
        Self { lookup, names, known, locals: Vec::new(), meter: Meter::new(limit) }
    }

    /// What is left of the limit.
    pub fn left(&self) -> u64 {
        self.meter.left()
    }

    pub fn eval(&mut self, node: &Node) -> Evaluated {
        let at = raised(node.at);
        self.meter.steps(1).map_err(&at)?;
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Variable(place) => self.variable(*place).map_err(at),
            Kind::Local(place) => {
                let value = self.locals.get(*place).cloned();
                value.ok_or_else(|| at(Fault::WrongType("a variable out of its scope".into())))
            }
            Kind::Select { of, field, .. } => {
                let of = self.eval(of)?;
                self.select(&of, field).map_err(at)
            }
            Kind::Has { of, field } => {
                let of = self.eval(of)?;
                self.has(&of, field).map_err(at)
            }
            Kind::Index(two) => {
                let [of, index] = self.both(two)?;
                self.index(&of, &index).map_err(at)
            }
            Kind::List(items) => {
                let items = items.iter().map(|n| self.eval(n)).collect::<Result<Vec<_>, _>>()?;
                Ok(Value::List(items.into()))
            }
            Kind::Map(entries) => self.map(entries),
            Kind::Not(of) => Ok(Value::Bool(!self.bool(of)?)),
            Kind::And(operands) => self.junction(operands, false),
            Kind::Or(operands) => self.junction(operands, true),
            Kind::Choose(three) => {
                let [condition, yes, no] = &**three;
                if self.bool(condition)? { self.eval(yes) } else { self.eval(no) }
            }
            Kind::Equal { negated, sides } => {
                let [left, right] = self.both(sides)?;
                let equal = left.equals(&right, &mut self.meter).map_err(at)?;
                Ok(Value::Bool(equal != *negated))
            }
            Kind::Ordered(order, sides) => {
                let [left, right] = self.both(sides)?;
                let ordering = left.order(&right, &mut self.meter).map_err(at)?;
                Ok(Value::Bool(ordering.is_some_and(|o| holds(*order, o))))
            }
            Kind::In(sides) => {
                let [item, whole] = self.both(sides)?;
                self.member(&item, &whole).map_err(at)
            }
            Kind::Call(call) => self.call(node, call),
            Kind::Fold(fold) => self.fold(fold),
        }
    }

    fn variable(&mut self, place: usize) -> Result<Value, Fault> {
        if let Some(Some(value)) = self.known.get(place) {
            return Ok(value.clone());
        }
        let name = self.names.get(place).map_or("?", |n| &**n);
        let value = (self.lookup)(name).ok_or_else(|| Fault::NoSuchVariable(name.to_owned()))?;
        if let Some(slot) = self.known.get_mut(place) {
            *slot = Some(value.clone());
        }
        Ok(value)
    }

    fn both(&mut self, two: &[Node; 2]) -> Result<[Value; 2], Raised> {
        let [left, right] = two;
        Ok([self.eval(left)?, self.eval(right)?])
    }

    fn bool(&mut self, node: &Node) -> Result<bool, Raised> {
        let value = self.eval(node)?;
        value.as_bool().ok_or_else(|| {
            let name = value.type_name().as_str();
            raised(node.at)(Fault::WrongType(format!("this is {name}, where a bool is wanted")))
        })
    }

    /// `||` when `decisive` is true, `&&` when it is false: one operand of that value decides,
    /// whatever errors the others have. Otherwise the first error is the result.
    fn junction(&mut self, operands: &[Node], decisive: bool) -> Evaluated {
        let mut error = None;
        for operand in operands {
            match self.bool(operand) {
                Ok(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(raised) if raised.absorbable() => error = error.or(Some(raised)),
                Err(raised) => return Err(raised),
            }
        }
        error.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn call(&mut self, node: &Node, call: &Call) -> Evaluated {
        let values = call.args.iter().map(|n| self.eval(n)).collect::<Result<Vec<_>, _>>()?;
        let chosen = call.overloads.iter().find(|f| {
            f.takes.len() == values.len()
                && f.takes.iter().zip(&values).all(|(want, value)| want.admits(value))
        });
        let at = raised(node.at);
        let Some(function) = chosen else {
            let name = call.overloads.first().map_or("?", |f| f.name);
            let types: Vec<&str> = values.iter().map(|v| v.type_name().as_str()).collect();
            let message = format!("`{name}` does not take ({})", types.join(", "));
            return Err(at(Fault::WrongType(message)));
        };
        let mut arguments =
            Arguments { values: &values, meter: &mut self.meter, pattern: call.pattern.as_ref() };
        (function.run)(&mut arguments).map_err(at)
    }
}

fn holds(order: Order, ordering: Ordering) -> bool {
    match order {
        Order::Less => ordering.is_lt(),
        Order::LessOrEqual => ordering.is_le(),
        Order::Greater => ordering.is_gt(),
        Order::GreaterOrEqual => ordering.is_ge(),
    }
}
