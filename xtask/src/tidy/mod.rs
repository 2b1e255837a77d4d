//! What no compiler checks: one rule a file, each a function from the tree to its problems.
//! A rule may not change anything, and knows the tree only as [`Tree`], so that each is tested
//! with a small bad example.

mod bans;
mod dependencies;
mod headers;
mod links;
mod machine_paths;
mod manifest;
mod named_tests;
mod siblings;
mod sizes;
mod source;
mod star;
mod tree;

pub use tree::{File, Tree};

use crate::Result;

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the workspace.
    pub path: String,
    /// What is wrong and what to do about it.
    pub what: String,
}

impl Problem {
    fn new(path: &str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), what: what.into() }
    }
}

/// A rule: the tree to what is wrong with it.
pub type Rule = fn(&Tree) -> Vec<Problem>;

/// Every rule. To add one is to add a file and a line here.
pub const RULES: &[(&str, Rule)] = &[
    ("star", star::check),
    ("bans", bans::check),
    ("sizes", sizes::check),
    ("headers", headers::check),
    ("siblings", siblings::check),
    ("dependencies", dependencies::check),
    ("links", links::check),
    ("named-tests", named_tests::check),
    ("machine-paths", machine_paths::check),
];

/// Applies every rule; each problem is one line, `rule: path: what`.
pub fn problems(tree: &Tree) -> Vec<String> {
    RULES
        .iter()
        .flat_map(|(name, rule)| {
            rule(tree).into_iter().map(move |p| format!("{name}: {}: {}", p.path, p.what))
        })
        .collect()
}

/// `cargo xtask tidy`.
///
/// # Errors
/// When the tree cannot be read, or a rule found something; the error lists all of it.
pub fn run(_args: &[String]) -> Result<()> {
    let found = problems(&Tree::read(&crate::root())?);
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("{} problem(s)\n{}", found.len(), found.join("\n")).into())
}
