//! The macros that go through lists and the keys of maps. `all` and `exists` absorb errors as
//! `&&` and `||` do; the others do not.

use std::sync::Arc;

use super::{Evaluated, Machine, raised};
use crate::ast::FoldKind;
use crate::fault::{Fault, Raised};
use crate::limits;
use crate::node::Fold;
use crate::value::Value;

impl Machine<'_> {
    pub(super) fn fold(&mut self, fold: &Fold) -> Evaluated {
        let items: Arc<[Value]> = match self.eval(&fold.range)? {
            Value::List(items) => items,
            Value::Map(map) => {
                self.meter.steps(map.len()).map_err(raised(fold.range.at))?;
                map.entries().map(|(key, _)| key.value()).collect()
            }
            other => {
                let (of, name) = (fold.kind.name(), other.type_name().as_str());
                let message = format!("{of}() goes through a list or map, not {name}");
                return Err(raised(fold.range.at)(Fault::WrongType(message)));
            }
        };
        match fold.kind {
            FoldKind::All => self.decided(fold, &items, false),
            FoldKind::Exists => self.decided(fold, &items, true),
            FoldKind::ExistsOne => {
                let mut count = 0_usize;
                for item in items.iter() {
                    count += usize::from(self.with(fold, item, |m| m.condition(fold))?);
                }
                Ok(Value::Bool(count == 1))
            }
            FoldKind::Map | FoldKind::Filter => {
                let mut made = Vec::new();
                for item in items.iter() {
                    let one = self.with(fold, item, |m| m.one(fold, item))?;
                    made.extend(one);
                    if made.len() > limits::LIST_ITEMS {
                        return Err(raised(fold.range.at)(Fault::TooLarge("a list")));
                    }
                }
                Ok(Value::List(made.into()))
            }
        }
    }

    /// Runs something with the variable of a macro bound to an item.
    fn with<T>(
        &mut self,
        fold: &Fold,
        item: &Value,
        run: impl FnOnce(&mut Self) -> Result<T, Raised>,
    ) -> Result<T, Raised> {
        self.meter.steps(1).map_err(raised(fold.range.at))?;
        self.locals.truncate(fold.local);
        self.locals.push(item.clone());
        let done = run(self);
        self.locals.truncate(fold.local);
        done
    }

    /// The predicate for the bound item; a `map` without one takes every item.
    fn condition(&mut self, fold: &Fold) -> Result<bool, Raised> {
        fold.condition.as_ref().map_or(Ok(true), |condition| self.bool(condition))
    }

    /// What `map` and `filter` make of the bound item.
    fn one(&mut self, fold: &Fold, item: &Value) -> Result<Option<Value>, Raised> {
        if !self.condition(fold)? {
            return Ok(None);
        }
        Ok(Some(match &fold.result {
            Some(result) => self.eval(result)?,
            None => item.clone(),
        }))
    }

    /// `exists` when `decisive` is true, `all` when it is false.
    fn decided(&mut self, fold: &Fold, items: &[Value], decisive: bool) -> Evaluated {
        let mut error = None;
        for item in items {
            match self.with(fold, item, |m| m.condition(fold)) {
                Ok(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(raised) if raised.absorbable() => error = error.or(Some(raised)),
                Err(raised) => return Err(raised),
            }
        }
        error.map_or(Ok(Value::Bool(!decisive)), Err)
    }
}
