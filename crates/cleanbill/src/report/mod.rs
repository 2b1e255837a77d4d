//! What a scan has to say, and the forms it is said in: one list, [`Format::ALL`].
//!
//! A report shows what was found and, with the same weight, what was not examined. It must not
//! judge, and must not leave a gap out: filters are for findings.

pub mod json;
pub mod lines;
pub mod suppressed;
pub mod table;
pub mod targets;
pub mod text;
pub mod verdict;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::IsTerminal as _;
use std::str::FromStr;
use std::sync::Arc;

use cleanbill_core::Timestamp;
use cleanbill_core::digest::Digest;
use cleanbill_core::evidence::{PlatformEvidence, SnapshotId};
use cleanbill_core::finding::Finding;
use cleanbill_core::gap::{Gap, GapKind};
use cleanbill_core::inventory::Inventory;
use cleanbill_core::matching::LeftTo;
use cleanbill_core::severity::Severity;
use cleanbill_core::suppression::{By, Ruling, Subject};

use crate::failure::Result;
use crate::vex::Given;
use targets::Target;

/// One scan: everything that any of the forms shows.
#[derive(Clone, Debug)]
pub struct ScanReport {
    /// What was scanned, as it was named: `nginx:alpine`, `app.tar`, a folder.
    pub artifact_name: String,
    /// When.
    pub created_at: Timestamp,
    /// The image; `None` for a root filesystem folder.
    pub image: Option<ImageMetadata>,
    /// What is in it.
    pub inventory: Inventory,
    /// Findings, gaps (the inventory's included) and the feeds that were used.
    pub evidence: PlatformEvidence,
    /// Flaws of language packages that are left to the advisories of the distribution that
    /// packaged them.
    pub left: Vec<LeftTo>,
    /// The advisories that were used.
    pub snapshot: SnapshotUse,
}

/// What an image says about itself.
#[derive(Clone, Debug)]
pub struct ImageMetadata {
    /// The name that it was chosen by, where it has one.
    pub reference: Option<String>,
    /// Its names with tags, as the source lists them.
    pub repo_tags: Vec<String>,
    /// Its names with digests, as the source lists them.
    pub repo_digests: Vec<String>,
    /// The digest of its configuration: Docker's image id.
    pub image_id: Digest,
    /// The digest of its index, or of its manifest where it has none.
    pub resolved: Digest,
    /// The configuration as it is stored (JSON), checked against `image_id`.
    pub config: Arc<[u8]>,
    /// Its layers, lowest first.
    pub layers: Vec<LayerMetadata>,
}

/// One layer of an image.
#[derive(Clone, Debug)]
pub struct LayerMetadata {
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Digest as it is stored in a registry or layout; `None` in a `docker save` archive.
    pub blob: Option<Digest>,
    /// Bytes as stored, where known.
    pub size: Option<u64>,
}

/// Which snapshot was used.
#[derive(Clone, Debug)]
pub struct SnapshotUse {
    /// Its identity, and whether it is the starter.
    pub id: SnapshotId,
    /// The file it was read from; `None` for the starter.
    pub file: Option<std::path::PathBuf>,
}

impl ScanReport {
    /// What says that the distribution is past its end of life, if it is.
    pub fn end_of_life(&self) -> Option<&Gap> {
        self.evidence.gaps.iter().find(|g| g.kind == GapKind::EndOfLife)
    }

    /// The image as statements about images can name it: by the name it was fetched by, and by
    /// its digests.
    pub fn subject(&self) -> Subject {
        let Some(image) = &self.image else { return Subject::default() };
        Subject {
            name: image.reference.as_ref().and_then(|name| name.parse().ok()),
            digests: vec![image.resolved, self.evidence.digest, image.image_id],
            architecture: self.evidence.platform.as_ref().map(|p| p.architecture.clone()),
        }
    }
}

/// Which findings are shown and counted. Gaps are always shown.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// These severities only; empty: all.
    pub severities: Vec<Severity>,
    /// Whether packages are listed (JSON).
    pub packages: bool,
    /// Whether what was left out by a caller's rules is listed.
    pub suppressed: bool,
}

impl Filter {
    fn keeps(&self, finding: &Finding) -> bool {
        self.severities.is_empty() || self.severities.contains(&finding.severity)
    }
}

/// A report as it is about to be shown: filtered, sorted, by target.
#[derive(Debug)]
pub struct View<'a> {
    /// The whole report.
    pub report: &'a ScanReport,
    /// What is left out.
    pub filter: Filter,
    /// What was scanned in it: the distribution's packages first, then languages by name.
    pub targets: Vec<Target<'a>>,
    /// What the caller gave to leave findings out; `None`: nothing.
    pub given: Option<&'a Given>,
    gaps: Vec<&'a Gap>,
}

impl<'a> View<'a> {
    /// Prepares a report to be shown, with all findings that the filter keeps.
    pub fn new(report: &'a ScanReport, filter: Filter) -> Self {
        let findings = report.evidence.findings.iter().map(|f| (f, Ruling::Counts));
        let all = findings.chain(left(report));
        let targets = targets::of(report, all.filter(|(f, _)| filter.keeps(f)));
        Self { report, given: None, targets, gaps: gaps(report), filter }
    }

    /// The same without what a caller left out: `rulings` has one for each finding.
    pub fn ruled(
        report: &'a ScanReport,
        filter: Filter,
        given: &'a Given,
        rulings: &[Ruling<'a>],
    ) -> Self {
        // A finding without a ruling counts.
        let rulings = rulings.iter().cloned().chain(std::iter::repeat(Ruling::Counts));
        let findings = report.evidence.findings.iter().zip(rulings);
        let all = findings.chain(left(report));
        let targets = targets::of(report, all.filter(|(f, _)| filter.keeps(f)));
        Self { report, given: Some(given), targets, gaps: gaps(report), filter }
    }

    /// The findings that are shown, target by target.
    pub fn findings(&self) -> impl Iterator<Item = &'a Finding> {
        self.targets.iter().flat_map(|t| t.findings.iter().copied())
    }

    /// How many findings were left out by severity; `None` if none were.
    pub fn left_out(&self) -> Option<String> {
        let hidden = self.report.evidence.findings.iter().filter(|f| !self.filter.keeps(f)).count();
        (hidden > 0).then(|| format!("Not shown, by severity: {hidden}"))
    }

    /// What was not examined, each once, by kind.
    pub fn gaps(&self) -> &[&'a Gap] {
        &self.gaps
    }

    /// How many findings of each severity are shown, in the order of [`Severity::ALL`].
    pub fn counts<'f>(findings: impl Iterator<Item = &'f Finding>) -> [usize; 5] {
        let mut counts = [0; 5];
        for finding in findings {
            if let Some(at) = Severity::ALL.iter().position(|s| *s == finding.severity)
                && let Some(count) = counts.get_mut(at)
            {
                *count += 1;
            }
        }
        counts
    }

    /// One line for each feed that was used, with its age, and the starter named as such.
    pub fn advisories(&self) -> Vec<String> {
        let snapshot = &self.report.snapshot;
        let id = snapshot.id.digest.short();
        let mut lines = vec![match (&snapshot.file, snapshot.id.starter) {
            (_, true) => format!(
                "Advisories: the starter snapshot built into this program ({id}); newer: cleanbill db update"
            ),
            (Some(file), false) => format!("Advisories: {} ({id})", file.display()),
            (None, false) => format!("Advisories: snapshot {id}"),
        }];
        for used in &self.report.evidence.feeds {
            lines.push(match used.as_of {
                Some(date) => {
                    let age = self.report.created_at.duration_since(date).as_hours().max(0) / 24;
                    let day = cleanbill_core::policy::today(date);
                    let plural = if age == 1 { "day" } else { "days" };
                    format!("  {} as of {day} ({age} {plural} old)", used.feed)
                }
                None => format!("  {} of unknown age", used.feed),
            });
        }
        if self.report.evidence.feeds.is_empty() {
            lines.push("  no feed of it was used".into());
        }
        lines
    }
}

/// What is left to the distribution's advisories.
fn left<'a>(report: &'a ScanReport) -> impl Iterator<Item = (&'a Finding, Ruling<'a>)> {
    let by = |left: &'a LeftTo| Ruling::Suppressed(By::Owner(&left.owner));
    report.left.iter().map(move |left| (&left.finding, by(left)))
}

/// What was not examined, each once.
fn gaps(report: &ScanReport) -> Vec<&Gap> {
    let mut gaps: Vec<&Gap> = report.evidence.gaps.iter().collect();
    gaps.sort();
    gaps.dedup();
    gaps
}

/// How a form may look: for a terminal, or plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether to colour.
    pub colour: bool,
    /// Columns to fit into; `None`: as wide as it gets.
    pub width: Option<usize>,
}

impl Look {
    /// Plain text of any width: files and pipes.
    pub fn plain() -> Self {
        Self { colour: false, width: None }
    }

    /// What suits standard output. Colour only on a terminal that may have it
    /// (<https://no-color.org>, `TERM=dumb`).
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        if !stdout.is_terminal() {
            return Self::plain();
        }
        let set = |name| std::env::var_os(name).filter(|v| !v.is_empty());
        let dumb = set("TERM").is_none_or(|t| t == "dumb");
        let width = terminal_size::terminal_size_of(stdout).map(|(w, _)| usize::from(w.0));
        Self { colour: !dumb && set("NO_COLOR").is_none(), width: width.filter(|w| *w > 0) }
    }
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One line a finding or gap, for pipes.
    Lines,
    /// Trivy's JSON, schema 2, with gaps.
    Json,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Table, Self::Lines, Self::Json];

    /// The word after `-f`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Lines => "lines",
            Self::Json => "json",
        }
    }

    /// The whole report in this form.
    ///
    /// # Errors
    /// When it cannot be put in this form.
    pub fn write(self, view: &View<'_>, look: Look) -> Result<String> {
        match self {
            Self::Table => Ok(table::write(view, look)),
            Self::Lines => Ok(lines::write(view)),
            Self::Json => json::write(view),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Trivy's other formats.
const NOT_YET: [&str; 8] =
    ["template", "sarif", "cyclonedx", "spdx", "spdx-json", "github", "cosign-vuln", "gitlab"];

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let known = Self::ALL.map(Self::as_str).join(", ");
        match Self::ALL.into_iter().find(|f| f.as_str() == text) {
            Some(format) => Ok(format),
            None if NOT_YET.contains(&text) => {
                Err(format!("the format {text} is not there yet: one of {known}"))
            }
            None => Err(format!("{text} is no format: one of {known}")),
        }
    }
}
