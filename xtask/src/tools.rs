//! Running other programs, and where things are: what several chores need.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Result, root};

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started or fails; the error shows the command and the end of its output.
pub fn run(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a program and returns its standard output.
///
/// # Errors
/// As [`run`].
pub fn output(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{shown}: {e} (is it installed? .ci/run installs what is needed)"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&done.stderr);
    let tail: Vec<&str> = text.lines().rev().take(15).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    Err(format!("{shown}: {}\n{}", done.status, tail.join("\n")).into())
}

/// The folder of real advisory data beside the repository.
///
/// # Errors
/// When it is not there; several chores cannot do anything without.
pub fn shared_data() -> Result<PathBuf> {
    let path = root().join("../shared/data");
    path.canonicalize()
        .map_err(|_| "../shared/data is not there; this chore compares real data only".into())
}

/// The binary that `CLEANBILL_BENCH_BINARY` names, for trying things out; else builds the profile
/// `dist`, and returns its path.
///
/// # Errors
/// When the build fails.
pub fn release_binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CLEANBILL_BENCH_BINARY") {
        return Ok(path.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).current_dir(root()).args([
        "build",
        "--quiet",
        "--profile=dist",
        "--package",
        "cleanbill",
    ]))?;
    Ok(target_dir().join("dist/cleanbill"))
}

/// The folder that cargo builds in.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from)
}

/// The folder that generated inputs are kept in: `CLEANBILL_INPUTS`, or `target/inputs`.
///
/// # Errors
/// When it cannot be made.
pub fn inputs_dir() -> Result<PathBuf> {
    let dir =
        std::env::var_os("CLEANBILL_INPUTS").map_or(root().join("target/inputs"), PathBuf::from);
    std::fs::create_dir_all(&dir)?;
    Ok(dir.canonicalize()?)
}

/// Makes `path` by `build`, unless an earlier run did: `build` writes to the path it is given,
/// which is renamed only when it succeeded, so that a run that was ended leaves nothing half made.
///
/// # Errors
/// When `build` fails or the result cannot be renamed.
pub fn once(path: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    if path.exists() {
        return Ok(path.to_owned());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    if part.is_dir() {
        std::fs::remove_dir_all(&part)?;
    } else if part.exists() {
        std::fs::remove_file(&part)?;
    }
    build(&part)?;
    std::fs::rename(&part, path)?;
    Ok(path.to_owned())
}
