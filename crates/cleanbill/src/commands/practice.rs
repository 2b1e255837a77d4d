//! `cleanbill practice`: repair a control-plane node that plays in a folder.

use std::net::TcpListener;
use std::path::PathBuf;

use crate::commands::record;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::practice::faults::FAULTS;
use crate::practice::{Exercise, Wanted, grade};
use crate::report::text::printable_lines;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill practice start ./node                 one fault, by chance
  cleanbill practice start ./node --faults 3      three at once; 0 for none
  cleanbill practice hint ./node
  cleanbill practice grade ./node

No cluster is needed, and nothing outside of the folder is written.
Exit codes: 0 done, or everything is as it should be; 1 something is not yet; 2 failed.";

/// Arguments of `practice`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What is to be done.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make a folder that plays a node, with something wrong
    #[command(
        after_help = "Examples:\n  cleanbill practice start ./node --faults 2\n  cleanbill practice start ./node --seed 7"
    )]
    Start {
        /// The folder; made, and must be empty where it is there
        dir: PathBuf,
        /// How many faults; 0 to see a node that is right
        #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "fault")]
        faults: usize,
        /// This fault
        #[arg(long, value_name = "NAME")]
        fault: Option<String>,
        /// The port on which the webhook is played (default: one that is free)
        #[arg(long)]
        port: Option<u16>,
        /// Deals the same faults again
        #[arg(long, value_name = "NUMBER")]
        seed: Option<u64>,
    },
    /// See whether it is repaired
    #[command(after_help = "Examples:\n  cleanbill practice grade ./node")]
    Grade {
        /// The folder
        dir: PathBuf,
    },
    /// Where to look; again: what; again: how
    #[command(after_help = "Examples:\n  cleanbill practice hint ./node")]
    Hint {
        /// The folder
        dir: PathBuf,
    },
    /// Name all faults (this spoils the fun)
    #[command(
        after_help = "Examples:\n  cleanbill practice list\n  cleanbill practice start ./node --fault ttl-as-text"
    )]
    List,
}

/// Runs the command.
///
/// # Errors
/// When the folder cannot be made or read, or the webhook cannot be played.
pub fn run(args: Args) -> Result<Exit> {
    let (said, exit) = match args.what {
        What::Start { dir, faults, fault, port, seed } => {
            let wanted = fault.map_or(Wanted::Random(faults), Wanted::Fault);
            let port = port.map_or_else(free_port, Ok)?;
            let seed = seed.map_or_else(chance, Ok)?;
            Exercise::begin(&dir, &wanted, port, seed)?;
            let task = std::fs::read_to_string(dir.join("TASK.md"))
                .map_err(|e| Failure::new(format!("{}: {e}", dir.display())))?;
            (format!("{task}\nThe same is in {}/TASK.md.\n", dir.display()), Exit::DONE)
        }
        What::Grade { dir } => graded(&dir)?,
        What::Hint { dir } => {
            let hints = Exercise::open(&dir)?.hint(&dir)?;
            let lines: Vec<String> = hints.iter().map(|hint| format!("- {hint}\n")).collect();
            (lines.concat(), Exit::DONE)
        }
        What::List => {
            let lines: Vec<String> = FAULTS.iter().map(|f| format!("{}\n", f.id)).collect();
            (lines.concat(), Exit::DONE)
        }
    };
    record::put(&printable_lines(&said))?;
    Ok(exit)
}

fn graded(dir: &std::path::Path) -> Result<(String, Exit)> {
    let exercise = Exercise::open(dir)?;
    let points = grade::grade(dir, &exercise)?;
    let mut said = String::new();
    for point in &points {
        let mark = if point.met { "ok " } else { "NO " };
        said.push_str(&format!("{mark} {}\n      {}\n", point.asks, point.seen));
    }
    let met = points.iter().filter(|point| point.met).count();
    let hints = match exercise.hints() {
        0 => "no hints".to_owned(),
        1 => "1 hint".to_owned(),
        many => format!("{many} hints"),
    };
    said.push_str(&format!("\n{met} of {} points, with {hints}\n", points.len()));
    if met == points.len() {
        let faults = exercise.faults();
        let names: Vec<&str> = faults.iter().map(|fault| fault.id).collect();
        said.push_str(&match names.as_slice() {
            [] => "Nothing was wrong with it.\n".to_owned(),
            names => format!("Repaired: {}\n", names.join(", ")),
        });
        return Ok((said, Exit::DONE));
    }
    let dir = dir.display();
    said.push_str(&format!(
        "next: cleanbill practice hint {dir}, or cleanbill doctor --root {dir}\n"
    ));
    Ok((said, Exit::DENIED))
}

fn free_port() -> Result<u16> {
    let failed = |e| Failure::new(format!("no free port can be had: {e}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}

fn chance() -> Result<u64> {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 8];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new("the system gives no random numbers"))?;
    Ok(u64::from_le_bytes(bytes))
}
