//! What is left out of a report besides severities: statuses, ignore files, VEX documents.
//!
//! Must not judge, and must not be used by anything that decides: `check` and `serve` know only
//! the exceptions of a policy.

use std::path::Path;

use cleanbill_core::finding::Status;

use crate::failure::{Failure, Result};
use crate::vex::{self, Given, GivenFile};

/// The ignore file that is read when nobody names one, as Trivy does.
const DEFAULT_IGNORE_FILE: &str = ".trivyignore";
/// The most VEX documents at once.
const DOCUMENTS_MAX: usize = 64;
/// Sources of VEX that Trivy knows and Cleanbill does not have yet.
const SOURCES: [&str; 4] = ["repo", "repository", "oci", "sbom-ref"];

/// Flags about findings that are left out.
#[derive(Debug, Default, clap::Args)]
pub struct SuppressArgs {
    /// Show and count only flaws that have a fix
    #[arg(long)]
    pub ignore_unfixed: bool,
    /// Statuses to leave out, such as will_not_fix,end_of_life
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub ignore_status: Vec<IgnoredStatus>,
    /// Files that say what to leave out.
    #[command(flatten)]
    pub files: FilesArgs,
    /// Show what was left out, by what and why
    #[arg(long)]
    pub show_suppressed: bool,
}

/// Flags that name files by which findings are left out.
#[derive(Debug, Default, clap::Args)]
pub struct FilesArgs {
    /// File of flaws to leave out (default: .trivyignore here; "": none)
    #[arg(long, value_name = "FILE")]
    pub ignorefile: Option<String>,
    /// VEX document by which flaws are left out (repeatable; docs/vex.md)
    #[arg(long, value_name = "FILE")]
    pub vex: Vec<String>,
}

/// A status to be left out; `None` for those of Trivy's that no finding of ours has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IgnoredStatus(Option<Status>);

/// Trivy's other words: what is not affected is no finding, and every finding has a status.
const NEVER_FOUND: [&str; 2] = ["unknown", "not_affected"];

impl std::str::FromStr for IgnoredStatus {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match Status::ALL.into_iter().find(|s| s.as_str() == text) {
            Some(status) => Ok(Self(Some(status))),
            None if NEVER_FOUND.contains(&text) => Ok(Self(None)),
            None => {
                let known = Status::ALL.map(Status::as_str).join(", ");
                Err(format!("{text} is no status: one of {known}"))
            }
        }
    }
}

impl SuppressArgs {
    /// Reads all files that are named, and the ignore file of the current folder.
    ///
    /// # Errors
    /// When a file cannot be read or understood as a whole.
    pub fn read(&self) -> Result<Given> {
        let mut given = self.files.read()?;
        given.rules.only_fixed = self.ignore_unfixed;
        given.rules.statuses = self.ignore_status.iter().filter_map(|s| s.0).collect();
        Ok(given)
    }
}

impl FilesArgs {
    /// Reads them, and the ignore file of the current folder.
    ///
    /// # Errors
    /// When a file cannot be read or understood as a whole.
    pub fn read(&self) -> Result<Given> {
        let mut given = Given::default();
        let (ignore_file, by_default) = match self.ignorefile.as_deref() {
            Some("") => (None, false),
            Some(file) => (Some(file), false),
            None => (there(DEFAULT_IGNORE_FILE)?.then_some(DEFAULT_IGNORE_FILE), true),
        };
        if let Some(file) = ignore_file {
            let read = vex::read_ignore_file(Path::new(file), &mut given.notes)?;
            given.files.push(GivenFile { name: read.file.clone(), by_default });
            given.rules.ignore_files.push(read);
        }
        if self.vex.len() > DOCUMENTS_MAX {
            let why = format!("--vex was given {} times", self.vex.len());
            return Err(Failure::new(why).next(format!("give {DOCUMENTS_MAX} documents at most")));
        }
        for file in &self.vex {
            if SOURCES.contains(&file.as_str()) {
                return Err(Failure::new(format!("--vex {file} is not there yet"))
                    .next(format!("name a file; one of that name is ./{file}")));
            }
            let read = vex::read_vex(Path::new(file), &mut given.notes)?;
            given.files.push(GivenFile { name: read.file.clone(), by_default: false });
            given.rules.documents.push(read);
        }
        Ok(given)
    }
}

/// Whether there is such a file. What cannot be looked at is an error: it may say something.
fn there(name: &str) -> Result<bool> {
    Path::new(name).try_exists().map_err(|e| {
        Failure::new(format!("{name}: cannot be read: {e}"))
            .next("mend it, or leave it out with --ignorefile \"\"")
    })
}
