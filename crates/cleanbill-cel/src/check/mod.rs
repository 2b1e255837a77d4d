//! The type checker: from what is written to what can run. It goes on after a mistake, taking
//! the broken part for `dyn`, so that all mistakes are told at once.

mod calls;
mod names;
mod operators;

use std::sync::Arc;

use crate::ast::{Expr, ExprKind, Fold, FoldKind};
use crate::environment::Environment;
use crate::mistake::Found;
use crate::node::{Fold as NodeFold, Kind, Node};
use crate::types::Type;
use crate::value::Value;

/// A checked expression and the variables it uses, by the places that its nodes give.
pub(crate) type Checked = (Node, Vec<Arc<str>>);

/// Checks an expression that is to give a value of a type.
pub(crate) fn check(
    expr: &Expr,
    environment: &Environment,
    wanted: &Type,
) -> Result<Checked, Vec<Found>> {
    let mut checker =
        Checker { environment, variables: Vec::new(), locals: Vec::new(), found: Vec::new() };
    let node = checker.node(expr);
    if !wanted.agrees(&node.ty) {
        let message = format!("this gives {}, but {wanted} is wanted", node.ty);
        checker.found.push(Found::new(node.at, message));
    }
    if checker.found.is_empty() { Ok((node, checker.variables)) } else { Err(checker.found) }
}

struct Checker<'a> {
    environment: &'a Environment,
    variables: Vec<Arc<str>>,
    /// The variables of enclosing macros, the innermost last.
    locals: Vec<(String, Type)>,
    found: Vec<Found>,
}

impl Checker<'_> {
    fn node(&mut self, expr: &Expr) -> Node {
        let at = expr.at;
        let (ty, kind) = match &expr.kind {
            ExprKind::Literal(value) => (literal_type(value), Kind::Literal(value.clone())),
            ExprKind::Name { name, rooted } => self.name(at, name, *rooted),
            ExprKind::Select { of, field } => self.select(expr, of, field),
            ExprKind::Has { of, field } => self.has(at, of, field),
            ExprKind::Index(two) => self.index(at, two),
            ExprKind::Call { name, args } => self.call(at, name, args),
            ExprKind::Method { of, name, args } => self.method(at, of, name, args),
            ExprKind::List(items) => {
                let items = self.nodes(items);
                let ty = self.common(&items, "a list holds items of one type");
                (Type::list(ty), Kind::List(items))
            }
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Not(of) => {
                let of = self.bool(of);
                (Type::Bool, Kind::Not(Box::new(of)))
            }
            ExprKind::And(operands) => {
                let operands = operands.iter().map(|e| self.bool(e)).collect();
                (Type::Bool, Kind::And(operands))
            }
            ExprKind::Or(operands) => {
                let operands = operands.iter().map(|e| self.bool(e)).collect();
                (Type::Bool, Kind::Or(operands))
            }
            ExprKind::Negate(of) => self.arithmetic(at, "-", std::slice::from_ref(&**of)),
            ExprKind::Binary(operator, two) => self.binary(at, *operator, two),
            ExprKind::Choose(three) => {
                let [condition, yes, no] = &**three;
                let condition = self.bool(condition);
                let results = [self.node(yes), self.node(no)];
                let ty = self.common(&results, "both results of `?:` have one type");
                let [yes, no] = results;
                (ty, Kind::Choose(Box::new([condition, yes, no])))
            }
            ExprKind::Fold(fold) => self.fold(fold),
        };
        Node { at, ty, kind }
    }

    fn nodes(&mut self, exprs: &[Expr]) -> Vec<Node> {
        exprs.iter().map(|e| self.node(e)).collect()
    }

    fn wrong(&mut self, found: Found) -> (Type, Kind) {
        self.found.push(found);
        (Type::Dyn, Kind::Literal(Value::Null))
    }

    fn bool(&mut self, expr: &Expr) -> Node {
        let node = self.node(expr);
        if !node.ty.agrees(&Type::Bool) {
            let message = format!("this is {}, where a bool is wanted", node.ty);
            self.found.push(Found::new(expr.at, message));
        }
        node
    }

    /// The type that all nodes have, `dyn` when one of them has it or there are none.
    fn common(&mut self, nodes: &[Node], rule: &str) -> Type {
        let Some(first) = nodes.first() else { return Type::Dyn };
        let mut ty = first.ty.clone();
        for node in nodes.iter().skip(1) {
            match join(&ty, &node.ty) {
                Some(joined) => ty = joined,
                None => {
                    let message = format!("{} among {ty}: {rule}", node.ty);
                    let found = Found::new(node.at, message);
                    self.found.push(found.hint("dyn(…) around one of them allows it"));
                    return Type::Dyn;
                }
            }
        }
        ty
    }

    fn map(&mut self, entries: &[[Expr; 2]]) -> (Type, Kind) {
        let mut keys = Vec::new();
        let mut values = Vec::new();
        for [key, value] in entries {
            keys.push(self.node(key));
            values.push(self.node(value));
        }
        let key = self.common(&keys, "a map has keys of one type");
        let value = self.common(&values, "a map holds values of one type");
        if !matches!(key, Type::Bool | Type::Int | Type::Uint | Type::String | Type::Dyn) {
            let at = keys.first().map_or(0, |k| k.at);
            let message = format!("{key} cannot be a key");
            self.found.push(Found::new(at, message).hint("keys are bool, int, uint or string"));
        }
        let entries = keys.into_iter().zip(values).map(|(k, v)| [k, v]).collect();
        (Type::map(key, value), Kind::Map(entries))
    }

    fn fold(&mut self, fold: &Fold) -> (Type, Kind) {
        let range = self.node(&fold.range);
        let item = match &range.ty {
            Type::List(items) => (**items).clone(),
            Type::Map(keys, _) => (**keys).clone(),
            Type::Dyn => Type::Dyn,
            other => {
                let message =
                    format!("{}() goes through a list or map, not {other}", fold.kind.name());
                self.found.push(Found::new(range.at, message));
                Type::Dyn
            }
        };
        let local = self.locals.len();
        self.locals.push((fold.variable.clone(), item.clone()));
        let condition = fold.condition.as_ref().map(|c| self.bool(c));
        let result = fold.result.as_ref().map(|r| self.node(r));
        self.locals.pop();
        let ty = match (fold.kind, &result) {
            (FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne, _) => Type::Bool,
            (FoldKind::Map, Some(result)) => Type::list(result.ty.clone()),
            (FoldKind::Map, None) | (FoldKind::Filter, _) => Type::list(item),
        };
        let fold = NodeFold { kind: fold.kind, range, local, condition, result };
        (ty, Kind::Fold(Box::new(fold)))
    }
}

/// The type of what stands for itself.
fn literal_type(value: &Value) -> Type {
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Uint(_) => Type::Uint,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::Bytes(_) => Type::Bytes,
        _ => Type::Dyn,
    }
}

/// The type of a value that may be of either.
fn join(a: &Type, b: &Type) -> Option<Type> {
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Type::Dyn, _) | (_, Type::Dyn) => Type::Dyn,
        (Type::List(a), Type::List(b)) => Type::list(join(a, b)?),
        (Type::Map(a, b), Type::Map(c, d)) => Type::map(join(a, c)?, join(b, d)?),
        _ => return None,
    })
}
