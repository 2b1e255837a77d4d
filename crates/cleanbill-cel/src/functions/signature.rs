//! How a function is declared: its name, what it takes and gives, and the code that does it.

use std::fmt;

use crate::functions::call::Arguments;
use crate::types::Type;
use crate::value::Value;

/// What a function's code gives back.
pub(crate) type Outcome = Result<Value, crate::fault::Fault>;

/// The type of a parameter or result. [`Ty::A`] is any type, the same wherever it stands in one
/// signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    Semver,
    Quantity,
    Url,
    Ip,
    Cidr,
    Type,
    Dyn,
    A,
    List(&'static Ty),
    Map(&'static Ty, &'static Ty),
}

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `f(a, b)`. A name with a dot, `ip.isCanonical`, is written the same way.
    Global,
    /// `a.f(b)`.
    Method,
    /// Either.
    Both,
    /// An operator between or before its operands.
    Operator,
}

/// One overload of a function.
#[derive(Debug)]
pub(crate) struct Function {
    pub name: &'static str,
    pub style: Style,
    /// The receiver of a method comes first.
    pub takes: &'static [Ty],
    pub gives: Ty,
    pub run: fn(&mut Arguments<'_>) -> Outcome,
    /// Which argument is a regular expression, compiled at load when it is written out.
    pub pattern: Option<usize>,
}

impl Function {
    pub const fn new(
        name: &'static str,
        style: Style,
        takes: &'static [Ty],
        gives: Ty,
        run: fn(&mut Arguments<'_>) -> Outcome,
    ) -> Self {
        Self { name, style, takes, gives, run, pattern: None }
    }

    /// With a pattern at this place.
    pub const fn pattern(mut self, at: usize) -> Self {
        self.pattern = Some(at);
        self
    }

    /// Whether values of these types may be given; `A` is bound on the way.
    pub fn accepts(&self, types: &[&Type]) -> Option<Type> {
        if types.len() != self.takes.len() {
            return None;
        }
        let mut bound = None;
        let fits = self.takes.iter().zip(types).all(|(want, have)| want.fits(have, &mut bound));
        fits.then(|| self.gives.bound(bound.as_ref()))
    }
}

/// `f(string, int) -> bool`, as the documentation writes it.
impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[Ty]| types.iter().map(Ty::to_string).collect::<Vec<_>>().join(", ");
        match (self.style, self.takes) {
            (Style::Operator, [of]) => write!(f, "{}{of}", self.name)?,
            (Style::Operator, [left, right]) => write!(f, "{left} {} {right}", self.name)?,
            (Style::Method | Style::Both, [of, rest @ ..]) => {
                write!(f, "{of}.{}({})", self.name, list(rest))?;
            }
            (_, takes) => write!(f, "{}({})", self.name, list(takes))?,
        }
        write!(f, " -> {}", self.gives)
    }
}

impl Ty {
    /// Whether a value of a type may be given where this is wanted.
    fn fits(self, have: &Type, bound: &mut Option<Type>) -> bool {
        match (self, have) {
            (Self::A, have) => match bound {
                Some(before) if !before.is_dyn() => before.agrees(have),
                _ => {
                    *bound = Some(have.clone());
                    true
                }
            },
            (Self::Dyn, _) | (_, Type::Dyn) => true,
            (Self::List(want), Type::List(have)) => want.fits(have, bound),
            (Self::Map(keys, values), Type::Map(k, v)) => {
                keys.fits(k, bound) && values.fits(v, bound)
            }
            (want, have) => want.bound(None) == *have,
        }
    }

    /// The type, with `A` as it was bound.
    fn bound(self, a: Option<&Type>) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::String => Type::String,
            Self::Bytes => Type::Bytes,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Semver => Type::Semver,
            Self::Quantity => Type::Quantity,
            Self::Url => Type::Url,
            Self::Ip => Type::Ip,
            Self::Cidr => Type::Cidr,
            Self::Type => Type::Type,
            Self::Dyn => Type::Dyn,
            Self::A => a.cloned().unwrap_or(Type::Dyn),
            Self::List(items) => Type::list(items.bound(a)),
            Self::Map(keys, values) => Type::map(keys.bound(a), values.bound(a)),
        }
    }

    /// Whether a value may be given, as far as values know their types.
    pub fn admits(self, value: &Value) -> bool {
        matches!(self, Self::A) || self.bound(None).admits(value)
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A => f.write_str("A"),
            Self::List(items) => write!(f, "list({items})"),
            Self::Map(keys, values) => write!(f, "map({keys}, {values})"),
            plain => write!(f, "{}", plain.bound(None)),
        }
    }
}
