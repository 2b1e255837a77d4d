//! Why an evaluation gave no value. Whoever asks decides what that means; a policy takes it for
//! a refusal.

use std::fmt;

use crate::meter::Cost;

/// What went wrong while an expression ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The cost limit was reached.
    Cost,
    /// A map has no such key.
    NoSuchKey(String),
    /// A record does not have this field now; `has()` would have told.
    NoSuchField(String),
    /// A map literal gives one key twice.
    DuplicateKey(String),
    /// The caller has no value for a variable that the environment declares.
    NoSuchVariable(String),
    /// A list has no item at this index.
    NoSuchIndex(i64),
    /// Division or remainder by zero.
    DivisionByZero,
    /// A number, duration or timestamp left its range.
    Overflow,
    /// A value of this type does not go here; only values of type `dyn` come so far.
    WrongType(String),
    /// A string that is not what it was to be read as: a number, a time, an address, a pattern.
    Unreadable(String),
    /// Something would have grown past its bound in [`crate::limits`].
    TooLarge(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cost => write!(f, "the evaluation reached its cost limit"),
            Self::NoSuchKey(key) => write!(f, "no such key: {key}"),
            Self::DuplicateKey(key) => write!(f, "the key {key} is given twice"),
            Self::NoSuchField(field) => write!(f, "the field `{field}` is absent here"),
            Self::NoSuchVariable(name) => write!(f, "no value was given for `{name}`"),
            Self::NoSuchIndex(index) => write!(f, "no item at index {index}"),
            Self::DivisionByZero => write!(f, "division by zero"),
            Self::Overflow => write!(f, "the result is out of range"),
            Self::WrongType(what) | Self::Unreadable(what) => write!(f, "{what}"),
            Self::TooLarge(what) => write!(f, "{what} would be too large"),
        }
    }
}

impl Fault {
    /// A string that is not what it should be; it is quoted, without more of it than is needed.
    pub(crate) fn unreadable(what: &str, text: &str) -> Self {
        Self::Unreadable(format!("{} is not {what}", quoted(text)))
    }
}

/// At most eighty characters of a hostile string, escaped.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 80;
    let cut: String = text.chars().take(MOST).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{more}")
}

/// An evaluation error with its place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The line within the source, from 1.
    pub line: usize,
    /// The column within the line, in characters, from 1.
    pub column: usize,
    /// What went wrong; never [`Fault::Cost`].
    pub fault: Fault,
}

/// Why [`crate::Program::run`] gave no value. Neither kind is an answer: a caller that guards
/// something must not take either for `false`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The limit was reached before there was an answer.
    CostExceeded {
        /// The limit that was given.
        limit: Cost,
    },
    /// The expression has no value for this input.
    Failed(Failure),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CostExceeded { limit } => {
                write!(f, "the expression cost more than the limit of {}", limit.0)
            }
            Self::Failed(Failure { line, column, fault }) => write!(f, "{line}:{column}: {fault}"),
        }
    }
}

impl std::error::Error for Stopped {}

/// A fault on its way up, with the offset of the part that failed.
#[derive(Clone, Debug)]
pub(crate) struct Raised {
    pub at: u32,
    pub fault: Fault,
}

impl Raised {
    /// Whether `&&` and `||` may swallow it: everything but the end of the budget.
    pub fn absorbable(&self) -> bool {
        self.fault != Fault::Cost
    }
}
