//! Every Rust file opens by saying what it is for.

use super::{Problem, Tree};

/// Checks every Rust file.
pub fn check(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|f| !opens_with_purpose(&f.text))
        .map(|f| Problem::new(&f.path, "open with `//!`: what it is for and what it may not do"))
        .collect()
}

fn opens_with_purpose(text: &str) -> bool {
    text.lines().next().is_some_and(|l| l.strip_prefix("//! ").is_some_and(|w| w.len() >= 10))
}

#[cfg(test)]
mod tests {
    use super::{Tree, check};

    #[test]
    fn a_file_without_purpose_is_found() {
        let table = [("//! What it is for.\n", 0), ("use a;\n", 1), ("//! x\n", 1), ("", 1)];
        for (text, expected) in table {
            assert_eq!(check(&Tree::of(&[("a.rs", text)])).len(), expected, "{text:?}");
        }
    }
}
