//! Which overload of a function is called. Literals that it would read (patterns, times,
//! addresses) are read now, so that a slip in one is a mistake and not a failure later.

use std::sync::Arc;

use jiff::Timestamp;

use super::Checker;
use crate::ast::{Expr, FoldKind};
use crate::functions::call::Arguments;
use crate::functions::{Function, compile_pattern, names, operator, overloads};
use crate::limits;
use crate::meter::{Cost, Meter};
use crate::mistake::Found;
use crate::node::{Call, Kind, Node};
use crate::types::Type;
use crate::value::Value;

/// Functions that only read a string: with a literal their result is known now.
const READERS: &[&str] =
    &["timestamp", "duration", "url", "ip", "cidr", "quantity", "semver", "int", "uint", "double"];

impl Checker<'_> {
    pub(super) fn call(&mut self, at: u32, name: &str, args: &[Expr]) -> (Type, Kind) {
        let nodes = self.nodes(args);
        let found = overloads(name, false);
        if !found.is_empty() {
            return self.resolve(at, name, &found, nodes);
        }
        let missing = Found::new(at, format!("there is no function `{name}`"));
        self.found.push(match overloads(name, true).first() {
            Some(method) => missing.hint(format!("it is a method: {method}")),
            None => missing.near(name, names(false)),
        });
        (Type::Dyn, Kind::Literal(Value::Null))
    }

    pub(super) fn method(&mut self, at: u32, of: &Expr, name: &str, args: &[Expr]) -> (Type, Kind) {
        if let Some(space) = self.qualified(of) {
            let full = format!("{space}.{name}");
            let found = overloads(&full, false);
            if !found.is_empty() {
                let nodes = self.nodes(args);
                return self.resolve(at, &full, &found, nodes);
            }
        }
        let mut nodes = vec![self.node(of)];
        nodes.extend(args.iter().map(|a| self.node(a)));
        let found = overloads(name, true);
        if !found.is_empty() {
            return self.resolve(at, name, &found, nodes);
        }
        let missing = Found::new(at, format!("there is no method `{name}`"));
        let macros = ["all", "exists", "exists_one", "map", "filter"];
        self.found.push(if let Some(kind) = FoldKind::named(name) {
            missing.hint(format!("the macro is written list.{}(x, …x…)", kind.name()))
        } else if let Some(function) = overloads(name, false).first() {
            missing.hint(format!("it is a function: {function}"))
        } else {
            missing.near(name, names(true).chain(macros))
        });
        (Type::Dyn, Kind::Literal(Value::Null))
    }

    pub(super) fn arithmetic(&mut self, at: u32, symbol: &str, operands: &[Expr]) -> (Type, Kind) {
        let nodes = self.nodes(operands);
        let found = operator(symbol, nodes.len());
        let types: Vec<&Type> = nodes.iter().map(|n| &n.ty).collect();
        if found.iter().any(|f| f.accepts(&types).is_some()) {
            return self.resolve(at, symbol, &found, nodes);
        }
        let (message, hint) = match types.as_slice() {
            [left, right] => (
                format!("{left} {symbol} {right} has no meaning"),
                (left.is_numeric() && right.is_numeric())
                    .then(|| format!("convert one of them, as in {left}(…)")),
            ),
            _ => (format!("{symbol} does not go before {}", shown(&types)), None),
        };
        let mistake = Found::new(at, message);
        self.wrong(match hint {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        })
    }

    /// Keeps the overloads that the types allow.
    fn resolve(
        &mut self,
        at: u32,
        name: &str,
        found: &[&'static Function],
        args: Vec<Node>,
    ) -> (Type, Kind) {
        let types: Vec<&Type> = args.iter().map(|n| &n.ty).collect();
        let mut fitting = Vec::new();
        let mut gives: Option<Type> = None;
        for function in found {
            if let Some(ty) = function.accepts(&types) {
                gives = match gives {
                    Some(before) if before != ty => Some(Type::Dyn),
                    _ => Some(ty),
                };
                fitting.push(*function);
            }
        }
        let (Some(ty), Some(first)) = (gives, fitting.first().copied()) else {
            let known: Vec<String> = found.iter().take(4).map(|f| format!("`{f}`")).collect();
            let message = format!("`{name}` does not take {}", shown(&types));
            return self.wrong(Found::new(at, message).hint(format!("it is {}", known.join(", "))));
        };
        self.read_zone(first, &args);
        if let Some(value) = self.read_literal(first, name, &args) {
            return (ty, Kind::Literal(value));
        }
        let pattern = first.pattern.and_then(|p| args.get(p)).and_then(|n| self.pattern(n));
        (ty, Kind::Call(Call { overloads: fitting, args, pattern }))
    }

    /// Compiles a pattern that is written out.
    fn pattern(&mut self, node: &Node) -> Option<Arc<regex::Regex>> {
        let Kind::Literal(Value::String(pattern)) = &node.kind else { return None };
        match compile_pattern(pattern, limits::PATTERN_BYTES) {
            Ok(compiled) => Some(Arc::new(compiled)),
            Err(why) => {
                let found = Found::new(node.at, format!("this is no pattern: {why}"));
                self.found.push(found.hint("the syntax is that of RE2"));
                None
            }
        }
    }

    /// The value of a call that only reads string literals.
    fn read_literal(&mut self, function: &Function, name: &str, args: &[Node]) -> Option<Value> {
        if !READERS.contains(&name) || !matches!(args.first()?.ty, Type::String) {
            return None;
        }
        let values: Option<Vec<Value>> = args
            .iter()
            .map(|n| if let Kind::Literal(v) = &n.kind { Some(v.clone()) } else { None })
            .collect();
        self.run_now(function, &values?, args.first()?.at)
    }

    /// Looks at the zone of `getHours('+02:00')` and its like.
    fn read_zone(&mut self, function: &Function, args: &[Node]) {
        if let [of, Node { kind: Kind::Literal(zone @ Value::String(_)), at, .. }] = args
            && of.ty == Type::Timestamp
        {
            self.run_now(function, &[Value::Timestamp(Timestamp::UNIX_EPOCH), zone.clone()], *at);
        }
    }

    fn run_now(&mut self, function: &Function, values: &[Value], at: u32) -> Option<Value> {
        let mut meter = Meter::new(Cost::DEFAULT);
        let mut arguments = Arguments { values, meter: &mut meter, pattern: None };
        match (function.run)(&mut arguments) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.found.push(Found::new(at, fault.to_string()));
                None
            }
        }
    }
}

/// Types in a message: `(string, int)`.
fn shown(types: &[&Type]) -> String {
    let types: Vec<String> = types.iter().map(|t| t.to_string()).collect();
    format!("({})", types.join(", "))
}
