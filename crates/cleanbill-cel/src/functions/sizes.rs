//! `size`, of texts in characters and of everything else in items.

use super::signature::Ty::{A, Bytes, Int, List, Map, String};
use super::signature::{Function, Outcome, Style};
use crate::fault::Fault;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("size", Style::Both, &[String], Int, |a| size(a.text(0)?.chars().count())),
    Function::new("size", Style::Both, &[Bytes], Int, |a| size(a.octets(0)?.len())),
    Function::new("size", Style::Both, &[List(&A)], Int, |a| size(a.list(0)?.len())),
    Function::new("size", Style::Both, &[Map(&A, &super::signature::Ty::Dyn)], Int, |a| {
        size(a.map(0)?.len())
    }),
];

/// A count as an `int`.
pub(super) fn size(n: usize) -> Outcome {
    i64::try_from(n).map(Value::Int).map_err(|_| Fault::Overflow)
}
