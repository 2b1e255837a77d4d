//! What a function's code gets to see: its arguments, the meter, and its compiled pattern.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::fault::Fault;
use crate::functions::signature::Outcome;
use crate::limits;
use crate::meter::Meter;
use crate::record::Map;
use crate::things::{Cidr, Quantity, Semver, Url};
use crate::value::Value;

/// The arguments of one call, the receiver of a method first.
pub(crate) struct Arguments<'a> {
    pub values: &'a [Value],
    pub meter: &'a mut Meter,
    pub pattern: Option<&'a Arc<Regex>>,
}

/// Getters by type. The overload was chosen by these types, so that a wrong one cannot come;
/// if it did, that would be an error of the evaluation.
macro_rules! getters {
    ($($name:ident: $variant:ident -> $ty:ty;)*) => {
        $(pub fn $name(&self, at: usize) -> Result<&'a $ty, Fault> {
            match self.values.get(at) {
                Some(Value::$variant(value)) => Ok(value),
                other => Err(unexpected(other)),
            }
        })*
    };
}

fn unexpected(value: Option<&Value>) -> Fault {
    let name = value.map_or("nothing", |v| v.type_name().as_str());
    Fault::WrongType(format!("{name} does not go here"))
}

impl<'a> Arguments<'a> {
    getters! {
        bool: Bool -> bool;
        int: Int -> i64;
        uint: Uint -> u64;
        double: Double -> f64;
        string: String -> Arc<str>;
        octets: Bytes -> Arc<[u8]>;
        timestamp: Timestamp -> Timestamp;
        duration: Duration -> SignedDuration;
        list: List -> Arc<[Value]>;
        map: Map -> Arc<Map>;
        semver: Semver -> Arc<Semver>;
        quantity: Quantity -> Quantity;
        url: Url -> Arc<Url>;
        ip: Ip -> IpAddr;
        cidr: Cidr -> Cidr;
    }

    /// Any argument.
    pub fn value(&self, at: usize) -> Result<&'a Value, Fault> {
        self.values.get(at).ok_or_else(|| unexpected(None))
    }

    /// A string that will be looked through, which is charged for.
    pub fn text(&mut self, at: usize) -> Result<&'a str, Fault> {
        let text = self.string(at)?;
        self.meter.bytes(text.len())?;
        Ok(text)
    }

    /// Makes a string, within its bounds.
    pub fn give(&mut self, text: impl AsRef<str>) -> Outcome {
        let text = text.as_ref();
        bounded(self.meter, text.len())?;
        Ok(Value::text(text))
    }

    /// Makes a list, within its bounds.
    pub fn give_list(&mut self, items: Vec<Value>) -> Outcome {
        if items.len() > limits::LIST_ITEMS {
            return Err(Fault::TooLarge("a list"));
        }
        self.meter.steps(items.len())?;
        Ok(Value::List(items.into()))
    }
}

/// Charges for a string that is about to be made of so many bytes, or says that it is too long.
pub(crate) fn bounded(meter: &mut Meter, bytes: usize) -> Result<(), Fault> {
    if bytes > limits::STRING_BYTES {
        return Err(Fault::TooLarge("a string"));
    }
    meter.bytes(bytes)
}
