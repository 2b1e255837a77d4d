//! `cleanbill db`: fetch, build or bring a snapshot of advisories, and see what is in one.

use std::io::{self, BufWriter, Write};

use clap::Subcommand;
use cleanbill_advisory::Told;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::text::printable_lines;

mod attempt;
pub mod build;
mod chosen;
pub mod config;
pub mod config_file;
pub mod diff;
pub mod load;
pub mod origin;
pub mod pull;
pub mod push;
pub mod search;
pub mod shown;
pub mod status;
pub mod update;
pub mod verify;
mod wanted;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db update
  cleanbill db status
  cleanbill db build --from feeds/ --out advisories.cbdb
  cleanbill db load advisories.cbdb                 on a machine without a network
  cleanbill db push registry.example/advisories:1   any registry is a mirror
  cleanbill db pull registry.example/advisories:1 --key advisories.key.pub
  cleanbill db search CVE-2021-44228
  cleanbill db diff yesterday.cbdb                  what has changed since
  cleanbill db verify";

/// Arguments of `db`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Db,
}

/// The commands about snapshots.
#[derive(Debug, Subcommand)]
enum Db {
    /// Build a snapshot from a folder of feeds
    #[command(after_help = build::AFTER)]
    Build(build::Args),
    /// Bring the snapshot that commands use up to date, from the first source that works
    #[command(after_help = update::AFTER)]
    Update(update::Args),
    /// Say which feeds a snapshot holds and how old they are
    #[command(after_help = status::AFTER)]
    Status(status::Args),
    /// Put a snapshot from elsewhere where commands look for it
    #[command(after_help = load::AFTER)]
    Load(load::Args),
    /// Put a snapshot into a registry, which is then a mirror of it
    #[command(after_help = push::AFTER)]
    Push(push::Args),
    /// Put a snapshot from a registry where commands look for it
    #[command(after_help = pull::AFTER)]
    Pull(pull::Args),
    /// Check every block of a snapshot
    #[command(after_help = verify::AFTER)]
    Verify(verify::Args),
    /// Find a flaw or a package in a snapshot
    #[command(after_help = search::AFTER)]
    Search(search::Args),
    /// Say what changed between two snapshots
    #[command(after_help = diff::AFTER)]
    Diff(diff::Args),
}

/// Runs the command.
///
/// # Errors
/// When it could not do what was asked.
pub fn run(args: Args) -> Result<Exit> {
    let mut out = BufWriter::new(Stdout);
    let exit = match args.command {
        Db::Build(args) => build::run(&args, &mut out).map(|()| Exit::DONE),
        Db::Update(args) => {
            let progress = &mut io::stderr().lock();
            update::run(args, jiff::Timestamp::now(), progress, &mut out)
        }
        Db::Status(args) => {
            status::run(&args, jiff::Timestamp::now(), &mut out).map(|()| Exit::DONE)
        }
        Db::Load(args) => load::run(&args, &mut out).map(|()| Exit::DONE),
        Db::Push(args) => push::run(args, &mut out).map(|()| Exit::DONE),
        Db::Pull(args) => {
            let progress = &mut io::stderr().lock();
            pull::run(args, progress, &mut out).map(|()| Exit::DONE)
        }
        Db::Verify(args) => verify::run(&args, &mut out).map(|()| Exit::DONE),
        Db::Search(args) => search::run(&args, &mut out, &mut io::stderr().lock()),
        Db::Diff(args) => diff::run(&args, &mut out).map(|()| Exit::DONE),
    };
    // What was found before a failure is shown before the failure.
    let flushed = out.flush().map_err(|e| unwritten(&e));
    exit.and_then(|exit| flushed.map(|()| exit))
}

/// Standard output of which a reader may have seen enough (`| head`), which is no failure.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().lock().write(bytes) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().lock().flush() {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// What a snapshot holds, in one line.
fn holds(contents: &cleanbill_advisory::Contents) -> String {
    let cleanbill_advisory::Contents { packages, advisories, flaws } = contents;
    format!(
        "{advisories} advisories about {packages} packages in their streams, and facts of {flaws} flaws\n"
    )
}

/// Tells lines to `out`, and at a glance how far a download is. Both are a courtesy: that they cannot be
/// shown stops nothing.
fn teller<'a>(out: &'a mut dyn Write, glance: &'a Progress) -> impl FnMut(Told<'_>) + 'a {
    move |told| match told {
        Told::Line(line) => {
            glance.clear();
            _ = writeln!(out, "{}", printable_lines(line));
        }
        Told::Received { name, have, whole } => glance.step(&received(name, have, whole)),
    }
}

/// How far a download is.
fn received(name: &str, have: u64, whole: Option<u64>) -> String {
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    match whole {
        Some(whole) => {
            format!("{name}: {:.1} of {:.1} MB", megabytes(have), megabytes(whole))
        }
        None => format!("{name}: {:.1} MB", megabytes(have)),
    }
}

/// The output could not be written.
fn unwritten(error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the output: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{Progress, Told, received, teller};

    #[test]
    fn a_download_is_told_by_its_size() {
        let table = [
            (0, Some(1_500_000), "a: 0.0 of 1.5 MB"),
            (120_040_000, Some(301_000_000), "a: 120.0 of 301.0 MB"),
            (2_000_000, None, "a: 2.0 MB"),
            (u64::MAX, Some(0), "a: 18446744073709.6 of 0.0 MB"),
        ];
        for (have, whole, wanted) in table {
            assert_eq!(received("a", have, whole), wanted);
        }
    }

    #[test]
    fn lines_go_where_they_are_kept_and_glances_do_not() {
        let mut out = Vec::new();
        // As in a pipe.
        let glance = Progress::new(false);
        let mut say = teller(&mut out, &glance);
        say(Told::Received { name: "a", have: 1, whole: None });
        say(Told::Line("a: 2 bytes\u{1b}[2K"));
        drop(say);
        assert_eq!(String::from_utf8(out).unwrap(), "a: 2 bytes\\u{1b}[2K\n");
    }
}
