//! What names, fields and indexes stand for.

use super::Checker;
use crate::ast::{Expr, ExprKind};
use crate::mistake::Found;
use crate::node::{Kind, Node};
use crate::types::Type;
use crate::value::{TypeName, Value};

impl Checker<'_> {
    /// Whether a name means a variable here, so that `a.b` is a field and no qualified name.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| local == name)
            || self.environment.type_of(name).is_some()
    }

    pub(super) fn name(&mut self, at: u32, name: &str, rooted: bool) -> (Type, Kind) {
        let local = self.locals.iter().enumerate().rev().find(|(_, (n, _))| n == name);
        if let (false, Some((place, (_, ty)))) = (rooted, local) {
            return (ty.clone(), Kind::Local(place));
        }
        if let Some(ty) = self.environment.type_of(name) {
            let place = self.variables.iter().position(|v| **v == *name).unwrap_or_else(|| {
                self.variables.push(name.into());
                self.variables.len() - 1
            });
            return (ty.clone(), Kind::Variable(place));
        }
        if let Some(kind) = type_literal(name) {
            return (Type::Type, kind);
        }
        let locals: Vec<String> = self.locals.iter().map(|(n, _)| n.clone()).collect();
        let mut names: Vec<&str> = locals.iter().map(String::as_str).collect();
        self.environment.variables().for_each(|name| names.push(name));
        let found = Found::new(at, format!("there is no variable `{name}`"));
        let found = match crate::functions::overloads(name, false).first() {
            Some(function) => found.hint(format!("a function is called: {function}")),
            None => found.near(name, names),
        };
        self.wrong(found)
    }

    pub(super) fn select(&mut self, whole: &Expr, of: &Expr, field: &str) -> (Type, Kind) {
        if let Some(name) = self.qualified(whole)
            && let Some(kind) = type_literal(&name)
        {
            return (Type::Type, kind);
        }
        let of = self.node(of);
        let (ty, may_be_absent) = self.field(whole.at, &of, field);
        (ty, Kind::Select { of: Box::new(of), field: field.into(), may_be_absent })
    }

    pub(super) fn has(&mut self, at: u32, of: &Expr, field: &str) -> (Type, Kind) {
        let of = self.node(of);
        self.field(at, &of, field);
        (Type::Bool, Kind::Has { of: Box::new(of), field: field.into() })
    }

    /// The type of a field, and whether it may be absent.
    fn field(&mut self, at: u32, of: &Node, field: &str) -> (Type, bool) {
        let found = match &of.ty {
            Type::Dyn => return (Type::Dyn, true),
            Type::Map(keys, values) if keys.agrees(&Type::String) => {
                return ((**values).clone(), true);
            }
            Type::Record(record) => match self.environment.field(record, field) {
                Some(known) => return (known.ty.clone(), known.may_be_absent),
                None => Found::new(at, format!("{record} has no field `{field}`"))
                    .near(field, self.environment.fields(record)),
            },
            other => Found::new(at, format!("{other} has no fields, so no `{field}`")),
        };
        self.found.push(found);
        (Type::Dyn, false)
    }

    pub(super) fn index(&mut self, at: u32, two: &[Expr; 2]) -> (Type, Kind) {
        let [of, index] = two;
        let (of, index) = (self.node(of), self.node(index));
        let (ty, wanted) = match &of.ty {
            Type::Dyn => (Type::Dyn, Type::Dyn),
            Type::List(items) => ((**items).clone(), Type::Int),
            Type::Map(keys, values) => ((**values).clone(), (**keys).clone()),
            other => {
                let found = Found::new(at, format!("{other} has no items to be indexed"));
                return self.wrong(match other {
                    Type::Record(_) => found.hint("the fields of a record are written a.field"),
                    _ => found,
                });
            }
        };
        if !wanted.agrees(&index.ty) {
            let message = format!("the index is {}, where {wanted} is wanted", index.ty);
            self.found.push(Found::new(index.at, message));
        }
        (ty, Kind::Index(Box::new([of, index])))
    }

    /// The name `a.b.c` of names and fields alone, unless it begins with a variable.
    pub(super) fn qualified(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Name { name, .. } => (!self.is_variable(name)).then(|| name.clone()),
            ExprKind::Select { of, field } => Some(format!("{}.{field}", self.qualified(of)?)),
            _ => None,
        }
    }
}

/// The value of a name that stands for a type.
fn type_literal(name: &str) -> Option<Kind> {
    let name = TypeName::WRITTEN.iter().find(|n| **n == name)?;
    Some(Kind::Literal(Value::Type(TypeName(name))))
}
