//! A program: an expression that was parsed and checked, ready to run.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::check;
use crate::environment::Environment;
use crate::eval::Machine;
use crate::fault::{Failure, Fault, Raised, Stopped};
use crate::meter::Cost;
use crate::mistake::{Mistake, place, placed};
use crate::node::Node;
use crate::parser::parse;
use crate::types::Type;
use crate::value::Value;
use crate::{polarity, references};

/// An expression that was parsed and type-checked. Shared between threads, it runs as often as
/// it is asked to, each time from nothing.
#[derive(Clone, Debug)]
pub struct Program {
    source: Arc<str>,
    root: Node,
    variables: Vec<Arc<str>>,
    wanted: Type,
}

impl Program {
    /// Parses and checks an expression that is to give a value of the wanted type.
    ///
    /// # Errors
    /// All mistakes in it that can be told at once, in the order of their places: what cannot
    /// be read (only the first of it), names and functions that are not there, types that do
    /// not go together, literals that are no pattern, time, version or address.
    pub fn compile(
        source: &str,
        environment: &Environment,
        wanted: &Type,
    ) -> Result<Self, Vec<Mistake>> {
        let checked = parse(source).and_then(|expr| check(&expr, environment, wanted));
        let (root, variables) = checked.map_err(|found| placed(found, source))?;
        Ok(Self { source: source.into(), root, variables, wanted: wanted.clone() })
    }

    /// Evaluates it. `lookup` gives the value of a variable of the environment; it is asked for
    /// each at most once, and only for those that the evaluation comes to.
    ///
    /// # Errors
    /// [`Stopped`]: the limit was reached, or the expression has no value for this input (a key
    /// that is missing, a division by zero). Neither is an answer, least of all `false`.
    pub fn run(
        &self,
        lookup: &dyn Fn(&str) -> Option<Value>,
        limit: Cost,
    ) -> Result<Value, Stopped> {
        self.run_measured(lookup, limit).0
    }

    /// As [`Program::run`], and what it cost: never more than the limit.
    pub fn run_measured(
        &self,
        lookup: &dyn Fn(&str) -> Option<Value>,
        limit: Cost,
    ) -> (Result<Value, Stopped>, Cost) {
        let mut machine = Machine::new(&self.variables, lookup, limit);
        let result = machine.eval(&self.root).and_then(|value| {
            if self.wanted.admits(&value) {
                return Ok(value);
            }
            let name = value.type_name().as_str();
            let message = format!("this gave {name}, but {} is wanted", self.wanted);
            Err(Raised { at: self.root.at, fault: Fault::WrongType(message) })
        });
        let result = result.map_err(|raised| match raised.fault {
            Fault::Cost => Stopped::CostExceeded { limit },
            fault => {
                let (line, column) = place(&self.source, raised.at);
                Stopped::Failed(Failure { line, column, fault })
            }
        });
        (result, Cost(limit.0.saturating_sub(machine.left())))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The variables and fields that it looks at, each as a path of names (`request.labels`).
    /// A path that is a part of another is not listed besides it unless it is used by itself.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        references::of(&self.root, &self.variables)
    }

    /// Where the values at these paths (`request.labels`) could make the result go from true
    /// back to false, for a rule that refuses when it is true, and whose author must not be
    /// able to talk it out of that. The empty list: nowhere.
    ///
    /// What is compared is what the author says with what the result would be had they said
    /// nothing: no such label, an absent field. Saying something may then only turn `false`
    /// into `true` or into an error, which refuses, too. For that, such a value may stand
    ///
    /// * below `&&`, `||`, the results of `?:`, and the predicate of `exists` and `all` over
    ///   something else;
    /// * there as `key in path`, `has(path.key)`, `path.exists(k, …)`, or as the left side of
    ///   `==`, `in`, `contains`, `startsWith`, `endsWith` or `matches`, whose other side nobody
    ///   but the operator chooses; `lowerAscii()`, `upperAscii()` and `trim()` may be between.
    ///
    /// What may be missing is guarded: `'key' in path && path['key'] == 'x'`. Without the guard
    /// saying nothing would be an error, which refuses, and saying something else would not.
    /// (Only the cost limit is outside of this: a part that is skipped costs nothing.)
    /// Everything else, such as `!`, `!=`, the condition of `?:`, `all` or `size` of the path
    /// itself, is a [`Mistake`] with its place.
    #[must_use]
    pub fn loosens_on(&self, paths: &[&str]) -> Vec<Mistake> {
        placed(polarity::of(&self.root, &self.variables, paths), &self.source)
    }
}
