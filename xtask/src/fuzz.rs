//! `cargo xtask fuzz [SECONDS [TARGET…]]`: every fuzz target for so long (default 60 s each),
//! one after the other, from the seeds in `fuzz/seeds`. It prints what docs/fuzzing.md records.

use std::fs;
use std::process::{Command, Stdio};

use crate::{Result, root, say};

/// `cargo xtask fuzz`.
///
/// # Errors
/// When cargo-fuzz is not there, or a target finds something; the inputs that did it are named.
pub fn run_task(args: &[String]) -> Result<()> {
    let seconds: u32 = args.first().map_or(Ok(60), |n| n.parse())?;
    let chosen = args.get(1..).unwrap_or_default();
    let mut crashed = Vec::new();
    say("| target | seconds | executions | edges covered | found |");
    say("| --- | --- | --- | --- | --- |");
    for target in targets()?.iter().filter(|t| chosen.is_empty() || chosen.contains(t)) {
        let (row, clean) = one(target, seconds)?;
        say(&row);
        if !clean {
            crashed.push(target.clone());
        }
    }
    if crashed.is_empty() {
        return Ok(());
    }
    Err(format!("found something: {} (see fuzz/artifacts)", crashed.join(", ")).into())
}

/// The targets, by their files.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn one(target: &str, seconds: u32) -> Result<(String, bool)> {
    let fuzz = root().join("fuzz");
    let corpus = fuzz.join("corpus").join(target);
    let seeds = fuzz.join("seeds").join(target);
    fs::create_dir_all(&corpus)?;
    let done = Command::new("cargo")
        .current_dir(&fuzz)
        // cargo-fuzz wants nightly's -Z flags; this lets the stable toolchain take them.
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("CARGO_TARGET_DIR")
        .args(["fuzz", "run", target])
        .args([&corpus, &seeds])
        .args(["--", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"])
        .arg(format!("-max_total_time={seconds}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cargo fuzz: {e} (cargo install cargo-fuzz)"))?;
    let log = String::from_utf8_lossy(&done.stderr);
    let executions =
        log.lines().find_map(|l| l.strip_prefix("stat::number_of_executed_units: ")).map(str::trim);
    let Some(executions) = executions else {
        return Err(format!("{target} did not run: {}\n{log}", done.status).into());
    };
    let covered = log
        .lines()
        .rev()
        .find_map(|l| l.split_once(" cov: ")?.1.split_whitespace().next())
        .unwrap_or("?");
    let found = match done.status.success() {
        true => "nothing".to_owned(),
        false => log
            .lines()
            .find(|l| l.contains("panicked at") || l.starts_with("SUMMARY") || l.contains("ERROR"))
            .unwrap_or("see the log")
            .to_owned(),
    };
    let row = format!("| {target} | {seconds} | {executions} | {covered} | {found} |");
    Ok((row, done.status.success()))
}
