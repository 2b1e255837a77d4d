//! `cargo xtask dist`: the program as it is given to others, laid out by what it did at work
//! (profile-guided optimization): built to count, put to work, built again by what was counted.
//!
//! The work is what people wait for: archives and layouts that are scanned, and a gate under load.
//! What was counted is only advice to the compiler: it changes no result, and differs from run to
//! run, so two such builds are not the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::inputs::{self, Input};
use crate::tools::{inputs_dir, output, run, target_dir};
use crate::{Result, bench, root, say};

/// How often each input is scanned.
const SCANS: usize = 3;

/// `cargo xtask dist`. Takes twice as long as one build; nothing is done again that is newer
/// than what it is made of.
///
/// # Errors
/// When `llvm-profdata` is not there, a build fails, or the program fails at its work.
pub fn run_task(_args: &[String]) -> Result<()> {
    let done = make()?;
    let version = output(Command::new(&done).arg("--version"))?;
    say(&format!("{}: {}", done.display(), version.trim()));
    Ok(())
}

/// The binary that `CLEANBILL_BENCH_BINARY` names, for trying things out; else what is given to
/// others, made where it is not there.
///
/// # Errors
/// As [`run_task`].
pub fn program() -> Result<PathBuf> {
    std::env::var_os("CLEANBILL_BENCH_BINARY").map_or_else(make, |path| Ok(path.into()))
}

fn make() -> Result<PathBuf> {
    let rustc = Rustc::new()?;
    let merge = rustc.profdata()?;
    let target = target_dir().join("pgo");
    let (counts, merged) = (target.join("counts"), target.join("merged.profdata"));
    say("built to count …");
    let flag = format!("-Cprofile-generate={}", counts.display());
    let counting = build(&rustc, &target.join("counting"), &flag)?;
    let time = |path: &Path| path.metadata().and_then(|meta| meta.modified());
    if !merged.exists() || time(&merged)? < time(&counting)? {
        say("at work …");
        if counts.exists() {
            std::fs::remove_dir_all(&counts)?;
        }
        for input in work()? {
            for format in ["table", "json"] {
                for _ in 0..SCANS {
                    scan(&counting, &input, format)?;
                }
            }
        }
        bench::gate::work(&counting)?;
        let counts = std::fs::read_dir(&counts)?.map(|entry| entry.map(|entry| entry.path()));
        let counts = counts.collect::<std::io::Result<Vec<_>>>()?;
        run(Command::new(merge).args(["merge", "-o"]).arg(&merged).args(counts))?;
    }
    say("built by what was counted …");
    let built =
        build(&rustc, &target.join("built"), &format!("-Cprofile-use={}", merged.display()))?;
    let done = target.join("cleanbill");
    std::fs::copy(&built, &done)?;
    Ok(done)
}

/// What is scanned: what needs nothing from elsewhere, and what `bench` scans if that was made.
fn work() -> Result<Vec<Input>> {
    let mut work = vec![inputs::bitnami()?];
    let made = |name: &str| -> Result<Option<Input>> {
        let path = inputs_dir()?.join(name);
        Ok(path.exists().then(|| Input { name: name.to_owned(), path }))
    };
    for name in ["alpine-3.9.tar", "python.tar", "large.tar", "large-oci"] {
        match made(name)? {
            Some(input) => work.push(input),
            None => say(&format!("without {name}: `cargo xtask bench inputs` makes it")),
        }
    }
    Ok(work)
}

fn scan(program: &Path, input: &Input, format: &str) -> Result<()> {
    let mut command = Command::new(program);
    command.args(["scan", "--quiet", "--format", format, "--output", "/dev/null", "--input"]);
    run(command.arg(&input.path))
}

/// Builds the profile `dist` with one more flag for our own target alone: what runs while building
/// is not counted.
fn build(rustc: &Rustc, target: &Path, flag: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    run(Command::new(cargo)
        .current_dir(root())
        .env("RUSTFLAGS", format!("{flags} {flag}").trim())
        .args(["build", "--quiet", "--profile=dist", "--package=cleanbill", "--target"])
        .arg(&rustc.host)
        .arg("--target-dir")
        .arg(target))?;
    Ok(target.join(&rustc.host).join("dist/cleanbill"))
}

/// The compiler in use.
struct Rustc {
    host: String,
    /// The version of its LLVM: what was counted is written in that version's format.
    llvm: String,
    sysroot: PathBuf,
}

impl Rustc {
    fn new() -> Result<Self> {
        let told = output(Command::new("rustc").arg("-vV"))?;
        let field = |name: &str| {
            let value = told.lines().find_map(|line| line.strip_prefix(name));
            value.map(str::to_owned).ok_or(format!("rustc -vV tells no \"{name}\""))
        };
        let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
        Ok(Self {
            host: field("host: ")?,
            llvm: field("LLVM version: ")?,
            sysroot: sysroot.trim().into(),
        })
    }

    /// The program that adds up what was counted, of the compiler's own version.
    fn profdata(&self) -> Result<PathBuf> {
        let major = self.llvm.split('.').next().unwrap_or_default();
        let own = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/llvm-profdata");
        let system = PathBuf::from(format!("/usr/lib/llvm-{major}/bin/llvm-profdata"));
        [own, system].into_iter().find(|path| path.exists()).ok_or_else(|| {
            format!(
                "llvm-profdata {major} is not there: `rustup component add llvm-tools`, or the \
                 package llvm-{major}"
            )
            .into()
        })
    }
}
