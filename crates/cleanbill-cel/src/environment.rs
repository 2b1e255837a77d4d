//! What an expression may speak of: variables, and the fields of records.

use std::collections::BTreeMap;

use crate::types::Type;

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub(crate) ty: Type,
    pub(crate) may_be_absent: bool,
}

impl Field {
    /// A field that every record of its type has.
    #[must_use]
    pub fn always(ty: Type) -> Self {
        Self { ty, may_be_absent: false }
    }

    /// A field that may be absent: `has(x.f)` tells, and reading it while it is absent is an
    /// error when the expression runs.
    #[must_use]
    pub fn maybe(ty: Type) -> Self {
        Self { ty, may_be_absent: true }
    }
}

/// Declared variables and record types.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<&'static str, Type>,
    records: BTreeMap<&'static str, BTreeMap<&'static str, Field>>,
}

impl Environment {
    /// One without variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a variable of this name and type.
    #[must_use]
    pub fn variable(mut self, name: &'static str, ty: Type) -> Self {
        self.variables.insert(name, ty);
        self
    }

    /// With a record type that has these fields and no others.
    #[must_use]
    pub fn record(
        mut self,
        name: &'static str,
        fields: impl IntoIterator<Item = (&'static str, Field)>,
    ) -> Self {
        self.records.insert(name, fields.into_iter().collect());
        self
    }

    /// The type of a variable.
    #[must_use]
    pub fn type_of(&self, variable: &str) -> Option<&Type> {
        self.variables.get(variable)
    }

    /// The names of all variables, sorted.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.variables.keys().copied()
    }

    pub(crate) fn field(&self, record: &str, field: &str) -> Option<&Field> {
        self.records.get(record)?.get(field)
    }

    pub(crate) fn fields(&self, record: &str) -> impl Iterator<Item = &'static str> {
        self.records.get(record).into_iter().flat_map(|fields| fields.keys().copied())
    }
}
