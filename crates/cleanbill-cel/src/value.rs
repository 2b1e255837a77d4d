//! Values: cheap to clone, immutable, compared within bounds.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::fault::Fault;
use crate::limits;
use crate::meter::Meter;
use crate::numbers::Number;
use crate::record::{Map, Record};
use crate::things::{Cidr, Quantity, Semver, Url};

/// A value of an expression. What is not a number or a time is shared, so that a clone copies a
/// pointer.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    String(Arc<str>),
    /// Octets.
    Bytes(Arc<[u8]>),
    /// An instant.
    Timestamp(Timestamp),
    /// A length of time.
    Duration(SignedDuration),
    /// Values in order.
    List(Arc<[Value]>),
    /// Values by key.
    Map(Arc<Map>),
    /// Values by declared field.
    Record(Arc<Record>),
    /// A semantic version.
    Semver(Arc<Semver>),
    /// A Kubernetes quantity.
    Quantity(Quantity),
    /// A URL.
    Url(Arc<Url>),
    /// An IP address.
    Ip(IpAddr),
    /// A range of IP addresses.
    Cidr(Cidr),
    /// The type of a value.
    Type(TypeName),
}

/// The name of a type as `type()` gives it: without what it is a list or map of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeName(pub(crate) &'static str);

impl TypeName {
    /// The names that an expression may write.
    pub(crate) const WRITTEN: &[&str] = &[
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
    ];

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl Value {
    /// Text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::String(text.into())
    }

    /// A list.
    #[must_use]
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    /// A map.
    #[must_use]
    pub fn map(entries: impl IntoIterator<Item = (crate::Key, Self)>) -> Self {
        Self::Map(Arc::new(Map::new(entries)))
    }

    /// A record.
    #[must_use]
    pub fn record(
        name: &'static str,
        fields: impl IntoIterator<Item = (&'static str, Self)>,
    ) -> Self {
        Self::Record(Arc::new(Record::new(name, fields)))
    }

    /// The value of a `bool`, `None` for everything else.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// What `type()` gives.
    #[must_use]
    pub fn type_name(&self) -> TypeName {
        TypeName(match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Record(record) => record.name(),
            Self::Semver(_) => "kubernetes.Semver",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Url(_) => "kubernetes.URL",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Type(_) => "type",
        })
    }

    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Int(n) => Some(Number::Int(*n)),
            Self::Uint(n) => Some(Number::Uint(*n)),
            Self::Double(n) => Some(Number::Double(*n)),
            _ => None,
        }
    }

    /// CEL's `==`: numbers by where they are on the line, other values of two types differ.
    pub(crate) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Fault> {
        equal(self, other, meter, limits::VALUE_DEPTH)
    }

    /// The order of two values: `None` with a NaN.
    pub(crate) fn order(&self, other: &Self, meter: &mut Meter) -> Result<Option<Ordering>, Fault> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return Ok(a.compare(b));
        }
        Ok(Some(match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => {
                meter.bytes(a.len().min(b.len()))?;
                a.cmp(b)
            }
            (Self::Bytes(a), Self::Bytes(b)) => {
                meter.bytes(a.len().min(b.len()))?;
                a.cmp(b)
            }
            (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.cmp(b),
            (a, b) => {
                let (a, b) = (a.type_name().0, b.type_name().0);
                return Err(Fault::WrongType(format!("{a} and {b} have no order")));
            }
        }))
    }
}

fn equal(a: &Value, b: &Value, meter: &mut Meter, depth: usize) -> Result<bool, Fault> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Fault::TooLarge("the depth of a comparison"));
    };
    meter.steps(1)?;
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            meter.bytes(if a.len() == b.len() { a.len() } else { 0 })?;
            Ok(a == b)
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.bytes(if a.len() == b.len() { a.len() } else { 0 })?;
            Ok(a == b)
        }
        (Value::List(a), Value::List(b)) => {
            all(a.len() == b.len(), a.iter().zip(b.iter()), meter, depth)
        }
        (Value::Map(a), Value::Map(b)) => {
            meter.steps(a.len())?;
            let keys = a.len() == b.len() && a.entries().zip(b.entries()).all(|(a, b)| a.0 == b.0);
            all(keys, a.entries().zip(b.entries()).map(|(a, b)| (&a.1, &b.1)), meter, depth)
        }
        (Value::Record(a), Value::Record(b)) => {
            let names =
                a.name() == b.name() && a.fields().map(|(n, _)| n).eq(b.fields().map(|(n, _)| n));
            all(names, a.fields().zip(b.fields()).map(|(a, b)| (a.1, b.1)), meter, depth)
        }
        (a, b) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => Ok(a.compare(b) == Some(Ordering::Equal)),
            _ => Ok(a == b),
        },
    }
}

fn all<'a>(
    alike: bool,
    pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
    meter: &mut Meter,
    depth: usize,
) -> Result<bool, Fault> {
    if !alike {
        return Ok(false);
    }
    for (a, b) in pairs {
        if !equal(a, b, meter, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Self::Double(n)
    }
}
