//! `cleanbill db update`: the snapshot that commands use by default, from the first source that works.

use std::io::Write;
use std::path::PathBuf;

use cleanbill_advisory::update::{Publisher, Sources, Turn};
use cleanbill_advisory::{Say, Told};
use cleanbill_core::ecosystem::Ecosystem;
use jiff::Timestamp;

use super::attempt::{Got, Run};
use super::origin::Origin;
use super::{teller, unwritten};
use crate::commands::access::AccessArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::report::text::printable_lines;
use crate::snapshot_choice::failed;

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db update
  cleanbill db update --ecosystems Alpine,Ubuntu,Go --feeds epss,nvd
  cleanbill db update --mirror https://mirror.example/osv
  cleanbill db update --from snapshot:registry.example/db:1 --key db.key.pub --from feeds
  cleanbill db update --from feeds --from trivy:ghcr.io/aquasecurity/trivy-db
Flags come before the configuration, which docs/advisories.md describes. Sources are tried in the
order of --from (default: its own, else feeds) until one works; each that does not is named. feeds: publishers' own (OSV, CISA, endoflife.date, and those of --feeds), only where they changed. A
mirror holds <Ecosystem>/all.zip, kev/known_exploited_vulnerabilities.json, eol/<product>.json and
so on. trivy: Trivy's database from a registry. snapshot: what `cleanbill db push` put into one.
Exit codes: 0 everything is new; 3 another source than the first, or the copy of an earlier update,
had to do, or something could not be had; 2 failed, and the snapshot there before stays.
docs/advisories.md says more.";

/// Arguments of `db update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configuration (default: ~/.config/cleanbill/db.yaml, else /etc/cleanbill/db.yaml)
    #[arg(long, short = 'c', value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sources in their order: feeds, trivy:REPOSITORY or snapshot:REF; repeatable
    #[arg(long, value_name = "SOURCE")]
    pub from: Vec<Origin>,
    /// Public key that must have signed a snapshot of --from; repeatable, one of them is enough
    #[arg(long, value_name = "PUB")]
    pub key: Vec<PathBuf>,
    /// Ecosystems, as OSV names them (default: what images here needed, else Alpine,Go,PyPI,npm)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = ecosystem)]
    pub ecosystems: Vec<Ecosystem>,
    /// Publishers' own feeds: almalinux, alpine-secdb, amazon, chainguard, debian, epss, nvd, redhat, rubysec, suse, wolfi, or none (default: what images here needed and epss, else debian,epss)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = publisher)]
    pub feeds: Vec<Choice>,
    /// Address of a mirror to use instead of the publishers
    #[arg(long, value_name = "URL", value_parser = Sources::mirror)]
    pub mirror: Option<Sources>,
    /// Snapshot file to write (default: the one that commands look for)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Folder for what was fetched (default: ~/.cache/cleanbill/db)
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// How registries are spoken to.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// One of the words of `--feeds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// No publisher's feed.
    None,
    /// This one.
    Of(Publisher),
}

impl Choice {
    /// The publisher that it names.
    pub(super) fn publisher(self) -> Option<Publisher> {
        match self {
            Self::None => None,
            Self::Of(publisher) => Some(publisher),
        }
    }
}

fn publisher(text: &str) -> std::result::Result<Choice, String> {
    if text == "none" {
        return Ok(Choice::None);
    }
    Publisher::named(text).map(Choice::Of).ok_or_else(|| {
        let known: Vec<_> = Publisher::ALL.iter().map(|p| p.as_str()).collect();
        format!("{text} is no publisher known here: one of {}, or none", known.join(", "))
    })
}

fn ecosystem(text: &str) -> std::result::Result<Ecosystem, String> {
    Ecosystem::named(text).ok_or_else(|| {
        let known: Vec<_> = Ecosystem::ALL.iter().map(|e| e.as_str()).collect();
        format!("{text} is no ecosystem known here: one of {}", known.join(", "))
    })
}

/// Tries the sources in their order until one works; `progress` is told what happens, `out` what is
/// in the result. Ends in [`Exit::GAPS`] where another than the first had to do, or the copy of an
/// earlier update, or something could not be had.
///
/// # Errors
/// When none works; what was there before stays.
pub fn run(
    args: Args,
    now: Timestamp,
    progress: &mut dyn Write,
    out: &mut dyn Write,
) -> Result<Exit> {
    let glance = Progress::new(true);
    let mut say = teller(progress, &glance);
    let run = Run::new(args, now, &mut say)?;
    let turn = Turn::take(run.folder()).map_err(|e| failed(&e))?;
    let mut failures: Vec<(Origin, Failure)> = Vec::new();
    for source in &run.sources {
        let earlier: Vec<&Origin> = failures.iter().map(|(origin, _)| origin).collect();
        let origin = source.origin();
        match run.attempt(source, &earlier, &turn, &mut say) {
            Ok(Got { text, kept, missing }) => {
                let stood_in = failures.iter().map(|(o, e)| format!("{o}: {}", e.message()));
                let old: Vec<String> = stood_in.chain(kept).collect();
                out.write_all(printable_lines(&text).as_bytes()).map_err(|e| unwritten(&e))?;
                if failures.is_empty() {
                    // That it cannot be removed undoes nothing.
                    _ = turn.forget_begun();
                }
                let origin = (!failures.is_empty()).then_some(&origin);
                return Ok(ended(&old, &missing, origin, &mut say));
            }
            Err(e) => {
                if run.sources.len() > 1 {
                    let why = format!("warning: {origin} gives nothing: {}", e.message());
                    say(Told::Line(&why));
                }
                failures.push((origin, e));
            }
        }
    }
    Err(all_failed(failures))
}

/// Says what is not as it was wanted, if anything is not: what is `old`, of which copies had to do or
/// the origin that stood in, and what is `missing`.
fn ended(old: &[String], missing: &[String], stood_in: Option<&Origin>, say: &mut Say<'_>) -> Exit {
    let mut say = |line: &str| say(Told::Line(line));
    if old.is_empty() && missing.is_empty() {
        return Exit::DONE;
    }
    if !old.is_empty() {
        say(&match stood_in {
            None => "\nwarning: not everything is new; copies of an earlier update, with their own dates, had to do for:".to_owned(),
            Some(origin) => format!("\nwarning: not everything is new; {origin} had to do for:"),
        });
        old.iter().for_each(|line| say(&format!("  {line}")));
    }
    if !missing.is_empty() {
        say(
            "\nwarning: not everything is there; what needs one of these is a gap until it could be had:",
        );
        missing.iter().for_each(|line| say(&format!("  {line}")));
    }
    say("  next: run it again later; a feed that grows too old is a gap (--max-age, max_feed_age)");
    Exit::GAPS
}

fn all_failed(mut failures: Vec<(Origin, Failure)>) -> Failure {
    if failures.len() == 1
        && let Some((_, failure)) = failures.pop()
    {
        return failure;
    }
    let lines = failures.iter().map(|(origin, e)| format!("\n  {origin}: {}", e.message()));
    Failure::new(format!("no source gives a snapshot:{}", lines.collect::<String>()))
        .next("mend one of them and run it again; what was in force stays as it was")
}

#[cfg(test)]
mod tests {
    use super::{AccessArgs, Args, ecosystem, publisher, run};
    use cleanbill_advisory::update::Sources;

    #[test]
    fn only_known_ecosystems_are_asked_for() {
        assert_eq!(publisher("nvd"), Ok(super::Choice::Of(super::Publisher::Nvd)));
        assert_eq!(publisher("none"), Ok(super::Choice::None));
        assert_eq!(
            publisher("NVD").unwrap_err(),
            "NVD is no publisher known here: one of almalinux, alpine-secdb, amazon, chainguard, debian, epss, nvd, redhat, rubysec, suse, wolfi, or none"
        );
        assert_eq!(ecosystem("npm").unwrap().as_str(), "npm");
        let error = ecosystem("Npm").unwrap_err();
        assert!(
            error.starts_with("Npm is no ecosystem known here: one of Alpine, Debian, "),
            "{error}"
        );
    }

    #[test]
    fn a_mirror_that_says_no_is_named_with_the_next_step() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                _ = stream.read(&mut [0; 1024]);
                _ = stream.write_all(
                    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let args = Args {
            config: Some("/dev/null".into()),
            from: vec![],
            key: vec![],
            access: AccessArgs::default(),
            ecosystems: vec![super::Ecosystem::Alpine],
            feeds: vec![],
            mirror: Some(Sources::mirror(&base).unwrap()),
            out: None,
            cache: Some(dir.path().to_owned()),
        };
        let now = "2026-08-22T12:00:00Z".parse().unwrap();
        let (mut progress, mut out) = (Vec::new(), Vec::new());
        let error = run(args, now, &mut progress, &mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{base}/Alpine/all.zip: the server said 403 Forbidden\n  next: run it again, it goes on where it broke off; without a network: --mirror, or --db with a snapshot built elsewhere"
            )
        );
        assert!(!dir.path().join("cleanbill.cbdb").exists());
    }
}
