//! The policy file: YAML as a person writes it → a valid [`Policy`], or everything that is wrong
//! with it, at once, each with its place and a hint.
//!
//! The keys are described in `docs/policy.md`. Nothing is guessed here: an unknown key, a wrong
//! type or a missing part is a problem, never a default, for a policy that means something else
//! than it says may let an image run. Must not touch the file system, a clock or the network.

use std::fmt;

use cleanbill_core::policy::Policy;

pub(crate) mod node;
pub(crate) mod read;
#[cfg(test)]
mod tests;

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

/// Reads a policy. `file_name` is only for the problems.
///
/// # Errors
/// All problems, in the order of the file; never an empty list. Where the text is no YAML, too
/// large, or deeper than any policy, that is the only problem.
pub fn parse(text: &str, file_name: &str) -> Result<Policy, Vec<Problem>> {
    let root = tree(text, file_name)?;
    let mut reader = read::Reader { file: file_name, problems: Vec::new() };
    let policy = reader.policy(&root);
    match reader.problems.is_empty() {
        true => Ok(policy),
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
            let hint = "it is a YAML mapping without anchors; see docs/policy.md";
            Err(one(wrong.line, wrong.column, wrong.message, hint))
        }
    }
}

/// Reads bytes as a policy: the entry for fuzzing. True when it was one.
pub fn fuzz_policy(bytes: &[u8]) -> bool {
    parse(&String::from_utf8_lossy(bytes), "fuzz").is_ok()
}
