//! Every function there is, by library. The checker and the evaluator both work from this one
//! list, and `docs/cel.md` is held to it by a test.

pub(crate) mod call;
mod conversions;
mod lists;
mod network;
mod operators;
mod patterns;
mod quantities;
mod signature;
mod sizes;
mod strings;
mod strings_more;
mod times;
mod urls;
mod versions;

pub(crate) use operators::named as operator;
pub(crate) use patterns::compile as compile_pattern;
pub(crate) use signature::{Function, Style};

/// The libraries. To add one is to add a file and a line here.
const LIBRARIES: &[(&str, &[Function])] = &[
    ("operators", operators::FUNCTIONS),
    ("conversions", conversions::FUNCTIONS),
    ("sizes", sizes::FUNCTIONS),
    ("strings", strings::FUNCTIONS),
    ("more strings", strings_more::FUNCTIONS),
    ("patterns", patterns::FUNCTIONS),
    ("times", times::FUNCTIONS),
    ("lists", lists::FUNCTIONS),
    ("urls", urls::FUNCTIONS),
    ("addresses", network::FUNCTIONS),
    ("quantities", quantities::FUNCTIONS),
    ("versions", versions::FUNCTIONS),
];

/// A function as documentation tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The library it belongs to.
    pub library: &'static str,
    /// Its name, as it is written.
    pub name: &'static str,
    /// One of its signatures.
    pub signature: String,
}

/// Every function and arithmetic operator, one entry an overload.
pub fn described() -> impl Iterator<Item = Described> {
    LIBRARIES.iter().flat_map(|(library, functions)| {
        functions.iter().map(|f| Described { library, name: f.name, signature: f.to_string() })
    })
}

/// All functions that can be called by name.
fn callable() -> impl Iterator<Item = &'static Function> {
    LIBRARIES
        .iter()
        .flat_map(|(_, functions)| functions.iter())
        .filter(|f| f.style != Style::Operator)
}

/// Whether it can be called in this way.
fn written(style: Style, as_method: bool) -> bool {
    match style {
        Style::Both => true,
        Style::Method => as_method,
        Style::Global => !as_method,
        Style::Operator => false,
    }
}

/// The overloads of a name, as a method or as a function.
pub(crate) fn overloads(name: &str, as_method: bool) -> Vec<&'static Function> {
    callable().filter(|f| f.name == name && written(f.style, as_method)).collect()
}

/// All names that can be called in this way.
pub(crate) fn names(as_method: bool) -> impl Iterator<Item = &'static str> {
    callable().filter(move |f| written(f.style, as_method)).map(|f| f.name)
}
