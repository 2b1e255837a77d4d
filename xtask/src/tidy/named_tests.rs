//! The tests that docs/security.md names are there: a defence without its test is a claim.

use super::{Problem, Tree};

const DOC: &str = "docs/security.md";

/// Looks for `fn NAME(` of every name in the document's tables.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for name in
        tree.text(DOC).unwrap_or_default().lines().filter(|l| l.starts_with('|')).flat_map(names)
    {
        let function = format!("fn {name}(");
        if !tree.rust().any(|f| f.text.contains(&function)) {
            problems.push(Problem::new(DOC, format!("names the test {name}, which is not there")));
        }
    }
    problems
}

/// The words in a row that can only be names of tests: in backticks, of three words or more.
fn names(row: &str) -> impl Iterator<Item = &str> {
    row.split('`').skip(1).step_by(2).filter(|word| {
        word.matches('_').count() >= 2
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::{DOC, Tree, check};

    #[test]
    fn a_test_that_is_gone_is_found() {
        let table = [("| x | y | `bombs_do_no_harm` |", 0), ("| x | `nobody_wrote_this` |", 1)];
        for (row, expected) in table {
            let tree = Tree::of(&[(DOC, row), ("a.rs", "#[test]\nfn bombs_do_no_harm() {}")]);
            assert_eq!(check(&tree).len(), expected, "{row}");
        }
    }
}
