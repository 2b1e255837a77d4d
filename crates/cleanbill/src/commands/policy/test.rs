//! `cleanbill policy test`: cases in YAML, each a request and what was found → what the judge has
//! to say. The judge is the gate's own.

use std::path::{Path, PathBuf};

use cleanbill_core::Timestamp;
use cleanbill_core::policy::Policy;
use cleanbill_core::verdict::{Judgement, Reason, Verdict, decide};

use self::case::{Asking, Case};
use self::found::Looker;
use super::looking::LookingArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::policy_file::Problem;
use crate::policy_file::node::Node;
use crate::policy_file::read::Reader;
use crate::policy_file::{self};
use crate::report::text::printable;
use crate::serve::load;

mod case;
mod circumstances;
mod facts;
mod found;
#[cfg(test)]
mod tests;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill policy test policies/tests/
  cleanbill policy test case.yaml --policy policy.yaml

Nothing is contacted but for cases whose evidence names an image.
Exit codes: 0 every case comes out as expected; 1 some do not; 2 a file cannot be read or is wrong.
docs/policy.md describes the cases.";

/// Arguments of `policy test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of cases (*.yaml, *.yml), or one file
    #[arg(value_name = "DIR")]
    cases: PathBuf,
    /// Judge by this policy instead of the one that a file of cases names
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    looking: LookingArgs,
}

/// Every key of a file of cases.
const FILE_KEYS: [&str; 2] = ["policy", "cases"];

/// Judges all cases: what fails, and how many there were.
///
/// # Errors
/// When a file cannot be read or is wrong, or there is no case.
pub fn run(args: &Args, now: Timestamp) -> Result<(String, Exit)> {
    let (mut lines, mut passed, mut failed) = (Vec::new(), 0_usize, 0_usize);
    let looker = Looker::new(&args.looking);
    for path in files(&args.cases)? {
        let text = std::fs::read_to_string(&path).map_err(|e| unread(&path, &e))?;
        let instead = args.policy.as_deref().map(load::policy).transpose()?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = path.display().to_string();
        let (policy, cases) = read(&text, &name, folder, instead, now)?;
        for case in &cases {
            let wrong = differences(case, &policy, &looker)?;
            if wrong.is_empty() {
                passed += 1;
                continue;
            }
            failed += 1;
            lines.push(printable(&format!("FAILED  {name}: {}", case.name)));
            lines.extend(wrong.iter().map(|line| printable(&format!("  {line}"))));
        }
    }
    if passed + failed == 0 {
        return Err(Failure::new("there are no cases").next("docs/policy.md shows one"));
    }
    lines.push(format!("passed {passed}, failed {failed}"));
    lines.push(String::new());
    let exit = if failed == 0 { Exit::DONE } else { Exit::DENIED };
    Ok((lines.join("\n"), exit))
}

fn unread(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} cannot be read: {error}", path.display()))
}

/// The file, or all files of cases in the folder, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|e| unread(path, &e))? {
        let file = entry.map_err(|e| unread(path, &e))?.path();
        let yaml = file.extension().is_some_and(|e| e == "yaml" || e == "yml");
        if yaml && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The policy and the cases of one file.
fn read(
    text: &str,
    name: &str,
    folder: &Path,
    instead: Option<Policy>,
    now: Timestamp,
) -> Result<(Policy, Vec<Case>)> {
    let root = policy_file::tree(text, name).map_err(|p| wrong(name, &p))?;
    let mut reader = Reader { file: name, text, problems: Vec::new() };
    let (mut policy, mut cases, mut file) = (instead, Vec::new(), None);
    let entries = reader.entries(&root, "the file of cases", &FILE_KEYS);
    for (key, value) in entries {
        match (key, &value.value) {
            ("policy", Node::Map(_)) => {
                let inline = reader.policy(value);
                policy.get_or_insert(inline);
            }
            ("policy", _) => file = reader.text(key, value),
            _ => {
                for entry in reader.list(key, value) {
                    cases.extend(case::read(&mut reader, entry, now, folder));
                }
            }
        }
    }
    if !reader.problems.is_empty() {
        reader.problems.sort_by_key(|p| (p.line, p.column));
        return Err(wrong(name, &reader.problems));
    }
    let policy = match (policy, file) {
        (Some(policy), _) => policy,
        (None, Some(file)) => load::policy(&folder.join(file))?,
        (None, None) => {
            let step = "write policy: FILE (beside it) or a policy under it, or give --policy";
            return Err(Failure::new(format!("{name} names no policy")).next(step));
        }
    };
    Ok((policy, cases))
}

fn wrong(name: &str, problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(|p| format!("\n  {p}")).collect();
    Failure::new(format!("{name} has {}:{}", policy_file::mistakes(problems.len()), lines.concat()))
}

/// What came of a case.
struct Got {
    outcome: &'static str,
    rules: Vec<String>,
    warnings: Vec<String>,
    /// Why images could not be examined, or a token was not accepted.
    besides: Vec<String>,
}

fn judged(case: &Case, policy: &Policy, looker: &Looker<'_>) -> Result<Got> {
    let Asking { policy, request, cases, token_refused } = case.asking(policy, looker)?;
    let Judgement { verdict, noted, .. } = decide(&request, &cases, &policy, case.now);
    let (outcome, denial) = match verdict {
        Verdict::Allow(_) => ("allowed", None),
        Verdict::Deny(denial) => ("denied", Some(denial)),
        Verdict::Undecided(denial) => ("undecided", Some(denial)),
    };
    let refused = denial.iter().flat_map(|d| &d.refused).flat_map(|(_, reasons)| reasons);
    let rules = sorted(refused.map(Reason::rule));
    let undecided = denial.iter().flat_map(|d| &d.undecided);
    let mut besides: Vec<String> =
        undecided.map(|(image, why)| format!("{image} was not examined: {why}")).collect();
    besides.extend(token_refused.map(|why| format!("the token was not accepted: {why}")));
    Ok(Got { outcome, rules, warnings: sorted(noted.iter().map(|n| n.reason.rule())), besides })
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// Where a case comes out otherwise than expected.
fn differences(case: &Case, policy: &Policy, looker: &Looker<'_>) -> Result<Vec<String>> {
    let got = judged(case, policy, looker)?;
    let mut lines = Vec::new();
    if got.outcome != case.expect {
        let rules = if got.rules.is_empty() {
            String::new()
        } else {
            format!(" by {}", got.rules.join(", "))
        };
        lines.push(format!("expected {}, got {}{rules}", case.expect, got.outcome));
    }
    for (what, wanted, got) in
        [("rules", &case.rules, &got.rules), ("warnings", &case.warnings, &got.warnings)]
    {
        if let Some(wanted) = wanted {
            let wanted = sorted(wanted.iter().map(String::as_str));
            if wanted != *got {
                let shown = |list: &[String]| format!("[{}]", list.join(", "));
                lines.push(format!("{what}: expected {}, got {}", shown(&wanted), shown(got)));
            }
        }
    }
    if !lines.is_empty() {
        lines.extend(got.besides);
    }
    Ok(lines)
}
