//! `cleanbill policy check`: everything that is wrong with policy files, and what is valid in
//! them and hardly meant.

use std::path::PathBuf;

use cleanbill_core::Timestamp;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::policy_file::{self, Problem};
use crate::report::text::printable;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill policy check policy.yaml
  cleanbill policy check policies/*.yaml

Exit codes: 0 all are policies (warnings or not); 1 at least one is none; 2 a file cannot be read.";

/// Arguments of `policy check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Policy files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// All mistakes and warnings, a line each, and for each file how it stands.
///
/// # Errors
/// When a file cannot be read.
pub fn run(args: &Args, now: Timestamp) -> Result<(String, Exit)> {
    let (mut lines, mut exit) = (Vec::new(), Exit::DONE);
    for file in &args.files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|e| Failure::new(format!("the policy {name} cannot be read: {e}")))?;
        let right = check(&text, &name, now, &mut lines);
        if !right {
            exit = Exit::DENIED;
        }
    }
    lines.push(String::new());
    Ok((lines.join("\n"), exit))
}

/// Checks one text; whether it is a policy.
fn check(text: &str, name: &str, now: Timestamp, lines: &mut Vec<String>) -> bool {
    let mut tell = |what: &str, problems: &[Problem]| {
        lines.extend(problems.iter().map(|p| format!("{what}: {}", printable(&p.to_string()))));
    };
    let (right, state) = match policy_file::load(text, name, now) {
        Ok(loaded) => {
            tell("warning", &loaded.warnings);
            let warnings = match loaded.warnings.len() {
                0 => "no warnings".to_owned(),
                1 => "1 warning".to_owned(),
                several => format!("{several} warnings"),
            };
            let what = printable(&loaded.policy.name);
            (true, format!("right: the policy \"{what}\", {warnings}"))
        }
        Err(problems) => {
            tell("mistake", &problems);
            let mistakes = policy_file::mistakes(problems.len());
            (false, format!("wrong: {mistakes}, so the gate would not use it"))
        }
    };
    lines.push(format!("{}: {state}", printable(name)));
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_and_warnings_are_told_a_line_each() {
        let table: &[(&str, bool, &str)] = &[
            ("name: a", true, "p: right: the policy \"a\", no warnings"),
            (
                "profile: observe",
                true,
                "warning: p:1:1: the policy \"observe\" cannot deny any image that was examined (write action: enforce, or give a rule that action, once you have seen enough)\np: right: the policy \"observe\", 1 warning",
            ),
            (
                "nam: a\nkev: x",
                false,
                "mistake: p:1:1: unknown key \"nam\" (did you mean \"name\"?)\nmistake: p:2:1: unknown key \"kev\" (it belongs in a rule: refuse: {flaws: {kev: true}})\np: wrong: 2 mistakes, so the gate would not use it",
            ),
        ];
        for (text, right, want) in table {
            let mut lines = Vec::new();
            assert_eq!(check(text, "p", Timestamp::UNIX_EPOCH, &mut lines), *right);
            assert_eq!(lines.join("\n"), *want);
        }
    }
}
