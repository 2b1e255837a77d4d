//! A row: one change to the node that is right, and what `doctor` must say first.

use std::collections::BTreeSet;

use cleanbill::doctor::found::Outcome;
use cleanbill::doctor::{CHECKS, Checked, Input, Report, examine};

use crate::node::Node;

/// What must come out.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// The first error is this check's, with this text.
    Error(&'static str, &'static str),
    /// There are no errors, and this warning with this text.
    Warning(&'static str, &'static str),
    /// This check was not made, for this reason.
    NotLooked(&'static str, &'static str),
    /// This check came out well, with this text.
    Fine(&'static str, &'static str),
}

/// A row.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub change: fn(&Node, &mut Input),
    pub expect: Expect,
}

/// Shorthand for a row.
pub const fn row(name: &'static str, change: fn(&Node, &mut Input), expect: Expect) -> Row {
    Row { name, change, expect }
}

/// Holds every row of a table.
pub fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for row in rows {
        let node = Node::good();
        let mut input = node.input();
        (row.change)(&node, &mut input);
        let report = examine(&input);
        if let Err(why) = holds(&report, row.expect) {
            wrong.push(format!("== {}: {:?}: {why}\n{}", row.name, row.expect, report.text(false)));
        }
        assert!(!report.json().contains("hunter2"), "{} shows a secret", row.name);
        for secret in ["gate/server.key", "gate/ca.key", "gate/client.key"] {
            let Ok(key) = std::fs::read_to_string(node.path(secret)) else { continue };
            let line = key.lines().nth(1).unwrap_or("no line");
            assert!(!report.json().contains(line), "{} shows {secret}", row.name);
        }
    }
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.join("\n"));
}

fn holds(report: &Report, expect: Expect) -> Result<(), String> {
    let has = |checked: &Checked, piece: &str| {
        let all = [&checked.looked_at, &checked.said, &checked.fix];
        all.iter().any(|text| text.contains(piece))
    };
    let first = report.first_error();
    let of = |outcome: Outcome, id: &str| {
        report.with(outcome).find(|c| c.check == id).ok_or(format!("{id} is not {outcome:?}"))
    };
    let found = match expect {
        Expect::Error(id, _) => match first {
            Some(first) if first.check == id => first,
            other => return Err(format!("the first error is {:?}", other.map(|c| c.check))),
        },
        Expect::Warning(id, _) => match first {
            None => of(Outcome::Warning, id)?,
            Some(first) => return Err(format!("{} is an error", first.check)),
        },
        Expect::NotLooked(id, _) => of(Outcome::NotLooked, id)?,
        Expect::Fine(id, _) => of(Outcome::Fine, id)?,
    };
    let (Expect::Error(_, piece)
    | Expect::Warning(_, piece)
    | Expect::NotLooked(_, piece)
    | Expect::Fine(_, piece)) = expect;
    if has(found, piece) { Ok(()) } else { Err(format!("it says something else: {found:?}")) }
}

#[test]
fn the_folder_that_is_right_has_no_errors_and_no_warnings() {
    let node = Node::good();
    let report = examine(&node.input());
    assert_eq!(report.first_error(), None, "{}", report.text(false));
    assert_eq!(report.count(Outcome::Warning), 0, "{}", report.text(false));
    assert_eq!(report.exit().number(), 0);
}

#[test]
fn every_check_has_a_row_in_which_it_is_not_right() {
    let others = [crate::certificates::ROWS, crate::network::ROWS, crate::cluster::ROWS];
    let rows: Vec<&Row> = crate::files::TABLES.into_iter().chain(others).flatten().collect();
    assert!(rows.len() >= 45, "{}", rows.len());
    let told: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| match row.expect {
            Expect::Error(id, _) | Expect::Warning(id, _) => Some(id),
            Expect::NotLooked(_, _) | Expect::Fine(_, _) => None,
        })
        .collect();
    let all: BTreeSet<&str> = CHECKS.iter().copied().flatten().map(|check| check.id).collect();
    let missing: Vec<_> = all.difference(&told).collect();
    assert!(missing.is_empty(), "no row has {missing:?} wrong");
    let unknown: Vec<_> = told.difference(&all).collect();
    assert!(unknown.is_empty(), "no check is {unknown:?}");
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
    let document = std::fs::read_to_string(document).unwrap();
    let untold: Vec<_> = all.iter().filter(|id| !document.contains(&format!("`{id}`"))).collect();
    assert!(untold.is_empty(), "docs/doctor.md does not name {untold:?}");
    let number: usize = CHECKS.iter().map(|group| group.len()).sum();
    assert_eq!(all.len(), number, "two checks have one id");
}
