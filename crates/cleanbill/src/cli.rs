//! The command line: one list of commands, and what the parser says when it is not understood.
//!
//! Each command is a file in `commands/` with its arguments beside what they do. Flags that Trivy
//! has keep Trivy's names and meaning; Trivy's flags that Cleanbill does not have yet are refused
//! by name ([`crate::commands::trivy`]), never passed over.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    breakglass, check, db, decisions, doctor, explain, impact, keygen, policy, practice,
    quickstart, receipt, register, replay, rootfs, scan, serve, setup, simulate, trivy, warm, why,
};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::wiring;

/// Examples and exit codes under `cleanbill --help`.
const AFTER: &str = "\
Examples:
  cleanbill quickstart                              all of it in a minute, without a network
  cleanbill image nginx:alpine                      what is wrong with this image
  cleanbill image --input app.tar | grep CVE-2021   the same for an archive, in a pipe
  cleanbill check registry.example/app@sha256:…     what would the gate say, and why

Exit codes: 0 done, or allowed; 1 denied, affected (why), or doctor found errors; 2 failed or could
not decide; 3 something was not examined (scan --exit-code, why, doctor); 101 a mistake of ours.
`cleanbill COMMAND --help` says more.";

/// Decides which container images may run in a Kubernetes cluster, and can prove why
#[derive(Debug, Parser)]
#[command(name = "cleanbill", version, after_help = AFTER, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See all of it in a minute, on two example images
    #[command(after_help = quickstart::AFTER)]
    Quickstart(Box<quickstart::Args>),
    /// Find known flaws in an image
    #[command(visible_alias = "image", after_help = scan::AFTER)]
    Scan(Box<scan::Args>),
    /// Find known flaws in a root filesystem folder
    #[command(after_help = rootfs::AFTER)]
    Rootfs(Box<rootfs::Args>),
    /// Say whether a flaw is in an image, and why, or why not
    #[command(after_help = why::AFTER)]
    Why(Box<why::Args>),
    /// Say what the gate would say about an image, and why
    #[command(after_help = check::AFTER)]
    Check(Box<check::Args>),
    /// See whether a policy is right, and what it means
    #[command(after_help = policy::AFTER)]
    Policy(Box<policy::Args>),
    /// Build and look at snapshots of advisories
    #[command(after_help = db::AFTER)]
    Db(Box<db::Args>),
    /// Make certificates and every file that puts the gate before an API server
    #[command(after_help = setup::AFTER)]
    Setup(Box<setup::Args>),
    /// Find what stands between an API server and its gate, and say how to mend it
    #[command(after_help = doctor::AFTER)]
    Doctor(Box<doctor::Args>),
    /// Play the API server: would it start, whom would it ask, and what would kubectl say
    #[command(after_help = simulate::AFTER)]
    Simulate(Box<simulate::Args>),
    /// Repair a control-plane node that plays in a folder: for those who learn
    #[command(after_help = practice::AFTER)]
    Practice(Box<practice::Args>),
    /// Examine images ahead of the pods, so that nobody waits for the gate
    #[command(after_help = warm::AFTER)]
    Warm(Box<warm::Args>),
    /// Be the gate: answer the API server's questions
    #[command(after_help = serve::AFTER)]
    Serve(Box<serve::Args>),
    /// List what the gate decided, or follow it
    #[command(after_help = decisions::AFTER)]
    Decisions(Box<decisions::Args>),
    /// Show how one decision of the gate came about
    #[command(after_help = explain::AFTER)]
    Explain(Box<explain::Args>),
    /// See what another policy would have said to what was asked
    #[command(after_help = replay::AFTER)]
    Replay(Box<replay::Args>),
    /// See which images other advisories would stop, or let run
    #[command(after_help = impact::AFTER)]
    Impact(Box<impact::Args>),
    /// Say which bytes an image is that no registry has
    #[command(after_help = register::AFTER)]
    Register(Box<register::Args>),
    /// Answer for images that the policy refuses: issue a token, or show one
    #[command(after_help = breakglass::AFTER)]
    Breakglass(Box<breakglass::Args>),
    /// Sign a receipt of a decision, or check one
    #[command(after_help = receipt::AFTER)]
    Receipt(Box<receipt::Args>),
    /// Make a key that signs break-glass tokens and receipts
    #[command(after_help = keygen::AFTER)]
    Keygen(Box<keygen::Args>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When it could not do what was asked.
    pub fn run(self) -> Result<Exit> {
        match self {
            Self::Quickstart(args) => quickstart::run(*args),
            Self::Scan(args) => scan::run(*args),
            Self::Rootfs(args) => rootfs::run(*args),
            Self::Why(args) => why::run(*args),
            Self::Check(args) => check::run(*args),
            Self::Policy(args) => policy::run(&args),
            Self::Db(args) => db::run(*args),
            Self::Setup(args) => setup::run(&args),
            Self::Doctor(args) => doctor::run(*args),
            Self::Practice(args) => practice::run(*args),
            Self::Simulate(args) => simulate::run(&args),
            Self::Decisions(args) => decisions::run(*args),
            Self::Explain(args) => explain::run(&args),
            Self::Replay(args) => replay::run(&args),
            Self::Impact(args) => impact::run(&args),
            Self::Register(args) => register::run(*args),
            Self::Breakglass(args) => breakglass::run(*args),
            Self::Receipt(args) => receipt::run(&args),
            Self::Keygen(args) => keygen::run(&args),
            Self::Warm(args) => warm::run(&args),
            Self::Serve(args) => {
                serve::run(&args, |config, store| wiring::reloadable(config, store))
            }
        }
    }
}

/// Why there is no command to run.
#[derive(Debug)]
pub enum Stop {
    /// Help or the version was asked for: this text, exit code 0.
    Help(String),
    /// It was not understood.
    Usage(Failure),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// See [`Stop`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> std::result::Result<Command, Stop> {
    let parsed = Cli::command().try_get_matches_from(args).and_then(|m| Cli::from_arg_matches(&m));
    match parsed {
        Ok(cli) => Ok(cli.command),
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Err(Stop::Help(e.render().to_string()))
        }
        Err(e) => Err(Stop::Usage(usage(&e))),
    }
}

/// Turns the parser's error into one of ours.
fn usage(error: &clap::Error) -> Failure {
    let invalid = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) => Some(flag),
        _ => None,
    };
    if let Some(absent) = invalid.and_then(|flag| trivy::not_there_yet(flag)) {
        return absent;
    }
    let text = error.render().to_string();
    let text = text.trim_end();
    Failure::new(text.strip_prefix("error: ").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::{Cli, Stop, parse};
    use clap::CommandFactory as _;

    fn said(line: &str) -> String {
        match parse(line.split_whitespace().map(Into::into)) {
            Ok(command) => format!("{command:?}"),
            Err(Stop::Help(text)) => text,
            Err(Stop::Usage(failure)) => failure.to_string(),
        }
    }

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_fits_on_a_screen_and_has_examples() {
        let mut names = vec![String::new()];
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            names.push(name.to_owned());
            names.extend(command.get_subcommands().map(|c| format!("{name} {}", c.get_name())));
        }
        assert!(names.len() >= 8, "{names:?}");
        for name in names {
            let help = said(&format!("cleanbill {name} --help"));
            let lines = help.lines().count();
            assert!((8..=40).contains(&lines), "{name}: {lines} lines\n{help}");
            assert!(help.contains("Examples:\n"), "{name}:\n{help}");
            assert!(help.lines().all(|l| l.chars().count() <= 100), "{name}:\n{help}");
        }
    }

    #[test]
    fn command_lines_with_flags_in_the_gates_pages_are_whole() {
        let pages = [
            ("admission", include_str!("../../../docs/admission.md")),
            ("gate", include_str!("../../../docs/gate.md")),
            ("operations", include_str!("../../../docs/operations.md")),
            ("setup", include_str!("../../../docs/setup.md")),
        ];
        let mut seen = 0;
        for (page, text) in pages {
            let spans = text.split('`').filter(|span| span.starts_with("cleanbill "));
            for line in spans.filter(|span| span.contains(" -") || span.contains("\n-")) {
                let parsed = parse(line.split_whitespace().map(Into::into));
                assert!(parsed.is_ok(), "docs/{page}.md: {line}: {}", said(line));
                seen += 1;
            }
        }
        assert!(seen >= 5, "{seen}");
    }

    #[test]
    fn trivys_flags_are_understood_or_refused_by_name() {
        let table = [
            ("image --scanners vuln x", "image: Some(\"x\")"),
            ("image --skip-db-update --offline-scan --no-progress x", "image: Some(\"x\")"),
            ("image -s HIGH,critical -f json x", "[High, Critical]"),
            ("image --exit-code 1 --ignore-unfixed --quiet x", "exit_code: Some(1)"),
            ("image --timeout 5m30s x", "330s"),
            ("image --scanners vuln,secret x", "--scanners secret is not there yet"),
            ("image --vex a.json --vex b.json x", "vex: [\"a.json\", \"b.json\"]"),
            ("image --ignorefile=f --show-suppressed x", "show_suppressed: true"),
            ("image --ignore-status fixed,not_affected x", "[IgnoredStatus(Some(Fixed)), "),
            ("image --ignore-status wontfix x", "wontfix is no status: one of fixed, affected"),
            ("image --ignore-policy p.rego x", "--ignore-policy is not there yet"),
            ("rootfs --template @x /", "--template is not there yet"),
            ("image -t x y", "-t is not there yet"),
            ("image --server http://x y", "--server is not there yet"),
            ("image -f sarif x", "the format sarif is not there yet"),
            ("image -f xml x", "xml is no format"),
            ("image --nonsense x", "unexpected argument '--nonsense'"),
            ("image --limit layers=9,entries=7 x", "\"entries=7\""),
            ("image --limit fun=9 x", "fun is no limit"),
            ("image --username u --password hush x", "password: Some(***)"),
            ("image -s DIRE x", "unknown severity"),
            ("image --accept-gaps stale-feed,end-of-life x", "[StaleFeed, EndOfLife]"),
            ("image --accept-gaps all x", "unknown kind of gap"),
            ("image --exit-code 2 x", "2 says that the command failed"),
        ];
        for (line, part) in table {
            let said = said(&format!("cleanbill {line}"));
            assert!(said.contains(part), "{line}: {said}");
        }
    }
}
