//! The policy file: YAML as a person writes it → a valid [`Policy`], or everything that is wrong
//! with it, at once, each with its place and a hint.
//!
//! The keys are described in `docs/policy.md`. Nothing is guessed here: an unknown key, a wrong
//! type or a missing part is a problem, never a default, for a policy that means something else
//! than it says may let an image run. Must not touch the file system, a clock or the network.

use std::fmt;
use std::io::Write as _;

use cleanbill_core::Timestamp;
use cleanbill_core::policy::Policy;

use crate::report::text::printable;

mod condition;
mod exception;
mod expression;
pub(crate) mod node;
mod others;
pub(crate) mod policy;
mod profile;
pub(crate) mod read;
mod rule;
mod scope;
#[cfg(test)]
mod tests;
mod warnings;

pub(crate) use condition::kinds;
pub use exception::NO_OWNER;
pub use profile::Profile;

/// Every mapping of a policy file with every key it may have.
pub const SECTIONS: [(&str, &[&str]); 10] = [
    ("the policy", &policy::KEYS),
    ("an accepted gap", &exception::GAP_KEYS),
    ("an exception", &exception::EXCEPTION_KEYS),
    ("a rule", &rule::RULE_KEYS),
    ("a scope", &scope::SCOPE_KEYS),
    ("`refuse`", &condition::REFUSE_KEYS),
    ("`flaws`", &condition::FLAW_KEYS),
    ("a package", &condition::PACKAGE_KEYS),
    ("`break_glass`", &others::GLASS_KEYS),
    ("`checkers`", &others::CHECKER_KEYS),
];

/// The largest policy that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// One thing that is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {} ({})", self.file, self.line, self.column, self.message, self.hint)
    }
}

/// A policy, and what is valid in it and yet hardly meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// The warnings, in the order of the file.
    pub warnings: Vec<Problem>,
}

/// Reads a policy. `file_name` is only for the problems.
///
/// # Errors
/// All problems, in the order of the file; never an empty list. Where the text is no YAML, too
/// large, or deeper than any policy, that is the only problem.
pub fn parse(text: &str, file_name: &str) -> Result<Policy, Vec<Problem>> {
    parse_with_places(text, file_name).map(|(policy, _)| policy)
}

/// Reads a policy, and warns by the date of `now`.
///
/// # Errors
/// As [`parse`].
pub fn load(text: &str, file_name: &str, now: Timestamp) -> Result<Loaded, Vec<Problem>> {
    let (policy, places) = parse_with_places(text, file_name)?;
    let warnings = warnings_of(&policy, &places, file_name, now);
    Ok(Loaded { policy, warnings })
}

/// The warnings about a policy that stands in another file, such as the configuration: all at
/// that file's beginning.
pub fn warnings_of_inline(policy: &Policy, file_name: &str, now: Timestamp) -> Vec<Problem> {
    warnings_of(policy, &policy::Places::default(), file_name, now)
}

/// `1 mistake`, `2 mistakes`.
pub(crate) fn mistakes(count: usize) -> String {
    format!("{count} {}", if count == 1 { "mistake" } else { "mistakes" })
}

/// Says warnings on standard error.
pub fn say(warnings: &[Problem]) {
    for warning in warnings {
        // If even this cannot be written, there is nobody to warn.
        _ = writeln!(std::io::stderr().lock(), "warning: {}", printable(&warning.to_string()));
    }
}

/// The checkers that the policy needs and the configuration does not have.
pub fn unknown_checkers<'p>(policy: &'p Policy, known: &[&str]) -> Vec<&'p str> {
    let needed = policy.checkers.iter().flat_map(|agreement| &agreement.names);
    let mut unknown: Vec<&str> =
        needed.map(String::as_str).filter(|name| !known.contains(name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}

fn warnings_of(
    policy: &Policy,
    places: &policy::Places,
    file_name: &str,
    now: Timestamp,
) -> Vec<Problem> {
    let mut warnings: Vec<Problem> = Vec::new();
    for warning in warnings::of(policy, now) {
        let at = warning.about.place(places);
        let (line, column) = at.map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
        let (file, message, hint) = (file_name.to_owned(), warning.message, warning.hint);
        warnings.push(Problem { file, line, column, message, hint });
    }
    warnings.sort_by_key(|p| (p.line, p.column));
    warnings
}

fn parse_with_places(
    text: &str,
    file_name: &str,
) -> Result<(Policy, policy::Places), Vec<Problem>> {
    let root = tree(text, file_name)?;
    let mut reader = read::Reader { file: file_name, text, problems: Vec::new() };
    let read = reader.policy_with_places(&root);
    match reader.problems.is_empty() {
        true => Ok(read),
        false => {
            reader.problems.sort_by_key(|p| (p.line, p.column));
            Err(reader.problems)
        }
    }
}

/// Reads a file of ours as a tree. `file_name` is only for the problems.
///
/// # Errors
/// The one reason why it is no tree.
pub(crate) fn tree(text: &str, file_name: &str) -> Result<node::Placed, Vec<Problem>> {
    let one = |line, column, message: String, hint: &str| {
        vec![Problem { file: file_name.into(), line, column, message, hint: hint.into() }]
    };
    if text.len() > MAX_BYTES {
        let message = format!("the file is {} bytes long", text.len());
        return Err(one(1, 1, message, "at most 1 MiB is read"));
    }
    match node::parse(text) {
        Ok(root) => Ok(root),
        Err(wrong) => {
            let hint = "it is a YAML mapping without anchors; docs/ describes its keys";
            Err(one(wrong.line, wrong.column, wrong.message, hint))
        }
    }
}

/// Reads bytes as a policy: the entry for fuzzing. True when it was one.
pub fn fuzz_policy(bytes: &[u8]) -> bool {
    load(&String::from_utf8_lossy(bytes), "fuzz", Timestamp::UNIX_EPOCH).is_ok()
}
