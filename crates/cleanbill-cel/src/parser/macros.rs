//! The macros `has`, `all`, `exists`, `exists_one`, `map` and `filter`: written as calls, but
//! their arguments are not evaluated first.

use super::{Parsed, Parser};
use crate::ast::{Expr, ExprKind, Fold, FoldKind};
use crate::mistake::Found;

impl Parser {
    /// `has(e.f)`.
    pub(super) fn has(&mut self, at: u32, args: Vec<Expr>) -> Parsed {
        match <[Expr; 1]>::try_from(args) {
            Ok([Expr { kind: ExprKind::Select { of, field }, .. }]) => {
                let below = of.depth;
                self.node(at, below, ExprKind::Has { of, field })
            }
            Ok(_) | Err(_) => Err(Found::new(at, "has() takes one field, as in has(a.b)")
                .hint("for a key that is not a name, write 'key' in a")),
        }
    }

    /// A method, or one of the macros that look like one.
    pub(super) fn method(&mut self, at: u32, of: Expr, name: String, args: Vec<Expr>) -> Parsed {
        let below = args.iter().map(|e| e.depth).fold(of.depth, usize::max);
        let fits = match FoldKind::named(&name) {
            None => None,
            // `map` and the rest are also free as names of methods with other arguments.
            Some(FoldKind::Map) => matches!(args.len(), 2 | 3).then_some(FoldKind::Map),
            Some(kind) => (args.len() == 2).then_some(kind),
        };
        let Some(kind) = fits else {
            return self.node(at, below, ExprKind::Method { of: Box::new(of), name, args });
        };
        let mut args = args.into_iter();
        let variable = match args.next() {
            Some(Expr { kind: ExprKind::Name { name, rooted: false }, .. }) => name,
            other => {
                let at = other.map_or(at, |e| e.at);
                let message = format!("the first argument of {}() names a variable", kind.name());
                return Err(
                    Found::new(at, message).hint(format!("as in list.{}(x, …x…)", kind.name()))
                );
            }
        };
        let rest: Vec<Expr> = args.collect();
        let (condition, result) = match (kind, <[Expr; 2]>::try_from(rest)) {
            (_, Ok([condition, result])) => (Some(condition), Some(result)),
            (FoldKind::Map, Err(rest)) => (None, rest.into_iter().next()),
            (_, Err(rest)) => (rest.into_iter().next(), None),
        };
        let fold = Fold { kind, range: of, variable, condition, result };
        self.node(at, below, ExprKind::Fold(Box::new(fold)))
    }
}
