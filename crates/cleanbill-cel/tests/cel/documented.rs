//! Every function has its row in docs/cel.md, and every example there is true.

use std::collections::BTreeSet;

use cleanbill_cel::described;

use crate::{check, compiled, outcome};

const DOC: &str = include_str!("../../../../docs/cel.md");

/// Rows of the tables whose last two columns are an example and its value.
fn examples() -> Vec<(&'static str, &'static str)> {
    DOC.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .filter_map(|row| {
            let mut cells = row.rsplit(" | ");
            let (value, example) = (cells.next()?, cells.next()?);
            let code = |cell: &'static str| cell.strip_prefix('`')?.strip_suffix('`');
            Some((code(example)?, code(value)?))
        })
        .collect()
}

#[test]
fn every_example_is_true() {
    let examples = examples();
    assert!(examples.len() > 100, "only {} examples were found", examples.len());
    check(examples.iter().map(|(source, expected)| {
        let given = outcome(source).unwrap_or_else(|stopped| format!("stopped: {stopped}"));
        (*source, given, *expected)
    }));
}

#[test]
fn the_rules_that_are_shown_are_let_through_or_not() {
    let rows: Vec<(&str, &str)> = DOC
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | `"))
        .filter_map(|(sound, rest)| Some((sound, rest.split_once("` | ")?)))
        .filter(|(_, (_, because))| !because.starts_with('`') && !because.contains('`'))
        .map(|(sound, (loose, _))| (sound, loose))
        .collect();
    assert_eq!(rows.len(), 5);
    for (sound, loose) in rows {
        assert_eq!(compiled(sound).loosens_on(crate::polarity::THEIRS), [], "{sound}");
        assert_ne!(compiled(loose).loosens_on(crate::polarity::THEIRS), [], "{loose}");
    }
}

#[test]
fn every_signature_is_documented_and_nothing_else_is() {
    let there: BTreeSet<String> =
        described().map(|d| d.signature).filter(|s| !s.is_empty()).collect();
    let told: BTreeSet<String> = DOC
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split("<br>"))
        .map(|signature| signature.trim_matches('`').to_owned())
        .filter(|signature| signature.contains("->"))
        .collect();
    let missing: Vec<_> = there.difference(&told).collect();
    let stale: Vec<_> = told.difference(&there).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:#?}\nstale: {stale:#?}");
}
