//! One run of a program, measured: wall time here, peak memory by GNU time (which reads it from
//! the kernel's accounting of the ended child, so that no unsafe call is needed here).

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Result;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Wall time in seconds, starting the process included.
    wall: f64,
    /// Peak resident memory in bytes.
    memory: f64,
}

/// A command that runs a program under GNU time.
pub fn timed(program: &Path) -> Command {
    let mut command = Command::new("/usr/bin/time");
    command.args(["--quiet", "--format", "peak-kib=%M"]).arg(program);
    command
}

/// Runs a [`timed`] command once.
///
/// # Errors
/// When it fails: what did not do its work has no duration.
pub fn once(command: &mut Command) -> Result<Sample> {
    let start = Instant::now();
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    let wall = start.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&done.stderr);
    if !done.status.success() {
        return Err(format!("{command:?}: {}\n{text}", done.status).into());
    }
    let peak = text.lines().rev().find_map(|l| l.strip_prefix("peak-kib="));
    let kib: f64 = peak.ok_or("GNU time told no peak memory (apt-get install time)")?.parse()?;
    Ok(Sample { wall, memory: kib * 1024.0 })
}

/// Several runs in a row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    runs: usize,
    fastest: f64,
    /// The median wall time in seconds.
    pub wall: f64,
    slowest: f64,
    /// The median peak memory in bytes.
    pub memory: f64,
    largest: f64,
}

impl Summary {
    /// Summarises samples; all figures are NaN when there are none.
    pub fn of(samples: &[Sample]) -> Self {
        let mut wall: Vec<f64> = samples.iter().map(|s| s.wall).collect();
        let mut memory: Vec<f64> = samples.iter().map(|s| s.memory).collect();
        wall.sort_by(f64::total_cmp);
        memory.sort_by(f64::total_cmp);
        let at = |sorted: &[f64], index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = samples.len().saturating_sub(1);
        Self {
            runs: samples.len(),
            fastest: at(&wall, 0),
            wall: at(&wall, last / 2),
            slowest: at(&wall, last),
            memory: at(&memory, last / 2),
            largest: at(&memory, last),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} | {:.3} / {:.3} / {:.3} | {:.0} / {:.0} |",
            self.runs,
            self.fastest,
            self.wall,
            self.slowest,
            self.memory / 1e6,
            self.largest / 1e6
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Sample, Summary, once, timed};
    use std::path::Path;

    #[test]
    fn a_failed_run_is_no_sample() {
        assert!(once(&mut timed(Path::new("false"))).is_err());
    }

    #[test]
    fn the_median_is_the_middle() {
        let samples: Vec<Sample> =
            [3.0, 1.0, 2.0].iter().map(|s| Sample { wall: *s, memory: s * 1e6 }).collect();
        assert_eq!(Summary::of(&samples).to_string(), "3 | 1.000 / 2.000 / 3.000 | 2 / 3 |");
    }
}
