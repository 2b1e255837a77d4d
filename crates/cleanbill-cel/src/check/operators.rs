//! Which operators go between which types.

use super::Checker;
use crate::ast::{Binary, Expr};
use crate::mistake::Found;
use crate::node::{Kind, Node};
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn binary(&mut self, at: u32, operator: Binary, two: &[Expr; 2]) -> (Type, Kind) {
        let kind = match operator {
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder => return self.arithmetic(at, operator.symbol(), two),
            Binary::Equal | Binary::Differ => {
                let sides = Box::new(two.each_ref().map(|e| self.node(e)));
                self.equal(at, &sides);
                Kind::Equal { negated: operator == Binary::Differ, sides }
            }
            Binary::Order(order) => {
                let sides = Box::new(two.each_ref().map(|e| self.node(e)));
                self.ordered(at, operator, &sides);
                Kind::Ordered(order, sides)
            }
            Binary::In => {
                let sides = Box::new(two.each_ref().map(|e| self.node(e)));
                self.member(at, &sides);
                Kind::In(sides)
            }
        };
        (Type::Bool, kind)
    }

    fn equal(&mut self, at: u32, sides: &[Node; 2]) {
        let [left, right] = sides;
        if left.ty.agrees(&right.ty) {
            return;
        }
        let found = Found::new(at, format!("{} and {} are compared", left.ty, right.ty));
        let null = [&left.ty, &right.ty].contains(&&Type::Null);
        self.found.push(match (null, left.ty.is_numeric() && right.ty.is_numeric()) {
            (true, _) => found.hint("has(a.b) tells whether a field is there"),
            (_, true) => found.hint(format!("convert one of them, as in {}(…)", left.ty)),
            _ => found.hint("they would never be equal"),
        });
    }

    fn ordered(&mut self, at: u32, operator: Binary, sides: &[Node; 2]) {
        let [left, right] = sides;
        let numbers = left.ty.is_numeric() && right.ty.is_numeric();
        let ordered = |ty: &Type| ty.is_dyn() || ty.is_ordered();
        let agree = left.ty.agrees(&right.ty) && ordered(&left.ty) && ordered(&right.ty);
        if numbers || agree {
            return;
        }
        let message = format!("{} {} {} has no meaning", left.ty, operator.symbol(), right.ty);
        let found = Found::new(at, message);
        let compared = matches!(left.ty, Type::Semver | Type::Quantity);
        self.found.push(match compared {
            true => found.hint("write a.isLessThan(b), a.isGreaterThan(b) or a.compareTo(b)"),
            false => found,
        });
    }

    fn member(&mut self, at: u32, sides: &[Node; 2]) {
        let [item, whole] = sides;
        let found = match &whole.ty {
            Type::Dyn => return,
            Type::List(of) | Type::Map(of, _) if of.agrees(&item.ty) => return,
            Type::List(of) | Type::Map(of, _) => {
                Found::new(at, format!("{} is looked for among {of}", item.ty))
                    .hint("it would never be found")
            }
            Type::String => Found::new(at, "`in` looks into lists and maps, not string")
                .hint("write text.contains(part)"),
            other => Found::new(at, format!("`in` looks into lists and maps, not {other}")),
        };
        self.found.push(found);
    }
}
