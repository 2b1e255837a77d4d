//! A checked expression: names resolved, overloads chosen as far as types tell, patterns
//! compiled. What the evaluator and the analyses work on.

use std::sync::Arc;

use regex::Regex;

use crate::ast::{FoldKind, Order};
use crate::functions::Function;
use crate::types::Type;
use crate::value::Value;

#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it is, in bytes from the start of the source.
    pub at: u32,
    pub ty: Type,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Literal(Value),
    /// A variable, by its place among those that the program uses.
    Variable(usize),
    /// The variable of an enclosing macro, by how many of them are around it.
    Local(usize),
    Select {
        of: Box<Node>,
        field: Arc<str>,
        may_be_absent: bool,
    },
    Has {
        of: Box<Node>,
        field: Arc<str>,
    },
    Index(Box<[Node; 2]>),
    List(Vec<Node>),
    Map(Vec<[Node; 2]>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Choose(Box<[Node; 3]>),
    /// `==`, or `!=` when `negated`.
    Equal {
        negated: bool,
        sides: Box<[Node; 2]>,
    },
    Ordered(Order, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Call(Call),
    Fold(Box<Fold>),
}

/// A call of a function or an arithmetic operator. The receiver of a method is the first
/// argument.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Never empty: the overloads that the types leave; values choose among them.
    pub overloads: Vec<&'static Function>,
    pub args: Vec<Node>,
    /// The compiled pattern, where it is written out.
    pub pattern: Option<Arc<Regex>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub kind: FoldKind,
    pub range: Node,
    /// The place of its variable among the locals.
    pub local: usize,
    pub condition: Option<Node>,
    pub result: Option<Node>,
}

impl Node {
    /// The parts directly below, in the order of the source.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Literal(_) | Kind::Variable(_) | Kind::Local(_) => Vec::new(),
            Kind::Select { of, .. } | Kind::Has { of, .. } | Kind::Not(of) => vec![of],
            Kind::Index(two) | Kind::Ordered(_, two) | Kind::In(two) => two.iter().collect(),
            Kind::Equal { sides, .. } => sides.iter().collect(),
            Kind::List(many) | Kind::And(many) | Kind::Or(many) => many.iter().collect(),
            Kind::Map(entries) => entries.iter().flatten().collect(),
            Kind::Choose(three) => three.iter().collect(),
            Kind::Call(call) => call.args.iter().collect(),
            Kind::Fold(fold) => [Some(&fold.range), fold.condition.as_ref(), fold.result.as_ref()]
                .into_iter()
                .flatten()
                .collect(),
        }
    }
}
