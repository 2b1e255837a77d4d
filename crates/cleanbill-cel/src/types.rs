//! Types as the checker knows them. They are richer than those of values: a list has a type of
//! its items here, and is just a list when the expression runs.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// The type of a variable, a field or an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// 64 bits, signed.
    Int,
    /// 64 bits, unsigned.
    Uint,
    /// IEEE 754, 64 bits.
    Double,
    /// Unicode text.
    String,
    /// Octets.
    Bytes,
    /// `null` alone.
    Null,
    /// An instant, in nanoseconds, from the year 1 to the last but one day of 9999.
    Timestamp,
    /// A length of time in nanoseconds, about 290 years either way.
    Duration,
    /// A list of items of one type.
    List(Arc<Type>),
    /// A map from keys (`bool`, `int`, `uint` or `string`) to values.
    Map(Arc<Type>, Arc<Type>),
    /// A record that the [`crate::Environment`] declares under this name.
    Record(&'static str),
    /// A version as of Semantic Versioning 2.0.
    Semver,
    /// A Kubernetes quantity such as `500Mi`.
    Quantity,
    /// A URL.
    Url,
    /// An IP address.
    Ip,
    /// A range of IP addresses.
    Cidr,
    /// What `type()` gives.
    Type,
    /// Anything: what goes with it is found out when the expression runs.
    Dyn,
}

impl Type {
    /// A list of these.
    #[must_use]
    pub fn list(items: Self) -> Self {
        Self::List(Arc::new(items))
    }

    /// A map from these to those.
    #[must_use]
    pub fn map(keys: Self, values: Self) -> Self {
        Self::Map(Arc::new(keys), Arc::new(values))
    }

    /// Whether a value of one type may stand where the other is wanted. `dyn` goes anywhere,
    /// in both directions.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn, _) | (_, Self::Dyn) => true,
            (Self::List(a), Self::List(b)) => a.agrees(b),
            (Self::Map(a, b), Self::Map(c, d)) => a.agrees(c) && b.agrees(d),
            (a, b) => a == b,
        }
    }

    /// Whether the types say that this may be anything.
    pub(crate) fn is_dyn(&self) -> bool {
        *self == Self::Dyn
    }

    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// Whether `<` is defined among values of this type.
    pub(crate) fn is_ordered(&self) -> bool {
        self.is_numeric()
            || matches!(
                self,
                Self::Bool | Self::String | Self::Bytes | Self::Timestamp | Self::Duration
            )
    }

    /// Whether a value is of this type, as far as it can be told without going through it.
    pub(crate) fn admits(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Dyn, _)
            | (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Int(_))
            | (Self::Uint, Value::Uint(_))
            | (Self::Double, Value::Double(_))
            | (Self::String, Value::String(_))
            | (Self::Bytes, Value::Bytes(_))
            | (Self::Null, Value::Null)
            | (Self::Timestamp, Value::Timestamp(_))
            | (Self::Duration, Value::Duration(_))
            | (Self::List(_), Value::List(_))
            | (Self::Map(_, _), Value::Map(_))
            | (Self::Semver, Value::Semver(_))
            | (Self::Quantity, Value::Quantity(_))
            | (Self::Url, Value::Url(_))
            | (Self::Ip, Value::Ip(_))
            | (Self::Cidr, Value::Cidr(_))
            | (Self::Type, Value::Type(_)) => true,
            (Self::Record(name), Value::Record(record)) => record.name() == *name,
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Null => f.write_str("null"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::List(items) => write!(f, "list({items})"),
            Self::Map(keys, values) => write!(f, "map({keys}, {values})"),
            Self::Record(name) => f.write_str(name),
            Self::Semver => f.write_str("semver"),
            Self::Quantity => f.write_str("quantity"),
            Self::Url => f.write_str("url"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::Type => f.write_str("type"),
            Self::Dyn => f.write_str("dyn"),
        }
    }
}
