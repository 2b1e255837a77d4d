//! The polarity analysis behind [`crate::Program::loosens_on`]: what somebody else chooses may
//! only stand where more of it makes the result more true.
//!
//! Why it is sound. Take `false < error < true`: `&&` is then the lesser and `||` the greater
//! of its operands, errors included, and `exists` and `all` over the same items are chains of
//! them. So when each part that depends on the author's values is `false` for an author who
//! says nothing, and only such operators stand above it, the whole can only rise above what it
//! is for that author; and of the three, `error` and `true` refuse. The rules below let through
//! only parts that are `false` then: membership, presence, and tests of a value that a guard in
//! the same conjunction shows to be there. A value that is always there (a service account) has
//! no "nothing": the same tests make it one that names what is refused.

use std::sync::Arc;

use crate::ast::FoldKind;
use crate::mistake::Found;
use crate::node::{Call, Fold, Kind, Node};
use crate::references::path;
use crate::types::Type;
use crate::value::Value;

/// Tests of a text that may be put to an author's value.
const TESTS: &[&str] = &["contains", "startsWith", "endsWith", "matches"];

/// Functions of a text that have no errors and may stand before a test.
const PLAIN: &[&str] = &["lowerAscii", "upperAscii", "trim"];

/// Where the author's values loosen the rule.
pub(crate) fn of(root: &Node, variables: &[Arc<str>], paths: &[&str]) -> Vec<Found> {
    let theirs = paths.iter().map(|p| p.split('.').collect()).collect();
    let mut analysis =
        Analysis { variables, theirs, locals: Vec::new(), guards: Vec::new(), found: Vec::new() };
    analysis.positive(root);
    analysis.found
}

struct Analysis<'a> {
    variables: &'a [Arc<str>],
    theirs: Vec<Vec<&'a str>>,
    /// For each macro around: what it goes through, when that is the author's.
    locals: Vec<Option<&'a Node>>,
    /// What is known to be there: the key of the whole.
    guards: Vec<(&'a Node, Key<'a>)>,
    found: Vec<Found>,
}

/// A key or field, in the one form that both writings have.
#[derive(Clone, Copy)]
enum Key<'a> {
    Text(&'a str),
    Node(&'a Node),
}

impl<'a> Analysis<'a> {
    fn wrong(&mut self, at: u32, message: &str, hint: &str) {
        self.found.push(Found::new(at, message).hint(hint));
    }

    /// A part whose being more true must not be the author's loss to prevent.
    fn positive(&mut self, node: &'a Node) {
        if !self.touches(node) {
            return;
        }
        match &node.kind {
            Kind::And(operands) => {
                let outside = self.guards.len();
                for operand in operands {
                    self.guard(operand);
                }
                for operand in operands {
                    self.positive(operand);
                }
                self.guards.truncate(outside);
            }
            Kind::Or(operands) => operands.iter().for_each(|o| self.positive(o)),
            Kind::Choose(three) => {
                let [condition, yes, no] = &**three;
                if self.touches(condition) {
                    let hint = "write `a && b` instead of `a ? b : false`";
                    self.wrong(condition.at, "the pod's author chooses this condition", hint);
                }
                self.positive(yes);
                self.positive(no);
            }
            Kind::Fold(fold) => self.fold(node, fold),
            Kind::Has { of, .. } => {
                // Of what is not theirs, one of its fields is: whether it is there may be asked.
                if self.touches_locals(of) || self.within(of) {
                    self.there(of);
                } else if !self.within(node) {
                    self.misused(node);
                }
            }
            Kind::In(sides) => {
                let [item, whole] = &**sides;
                match (self.touches(item), self.touches(whole)) {
                    (false, _) => self.there(whole),
                    (true, false) if item.ty == Type::Bool => self.misused(node),
                    (true, false) => self.one(item),
                    (true, true) => self.both(node),
                }
            }
            Kind::Equal { negated: false, sides } => {
                let [left, right] = &**sides;
                match (self.touches(left), self.touches(right)) {
                    (true, true) => self.both(node),
                    (true, false) => self.equal(left, right),
                    (false, _) => self.equal(right, left),
                }
            }
            Kind::Call(call) if is_one_of(call, TESTS) => self.test(node, call),
            Kind::Variable(_) | Kind::Local(_) | Kind::Select { .. } | Kind::Index(_)
                if node.ty == Type::Bool =>
            {
                self.there(node);
            }
            _ => self.misused(node),
        }
    }

    fn both(&mut self, node: &Node) {
        let message = "both sides are the pod's author's choice";
        self.wrong(node.at, message, "compare it with something that you write here");
    }

    /// The author's value is compared with something that is not theirs.
    fn equal(&mut self, theirs: &'a Node, other: &'a Node) {
        let is_true = matches!(other.kind, Kind::Literal(Value::Bool(true)));
        if (other.ty == Type::Bool || theirs.ty == Type::Bool) && !is_true {
            let message = "what the pod's author chooses is compared with a bool";
            return self.wrong(other.at, message, "only what makes it true may be named");
        }
        if matches!(other.kind, Kind::Literal(Value::Null)) {
            let message = "what the pod's author chooses is compared with null";
            return self.wrong(other.at, message, "write has(a.b) for what must be there");
        }
        self.one(theirs);
    }

    /// One value of the author's, to be compared. The whole of a list or map is none: an author
    /// who says nothing has an empty one, and whoever adds to it escapes the comparison.
    fn one(&mut self, theirs: &'a Node) {
        let many = matches!(theirs.ty, Type::List(_) | Type::Map(_, _) | Type::Record(_));
        if many || (theirs.ty == Type::Dyn && self.is_whole(theirs)) {
            return self.misused(theirs);
        }
        self.there(theirs);
    }

    fn test(&mut self, node: &'a Node, call: &'a Call) {
        let mut args = call.args.iter();
        let text = args.next();
        if args.any(|a| self.touches(a)) {
            let message = "the pod's author chooses what is looked for";
            return self.wrong(node.at, message, "write what is refused here");
        }
        if let Some(text) = text {
            self.there(text);
        }
    }

    fn fold(&mut self, node: &'a Node, fold: &'a Fold) {
        let range = self.touches(&fold.range).then_some(&fold.range);
        match (fold.kind, range) {
            (FoldKind::Exists, Some(range)) => self.there(range),
            (FoldKind::Exists | FoldKind::All, None) => {}
            (FoldKind::All | FoldKind::ExistsOne | FoldKind::Map | FoldKind::Filter, _) => {
                return self.misused(node);
            }
        }
        self.locals.push(range);
        if let Some(condition) = &fold.condition {
            self.positive(condition);
        }
        self.locals.pop();
    }

    /// An author's value by itself: is it one, and is each step to it known to be there?
    fn there(&mut self, node: &'a Node) {
        match &node.kind {
            Kind::Local(place) if self.locals.get(*place).is_some_and(Option::is_some) => {}
            Kind::Call(call) if is_one_of(call, PLAIN) => {
                call.args.iter().for_each(|text| self.there(text));
            }
            Kind::Variable(_) if self.is_whole(node) => {}
            Kind::Select { of, field, may_be_absent } => {
                if !self.is_whole(node) {
                    self.there(of);
                }
                if *may_be_absent && !self.guarded(of, Key::Text(field)) {
                    self.unguarded(node, of, field);
                }
            }
            Kind::Index(two) => {
                let [of, key] = &**two;
                self.there(of);
                if self.touches(key) && !self.goes_through(key, of) {
                    let message = "the pod's author chooses this key";
                    self.wrong(key.at, message, "write the key here");
                } else if !self.guarded(of, key_of(key)) && !self.goes_through(key, of) {
                    self.unguarded(node, of, "key");
                }
            }
            _ => self.misused(node),
        }
    }

    fn unguarded(&mut self, node: &Node, of: &Node, key: &str) {
        let hint = match of.ty {
            Type::Record(_) => format!("write `has(a.{key}) && …` before it"),
            _ => format!("write `'{key}' in a && a['{key}'] …`"),
        };
        let message = "the pod's author may leave this out, and then the rule fails instead of \
                       being false";
        self.wrong(node.at, message, &hint);
    }

    fn misused(&mut self, node: &'a Node) {
        // The innermost place that is not theirs alone says most.
        let hint = "it may only stand in && and ||, as in 'key' in a, has(a.key), \
                    'key' in a && a['key'] == 'x', a.exists(k, …), or before startsWith() and \
                    its like";
        let message = match &node.kind {
            Kind::Not(_) => "`!` turns what the pod's author chooses around",
            Kind::Equal { negated: true, .. } => "`!=` turns what the pod's author chooses around",
            Kind::Fold(fold) if fold.kind == FoldKind::All => {
                "all() becomes false by one more item of the pod's author"
            }
            _ => "what the pod's author chooses could make this rule stop refusing",
        };
        self.wrong(node.at, message, hint);
    }

    /// Notes what an operand of `&&` shows to be there.
    fn guard(&mut self, operand: &'a Node) {
        match &operand.kind {
            Kind::In(sides) => {
                let [key, whole] = &**sides;
                // That an item is in a list tells nothing of its index.
                if matches!(whole.ty, Type::Map(_, _)) {
                    self.guards.push((whole, key_of(key)));
                }
            }
            Kind::Has { of, field } => self.guards.push((of, Key::Text(field))),
            _ => {}
        }
    }

    fn guarded(&self, of: &Node, key: Key<'_>) -> bool {
        self.guards.iter().any(|(whole, k)| same(whole, of) && same_key(*k, key))
    }

    /// Whether the key is the variable of an `exists` over this very map.
    fn goes_through(&self, key: &Node, of: &Node) -> bool {
        let Kind::Local(place) = key.kind else { return false };
        self.locals.get(place).copied().flatten().is_some_and(|range| same(range, of))
    }

    /// Whether a node is what the author chooses, or a part of it by names.
    fn within(&self, node: &Node) -> bool {
        path(node, self.variables).is_some_and(|p| self.theirs.iter().any(|t| p.starts_with(t)))
    }

    /// Whether a node is exactly what the author chooses, all of it.
    fn is_whole(&self, node: &Node) -> bool {
        path(node, self.variables).is_some_and(|p| self.theirs.contains(&p))
    }

    /// Whether anything of the author's is in a node, or all of something that has it.
    fn touches(&self, node: &Node) -> bool {
        if let Some(names) = path(node, self.variables) {
            return self.theirs.iter().any(|t| names.starts_with(t) || t.starts_with(&names));
        }
        match node.kind {
            Kind::Local(place) => self.locals.get(place).is_some_and(Option::is_some),
            _ => node.children().into_iter().any(|child| self.touches(child)),
        }
    }

    fn touches_locals(&self, node: &Node) -> bool {
        match node.kind {
            Kind::Local(place) => self.locals.get(place).is_some_and(Option::is_some),
            _ => node.children().into_iter().any(|child| self.touches_locals(child)),
        }
    }
}

fn is_one_of(call: &Call, names: &[&str]) -> bool {
    call.overloads.first().is_some_and(|f| names.contains(&f.name))
}

fn key_of(node: &Node) -> Key<'_> {
    match &node.kind {
        Kind::Literal(Value::String(text)) => Key::Text(text),
        _ => Key::Node(node),
    }
}

fn same_key(a: Key<'_>, b: Key<'_>) -> bool {
    match (a, b) {
        (Key::Text(a), Key::Text(b)) => a == b,
        (Key::Node(a), Key::Node(b)) => same(a, b),
        (Key::Text(_), Key::Node(_)) | (Key::Node(_), Key::Text(_)) => false,
    }
}

/// Whether two nodes are written the same, as far as names, fields and indexes go.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Literal(a), Kind::Literal(b)) => a == b,
        (Kind::Variable(a), Kind::Variable(b)) | (Kind::Local(a), Kind::Local(b)) => a == b,
        (Kind::Index(a), Kind::Index(b)) => {
            let ([a, x], [b, y]) = (&**a, &**b);
            same(a, b) && same_key(key_of(x), key_of(y))
        }
        (Kind::Select { of, field, .. }, Kind::Index(two))
        | (Kind::Index(two), Kind::Select { of, field, .. }) => {
            let [other, key] = &**two;
            same(of, other) && same_key(Key::Text(field), key_of(key))
        }
        (Kind::Select { of: a, field: x, .. }, Kind::Select { of: b, field: y, .. }) => {
            x == y && same(a, b)
        }
        _ => false,
    }
}
