//! An expression as it is written: what the parser gives and the checker takes. Names are not
//! resolved and nothing has a type.

use crate::value::Value;

/// One part of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    /// Where it is, in bytes from the start of the source.
    pub at: u32,
    /// How deep the tree below it is; a leaf has 1.
    pub depth: usize,
    pub kind: ExprKind,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Literal(Value),
    /// A name; `rooted` when written with a leading dot, which looks past local variables.
    Name {
        name: String,
        rooted: bool,
    },
    Select {
        of: Box<Expr>,
        field: String,
    },
    Index(Box<[Expr; 2]>),
    Call {
        name: String,
        args: Vec<Expr>,
    },
    Method {
        of: Box<Expr>,
        name: String,
        args: Vec<Expr>,
    },
    List(Vec<Expr>),
    Map(Vec<[Expr; 2]>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Choose(Box<[Expr; 3]>),
    Binary(Binary, Box<[Expr; 2]>),
    Has {
        of: Box<Expr>,
        field: String,
    },
    Fold(Box<Fold>),
}

/// Operators on two values that always evaluate both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    Differ,
    Order(Order),
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Comparisons that need an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Binary {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Differ => "!=",
            Self::Order(Order::Less) => "<",
            Self::Order(Order::LessOrEqual) => "<=",
            Self::Order(Order::Greater) => ">",
            Self::Order(Order::GreaterOrEqual) => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// A macro that goes through a list or the keys of a map.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub kind: FoldKind,
    pub range: Expr,
    pub variable: String,
    /// Which items count: the predicate, or the filter of a `map` with three arguments.
    pub condition: Option<Expr>,
    /// What `map` makes of each.
    pub result: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl FoldKind {
    /// Its name in the source.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Map => "map",
            Self::Filter => "filter",
        }
    }

    /// The macro of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::All, Self::Exists, Self::ExistsOne, Self::Map, Self::Filter]
            .into_iter()
            .find(|k| k.name() == name)
    }
}
