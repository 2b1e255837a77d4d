//! `cleanbill db update`: fetch the feeds and build the snapshot that commands use by default.

use std::io::Write;
use std::path::PathBuf;

use cleanbill_advisory::update::{Bounds, DEFAULT_ECOSYSTEMS, Plan, Publisher, Sources, Updated};
use cleanbill_core::ecosystem::Ecosystem;
use jiff::Timestamp;

use super::{status, unwritten};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::report::text::printable_lines;
use crate::snapshot_choice::{failed, folder, updated_in};

/// Examples under the help.
pub const AFTER: &str = "\
Examples:
  cleanbill db update
  cleanbill db update --ecosystems Alpine,Ubuntu,Go --feeds epss,nvd
  cleanbill db update --mirror https://mirror.example/osv
Feeds come from their publishers (OSV, CISA, endoflife.date, and those named by --feeds), only where
they changed. A mirror holds <Ecosystem>/all.zip, kev/known_exploited_vulnerabilities.json,
eol/<product>.json, debian/tracker.json, epss/epss_scores-current.csv.gz and so on.
Exit codes: 0 everything is new; 3 a publisher gave nothing, and the copy of an earlier update was
taken with the date that it has; 2 failed, and the snapshot there before stays.";

/// Arguments of `db update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ecosystems, as OSV names them (default: Alpine,Go,PyPI,npm)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = ecosystem)]
    pub ecosystems: Vec<Ecosystem>,
    /// Publishers' own feeds: chainguard, debian, epss, nvd, wolfi, or none (default: debian,epss)
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
}

/// One of the words of `--feeds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// No publisher's feed.
    None,
    /// This one.
    Of(Publisher),
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

/// Fetches and builds; `progress` is told what happens, `out` what is in the result. Ends in
/// [`Exit::GAPS`] where the copy of an earlier update had to do.
///
/// # Errors
/// When something of which there is no earlier copy, or everything, cannot be fetched, or when
/// nothing can be built; what was there before stays.
pub fn run(
    args: &Args,
    now: Timestamp,
    progress: &mut dyn Write,
    out: &mut dyn Write,
) -> Result<Exit> {
    let folder = args.cache.clone().map_or_else(folder, Ok)?;
    let mut ecosystems = args.ecosystems.clone();
    if ecosystems.is_empty() {
        ecosystems = DEFAULT_ECOSYSTEMS.to_vec();
    }
    ecosystems.sort();
    ecosystems.dedup();
    let chosen = |choice: &Choice| match choice {
        Choice::None => None,
        Choice::Of(publisher) => Some(*publisher),
    };
    let publishers = match args.feeds.as_slice() {
        [] => Publisher::DEFAULT.to_vec(),
        feeds => feeds.iter().filter_map(chosen).collect(),
    };
    let plan = Plan {
        publishers,
        sources: args.mirror.clone().unwrap_or_default(),
        ecosystems,
        out: args.out.clone().unwrap_or_else(|| updated_in(&folder)),
        folder,
        now,
        bounds: Bounds::default(),
    };
    // Progress is a courtesy: that it cannot be shown stops nothing.
    let mut say = |line: &str| _ = writeln!(progress, "{}", printable_lines(line));
    let updated = cleanbill_advisory::update(&plan, &mut say).map_err(|e| next_step(&e))?;
    let Updated { report, kept } = updated;
    let mut text = status::table(&status::rows(&report.feeds, Some(now)));
    let path = plan.out.display();
    text += &format!("{path}: {} bytes, {}\n", report.bytes, report.digest);
    out.write_all(printable_lines(&text).as_bytes()).map_err(|e| unwritten(&e))?;
    if kept.is_empty() {
        return Ok(Exit::DONE);
    }
    say(
        "\nwarning: not everything is new; copies of an earlier update, with their own dates, had to do for:",
    );
    kept.iter().for_each(|line| say(&format!("  {line}")));
    say("  next: run it again later; a feed that grows too old is a gap (--max-age, max_feed_age)");
    Ok(Exit::GAPS)
}

fn next_step(error: &cleanbill_advisory::Error) -> Failure {
    let failure = failed(error);
    match error.kind() {
        cleanbill_advisory::ErrorKind::Network => failure.next(
            "run it again, it goes on where it broke off; without a network: --mirror, or --db with a snapshot built elsewhere",
        ),
        cleanbill_advisory::ErrorKind::Malformed
        | cleanbill_advisory::ErrorKind::Damaged
        | cleanbill_advisory::ErrorKind::OverLimit
        | cleanbill_advisory::ErrorKind::Older
        | cleanbill_advisory::ErrorKind::NotFound
        | cleanbill_advisory::ErrorKind::Io => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, ecosystem, publisher, run};
    use cleanbill_advisory::update::Sources;

    #[test]
    fn only_known_ecosystems_are_asked_for() {
        assert_eq!(publisher("nvd"), Ok(super::Choice::Of(super::Publisher::Nvd)));
        assert_eq!(publisher("none"), Ok(super::Choice::None));
        assert_eq!(
            publisher("NVD").unwrap_err(),
            "NVD is no publisher known here: one of chainguard, debian, epss, nvd, wolfi, or none"
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
            let (mut stream, _) = listener.accept().unwrap();
            _ = stream.read(&mut [0; 1024]);
            _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        });
        let dir = tempfile::tempdir().unwrap();
        let args = Args {
            ecosystems: vec![],
            feeds: vec![],
            mirror: Some(Sources::mirror(&base).unwrap()),
            out: None,
            cache: Some(dir.path().to_owned()),
        };
        let now = "2026-08-22T12:00:00Z".parse().unwrap();
        let (mut progress, mut out) = (Vec::new(), Vec::new());
        let error = run(&args, now, &mut progress, &mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{base}/Alpine/all.zip: the server said 403 Forbidden\n  next: run it again, it goes on where it broke off; without a network: --mirror, or --db with a snapshot built elsewhere"
            )
        );
        assert!(!dir.path().join("cleanbill.cbdb").exists());
    }
}
