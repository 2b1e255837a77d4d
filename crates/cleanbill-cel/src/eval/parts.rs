//! Parts of values: fields, items, membership, and putting maps together.

use super::{Evaluated, Machine, raised};
use crate::fault::{Fault, quoted};
use crate::node::Node;
use crate::record::Key;
use crate::value::Value;

impl Machine<'_> {
    pub(super) fn select(&mut self, of: &Value, field: &str) -> Result<Value, Fault> {
        match of {
            Value::Record(record) => {
                record.field(field).cloned().ok_or_else(|| Fault::NoSuchField(field.to_owned()))
            }
            Value::Map(map) => {
                self.meter.bytes(field.len())?;
                map.get_text(field).cloned().ok_or_else(|| Fault::NoSuchKey(quoted(field)))
            }
            other => Err(no_parts(other)),
        }
    }

    pub(super) fn has(&mut self, of: &Value, field: &str) -> Result<Value, Fault> {
        match of {
            Value::Record(record) => Ok(Value::Bool(record.field(field).is_some())),
            Value::Map(map) => {
                self.meter.bytes(field.len())?;
                Ok(Value::Bool(map.get_text(field).is_some()))
            }
            other => Err(no_parts(other)),
        }
    }

    pub(super) fn index(&mut self, of: &Value, index: &Value) -> Result<Value, Fault> {
        match of {
            Value::List(items) => {
                let Some(n) = index.number().and_then(crate::numbers::Number::whole) else {
                    let name = index.type_name().as_str();
                    return Err(Fault::WrongType(format!("{name} is no index of a list")));
                };
                let item = usize::try_from(n).ok().and_then(|n| items.get(n));
                item.cloned().ok_or(Fault::NoSuchIndex(n))
            }
            Value::Map(map) => {
                let key = self.key(index)?;
                map.get(&key).cloned().ok_or_else(|| Fault::NoSuchKey(shown(&key)))
            }
            other => Err(no_parts(other)),
        }
    }

    pub(super) fn member(&mut self, item: &Value, whole: &Value) -> Result<Value, Fault> {
        match whole {
            Value::List(items) => {
                for one in items.iter() {
                    if one.equals(item, &mut self.meter)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            // What cannot be a key is in no map.
            Value::Map(map) => match Key::of(item) {
                Some(_) => {
                    let key = self.key(item)?;
                    Ok(Value::Bool(map.get(&key).is_some()))
                }
                None => Ok(Value::Bool(false)),
            },
            other => {
                let name = other.type_name().as_str();
                Err(Fault::WrongType(format!("`in` looks into lists and maps, not {name}")))
            }
        }
    }

    /// A value as a key; looking it up is charged for.
    fn key(&mut self, value: &Value) -> Result<Key, Fault> {
        if let Value::String(text) = value {
            self.meter.bytes(text.len())?;
        }
        Key::of(value).ok_or_else(|| {
            let name = value.type_name().as_str();
            Fault::WrongType(format!("{name} is no key of a map"))
        })
    }

    pub(super) fn map(&mut self, entries: &[[Node; 2]]) -> Evaluated {
        let mut made: Vec<(Key, Value)> = Vec::with_capacity(entries.len());
        for [key, value] in entries {
            let at = raised(key.at);
            let key = self.eval(key)?;
            // A number with a fraction is no key, and neither is a whole one of type double.
            let key = match key {
                Value::Double(_) => {
                    return Err(at(Fault::WrongType("double is no key of a map".into())));
                }
                key => self.key(&key).map_err(&at)?,
            };
            self.meter.steps(made.len()).map_err(&at)?;
            if made.iter().any(|(k, _)| *k == key) {
                return Err(at(Fault::DuplicateKey(shown(&key))));
            }
            made.push((key, self.eval(value)?));
        }
        Ok(Value::map(made))
    }
}

fn no_parts(value: &Value) -> Fault {
    Fault::WrongType(format!("{} has no parts", value.type_name().as_str()))
}

fn shown(key: &Key) -> String {
    match key {
        Key::String(text) => quoted(text),
        key @ (Key::Bool(_) | Key::Int(_) | Key::Uint(_)) => key.to_string(),
    }
}
