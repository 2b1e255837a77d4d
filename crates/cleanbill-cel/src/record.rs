//! Values with parts: records, whose fields are named by the code that makes them, and maps,
//! whose keys are data. Both are sorted slices: cheap to make, looked up by halving.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::numbers::Number;
use crate::value::Value;

/// A record: some of the fields that its type declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    name: &'static str,
    fields: Box<[(&'static str, Value)]>,
}

impl Record {
    /// A record of the type of this name. Fields that are absent are left out; of two with one
    /// name the first counts.
    #[must_use]
    pub fn new(
        name: &'static str,
        fields: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.sort_by_key(|(field, _)| *field);
        fields.dedup_by_key(|(field, _)| *field);
        Self { name, fields: fields.into() }
    }

    /// The name of its type.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The value of a field, `None` while it is absent.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        let at = self.fields.binary_search_by(|(field, _)| (*field).cmp(name)).ok()?;
        self.fields.get(at).map(|(_, value)| value)
    }

    /// All fields that are there, sorted by name.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }
}

/// A key of a map.
#[derive(Clone, Debug)]
pub enum Key {
    /// `true` or `false`.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number; the same key as the equal `Int`.
    Uint(u64),
    /// Text.
    String(Arc<str>),
}

impl Key {
    /// The value as a key, if it can be one. A `double` without a fraction is the equal `int`.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(Self::Bool(*b)),
            Value::Int(n) => Some(Self::Int(*n)),
            Value::Uint(n) => Some(Self::Uint(*n)),
            Value::String(s) => Some(Self::String(s.clone())),
            Value::Double(d) => Number::Double(*d).whole().map(Self::Int),
            Value::Null
            | Value::Bytes(_)
            | Value::Timestamp(_)
            | Value::Duration(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Record(_)
            | Value::Semver(_)
            | Value::Quantity(_)
            | Value::Url(_)
            | Value::Ip(_)
            | Value::Cidr(_)
            | Value::Type(_) => None,
        }
    }

    /// The key as a value.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(n) => Value::Int(*n),
            Self::Uint(n) => Value::Uint(*n),
            Self::String(s) => Value::String(s.clone()),
        }
    }

    fn number(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(i128::from(*n)),
            Self::Uint(n) => Some(i128::from(*n)),
            Self::Bool(_) | Self::String(_) => None,
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |key: &Self| match key {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Uint(_) => 1,
            Self::String(_) => 2,
        };
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)).then(self.number().cmp(&other.number())),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self::String(key.into())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self::String(key.into())
    }
}

/// A map, sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    entries: Box<[(Key, Value)]>,
}

impl Map {
    /// A map of these entries; of two with one key the first counts.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = (Key, Value)>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries.dedup_by(|(a, _), (b, _)| a == b);
        Self { entries: entries.into() }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Value> {
        let at = self.entries.binary_search_by(|(k, _)| k.cmp(key)).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// As [`Map::get`] for a text key, without making one.
    pub(crate) fn get_text(&self, key: &str) -> Option<&Value> {
        let at = self.entries.binary_search_by(|(k, _)| match k {
            Key::String(text) => (**text).cmp(key),
            Key::Bool(_) | Key::Int(_) | Key::Uint(_) => Ordering::Less,
        });
        self.entries.get(at.ok()?).map(|(_, value)| value)
    }

    /// All entries, sorted by key.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &(Key, Value)> {
        self.entries.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
