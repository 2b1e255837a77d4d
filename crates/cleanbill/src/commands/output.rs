//! What of a scan is shown, where, and which exit code follows from it.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use cleanbill_core::gap::GapKind;
use cleanbill_core::severity::Severity;

use crate::commands::suppress::SuppressArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::report::{Filter, Format, Look, ScanReport, View, lines};
use crate::vex::Given;

/// Flags about the report.
#[derive(Debug, clap::Args)]
pub struct OutputArgs {
    /// Severities to show and count, such as HIGH,CRITICAL
    #[arg(long, short = 's', value_name = "LIST", value_delimiter = ',')]
    pub severity: Vec<Severity>,
    #[command(flatten)]
    pub(crate) suppress: SuppressArgs,
    /// table, lines or json (default: table on a terminal, else lines)
    #[arg(long, short = 'f', value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Write the report to a file
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// List packages without flaws too (JSON only; there the default)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub list_all_pkgs: Option<bool>,
    /// Exit N if flaws are left, else 3 if something was not examined
    #[arg(long, value_name = "N", value_parser = exit_code)]
    pub exit_code: Option<u8>,
    /// Kinds of gaps that do not make --exit-code exit 3
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub accept_gaps: Vec<GapKind>,
    /// Days a feed may be old before its use is a gap (default 7)
    #[arg(long, value_name = "DAYS")]
    pub max_age: Option<u32>,
    /// Print the report and errors only
    #[arg(long, short = 'q')]
    pub quiet: bool,
    /// Show no progress
    #[arg(long)]
    pub no_progress: bool,
    // Trivy's flags that mean what is done here anyway: a scan looks for flaws, never fetches
    // advisories by itself, and asks nobody but the image's registry.
    #[arg(long, hide = true, value_parser = crate::commands::trivy::scanners)]
    scanners: Option<()>,
    #[arg(long, hide = true)]
    skip_db_update: bool,
    #[arg(long, hide = true)]
    offline_scan: bool,
}

/// Days a feed may be old unless told otherwise; the policy's default too.
const MAX_AGE_DAYS: u32 = 7;

/// What `--exit-code` takes.
pub(super) fn exit_code(text: &str) -> std::result::Result<u8, String> {
    match text.parse() {
        Ok(2) => Err("2 says that the command failed: choose another number".into()),
        Ok(3) => Err("3 says that something was not examined: choose another number".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("an exit code is a number from 0 to 255".into()),
    }
}

impl OutputArgs {
    /// How old a feed may be, in days, before its use is a gap.
    pub fn max_age_days(&self) -> u32 {
        self.max_age.unwrap_or(MAX_AGE_DAYS)
    }

    /// What can be refused before anything is read.
    ///
    /// # Errors
    /// When flags contradict each other.
    pub fn check(&self) -> Result<()> {
        if self.list_all_pkgs == Some(true) && self.form() != Format::Json {
            return Err(Failure::new("--list-all-pkgs has no place in this format")
                .next("add -f json, or leave the flag out"));
        }
        Ok(())
    }

    fn form(&self) -> Format {
        let terminal = self.output.is_none() && std::io::stdout().is_terminal();
        self.format.unwrap_or(if terminal { Format::Table } else { Format::Lines })
    }

    /// Writes the report and says which exit code it deserves.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, report: &ScanReport, given: &Given) -> Result<Exit> {
        let filter = Filter {
            severities: self.severity.clone(),
            packages: self.list_all_pkgs.unwrap_or(true),
            suppressed: self.suppress.show_suppressed,
        };
        let rulings = given.rule(&report.evidence, &report.subject(), report.created_at);
        let view = View::ruled(report, filter, given, &rulings);
        let form = self.form();
        let look = if self.output.is_none() { Look::of_stdout() } else { Look::plain() };
        let text = form.write(&view, look)?;
        self.put(text.as_bytes())?;
        if form == Format::Lines && !self.quiet {
            // A courtesy for whoever watches; the report itself is complete without it.
            _ = std::io::stderr().lock().write_all(lines::summary(&view).as_bytes());
        }
        Ok(self.exit(&view))
    }

    fn put(&self, bytes: &[u8]) -> Result<()> {
        let Some(path) = &self.output else {
            return match std::io::stdout().lock().write_all(bytes) {
                // The reader has seen enough (`| head`); what we found stays the same.
                Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                Err(e) => Err(Failure::new(format!("cannot write the report: {e}"))),
                Ok(()) => Ok(()),
            };
        };
        std::fs::write(path, bytes).map_err(|e| {
            Failure::new(format!("cannot write the report to {}: {e}", path.display()))
        })
    }

    /// Findings come first, since they are certain; then what was not examined.
    fn exit(&self, view: &View<'_>) -> Exit {
        match self.exit_code {
            None | Some(0) => Exit::DONE,
            Some(code) if view.findings().next().is_some() => Exit::chosen(code),
            Some(_) if view.gaps().iter().any(|g| !self.accept_gaps.contains(&g.kind)) => {
                Exit::GAPS
            }
            Some(_) => Exit::DONE,
        }
    }
}
