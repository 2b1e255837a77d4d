//! `cargo xtask order ECOSYSTEM FILE`: checks our version orders against a table that somebody
//! else published. Its lines are `a < b`, `a = b` or `a > b`; blank lines and comments (`#`,
//! `//`) are skipped; `-` reads standard input. Each disagreement is one line of output, and the
//! last line is `N lines, M disagree`. A line that cannot be read, and one whose versions do not
//! parse here, disagrees too: neither was checked.

use std::cmp::Ordering;
use std::io::Read;

use cleanbill_core::ecosystem::Stream;
use cleanbill_core::version::{Scheme, Version};

use crate::{Result, say};

/// The signs between two versions, and what they say of the first one.
const SIGNS: [(&str, Ordering); 3] =
    [(" < ", Ordering::Less), (" = ", Ordering::Equal), (" > ", Ordering::Greater)];

const FORM: &str = "no line of the form a < b, a = b or a > b";

/// `cargo xtask order`.
///
/// # Errors
/// When the arguments are not understood, the ecosystem has no order, or anything disagrees.
pub fn run(args: &[String]) -> Result<()> {
    let [ecosystem, file] = args else {
        return Err("usage: order ECOSYSTEM FILE (- for standard input)".into());
    };
    let stream: Stream = ecosystem.parse()?;
    let scheme =
        stream.scheme().ok_or_else(|| format!("{ecosystem}: no order of versions is known"))?;
    let mut bytes = Vec::new();
    match file.as_str() {
        "-" => drop(std::io::stdin().read_to_end(&mut bytes)?),
        path => bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?,
    }
    let (report, disagree) = check(scheme, &String::from_utf8_lossy(&bytes));
    say(&report);
    match disagree {
        0 => Ok(()),
        _ => Err(format!("{disagree} lines disagree with the order for {ecosystem}").into()),
    }
}

/// What is printed for a table, and how many lines disagree.
pub fn check(scheme: Scheme, table: &str) -> (String, usize) {
    let mut report = String::new();
    let (mut lines, mut disagree) = (0, 0);
    for (at, line) in table.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        lines += 1;
        if let Err(why) = one(scheme, line) {
            disagree += 1;
            report.push_str(&format!("line {}: {line}: {why}\n", at + 1));
        }
    }
    report.push_str(&format!("{lines} lines, {disagree} disagree"));
    (report, disagree)
}

/// Compares the two versions of a line; why it disagrees.
fn one(scheme: Scheme, line: &str) -> std::result::Result<(), String> {
    let found = SIGNS.iter().filter_map(|(sign, want)| {
        line.split_once(sign).map(|(a, b)| (a.len(), a.trim(), *want, b.trim()))
    });
    // The first sign divides.
    let Some((_, a, want, b)) = found.min_by_key(|(at, ..)| *at) else {
        return Err(FORM.to_owned());
    };
    if SIGNS.iter().any(|(sign, _)| b.contains(sign)) {
        return Err(FORM.to_owned());
    }
    let parse = |text| Version::parse(scheme, text).map_err(|e| e.to_string());
    let (parsed_a, parsed_b) = (parse(a)?, parse(b)?);
    let ours = parsed_a.cmp(&parsed_b);
    if ours == want {
        return Ok(());
    }
    let sign = SIGNS.iter().find(|(_, order)| *order == ours).map_or("", |(sign, _)| sign);
    Err(format!("ours is {a}{sign}{b}"))
}

#[cfg(test)]
mod tests {
    use cleanbill_core::version::Scheme;

    use super::{check, run};

    #[test]
    fn a_table_is_checked_line_by_line() {
        let rows: [(Scheme, &str, &str); 6] = [
            (Scheme::Rpm, "", "0 lines, 0 disagree"),
            (Scheme::Rpm, "# a\n\n// b\n1 < 2\n 2 > 1 \n1 = 1.\n", "3 lines, 0 disagree"),
            (
                Scheme::Rpm,
                "1 > 2\r\n1 = 1^\n2 < 1",
                "line 1: 1 > 2: ours is 1 < 2\nline 2: 1 = 1^: ours is 1 < 1^\n\
                 line 3: 2 < 1: ours is 2 > 1\n3 lines, 3 disagree",
            ),
            (
                Scheme::Apk,
                "1 < x\n1<2",
                "line 1: 1 < x: \"x\" is no apk version: it does not begin with a digit\n\
                 line 2: 1<2: no line of the form a < b, a = b or a > b\n2 lines, 2 disagree",
            ),
            (Scheme::Go, "go1.21.0 X:a = 1.21.0", "1 lines, 0 disagree"),
            (
                Scheme::Go,
                "1.0.0 < 2.0.0 < 3.0.0",
                "line 1: 1.0.0 < 2.0.0 < 3.0.0: no line of the form a < b, a = b or a > b\n\
                 1 lines, 1 disagree",
            ),
        ];
        for (scheme, table, wanted) in rows {
            let (report, disagree) = check(scheme, table);
            assert_eq!(report, wanted, "{table}");
            assert!(report.ends_with(&format!(" lines, {disagree} disagree")));
        }
    }

    #[test]
    fn what_cannot_be_checked_is_an_error() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let rows: [(&[&str], &str); 5] = [
            (&["PyPI"], "usage: order ECOSYSTEM FILE (- for standard input)"),
            (&["pypi", file], "unknown ecosystem \"pypi\""),
            (&["Android", file], "Android: no order of versions is known"),
            (&["PyPI", "/nowhere"], "/nowhere: No such file or directory (os error 2)"),
            (&["Rocky Linux:9", file], "lines disagree with the order for Rocky Linux:9"),
        ];
        for (args, wanted) in rows {
            let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
            let said = run(&args).unwrap_err().to_string();
            assert!(said.ends_with(wanted), "{args:?}: {said}");
        }
    }
}
